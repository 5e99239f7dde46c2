"""Q-learning with values linear in the features, by semi-gradient; no network, no replay, no target weights."""

from typing import ClassVar, Self

import numpy as np

from dialogue.environments.contract import Actions, Observations, Spaces
from dialogue.errors import UsageProblem
from policies.contract import Learner, Policy
from policies.experience import Floats, Rollout
from policies.linear_features import features_of, picked, width_of
from policies.linear_policy import LinearPolicy
from policies.parameters import NOT_NEGATIVE, SHARE, Allowed, Parameters
from policies.returns import n_step_returns
from policies.schedules import Scheduled, schedule
from policies.steps_taken import gridded, taken
from policies.table import TablePolicy
from policies.tabular import Indices, bounds_of, draw, greedy_probs, top, widened
from policies.widening import columns_in

TOO_LARGE = 1e6  # times the largest reward: no value of a dialogue comes near, so the weights are on their way to infinity


class LinearQ(Learner):
    """Semi-gradient Q-learning (Sutton and Barto 2018, 11.1): w moves by alpha * (r + gamma max Q(s', .) - Q(s, a)) * x(s).

    Nothing comes after a termination. A return longer than one step goes on along the actions taken as long as they are greedy and takes
    the best value before the first that is not (Watkins), so it stays right whoever acted and needs no probabilities.

    Where several steps of a batch touch a weight, it moves by their mean, with the one step size that as many single steps make together:
    with one-hot features this is tabular Q-learning exactly. The step is divided by the largest squared length of a feature vector so far,
    so alpha is by how much of its error a single step changes its own value at most, whatever the scale of the features. Q-learning
    with features can diverge all the same (off-policy, bootstrapping, approximating); this is noticed and said.

    Args:
        alpha: step size, a schedule; its visits are those of a weight: the steps whose feature was not 0.
        gamma: discount.
        epsilon: share of random actions, a schedule over all steps.
        n: how many rewards a return takes in before it goes on from the values; 0 is to the end, as far as the rollout goes (`steps`).
        steps: T.
        envs: N.
    """

    name: ClassVar[str] = "linear"
    vectors: ClassVar[bool] = True
    allowed: ClassVar[Allowed] = Parameters.allowed | {"gamma": SHARE, "n": NOT_NEGATIVE}

    def __init__(
        self,
        alpha: Scheduled = "visits:0.5:0.001",
        gamma: float = 1.0,
        epsilon: Scheduled = 0.1,
        n: int = 1,
        steps: int = 1,
        envs: int = 64,
    ) -> None:
        self.alpha = alpha
        self.gamma = gamma
        self.epsilon = epsilon
        self.n = n
        self.steps = steps
        self.envs = envs

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """As the contract says.

        Raises:
            UsageProblem: actions are vectors, or a parameter is not what it may be.
        """
        self.see_allowed(self.name)
        schedule(self.alpha), schedule(self.epsilon)
        self.spaces = spaces
        shape = len(spaces.actions), width_of(spaces, self.name)
        self.weights_: Floats = np.zeros(shape)
        self.visits_ = np.zeros(shape, np.int64)
        self.counts_ = np.zeros((spaces.observations or 1, shape[0]), np.int64)  # one row for all vectors
        self.length_ = 0.0  # largest squared length of a feature vector
        self.largest_ = 0.0  # reward, without its sign
        self.steps_ = 0
        self.rng_ = np.random.default_rng(seed)
        self._refresh()
        return self

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return the best action, ties shared, or with probability epsilon any."""
        if self.spaces.observations is not None:
            return draw(self.bounds_, self.probs_, observations, self.rng_)
        probs = self._probs(features_of(self.spaces, observations))
        return draw(bounds_of(probs), probs, np.arange(len(probs)), self.rng_)

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Move the weights once; `loss` is the mean squared error before that.

        Raises:
            UsageProblem: the weights grow without bound.
        """
        if not rollout.steps:
            return {}
        seen, actions = taken(rollout.observations, rollout), taken(rollout.actions, rollout)
        features = features_of(self.spaces, seen)
        values = features @ self.weights_.T
        held = values[np.arange(len(actions)), actions]
        targets = self._targets(rollout, held, top(values))
        errors = targets - held
        self.length_ = max(self.length_, float(np.einsum("ij,ij->i", features, features).max()))
        self.largest_ = max(self.largest_, float(np.abs(taken(rollout.rewards, rollout)).max()))
        by_action = np.zeros((len(self.weights_), len(actions)))
        by_action[actions, np.arange(len(actions))] = 1
        touched = np.rint(by_action @ (features != 0)).astype(np.int64)
        sums = (by_action * errors) @ features
        rule = schedule(self.alpha)
        self.weights_ = self.weights_ + rule.together(self.steps_, self.visits_, touched) * sums / np.maximum(touched, 1) / (
            self.length_ or 1
        )
        self.visits_ = self.visits_ + touched
        rows = seen if self.spaces.observations is not None else np.zeros(len(actions), np.intp)
        self.counts_ = self.counts_ + np.bincount(rows * len(self.weights_) + actions, minlength=self.counts_.size).reshape(
            self.counts_.shape
        )
        self.steps_ += len(actions)
        self._check()
        self._refresh()
        return {"loss": float(errors @ errors) / len(errors)}

    def _targets(self, rollout: Rollout, held: Floats, best: Floats) -> Floats:
        """Return what each step taken should have been worth: (n,).

        Args:
            rollout: the steps.
            held: (n,) values of the actions taken.
            best: (n,) values of the best actions.
        """
        after = np.zeros(rollout.rewards.shape)
        goes_on = ~rollout.terminated if rollout.mask is None else rollout.mask & ~rollout.terminated
        after[goes_on] = top(features_of(self.spaces, rollout.next_observations[goes_on]) @ self.weights_.T)
        if self.n == 1:
            return taken(rollout.rewards, rollout) + self.gamma * taken(after, rollout)
        cut = rollout.truncated.copy()
        cut[:-1] |= gridded(held < best, rollout)[1:].astype(bool)
        returns = n_step_returns(rollout.rewards, after, rollout.terminated, cut, self.gamma, self.n or None, rollout.mask)
        return taken(returns, rollout)

    def _check(self) -> None:
        largest = float(np.abs(self.weights_).max())
        if not largest <= TOO_LARGE * max(self.largest_, 1):
            raise UsageProblem(
                f"the weights of learner linear grow without bound (largest {largest:.3g} after {self.steps_:,} steps, largest reward "
                f"{self.largest_:g}) at alpha={self.alpha} and gamma={self.gamma:g}; take a smaller alpha, such as visits:0.8:0.001, or "
                "gamma below 1"
            )

    def policy(self) -> Policy:
        """Return the greedy policy over the actions that were ever tried."""
        tried = self.counts_.sum(0) > 0
        if self.spaces.observations is None:
            return LinearPolicy(self.spaces, self.weights_.copy(), taken=tried if tried.any() else None)
        values = self.spaces.features @ self.weights_.T
        return TablePolicy(self.spaces, greedy_probs(picked(values, tried)), values, self.counts_.copy())

    def widen(self, spaces: Spaces, moved: Indices) -> None:
        """As the contract says."""
        columns = columns_in(spaces.features[moved], self.spaces.features)
        width = width_of(spaces, self.name)
        self.weights_ = widened(self.weights_.T, width, np.array(columns), 0.0).T.copy()
        self.visits_ = widened(self.visits_.T, width, np.array(columns), 0).T.copy()
        self.counts_ = widened(self.counts_, spaces.observations or 1, moved, 0)
        self.spaces = spaces
        self._refresh()

    def _probs(self, features: Floats) -> Floats:
        """Return the probability of every action for n feature vectors: (n, actions)."""
        epsilon = float(schedule(self.epsilon).at(self.steps_, np.array([self.steps_]))[0])
        return greedy_probs(features @ self.weights_.T, epsilon)

    def _refresh(self) -> None:
        """Work out anew how likely each action is in each row."""
        if self.spaces.observations is not None:
            self.probs_: Floats = self._probs(self.spaces.features)
            self.bounds_: Floats = bounds_of(self.probs_)
