"""The ledger: every verdict, failure, clearance and calibration in one SQLite file, so that nothing is rated or paid for twice."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database, Migrations

from dialogue.errors import UsageProblem
from judge.calibration import Calibration
from judge.replicates import Replicates
from judge.tables import migrate
from judge.verdict import JudgeFailure, JudgeId, Verdict

Answer = Verdict | JudgeFailure
BUSY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch at a provider. `remote` is the provider's name of it, None while (or where) its submission is cut off.

    `state` is submitting, open, collected, refused (by the provider), lost (never arrived) or forgotten (given up).
    """

    name: str
    judge: str  # as after --judge
    remote: str | None
    requests: int
    state: str
    at: datetime


class Ledger(AbstractContextManager["Ledger"]):
    """Opens (and creates or upgrades) the ledger at `path`. Several processes may use one file.

    Raises:
        UsageProblem: the path cannot be written, or holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._judges: set[str] = set()  # keys of those that are stored for certain
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # The engine works in a thread of its own; it and its caller never use the ledger at the same time.
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
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
        self.tables(migrate)

    def tables(self, migrations: Migrations) -> Database:
        """Return the database with the tables of `migrations`: those of another room are its own business, in this one file."""
        if migrations.pending(self._db):
            with self.writing():
                migrations.apply(self._db)
        return self._db

    @contextmanager
    def writing(self) -> Iterator[None]:
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

    def record(
        self,
        answers: Iterable[tuple[str, int, Answer]],
        *,
        keep: Mapping[str, dict[str, Any]] | None = None,
        forget: Iterable[str] = (),
    ) -> list[tuple[str, int, JudgeId]]:
        """Store answers by transcript hash and repeat, in one transaction; return those that already had a verdict.

        Those were stored by another process meanwhile, and stay: the first one counts, always. A verdict
        clears an earlier failure of its key.

        Args:
            keep: providers' answers that are not yet part of a verdict, by the key of the request.
            forget: keys of such answers that are not needed any more.
        """
        at = _now()
        beaten = []
        keys = set()
        with self.writing():
            for transcript_hash, repeat, answer in answers:
                key = answer.judge.key
                keys.add(key)
                row = (transcript_hash, key, repeat, answer.model_dump_json(), at)
                if key not in self._judges:
                    self._db.conn.execute("insert or ignore into judges values (?, ?)", (key, answer.judge.model_dump_json()))
                if isinstance(answer, Verdict):
                    stored = self._db.conn.execute("insert or ignore into verdicts values (?, ?, ?, ?, ?)", row)
                    if not stored.rowcount:
                        beaten.append((transcript_hash, repeat, answer.judge))
                    self._db.conn.execute("delete from failures where transcript_hash = ? and judge_key = ? and repeat = ?", row[:3])
                else:
                    self._db.conn.execute("insert or replace into failures values (?, ?, ?, ?, ?)", row)
            if keep:
                replies = ((key, json.dumps(reply), at) for key, reply in keep.items())
                self._db.conn.executemany("insert or replace into replies values (?, ?, ?)", replies)
            self._db.conn.executemany("delete from replies where key = ?", ((key,) for key in forget))
        self._judges.update(keys)
        return beaten

    def reply(self, key: str) -> dict[str, Any] | None:
        """Return a provider's answer that was paid for and is not yet part of a verdict."""
        found = self._db.conn.execute("select reply from replies where key = ?", [key]).fetchone()
        return json.loads(found[0]) if found else None

    def has_replies(self) -> bool:
        """Say whether there are any such answers."""
        return self._db.conn.execute("select 1 from replies limit 1").fetchone() is not None

    def begin_batch(self, batch: StoredBatch, keys: Iterable[str]) -> None:
        """Store a batch that is about to be submitted, and the keys of its calls."""
        with self.writing():
            row = (batch.name, batch.judge, batch.remote, batch.requests, batch.state, batch.at.isoformat())
            self._db.conn.execute("insert into batches values (?, ?, ?, ?, ?, ?)", row)
            self._db.conn.executemany("insert into batch_calls values (?, ?)", ((batch.name, key) for key in keys))

    def open_batch(self, name: str, remote: str) -> None:
        """Note that the provider has the batch, and under which name."""
        with self.writing():
            self._db.conn.execute("update batches set remote = ?, state = 'open' where name = ?", (remote, name))

    def end_batch(self, name: str, state: str) -> None:
        """Note that a batch is over; its calls are no longer under way."""
        with self.writing():
            self._db.conn.execute("update batches set state = ? where name = ?", (state, name))
            self._db.conn.execute("delete from batch_calls where batch = ?", (name,))

    def batches(self, *states: str) -> list[StoredBatch]:
        """Return the batches in these states (all of them by default), oldest first."""
        rows = self._db.conn.execute("select name, judge, remote, requests, state, at from batches order by at, name").fetchall()
        found = [StoredBatch(name, judge, remote, n, state, datetime.fromisoformat(at)) for name, judge, remote, n, state, at in rows]
        return [batch for batch in found if not states or batch.state in states]

    def forget_batch(self, name: str) -> bool:
        """Give a batch up, whatever the provider does with it; say whether there was one under way."""
        known = name in (batch.name for batch in self.batches("open", "submitting"))
        if known:
            self.end_batch(name, "forgotten")
        return known

    def calls_of(self, batch: str) -> set[str]:
        """Return the keys of a batch's calls."""
        return {key for (key,) in self._db.conn.execute("select key from batch_calls where batch = ?", [batch])}

    def pending_calls(self) -> dict[str, str]:
        """Return the calls that batches have under way, with the batch's name."""
        return dict(self._db.conn.execute("select key, batch from batch_calls").fetchall())

    def counts(self) -> dict[str, int]:
        """Return how many verdicts and failures the ledger holds."""
        return {table: int(self._db[table].count) for table in ("verdicts", "failures")}

    def clear(self, judge: JudgeId, evidence: str) -> None:
        """Give `judge` leave to produce rewards; `evidence` says which check it passed."""
        at = _now()
        with self.writing():
            self._db.conn.execute("insert or ignore into judges values (?, ?)", (judge.key, judge.model_dump_json()))
            self._db.conn.execute("insert into clearances (judge_key, evidence, at) values (?, ?, ?)", (judge.key, evidence, at))

    def void(self, judge: JudgeId) -> bool:
        """Take that leave back; say whether there was one. The evidence stays, with the time it was voided."""
        with self.writing():
            done = self._db.conn.execute(
                "update clearances set voided_at = ? where judge_key = ? and voided_at is null", (_now(), judge.key)
            )
            return done.rowcount > 0

    def cleared(self, judge: JudgeId) -> bool:
        """Say whether `judge` has leave to produce rewards."""
        found = self._db.conn.execute("select voided_at from clearances where judge_key = ? order by id desc limit 1", [judge.key])
        newest = found.fetchone()
        return newest is not None and newest[0] is None

    def calibrate(self, calibration: Calibration) -> None:
        """Store the map of a judge's ratings to the scale of people; it takes the place of an earlier one."""
        judge = calibration.judge
        with self.writing():
            self._db.conn.execute("insert or ignore into judges values (?, ?)", (judge.key, judge.model_dump_json()))
            row = (judge.key, calibration.model_dump_json(), _now())
            self._db.conn.execute("insert into calibrations (judge_key, calibration, at) values (?, ?, ?)", row)

    def calibration(self, judge: JudgeId) -> Calibration | None:
        """Return the calibration that holds for `judge`, and for no other; None where there is none, or where it is void."""
        found = self._db.conn.execute(
            "select calibration, voided_at from calibrations where judge_key = ? order by id desc limit 1", [judge.key]
        ).fetchone()
        return Calibration.model_validate_json(found[0]) if found and found[1] is None else None

    def calibrations(self) -> list[tuple[Calibration, bool]]:
        """Return the newest calibration of every judge, the newest first, each with whether it holds (False: it is void)."""
        rows = self._db.conn.execute(
            "select calibration, voided_at is null from calibrations "
            "where id in (select max(id) from calibrations group by judge_key) order by id desc"
        ).fetchall()
        return [(Calibration.model_validate_json(text), bool(holds)) for text, holds in rows]

    def calibrate_replicates(self, replicates: Replicates) -> None:
        """Store the replicates of a calibration; they take the place of earlier ones of the same calibration."""
        with self.writing():
            row = (replicates.calibration, replicates.model_dump_json(), _now())
            self._db.conn.execute("insert or replace into calibration_replicates values (?, ?, ?)", row)

    def replicates(self, calibration: str) -> Replicates | None:
        """Return the replicates of a calibration, by its id; it may be void, rewards that it made stay as they are."""
        found = self._db.conn.execute("select replicates from calibration_replicates where calibration = ?", [calibration]).fetchone()
        return Replicates.model_validate_json(found[0]) if found else None

    def void_calibration(self, judge: JudgeId) -> bool:
        """Let a judge's calibration hold no longer; say whether one did. The map stays, with the time it was voided."""
        with self.writing():
            done = self._db.conn.execute(
                "update calibrations set voided_at = ? where judge_key = ? and voided_at is null", (_now(), judge.key)
            )
            return done.rowcount > 0

    def void_calibrations(self, judge: JudgeId) -> list[str]:
        """Let the calibrations of a judge that moved hold no longer, those of means of its ratings included; return their ids."""
        known = (calibration for calibration, holds in self.calibrations() if holds and _of_ratings_by(judge, calibration.judge))
        return [calibration.id for calibration in known if self.void_calibration(calibration.judge)]


def _of_ratings_by(judge: JudgeId, other: JudgeId) -> bool:
    """Say whether `other` is `judge`, or the mean of its ratings: `Repeats.of` adds a clause to the sampling, and nothing else."""
    same = other.model_copy(update={"sampling": judge.sampling}) == judge
    return same and (other.sampling == judge.sampling or other.sampling.startswith(f"{judge.sampling}; mean of "))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
