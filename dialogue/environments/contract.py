"""What every batched environment offers: many episodes stepped at once in NumPy, begun anew as they end, stopped and resumed exactly."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dialogue.encoding import Encoding

Observations = NDArray[Any]  # (n,) indices where observations are discrete, else (n, width) float
Actions = NDArray[Any]  # (n,) indices where actions are discrete, else (n, k) float in [0, 1]
State = dict[str, Any]  # arrays, numbers, texts, None, lists and dicts of those, and NumPy generators: what a checkpoint can hold


@dataclass(frozen=True)
class Spaces:
    """What is seen and what can be done.

    Attributes:
        actions: names of the actions, or of the places of a continuous action.
        continuous: whether an action is a vector of numbers in [0, 1], one for each name.
        observations: how many distinct observations there are; None where an observation is a vector.
        width: length of a feature vector (of the observation itself, where that is a vector).
        encoding: which logged state each distinct observation stands for, if it stands for one.
    """

    actions: tuple[str, ...]
    continuous: bool = False
    observations: int | None = None
    width: int = 0
    encoding: Encoding | None = None

    @cached_property
    def features(self) -> NDArray[np.float64]:
        """A feature vector for every distinct observation, shape (observations, width)."""
        if self.observations is None:
            raise ValueError("observations are vectors: they are their own features")
        return self.encoding.features if self.encoding else np.eye(self.observations)


class Step(NamedTuple):
    """What came of the actions.

    Attributes:
        observations: after the actions and before any episode is begun anew: the last one, where an episode ended.
        rewards: (n,) float.
        terminated: (n,) bool: the episode is over, nothing comes after.
        truncated: (n,) bool: the episode was cut off, and something would have come.
    """

    observations: Observations
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class BatchEnv(Protocol):
    """n episodes side by side. One that ends is begun anew at once: `observations` then shows its first observation.

    Arrays that are handed out are never written to again.
    """

    spaces: Spaces
    n: int

    @property
    def observations(self) -> Observations:
        """What is seen now, in every episode."""
        ...

    def reset(self, seed: np.random.SeedSequence) -> Observations:
        """Begin all episodes anew; all chance comes from the seed."""
        ...

    def step(self, actions: Actions) -> Step:
        """Act in every episode."""
        ...

    def state(self) -> State:
        """Return everything that going on from here needs, generators included."""
        ...

    def restore(self, state: State) -> None:
        """Go on from there: what follows is what would have followed, bit for bit."""
        ...
