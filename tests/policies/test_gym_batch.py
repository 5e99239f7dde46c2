"""Gymnasium's environments as batches: the same steps as one by one, cuts kept apart from ends, stopped and resumed exactly."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from dialogue.errors import UsageProblem
from policies.checkpoint import opened, sealed
from policies.gym_batch import GymBatch, make_gym

SEED = np.random.SeedSequence(5)


class Walk(gymnasium.Env[int, int]):
    """A walk on the numbers 10 to 13 that keeps its own state; actions are -1 and 0."""

    observation_space = gymnasium.spaces.Discrete(4, start=10)
    action_space = gymnasium.spaces.Discrete(2, start=-1)

    def __init__(self) -> None:
        self.at = 10
        self.hidden = lambda: None  # cannot be pickled

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = 10
        return self.at, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        assert action in (-1, 0)
        self.at += int(self.np_random.random() < (0.9 if action == 0 else 0.1))
        return self.at, float(action), self.at == 13, False, {}


class KeptWalk(Walk):
    def get_state(self) -> dict[str, Any]:
        return {"at": self.at, "rng": self.np_random.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        self.at = state["at"]
        self.np_random.bit_generator.state = state["rng"]


def many(kind: type[Walk], n: int = 3, limit: int = 5) -> GymBatch:
    return GymBatch([gymnasium.wrappers.TimeLimit(kind(), limit) for _ in range(n)])


def test_each_copy_steps_as_it_would_alone() -> None:
    batch = make_gym("FrozenLake-v1", 3, max_episode_steps=6)
    batch.reset(SEED)
    alone = [gymnasium.make("FrozenLake-v1", max_episode_steps=6) for _ in range(3)]
    seeds = [int(np.random.SeedSequence(5, spawn_key=(place,)).generate_state(1, np.uint64)[0]) for place in range(3)]
    assert [env.reset(seed=seed)[0] for env, seed in zip(alone, seeds, strict=True)] == batch.observations.tolist()
    rng = np.random.default_rng(0)
    ended = {"terminated": 0, "truncated": 0}
    for _ in range(60):
        actions = rng.integers(0, 4, 3)
        step = batch.step(actions)
        for place, env in enumerate(alone):
            seen, reward, terminated, truncated, _ = env.step(int(actions[place]))
            truncated = truncated and not terminated
            assert (step.observations[place], step.rewards[place]) == (seen, reward)
            assert (step.terminated[place], step.truncated[place]) == (terminated, truncated)
            ended["terminated"] += terminated
            ended["truncated"] += truncated
            assert batch.observations[place] == (env.reset()[0] if terminated or truncated else seen)
    assert min(ended.values()) > 3


def test_all_chance_comes_from_the_seed() -> None:
    def course(seed: int) -> list[list[int]]:
        batch = make_gym("FrozenLake-v1", 4)
        batch.reset(np.random.SeedSequence(seed))
        return [batch.step(np.full(4, 2)).observations.tolist() for _ in range(20)]

    assert course(1) == course(1) != course(2)
    columns = list(zip(*course(1), strict=True))
    assert len(set(columns)) > 1  # the copies have seeds of their own


def test_spaces() -> None:
    lake = make_gym("FrozenLake-v1", 2, options='{"map_name": "8x8"}').spaces
    assert (lake.observations, lake.actions, lake.continuous) == (64, ("0", "1", "2", "3"), False)
    pole = make_gym("CartPole-v1", 2).spaces
    assert (pole.observations, pole.width, len(pole.actions)) == (None, 4, 2)
    swing = make_gym("Pendulum-v1", 2).spaces
    assert (swing.observations, swing.width, swing.actions, swing.continuous) == (None, 3, ("0",), True)
    walk = many(Walk)
    walk.reset(SEED)
    assert (walk.spaces.observations, walk.spaces.actions) == (4, ("-1", "0"))
    assert walk.observations.tolist() == [0, 0, 0]
    assert walk.step(np.array([0, 1, 0])).rewards.tolist() == [-1, 0, -1]


def test_continuous_actions_are_scaled_to_the_box() -> None:
    """Pendulum's torque runs from -2 to 2: 0, .5, 1 and 1.5 (clipped) are -2, 0, 2, 2, which its reward tells (cost .001 u^2)."""
    batch = make_gym("Pendulum-v1", 4)
    batch.reset(SEED)
    angles = [env.unwrapped.state.copy() for env in batch.envs]
    step = batch.step(np.array([[0.0], [0.5], [1.0], [1.5]]))
    for (angle, speed), torque, reward in zip(angles, (-2, 0, 2, 2), step.rewards, strict=True):
        wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
        assert reward == pytest.approx(-(wrapped**2 + 0.1 * speed**2 + 0.001 * torque**2), abs=1e-6)
    assert step.observations.shape == (4, 3)


@pytest.mark.parametrize("made", [lambda: make_gym("FrozenLake-v1", 3), lambda: make_gym("CartPole-v1", 3), lambda: many(KeptWalk)])
def test_stopped_and_resumed_equals_never_stopped(made) -> None:
    batch = made()
    batch.reset(SEED)
    actions = np.random.default_rng(1).integers(0, 2, (40, 3))
    for row in actions[:8]:
        batch.step(row)
    kept = opened(sealed({"env": batch.state()}), Path("checkpoint"))["env"]
    on = [batch.step(row) for row in actions]
    other = made()
    other.reset(np.random.SeedSequence(77))
    other.restore(kept)
    for step, row in zip(on, actions, strict=True):
        for left, right in zip(step, other.step(row), strict=True):
            np.testing.assert_array_equal(left, right)


def test_what_cannot_be_kept_is_said() -> None:
    batch = many(Walk)
    batch.reset(SEED)
    with pytest.raises(UsageProblem, match="neither be pickled"):
        batch.state()


class Odd(Walk):
    observation_space = gymnasium.spaces.Tuple([gymnasium.spaces.Discrete(2)])  # type: ignore[assignment]


class Free(Walk):
    action_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,))  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: make_gym("FrozenLak-v1", 1), "did you mean 'FrozenLake-v1'"),
        (lambda: make_gym("FrozenLake-v1", 1, options="{"), "no JSON"),
        (lambda: make_gym("FrozenLake-v1", 1, options="[1]"), "JSON object"),
        (lambda: make_gym("FrozenLake-v1", 1, options='{"slippy": true}'), "cannot be made"),
        (lambda: GymBatch([Odd()]), "observations are Tuple"),
        (lambda: GymBatch([Free()]), "bounded boxes"),
    ],
)
def test_what_cannot_be_made_is_said(make, told) -> None:
    with pytest.raises(UsageProblem, match=told):
        make()


def test_what_was_handed_out_stays() -> None:
    batch = make_gym("CartPole-v1", 2)
    first = batch.reset(SEED)
    copy = first.copy()
    steps = [batch.step(np.array([0, 1])) for _ in range(3)]
    kept = [step.observations.copy() for step in steps]
    batch.step(np.array([1, 1]))
    assert (first == copy).all()
    assert all((step.observations == old).all() for step, old in zip(steps, kept, strict=True))
