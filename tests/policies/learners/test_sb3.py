"""The adapter: Stable-Baselines3's updates through our loop, what it serves, and that stopped and resumed equals never stopped."""

import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from stable_baselines3 import A2C as SB3A2C
from stable_baselines3 import PPO as SB3PPO

from dialogue.environments.contract import Spaces, Step
from dialogue.errors import UsageProblem
from policies.learner_names import make_learner
from policies.learners.sb3 import SB3
from policies.rollout import Rollouts
from policies.sb3_env import BatchVecEnv

NAMES = ("warm", "firm", "brief")


class Echo:
    """Pays up to 1, the nearer the action is to the one asked for; 5 steps an episode, every third one is cut off at 3."""

    def __init__(self, n, kind="rows"):
        self.n, self.kind = n, kind
        width = 0 if kind == "rows" else 3
        self.spaces = Spaces(NAMES, continuous=kind == "numbers", observations=3 if kind == "rows" else None, width=width)

    def reset(self, seed):
        self.rng = np.random.default_rng(seed)
        self.asked, self.age, self.limit = self.rng.integers(3, size=self.n), np.zeros(self.n, int), np.full(self.n, 5)
        return self.observations

    @property
    def observations(self):
        return self.asked if self.kind == "rows" else np.eye(3, dtype=np.float32)[self.asked]

    def step(self, actions):
        places = actions if self.kind == "numbers" else np.eye(3)[actions]
        rewards = 1 - np.abs(places - np.eye(3)[self.asked]).mean(1)
        self.age = self.age + 1
        self.asked = self.rng.integers(3, size=self.n)
        last = self.observations
        terminated, truncated = self.age == 5, (self.age == self.limit) & (self.age < 5)
        ends = terminated | truncated
        self.age = np.where(ends, 0, self.age)
        self.limit = np.where(ends, self.rng.choice([3, 5, 5], size=self.n), self.limit)
        self.asked = np.where(ends, self.rng.integers(3, size=self.n), self.asked)
        return Step(last, rewards, terminated, truncated)

    def state(self):
        return {"rng": deepcopy(self.rng), "asked": self.asked, "age": self.age, "limit": self.limit}

    def restore(self, state):
        for name, value in deepcopy(state).items():
            setattr(self, name, value)


def begun(kind, algorithm, envs=4, **parameters):
    learner = SB3(algorithm, envs=envs, **parameters)
    env = Echo(envs, kind)
    source = Rollouts(env, np.random.SeedSequence(1))
    return learner.begin(env.spaces, np.random.SeedSequence(2)), source


def trained(learner, source, rollouts):
    told = [learner.partial_fit(source.next(learner).rollout) for _ in range(rollouts)]
    return told[-1]


def weights(learner):
    return torch.cat([parameter.detach().ravel() for parameter in learner._model.policy.parameters()]).numpy()


SETTINGS = {
    "a2c": {"learning_rate": 5e-3},
    "ppo": {"steps": 16, "batch_size": 32, "n_epochs": 4, "learning_rate": 3e-3},
    "dqn": {"learning_starts": 30, "learning_rate": 3e-3, "exploration_fraction": 0.02, "target_update_interval": 100},
}
CASES = [(kind, algorithm) for kind in ("rows", "vectors", "numbers") for algorithm in SETTINGS if (kind, algorithm) != ("numbers", "dqn")]


@pytest.mark.parametrize(("kind", "algorithm"), [("rows", "a2c"), ("vectors", "dqn"), ("numbers", "ppo")])
def test_it_learns(kind, algorithm):
    learner, source = begun(kind, algorithm, envs=8, gamma=0.4, **SETTINGS[algorithm])
    told = trained(learner, source, {"a2c": 80, "ppo": 20, "dqn": 150}[algorithm])
    assert np.isfinite(list(told.values())).all()
    assert "loss" in told
    policy, seen = learner.policy().greedy(), np.arange(3) if kind == "rows" else np.eye(3)
    actions, _ = policy.act(seen, np.random.default_rng(0))
    if kind == "numbers":
        assert 1 - np.abs(actions - np.eye(3)).mean() > 0.75  # always the middle earns .5
    else:
        assert actions.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("kind", "algorithm"), CASES)
def test_stopped_and_resumed_equals_never_stopped(kind, algorithm):
    learner, source = begun(kind, algorithm, **SETTINGS[algorithm])
    trained(learner, source, 4)
    state, env = learner.state(), source.state()
    trained(learner, source, 3)
    other, elsewhere = begun(kind, algorithm, **SETTINGS[algorithm])
    other.begin(source.spaces, np.random.SeedSequence(77))
    elsewhere.restore(env)
    other.restore(state)
    torch.manual_seed(5)
    np.random.seed(5)
    trained(other, elsewhere, 3)
    assert np.array_equal(weights(learner), weights(other))
    assert np.array_equal(*(one.policy().act(np.arange(3) if kind == "rows" else np.eye(3), one.rng_)[1] for one in (learner, other)))


@pytest.mark.parametrize("copied", [deepcopy, lambda learner: pickle.loads(pickle.dumps(learner))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize(("kind", "algorithm"), [("numbers", "ppo"), ("rows", "dqn")])
def test_a_copy_goes_on_as_the_original(kind, algorithm, copied):
    learner, source = begun(kind, algorithm, **SETTINGS[algorithm])
    trained(learner, source, 12 if algorithm == "dqn" else 1)
    rollout = source.next(learner).rollout  # copied when it has acted, before it learned from that
    other, elsewhere = copied(learner), deepcopy(source)
    for one, its in ((learner, source), (other, elsewhere)):
        one.partial_fit(rollout)
        trained(one, its, 1)
    assert np.array_equal(weights(learner), weights(other))
    assert np.array_equal(source.env.observations, elsewhere.env.observations)
    assert learner.rng_.bit_generator.state == other.rng_.bit_generator.state


@pytest.mark.parametrize(("kind", "algorithm"), [("vectors", "ppo"), ("numbers", "a2c")])
def test_its_updates_are_those_of_their_own_loop(kind, algorithm):
    """The same weights, generators and episodes: their `learn()` and our loop end with the same weights, to float32's rounding."""
    steps, rollouts = 16, 3
    learner, source = begun(kind, algorithm, steps=steps)
    theirs, settings = (SB3A2C, {}) if algorithm == "a2c" else (SB3PPO, {})
    env = Echo(4, kind)
    model = theirs("MlpPolicy", BatchVecEnv(env, np.random.SeedSequence(1)), n_steps=steps, device="cpu", **settings)
    model.policy.load_state_dict(learner._model.policy.state_dict())
    _, callback = model._setup_learn(10**6)
    source.env.reset(np.random.SeedSequence(3))
    env.reset(np.random.SeedSequence(3))
    model._last_obs = env.observations.astype(np.float32)
    torch.set_rng_state(torch.from_numpy(learner.chance_["torch"]))
    np.random.set_state(learner.chance_["numpy"])
    for _ in range(rollouts):
        model.collect_rollouts(model.env, callback, model.rollout_buffer, steps)
        model.train()
    trained(learner, source, rollouts)
    parameters = torch.cat([parameter.detach().ravel() for parameter in model.policy.parameters()]).numpy()
    assert np.abs(weights(learner) - parameters).max() < 1e-5


@pytest.mark.parametrize(("kind", "algorithm"), CASES)
def test_probabilities_are_those_of_the_policy(kind, algorithm):
    learner, source = begun(kind, algorithm, **SETTINGS[algorithm])
    trained(learner, source, 1)
    seen = source.env.observations
    actions, probs = learner.act(seen)
    if algorithm == "dqn":
        assert set(np.round(probs, 9)) == {round(1 / 3, 9)}  # everything at random before it begins to learn
    else:
        assert probs == pytest.approx(learner.policy().probs_of(seen, actions), rel=1e-4)


def test_dqn_says_how_probable_its_actions_are():
    """With a share .2 of random actions the best of 3 has .8667, the others .0667; 4 standard errors over 6,000 are below .02."""
    learner, _ = begun("rows", "dqn", learning_starts=0, exploration_initial_eps=0.2, exploration_final_eps=0.2)
    learner._model.exploration_rate = 0.2
    actions, probs = learner.act(np.zeros(6000, int))
    best = np.bincount(actions).argmax()
    assert (actions == best).mean() == pytest.approx(0.8667, abs=0.02)
    assert probs[actions == best] == pytest.approx(0.8667, abs=1e-4)
    assert probs[actions != best] == pytest.approx(0.0667, abs=1e-4)


def test_dqn_learns_from_a_log():
    learner, source = begun("rows", "dqn", envs=64, steps=5, learning_starts=30, learning_rate=3e-3, gamma=0.4)
    batch = source.next(learner).rollout
    mask = np.ones(batch.rewards.shape, bool)
    mask[3:, ::2] = False
    logged = replace(batch, mask=mask, on_policy=False, probs=np.full(batch.rewards.shape, np.nan))
    for _ in range(120):
        learner.partial_fit(logged)
    assert learner._model.replay_buffer.pos == 120 * mask.sum()
    assert learner.policy().probs.argmax(1).tolist() == [0, 1, 2]


def test_global_generators_are_left_alone():
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    learner, source = begun("rows", "ppo", **SETTINGS["ppo"])
    trained(learner, source, 2)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_parameters_are_read_and_cloned():
    learner = SB3("dqn", learning_rate=1e-3)
    assert learner.steps == 4 == make_learner("sb3:dqn", {"steps": "none"}).steps
    assert SB3(**learner.get_params()).get_params() == learner.get_params()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: SB3("a3c"), "no algorithm 'a3c' (did you mean 'a2c'?)"),
        (lambda: begun("rows", "a2c", clip_range=0.1), "sb3:a2c has no parameter 'clip_range'"),
        (lambda: begun("numbers", "dqn"), "chooses among named actions"),
        (lambda: begun("rows", "a2c", gamma=-1), "gamma of learner sb3:a2c is -1; it may be 0 to 1"),
        (lambda: begun("rows", "dqn", buffer_size=0), "buffer_size of learner sb3:dqn is 0; it may be 1 or more"),
        (lambda: begun("rows", "dqn", total_timesteps=0), "total_timesteps of learner sb3:dqn is 0; it may be 1 or more"),
        (lambda: begun("rows", "ppo", n_epochs=0), "n_epochs of learner sb3:ppo is 0; it may be 1 or more"),
        (lambda: begun("rows", "ppo", envs=1, steps=1), "learner sb3:ppo cannot be made: `n_steps * n_envs` must be greater than 1"),
        (lambda: make_learner("sb3:a2c", {"steps": "0"}), "steps is 0; at least 1"),
        (lambda: begun("rows", "a2c")[0].widen(Echo(1).spaces, np.arange(3)), "cannot go on with new values"),
    ],
)
def test_what_it_cannot_do_is_said(make, told):
    with pytest.raises(UsageProblem) as problem:
        make()
    assert told in str(problem.value)


def test_a2c_refuses_a_log():
    learner, source = begun("rows", "a2c")
    with pytest.raises(UsageProblem, match="not from a log"):
        learner.partial_fit(replace(source.next(learner).rollout, on_policy=False))
