"""Golden cases: what a line may hold, what is refused and in which words, what a judge is shown, slices and pairs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialogue.errors import UsageProblem
from golden_set.case import EPISODE, GoldenCase, agreed, load_cases
from judge import Rubric

Json = dict[str, Any]


def line(**changes: Any) -> Json:
    """Return a good case of the rubric `calls`; keyword arguments change it, None leaves a key out."""
    case = {
        "id": "one",
        "rubric": "calls",
        "turns": [
            {"role": "agent", "text": "Hello.", "labels": {"listens": 3, "honest": 1}},
            {"role": "user", "text": f"Hi, it's {changes.get('id', 'one')}."},  # every dialogue its own
            {"role": "agent", "text": "Pay.", "labels": {"listens": [2], "honest": [0]}},
        ],
        "outcome": "HANGUP",
        "labels": {"well": 2},
        "labelled_by": ["me"],
    } | changes
    return {key: value for key, value in case.items() if value is not None}


def write(path: Path, *cases: Json | str) -> Path:
    path.write_text("\n".join(case if isinstance(case, str) else json.dumps(case) for case in cases) + "\n")
    return path


def agent(**labels: Any) -> Json:
    return {"role": "agent", "text": "Hello.", "labels": labels}


def test_a_case_is_read_and_a_judge_is_shown_words_and_ending_only(tmp_path: Path, rubric: Rubric) -> None:
    (case,) = load_cases(write(tmp_path / "cases.jsonl", line(why="he threatens", tags=["threat"], persona="angry")), rubric)
    assert case.places == {
        "0": {"listens": (3,), "honest": (1,)},
        "2": {"listens": (2,), "honest": (0,)},
        EPISODE: {"well": (2,)},
    }
    shown = case.transcript.model_dump_json()
    assert [turn.text for turn in case.transcript.turns] == ["Hello.", "Hi, it's one.", "Pay."]
    assert (case.transcript.id, case.transcript.outcome) == ("one", "HANGUP")
    assert not [word for word in ("listens", "threat", "angry", "labelled") if word in shown]


def test_labels_of_several_people_are_their_mean_without_those_who_said_nothing(tmp_path: Path, rubric: Rubric) -> None:
    turns = [agent(listens=[4, None, 3], honest=[1, 1, 0])]
    (case,) = load_cases(write(tmp_path / "c.jsonl", line(turns=turns, labels={"well": [None, 5, 4]}, labelled_by=["a", "b", "c"])), rubric)
    assert {name: agreed(values) for name, values in case.places["0"].items()} == {"listens": 3.5, "honest": pytest.approx(2 / 3)}
    assert agreed(case.labels["well"]) == 4.5


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("{nonsense", "not a line of JSON: "),
        ("\ufeff{}", "not a line of JSON: "),
        ("3", "not a golden case: "),
        (line(id=None), "not a golden case: id: Field required; allowed keys: id, rubric, turns, outcome, labels"),
        (line(id=""), "not a golden case: id…: String should have at least 1"),
        (line(turns=[]), "not a golden case: turns…: "),
        (
            line(turns=[{"role": "robot", "text": "x"}]),
            "not a golden case: turns.0.role…: Input should be 'user', 'agent', 'system' or 'tool'",
        ),
        (line(turns=[{"role": "agent", "text": 3}]), "not a golden case: turns.0.text…: "),
        (line(colour="red"), "not a golden case: colour…: Extra"),
        (line(band="best"), "not a golden case: band…: Input should be 'bad', 'poor', 'fair' or 'good'"),
        (line(tolerance=-1), "not a golden case: tolerance…: "),
        ('{"tolerance": NaN}', "not a golden case: "),
        (line(labelled_by=[]), "not a golden case: labelled_by…: "),
        (line(labels={"well": "four"}), "not a golden case: labels.well.0"),
        (line(labels={"well": True}), "not a golden case: labels.well.0"),
        (line(turns=[{"role": "user", "text": "Hi."}]), "case 'one': no agent turn to rate"),
        (
            line(turns=[agent(listens=3, honest=1), {"role": "user", "text": "x", "labels": {"listens": 3}}]),
            "case 'one': turn 1 is the user's and has labels; only the agent's turns are rated",
        ),
        (line(labels={}), "case 'one': the episode has labels for nothing; expected well"),
        (line(turns=[agent(listens=3)]), "case 'one': turn 0 has labels for listens; expected honest, listens"),
        (line(turns=[agent(listens=3, honest=1, kind=2)]), "turn 0 has labels for honest, kind, listens; expected honest, listens"),
        (line(labels={"well": [3, 4]}), "case 'one': the episode: well has 2 labels, but labelled_by names 1"),
        (line(labels={"well": [None]}), "case 'one': the episode: nobody labelled well"),
        (line(labels={"well": 6}), "case 'one': the episode: well is labelled 6, allowed 1 to 5"),
        (line(turns=[agent(listens=0, honest=1)]), "case 'one': turn 0: listens is labelled 0, allowed 1 to 5"),
        (line(turns=[agent(listens=3, honest=2)]), "case 'one': turn 0: honest is labelled 2, allowed 0 to 1"),
        (json.dumps(line()).replace('"well": 2', '"well": NaN'), "case 'one': the episode: well is labelled nan, allowed 1 to 5"),
        (line(id="other"), "the id 'other' is used twice; every case needs its own"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, rubric: Rubric, case: Json | str, says: str) -> None:
    path = write(tmp_path / "cases.jsonl", line(id="other"), "", case)
    with pytest.raises(UsageProblem) as told:
        load_cases(path, rubric)
    assert str(told.value).startswith(f"{path}:3: "), told.value
    rest = str(told.value)
    for part in says.split("…"):
        assert part in rest, rest
        rest = rest.split(part, 1)[1]
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("changes", "value"),
    [({"tolerance": -0.375}, "-0.375"), ({"band": "best"}, "best"), ({"labels": {"well": "four"}}, "four")],
)
def test_a_refused_value_is_shown(tmp_path: Path, rubric: Rubric, changes: Json, value: str) -> None:
    with pytest.raises(UsageProblem) as told:
        load_cases(write(tmp_path / "c.jsonl", line(**changes)), rubric)
    assert value in str(told.value)


def test_a_folder_is_all_its_files_in_order_and_other_rubrics_are_left_out(tmp_path: Path, rubric: Rubric) -> None:
    write(tmp_path / "b.jsonl", line(id="3"))
    write(tmp_path / "a.jsonl", line(id="1"), line(id="x", rubric="other", labels={"anything": 9}), line(id="2"))
    write(tmp_path / "notes.txt", "no case")
    assert [case.id for case in load_cases(tmp_path, rubric)] == ["1", "2", "3"]
    write(tmp_path / "c.jsonl", line(id="1"))
    with pytest.raises(UsageProblem, match=r"c\.jsonl:1: the id '1' is used twice"):
        load_cases(tmp_path, rubric)


def test_nothing_to_read_says_so(tmp_path: Path, rubric: Rubric) -> None:
    with pytest.raises(UsageProblem, match=r"no golden cases in .*: expected \*\.jsonl files there; name a file or folder with --cases"):
        load_cases(tmp_path, rubric)
    with pytest.raises(UsageProblem, match=r"cannot read the golden cases .*nowhere\.jsonl"):
        load_cases(tmp_path / "nowhere.jsonl", rubric)
    (tmp_path / "latin.jsonl").write_bytes(b"\xe9\n")
    with pytest.raises(UsageProblem, match=r"cannot read the golden cases .*latin\.jsonl"):
        load_cases(tmp_path / "latin.jsonl", rubric)
    path = write(tmp_path / "calls.jsonl", line(rubric="cals", labels={}))
    with pytest.raises(UsageProblem, match=r"about the rubric 'calls' \(did you mean 'cals'\?\); there are cases about cals"):
        load_cases(path, rubric)
    with pytest.raises(UsageProblem, match="has no golden case"):
        load_cases(write(tmp_path / "empty.jsonl"), rubric)


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ([], r"the contrast pair 'p' has 1 case\(s\) \(one\); expected two"),
        ([{"id": "two"}, {"id": "three"}], r"has 3 case\(s\) \(one, two, three\); expected two"),
        ([{"id": "two", "outcome": "PAID"}], r"the cases of the contrast pair 'p' \(one, two\) end differently"),
    ],
)
def test_a_contrast_pair_is_two_cases_with_the_same_ending(tmp_path: Path, rubric: Rubric, others: list[Json], says: str) -> None:
    write(tmp_path / "c.jsonl", line(pair="p"), *(line(pair="p", **other) for other in others))
    with pytest.raises(UsageProblem, match=says):
        load_cases(tmp_path, rubric)
    write(tmp_path / "c.jsonl", line(pair="p"), line(pair="p", id="two"), line(id="three"))
    assert [case.pair for case in load_cases(tmp_path, rubric)] == ["p", "p", None]


@pytest.mark.parametrize(("turns", "length"), [(1, "short"), (4, "short"), (5, "medium"), (6, "medium"), (7, "long")])
def test_slices_are_by_what_is_known_of_a_case(turns: int, length: str) -> None:
    case = GoldenCase.model_validate(line(turns=[agent(listens=3, honest=1)] * turns, outcome=None, band="poor", tags=["a", "b"]))
    assert case.slices == ("band:poor", "outcome:none", f"length:{length}", "tag:a", "tag:b")
    assert "persona:calm" in case.model_copy(update={"persona": "calm"}).slices


def test_cases_of_the_fixtures_are_cases_that_load(tmp_path: Path, rubric: Rubric, make_cases: Callable[..., Any]) -> None:
    made = make_cases(10, pairs=2)
    write(tmp_path / "c.jsonl", *(case.model_dump_json() for case in made))
    assert load_cases(tmp_path, rubric) == made


def test_a_dialogue_that_stands_there_twice_is_refused(tmp_path: Path, rubric: Rubric) -> None:
    with pytest.raises(UsageProblem, match=r"c\.jsonl:2: 'two' is the same dialogue as 'one'; it would count as evidence twice"):
        load_cases(write(tmp_path / "c.jsonl", line(), line() | {"id": "two"}), rubric)
