"""A2C: it learns, the same by the distinct observation as by the step, from others' actions too, exactly resumable, and able to grow."""

from dataclasses import replace

import numpy as np
import pytest

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces, Step
from dialogue.errors import UsageProblem
from policies.experience import Rollout
from policies.learners.a2c import A2C
from policies.network_policy import NetworkPolicy
from policies.rollout import Rollouts
from policies.table import TablePolicy

ENCODING = Encoding((Field("stage", ("open", "close")), Field("mood", ("calm", "upset"))))
NAMES = ("greet", "ask", "soothe", "sell")


class Identity:
    """SB3's IdentityEnv: pays 1 for the action of the observation's number, in episodes of 10 steps that are cut off, not ended."""

    def __init__(self, n, kind="rows"):
        self.n, self.kind = n, kind
        rows = kind in ("rows", "rows-numbers")
        self.spaces = Spaces(
            NAMES, continuous="numbers" in kind, observations=4 if rows else None, width=4, encoding=ENCODING if rows else None
        )

    def reset(self, seed):
        self.rng, self.age = np.random.default_rng(seed), 0
        self.asked = self.rng.integers(4, size=self.n)
        return self.observations

    @property
    def observations(self):
        return self.asked if self.spaces.observations else np.eye(4)[self.asked]

    def step(self, actions):
        places = actions if self.spaces.continuous else np.eye(4)[actions]
        rewards = 1 - 2 * ((places - np.eye(4)[self.asked]) ** 2).mean(1)
        self.asked = self.rng.integers(4, size=self.n)
        self.age = (self.age + 1) % 10
        return Step(self.observations, rewards, np.zeros(self.n, bool), np.full(self.n, self.age == 0))


def begun(kind, seed=0, envs=8, **parameters):
    env = Identity(envs, kind)
    learner = A2C(envs=envs, **parameters).begin(env.spaces, np.random.SeedSequence(seed))
    return learner, Rollouts(env, np.random.SeedSequence(seed + 1))


def trained(kind, rollouts, **parameters):
    learner, source = begun(kind, **parameters)
    for _ in range(rollouts):
        learner.partial_fit(source.next(learner).rollout)
    return learner, source


def everything(spaces):
    return np.arange(4) if spaces.observations else np.eye(4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["rows", "vectors"])
def test_identity_is_learned(kind, seed):
    """As SB3's test_identity: 1,200 steps with gamma .4 and learning rate 2e-3; 90 of 100 greedy actions must be right there, all here."""
    learner, _ = trained(kind, 240, seed=seed, envs=1, gamma=0.4, learning_rate=2e-3, steps=5)
    probs = learner.policy().probs_of(everything(learner.spaces), np.arange(4))
    assert learner.policy().greedy().probs_of(everything(learner.spaces), np.arange(4)).tolist() == [1, 1, 1, 1]
    assert probs.min() > 0.4


@pytest.mark.parametrize("kind", ["numbers", "rows-numbers"])
def test_numbers_are_learned(kind):
    learner, _ = trained(kind, 300, gamma=0.4, learning_rate=3e-3, ent_coef=0.0, steps=5)
    actions, _ = learner.policy().greedy().act(everything(learner.spaces), np.random.default_rng(0))
    assert isinstance(learner.policy(), NetworkPolicy)
    assert actions == pytest.approx(np.eye(4), abs=0.2)
    assert np.exp(learner._weights.log_std).max() < 0.9  # it has become surer than it began, at 1


@pytest.mark.parametrize("on_policy", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_the_gradient_by_distinct_observation_is_that_by_step(on_policy, masked):
    learner, source = begun("rows", precision="float64", ent_coef=0.05, gae_lambda=0.8)
    other, _ = begun("rows", precision="float64", ent_coef=0.05, gae_lambda=0.8, distinct=False)
    rng = np.random.default_rng(0)
    for _ in range(50):
        rollout = replace(source.next(learner).rollout, on_policy=on_policy)
        if masked:
            rollout = replace(rollout, mask=np.arange(5)[:, None] < rng.integers(1, 6, 8))
        told, again = learner.partial_fit(rollout), other.partial_fit(rollout)
        assert again == pytest.approx(told, abs=1e-10)
    assert np.abs(learner.parameters_ - other.parameters_).max() < 1e-10
    assert np.array_equal(learner.counts_, other.counts_)


@pytest.mark.parametrize("kind", ["vectors", "numbers"])
def test_what_acting_has_computed_is_not_computed_otherwise_when_learning(kind):
    """Activations kept from acting give the update that a learner makes which has not acted."""
    learner, source = begun(kind, precision="float64")
    other, _ = begun(kind, precision="float64")
    for _ in range(20):
        rollout = source.next(learner).rollout
        assert learner._passes._acted_in(rollout)
        assert not other._passes._acted_in(rollout)
        assert other.partial_fit(rollout) == pytest.approx(learner.partial_fit(rollout), abs=1e-10)
    assert np.abs(learner.parameters_ - other.parameters_).max() < 1e-10


def test_acting_elsewhere_in_between_does_no_harm():
    learner, source = begun("vectors", precision="float64")
    other, _ = begun("vectors", precision="float64")
    rollout = source.next(learner).rollout
    learner.act(np.eye(4)[[1, 2]])
    learner.partial_fit(rollout)
    other.partial_fit(rollout)
    assert np.abs(learner.parameters_ - other.parameters_).max() < 1e-12


@pytest.mark.parametrize("kind", ["rows", "vectors", "numbers"])
def test_the_same_seed_gives_the_same(kind):
    (one, first), (two, second), (three, _) = (trained(kind, 20, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(one.parameters_, two.parameters_)
    assert not np.array_equal(one.parameters_, three.parameters_)
    assert np.array_equal(first.next(one).rollout.actions, second.next(two).rollout.actions)


@pytest.mark.parametrize("kind", ["rows", "vectors", "numbers", "rows-numbers"])
def test_stopped_and_resumed_equals_never_stopped(kind):
    learner, source = trained(kind, 10, learning_rate="linear:2e-3:1e-4:2000")
    state = learner.state()
    other = A2C(**learner.get_params()).begin(learner.spaces, np.random.SeedSequence(99)).restore(state)
    rollouts = [source.next(learner).rollout]
    assert np.array_equal(other.act(rollouts[0].observations[0])[0], rollouts[0].actions[0])
    other.restore(state)
    for _ in range(10):
        for observations, actions in zip(rollouts[-1].observations, rollouts[-1].actions, strict=True):
            assert np.array_equal(other.act(observations)[0], actions)
        assert learner.partial_fit(rollouts[-1]) == other.partial_fit(rollouts[-1])
        rollouts.append(source.next(learner).rollout)
    assert np.array_equal(learner.parameters_, other.parameters_)
    assert np.array_equal(learner.squares_, other.squares_)
    assert np.array_equal(state["parameters_"], A2C().begin(learner.spaces, np.random.SeedSequence(0)).restore(state).parameters_)


def test_widened_acts_as_before_and_learns_what_is_new():
    learner, _ = trained("rows", 50, precision="float64")
    wider = ENCODING.grown([{"stage": "middle", "mood": "calm"}, {"stage": "open", "mood": "furious"}])
    spaces = Spaces(NAMES, observations=wider.size, width=wider.width, encoding=wider)
    before, counts, moved = learner.policy(), learner.counts_.copy(), ENCODING.moved_to(wider)
    learner.widen(spaces, moved)
    after = learner.policy()
    assert after.probs.shape == (9, 4)
    assert after.probs[moved] == pytest.approx(before.probs, abs=1e-12)  # BLAS may add in another order
    assert np.array_equal(learner.counts_[moved], counts)
    assert learner.counts_.sum() == counts.sum()
    new = wider.index({"stage": "middle", "mood": "furious"})
    seen = np.full((5, 8), new)
    rewards = np.where(np.arange(40).reshape(5, 8) % 4 == 2, 1.0, 0.0)
    actions, ends = np.arange(40).reshape(5, 8) % 4, np.ones((5, 8), bool)
    for _ in range(200):
        probs = learner.policy().probs_of(seen, actions)
        learner.partial_fit(Rollout(seen, actions, probs, rewards, seen, ends, ~ends, on_policy=False))
    assert learner.policy().probs[new].argmax() == 2


def test_features_that_are_gone_are_noticed():
    learner, _ = begun("rows")
    other = Encoding((Field("stage", ("open", "close")), Field("age", edges=(1.0, 2.0))))
    with pytest.raises(UsageProblem, match="features of the old ones"):
        learner.widen(Spaces(NAMES, observations=6, width=5, encoding=other), np.array([0, 0, 3, 3]))


def test_a_log_of_random_actions_teaches_the_best_one():
    """V-trace: the behaviour policy takes action 3 half of the time, and nobody weighs by how often it was seen."""
    learner, _ = begun("rows", envs=64, learning_rate=3e-3, gamma=0.4)
    rng, probs = np.random.default_rng(0), np.array([0.2, 0.2, 0.1, 0.5])
    for _ in range(200):
        seen, after = rng.integers(4, size=(2, 5, 64))
        actions = rng.choice(4, p=probs, size=(5, 64))
        rewards = (actions == seen).astype(float)
        ends = np.arange(5)[:, None].repeat(64, 1) == 4
        after[:-1] = seen[1:]
        learner.partial_fit(Rollout(seen, actions, probs[actions], rewards, after, ends, ~ends & False, on_policy=False))
    assert learner.policy().probs[np.arange(4), np.arange(4)].min() > 0.8


def test_on_its_own_rollouts_v_trace_changes_nothing():
    learner, source = begun("vectors", precision="float64")
    other, _ = begun("vectors", precision="float64")
    for _ in range(5):
        rollout = source.next(learner).rollout
        learner.partial_fit(rollout)
        other.partial_fit(replace(rollout, on_policy=False))
    assert np.abs(learner.parameters_ - other.parameters_).max() < 1e-10


def test_a_log_without_probabilities_is_refused():
    learner, source = begun("rows")
    rollout = source.next(learner).rollout
    probs = rollout.probs.copy()
    probs[2, 3:5] = np.nan
    before = learner.parameters_.copy()
    with pytest.raises(UsageProblem, match="2 of 40 logged steps do not say how probable"):
        learner.partial_fit(replace(rollout, probs=probs, on_policy=False))
    assert np.array_equal(learner.parameters_, before)
    assert learner.steps_ == 0


def test_the_learning_rate_follows_its_schedule():
    """At the end of `linear:1e-3:0:40` nothing moves any more."""
    learner, source = begun("rows", learning_rate="linear:1e-3:0:40")
    before = learner.parameters_.copy()
    learner.partial_fit(source.next(learner).rollout)
    assert np.array_equal(learner.parameters_, before)


def test_discrete_spaces_are_served_as_a_table_with_counts():
    learner, _ = trained("rows", 10)
    policy = learner.policy()
    assert isinstance(policy, TablePolicy)
    assert policy.counts.sum() == 10 * 40 == learner.steps_
    assert np.abs(policy.probs.sum(1) - 1).max() < 1e-12


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"gamma": 1.5}, "gamma of learner a2c is 1.5; it may be 0 to 1"),
        ({"steps": 0}, "steps of learner a2c is 0; it may be 1 or more"),
        ({"max_grad_norm": 0.0}, "max_grad_norm of learner a2c is 0.0; it may be 1e-12 or more"),
        ({"ent_coef": -1.0}, "ent_coef of learner a2c is -1.0; it may be 0 or more"),
        ({"precision": "float16"}, "precision of learner a2c is 'float16'; it may be float32 or float64"),
        ({"learning_rate": "lineer:1:0:5"}, "did you mean 'linear'"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, told):
    with pytest.raises(UsageProblem) as problem:
        A2C(**parameters).begin(Identity(1).spaces, np.random.SeedSequence(0))
    assert told in str(problem.value)
