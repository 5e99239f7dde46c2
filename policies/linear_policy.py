"""The policy that is linear in the observation: a value for every action, the best taken, or a softmax; over vectors, frozen."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations, Spaces
from policies.experience import Floats
from policies.linear_features import features_of
from policies.tabular import bounds_of, draw, greedy_probs


@dataclass(frozen=True)
class LinearPolicy:
    """Values linear in the features: those of `spaces` where observations are discrete, else the vector and a 1 behind it.

    Attributes:
        spaces: with discrete actions.
        weights: (actions, features).
        floor: share of random actions, mixed in last.
        temperature: of a softmax over the values; 0 takes the best, ties shared.
        taken: (actions,) whether an action may be taken at all; the others are left out, of the floor as well.
    """

    kind: ClassVar[str] = "linear"
    spaces: Spaces
    weights: Floats
    floor: float = 0.0
    temperature: float = 0.0
    taken: NDArray[np.bool_] | None = None

    def probs(self, observations: Observations) -> Floats:
        """Return the probability of every action for n observations: (n, actions)."""
        values = features_of(self.spaces, observations) @ self.weights.T
        allowed = np.ones(len(self.weights), bool) if self.taken is None else self.taken
        values = np.where(allowed, values, -np.inf)
        if self.temperature:
            found = np.exp((values - values.max(1, keepdims=True)) / self.temperature)
            found /= found.sum(1, keepdims=True)
        else:
            found = greedy_probs(values)
        mixed: Floats = (1 - self.floor) * found + self.floor * (allowed / allowed.sum())
        return mixed

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        """Return sampled actions and their probabilities."""
        probs = self.probs(observations)
        return draw(bounds_of(probs), probs, np.arange(len(probs)), rng)

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        """Return the probabilities of these actions; leading shapes as given."""
        flat = np.reshape(actions, -1)
        tail = () if self.spaces.observations is not None else (self.spaces.width,)
        probs = self.probs(np.reshape(observations, (-1, *tail)))
        found: Floats = probs[np.arange(len(flat)), flat].reshape(np.shape(actions))
        return found

    def greedy(self) -> Self:
        """Return the policy that always takes the best action; ties are shared."""
        return replace(self, floor=0.0, temperature=0.0)

    def floored(self, floor: float) -> Self:
        """Return the policy that takes a random action with probability `floor`, so that every action can be judged from its log."""
        return replace(self, floor=1 - (1 - self.floor) * (1 - floor))

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "weights": self.weights.tolist(),
            "floor": self.floor,
            "temperature": self.temperature,
            "taken": None if self.taken is None else self.taken.tolist(),
        }

    @classmethod
    def from_data(cls, spaces: Spaces, data: dict[str, Any]) -> Self:
        """Return what `as_data` made JSON values of.

        Raises:
            ValueError: the weights do not fit the spaces or are not finite, or floor or temperature is out of range.
        """
        weights = np.array(data["weights"], float)
        floor, temperature = float(data["floor"]), float(data["temperature"])
        taken = None if data["taken"] is None else np.array(data["taken"], bool)
        width = spaces.features.shape[1] if spaces.observations is not None else spaces.width + 1
        if weights.shape != (len(spaces.actions), width) or not np.isfinite(weights).all():
            raise ValueError(f"weights of shape {weights.shape} are not {(len(spaces.actions), width)} finite numbers (actions, features)")
        if not (0 <= floor <= 1 and 0 <= temperature < np.inf):
            raise ValueError(f"floor is {floor:g} and temperature {temperature:g}; 0 to 1, and 0 or more, are allowed")
        if taken is not None and (taken.shape != (len(weights),) or not taken.any()):
            raise ValueError(f"'taken' is {data['taken']}; expected true or false for each of {len(weights)} actions, one at least true")
        return cls(spaces, weights, floor, temperature, taken)
