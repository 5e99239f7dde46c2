"""Recall and precision: Clopper and Pearson where weights are equal, gamma bounds worked out where not, episodes instead of turns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from golden_set.audit.detection import Detection, detection

counts = st.integers(0, 30)


def found(both: int, missed: int, wrong: int, neither: int, weight: tuple[float, float] = (1.0, 1.0)) -> Detection:
    """Return what so many episodes give; `weight` is that of flagged ones and of others."""
    human = np.repeat([True, True, False, False], [both, missed, wrong, neither])
    judge = np.repeat([True, False, True, False], [both, missed, wrong, neither])
    return detection(human, judge, np.arange(len(human)), np.where(judge, *weight))


@settings(max_examples=60, deadline=None)
@given(counts, counts, counts, st.floats(0.2, 50))
def test_equal_weights_give_clopper_and_pearson(both: int, missed: int, wrong: int, weight: float) -> None:
    seen = found(both, missed, wrong, 20, (weight, weight))
    assert (seen.by_people, seen.by_judge, seen.by_both) == (both + missed, both + wrong, both)
    for ratio, other in ((seen.recall, missed), (seen.precision, wrong)):
        if both + other == 0:
            assert ratio is None
        else:
            low, high = proportion_confint(both, both + other, method="beta")
            assert ratio is not None
            assert (ratio.value, ratio.low, ratio.high) == (pytest.approx(both / (both + other)), pytest.approx(low), pytest.approx(high))


def test_unequal_weights_are_quantiles_of_two_gamma_variables() -> None:
    """20 found with weight 1.5, 2 missed with weight 15: recall 30/60. Lower: found ~ 1.5 gamma(20), missed ~ 15 gamma(3) (one more);
    upper: found ~ 1.5 gamma(21), missed ~ 15 gamma(2). Here by drawing them, with half a million each."""
    seen = found(20, 2, 10, 150, (1.5, 15.0)).recall
    rng = np.random.default_rng(1)

    def melded(one: int, other: int) -> np.ndarray:
        a, b = 1.5 * rng.gamma(one, size=500_000), 15 * rng.gamma(other, size=500_000)
        return a / (a + b)

    assert seen is not None and seen.value == 0.5
    assert seen.low == pytest.approx(np.quantile(melded(20, 3), 0.025), abs=0.003)
    assert seen.high == pytest.approx(np.quantile(melded(21, 2), 0.975), abs=0.003)


def test_none_missed_in_the_sample_is_not_none_missed_in_the_log() -> None:
    """25 found with weight 1.4 and none missed: an unseen one would stand for 14 episodes. Clopper and Pearson would say above 0.86."""
    seen = found(25, 0, 42, 133, (1.4, 14.0)).recall
    assert seen is not None and (seen.value, seen.high) == (1, 1)
    ratio = stats.f.ppf(0.025, 50, 2) * 25  # of two gamma variables with shapes 25 and 1
    assert seen.low == pytest.approx(1.4 * ratio / (1.4 * ratio + 14))
    assert seen.low < 0.5


def test_turns_of_one_episode_are_one_event() -> None:
    """Ten episodes, six found turns in each of eight of them, six missed in each of two: as 8 of 10, not as 48 of 60."""
    episode = np.repeat(np.arange(10), 6)
    judge = episode < 8
    seen = detection(np.ones(60, dtype=bool), judge, episode, np.ones(60)).recall
    low, high = proportion_confint(8, 10, method="beta")
    assert seen is not None
    assert (seen.value, seen.low, seen.high) == (0.8, pytest.approx(low), pytest.approx(high))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5000))
def test_ratios_lie_in_their_intervals_and_order_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    human, judge = rng.random(60) < 0.3, rng.random(60) < 0.3
    episode, order = rng.integers(0, 20, 60), rng.permutation(60)
    weight = rng.choice([1.0, 3.0, 20.0], 20)[episode]
    seen = detection(human, judge, episode, weight)
    again = detection(human[order], judge[order], episode[order], 7 * weight[order])
    for one, other in ((seen.recall, again.recall), (seen.precision, again.precision)):
        assert one is not None and other is not None
        assert 0 <= one.low <= one.value <= one.high <= 1
        assert (other.value, other.low, other.high) == tuple(map(pytest.approx, (one.value, one.low, one.high)))


def test_nothing_of_nothing() -> None:
    empty = np.zeros(0, dtype=bool)
    assert detection(empty, empty, np.zeros(0, dtype=np.int64), np.zeros(0)) == Detection(0, 0, 0, None, None)


def test_weights_that_stand_for_nothing_are_refused() -> None:
    one = np.ones(2, dtype=bool)
    with pytest.raises(ValueError, match="a weight above 0"):
        detection(one, one, np.arange(2), np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="of every unit"):
        detection(one, one, np.arange(3), np.ones(2))
