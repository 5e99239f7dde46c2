"""Whether logged probabilities can be those by which the actions were chosen: a log of ones, or of somebody else's, corrects nothing."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from policies.experience import Floats

CLEARLY = 3.0  # standard errors below 1
FAR = 0.1  # and so far below


@dataclass(frozen=True, slots=True)
class Fit:
    """How often each action that is ever taken in a state was taken, as a multiple of what its probabilities promise, on average.

    Where probabilities are right it is 1, but for chance and for rare actions that did not turn up, which make it larger. It is below 1
    where probabilities are too high for what was done: then those of a state sum to more than 1, or hang on something that the state
    does not show and that leaves no chance.

    Attributes:
        mean: of the steps.
        error: its standard error.
    """

    mean: float
    error: float

    @property
    def off(self) -> bool:
        """Whether it is clearly and far below 1."""
        return self.mean < 1 - max(FAR, CLEARLY * self.error)

    def __str__(self) -> str:
        return f"what was ever done in a state was done {self.mean:.2f} times as often as its logged probabilities say"


def fit(observations: NDArray[np.intp], actions: NDArray[np.intp], probs: Floats, width: int) -> Fit:
    """Return it: the mean importance weight of one step of the policy that takes each action ever tried in a state equally often.

    Args:
        observations, actions, probs: (steps,) as logged; every probability is known.
        width: how many actions there are.
    """
    rows, at = np.unique(observations, return_inverse=True)
    tried = np.bincount(at * width + actions, minlength=len(rows) * width).reshape(-1, width)
    weights = 1 / ((tried > 0).sum(1)[at] * probs)
    return Fit(float(weights.mean()), float(weights.std()) / sqrt(len(weights)))
