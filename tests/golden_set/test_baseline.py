"""The accepted baseline: the file gives back every rating, one line a case; which file is taken, and what is refused."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from golden_set import baseline as module
from golden_set.baseline import FOLDER, Baseline, dump, load_baseline, make_baseline, place_of
from golden_set.case import GoldenCase
from golden_set.sheet import Sheet
from judge import JudgeId, Rubric
from judge.rubric import Criterion

Make = Callable[..., tuple[GoldenCase, ...]]
DAY = date(2026, 3, 1)
MINE = JudgeId(provider="mine", model="m", rubric="calls", rubric_hash="r", prompt_hash="h")
LOCAL = MINE.model_copy(update={"provider": "local"})


def sheet_of(cases: tuple[GoldenCase, ...], value: Callable[[int, int], float], runs: int = 3) -> Sheet:
    """Return a sheet in which item k of run r is rated `value(k, r)`, honestly."""
    sheet, at = Sheet(), 0
    for case in cases:
        places = [place for place in case.places if place != "episode"]
        for run in range(runs):
            marks: dict[str, dict[str, float]] = {p: {"listens": value(at + k, run), "honest": 1} for k, p in enumerate(places)}
            sheet.add(case.id, marks | {"episode": {"well": value(at, run)}})
        at += len(places)
    return sheet


def made(cases: tuple[GoldenCase, ...], rubric: Rubric, judge: JudgeId = MINE, **how: Any) -> Baseline:
    return make_baseline(judge, sheet_of(cases, lambda k, run: 1 + (k + run) % 5, **how), cases, rubric, day=DAY, by="me", note="why")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project as the working folder, and an empty folder of shipped baselines."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "shipped_baselines", lambda: tmp_path / "shipped")
    (tmp_path / "shipped").mkdir()
    return tmp_path


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # they are pure functions
@given(values=st.lists(st.floats(1, 5) | st.integers(1, 5), min_size=1, max_size=9), runs=st.integers(1, 12))
def test_a_file_gives_back_every_rating(make_cases: Make, rubric: Rubric, values: list[float], runs: int) -> None:
    cases = make_cases(4, rounds=2)
    sheet = sheet_of(cases, lambda k, run: values[(k + run * (k % 2)) % len(values)], runs)
    text = dump(make_baseline(MINE, sheet, cases, rubric, day=DAY, by='é "quoted"', note="a\nb"))
    read = Baseline.model_validate_json(text)
    assert read.sheet(cases, rubric) == sheet
    assert (read.judge, read.runs, read.accepted_on, read.accepted_by, read.note) == (MINE, runs, DAY, 'é "quoted"', "a\nb")
    assert dump(read) == text


def test_a_file_has_one_line_a_case_so_that_a_diff_shows_which_changed(make_cases: Make, rubric: Rubric) -> None:
    cases = make_cases(6)
    one = sheet_of(cases, lambda k, run: 3)
    two = sheet_of(cases, lambda k, run: 3)
    two.marks["c002"][1]["2"]["listens"] = 4
    texts = [dump(make_baseline(MINE, sheet, cases, rubric, day=DAY, by="me", note="")).splitlines() for sheet in (one, two)]
    changed = [new for old, new in zip(*texts, strict=True) if old != new]
    assert [line.split(":")[0].strip() for line in changed] == ['"c002"']
    assert '"listens":[3,4,3]' in changed[0] and '"listens":3,' in changed[0]  # what does not vary is one number


def test_cases_whose_words_changed_are_not_compared(make_cases: Make, rubric: Rubric) -> None:
    cases = make_cases(4)
    baseline = made(cases, rubric)
    turns = (cases[1].turns[0].model_copy(update={"text": "other words"}), *cases[1].turns[1:])
    relabelled = cases[2].model_copy(update={"labels": {"well": (5,)}, "outcome": "ESCALATED", "tags": ("new",)})
    now = (cases[0], cases[1].model_copy(update={"turns": turns}), relabelled, make_cases(9)[8])
    assert list(baseline.sheet(now, rubric).marks) == ["c000", "c002"]  # labels and tags are not what a judge is shown
    sighted = rubric.model_copy(update={"sees_outcome": True})
    assert list(made(cases, sighted).sheet(now, sighted).marks) == ["c000"]  # and the ending only if it sees it


@pytest.mark.parametrize("levels", [("1", "2", "3"), ("1", "2", "3", "4", "5", "6", "7")])
def test_ratings_on_another_scale_are_not_compared(make_cases: Make, rubric: Rubric, levels: tuple[str, ...]) -> None:
    cases = make_cases(4)
    other = rubric.model_copy(update={"turn": (Criterion(name="listens", question="?", levels=levels), rubric.turn[1])})
    assert made(cases, rubric).sheet(cases, rubric).marks
    assert not made(cases, rubric).sheet(cases, other).marks


def test_which_file_is_taken(project: Path, make_cases: Make, rubric: Rubric) -> None:
    assert [place_of(name, MINE) for name in (None, "mine", "x/mine.json", "mine.json")] == [
        FOLDER / f"calls.{MINE.provider}.json",
        FOLDER / "mine.json",
        Path("x/mine.json"),
        Path("mine.json"),
    ]
    cases = make_cases(4)
    assert load_baseline(None, rubric, MINE) is None
    FOLDER.mkdir(parents=True)
    (FOLDER / f"calls.{MINE.provider}.json").write_text(dump(made(cases, rubric)))
    (FOLDER / "mine.json").write_text(dump(made(cases[:2], rubric)))
    found = load_baseline(None, rubric, MINE), load_baseline("mine", rubric, MINE), load_baseline(f"{FOLDER}/mine.json", rubric, MINE)
    assert [len(one.cases) for one in found if one] == [4, 2, 2]


def test_what_ships_is_for_the_embedded_judge_only_and_only_where_nothing_was_accepted(
    project: Path, make_cases: Make, rubric: Rubric
) -> None:
    cases = make_cases(4)
    (project / "shipped/calls.local.json").write_text(dump(made(cases, rubric, LOCAL)))
    found = load_baseline(None, rubric, LOCAL)
    assert found and len(found.cases) == 4
    assert load_baseline(None, rubric, MINE) is None
    with pytest.raises(UsageProblem):
        load_baseline("calls.local", rubric, LOCAL)  # what is named must be there
    FOLDER.mkdir(parents=True)
    (FOLDER / "calls.local.json").write_text(dump(made(cases[:1], rubric, LOCAL)))
    found = load_baseline(None, rubric, LOCAL)
    assert found and len(found.cases) == 1


def test_what_is_refused(project: Path, make_cases: Make, rubric: Rubric) -> None:
    with pytest.raises(
        UsageProblem, match=r"no baseline golden_set/baselines/mine\.json; there are none in golden_set/baselines; make one"
    ):
        load_baseline("mine", rubric, MINE)
    FOLDER.mkdir(parents=True)
    (FOLDER / "calls.json").write_text(dump(made(make_cases(2), rubric)))
    with pytest.raises(UsageProblem, match=r"no baseline golden_set/baselines/mine\.json; there are calls in golden_set/baselines"):
        load_baseline("mine", rubric, MINE)
    other = rubric.model_copy(update={"name": "sales"})
    with pytest.raises(UsageProblem, match=r"is a baseline for the rubric 'calls', not for 'sales'; name another with --baseline"):
        load_baseline("calls", other, MINE)
    good = json.loads((FOLDER / "calls.json").read_text())
    for text in ("", "{", "[]", json.dumps(good | {"cases": 3}), json.dumps(good | {"more": 1}), json.dumps(good | {"runs": "many"})):
        (FOLDER / f"calls.{MINE.provider}.json").write_text(text)
        with pytest.raises(UsageProblem, match=r"calls\.\w+\.json is no baseline: .*; make one with `judge golden accept`"):
            load_baseline(None, rubric, MINE)
