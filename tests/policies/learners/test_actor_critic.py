"""The tabular actor-critic: its gradient against finite differences, logs corrected, and the debt call's best memoryless value."""

from dataclasses import replace

import numpy as np
import pytest

from dialogue.environments.contract import Spaces
from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact import best_memoryless, exact_value
from dialogue.errors import UsageProblem
from policies.experience import Rollout
from policies.learners.actor_critic import ActorCritic
from tests.policies.known_mdps import KnownBatch, KnownMDP
from tests.policies.toy_calls import ToyCalls, collected


def rollout(seed: int, on_policy: bool = True, probs: float = 0.5) -> Rollout:
    rng = np.random.default_rng(seed)
    shape = 6, 5
    parts = rng.integers(0, 4, shape), rng.integers(0, 3, shape), np.full(shape, probs), rng.normal(size=shape)
    return Rollout(*parts, rng.integers(0, 4, shape), rng.random(shape) < 0.2, np.zeros(shape, bool), on_policy=on_policy)


def begun(**params) -> ActorCritic:
    return ActorCritic(**params).begin(Spaces(("a", "b", "c"), observations=4, width=4), np.random.SeedSequence(0))


def objective(preferences, seen, actions, advantages, entropy):
    logs = preferences - np.log(np.exp(preferences).sum(1, keepdims=True))
    entropies = -(np.exp(logs) * logs).sum(1)
    return (advantages * logs[seen, actions]).sum() + entropy * entropies[seen].sum()


def test_the_step_is_the_gradients() -> None:
    """One-step advantages r - 0, divided by their root mean square; the gradient of advantages * log p + .5 * entropy by differences."""
    learner = begun(trace=0.0, entropy=0.5, rate=0.7)
    start = np.random.default_rng(1).normal(size=(4, 3))
    learner.preferences_ = start.copy()
    learner.probs_ = np.exp(start) / np.exp(start).sum(1, keepdims=True)
    batch = rollout(2)
    seen, actions = batch.observations.ravel(), batch.actions.ravel()
    advantages = batch.rewards.ravel() / np.sqrt((batch.rewards**2).mean())
    gradient = np.zeros((4, 3))
    for cell in np.ndindex(4, 3):
        up, down = start.copy(), start.copy()
        up[cell] += 1e-6
        down[cell] -= 1e-6
        gradient[cell] = (objective(up, seen, actions, advantages, 0.5) - objective(down, seen, actions, advantages, 0.5)) / 2e-6
    learner.partial_fit(batch)
    moved = start + 0.7 * gradient / np.sqrt(1 + (gradient**2).sum(1, keepdims=True))
    expected = np.exp(moved) / np.exp(moved).sum(1, keepdims=True)
    np.testing.assert_allclose(learner.probs_, expected, atol=1e-7)


def test_the_scale_of_rewards_plays_no_part() -> None:
    small, large = begun(), begun()
    for seed in range(5):
        batch = rollout(seed)
        small.partial_fit(batch)
        large.partial_fit(replace(batch, rewards=batch.rewards * 1000))
    np.testing.assert_allclose(small.probs_, large.probs_, atol=1e-9)
    np.testing.assert_allclose(small.action_values_ * 1000, large.action_values_, rtol=1e-9)


def test_a_log_of_its_own_acting_needs_no_correction() -> None:
    """V-trace with ratios of 1 and lambda 1 is the Monte-Carlo return less the value, as GAE's: the same update (to rounding)."""
    one, two = begun(trace=1.0), begun(trace=1.0)
    for seed in range(3):
        batch = rollout(seed)
        probs = two.probs_[batch.observations, batch.actions]
        one.partial_fit(batch)
        two.partial_fit(replace(batch, probs=probs, on_policy=False))
    np.testing.assert_allclose(one.probs_, two.probs_, atol=1e-12)
    np.testing.assert_allclose(one.values_, two.values_, atol=1e-12)
    np.testing.assert_allclose(one.action_values_, two.action_values_, atol=1e-12)


@pytest.mark.parametrize(("bad", "count"), [(np.nan, 30), (0.0, 30)])
def test_a_log_without_probabilities_is_refused(bad, count) -> None:
    learner = begun()
    with pytest.raises(UsageProblem, match=f"{count} of 30 logged steps have no probability"):
        learner.partial_fit(rollout(1, on_policy=False, probs=bad))
    assert learner.steps_ == 0


def test_it_learns_from_a_log_of_random_acting() -> None:
    """The right action in each stage of the toy call is its number; the log never takes them on purpose."""
    env = ToyCalls(64)
    env.reset(np.random.SeedSequence(1))
    actor, learner = (ActorCritic(steps=10, envs=64).begin(env.spaces, np.random.SeedSequence(seed)) for seed in (2, 3))
    for _ in range(60):
        learner.partial_fit(replace(collected(env, actor), on_policy=False))
    assert (actor.probs_ == 1 / 3).all()
    assert learner.policy().greedy().probs.argmax(1).tolist() == [0, 0, 1, 1, 2, 2]
    assert learner.policy().values.argmax(1).tolist() == [0, 0, 1, 1, 2, 2]


def test_frozen_lake_is_learned() -> None:
    mdp = KnownMDP("FrozenLake-v1")
    learner = ActorCritic(gamma=0.99)
    env = KnownBatch(mdp, learner.envs, 100)
    env.reset(np.random.SeedSequence(0))
    learner.begin(env.spaces, np.random.SeedSequence(1))
    for _ in range(250):
        learner.partial_fit(collected(env, learner))
    assert mdp.value(learner.policy().greedy().probs, 0.99) == pytest.approx(0.5420259320, rel=0.02)


def test_the_debt_call_is_learned() -> None:
    """On a seed that no default was chosen on: .97 of the way from acting at random to the best memoryless policy found."""
    learner = ActorCritic()
    env = make_debt_calls(learner.envs)
    env.reset(np.random.SeedSequence(1100))
    learner.begin(env.spaces, np.random.SeedSequence(100))
    for _ in range(120):
        learner.partial_fit(collected(env, learner))
    model = env.options.model
    best, _ = best_memoryless(model, restarts=2)
    chance = exact_value(model, np.full((120, 4), 0.25))
    reached = exact_value(model, learner.policy().greedy().probs)
    assert (reached - chance) / (best - chance) > 0.97


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"rate": -1}, "rate of learner actor-critic is -1; it may be 0 or more"),
        ({"gamma": 5}, "gamma of learner actor-critic is 5; it may be 0 to 1"),
        ({"trace": 7}, "trace of learner actor-critic is 7; it may be 0 to 1"),
        ({"entropy": -1}, "entropy of learner actor-critic is -1; it may be 0 or more"),
    ],
)
def test_wrong_parameters_are_told(params, told) -> None:
    with pytest.raises(UsageProblem, match=told):
        ActorCritic(**params).begin(ToyCalls(1).spaces, np.random.SeedSequence(0))
