"""The ledger: every verdict, failure and clearance in one SQLite file, so that nothing is rated or paid for twice."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database, Migrations

from dialogue.errors import UsageProblem
from judge.verdict import JudgeFailure, JudgeId, Verdict

Answer = Verdict | JudgeFailure
migrate = Migrations("judge")
BUSY_SECONDS = 60


@migrate()
def m001_verdicts(db: Database) -> None:
    """A verdict's key is what was shown, who judged, and which repeat; failures are kept beside, never as numbers."""
    db.execute("create table judges (key text primary key, judge text not null) strict")
    for table, answer in (("verdicts", "verdict"), ("failures", "failure")):
        db.execute(
            f"create table {table} (transcript_hash text not null, judge_key text not null references judges(key), "
            f"repeat integer not null, {answer} text not null, at text not null, "
            "primary key (transcript_hash, judge_key, repeat)) strict, without rowid"
        )


@migrate()
def m002_clearances(db: Database) -> None:
    """Leave for a JudgeId to produce rewards; written by the golden check, voided by the monitor."""
    db.execute(
        "create table clearances (judge_key text primary key references judges(key), evidence text not null, "
        "at text not null, voided_at text) strict"
    )


class Ledger(AbstractContextManager["Ledger"]):
    """Opens (and creates or upgrades) the ledger at `path`. Several processes may use one file.

    Raises:
        UsageProblem: the path cannot be written, or holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
            self._db = Database(connection)
            self._open()
        except (sqlite3.DatabaseError, OSError) as error:
            raise UsageProblem(f"cannot use the ledger {self.path}: {error}; name another with --ledger") from error

    def _open(self) -> None:
        """Switch to WAL and apply the migrations, once, even when two processes open a new file together."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:  # SQLite does not wait by itself for a change of journal mode
            try:
                self._db.enable_wal()
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        # With WAL, `normal` survives a killed process whole; a power cut can lose the last commits, never corrupt.
        self._db.execute("pragma synchronous = normal")
        if migrate.pending(self._db):
            with self._writing():
                migrate.apply(self._db)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the write lock from the start, so that a waiting process waits instead of failing half-way."""
        try:
            self._db.conn.execute("begin immediate")
            yield
            self._db.conn.commit()
        except sqlite3.Error as error:
            self._db.conn.rollback()
            raise UsageProblem(f"cannot write the ledger {self.path}: {error}; make room, or name another with --ledger") from error
        except BaseException:
            self._db.conn.rollback()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def verdicts(self, judge: JudgeId, transcript_hashes: Sequence[str], repeat: int = 0) -> dict[str, Verdict]:
        """Return the verdicts already known, by transcript hash."""
        marks = ",".join("?" * len(transcript_hashes))
        rows = self._db.conn.execute(
            f"select transcript_hash, verdict from verdicts where judge_key = ? and repeat = ? and transcript_hash in ({marks})",
            [judge.key, repeat, *transcript_hashes],
        )
        return {known: Verdict.model_validate_json(text) for known, text in rows}

    def record(self, answers: Iterable[tuple[str, Answer]], repeat: int = 0) -> list[str]:
        """Store answers by transcript hash, in one transaction; return the hashes that already had a verdict.

        Those were stored by another process meanwhile, and stay: the first one counts, always. A verdict
        clears an earlier failure of its key.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        beaten = []
        with self._writing():
            for transcript_hash, answer in answers:
                key = answer.judge.key
                row = (transcript_hash, key, repeat, answer.model_dump_json(), at)
                self._db.conn.execute("insert or ignore into judges values (?, ?)", (key, answer.judge.model_dump_json()))
                if isinstance(answer, Verdict):
                    stored = self._db.conn.execute("insert or ignore into verdicts values (?, ?, ?, ?, ?)", row)
                    if not stored.rowcount:
                        beaten.append(transcript_hash)
                    self._db.conn.execute("delete from failures where transcript_hash = ? and judge_key = ? and repeat = ?", row[:3])
                else:
                    self._db.conn.execute("insert or replace into failures values (?, ?, ?, ?, ?)", row)
        return beaten

    def counts(self) -> dict[str, int]:
        """Return how many verdicts and failures the ledger holds."""
        return {table: int(self._db[table].count) for table in ("verdicts", "failures")}

    def clear(self, judge: JudgeId, evidence: str) -> None:
        """Give `judge` leave to produce rewards; `evidence` says which check it passed."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._writing():
            self._db.conn.execute("insert or ignore into judges values (?, ?)", (judge.key, judge.model_dump_json()))
            self._db.conn.execute("insert or replace into clearances values (?, ?, ?, null)", (judge.key, evidence, at))

    def cleared(self, judge: JudgeId) -> bool:
        """Say whether `judge` has leave to produce rewards."""
        found = self._db.conn.execute("select 1 from clearances where judge_key = ? and voided_at is null", [judge.key])
        return found.fetchone() is not None
