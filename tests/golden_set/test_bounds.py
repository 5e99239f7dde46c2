"""Bounds of shares: Clopper and Pearson's against SciPy's, the clustered ones against arithmetic by hand and against simulation."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from golden_set.bounds import clustered_share, share

counts = st.integers(1, 200).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count)))
levels = st.sampled_from([0.005, 0.025, 0.05])
trials = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=1, max_size=60)


@settings(max_examples=50, deadline=None)
@given(counts, levels)
def test_bounds_are_exact(case: tuple[int, int], level: float) -> None:
    found = share(*case, level=level)
    exact = stats.binomtest(*case).proportion_ci(1 - 2 * level, method="exact")
    assert (found.low, found.high) == (pytest.approx(exact.low, abs=1e-9), pytest.approx(exact.high, abs=1e-9))
    assert (found.value, found.effective) == (case[0] / case[1], case[1])


@pytest.mark.parametrize(("hits", "count", "low"), [(59, 59, 0.95), (150, 150, 0.98), (300, 300, 0.99)])
def test_the_rule_of_three(hits: int, count: int, low: float) -> None:
    assert share(hits, count).low == pytest.approx(low, abs=0.0005)  # 0.05 ** (1 / count)
    assert share(hits, count).high == 1.0
    assert share(0, count).high == pytest.approx(1 - low, abs=0.0005)


def test_of_nothing_anything_is_possible() -> None:
    for found in (share(0, 0), clustered_share(np.array([], dtype=int), np.array([], dtype=int))):
        assert (found.value, found.count, found.low, found.high) == (None, 0, 0.0, 1.0)


def test_a_design_effect_by_hand() -> None:
    # Four episodes of two trials: 2, 2, 1 and 0 hits. Rate 5/8 = 0.625. Off by episode: 0.75, 0.75, -0.25, -1.25; squares sum to 2.75.
    # Variance between: 4/3 × 2.75 / 64 = 0.057292; of independent trials 0.625 × 0.375 / 8 = 0.029297; effect 1.95556.
    # Worth 8 / 1.95556 = 4.0909.
    found = clustered_share(np.array([1, 1, 1, 1, 1, 0, 0, 0]), np.array([3, 3, 7, 7, 1, 1, 0, 0]))
    assert (found.hits, found.count) == (5, 8)
    assert found.effective == pytest.approx(4.0909, abs=1e-4)
    # Clopper and Pearson for 2.5568 hits of 4.0909: quantiles of Beta(2.5568, 2.5341) and Beta(3.5568, 1.5341).
    assert found.low == pytest.approx(stats.beta.ppf(0.05, 2.556818, 2.534091), abs=1e-5)
    assert found.high == pytest.approx(stats.beta.ppf(0.95, 3.556818, 1.534091), abs=1e-5)


@pytest.mark.parametrize("hit", [0, 1])
def test_where_all_agree_episodes_are_counted(hit: int) -> None:
    found = clustered_share(np.full(30, hit), np.repeat(np.arange(10), 3))
    alone = share(10 * hit, 10)
    assert (found.effective, found.count, found.low, found.high) == (10, 30, pytest.approx(alone.low), pytest.approx(alone.high))


def test_one_trial_an_episode_is_the_plain_share() -> None:
    # The variance between episodes is that of independent trials times n / (n - 1): capped, nothing is worth more than itself, so 9/10.
    found = clustered_share(np.array([1, 1, 1, 0, 0, 1, 1, 1, 0, 1]), np.arange(10))
    assert found.effective == pytest.approx(10)  # not below the number of episodes
    assert (found.low, found.high) == (pytest.approx(share(7, 10).low), pytest.approx(share(7, 10).high))


def test_trials_that_agree_within_episodes_are_worth_their_episodes() -> None:
    hit = np.repeat([1, 1, 0, 1, 0, 1, 1, 1], 5)
    found = clustered_share(hit, np.repeat(np.arange(8), 5))
    assert found.effective == pytest.approx(8)
    assert found.low == pytest.approx(share(6, 8).low)


@settings(max_examples=50, deadline=None)
@given(trials, levels)
def test_effective_trials_lie_between_episodes_and_trials_and_bounds_around_the_share(given_: list[tuple[int, int]], level: float) -> None:
    hit, episode = (np.array(part) for part in zip(*given_, strict=True))
    found = clustered_share(hit, episode, level)
    assert len(np.unique(episode)) - 1e-9 <= found.effective <= len(hit) + 1e-9
    value = found.value
    assert value is not None and 0 <= found.low <= value <= found.high <= 1
    sizes = Counter(episode.tolist())
    relabelled = np.array([{name: at for at, name in enumerate(sorted(sizes, reverse=True))}[name] for name in episode.tolist()])
    again = clustered_share(hit, relabelled, level)
    assert (again.low, again.high) == (pytest.approx(found.low), pytest.approx(found.high))


def test_bounds_hold_for_clustered_trials_where_those_of_independent_ones_do_not() -> None:
    # 20 episodes of 5 trials; each episode's own rate is Beta(4, 1) (mean 0.8, intraclass correlation 1/6): true share 0.8.
    rng = np.random.default_rng(8)
    episode = np.repeat(np.arange(20), 5)
    clustered, plain = [], []
    for _ in range(400):
        hit = rng.binomial(1, np.repeat(rng.beta(4, 1, 20), 5))
        clustered.append(clustered_share(hit, episode).low <= 0.8)
        plain.append(share(int(hit.sum()), len(hit)).low <= 0.8)
    assert np.mean(clustered) >= 0.94  # SE 1.1 %
    assert np.mean(plain) < 0.93
