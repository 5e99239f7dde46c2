"""LinUCB (Li et al. 2010, disjoint): ridge regression for every action, and the best upper bound taken; nothing is looked ahead."""

from math import inf, sqrt
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations, Spaces, State
from policies.contract import Learner, Policy
from policies.credit import finished, returns_of
from policies.experience import Floats, Rollout
from policies.linear_features import features_of, picked, width_of
from policies.linear_policy import LinearPolicy
from policies.parameters import ABOVE_0, COUNT, NOT_NEGATIVE, SHARE, Allowed, Parameters
from policies.ridge import Ridges, arms
from policies.ridge import widened as wider_arms
from policies.steps_taken import taken
from policies.table import TablePolicy
from policies.tabular import Indices, bounds_of, draw, greedy_probs, moved_waiting, top, widened
from policies.widening import columns_in


class LinUCB(Learner):
    """Takes the action with the highest `x'theta + alpha * sqrt(x' A^-1 x)`, A = ridge * I + sum of x x', theta = A^-1 * sum of x y.

    Beside the contract it has a door for live use, one context at a time: `decide`, and `update` when the reward is known, in any order
    and however late. A rollout's steps are contexts one by one; each is credited with the return from there on, or its own reward. The
    regression of an action is right whoever chose it, so logs need no correction for that; what came after a step is the logging
    policy's doing, and a return is that of acting once and going on as the log did. It counts: seen twice, an episode would weigh twice
    against `ridge`, so of a log it should see every episode once.

    Args:
        alpha: how many standard deviations the bound lies above the estimate.
        ridge: how strongly the weights are drawn to 0.
        epsilon: share of random actions, so that every logged probability is known and above 0.
        credit: `return` or `reward`.
        gamma: discount of the return.
        longest: an episode that runs longer than so many steps is cut off for the credit.
        steps: T.
        envs: N.
    """

    name: ClassVar[str] = "linucb"
    vectors: ClassVar[bool] = True
    passes: ClassVar[int] = 1  # over a log: it counts
    allowed: ClassVar[Allowed] = Parameters.allowed | {
        "alpha": NOT_NEGATIVE,
        "ridge": ABOVE_0,
        "epsilon": SHARE,
        "credit": ("return", "reward"),
        "gamma": SHARE,
        "longest": COUNT,
    }

    def __init__(
        self,
        alpha: float = 1.0,
        ridge: float = 1.0,
        epsilon: float = 0.05,
        credit: str = "return",
        gamma: float = 1.0,
        longest: int = 1000,
        steps: int = 4,
        envs: int = 64,
    ) -> None:
        self.alpha = alpha
        self.ridge = ridge
        self.epsilon = epsilon
        self.credit = credit
        self.gamma = gamma
        self.longest = longest
        self.steps = steps
        self.envs = envs

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """As the contract says.

        Raises:
            UsageProblem: actions are vectors, or a parameter is not what it may be.
        """
        self.see_allowed(self.name)
        self.spaces = spaces
        width = width_of(spaces, self.name)
        self.arms_ = arms(len(spaces.actions), width, self.ridge)
        self.counts_ = np.zeros((spaces.observations or 1, len(spaces.actions)), np.int64)  # one row for all vectors
        self._bind()
        self.waiting_: State = {}
        self.rng_ = np.random.default_rng(seed)
        self._refresh()
        return self

    def _bind(self) -> None:
        """Make ready what works on the learned arrays and holds nothing itself."""
        self._regressions = Ridges(self.arms_)
        self._count = self.counts_.data  # a memory view counts several times faster than an array does

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_regressions", "_count")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "arms_" in state:
            self._bind()

    @property
    def weights(self) -> Floats:
        """The estimated theta of every action: (actions, features)."""
        return self.arms_[:, -1, :-1]

    @property
    def inverses(self) -> Floats:
        """A^-1 of every action: (actions, features, features)."""
        return self.arms_[:, :-1, :-1]

    def restore(self, state: State) -> Self:
        """As the contract says."""
        super().restore(state)
        self._bind()
        return self

    def decide(self, context: NDArray[np.float64]) -> tuple[int, float]:
        """Return an action for one context and its probability.

        Args:
            context: the feature vector as it is, (features,); nothing is put behind it.
        """
        means, squares = self._regressions.estimates(context)
        alpha, epsilon, count = self.alpha, self.epsilon, len(means)
        best, action, ties = -inf, 0, 1
        for arm, square in enumerate(squares):
            bound = means[arm] + alpha * sqrt(abs(square))  # rounding may leave -1e-18
            if bound > best:
                best, action, ties = bound, arm, 1
            elif bound == best:
                ties += 1
        rng = self.rng_
        explores = epsilon and rng.random() < epsilon
        if ties == 1:
            if explores and (drawn := int(rng.integers(count))) != action:
                return drawn, epsilon / count
            return action, epsilon / count + 1 - epsilon
        equal = [arm for arm, square in enumerate(squares) if means[arm] + alpha * sqrt(abs(square)) == best]
        action = int(rng.integers(count)) if explores else equal[int(rng.integers(ties))]
        return action, epsilon / count + (1 - epsilon) / ties * (action in equal)

    def update(self, context: NDArray[np.float64], action: int, reward: float) -> None:
        """Take in what an action earned in one context, (features,)."""
        self._regressions.add(action, context, reward)
        self._count[0, action] += 1

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return actions drawn from the probabilities, ties of the best bound shared."""
        if self.spaces.observations is not None:
            return draw(self.bounds_, self.probs_, observations, self.rng_)
        probs = self._probs(features_of(self.spaces, observations))
        return draw(bounds_of(probs), probs, np.arange(len(probs)), self.rng_)

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Take in every step whose credit is known now; `loss` is the mean squared error of the estimates before that."""
        if self.credit == "return":
            rollout, self.waiting_ = finished(rollout, self.waiting_, self.longest)
            earned = taken(returns_of(rollout, None, self._promised(rollout), self.gamma), rollout)
        else:
            earned = taken(rollout.rewards, rollout)
        seen, actions = taken(rollout.observations, rollout), taken(rollout.actions, rollout)
        if not len(earned):
            return {}
        rows, width = self.counts_.shape
        if self.spaces.observations is not None and rows <= 4 * len(earned):  # each row once, for all the steps that saw it
            features, place, size = self.spaces.features, actions * rows + seen, width * rows
            shape = width, rows
            errors = earned - (self.weights @ features.T).reshape(-1).take(place)
        else:
            features, n = features_of(self.spaces, seen), len(earned)
            place, size, shape = actions * n + np.arange(n), width * n, (width, n)
            errors = earned - np.einsum("ij,ij->i", features, self.weights.take(actions, 0))
        times, sums = (np.bincount(place, part, size).astype(float, copy=False) for part in (np.ones(len(place)), earned))
        self._regressions.add_block(times.reshape(shape), sums.reshape(shape), features)
        at = seen * width + actions if self.spaces.observations is not None else actions
        self.counts_ += np.bincount(at, minlength=self.counts_.size).reshape(self.counts_.shape)
        self._refresh()
        return {"loss": float(errors @ errors) / len(earned)}

    def _promised(self, rollout: Rollout) -> Floats:
        """Return what the best action promises after each step where an episode was cut off, 0 elsewhere: (T, N)."""
        after = np.zeros(rollout.rewards.shape)
        cut = rollout.truncated & ~rollout.terminated
        if rollout.mask is not None:
            cut &= rollout.mask
        if cut.any():
            values = features_of(self.spaces, rollout.next_observations[cut]) @ self.weights.T
            tried = self.counts_.sum(0) > 0
            after[cut] = top(picked(values, tried)) if tried.any() else 0.0
        return after

    def policy(self) -> Policy:
        """Return the policy that takes the best estimate, without bound, of the actions that were ever tried."""
        tried = self.counts_.sum(0) > 0
        if self.spaces.observations is None:
            return LinearPolicy(self.spaces, self.weights.copy(), taken=tried if tried.any() else None)
        values = self.spaces.features @ self.weights.T
        return TablePolicy(self.spaces, greedy_probs(picked(values, tried)), values, self.counts_.copy())

    def widen(self, spaces: Spaces, moved: Indices) -> None:
        """As the contract says."""
        columns = columns_in(spaces.features[moved], self.spaces.features)
        self.arms_ = wider_arms(self.arms_, width_of(spaces, self.name), columns, self.ridge)
        self.counts_ = widened(self.counts_, spaces.observations or 1, moved, 0)
        self.waiting_ = moved_waiting(self.waiting_, moved)
        self._bind()
        self.spaces = spaces
        self._refresh()

    def _probs(self, features: Floats) -> Floats:
        """Return the probability of every action for n feature vectors: (n, actions)."""
        squares = np.matmul(features, self.inverses)
        squares *= features
        widths = np.sqrt(np.maximum(squares.sum(2), 0)).T
        return greedy_probs(features @ self.weights.T + self.alpha * widths, self.epsilon)

    def _refresh(self) -> None:
        """Work out anew how likely each action is in each row."""
        if self.spaces.observations is not None:
            self.probs_: Floats = self._probs(self.spaces.features)
            self.bounds_: Floats = bounds_of(self.probs_)
