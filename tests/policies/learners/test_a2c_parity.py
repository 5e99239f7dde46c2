"""A2C beside Stable-Baselines3's: the same weights and rollouts give the same updates, and both learn an environment equally well.

SB3 computes in float32, so float64 on our side can agree to float32's rounding only: after 50 updates parameters differ by less than 1e-5.
"""

import numpy as np
import pytest
import torch
from stable_baselines3 import A2C as SB3A2C
from stable_baselines3.common.callbacks import BaseCallback

from dialogue.environments.contract import Spaces, Step
from policies.experience import Rollout
from policies.learners.a2c import A2C
from policies.rollout import Rollouts
from policies.sb3_env import BatchVecEnv

NAMES = ("warm", "firm", "brief")
WIDTH, ENVS = 6, 8


@pytest.fixture(autouse=True)
def one_thread():
    """PyTorch is slower on several threads where arrays are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Wandering:
    """Vectors drift with the action; a step pays for a good match, ends the episode at times, and cuts it off at times."""

    def __init__(self, n, continuous):
        self.n, self.spaces = n, Spaces(NAMES, continuous=continuous, width=WIDTH)
        self.wanted = np.random.default_rng(0).normal(size=(WIDTH, 3))
        self.log = []

    def reset(self, seed):
        self.rng = np.random.default_rng(seed)
        self.observations = self.rng.normal(size=(self.n, WIDTH)).astype(np.float32)
        return self.observations

    def step(self, actions):
        places = actions if self.spaces.continuous else np.eye(3)[actions]
        assert places.min() >= 0
        assert places.max() <= 1
        rewards = ((self.observations @ self.wanted) * places).sum(1) * 0.3
        after = (0.8 * self.observations + 0.5 * self.rng.normal(size=(self.n, WIDTH))).astype(np.float32)
        fate = self.rng.random(self.n)
        step = Step(after, rewards, fate < 0.1, fate > 0.85)
        self.log.append((self.observations, step))
        fresh = self.rng.normal(size=(self.n, WIDTH)).astype(np.float32)
        self.observations = np.where((step.terminated | step.truncated)[:, None], fresh, after)
        return step


def vector_of(model, learner):
    """Return SB3's weights in the order of our vector, which `learner` knows."""
    found = np.zeros_like(learner.parameters_)
    weights, policy = learner._layout(learner.spaces).cut(found), model.policy
    for net, layers in enumerate((policy.mlp_extractor.policy_net, policy.mlp_extractor.value_net)):
        for (weight, bias), layer in zip(weights.layers, layers[::2], strict=True):
            weight[net], bias[net, 0] = layer.weight.detach().numpy().T, layer.bias.detach().numpy()
    weights.policy[...], weights.policy_bias[...] = policy.action_net.weight.detach().numpy().T, policy.action_net.bias.detach().numpy()
    weights.value[...], weights.value_bias[...] = policy.value_net.weight.detach().numpy()[0], policy.value_net.bias.detach().numpy()
    if learner.spaces.continuous:
        weights.log_std[...] = policy.log_std.detach().numpy()
    return found


def squares_of(model, learner):
    """Return SB3's running mean of the squared gradient in the order of our vector."""
    optimiser = model.policy.optimizer
    kept = [parameter.detach().clone() for parameter in model.policy.parameters()]
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.copy_(optimiser.state[parameter]["square_avg"])
    found = vector_of(model, learner)
    with torch.no_grad():
        for parameter, value in zip(model.policy.parameters(), kept, strict=True):
            parameter.copy_(value)
    return found


def rollout_of(model, log):
    """Return what SB3 just went through; its buffer holds continuous actions as they were before they were clipped."""
    seen, steps = zip(*log, strict=True)
    nexts, rewards, terminated, truncated = (np.stack(part) for part in zip(*steps, strict=True))
    actions, probs = model.rollout_buffer.actions, np.exp(model.rollout_buffer.log_probs)
    actions = (actions.astype(np.float64) + 1) / 2 if model.action_space.shape else actions[..., 0].astype(np.intp)
    return Rollout(np.stack(seen), actions, probs, rewards, nexts, terminated, truncated)


class Silent(BaseCallback):
    def _on_step(self):
        return True


@pytest.mark.parametrize("continuous", [False, True], ids=["discrete", "continuous"])
@pytest.mark.parametrize("normalize", [False, True], ids=["raw", "normalized"])
def test_fifty_updates_are_those_of_sb3(continuous, normalize):
    """In both precisions, on the same rollouts of SB3's: it acts, ours only learn."""
    settings = {"gamma": 0.97, "gae_lambda": 0.9, "ent_coef": 0.02, "normalize_advantage": normalize}
    env = Wandering(ENVS, continuous)
    model = SB3A2C("MlpPolicy", BatchVecEnv(env, np.random.SeedSequence(1)), seed=3, device="cpu", **settings)
    learners = [
        A2C.as_sb3(envs=ENVS, precision=precision, **settings).begin(env.spaces, np.random.SeedSequence(0))
        for precision in ("float64", "float32")
    ]
    for learner in learners:
        learner.parameters_[...] = vector_of(model, learner)
    _, callback = model._setup_learn(10**6, Silent())
    for _ in range(50):
        env.log.clear()
        model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
        rollout = rollout_of(model, env.log)
        model.train()
        for learner in learners:
            learner.partial_fit(rollout)
    for learner in learners:
        assert np.abs(learner.parameters_ - vector_of(model, learner)).max() < 1e-5, learner.precision
        assert learner.squares_ == pytest.approx(squares_of(model, learner), rel=1e-3, abs=1e-9), learner.precision


def test_one_update_in_float64_differs_from_sb3_by_float32s_rounding():
    env = Wandering(ENVS, False)
    model = SB3A2C("MlpPolicy", BatchVecEnv(env, np.random.SeedSequence(1)), seed=3, device="cpu")
    learner = A2C.as_sb3(envs=ENVS, precision="float64").begin(env.spaces, np.random.SeedSequence(0))
    learner.parameters_[...] = vector_of(model, learner)
    before = learner.parameters_.copy()
    _, callback = model._setup_learn(10**6, Silent())
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    rollout = rollout_of(model, env.log)  # first: train() lays the buffer out anew
    model.train()
    learner.partial_fit(rollout)
    assert np.abs(learner.parameters_ - before).max() > 1e-4
    assert np.abs(learner.parameters_ - vector_of(model, learner)).max() < 1e-6


def test_the_defaults_are_those_of_sb3():
    env = BatchVecEnv(Wandering(1, False), np.random.SeedSequence(0))
    model, ours = SB3A2C("MlpPolicy", env, device="cpu"), A2C.as_sb3().get_params()
    for name in ("learning_rate", "gamma", "gae_lambda", "ent_coef", "vf_coef", "max_grad_norm", "normalize_advantage"):
        assert ours[name] == getattr(model, name), name
    (group,) = model.policy.optimizer.param_groups
    assert (ours["steps"], ours["envs"], ours["rms_alpha"], ours["rms_eps"]) == (model.n_steps, 1, group["alpha"], group["eps"])
    assert isinstance(model.policy.optimizer, torch.optim.RMSprop)


def mean_reward(steps):
    return float(np.mean([step.rewards.mean() for _, step in steps]))


def test_both_learn_equally_well():
    """Mean reward of the last 40 of 120 rollouts, 5 seeds each: the means differ by less than 3 standard errors of the difference."""
    settings, rollouts = {"learning_rate": 2e-3, "ent_coef": 0.01}, 120
    ours, theirs = [], []
    for seed in range(5):
        env = Wandering(ENVS, False)
        model = SB3A2C("MlpPolicy", BatchVecEnv(env, np.random.SeedSequence(seed)), seed=seed, device="cpu", **settings)
        model.learn(rollouts * ENVS * 5)
        theirs.append(mean_reward(env.log[-200:]))
        env = Wandering(ENVS, False)
        learner = A2C.as_sb3(envs=ENVS, **settings).begin(env.spaces, np.random.SeedSequence(100 + seed))
        source = Rollouts(env, np.random.SeedSequence(seed))
        first = len(env.log)
        for _ in range(rollouts):
            learner.partial_fit(source.next(learner).rollout)
        assert len(env.log) - first == rollouts * 5
        ours.append(mean_reward(env.log[-200:]))
    error = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / 5)
    assert abs(np.mean(ours) - np.mean(theirs)) < 3 * error, (ours, theirs)
    assert min(ours) > 0.5 * max(theirs) > 0.1, (ours, theirs)  # both have learned something: acting at random earns 0
