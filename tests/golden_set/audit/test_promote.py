"""`judge audit promote` writes the worst disagreements as golden cases that load, and says that people decide whether they count."""

import json
from collections.abc import Iterable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from dialogue.transcript import Transcript
from golden_set.audit.book import AuditBook
from golden_set.audit.promote import line, make_promotion
from golden_set.audit.sample import AuditItem, AuditLabel, criteria_of
from golden_set.case import GoldenCase, load_cases
from judge.ledger import Ledger
from tests import warm
from tests.golden_set.audit.made_audit import RUBRIC, Audit, Told, label, make_audit


def disputed(*, masked: bool = True) -> tuple[Audit, list[AuditLabel]]:
    """Five dialogues of one agent turn: e001 off by 1 of 4, e002 by 3 of 4, e003 right, e004 (no `well`) by 4 of 4, e005 hunted, a lie."""
    log = [Told(turns=((listens, 1),), well=3) for listens in (3, 4, 3, 5, 3)]
    audit = make_audit(log, [0, 1, 2, 3], {4: "praised, and hung up on"}, twice=[1], masked=masked)
    labels = [
        *label("e001", "r1", [(4, 1)], 3),
        *label("e002", "r1", [(1, 1)], 3, note="talks past her; call 0171-4455667"),
        *label("e002", "r2", [(1, 1)]),
        *label("e003", "r1", [(3, 1)], 3),
        *label("e004", "r1", [(1, 1)]),
        *label("e005", "r1", [(3, 0)], 3),
    ]
    return audit, labels


def loaded(cases: Iterable[GoldenCase], folder: Path) -> tuple[GoldenCase, ...]:
    path = folder / "cases.jsonl"
    path.write_text("".join(line(case) for case in cases), encoding="utf-8")
    return load_cases(path, RUBRIC)


def test_the_worst_become_cases_that_load(tmp_path: Path) -> None:
    audit, labels = disputed()
    found = make_promotion(audit.evidence(labels), count=10, least=0.25)
    assert list(found.cases) == ["e005", "e002", "e001"]  # all of the scale, three quarters, one; e003 does not differ
    assert found.incomplete == {"e004": 1}
    assert loaded(found.cases.values(), tmp_path) == tuple(found.cases.values())
    case = found.cases["e002"]
    assert (case.id, case.tags, case.labelled_by, case.band, case.outcome) == (
        "audit-2026-11-e002",
        ("audit",),
        ("r1", "r2"),
        None,
        "HANGUP",
    )
    assert case.turns[0].labels == {"listens": (1, 1), "honest": (1, 1)}
    assert case.labels == {"well": (3, None)}  # r2 said nothing of the whole
    assert case.transcript.content_hash(with_outcome=True) == audit.items[1].shown.content_hash(with_outcome=True)
    assert found.cases["e005"].tags == ("audit", "hunt")


def test_why_says_what_the_judge_said_against_people() -> None:
    """Notes are masked as texts are, since the audit is; of an audit with --no-mask they stay."""
    audit, labels = disputed()
    found = make_promotion(audit.evidence(labels), count=10, least=0.25)
    told = "At turn 0, listens: the judge said 4 (“listening of 1”); people said r1 1 (“talks past her; call [{}]”), r2 1."
    assert found.cases["e002"].why in (told.format("PHONE"), told.format("NUMBER"))
    assert found.cases["e005"].why.startswith("Hunted: praised, and hung up on. At turn 0, honest: the judge said 1")
    open_audit, labels = disputed(masked=False)
    assert "0171-4455667" in make_promotion(open_audit.evidence(labels), count=10, least=0.25).cases["e002"].why


@pytest.mark.parametrize(
    ("count", "least", "expected"),
    [
        (1, 0.25, ["e005"]),
        (2, 0.25, ["e005", "e002"]),
        (10, 0.5, ["e005", "e002"]),
        (10, 1.0, ["e005"]),
        (10, 0.0, ["e005", "e002", "e001"]),
    ],
)
def test_so_many_and_so_bad(count: int, least: float, expected: list[str]) -> None:
    audit, labels = disputed()
    assert list(make_promotion(audit.evidence(labels), count=count, least=least).cases) == expected


def test_chosen_by_hand_whatever_they_differ_by() -> None:
    audit, labels = disputed()
    found = make_promotion(audit.evidence(labels), count=1, least=0.9, chosen=["e003", "e001", "e004", "e003"])
    assert list(found.cases) == ["e003", "e001"]
    assert found.incomplete == {"e004": 1}
    assert found.cases["e003"].why == "Chosen by hand: judge and people say the same."


def test_what_reads_as_a_golden_case_is_left_out() -> None:
    audit, labels = disputed()
    first = make_promotion(audit.evidence(labels), count=10, least=0.25).cases
    other_id = first["e005"].model_copy(update={"id": "gold-7"})
    other_text = first["e001"].model_copy(update={"turns": first["e005"].turns})
    found = make_promotion(audit.evidence(labels), [other_id], count=10, least=0.25)
    assert (list(found.cases), found.known) == (["e002", "e001"], {"e005": "gold-7"})
    found = make_promotion(audit.evidence(labels), [other_text], count=10, least=0.25)
    assert found.known == {"e005": "audit-2026-11-e001", "e001": "audit-2026-11-e001"}  # by its text, and by its id


def test_two_dialogues_that_read_the_same_once_masked_are_one_case() -> None:
    audit, labels = disputed()
    same = audit.items[1].shown.turns
    items = [item if item.item != "e005" else replaced(item, same) for item in audit.items]
    found = make_promotion(Audit(audit.sample, audit.frame, items).evidence(labels), count=10, least=0.25)
    assert list(found.cases) == ["e005", "e001"]
    assert found.known == {"e002": "audit-2026-11-e005"}


def replaced(item: AuditItem, turns: tuple[object, ...]) -> AuditItem:
    shown = Transcript.model_validate(item.shown.model_dump() | {"turns": turns})
    return item.model_copy(update={"shown": shown})


def test_a_rating_between_levels_and_a_number_for_an_outcome(tmp_path: Path) -> None:
    audit = make_audit([Told(turns=((5, 1),), well=3)], [0])
    item = audit.items[0]
    items = [item.model_copy(update={"shown": item.shown.model_copy(update={"outcome": 0.5})})]
    evidence = Audit(audit.sample, audit.frame, items).evidence(label("e001", "r1", [(2.5, 1)], 3))
    (case,) = loaded(make_promotion(evidence, count=1, least=0.25).cases.values(), tmp_path)
    assert (case.turns[0].labels["listens"], case.outcome) == ((2.5,), "0.5")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    audit, labels = disputed()
    audit.keep(tmp_path / "judge-ledger.db", labels)
    return tmp_path


def run(folder: Path, *args: str | Path) -> CompletedProcess[str]:
    return warm.run(folder, {"HOME": str(folder)}, ["audit", "promote", *map(str, args)])


def test_the_command_writes_a_file_for_review_and_never_over_another(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 0, done.stderr
    path = folder / "audit/2026-11/promoted.jsonl"
    assert [case.id for case in load_cases(path, RUBRIC)] == [f"audit-2026-11-e00{k}" for k in (5, 2, 1)]
    assert "audit-2026-11-e005: turn 0, honest: judge 1, people 0, hunted" in done.stdout
    assert "They count only once people have read them and committed them" in done.stdout
    assert "e004 (1 missing)" in done.stderr
    path.write_text("by hand\n", encoding="utf-8")
    again = run(folder)
    assert (again.returncode, path.read_text(encoding="utf-8")) == (2, "by hand\n")
    assert "--replace" in again.stderr
    assert run(folder, "--replace", "--n", "1").returncode == 0
    assert len(load_cases(path, RUBRIC)) == 1


def test_golden_check_runs_on_the_file(root: Path, tmp_path: Path) -> None:
    """From transcripts to golden cases and a check on them, with the embedded judge and a person who is always one level stricter."""

    def judge(*args: str | Path) -> CompletedProcess[str]:
        return warm.run(tmp_path, {"HOME": str(tmp_path)}, [*map(str, args)])

    log = root / "examples/collections.jsonl"
    for command in (("score", log), ("audit", "draw", log, "--n", "8", "--seed", "1", "--hunt", "0", "--name", "try", "--forms", "csv")):
        done = judge(*command)
        assert done.returncode == 0, done.stderr
    with Ledger(tmp_path / "judge-ledger.db") as ledger:
        book = AuditBook(ledger)
        rubric = book.sample().rubric
        labels = [
            AuditLabel(
                item=item.item,
                place=place,
                rater="strict",
                ratings={one.name: max(one.scale.low, round(item.judged(place)[one.name].value) - 1) for one in criteria_of(rubric, place)},
            )
            for item in book.items("try").values()
            for place in item.places
        ]
        book.label("try", labels, "by hand")
    assert judge("audit", "promote", "--n", "5").returncode == 0
    cases = tmp_path / "audit/try/promoted.jsonl"
    assert [case.labelled_by for case in load_cases(cases, rubric)] == [("strict",)] * 5
    done = judge("golden", "check", "--cases", cases, "--json")
    assert done.returncode in (1, 3), done.stderr  # compliance is 0 throughout, by this person: the judge finds few of them
    assert json.loads(done.stdout)["cases"] == 5


def test_by_hand_and_as_json(folder: Path) -> None:
    done = run(folder, "--item", "e003", "--item", "e004", "--out", "new.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "kind": "audit-promotion",
        "audit": "2026-11",
        "file": "new.jsonl",
        "cases": [{"item": "e003", "id": "audit-2026-11-e003", "apart": 0.0, "criterion": None}],
        "incomplete": {"e004": 1},
        "known": {},
    }


def test_what_is_committed_already_is_not_promoted_again(folder: Path) -> None:
    assert run(folder, "--out", "golden/audit.jsonl").returncode == 0
    done = run(folder, "--cases", "golden", "--out", "more.jsonl")
    assert done.returncode == 1
    assert "nothing to promote" in done.stdout
    assert "e002 (reads as audit-2026-11-e002)" in done.stderr
    assert not (folder / "more.jsonl").exists()


@pytest.mark.parametrize(
    ("args", "status", "told"),
    [
        (("--item", "e07"), 2, "--item is 'e07'"),
        (("--audit", "2026-1"), 2, "did you mean '2026-11'?"),
        (("--out", "audit.d"), 2, "it is a folder"),
        (("--ledger", "other.db"), 2, "no ledger other.db"),
        (("--cases", "nowhere"), 2, "nowhere"),
        (("--least", "2"), 2, "--least"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, args: tuple[str, ...], status: int, told: str) -> None:
    (folder / "audit.d").mkdir()
    done = run(folder, *args)
    assert (done.returncode, told in done.stderr) == (status, True), done.stderr
    assert not (folder / "other.db").exists()


def test_without_a_label_it_says_what_to_do(tmp_path: Path) -> None:
    disputed()[0].keep(tmp_path / "judge-ledger.db")
    done = run(tmp_path)
    assert done.returncode == 1
    assert "judge audit read FILE --rater NAME" in done.stderr


def test_personal_data_that_was_not_masked_is_pointed_out(tmp_path: Path) -> None:
    audit, labels = disputed(masked=False)
    audit.keep(tmp_path / "judge-ledger.db", labels)
    done = run(tmp_path, "--n", "2")
    assert done.returncode == 0
    assert "personal data seems to stand in e002: the audit was drawn with --no-mask" in done.stderr
