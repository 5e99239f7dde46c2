"""Tests of `judge audit read`: what it stores, prints and answers with, through its own command line and real files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from dialogue.errors import UsageProblem
from golden_set.audit.book import AuditBook
from golden_set.audit.form_files import EVERY, load_forms
from golden_set.audit.read_command import read
from golden_set.audit.sample import AuditLabel
from judge.ledger import Ledger
from tests import warm
from tests.golden_set.audit import hostile_audit as made

Read = Callable[..., Result]
COUNTS = ("answered", "new", "added", "replaced", "known", "repeated")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a ledger in which two audits are."""
    monkeypatch.chdir(tmp_path)
    with Ledger("judge-ledger.db") as ledger:
        book = AuditBook(ledger)
        for sample in (made.SAMPLE, made.make_sample("other")):
            book.keep(sample, [item.framed for item in made.ITEMS], made.ITEMS)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Read:
    """Run the command in the folder; a usage problem is raised, as `judge` would print it."""
    app = typer.Typer()
    app.command()(read)

    def go(*args: str | Path) -> Result:
        found = CliRunner().invoke(app, [*map(str, args)])
        if found.exception and not isinstance(found.exception, SystemExit):
            raise found.exception
        return found

    return go


def stored(audit: str = "2026-11") -> list[AuditLabel]:
    with Ledger("judge-ledger.db") as ledger:
        return AuditBook(ledger).labels(audit)


def filled(folder: Path, said: made.Said = made.SAID, name: str = "form.csv", part: int = 1) -> Path:
    written, _ = load_forms("csv")["csv"].write(made.review(part), folder)
    return made.fill_csv(written, said).rename(folder / name)


def counts(result: Result) -> dict[str, int]:
    told = json.loads(result.stdout)
    return {name: told[name] for name in COUNTS if told[name]} | ({"refused": len(told["refused"])} if told["refused"] else {})


ONE: made.Said = {("e001", "0"): ({"listens": 2}, "")}


def retitled(folder: Path, old: str, new: str, name: str = "csv") -> Path:
    """Return a filled-in table in which a column has another name."""
    path = made.fill(name, load_forms(name)[name].write(made.review(), folder), made.SAID)
    if name == "csv":
        head, rest = path.read_text(encoding="utf-8-sig").split("\n", 1)
        assert old in head.split(",")
        path.write_text(",".join(new if title == old else title for title in head.split(",")) + "\n" + rest)
        return path
    book = load_workbook(path)
    (cell,) = (cell for cell in book["Review"][1] if cell.value == old)
    cell.value = new
    book.save(path)
    return path


@pytest.mark.parametrize("name", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("listens", "listen", "no column 'listen' (did you mean 'listens'?) (of its own are missing: listens);"),
        ("well (episode)", "Well", "no column 'Well' (did you mean 'well (episode)'?) (of its own are missing: well (episode));"),
        ("listens", "my thoughts", "no column 'my thoughts' (of its own are missing: listens);"),
        ("listens", "", "no column no. 7, which has no name (of its own are missing: listens);"),
    ],
)
def test_a_column_that_the_form_has_not_refuses_the_file_once(name: str, old: str, new: str, told: str, run: Read, folder: Path) -> None:
    right = filled(folder, ONE, "right.csv")
    path = retitled(folder, old, new, name)
    with pytest.raises(UsageProblem) as problem:
        run(right, path, "--rater", "anna")
    assert str(problem.value) == (
        f"{path}: the form has {told} nothing of the file was taken and the file is as it was: "
        "remove the column, or restore its name, and read it again"
    )
    assert stored() == []  # of the other file neither


def test_several_columns_too_many_are_told_together(run: Read, folder: Path) -> None:
    row = f"#2026-11,e001,0,#{made.QUESTIONS.rows['e001', '0'].hash},4,hm,5,7\n"
    Path("small.csv").write_text("audit,item,place,hash,listens,why,honesty\n" + row)
    with pytest.raises(UsageProblem) as problem:
        run("small.csv", "--rater", "anna")
    assert "no column 'why', 'honesty' (did you mean 'honest'?), no. 8, which has no name (of its own are missing: honest, " in str(
        problem.value
    )
    assert "remove the columns, or restore their names, and read it again" in str(problem.value)


def test_an_empty_column_too_many_does_no_harm_and_case_does_not_matter(run: Read, folder: Path) -> None:
    assert counts(run(retitled(folder, "listens (episode)", "LISTENS (Episode)"), "--rater", "anna", "--json")) == {"answered": 6, "new": 6}
    row = f"#2026-11,e001,0,#{made.QUESTIONS.rows['e001', '0'].hash},4,,\n"
    Path("small.csv").write_text("audit,item,place,hash,listens,done?,\n" + row)
    assert counts(run("small.csv", "--rater", "ben", "--json")) == {"answered": 1, "new": 1}


def test_columns_that_are_missing_are_told_once_and_the_rows_taken(run: Read, folder: Path) -> None:
    row = f"#2026-11,e001,0,#{made.QUESTIONS.rows['e001', '0'].hash},4\n"
    Path("small.csv").write_text("audit,item,place,hash,listens\n" + row * 2)
    result = run("small.csv", "--rater", "anna")
    assert (result.exit_code, [one.ratings for one in stored()]) == (0, [{"listens": 4}])
    assert result.stderr == (
        "judge: small.csv: the columns 'honest', 'note (turn)', 'well (episode)', 'listens (episode)' are missing; "
        "the rows are taken without\n"
    )
    told = json.loads(run("small.csv", "--rater", "anna", "--json").stdout)
    assert told["files"][0]["missing_columns"] == ["honest", "note (turn)", "well (episode)", "listens (episode)"]
    assert run(filled(folder), "--rater", "anna").stderr == ""


def test_personal_data_in_a_note_reaches_neither_ledger_nor_report(run: Read, folder: Path) -> None:
    number = "415-555-2671"
    with Ledger("judge-ledger.db") as ledger:  # without a recipe the report needs none
        sample = made.make_sample("plain").model_copy(update={"recipe": "", "outcomes": ""})
        AuditBook(ledger).keep(sample, [item.framed for item in made.ITEMS], made.ITEMS)
    row = f"#plain,e001,0,#{made.QUESTIONS.rows['e001', '0'].hash},5,she left {number}\n"
    Path("small.csv").write_text("audit,item,place,hash,listens,note\n" + row)
    run("small.csv", "--rater", "anna")
    assert [one.note for one in stored("plain")] == ["she left [PHONE]"]
    reported = warm.run(folder, {"HOME": str(folder)}, ["audit", "report", "--report", "report", "--json"])
    assert "she left [PHONE]" in reported.stdout
    assert number not in reported.stdout + reported.stderr
    written = [path for path in folder.rglob("*") if path.is_file() and ("judge-ledger" in path.name or "report" in path.parts)]
    assert {"judge-ledger.db", "audit-report.html"} < {path.name for path in written}
    assert not [path.name for path in written if number.encode() in path.read_bytes()]


def all_alike(folder: Path, name: str) -> Path:
    """Return a file in which everything is rated: 24 ratings."""
    said = {(row.item, row.place): (dict.fromkeys(row.criteria, 1.0), "") for row in made.review().rows}
    return filled(folder, said, name)


def test_a_file_that_is_read_under_two_names_is_seen_and_undone(run: Read, folder: Path) -> None:
    path = all_alike(folder, "form.csv")
    assert run(path, "--rater", "anna").stderr == ""
    result = run(path, "--rater", "ben")
    assert result.exit_code == 0
    assert result.stderr == (
        "judge: warning: all 24 ratings that ben and anna both gave are the same: if one file was read under two names, people agree with "
        "themselves in the report; undo it with `judge audit withdraw --rater NAME --audit 2026-11`, NAME being the wrong one of anna and "
        "ben\n"
    )
    (warning,) = json.loads(run(path, "--rater", "ben", "--json").stdout)["warnings"]
    assert warning in result.stderr
    assert warm.run(folder, {}, ["audit", "withdraw", "--rater", "ben", "--audit", "2026-11"]).returncode == 0
    run(filled(folder, ONE | {("e001", "2"): ({"honest": 0}, "")}), "--rater", "ben")
    told = json.loads(run(path, "--rater", "ben", "--json").stdout)
    assert (told["warnings"], {one.rater for one in stored()}) == ([], {"anna", "ben"})


def test_what_is_right_is_stored_and_told(run: Read, folder: Path) -> None:
    result = run(filled(folder), "--rater", "anna")
    assert {(one.item, one.place): (one.ratings, one.note) for one in stored()} == made.SAID
    assert {one.rater for one in stored()} == {"anna"}
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "audit 2026-11, anna",
        "  rows with answers       6",
        "  new                     6",
        "  already known           0",
        "  refused                 0",
        "part 1: of all 3 dialogues, 3 rated by anybody, 0 of them in full",
        "part 2: of the 1 dialogue that is to be rated twice, 0 rated by two people, 0 of them in full by both",
    ]
    assert stored("other") == []


@pytest.mark.parametrize("name", sorted(set(load_forms(EVERY)) - {"html"}))
def test_every_form_is_told_by_what_is_in_it(name: str, run: Read, folder: Path) -> None:
    path = made.fill(name, load_forms(name)[name].write(made.review(), folder), made.SAID).rename(folder / "answers")
    told = json.loads(run(path, "--rater", "anna", "--json").stdout)
    assert (told["files"][0]["form"], told["new"], told["refused"]) == (name, 6, [])


def test_the_labels_file_of_the_page_is_read_too(run: Read, folder: Path) -> None:
    row = made.QUESTIONS.rows["e001", "0"]
    label = {"item": "e001", "place": "0", "hash": row.hash, "ratings": {"listens": 4, "honest": 1}, "note": "hm"}
    data = {"kind": "audit-labels", "audit": "2026-11", "part": 1, "rubric": made.RUBRIC.hash, "labels": [label]}
    (folder / "labels.json").write_text(json.dumps(data))
    told = json.loads(run(folder / "labels.json", "--rater", "anna", "--json").stdout)
    assert (told["files"][0]["form"], told["new"], told["refused"]) == ("html", 1, [])


def test_a_labels_file_with_a_wrong_rating_loses_that_place_only(run: Read, folder: Path) -> None:
    rows = [row for row in made.review().rows if row.place != "episode"]
    wrong: list[object] = ["x", None, True, [4], 10**400]
    ratings = [{"listens": value, "honest": 1} for value in wrong] + [{"listens": 4}]
    labels = [
        {"item": row.item, "place": row.place, "hash": row.hash, "ratings": said, "note": ""}
        for row, said in zip([*rows[:5], rows[5]], ratings, strict=True)
    ]
    (folder / "labels.json").write_text(json.dumps({"kind": "audit-labels", "audit": "2026-11", "labels": labels}))
    told = json.loads(run("labels.json", "--rater", "anna", "--json").stdout)
    assert told["new"] == 1
    expected = "expected a number from 1 to 5, or nothing"
    told_of = [one["what"] for one in told["refused"]]
    assert told_of[:4] == [f"listens is {said}; {expected}" for said in ("'x'", "'null'", "'true'", "'[4]'")]
    assert told_of[4].startswith("listens is '1000")
    assert [one["where"] for one in told["refused"]] == [f"label {at}" for at in range(1, 6)]


def test_a_second_reading_changes_nothing_silently(run: Read, folder: Path) -> None:
    assert counts(run(filled(folder), "--rater", "anna", "--json")) == {"answered": 6, "new": 6}
    before = stored()
    assert counts(run("form.csv", "--rater", "anna", "--json")) == {"answered": 6, "known": 6}
    assert counts(run(filled(folder, {}), "--rater", "anna", "--json")) == {}  # empty answers erase nothing
    result = run(filled(folder, ONE), "--rater", "anna")
    assert (result.exit_code, stored()) == (1, before)
    assert result.stderr == (
        f"refused: {folder}/form.csv: row 2: e001, turn 0: anna said otherwise before: "
        "listens was 4 and is 2 now; if this is another person's file, read it under another --rater; "
        "if it is the same person's, --replace takes what is new\n"
    )
    assert counts(run(filled(folder, ONE), "--rater", "anna", "--replace", "--json")) == {"answered": 1, "replaced": 1}
    assert stored()[0].ratings == {"listens": 2, "honest": 1, "note": 2}  # what was not said anew stays
    with Ledger("judge-ledger.db") as ledger:
        kept = list(AuditBook(ledger)._db.query("select label, superseded_at from audit_labels where item = 'e001' and place = '0'"))
    assert [json.loads(one["label"])["ratings"]["listens"] for one in kept] == [4, 2]
    assert kept[0]["superseded_at"]
    assert not kept[1]["superseded_at"]


def test_files_of_one_command_are_read_one_after_the_other(run: Read, folder: Path) -> None:
    first, second = filled(folder, name="a.csv"), filled(folder, ONE | {("e002", "2"): ({"honest": 1}, "")}, name="b.csv")
    dry = run(first, second, "--rater", "anna", "--dry-run", "--json")
    assert stored() == []
    result = run(first, second, "--rater", "anna", "--json")
    assert json.loads(dry.stdout) | {"dry_run": False} == json.loads(result.stdout)
    assert counts(result) == {"answered": 8, "new": 7, "refused": 1}
    assert [(one["file"][-5:], one["new"], one["refused"]) for one in json.loads(result.stdout)["files"]] == [
        ("a.csv", 6, 0),
        ("b.csv", 1, 1),
    ]
    assert len(stored()) == 7


def test_raters_are_told_apart(run: Read, folder: Path) -> None:
    run(filled(folder), "--rater", "anna")
    told = json.loads(run(filled(folder, ONE, part=2), "--rater", "ben", "--json").stdout)
    assert told["progress"] == [
        {"part": 1, "episodes": 3, "begun": 3, "complete": 0},
        {"part": 2, "episodes": 1, "begun": 1, "complete": 0},
    ]
    assert [(one.rater, one.ratings["listens"]) for one in stored() if (one.item, one.place) == ("e001", "0")] == [("anna", 4), ("ben", 2)]
    # The same person who reads both parts is one rater: a different answer is a conflict.
    assert run(filled(folder, ONE, part=2), "--rater", "anna").exit_code == 1


def test_refused_rows_do_not_keep_others_out(run: Read, folder: Path) -> None:
    said = made.SAID | {("e001", "0"): ({"listens": 9}, "")}
    result = run(filled(folder, said), "--rater", "anna", "--json")
    (refused,) = json.loads(result.stdout)["refused"]
    assert refused == {
        "file": f"{folder}/form.csv",
        "where": "row 2",
        "item": "e001",
        "place": "0",
        "what": "listens is 9; expected a number from 1 to 5, or nothing",
    }
    assert result.exit_code == 1
    assert len(stored()) == 5


def test_at_most_twenty_refused_rows_are_printed(run: Read, folder: Path) -> None:
    row = f"#2026-11,e001,0,#{made.QUESTIONS.rows['e001', '0'].hash},9\n"
    Path("many.csv").write_text("audit,item,place,hash,listens\n" + row * 23)
    result = run("many.csv", "--rater", "anna")
    assert result.stderr.count("refused: many.csv: row ") == 20
    assert result.stderr.endswith("\nand 3 more; --json lists all\n")
    assert len(json.loads(run("many.csv", "--rater", "anna", "--json").stdout)["refused"]) == 23


def test_the_audit_is_the_one_in_the_files(run: Read, folder: Path) -> None:
    filled(folder)
    text = Path("form.csv").read_text(encoding="utf-8-sig")
    Path("form.csv").write_text(text.replace("#2026-11,e001,0", "#other,e001,0"))  # one row is of another audit
    result = run("form.csv", "--rater", "anna", "--json")
    told = json.loads(result.stdout)
    assert (told["audit"], told["new"], len(told["refused"])) == ("2026-11", 5, 1)
    assert "belongs to the audit 'other', expected '2026-11'" in told["refused"][0]["what"]
    told = json.loads(run("form.csv", "--rater", "anna", "--audit", "other", "--json").stdout)
    assert (told["audit"], told["new"], len(told["refused"])) == ("other", 1, 5)


def test_an_audit_that_the_ledger_does_not_hold(run: Read, folder: Path) -> None:
    filled(folder)
    Path("form.csv").write_text(Path("form.csv").read_text(encoding="utf-8-sig").replace("#2026-11", "#2026-12"))
    with pytest.raises(UsageProblem, match=r"no audit '2026-12' in judge-ledger.db \(did you mean '2026-11'\?\)"):
        run("form.csv", "--rater", "anna")


def test_without_answers_there_is_nothing_to_do(run: Read, folder: Path) -> None:
    result = run(filled(folder, {}), "--rater", "anna")
    assert (result.exit_code, result.stdout) == (0, "no answers in 1 file: nobody filled anything in, or nothing was submitted\n")
    assert json.loads(run("form.csv", "--rater", "anna", "--json").stdout)["audit"] is None


@pytest.mark.parametrize("rater", ["anna@example.org", "Anna", "anna b", "", "-", "a" * 33, "änna", "anna\n", "4155552671", "1"])
def test_a_rater_is_a_pseudonym(rater: str, run: Read, folder: Path) -> None:
    with pytest.raises(UsageProblem, match=r"expected a pseudonym such as rater-1, a small letter and .*: labels stay") as problem:
        run(filled(folder), f"--rater={rater}")
    assert repr(rater) in str(problem.value)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["none.csv"], "cannot read none.csv: No such file or directory"),
        (["form.csv", "--ledger", "none.db"], "no ledger none.db: draw an audit with `judge audit draw` first"),
        (["form.csv", "--audit", "2026"], "no audit '2026' in judge-ledger.db"),
        (["form.csv", "text.txt"], "text.txt is a text that begins with 'hello', without our columns; expected a filled-in form"),
    ],
)
def test_what_cannot_be_meant_stores_nothing(args: list[str], told: str, run: Read, folder: Path) -> None:
    filled(folder)
    Path("text.txt").write_text("hello")
    with pytest.raises(UsageProblem) as problem:
        run(*args, "--rater", "anna")
    assert told in str(problem.value)
    assert stored() == []
    assert not Path("none.db").exists()


def test_a_file_is_stored_whole_or_not_at_all(run: Read, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    label = AuditBook.label

    def interrupted(book: AuditBook, name: str, labels: list[AuditLabel], source: str) -> None:
        def half() -> Any:
            yield labels[0]
            raise KeyboardInterrupt

        label(book, name, half() if source.endswith("b.csv") else labels, source)

    monkeypatch.setattr(AuditBook, "label", interrupted)
    said: made.Said = {("e003", "0"): ({"listens": 1}, ""), ("e003", "2"): ({"listens": 1}, "")}
    result = run(filled(folder, ONE, "a.csv"), filled(folder, said, "b.csv"), "--rater", "anna")
    assert result.exit_code == 130
    assert "judge: interrupted; each file is in judge-ledger.db whole or not at all" in result.stderr
    assert [one.item for one in stored()] == ["e001"]
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert counts(run("a.csv", "b.csv", "--rater", "anna", "--json")) == {"answered": 3, "new": 2, "known": 1}


def test_the_command_is_mounted(folder: Path) -> None:
    said = made.SAID | {("e001", "0"): ({"listens": 9}, "")}
    result = warm.run(folder, {}, ["audit", "read", str(filled(folder, said)), "--rater", "anna"])
    assert result.returncode == 1
    assert "  new                     5\n" in result.stdout
    assert "row 2: e001, turn 0: listens is 9; expected a number from 1 to 5, or nothing" in result.stderr
