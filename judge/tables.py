"""The ledger's tables, as small named migrations: applied once each, in order, so that a ledger of any age is brought up to date."""

from sqlite_utils import Database, Migrations

migrate = Migrations("judge")


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


@migrate()
def m003_replies(db: Database) -> None:
    """Answers of providers that were paid for and are not yet part of a verdict; batches that are under way, and what they ask."""
    db.execute("create table replies (key text primary key, reply text not null, at text not null) strict, without rowid")
    db.execute(
        "create table batches (name text primary key, judge text not null, remote text, requests integer not null, "
        "state text not null, at text not null) strict"
    )
    db.execute(
        "create table batch_calls (batch text not null references batches(name), key text not null, "
        "primary key (batch, key)) strict, without rowid"
    )


@migrate()
def m004_clearances_stay(db: Database) -> None:
    """Every clearance keeps its row, also after it was voided and given again; the newest of a judge counts."""
    db.execute("alter table clearances rename to clearances_before")
    db.execute(
        "create table clearances (id integer primary key, judge_key text not null references judges(key), evidence text not null, "
        "at text not null, voided_at text) strict"
    )
    columns = "judge_key, evidence, at, voided_at"
    db.execute(f"insert into clearances ({columns}) select {columns} from clearances_before")
    db.execute("drop table clearances_before")


@migrate()
def m005_calibrations(db: Database) -> None:
    """The map from a judge's ratings to the scale of people; every one keeps its row, the newest of a judge counts unless it is void."""
    db.execute(
        "create table calibrations (id integer primary key, judge_key text not null references judges(key), calibration text not null, "
        "at text not null, voided_at text) strict"
    )


@migrate()
def m006_replicates(db: Database) -> None:
    """A calibration as it might have come out of other audits: what the error of rewards is told from."""
    db.execute("create table calibration_replicates (calibration text primary key, replicates text not null, at text not null) strict")
