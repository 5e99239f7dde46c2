"""Verdicts: which fit their rubric and transcript, who gave them, and what is not a number."""

from typing import Any

import pytest
from pydantic import ValidationError

from dialogue.transcript import Role, Transcript, Turn
from judge.rubric import Criterion, Rubric, StateCriterion
from judge.verdict import FailureKind, JudgeFailure, JudgeId, Rating, TurnRatings, Verdict, misfit

FIVE = ("1", "2", "3", "4", "5")
RUBRIC = Rubric(
    name="calls",
    about="Calls.",
    turn=(Criterion(name="listens", question="?", levels=FIVE), Criterion(name="honest", question="?", levels=("no", "yes"))),
    episode=(Criterion(name="well", question="?", levels=FIVE),),
    state=StateCriterion(name="hope", question="?", levels=FIVE),
)
CALL = Transcript(
    id="call", turns=tuple(Turn(role=role, text="…") for role in (Role.SYSTEM, Role.AGENT, Role.USER, Role.TOOL, Role.AGENT, Role.USER))
)
JUDGE = JudgeId(provider="p", model="m", rubric="calls", rubric_hash="r", prompt_hash="q")
GOOD = {"listens": 3.0, "honest": 1.0, "hope": 2.5}


def rated(values: dict[str, float]) -> dict[str, Rating]:
    return {name: Rating(value=value, reason="because") for name, value in values.items()}


def verdict(*turns: tuple[int, dict[str, float]], episode: dict[str, float]) -> Verdict:
    return Verdict(judge=JUDGE, turns=tuple(TurnRatings(turn=at, ratings=rated(values)) for at, values in turns), episode=rated(episode))


@pytest.mark.parametrize("value", [1, 5, 2.75])
def test_a_verdict_that_fits(value: float) -> None:
    given = verdict((1, GOOD | {"listens": value}), (4, GOOD | {"honest": 0}), episode={"well": value})
    assert misfit(given, RUBRIC, CALL) is None


@pytest.mark.parametrize(
    ("turns", "episode", "wrong"),
    [
        ([(1, GOOD)], {"well": 3}, "rated turns [1], expected [1, 4]"),
        ([(1, GOOD), (2, GOOD), (4, GOOD)], {"well": 3}, "rated turns [1, 2, 4], expected [1, 4]"),
        ([(1, GOOD), (1, GOOD), (4, GOOD)], {"well": 3}, "rated turns [1, 1, 4], expected [1, 4]"),
        ([(4, GOOD), (1, GOOD)], {"well": 3}, "rated turns [4, 1], expected [1, 4]"),
        ([], {"well": 3}, "rated turns [], expected [1, 4]"),
        (
            [(1, GOOD), (4, {"listens": 3, "honest": 1})],
            {"well": 3},
            "turn 4: rated ['honest', 'listens'], expected ['honest', 'hope', 'listens']",
        ),
        ([(1, GOOD | {"kind": 1}), (4, GOOD)], {"well": 3}, "turn 1: rated ['honest', 'hope', 'kind', 'listens'], expected"),
        ([(1, GOOD), (4, GOOD | {"listens": 0})], {"well": 3}, "turn 4: listens is 0.0, allowed 1 to 5"),
        ([(1, GOOD | {"honest": 1.01}), (4, GOOD)], {"well": 3}, "turn 1: honest is 1.01, allowed 0 to 1"),
        ([(1, GOOD), (4, GOOD | {"hope": 6})], {"well": 3}, "turn 4: hope is 6.0, allowed 1 to 5"),
        ([(1, GOOD), (4, GOOD)], {}, "episode: rated [], expected ['well']"),
        ([(1, GOOD), (4, GOOD)], {"well": 5.5}, "episode: well is 5.5, allowed 1 to 5"),
    ],
)
def test_a_verdict_that_does_not_fit_is_told_why(turns: list[tuple[int, dict[str, float]]], episode: dict[str, float], wrong: str) -> None:
    assert (misfit(verdict(*turns, episode=episode), RUBRIC, CALL) or "").startswith(wrong)


@pytest.mark.parametrize(
    "wrong", [{"value": float("nan")}, {"value": float("inf")}, {"value": None}, {"spread": -0.1}, {"spread": float("nan")}]
)
def test_what_is_not_a_number_is_not_a_rating(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rating.model_validate({"value": 1.0, "reason": "because"} | wrong)


def test_a_failure_has_no_number_to_average() -> None:
    failure = JudgeFailure(judge=JUDGE, kind=FailureKind.MALFORMED, detail="no JSON", raw="hm")
    assert failure.model_dump(exclude={"judge", "usage"}) == {"kind": "malformed", "detail": "no JSON", "raw": "hm"}


@pytest.mark.parametrize("field", JudgeId.model_fields)
def test_whatever_changes_makes_another_judge(field: str) -> None:
    other = JUDGE.model_copy(update={field: "other"})
    assert other.key != JUDGE.key


def test_a_judge_has_a_short_stable_name() -> None:
    again = JudgeId.model_validate_json(JUDGE.model_dump_json())
    assert again.key == JUDGE.key
    assert len(JUDGE.key) == 16
    assert int(JUDGE.key, 16)
    assert str(JUDGE) == "p/m on calls@r"


def test_a_verdict_survives_the_ledger() -> None:
    given = verdict((1, GOOD), (4, GOOD), episode={"well": 3})
    assert Verdict.model_validate_json(given.model_dump_json()) == given
