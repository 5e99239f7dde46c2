"""Stopped and resumed equals never stopped, bit for bit, for every learner that is installed, at any batch."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialogue.environments.contract import Spaces
from dialogue.installed import installed
from policies.checkpoint import opened, sealed
from policies.environments import make_env
from policies.experience import Rollout
from policies.learner_names import GROUP, make_learner
from policies.rollout import Rollouts
from policies.source import Batch
from policies.training import Ended, Training

HEAVY = {"sb3"}  # torch; tests/policies/learners has a test of its own for it
TRAINED = [name for name, point in installed(GROUP).items() if name not in HEAVY and find_spec(point.module)]
CASES = [(name, "debt_call", 16) for name in TRAINED] + [
    ("a2c", "sales_call", 4),
    ("actor-critic", "gym:FrozenLake-v1", 4),
    ("q", "gym:judge/DebtCall-v0", 3),
]


def training(learner: str, env: str, envs: int, saved: dict[str, Any] | None = None) -> Training:
    of_learner, of_source = np.random.SeedSequence(7).spawn(2)
    made = make_learner(learner, {"envs": envs})
    source = Rollouts(make_env(env, made.envs), of_source)
    if saved:
        source.restore(saved["source"])
    found = Training(made, source, of_learner)
    if saved:
        found.restore(saved["training"])
    return found


def tree(of: Training) -> dict[str, Any]:
    return {"source": of.source.state(), "training": of.state()}


def comparable(of: Training, env: str) -> bytes:
    """What must be the same to the bit. Environments of Gymnasium are pickled: they do the same, but their bytes may differ."""
    return sealed(of.state() if env.startswith("gym:") else tree(of))


@pytest.mark.parametrize(("learner", "env", "envs"), CASES, ids=lambda value: str(value))
def test_stopped_and_resumed_equals_never_stopped(learner: str, env: str, envs: int) -> None:
    never = training(learner, env, envs)
    stopped = training(learner, env, envs)
    batch = stopped.learner.steps * envs
    for until in (0, 1, batch + 1, 5 * batch, 12 * batch):  # asked for more each time, in a new process as it were
        assert stopped.run(until) is Ended.STEPS
        before = comparable(stopped, env)
        stopped = training(learner, env, envs, opened(sealed(tree(stopped)), Path("x")))
        assert comparable(stopped, env) == before, "what was restored is what was saved"
    never.run(12 * batch)
    assert never.steps == stopped.steps >= 12 * batch
    assert comparable(never, env) == comparable(stopped, env)
    assert never.learner.policy().as_data() == stopped.learner.policy().as_data()


@pytest.mark.skipif(not find_spec("stable_baselines3"), reason="needs the extra [sb3]")
@pytest.mark.parametrize("learner", ["sb3:a2c", "sb3:dqn"])
def test_a_learner_of_stable_baselines3_resumes_as_well(learner: str) -> None:
    never, stopped = training(learner, "debt_call", 4), training(learner, "debt_call", 4)
    stopped.run(60)
    stopped = training(learner, "debt_call", 4, opened(sealed(tree(stopped)), Path("x")))
    for one in (never, stopped):
        one.run(200)
    assert sealed(tree(never)) == sealed(tree(stopped))
    assert never.learner.policy().as_data() == stopped.learner.policy().as_data()


def test_another_seed_learns_otherwise() -> None:
    """The comparison above can fail."""
    one, other = training("q", "debt_call", 16), training("q", "debt_call", 16)
    other.run(1)
    one.run(other.steps + 1)
    assert sealed(tree(one)) != sealed(tree(other))


class Told:
    """Three batches of one step, told beforehand, with the terms of the reward."""

    spaces = Spaces(("a", "b"), observations=2)

    def __init__(self) -> None:
        self.at = 0

    def next(self, learner: Any) -> Batch | None:
        if self.at == 3:
            return None
        self.at += 1
        one = np.zeros((1, 2), np.intp)
        ends = np.array([[True, False]])
        rollout = Rollout(
            one, one, np.full((1, 2), 0.5), np.full((1, 2), float(self.at)), one, ends, ~ends, np.array([[True, self.at > 1]])
        )
        return Batch(rollout, np.array([float(self.at)]))

    def terms(self) -> dict[str, float]:
        return {"outcome": self.at / 2, "warmth": self.at / 2}

    def state(self) -> dict[str, Any]:
        return {"at": self.at}

    def restore(self, state: dict[str, Any]) -> None:
        self.at = state["at"]


def test_a_source_that_ends_ends_the_training_and_its_terms_are_kept() -> None:
    found = Training(make_learner("q", {"envs": 2}), Told(), np.random.SeedSequence(0))
    assert found.run(4) is Ended.STEPS
    assert (found.steps, found.batches, found.episodes) == (5, 3, 3)  # 1 (the other is masked) + 2 + 2
    assert found.run() is Ended.SOURCE
    assert found.curve.latest(1.0).told["term warmth"] == 1.0  # (.5 + 1 + 1.5) / 3
    assert found.curve.latest(1.0).mean == 2.0
    assert "loss" in found.curve.latest().told


def test_the_wish_to_stop_is_heard_after_every_batch() -> None:
    asked = iter([False, True])
    found = training("q", "debt_call", 16)
    assert found.run(stopped=lambda: next(asked)) is Ended.STOPPED
    assert found.batches == 2
