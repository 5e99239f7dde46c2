"""What both nets say between two updates, computed once: at every distinct observation, or step by step while the policy acts.

Nothing here is learned or kept: it follows from the weights, and is forgotten when they change.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Observations, Spaces
from policies.distributions import log_softmax
from policies.experience import Floats, Rollout
from policies.network import BOTH, POLICY, VALUE, Array, Weights, forward, outputs_of, values_of


class Rows(NamedTuple):
    """Both nets at every one of S distinct observations, with discrete actions.

    Attributes:
        hidden: activations, layer by layer, (2, S, units).
        logs: (actions, S) log probabilities.
        probs: (actions, S).
        below: (actions, S) probabilities summed up over the actions.
        values: (S,).
    """

    hidden: list[Array]
    logs: Array
    probs: Array
    below: Array
    values: Array


class ForwardPasses:
    """Both nets' passes over the observations of a rollout of at most `steps` steps."""

    def __init__(self, weights: Weights, spaces: Spaces, steps: int) -> None:
        self.weights, self.spaces, self.steps = weights, spaces, steps
        dtype = weights.policy.dtype
        self.features: Array = np.empty((0, 0), dtype) if spaces.observations is None else spaces.features.astype(dtype)
        self._rows: Rows | None = None
        self._row_hidden: list[Array] | None = None
        self._hidden: list[Array] = []  # (2, steps * n, units) a layer; the policy's half is filled while it acts
        self._given: list[Floats] = []  # the probabilities of the actions since the last update, step by step
        self._n = 0

    def rows(self) -> Rows:
        """Return both nets at every distinct observation."""
        if self._rows is None:
            hidden = self._row_hidden = forward(self.weights, self.features, BOTH, self._row_hidden)
            logs = log_softmax(outputs_of(self.weights, hidden[-1][0]))
            probs = np.exp(logs)
            self._rows = Rows(hidden, logs, probs, probs.cumsum(0), values_of(self.weights, hidden[-1][1]))
        return self._rows

    def forget(self) -> None:
        """The weights have changed."""
        self._rows = None
        self._given.clear()

    def features_of(self, observations: Observations) -> Array:
        """Return n feature vectors."""
        if self.spaces.observations is not None:
            return self.features[observations]
        return np.asarray(observations, self.features.dtype)

    def acting(self, observations: Observations) -> Array:
        """Return the policy's outputs (outputs, n); `gave` is to follow, with the probabilities of the actions taken."""
        n, t = len(observations), len(self._given)
        if t == 0 and n != self._n:
            units = [bias.shape[2] for _, bias in self.weights.layers]
            self._hidden = [np.empty((2, self.steps * n, width), self.features.dtype) for width in units]
            self._n = n
        kept = n == self._n and t < self.steps
        place = [layer[POLICY, t * n : (t + 1) * n] for layer in self._hidden] if kept else None
        return outputs_of(self.weights, forward(self.weights, self.features_of(observations), POLICY, place)[-1][0])

    def gave(self, probs: Floats) -> None:
        """Take note of the probabilities of the actions just taken."""
        self._given.append(probs)

    def hidden_of(self, rollout: Rollout, features: Array) -> list[Array]:
        """Return both nets' activations at every step taken; the policy's from acting, if these are the steps it acted in."""
        if self._acted_in(rollout):
            forward(self.weights, features, VALUE, [layer[VALUE] for layer in self._hidden])
            return self._hidden
        return forward(self.weights, features, BOTH)

    def values_at(self, observations: Observations) -> Array:
        """Return the values of n observations."""
        return values_of(self.weights, forward(self.weights, self.features_of(observations), VALUE)[-1][0])

    def _acted_in(self, rollout: Rollout) -> bool:
        """Whether these are the steps since the last update: the probabilities of all their actions are, to the last bit."""
        if not rollout.on_policy or rollout.mask is not None or rollout.probs.shape != (self.steps, self._n):
            return False
        return len(self._given) == self.steps and all(map(np.array_equal, self._given, rollout.probs))


def by_rows(spaces: Spaces, steps: int) -> NDArray[np.bool_] | bool:
    """Return whether evaluating every distinct observation is less work than evaluating that many steps, acting included; about."""
    return spaces.observations is not None and not spaces.continuous and spaces.observations <= 4 * steps
