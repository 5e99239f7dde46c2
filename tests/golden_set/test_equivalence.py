"""Did a mean move: Student's bounds and TOST against SciPy's one-sample tests, the three answers, judges that do not vary."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from golden_set.decision import STATUS, UNREACHED, Decision, together
from golden_set.equivalence import Shift, decide, p_moved, p_same, shift

PASS, FAIL, UNDECIDED = Decision.PASS, Decision.FAIL, Decision.UNDECIDED
samples = st.lists(st.integers(-200, 200).map(lambda value: value / 100), min_size=2, max_size=40).filter(lambda x: np.ptp(x) > 0)
margins = st.sampled_from([0.0375, 0.1, 0.15, 0.3, 1.0])
alphas = st.sampled_from([0.005, 0.02, 0.05])


@settings(max_examples=40, deadline=None)
@given(samples, alphas)
def test_bounds_are_those_of_two_one_sided_t_tests(differences: list[float], level: float) -> None:
    x = np.array(differences)
    found = shift(x, level)
    whole = stats.ttest_1samp(x, 0.0).confidence_interval(1 - 2 * level)
    assert (found.low, found.high) == (pytest.approx(whole.low, abs=1e-9), pytest.approx(whole.high, abs=1e-9))
    assert (found.episodes, found.mean) == (len(x), pytest.approx(x.mean()))
    assert found.se == pytest.approx(stats.sem(x))


@settings(max_examples=40, deadline=None)
@given(samples, margins)
def test_tost_is_the_larger_of_two_one_sided_tests(differences: list[float], margin: float) -> None:
    x = np.array(differences)
    above = stats.ttest_1samp(x, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(x, margin, alternative="less").pvalue
    assert p_same(x, margin) == pytest.approx(max(above, below), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(samples, margins)
def test_having_moved_is_both_tails_from_the_margin(differences: list[float], margin: float) -> None:
    x = np.array(differences)
    x = x if x.mean() >= 0 else -x
    # Of a true mean at the margin, means as far from 0 on this side (t = (mean - margin) / se) or on the other (t = (mean + margin) / se).
    tails = [stats.ttest_1samp(x, at, alternative="greater").pvalue for at in (margin, -margin)]
    assert p_moved(x, margin) == pytest.approx(min(1.0, sum(tails)), abs=1e-9)
    assert p_moved(-x, margin) == pytest.approx(p_moved(x, margin))


@settings(max_examples=40, deadline=None)
@given(samples, margins, alphas)
def test_the_decision_and_the_p_value_say_the_same(differences: list[float], margin: float, level: float) -> None:
    x = np.array(differences)
    p, decision = p_same(x, margin), decide(shift(x, level), margin)
    if abs(p - level) > 1e-6:
        assert (decision is PASS) == (p < level)
    if decision is FAIL:
        assert p > 0.5 and p_moved(x, margin) <= 2 * level + 1e-9


@settings(max_examples=40, deadline=None)
@given(samples, margins, alphas)
def test_neither_sign_nor_the_order_of_episodes_matters(differences: list[float], margin: float, level: float) -> None:
    x = np.array(differences)
    assert decide(shift(x, level), margin) is decide(shift(-x, level), margin) is decide(shift(np.sort(x), level), margin)


def test_p_values_under_the_null_are_uniform_enough() -> None:
    # Rows of 30 normal episodes whose true mean is the margin: TOST errs in 5 % (SE 0.56 % of 1,500 rows).
    x = np.random.default_rng(5).normal(0.15, 0.2, (1500, 30))
    assert 0.033 < np.mean([p_same(row, 0.15) <= 0.05 for row in x]) < 0.067
    assert 0.033 < np.mean([p_moved(row, 0.15) <= 0.05 for row in x]) < 0.067


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [
        (-0.1, 0.1, PASS),
        (-0.1499, 0.1499, PASS),
        (-0.15, 0.1, UNDECIDED),  # the margin itself is not within
        (-0.1, 0.15, UNDECIDED),
        (0.1, 0.2, UNDECIDED),
        (-0.2, 0.2, UNDECIDED),  # as wide as to hold both margins
        (0.15, 0.3, UNDECIDED),
        (0.1501, 0.3, FAIL),
        (-0.3, -0.1501, FAIL),
        (-0.3, -0.15, UNDECIDED),
        (0.0, 0.0, PASS),
        (float("-inf"), float("inf"), UNDECIDED),
    ],
)
def test_three_answers(low: float, high: float, decision: Decision) -> None:
    assert decide(Shift(30, (low + high) / 2, 0.1, low, high, 0.05), 0.15) is decision


@pytest.mark.parametrize(
    ("value", "margin", "decision", "same", "moved"),
    [(0.0, 0.15, PASS, 0.0, 1.0), (0.1, 0.15, PASS, 0.0, 1.0), (0.5, 0.15, FAIL, 1.0, 0.0), (-1.0, 0.15, FAIL, 1.0, 0.0)],
)
def test_a_judge_that_does_not_vary_leaves_no_doubt(value: float, margin: float, decision: Decision, same: float, moved: float) -> None:
    x = np.full(20, value)
    assert decide(shift(x), margin) is decision
    assert p_same(x, margin) == same
    assert p_moved(x, margin) == pytest.approx(moved)


def test_exactly_the_margin_is_neither() -> None:
    x = np.full(20, 0.25)  # which floats hold exactly
    assert (decide(shift(x), 0.25), p_same(x, 0.25), p_moved(x, 0.25)) == (UNDECIDED, 1.0, 1.0)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_episodes_tell_nothing(count: int) -> None:
    found = shift(np.zeros(count))
    assert (found.episodes, found.low, found.high) == (count, float("-inf"), float("inf"))
    assert decide(found, 4.0) is UNDECIDED
    assert p_moved(np.full(count, 3.0), 0.1) == 1.0


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_episodes_are_no_evidence_of_equivalence_either(count: int) -> None:
    assert p_same(np.zeros(count), 0.15) == 1.0


@pytest.mark.parametrize(
    ("given_", "whole"),
    [
        ([PASS, PASS], PASS),
        ([PASS, UNDECIDED], UNDECIDED),
        ([PASS, UNDECIDED, FAIL], FAIL),
        ([FAIL], FAIL),
        ([UNDECIDED], UNDECIDED),
        ([], UNDECIDED),  # nothing asked is no pass
    ],
)
def test_together_all_must_pass_and_one_fails_all(given_: list[Decision], whole: Decision) -> None:
    assert together(iter(given_)) is whole


def test_statuses() -> None:
    assert (STATUS[PASS], STATUS[FAIL], STATUS[UNDECIDED], UNREACHED) == (0, 1, 3, 4)
