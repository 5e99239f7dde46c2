"""What a learner is (experience in, better policy out), and what a policy is (observation in, action and its probability out)."""

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations, Spaces, State
from policies.experience import Floats, Rollout
from policies.parameters import Parameters

PASSES = 10  # over a log, for learners that do not say how many they want


class Policy(Protocol):
    """A policy as it is served: frozen, without what only learning needs. `policies.saved` writes and reads them."""

    kind: ClassVar[str]

    @property
    def spaces(self) -> Spaces:
        """What it sees and what it can do."""
        ...

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        """Return an action for each of n observations and the probability (density) with which it was taken: (n,)."""
        ...

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        """Return the probability (density) with which it takes these actions there; leading shapes as given."""
        ...

    def greedy(self) -> Self:
        """Return the policy that always takes what this one holds best."""
        ...

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values, without `spaces`."""
        ...


class Learner(Parameters, ABC):
    """One algorithm. Parameters are those of `__init__` and stay as given; what is learned ends in `_`, generators included.

    `begin` makes everything that ends in `_`; together these attributes are the learner's whole state. So a learner that was stopped,
    and whose `state()` another one of the same parameters `restore`s, goes on as if nothing had happened, bit for bit.

    Attributes:
        steps: T, the steps of each episode between two updates.
        envs: N, how many episodes it likes to see side by side.
    """

    name: ClassVar[str]
    continuous: ClassVar[bool] = False  # whether it takes continuous actions (it may take discrete ones as well)
    vectors: ClassVar[bool] = False  # whether it takes vectors as observations (it may take discrete ones as well)
    steps: int
    envs: int

    @abstractmethod
    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """Forget everything and get ready for these spaces."""

    @abstractmethod
    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return an action for each of n observations, exploring as the learner does, and the probability (density) of each."""

    @abstractmethod
    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Learn from one rollout; return what the curve shows beside the return: `loss`, and more where there is more."""

    @abstractmethod
    def policy(self) -> Policy:
        """Return what it would serve now."""

    @abstractmethod
    def widen(self, spaces: Spaces, moved: NDArray[np.intp]) -> None:
        """Go on with more observations: observation i of before is `moved[i]` of `spaces`; new ones are as after `begin`."""

    def state(self) -> State:
        """Return copies of everything that was learned, by attribute name: they stay as they are when learning goes on."""
        return deepcopy({name: value for name, value in vars(self).items() if name.endswith("_") and not name.startswith("_")})

    def restore(self, state: State) -> Self:
        """Take over copies of what `state()` gave; `begin` has been called for the same spaces."""
        for name, value in deepcopy(state).items():  # keeps the layout of arrays, which decides the order of sums
            setattr(self, name, value)
        return self

    def fit(self, rollouts: Any, spaces: Spaces, seed: int = 0) -> Self:
        """Begin, and learn from each of the rollouts in turn."""
        self.begin(spaces, np.random.SeedSequence(seed))
        for rollout in rollouts:
            self.partial_fit(rollout)
        return self
