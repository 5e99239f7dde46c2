"""`judge audit withdraw` takes back what one person said in one audit, and deletes nothing."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from golden_set.audit.book import AuditBook
from golden_set.audit.sample import AuditLabel
from judge.ledger import Ledger
from tests import warm
from tests.golden_set.audit import hostile_audit as made


def said(rater: str, place: str, listens: float) -> AuditLabel:
    return AuditLabel(item="e001", place=place, rater=rater, ratings={"listens": listens})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two audits in which two people said something; one of them corrected herself."""
    with Ledger(tmp_path / "judge-ledger.db") as ledger:
        book = AuditBook(ledger)
        for sample in (made.SAMPLE, made.make_sample("other")):
            book.keep(sample, [item.framed for item in made.ITEMS], made.ITEMS)
            book.label(sample.name, [said("anna", "0", 1), said("anna", "2", 2), said("ben", "0", 3)], "a.csv")
            book.label(sample.name, [said("anna", "0", 5)], "b.csv")
    return tmp_path


def run(folder: Path, *args: str) -> CompletedProcess[str]:
    return warm.run(folder, {"HOME": str(folder)}, ["audit", "withdraw", *args])


def holding(folder: Path, audit: str) -> list[tuple[str, str, float]]:
    with Ledger(folder / "judge-ledger.db") as ledger:
        return [(one.rater, one.place, one.ratings["listens"]) for one in AuditBook(ledger).labels(audit)]


def test_all_of_one_person_is_withdrawn_and_nothing_deleted(folder: Path) -> None:
    done = run(folder, "--rater", "anna", "--audit", "2026-11")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("audit 2026-11, anna: 2 places withdrawn; ")
    assert holding(folder, "2026-11") == [("ben", "0", 3)]
    assert holding(folder, "other") == [("anna", "0", 5), ("ben", "0", 3), ("anna", "2", 2)]
    with Ledger(folder / "judge-ledger.db") as ledger:
        book = AuditBook(ledger)
        rows = book._db.execute("select rater, superseded_at is null from audit_labels where audit = '2026-11' order by id").fetchall()
        assert rows == [("anna", 0), ("anna", 0), ("ben", 1), ("anna", 0)]
        book.label("2026-11", [said("anna", "0", 5)], "b.csv")  # the same file may be read again
    assert holding(folder, "2026-11") == [("anna", "0", 5), ("ben", "0", 3)]


def test_json_tells_the_same_and_the_newest_audit_is_meant(folder: Path) -> None:
    done = run(folder, "--rater", "anna", "--json")
    assert json.loads(done.stdout) == {"audit": "other", "rater": "anna", "withdrawn": 2}
    assert (done.returncode, done.stderr) == (0, "")


def test_of_a_person_who_said_nothing_nothing_is_withdrawn(folder: Path) -> None:
    done = run(folder, "--rater", "anne", "--audit", "other", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"audit": "other", "rater": "anne", "withdrawn": 0}
    assert done.stderr == "judge: no answers of 'anne' in the audit other (did you mean 'anna'?); there are: anna, ben\n"
    assert len(holding(folder, "other")) == 3
    assert [run(folder, "--rater", rater).returncode for rater in ("anna", "ben", "ben")] == [0, 0, 1]
    assert "in the audit other; nor of anybody else" in run(folder, "--rater", "ben").stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "--rater"),
        (["--rater", "anna", "--audit", "2026"], "no audit '2026' in judge-ledger.db"),
        (["--rater", "anna", "--ledger", "none.db"], "no ledger none.db"),
    ],
)
def test_what_cannot_be_meant(args: list[str], told: str, folder: Path) -> None:
    done = run(folder, *args)
    assert done.returncode == 2
    assert told in done.stderr
    assert not (folder / "none.db").exists()
