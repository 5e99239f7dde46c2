"""Credit of whole returns: steps wait for the end of their episode, however the stream is cut into rollouts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.credit import finished, returns_of
from policies.experience import Rollout


def stream(rewards, terminated, truncated=None) -> Rollout:
    rewards, terminated = np.array(rewards, float), np.array(terminated, bool)
    truncated = np.zeros_like(terminated) if truncated is None else np.array(truncated, bool)
    numbers = np.arange(rewards.size).reshape(rewards.shape)
    return Rollout(numbers, np.zeros_like(numbers), np.full(rewards.shape, 0.5), rewards, numbers + 1, terminated, truncated)


def cut(rollout: Rollout, at: int, to: int) -> Rollout:
    parts = ("observations", "actions", "probs", "rewards", "next_observations", "terminated", "truncated")
    return Rollout(*(getattr(rollout, part)[at:to] for part in parts))


@given(st.integers(0, 10_000), st.lists(st.integers(1, 6), min_size=1, max_size=8), st.sampled_from([1.0, 0.9]))
def test_it_does_not_matter_where_the_stream_is_cut(seed, lengths, gamma) -> None:
    rng = np.random.default_rng(seed)
    shape = sum(lengths), 3
    whole = stream(rng.normal(size=shape), rng.random(shape) < 0.3)
    waiting, found, at = {}, {}, 0
    for length in lengths:
        known, waiting = finished(cut(whole, at, at + length), waiting, 1000)
        returns = returns_of(known, None, np.zeros(known.rewards.shape), gamma)
        found |= dict(zip(known.observations[known.mask].tolist(), returns[known.mask].tolist(), strict=True))
        at += length
    expected = {}
    for column in range(3):
        total, over = 0.0, False
        for step in reversed(range(shape[0])):
            over = over or bool(whole.terminated[step, column])
            total = whole.rewards[step, column] + gamma * total * (not whole.terminated[step, column])
            if over:
                expected[int(whole.observations[step, column])] = total
    assert found == pytest.approx(expected)


def test_a_very_long_episode_is_cut_off() -> None:
    """Three steps at most: rewards 1, 1, 1 and 10 for what follows make 13, 12, 11; nothing waits any more."""
    known, waiting = finished(stream([[1], [1]], [[0], [0]]), {}, 3)
    assert not known.mask.any()
    known, waiting = finished(stream([[1]], [[0]]), waiting, 3)
    assert returns_of(known, None, np.full((3, 1), 10.0), 1.0)[:, 0].tolist() == [13, 12, 11]
    assert known.mask.all()
    assert not waiting["held"].any()


def test_a_log_does_not_wait() -> None:
    logged = replace(stream([[1], [2]], [[0], [0]]), on_policy=False)
    assert finished(logged, {}, 1000) == (logged, {})


def test_importance_weights_what_comes_after_by_hand() -> None:
    """Rewards 1, 2, 4 with ratios 9, 2, .5: the first step's own ratio plays no part. 4; 2 + .5 * 4 = 4; 1 + 2 * 4 = 9."""
    episode = stream([[1], [2], [4]], [[0], [0], [1]])
    ratios = np.array([[9.0], [2.0], [0.5]])
    assert returns_of(episode, ratios, np.zeros((3, 1)), 1.0)[:, 0].tolist() == [9, 4, 4]


def test_importance_does_not_leak_from_the_next_episode() -> None:
    """Two episodes in a column: the second one's ratio of 7 does not weight what a truncated first one would still earn (5)."""
    both = stream([[1], [2]], [[0], [1]], [[1], [0]])
    assert returns_of(both, np.array([[3.0], [7.0]]), np.full((2, 1), 5.0), 1.0)[:, 0].tolist() == [6, 2]
