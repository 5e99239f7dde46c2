"""Where experience comes from, whatever it is: an environment, a log of scored calls, or simulated calls that a judge scores."""

from dataclasses import dataclass
from typing import Protocol

from dialogue.environments.contract import Spaces, State
from policies.contract import Learner
from policies.experience import Floats, Rollout


@dataclass(frozen=True, slots=True)
class Batch:
    """One rollout, and the returns (undiscounted sums of rewards) of the episodes that ended in it, in the order of their ends."""

    rollout: Rollout
    returns: Floats


class Source(Protocol):
    """Gives a learner its experience, one batch after another."""

    spaces: Spaces

    def next(self, learner: Learner) -> Batch | None:
        """Return the next batch (of `learner.steps` steps of `learner.envs` episodes, where the learner acts); None: there is no more."""
        ...

    def state(self) -> State:
        """Return everything that going on from here needs: data cursor, environment, generators."""
        ...

    def restore(self, state: State) -> None:
        """Go on from there, bit for bit."""
        ...
