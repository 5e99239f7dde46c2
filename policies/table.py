"""The policy over discrete observations, whatever learned it: a probability for every action in every observation."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations, Spaces
from policies.experience import Floats


@dataclass(frozen=True)
class TablePolicy:
    """Probabilities, and what a person wants to see beside them.

    Attributes:
        spaces: with discrete observations and actions.
        probs: (observations, actions), rows sum to 1.
        values: (observations, actions) what the learner holds each action worth; None where it does not say.
        counts: (observations, actions) how often each was tried in training; None where nobody counted.
    """

    kind: ClassVar[str] = "table"
    spaces: Spaces
    probs: Floats
    values: Floats | None = None
    counts: NDArray[np.int64] | None = None

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        """Return sampled actions and their probabilities."""
        rows = self.probs[observations]
        draw = rng.random(len(observations))
        actions = np.minimum((rows.cumsum(1) <= draw[:, None]).sum(1), rows.shape[1] - 1)
        return actions, rows[np.arange(len(rows)), actions]

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        """Return the probabilities of these actions."""
        found: Floats = self.probs[observations, actions]
        return found

    def greedy(self) -> Self:
        """Return the policy that takes the most probable action; ties are shared."""
        best = self.probs >= self.probs.max(1, keepdims=True) - 1e-12
        return replace(self, probs=best / best.sum(1, keepdims=True))

    def floored(self, floor: float) -> Self:
        """Return the policy that takes a random action with probability `floor`, so that every action can be judged from its log."""
        return replace(self, probs=(1 - floor) * self.probs + floor / self.probs.shape[1])

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "probs": self.probs.tolist(),
            "values": None if self.values is None else self.values.tolist(),
            "counts": None if self.counts is None else self.counts.tolist(),
        }

    @classmethod
    def from_data(cls, spaces: Spaces, data: dict[str, Any]) -> Self:
        """Return what `as_data` made JSON values of."""
        values, counts = data.get("values"), data.get("counts")
        return cls(
            spaces,
            np.array(data["probs"], float),
            None if values is None else np.array(values, float),
            None if counts is None else np.array(counts, np.int64),
        )
