"""Audits in the ledger: samples, the frames they were drawn from, and labels, of which none is ever overwritten."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sqlite_utils import Database, Migrations

from dialogue.errors import UsageProblem, did_you_mean, listed
from golden_set.audit.sample import AuditItem, AuditLabel, AuditSample, Framed
from judge.ledger import Ledger
from judge.verdict import JudgeId

migrate = Migrations("audit")


@migrate()
def m001_audits(db: Database) -> None:
    """A sample is written once, whole; a label that was corrected keeps its row, with the time it was superseded."""
    db.execute("create table audits (name text primary key, judge_key text not null, sample text not null, at text not null) strict")
    db.execute(
        "create table audit_frame (audit text not null references audits(name), place integer not null, episode text not null, "
        "primary key (audit, place)) strict, without rowid"
    )
    db.execute(
        "create table audit_items (audit text not null references audits(name), item text not null, episode text not null, "
        "primary key (audit, item)) strict, without rowid"
    )
    db.execute(
        "create table audit_labels (id integer primary key, audit text not null references audits(name), item text not null, "
        "place text not null, rater text not null, label text not null, source text not null, at text not null, superseded_at text) strict"
    )
    db.execute("create index audit_labels_by_audit on audit_labels (audit, item, place, rater)")


class AuditBook:
    """The audits that a ledger holds."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._db = ledger.tables(migrate)

    def names(self) -> list[str]:
        """Return the names of all audits, oldest first."""
        return [name for (name,) in self._db.conn.execute("select name from audits order by at, rowid")]

    def keep(self, sample: AuditSample, frame: Iterable[Framed], items: Iterable[AuditItem]) -> None:
        """Store a sample with its frame and its items, in one transaction.

        Raises:
            UsageProblem: there is an audit of this name.
        """
        with self._ledger.writing():
            if sample.name in self.names():
                raise UsageProblem(
                    f"there is an audit {sample.name!r} in {self._ledger.path} already, whose sample stands; write its forms again with "
                    f"`judge audit forms --audit {sample.name}`, or name another with --name"
                )
            row = (sample.name, sample.judge.key, sample.model_dump_json(), _now())
            self._db.conn.execute("insert into audits values (?, ?, ?, ?)", row)
            framed = ((sample.name, at, episode.model_dump_json()) for at, episode in enumerate(frame))
            self._db.conn.executemany("insert into audit_frame values (?, ?, ?)", framed)
            drawn = ((sample.name, item.item, item.model_dump_json()) for item in items)
            self._db.conn.executemany("insert into audit_items values (?, ?, ?)", drawn)

    def sample(self, name: str | None = None) -> AuditSample:
        """Return the sample of an audit; of the newest one by default.

        Raises:
            UsageProblem: there is none, or none of this name.
        """
        names = self.names()
        if not names:
            raise UsageProblem(f"no audit in {self._ledger.path}: draw one with `judge audit draw`, or name another ledger with --ledger")
        wanted = name or names[-1]
        found = self._db.conn.execute("select sample from audits where name = ?", [wanted]).fetchone()
        if found is None:
            raise UsageProblem(f"no audit {wanted!r} in {self._ledger.path}{did_you_mean(wanted, names)}; there are: {listed(names)}")
        return AuditSample.model_validate_json(found[0])

    def samples_of(self, judge: JudgeId) -> list[AuditSample]:
        """Return the samples of what a judge rated, oldest first."""
        rows = self._db.conn.execute("select sample from audits where judge_key = ? order by at, rowid", [judge.key])
        return [AuditSample.model_validate_json(text) for (text,) in rows]

    def frame(self, name: str) -> Iterator[Framed]:
        """Yield the episodes that could be drawn."""
        for (text,) in self._db.conn.execute("select episode from audit_frame where audit = ? order by place", [name]):
            yield Framed.model_validate_json(text)

    def items(self, name: str) -> dict[str, AuditItem]:
        """Return the episodes that people look at, by item."""
        rows = self._db.conn.execute("select episode from audit_items where audit = ? order by item", [name])
        items = (AuditItem.model_validate_json(text) for (text,) in rows)
        return {item.item: item for item in items}

    def labels(self, name: str) -> list[AuditLabel]:
        """Return the labels that hold, in the order of items, places and raters."""
        rows = self._db.conn.execute("select label from audit_labels where audit = ? and superseded_at is null order by id", [name])
        labels = [AuditLabel.model_validate_json(text) for (text,) in rows]
        return sorted(labels, key=lambda label: (label.item, len(label.place), label.place, label.rater))

    def label(self, name: str, labels: Iterable[AuditLabel], source: str) -> None:
        """Store labels, in one transaction; what the same person said before at the same place is superseded and stays in the file.

        Args:
            source: the file that they came from.
        """
        at = _now()
        with self._ledger.writing():
            for label in labels:
                key = (name, label.item, label.place, label.rater)
                self._db.conn.execute(
                    "update audit_labels set superseded_at = ? where audit = ? and item = ? and place = ? and rater = ? "
                    "and superseded_at is null",
                    (at, *key),
                )
                self._db.conn.execute(
                    "insert into audit_labels (audit, item, place, rater, label, source, at) values (?, ?, ?, ?, ?, ?, ?)",
                    (*key, label.model_dump_json(), source, at),
                )

    def withdraw(self, name: str, rater: str) -> int:
        """Supersede all that a person said in an audit; return how many labels that were. They stay in the file."""
        with self._ledger.writing():
            done = self._db.conn.execute(
                "update audit_labels set superseded_at = ? where audit = ? and rater = ? and superseded_at is null", (_now(), name, rater)
            )
            return int(done.rowcount)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
