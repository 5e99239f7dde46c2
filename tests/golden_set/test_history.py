"""The monitor's history: what is written is read back, a broken file is named by line and field, and nothing is lost half-way."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue import UsageProblem
from golden_set.history import Alarm, Anchors, Cause, History, Moved, Night, Reference, Sample, Series, hash_of, load_history, save_history
from judge import JudgeId

DAY = date(2026, 3, 1)
JUDGE = JudgeId(provider="mine", model="m", rubric="calls", rubric_hash="r", prompt_hash="p")
numbers = st.floats(-5, 5)


def series(**more: Any) -> Series:
    return Series(**{"judge": JUDGE, "cases_hash": "h", "cases": ("a", "b"), "begun": DAY} | more)


def night(offset: int = 0, at: int = 0, **more: Any) -> Night:
    anchors = Anchors(judge=JUDGE.key, means={"listens": 3.0}, episodes={"listens": (2.0, None)})
    return Night(**{"series": at, "day": DAY + timedelta(offset), "answered": 1, "failed": 1, "anchors": anchors} | more)


@given(st.lists(st.tuples(numbers, numbers, st.booleans()), max_size=4))
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, said: list[tuple[float, float, bool]]) -> None:
    path = tmp_path_factory.mktemp("h") / "deep" / "calls.jsonl"
    history = History().begin(series(burn_in=0, baseline=Reference(day=DAY, runs=10, episodes={"listens": (1.5, None)})))
    for k, (mean, shift, alarm) in enumerate(said):
        moved = Moved(share=0.5, criteria={"listens": shift}, slices={"band:bad": (shift, None)})
        anchors = Anchors(judge=JUDGE.key, means={"listens": mean}, moved=moved, again=moved if alarm else None)
        stream = {"listens": Sample(mean=mean, variance=abs(shift), dialogues=7)}
        told = Alarm(anchors=True, stream=False, cause=Cause.JUDGE) if alarm else None
        history = history.add(night(k, anchors=anchors, second=anchors, stream=stream, alarm=told))
    save_history(path, history)
    assert load_history(path) == history
    assert not list(path.parent.glob("*.part"))


def test_a_file_holds_several_series_and_each_line_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    other = JUDGE.model_copy(update={"model": "n"})
    history = History().begin(series()).add(night(0)).add(night(1)).begin(series(judge=other)).add(night(2, at=1)).add(night(3))
    save_history(path, history)
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == ["series", "night", "night", "series", "night", "night"]
    found = load_history(path)
    assert found == history
    assert found.find(JUDGE, "h") == 0 and found.find(other, "h") == 1 and found.find(JUDGE, "other cases") is None
    assert [one.day.day for one in found.of(0)] == [1, 2, 4]


def test_no_file_is_no_history(tmp_path: Path) -> None:
    assert load_history(tmp_path / "none.jsonl") is None


HEAD = series().model_dump_json()
FIRST = night().model_dump_json()


def changed(line: str, **more: Any) -> str:
    return json.dumps(json.loads(line) | more)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["{"], ":1: not a line of JSON"),
        ([HEAD, FIRST[:-20]], ":2: not a line of JSON"),
        ([HEAD, "", "<<<<<<< HEAD"], ":3: not a line of JSON"),  # a merge that was not ended
        ([HEAD, FIRST.replace("3.0", "NaN")], ":2: not a line of JSON: NaN"),
        ([HEAD, changed(FIRST, kind="evening")], ":2: not a line of a history: kind"),
        ([HEAD, changed(FIRST, day="yesterday")], ":2: not a line of a history: night.day"),
        ([HEAD, changed(FIRST, mood="fine")], ":2: not a line of a history: night.mood"),
        ([HEAD, changed(FIRST, answered=-1)], ":2: not a line of a history: night.answered"),
        ([HEAD, changed(FIRST, series=1)], ":2: series: 1 has not begun"),
        ([FIRST], ":1: series: 0 has not begun"),
        ([HEAD, FIRST, FIRST], ":3: day: 2026-03-01 comes after 2026-03-01"),
        ([HEAD, FIRST.replace("[2.0,null]", "[2.0]")], ":2: anchors.episodes.listens: 1 values, but the series has 2 cases"),
        ([], " holds no history"),
    ],
)
def test_a_broken_file_is_refused_by_line_and_field(tmp_path: Path, lines: list[str], told: str) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(UsageProblem) as problem:
        load_history(path)
    assert f"{path}{told}" in str(problem.value)
    assert "restore the file" in str(problem.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageProblem, match=r"cannot read the history .*--history"):
        load_history(path)


def test_a_file_that_cannot_be_written_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    save_history(path, History().begin(series()))
    before = path.read_text()
    (tmp_path / "calls.jsonl.part").mkdir()  # the disk refuses in the middle
    with pytest.raises(UsageProblem, match="cannot write"):
        save_history(path, History().begin(series()).add(night()))
    assert path.read_text() == before


def test_the_hash_of_cases_is_of_what_a_judge_is_shown(make_cases: Any, rubric: Any) -> None:
    cases = make_cases(6)
    same = tuple(case.model_copy(update={"tags": ("new",), "why": "better told"}) for case in reversed(cases))
    assert hash_of(same, rubric) == hash_of(cases, rubric)
    turns = (cases[0].turns[0].model_copy(update={"text": "something else"}), *cases[0].turns[1:])
    assert hash_of((cases[0].model_copy(update={"turns": turns}), *cases[1:]), rubric) != hash_of(cases, rubric)
    assert hash_of(cases[:5], rubric) != hash_of(cases, rubric)


def test_a_night_of_the_burn_in_that_is_missing_is_told(tmp_path: Path) -> None:
    history = History().begin(series(burn_in=3))
    for k in range(3):
        history = history.add(night(k))
    moved = Anchors(judge=JUDGE.key, means={"listens": 3.0}, moved=Moved(share=1.0, criteria={"listens": 0.0}))
    history = history.add(night(3, anchors=moved))
    path = tmp_path / "h.jsonl"
    save_history(path, history)
    assert load_history(path) == history
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:2] + lines[3:]))
    with pytest.raises(UsageProblem, match=r"h\.jsonl:4: nights of the burn-in before 2026-03-04 are missing: there are only 2"):
        load_history(path)
