"""Decisions by bounds, against arithmetic by hand and against scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from golden_set.attacks.length import correlation
from golden_set.attacks.mutation import Compared, Direction
from golden_set.attacks.relation import below, decided, level, succeeded
from golden_set.decision import Decision
from golden_set.equivalence import shift
from judge.rubric import load_rubric
from judge.verdict import Rating

SAME, GAIN, DROP, LOW = Direction.SAME, Direction.NO_GAIN, Direction.DROP, Direction.LOW
PASS, FAIL, UNDECIDED = Decision.PASS, Decision.FAIL, Decision.UNDECIDED


# The values m - 0.1, m - 0.1, m + 0.1, m + 0.1 have the standard deviation 0.1 * sqrt(4 / 3) = 0.1155 and the standard error 0.0577;
# with t(0.95; 3) = 2.353 the bounds are m - 0.136 and m + 0.136.
@pytest.mark.parametrize(
    ("direction", "mean", "expected"),
    [
        (SAME, 0.0, PASS),
        (SAME, 0.013, PASS),  # 0.149
        (SAME, 0.016, UNDECIDED),  # 0.152
        (SAME, -0.29, FAIL),  # at most -0.154
        (GAIN, -0.5, PASS),
        (GAIN, -0.037, PASS),  # 0.099
        (GAIN, -0.035, UNDECIDED),  # 0.101
        (GAIN, 0.237, FAIL),  # at least 0.101
        (GAIN, 0.235, UNDECIDED),
        (DROP, -0.64, PASS),  # at most -0.504
        (DROP, -0.63, UNDECIDED),
        (DROP, -0.36, FAIL),  # at least -0.496
        (LOW, 2.36, PASS),  # of turns: at most 2.496
        (LOW, 2.37, UNDECIDED),
        (LOW, 2.64, FAIL),
    ],
)
def test_relations_are_decided_by_their_bounds(direction: Direction, mean: float, expected: Decision) -> None:
    assert decided(direction, shift(mean + np.array([-0.1, -0.1, 0.1, 0.1])), Compared.TURNS) is expected


def test_one_dialogue_decides_nothing() -> None:
    assert all(decided(direction, shift(np.array([-3.0])), Compared.TURNS) is UNDECIDED for direction in Direction)


@pytest.mark.parametrize(
    ("direction", "value", "expected"),
    [(SAME, -0.2, True), (SAME, 0.1, False), (GAIN, 0.11, True), (GAIN, -1, False), (DROP, -0.4, True), (DROP, -0.6, False)],
)
def test_a_single_attack_succeeds_beyond_the_same_limits(direction: Direction, value: float, expected: bool) -> None:
    assert succeeded(direction, value, Compared.TURNS) is expected


def test_the_low_bound_of_an_episode_is_tighter() -> None:
    assert succeeded(LOW, 2.2, Compared.EPISODE) and not succeeded(LOW, 2.2, Compared.TURNS)


def test_below_is_welchs_test() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        ones, others = rng.normal(2, 0.5, 9), rng.normal(2.3, 0.9, 6)
        less = stats.ttest_ind(ones, others, equal_var=False, alternative="less").pvalue < 0.05
        more = stats.ttest_ind(ones, others, equal_var=False, alternative="greater").pvalue < 0.05
        assert below(ones, others) is (PASS if less else FAIL if more else UNDECIDED)
    assert below(np.full(3, 1.0), np.full(3, 2.0)) is PASS
    assert below(np.array([1.0]), np.full(3, 2.0)) is UNDECIDED


def test_levels_are_of_a_scale_of_five_whatever_the_criterion() -> None:
    rubric = load_rubric("collections")
    best = {c.name: Rating(value=c.scale.high, reason="") for c in rubric.turn}
    assert level(best, rubric.turn) == 5
    violated = best | {"compliance": Rating(value=0, reason="")}
    assert math.isclose(level(violated, rubric.turn), 5 - 0.2 * 4)  # four levels, at its weight of 0.2


def test_a_sum_of_equal_ratings_goes_with_the_number_of_turns_and_the_mean_does_not() -> None:
    turns = [3, 4, 5, 6, 7, 8]
    assert correlation([0.5 * n for n in turns], turns).value == pytest.approx(1)
    assert correlation([0.5 for _ in turns], turns).value is None
    assert correlation([0.1, 0.2], [3, 4]).value is None  # too few


def test_correlation_has_an_interval_that_covers() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(40):
        y = rng.integers(3, 12, 60)
        x = 0.2 * (y - 7) / 2.6 + math.sqrt(1 - 0.04) * rng.normal(size=60)  # correlation 0.2
        found = correlation(list(x), list(y))
        assert found.value == pytest.approx(stats.pearsonr(x, y).statistic)
        covered += found.low <= 0.2 <= found.high
    assert covered >= 34  # 95 % of 40 is 38; 33 or less has a chance of 1 %
