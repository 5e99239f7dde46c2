"""Ratings as numbers: runs by items, what is missing never read, the handling of whole dialogues as `judge score` has it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from golden_set.case import GoldenCase
from golden_set.sheet import Sheet, by_episode, common, handled, handling_of, labels_as_marks, marks_of
from judge import Rubric
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict

Make = Callable[..., tuple[GoldenCase, ...]]


def marks(listens: list[float], well: float) -> dict[str, dict[str, float]]:
    """Return a verdict in numbers on a case with so many agent turns (every second turn)."""
    return {str(2 * k): {"listens": value, "honest": 1} for k, value in enumerate(listens)} | {"episode": {"well": well}}


def test_a_verdict_becomes_its_numbers_by_place() -> None:
    judge = JudgeId(provider="p", model="m", rubric="calls", rubric_hash="r", prompt_hash="h")
    turn = TurnRatings(turn=2, ratings={"listens": Rating(value=4, reason="r"), "honest": Rating(value=1, reason="r")})
    verdict = Verdict(judge=judge, turns=(turn,), episode={"well": Rating(value=3.5, reason="r")})
    assert marks_of(verdict) == {"2": {"listens": 4, "honest": 1}, "episode": {"well": 3.5}}


def test_a_column_is_runs_by_items_and_a_failed_run_counts_nowhere(make_cases: Make, rubric: Rubric) -> None:
    cases = make_cases(3, rounds=2)
    sheet = Sheet()
    sheet.add("c000", marks([1, 2], 3))
    sheet.add("c000", marks([3, 5], 4))
    sheet.add("c002", marks([4, 4], 5))
    column = sheet.column(rubric.turn[0], cases, episode=False)
    assert sheet.runs == 2
    assert column.cases == ("c000", "c002")  # nobody rated c001
    assert column.places == (("c000", "0"), ("c000", "2"), ("c002", "0"), ("c002", "2"))
    assert column.episode.tolist() == [0, 0, 1, 1]
    assert column.rated.tolist() == [[True, True, True, True], [True, True, False, False]]
    assert column.values[0].tolist() == [1, 2, 4, 4]
    assert column.mean.tolist() == [2, 3.5, 4, 4]  # (1 + 3) / 2, (2 + 5) / 2, and the only run of c002
    assert column.human.tolist() == [cases[at].turns[turn].labels["listens"][0] for at in (0, 2) for turn in (0, 2)]
    whole = sheet.columns(rubric, cases)
    assert list(whole) == ["listens", "honest", "well (episode)"]
    assert whole["well (episode)"].mean.tolist() == [3.5, 5]
    assert by_episode(column.mean, column.episode, 2).tolist() == [2.75, 4]


def test_handling_by_hand(rubric: Rubric, make_cases: Make) -> None:
    # On [-1, 1]: listens 4 is 0.5, 2 is -0.5; honest 1 is 1. Turns: (0.5 + 1) / 2 = 0.75 and (-0.5 + 1) / 2 = 0.25, mean 0.5.
    # The episode: well 3 is 0. Together (0.5 + 0) / 2 = 0.25.
    assert handled(marks([4, 2], 3), rubric) == pytest.approx(0.25)
    sheet = Sheet({"c000": [marks([4, 2], 3), marks([4, 2], 5)]})
    assert handling_of(sheet, "c000", rubric) == pytest.approx((0.25 + 0.75) / 2)
    (case,) = make_cases(1, rounds=1, violations=1)
    labels: Any = labels_as_marks(case)
    assert labels == {"0": {"listens": case.turns[0].labels["listens"][0], "honest": 0}, "episode": {"well": 2}}


def test_common_are_the_cases_that_every_sheet_rates(make_cases: Make) -> None:
    cases = make_cases(3)
    one, two = Sheet({"c000": [{}], "c001": [{}]}), Sheet({"c001": [{}], "c002": [{}], "c000": []})
    assert [case.id for case in common(cases, one, two)] == ["c001"]
    assert [case.id for case in common(cases)] == ["c000", "c001", "c002"]


def test_by_episode_takes_items_in_any_order() -> None:
    assert by_episode(np.array([1.0, 5.0, 3.0, 2.0]), np.array([0, 1, 0, 1]), 2).tolist() == [2.0, 3.5]
