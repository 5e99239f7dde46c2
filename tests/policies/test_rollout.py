"""Rollouts of an environment: what was seen, done and earned, and the returns of the episodes that ended."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.environments.contract import Spaces, State, Step
from policies.rollout import Rollouts


class Counting:
    """An environment whose rewards and ends are told beforehand, step by step; what is seen is the time, times ten, plus the column."""

    def __init__(self, rewards: Any, terminated: Any, truncated: Any, vectors: bool = False) -> None:
        self.rewards, self.terminated, self.truncated = rewards, terminated, truncated
        self.n, self.time, self.vectors = rewards.shape[1], 0, vectors
        self.spaces = Spaces(("a", "b"), observations=None if vectors else 10_000, width=2 if vectors else 0)
        self.actions: list[Any] = []

    @property
    def observations(self) -> Any:
        return self._seen(self.time * 10)

    def _seen(self, at: int) -> Any:
        seen = at + np.arange(self.n)
        return np.stack([seen, -seen], 1).astype(float) if self.vectors else seen

    def reset(self, seed: np.random.SeedSequence) -> Any:
        self.time = 0
        return self.observations

    def step(self, actions: Any) -> Step:
        self.actions.append(actions)
        at, self.time = self.time, self.time + 1
        return Step(self._seen(self.time * 10 - 5), self.rewards[at], self.terminated[at], self.truncated[at])

    def state(self) -> State:
        return {"time": self.time}

    def restore(self, state: State) -> None:
        self.time = state["time"]


class Acting:
    """Takes action 1 where the observation is odd, with a probability that tells the observation."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def act(self, observations: Any) -> tuple[Any, Any]:
        flat = observations if observations.ndim == 1 else observations[:, 0]
        return (flat % 2).astype(np.intp), 1 / (1 + flat)


def returns_of(rewards: Any, ends: Any) -> list[float]:
    """One episode after another, in plain Python."""
    found, running = [], [0.0] * rewards.shape[1]
    for t in range(rewards.shape[0]):
        for column in range(rewards.shape[1]):
            running[column] += float(rewards[t, column])
            if ends[t, column]:
                found.append(running[column])
                running[column] = 0.0
    return found


@settings(max_examples=60, deadline=None)
@given(
    steps=st.integers(1, 5),
    batches=st.integers(1, 5),
    n=st.integers(1, 6),
    seed=st.integers(0, 2**32),
    often=st.floats(0, 1),
    stop=st.integers(0, 5),
)
def test_returns_are_those_of_one_episode_after_another(steps: int, batches: int, n: int, seed: int, often: float, stop: int) -> None:
    rng = np.random.default_rng(seed)
    shape = steps * batches, n
    rewards, terminated = rng.normal(size=shape), rng.random(shape) < often / 2
    truncated = (rng.random(shape) < often / 2) & ~terminated
    env = Counting(rewards, terminated, truncated)
    source, found, parts = Rollouts(env, np.random.SeedSequence(0)), [], []
    for batch_number in range(batches):
        if batch_number == stop:  # stopped here, and gone on with by another
            state, env = source.state(), Counting(rewards, terminated, truncated)
            source = Rollouts(env, np.random.SeedSequence(0))
            source.restore(state)
        batch = source.next(Acting(steps))  # type: ignore[arg-type]
        found += batch.returns.tolist()
        parts.append(batch.rollout)
    assert found == returns_of(rewards, terminated | truncated)
    for name, whole in (("rewards", rewards), ("terminated", terminated), ("truncated", truncated)):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), whole)


@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_rollout_says_who_saw_and_did_what(steps: int, vectors: bool) -> None:
    env = Counting(np.zeros((6, 2)), np.zeros((6, 2), bool), np.zeros((6, 2), bool), vectors)
    source = Rollouts(env, np.random.SeedSequence(0))
    first, second = (source.next(Acting(steps)).rollout for _ in range(2))  # type: ignore[arg-type]
    before, after = (np.array([[10 * t + shift, 10 * t + shift + 1] for t in range(2 * steps)]) for shift in (0, 5))
    for rollout, rows in ((first, slice(0, steps)), (second, slice(steps, 2 * steps))):
        seen, then = (part[..., 0] if vectors else part for part in (rollout.observations, rollout.next_observations))
        assert seen.tolist() == before[rows].tolist()
        assert then.tolist() == after[rows].tolist()  # what was seen after the action, not after an episode began anew
        assert rollout.actions.tolist() == (before[rows] % 2).tolist()
        assert np.allclose(rollout.probs, 1 / (1 + before[rows]))
        assert rollout.observations.shape == (steps, 2, 2) if vectors else (steps, 2)
        assert rollout.on_policy
        assert rollout.mask is None


def test_what_was_handed_out_is_never_written_to() -> None:
    env = Counting(np.ones((4, 2)), np.ones((4, 2), bool), np.zeros((4, 2), bool))
    source = Rollouts(env, np.random.SeedSequence(0))
    batch = source.next(Acting(2))  # type: ignore[arg-type]
    state, copies = source.state(), {name: getattr(batch.rollout, name).copy() for name in ("observations", "actions", "rewards")}
    running = state["returns"].copy()
    source.next(Acting(2))  # type: ignore[arg-type]
    assert np.array_equal(state["returns"], running)
    assert all(np.array_equal(getattr(batch.rollout, name), copy) for name, copy in copies.items())
