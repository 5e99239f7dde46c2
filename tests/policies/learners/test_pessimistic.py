"""Pessimistic learning from a log: by hand, against value iteration, and safe where the plain greedy policy is not."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.experience import Rollout
from policies.learners.pessimistic import Pessimistic
from policies.table import TablePolicy
from tests.policies.learner_contract import LearnerContract

SEED = np.random.SeedSequence(0)
SPACES = Spaces(("a", "b"), observations=3, width=3)
Step = tuple[int, int, float, int | None]  # observation, action, reward, next observation (None: it was the end)


def rollout(steps: list[Step]) -> Rollout:
    """Return steps that have nothing to do with each other, side by side."""
    seen, acted, earned, after = (np.array([[step[k] or 0 for step in steps]]) for k in range(4))
    ended = np.array([[step[3] is None for step in steps]])
    return Rollout(
        seen.astype(np.intp), acted.astype(np.intp), np.full(seen.shape, np.nan), earned.astype(float), after.astype(np.intp),
        ended, ~ended, on_policy=False,
    )  # fmt: skip


def learned(steps: list[Step], spaces: Spaces = SPACES, **params: Any) -> Pessimistic:
    learner = Pessimistic(**params).begin(spaces, SEED)
    learner.partial_fit(rollout(steps))
    return learner


class TestContract(LearnerContract):
    def learner(self) -> Pessimistic:
        return Pessimistic(n_min=2)


def test_by_hand() -> None:
    """Observation 0: a 3 times (reward 1, then the end), b once (reward 9, then the end); observation 1: b twice, to 0; 2: never.

    With n_min 2, b in 0 keeps its share 1/4 and the rest goes to a: value of 0 = 3/4 x 1 + 1/4 x 9 = 3. In 1 only b is believed, and a was
    never tried, so it has the share 0: all goes to b, worth 0 + .5 x 3. Overall a was taken 3 of 6 times: 2 gets (1/2, 1/2).
    """
    steps: list[Step] = [(0, 0, 1.0, None)] * 3 + [(0, 1, 9.0, None)] + [(1, 1, 0.0, 0)] * 2
    policy = learned(steps, n_min=2, gamma=0.5).policy()
    np.testing.assert_allclose(policy.probs, [[0.75, 0.25], [0.0, 1.0], [0.5, 0.5]])
    assert policy.values is not None
    np.testing.assert_allclose(policy.values, [[1.0, 9.0], [0.0, 1.5], [0.0, 0.0]])
    assert policy.counts is not None
    assert policy.counts.tolist() == [[3, 1], [0, 2], [0, 0]]
    np.testing.assert_allclose(learned(steps, n_min=1, gamma=0.5).policy().probs[0], [0.0, 1.0])  # once is enough: the lucky 9 is believed


def test_it_says_what_was_bootstrapped() -> None:
    steps: list[Step] = [(0, 0, 1.0, None)] * 3 + [(0, 1, 9.0, None)] + [(1, 1, 0.0, 0)] * 2
    told = Pessimistic(n_min=2).begin(SPACES, SEED).partial_fit(rollout(steps))
    assert (told["bootstrapped"], told["cells"]) == (2.0, 4.0)  # (0, b) and (1, a), of two observations that were met
    assert set(told) == {"loss", "bootstrapped", "cells"}


steps_ = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.floats(-2, 2), st.integers(0, 3) | st.none()), min_size=1, max_size=60
)  # fmt: skip
FOUR = Spaces(("a", "b", "c"), observations=4, width=4)


@settings(deadline=None)  # a slow machine is no fault
@given(steps_, st.integers(1, 6))
def test_it_is_the_best_policy_that_is_allowed(steps: list[Step], n_min: int) -> None:
    """Against policy evaluation by a linear system, and no allowed policy of 10 random ones is worth more in the empirical MDP."""
    gamma = 0.8
    policy = learned(steps, FOUR, n_min=n_min, gamma=gamma).policy()
    assert policy.counts is not None
    shares = policy.counts / np.maximum(policy.counts.sum(1, keepdims=True), 1)

    rewards, moves = np.zeros((4, 3)), np.zeros((4, 3, 4))
    for seen, action, reward, after in steps:
        rewards[seen, action] += reward / policy.counts[seen, action]
        if after is not None:
            moves[seen, action, after] += 1 / policy.counts[seen, action]

    def worth(probs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.linalg.solve(np.eye(4) - gamma * np.einsum("sa,san->sn", probs, moves), (probs * rewards).sum(1))

    met = policy.counts.sum(1) > 0
    held = policy.counts < n_min
    np.testing.assert_allclose(policy.probs[held & met[:, None]], shares[held & met[:, None]], atol=1e-12)
    np.testing.assert_allclose(policy.probs.sum(1), 1)
    best = worth(policy.probs)
    assert policy.values is not None
    np.testing.assert_allclose((policy.probs * policy.values).sum(1)[met], best[met], atol=1e-6)
    rng = np.random.default_rng(1)
    for _ in range(10):
        other = rng.random((4, 3)) + 0.001
        free = np.where(held, 0, other)
        rest = 1 - np.where(held, shares, 0).sum(1, keepdims=True)
        other = np.where(held, shares, free / np.maximum(free.sum(1, keepdims=True), 1e-12) * rest)
        assert (best[met] >= worth(other)[met] - 1e-6).all()


@settings(deadline=None)  # a slow machine is no fault
@given(steps_, st.integers(0, 60), st.integers(0, 60))
def test_it_does_not_matter_in_which_batches_the_log_comes(steps: list[Step], first: int, second: int) -> None:
    whole = learned(steps, FOUR, n_min=3, gamma=0.9)
    parts = Pessimistic(n_min=3, gamma=0.9).begin(FOUR, SEED)
    a, b = sorted((first, second))
    for part in (steps[:a], steps[a:b], steps[b:]):
        if part:
            parts.partial_fit(rollout(part))
    for name in ("counts_", "moves_", "moved_"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    np.testing.assert_allclose(parts.values_, whole.values_, atol=1e-9)


def test_a_loop_without_an_end_is_given_up() -> None:
    learner = learned([(0, 0, 1.0, 0)] * 20, n_min=1, gamma=1.0, sweeps=50)
    assert learner.policy().probs[0].tolist() == [1.0, 0.0]
    assert np.isfinite(learner.values_).all()


def test_vectors_are_refused() -> None:
    with pytest.raises(UsageProblem, match="pessimistic needs discrete observations"):
        Pessimistic().begin(Spaces(("a", "b"), width=3), SEED)


# Six states in a row, in each 6 actions that end or go on; rewards vary much, so that an action tried once may look splendid.


def small_mdp() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return chances to go on, mean rewards, and a behaviour policy that is good already: (6, 6) each."""
    rng = np.random.default_rng(8)
    onward, means = rng.uniform(0.3, 0.9, (6, 6)), rng.uniform(-0.5, 0.5, (6, 6))
    best = np.zeros((6, 6))
    value = 0.0
    for state in range(5, -1, -1):
        q = means[state] + onward[state] * value
        best[state, q.argmax()] = 1
        value = q.max()
    return onward, means, 0.8 * best + 0.2 / 6


def worth(probs: np.ndarray[Any, Any]) -> float:
    onward, means, _ = small_mdp()
    value = 0.0
    for state in range(5, -1, -1):
        value = float((probs[state] * (means[state] + onward[state] * value)).sum())
    return value


def small_log(episodes: int, seed: int) -> Rollout:
    onward, means, behaviour = small_mdp()
    rng = np.random.default_rng(seed)
    steps: list[Step] = []
    for _ in range(episodes):
        for state in range(6):
            action = int(rng.choice(6, p=behaviour[state]))
            goes_on = state < 5 and rng.random() < onward[state, action]
            steps.append((state, action, float(means[state, action] + rng.normal(0, 2.0)), state + 1 if goes_on else None))
            if not goes_on:
                break
    return rollout(steps)


def test_it_is_safe_where_the_greedy_policy_is_not() -> None:
    """100 episodes of a policy that is good, 60 logs: SPIBB stays at the behaviour's worth, the plain greedy policy (n_min 1) falls."""
    spaces = Spaces(tuple("abcdef"), observations=6, width=6)
    behaviour = worth(small_mdp()[2])

    logs = [small_log(100, seed) for seed in range(60)]

    def worths(n_min: int) -> np.ndarray[Any, Any]:
        found = []
        for log in logs:
            learner = Pessimistic(n_min=n_min).begin(spaces, SEED)
            learner.partial_fit(log)
            found.append(worth(learner.policy().probs))
        return np.array(found)

    safe, greedy, copied = worths(10), worths(1), worths(10**9)
    noise = behaviour - np.quantile(copied, 0.01)  # what merely counting the behaviour costs in a bad log
    assert np.quantile(safe, 0.01) > behaviour - 2 * noise
    assert safe.mean() > behaviour - noise / 2
    assert (greedy < behaviour - 2 * noise).mean() > 0.5
    assert safe.mean() > greedy.mean() + 2 * noise


def test_what_it_serves_is_a_table() -> None:
    assert isinstance(learned([(0, 0, 1.0, None)]).policy(), TablePolicy)
