"""Linear fitted Q evaluation: on one-hot vectors it is the table, and an episode is never judged by its own fit."""

from dataclasses import replace

import numpy as np
import pytest

from dialogue.environments.contract import Actions, Observations, Spaces
from policies.experience import Floats
from policies.ope.doubly_robust import direct, doubly_robust
from policies.ope.evaluation import Evaluator
from policies.ope.fitted_q import folds_of, tabular_values
from policies.ope.fitted_q_linear import linear_values
from policies.ope.small_mdp import SmallProcess
from policies.ope.trajectories import make_trajectories
from policies.table import TablePolicy


class Seeing:
    """A table policy that is shown one-hot vectors."""

    kind = "seeing"

    def __init__(self, table: TablePolicy) -> None:
        self.table = table
        self.spaces = Spaces(table.spaces.actions, width=table.spaces.observations or 0)

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        return self.table.act(observations.argmax(-1), rng)

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        return self.table.probs_of(observations.argmax(-1), actions)

    def greedy(self) -> "Seeing":
        return Seeing(self.table.greedy())

    def as_data(self) -> dict[str, object]:
        return {}


@pytest.fixture(scope="module")
def process() -> SmallProcess:
    return SmallProcess.random(3, states=4, horizon=5)


def test_on_one_hot_vectors_it_is_the_table(process: SmallProcess) -> None:
    target = process.policy(2)
    rollout = process.log(process.policy(1, 0.5), 400, np.random.default_rng(0))
    seen = replace(rollout, observations=np.eye(4)[rollout.observations], next_observations=np.eye(4)[rollout.next_observations])
    log = make_trajectories(rollout, target)
    table, linear = tabular_values(rollout, log, target, prior=0), linear_values(seen, log, Seeing(target), ridge=1e-6)
    assert linear.action == pytest.approx(table.action, abs=2e-3)  # sweeps stop where the table's go on until nothing moves
    assert direct(linear).value == pytest.approx(direct(table).value, abs=2e-3)
    by_vector = Evaluator(seen, Seeing(target))
    assert by_vector.estimators()["dr"].value == pytest.approx(doubly_robust(log, table).value, abs=0.02)
    assert by_vector.overlap.unseen is None and by_vector.overlap.ess == pytest.approx(Evaluator(rollout, target).overlap.ess)


def test_no_episode_is_judged_by_its_own_fit(process: SmallProcess) -> None:
    target = Seeing(process.policy(2))
    rollout = process.log(process.policy(1, 0.5), 60, np.random.default_rng(1))
    rollout = replace(rollout, observations=np.eye(4)[rollout.observations], next_observations=np.eye(4)[rollout.next_observations])
    log = make_trajectories(rollout, target)
    own = folds_of(60, 5) == 2
    high = float(log.rewards.max())
    changed = log.with_rewards(np.where(own, np.minimum(log.rewards + 0.3, high), log.rewards))
    before, after = linear_values(rollout, log, target), linear_values(rollout, changed, target)
    assert before.action[:, own] == pytest.approx(after.action[:, own], abs=1e-9)
    assert not np.allclose(before.action[:, ~own], after.action[:, ~own])


def test_it_does_not_run_away() -> None:
    """Features that a target far from the actor makes fitted values grow by: they stay within what was ever returned."""
    process = SmallProcess.random(7, states=4, horizon=30, ending=0.02)
    target = Seeing(process.policy(2, 5.0))
    rollout = process.log(process.policy(1, 0.2), 40, np.random.default_rng(2))
    squeeze = np.random.default_rng(3).normal(size=(4, 2))
    thin = replace(rollout, observations=squeeze[rollout.observations], next_observations=squeeze[rollout.next_observations])

    class Thin(Seeing):
        def probs_of(self, observations: Observations, actions: Actions) -> Floats:
            nearest = ((observations[..., None, :] - squeeze) ** 2).sum(-1).argmin(-1)
            return self.table.probs_of(nearest, actions)

    log = make_trajectories(thin, Thin(target.table))
    assert np.abs(linear_values(thin, log, Thin(target.table)).action).max() < 30 * 2 * 10
