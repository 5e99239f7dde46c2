"""A2C: a policy and a value network, one gradient step a rollout (Mnih et al. 2016), off-policy by V-trace; no replay, no workers."""

from math import inf
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations, Spaces, State
from dialogue.errors import UsageProblem
from policies.advantages import advantages_and_errors
from policies.contract import Learner, Policy
from policies.distributions import drawn, gaussian, gaussian_actions, gaussian_logs, log_softmax
from policies.experience import Floats, Rollout
from policies.forward_passes import ForwardPasses, Rows, by_rows
from policies.network import POLICY, Array, Layout, backward, forward, outputs_of, values_of
from policies.network_policy import NetworkPolicy
from policies.parameters import COUNT, NOT_NEGATIVE, SHARE, Allowed, Parameters, Span
from policies.policy_gradient import gaussian_gradient, softmax_gradient
from policies.rmsprop import clipped, rmsprop
from policies.schedules import Scheduled, schedule
from policies.steps_taken import taken
from policies.table import TablePolicy
from policies.widening import columns_in, widened


class A2C(Learner):
    """Advantage actor-critic, synchronous, over discrete or continuous actions and any observations.

    The update is that of Stable-Baselines3's A2C; parameters are named as there where they mean the same. `A2C.as_sb3()` has its
    defaults, which are unsafe on dialogues: batches of 5 steps without an entropy bonus end in a bad policy in one seed of five.
    Continuous actions are those of a clipped Gaussian, weighed as such: see policies.distributions.

    Args:
        learning_rate: of RMSprop; a number or a schedule over the steps taken, such as `linear:7e-4:0:1e6`.
        steps: of each episode between two updates (SB3's n_steps).
        envs: episodes side by side.
        gamma: discount.
        gae_lambda: trace of the advantages, and of V-trace.
        ent_coef: weight of the entropy in the loss.
        vf_coef: weight of the squared error of the values.
        max_grad_norm: to which the gradient is scaled down.
        rms_alpha: how much RMSprop keeps of its mean.
        rms_eps: what RMSprop adds to its root.
        normalize_advantage: to mean 0 and deviation 1 in each rollout.
        units: of each hidden layer.
        layers: hidden layers of each net.
        rho_clip: V-trace's rho-bar, for off-policy rollouts.
        c_clip: V-trace's c-bar.
        distinct: evaluate the nets once per distinct observation where these are discrete and not many more than the steps of a
            rollout: the same gradient, faster. False evaluates them at every step.
        precision: of the nets; float64 takes twice the time. Returns and advantages are float64 always.
    """

    name = "a2c"
    continuous = True
    vectors = True
    allowed: ClassVar[Allowed] = Parameters.allowed | {
        **dict.fromkeys(("units", "layers"), COUNT),
        **dict.fromkeys(("gamma", "gae_lambda", "rms_alpha"), SHARE),
        **dict.fromkeys(("ent_coef", "vf_coef", "rms_eps"), NOT_NEGATIVE),
        **dict.fromkeys(("rho_clip", "c_clip"), Span(0, inf)),  # infinity: nothing is clipped
        "max_grad_norm": Span(1e-12, inf),
        "precision": ("float32", "float64"),
    }

    def __init__(
        self,
        learning_rate: Scheduled = 2.5e-3,
        steps: int = 5,
        envs: int = 256,
        gamma: float = 0.99,
        gae_lambda: float = 1.0,
        ent_coef: float = 0.01,
        vf_coef: float = 0.5,
        max_grad_norm: float = 0.5,
        rms_alpha: float = 0.99,
        rms_eps: float = 1e-5,
        normalize_advantage: bool = False,
        units: int = 64,
        layers: int = 2,
        rho_clip: float = 1.0,
        c_clip: float = 1.0,
        distinct: bool = True,
        precision: Literal["float32", "float64"] = "float32",
    ) -> None:
        self.learning_rate = learning_rate
        self.steps = steps
        self.envs = envs
        self.gamma = gamma
        self.gae_lambda = gae_lambda
        self.ent_coef = ent_coef
        self.vf_coef = vf_coef
        self.max_grad_norm = max_grad_norm
        self.rms_alpha = rms_alpha
        self.rms_eps = rms_eps
        self.normalize_advantage = normalize_advantage
        self.units = units
        self.layers = layers
        self.rho_clip = rho_clip
        self.c_clip = c_clip
        self.distinct = distinct
        self.precision = precision

    @classmethod
    def as_sb3(cls, **changed: Any) -> Self:
        """Return a learner with the defaults of Stable-Baselines3 2.9's A2C, and what is changed of them."""
        theirs = {"learning_rate": 7e-4, "steps": 5, "envs": 1, "gamma": 0.99, "gae_lambda": 1.0, "ent_coef": 0.0, "vf_coef": 0.5}
        return cls(**theirs | {"max_grad_norm": 0.5, "rms_alpha": 0.99, "rms_eps": 1e-5, "normalize_advantage": False} | changed)

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """Draw the networks' weights anew.

        Raises:
            UsageProblem: a parameter is out of its range.
        """
        self.see_allowed(self.name)
        schedule(self.learning_rate)
        self.rng_ = np.random.default_rng(seed)
        self.parameters_ = self._layout(spaces).initial(self.rng_, self.precision)
        self.squares_ = np.zeros_like(self.parameters_)  # RMSprop's mean of the squared gradient
        self.steps_ = 0
        self.updates_ = 0
        self.counts_ = None if spaces.observations is None or spaces.continuous else _no_counts(spaces)
        self._bind(spaces)
        return self

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return sampled actions, and the probability (density) of each."""
        if self.distinct and by_rows(self.spaces, self.steps * len(observations)):
            rows = self._passes.rows()
            actions = drawn(rows.below.take(observations, 1), self.rng_)
            return actions, rows.probs[actions, observations]
        outputs = self._passes.acting(observations)
        if self.spaces.continuous:
            actions = gaussian_actions(outputs, self._weights.log_std, self.rng_)
            found = np.exp(gaussian_logs(outputs, self._weights.log_std, actions))
        else:
            probs = np.exp(log_softmax(outputs))
            actions = drawn(probs.cumsum(0), self.rng_)
            found = probs[actions, np.arange(len(actions))]
        self._passes.gave(found)
        return actions, found

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Take one step down the gradient of the loss over the rollout.

        Returns:
            `loss` and its parts `policy_loss`, `value_loss` (mean squared error) and `entropy`, and `grad_norm` before it was clipped.

        Raises:
            UsageProblem: an off-policy rollout does not say how probable its actions were.
        """
        n = rollout.steps
        if not n:
            return {}
        seen, actions = taken(rollout.observations, rollout), taken(rollout.actions, rollout)
        if self.spaces.continuous:
            losses = self._fit_gaussian(rollout, seen, actions)
        elif self.distinct and by_rows(self.spaces, n):
            losses = self._fit_rows(rollout, seen, actions)
        else:
            losses = self._fit_steps(rollout, seen, actions)
        policy_loss, value_loss, entropy = losses
        norm = self._descend(n)
        if self.counts_ is not None:
            places = seen * self.counts_.shape[1] + actions
            self.counts_ += np.bincount(places, minlength=self.counts_.size).reshape(self.counts_.shape)
        loss = policy_loss - self.ent_coef * entropy + self.vf_coef * value_loss
        return {"loss": loss, "policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy, "grad_norm": norm}

    def _fit_rows(self, rollout: Rollout, seen: NDArray[Any], actions: Actions) -> tuple[float, float, float]:
        """Write the gradient, evaluating every distinct observation once: that of a row is the sum over the steps that saw it."""
        rows, n = self._passes.rows(), len(seen)
        logs = rows.logs[actions, seen]
        advantages, errors = self._advantages(rollout, rows.values[seen], logs, rows)
        shape = rows.logs.shape
        weights = np.asarray(np.bincount(actions * shape[1] + seen, advantages, rows.logs.size), np.float64).reshape(shape)
        times = np.bincount(seen, minlength=shape[1])
        found = softmax_gradient(rows.logs, rows.probs, weights, times, n, self.ent_coef)
        row_errors = np.asarray(np.bincount(seen, errors, shape[1]), np.float64)
        self._backward(self._passes.features, rows.hidden, found.by_output, row_errors, n)
        return -float(advantages @ logs) / n, float(errors @ errors) / n, found.entropy

    def _fit_steps(self, rollout: Rollout, seen: NDArray[Any], actions: Actions) -> tuple[float, float, float]:
        """Write the gradient, evaluating every step."""
        features, n = self._passes.features_of(seen), len(seen)
        hidden = self._passes.hidden_of(rollout, features)
        all_logs, at = log_softmax(outputs_of(self._weights, hidden[-1][0])), (actions, np.arange(n))
        logs = all_logs[at]
        advantages, errors = self._advantages(rollout, values_of(self._weights, hidden[-1][1]), logs)
        weights = np.zeros(all_logs.shape)
        weights[at] = advantages
        found = softmax_gradient(all_logs, np.exp(all_logs), weights, 1, n, self.ent_coef)
        self._backward(features, hidden, found.by_output, errors, n)
        return -float(advantages @ logs) / n, float(errors @ errors) / n, found.entropy

    def _fit_gaussian(self, rollout: Rollout, seen: NDArray[Any], actions: Actions) -> tuple[float, float, float]:
        """Write the gradient where actions are continuous."""
        features, n = self._passes.features_of(seen), len(seen)
        hidden = self._passes.hidden_of(rollout, features)
        log_std = self._weights.log_std
        made = gaussian(outputs_of(self._weights, hidden[-1][0]), log_std, actions)
        advantages, errors = self._advantages(rollout, values_of(self._weights, hidden[-1][1]), made.logs)
        found = gaussian_gradient(made, log_std, advantages, self.ent_coef)
        self._backward(features, hidden, found.by_output, errors, n)
        self._by.log_std[...] = found.by_log_std
        return -float(advantages @ made.logs) / n, float(errors @ errors) / n, found.entropy

    def policy(self) -> Policy:
        """Return a table where observations and actions are discrete, otherwise the policy network."""
        if self.counts_ is None:
            return NetworkPolicy.of(self.spaces, self._weights)
        hidden = forward(self._weights, self._passes.features, POLICY)
        probs = np.exp(log_softmax(outputs_of(self._weights, hidden[-1][0]).astype(np.float64)))
        return TablePolicy(self.spaces, np.ascontiguousarray((probs / probs.sum(0)).T), counts=self.counts_.copy())

    def widen(self, spaces: Spaces, moved: NDArray[np.intp]) -> None:
        """Make room for new features: their weights are 0, so a new value counts as if its field said nothing.

        What was there before acts as before, but for the last bits: BLAS adds in an order that depends on how many rows there are.

        Raises:
            UsageProblem: observations are vectors, or an old feature is missing among the new ones.
        """
        if self.spaces.observations is None:
            raise UsageProblem("observations that are vectors cannot become more; train a new policy for another width")
        columns = columns_in(spaces.features[moved], self.spaces.features)
        layout, wider = self._layout(self.spaces), self._layout(spaces)
        self.parameters_ = widened(self.parameters_, layout, wider, columns)
        self.squares_ = widened(self.squares_, layout, wider, columns)
        if self.counts_ is not None:
            counts = _no_counts(spaces)
            counts[moved] = self.counts_
            self.counts_ = counts
        self._bind(spaces)

    def restore(self, state: State) -> Self:
        """As the contract says."""
        super().restore(state)
        self._bind(self.spaces)
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_weights", "_gradient", "_by")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "parameters_" in state:
            self._bind(self.spaces)
            self._passes = state["_passes"]  # a copy may be made in the midst of a rollout: what acting has computed goes with it
            self._passes.weights = self._weights

    def _layout(self, spaces: Spaces) -> Layout:
        width = spaces.width if spaces.observations is None else spaces.features.shape[1]
        return Layout(width, len(spaces.actions), (self.units,) * self.layers, len(spaces.actions) if spaces.continuous else 0)

    def _bind(self, spaces: Spaces) -> None:
        """Cut the views that everything works with; nothing here is more than the parameters and the spaces say."""
        layout = self._layout(spaces)
        self.spaces = spaces
        self._weights = layout.cut(self.parameters_)
        self._gradient = np.zeros_like(self.parameters_)
        self._by = layout.cut(self._gradient)
        self._passes = ForwardPasses(self._weights, spaces, self.steps)

    def _advantages(self, rollout: Rollout, values: Array, logs: Array, rows: Rows | None = None) -> tuple[Floats, Floats]:
        """Return what the log probabilities are weighed with, and the errors of the values, of every step taken."""
        values_at = rows.values.__getitem__ if rows else self._passes.values_at
        clips = self.rho_clip, self.c_clip
        advantages, errors = advantages_and_errors(rollout, values, logs, values_at, self.gamma, self.gae_lambda, *clips)
        if self.normalize_advantage and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std(ddof=1) + 1e-8)
        return advantages, errors

    def _backward(self, features: Array, hidden: list[Array], by_output: Array, errors: Floats, n: int) -> None:
        """Write the gradient, with that of the values' mean squared error; errors are summed over the steps of each row."""
        by_value = errors * (-2 * self.vf_coef / n)
        dtype = features.dtype
        backward(self._weights, features, hidden, by_output.astype(dtype, copy=False), by_value.astype(dtype, copy=False), self._by)

    def _descend(self, steps: int) -> float:
        """Take the step of RMSprop down the gradient; return the gradient's norm before it was clipped."""
        self.steps_ += steps
        self.updates_ += 1
        rate = float(schedule(self.learning_rate).at(self.steps_, np.array(self.updates_)))
        norm = clipped(self._gradient, self.max_grad_norm)
        rmsprop(self.parameters_, self.squares_, self._gradient, rate, self.rms_alpha, self.rms_eps)
        self._passes.forget()
        return norm


def _no_counts(spaces: Spaces) -> NDArray[np.int64]:
    return np.zeros((spaces.observations or 0, len(spaces.actions)), np.int64)
