"""Stable-Baselines3's A2C, PPO and DQN as learners: their networks, losses and optimisers, our loop and checkpoints; needs the extra [sb3].

What drives: our rollouts are laid into their buffers and their `train()` is called, with as many steps and episodes between two calls as
their own `learn()` would take, so the updates are theirs. What differs from `learn()`, all of it: DQN's episodes each throw their own coin
for exploring, where SB3 throws one for all, so that the probability of an action can be said; and values are computed for the whole
rollout at once, which differs from step by step by float32's rounding. To run `learn()` itself, give it a policies.sb3_env.BatchVecEnv.

A checkpoint holds weights, optimiser, counters, PyTorch's and NumPy's generators and DQN's replay buffer as arrays, no pickle: on the
same machine and the same PyTorch, stopped and resumed equals never stopped, bit for bit. On other machines PyTorch itself may round
differently.
"""

from collections.abc import Mapping
from copy import deepcopy
from inspect import signature
from math import inf
from typing import Any, ClassVar, Self

import numpy as np
import stable_baselines3
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer, RolloutBuffer
from stable_baselines3.common.logger import Logger

from dialogue.environments.contract import Actions, Observations, Spaces, State
from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.seeds import child
from policies.contract import Learner, Policy
from policies.distributions import gaussian_logs, moved
from policies.experience import Floats, Rollout
from policies.parameters import ABOVE_0, COUNT, NOT_NEGATIVE, SHARE, Allowed, Parameters, Span
from policies.sb3_env import BatchVecEnv, features_of
from policies.sb3_model import Unused, chance_of, model_state, network_of, restore_model
from policies.steps_taken import taken
from policies.table import TablePolicy

ALGORITHMS: Mapping[str, Any] = {"a2c": stable_baselines3.A2C, "dqn": stable_baselines3.DQN, "ppo": stable_baselines3.PPO}
STEPS: Mapping[str, int] = {"a2c": 5, "dqn": 4, "ppo": 2048}  # their n_steps and train_freq
OURS = ("algorithm", "steps", "envs", "total_timesteps")


class SB3(Learner):
    """One of Stable-Baselines3's algorithms with its MlpPolicy. Parameters are theirs; None leaves them at their defaults.

    Args:
        algorithm: a2c, dqn or ppo.
        steps: of each episode between two updates: n_steps of a2c and ppo, train_freq of dqn.
        envs: episodes side by side.
        total_timesteps: over which dqn's exploration falls; it stays where it ended when more are taken.
        learning_rate: theirs, as are all below.
    """

    name = "sb3"
    continuous = True
    vectors = True
    allowed: ClassVar[Allowed] = Parameters.allowed | {
        **dict.fromkeys(("total_timesteps", "batch_size", "n_epochs", "buffer_size", "target_update_interval"), COUNT),
        **dict.fromkeys(("gamma", "gae_lambda", "tau", "exploration_initial_eps", "exploration_final_eps"), SHARE),
        **dict.fromkeys(("learning_rate", "ent_coef", "vf_coef", "rms_prop_eps", "learning_starts"), NOT_NEGATIVE),
        **dict.fromkeys(("clip_range", "target_kl"), ABOVE_0),
        "max_grad_norm": Span(1e-12, inf),  # infinity: nothing is clipped
        "gradient_steps": Span(-1),  # as many as steps were taken
        "exploration_fraction": Span(1e-12, 1),
    }

    def __init__(
        self,
        algorithm: str = "a2c",
        steps: int | None = None,
        envs: int = 8,
        total_timesteps: int = 100_000,
        learning_rate: float | None = None,
        gamma: float | None = None,
        gae_lambda: float | None = None,
        ent_coef: float | None = None,
        vf_coef: float | None = None,
        max_grad_norm: float | None = None,
        rms_prop_eps: float | None = None,
        use_rms_prop: bool | None = None,
        normalize_advantage: bool | None = None,
        batch_size: int | None = None,
        n_epochs: int | None = None,
        clip_range: float | None = None,
        target_kl: float | None = None,
        buffer_size: int | None = None,
        learning_starts: int | None = None,
        tau: float | None = None,
        gradient_steps: int | None = None,
        target_update_interval: int | None = None,
        exploration_fraction: float | None = None,
        exploration_initial_eps: float | None = None,
        exploration_final_eps: float | None = None,
        policy_kwargs: dict[str, Any] | None = None,
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise UsageProblem(f"sb3 has no algorithm {algorithm!r}{did_you_mean(algorithm, ALGORITHMS)}; it has {listed(ALGORITHMS)}")
        given = {name: value for name, value in locals().items() if name in self._names() and name not in OURS}
        self.algorithm = algorithm
        self.steps = STEPS[algorithm] if steps is None else steps
        self.envs = envs
        self.total_timesteps = total_timesteps
        for name, value in given.items():
            setattr(self, name, value)

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """Make the model anew.

        Raises:
            UsageProblem: the algorithm has no such parameter, or not with this value, or does not take continuous actions.
        """
        self.see_allowed(f"sb3:{self.algorithm}")
        if self.algorithm == "dqn" and spaces.continuous:
            raise UsageProblem("sb3:dqn chooses among named actions, here they are numbers; take sb3:a2c, sb3:ppo or a2c")
        settings = {name: getattr(self, name) for name in self._names() if name not in OURS and getattr(self, name) is not None}
        known = signature(ALGORITHMS[self.algorithm].__init__).parameters
        for name in settings:
            if name not in known:
                fitting = [own for own in self._names() if own in known or own in OURS]
                raise UsageProblem(f"sb3:{self.algorithm} has no parameter {name!r}; it has {listed(fitting)}")
        settings["train_freq" if self.algorithm == "dqn" else "n_steps"] = self.steps
        first, second = child(seed, 0), child(seed, 1)
        self.spaces = spaces
        self.rng_ = np.random.default_rng(first)  # dqn explores by it
        self.chance_: State = {}  # of PyTorch and NumPy's global generator, which the algorithms draw from
        with chance_of(self.chance_):
            env = BatchVecEnv(Unused(spaces, self.envs), np.random.SeedSequence(0))
            number = int(second.generate_state(1)[0])
            try:
                self._model = ALGORITHMS[self.algorithm]("MlpPolicy", env, seed=number, device="cpu", **settings)
            except (AssertionError, ValueError) as error:
                raise UsageProblem(f"learner sb3:{self.algorithm} cannot be made: {' '.join(str(error).split())}") from error
        self._model.set_logger(Logger(folder=None, output_formats=[]))
        self._model._total_timesteps = self.total_timesteps
        if self.algorithm == "dqn":
            model = self._model
            model.replay_buffer = ReplayBuffer(model.buffer_size, model.observation_space, model.action_space, "cpu", 1)
        self._unclipped: list[NDArray[Any]] = []
        return self

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return actions as the algorithm explores, and their probabilities (densities)."""
        seen = torch.from_numpy(features_of(self.spaces, observations))
        with chance_of(self.chance_), torch.no_grad():
            if self.algorithm == "dqn":
                return self._explored(self._model.q_net(seen).numpy())
            distribution = self._model.policy.get_distribution(seen)
            drawn = distribution.get_actions()
            if not self.spaces.continuous:
                return drawn.numpy(), np.exp(distribution.log_prob(drawn).numpy().astype(np.float64))
            unclipped, means = drawn.numpy(), distribution.distribution.mean.numpy().astype(np.float64)
            actions = moved(unclipped)
            self._unclipped = [*self._unclipped[-self.steps + 1 :], unclipped] if self.steps > 1 else [unclipped]
            return actions, np.exp(gaussian_logs(means.T, self._model.policy.log_std.detach().numpy().astype(np.float64), actions))

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Lay the rollout into the algorithm's buffer, and call its `train()`.

        Raises:
            UsageProblem: a2c and ppo are given an off-policy rollout.
        """
        if not rollout.steps:
            return {}
        with chance_of(self.chance_):
            if self.algorithm == "dqn":
                self._replay(rollout)
            else:
                self._fit(rollout)
        told = self._model.logger.name_to_value
        found = {name.removeprefix("train/"): float(value) for name, value in told.items() if name.startswith("train/")}
        told.clear()
        if self.algorithm == "a2c":
            model = self._model
            found["loss"] = found["policy_loss"] + model.ent_coef * found["entropy_loss"] + model.vf_coef * found["value_loss"]
        kept = ("loss", "policy_loss", "policy_gradient_loss", "value_loss", "approx_kl")
        entropy = {"entropy": -found["entropy_loss"]} if "entropy_loss" in found else {}
        return {name: found[name] for name in kept if name in found} | entropy

    def policy(self) -> Policy:
        """Return a table where observations and actions are discrete, otherwise the network; DQN's is the greedy one."""
        model, spaces = self._model, self.spaces
        if spaces.observations is None or spaces.continuous:
            return network_of(model, spaces)
        seen = torch.from_numpy(features_of(spaces, np.arange(spaces.observations)))
        with torch.no_grad():
            if self.algorithm == "dqn":
                values = model.q_net(seen).numpy().astype(np.float64)
                best = values == values.max(1, keepdims=True)
                return TablePolicy(spaces, best / best.sum(1, keepdims=True), values)
            probs = model.policy.get_distribution(seen).distribution.probs.numpy().astype(np.float64)
        return TablePolicy(spaces, probs / probs.sum(1, keepdims=True))

    def widen(self, spaces: Spaces, moved: NDArray[np.intp]) -> None:
        """Refuse: their models cannot grow.

        Raises:
            UsageProblem: always.
        """
        raise UsageProblem(f"sb3:{self.algorithm} cannot go on with new values of the state; train it anew, or take a2c, which can")

    def state(self) -> State:
        """Return weights, optimiser, counters, generators and DQN's transitions."""
        return deepcopy({"rng_": self.rng_, "chance_": self.chance_, "model_": model_state(self._model)})

    def restore(self, state: State) -> Self:
        """Take over what `state()` gave; `begin` has been called for the same spaces."""
        self.rng_, self.chance_ = deepcopy(state["rng_"]), deepcopy(state["chance_"])
        restore_model(self._model, state["model_"])
        self._unclipped = []
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: the parameters and the state, since PyTorch's graphs cannot be copied."""
        begun = {"spaces": self.spaces, "state": self.state(), "_unclipped": self._unclipped} if "_model" in vars(self) else {}
        return self.get_params() | begun

    def __setstate__(self, given: dict[str, Any]) -> None:
        vars(self).update({name: given[name] for name in self._names()})
        if "state" in given:
            self.begin(given["spaces"], np.random.SeedSequence(0)).restore(given["state"])
            self._unclipped = given["_unclipped"]

    def _fit(self, rollout: Rollout) -> None:
        """Let A2C or PPO learn."""
        if not rollout.on_policy or rollout.mask is not None:
            raise UsageProblem(f"sb3:{self.algorithm} learns from what it does itself only, not from a log; take a2c or sb3:dqn")
        model, ends, (steps, n) = self._model, rollout.ends, rollout.rewards.shape
        seen, actions = features_of(self.spaces, rollout.observations), self._as_theirs(rollout.actions)
        cut = rollout.truncated & ~rollout.terminated
        rewards = rollout.rewards.astype(np.float32)
        with torch.no_grad():
            found = model.policy.evaluate_actions(*(torch.tensor(part.reshape(steps * n, *part.shape[2:])) for part in (seen, actions)))
            values, logs = (part.reshape(steps, n) for part in found[:2])
            if cut.any():
                after = torch.from_numpy(features_of(self.spaces, rollout.next_observations[cut]))
                rewards[cut] += model.gamma * model.policy.predict_values(after).numpy()[:, 0]
            last = np.where(ends[-1].reshape(n, *[1] * (rollout.next_observations.ndim - 2)), 0, rollout.next_observations[-1])
            last_values = model.policy.predict_values(torch.from_numpy(features_of(self.spaces, last)))
        buffer = model.rollout_buffer = RolloutBuffer(
            steps, model.observation_space, model.action_space, "cpu", gae_lambda=model.gae_lambda, gamma=model.gamma, n_envs=n
        )
        starts = np.zeros(n, bool)
        for t in range(steps):
            buffer.add(seen[t], actions[t], rewards[t], starts, values[t], logs[t])
            starts = ends[t]
        buffer.compute_returns_and_advantage(last_values, ends[-1])
        model.num_timesteps += steps * n
        model._update_current_progress_remaining(model.num_timesteps, self.total_timesteps)
        model.train()

    def _as_theirs(self, actions: Actions) -> NDArray[Any]:
        """Return actions as they are in SB3: of those that this learner just took, what they were before they were clipped."""
        if not self.spaces.continuous:
            return np.asarray(actions, np.int64)
        unclipped, self._unclipped = self._unclipped, []
        if len(unclipped) == len(actions) and all(map(np.array_equal, map(moved, unclipped), actions)):
            return np.stack(unclipped)
        return (2 * actions - 1).astype(np.float32)

    def _replay(self, rollout: Rollout) -> None:
        """Let DQN learn: as often as it would have learned while taking these steps."""
        model, buffer, n = self._model, self._model.replay_buffer, rollout.steps
        terminated = taken(rollout.terminated, rollout)
        after = np.array(taken(rollout.next_observations, rollout))
        after[terminated] = 0  # may be anything; it counts for nothing
        parts = {
            "observations": features_of(self.spaces, taken(rollout.observations, rollout)),
            "next_observations": features_of(self.spaces, after),
            "actions": taken(rollout.actions, rollout)[:, None],
            "rewards": taken(rollout.rewards, rollout),
            "dones": terminated,
            "timeouts": np.zeros(n),  # a cut goes on from what came after it, and does not count as done
        }
        places = (buffer.pos + np.arange(n)) % buffer.buffer_size
        for name, part in parts.items():
            getattr(buffer, name)[places, 0] = part
        buffer.full = buffer.full or buffer.pos + n >= buffer.buffer_size
        buffer.pos = int((buffer.pos + n) % buffer.buffer_size)
        counts = np.full(len(rollout.rewards), rollout.rewards.shape[1]) if rollout.mask is None else rollout.mask.sum(1)
        for count in counts.tolist():
            model.num_timesteps += count
            model._update_current_progress_remaining(model.num_timesteps, self.total_timesteps)
            model._on_step()
        if model.num_timesteps > model.learning_starts:
            times = -(-n // (self.steps * self.envs))
            model.train(batch_size=model.batch_size, gradient_steps=n if model.gradient_steps < 0 else times * model.gradient_steps)

    def _explored(self, values: NDArray[np.float32]) -> tuple[Actions, Floats]:
        """Return DQN's actions: greedy but for a share of random ones, and all random before it begins to learn."""
        model, (n, k) = self._model, values.shape
        share = 1.0 if model.num_timesteps < model.learning_starts else float(model.exploration_rate)
        best = values.argmax(1)
        actions = np.where(self.rng_.random(n) < share, self.rng_.integers(k, size=n), best)
        return actions, share / k + (1 - share) * (actions == best)
