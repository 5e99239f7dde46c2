"""Experience as learners take it: steps by time and episode, from an environment or from a log, with who acted how probably."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rollout:
    """T steps of N episodes side by side; episodes follow each other in a column where an environment begins them anew.

    Attributes:
        observations: (T, N) indices, or (T, N, width).
        actions: (T, N) indices, or (T, N, k).
        probs: (T, N) probability (density, of continuous actions) with which the acting policy took them; NaN where it is not known.
        rewards: (T, N).
        next_observations: like `observations`: what was seen after the action, before an episode was begun anew. After a step that
            terminated it is never looked at.
        terminated: (T, N): nothing comes after this step.
        truncated: (T, N): the episode was cut off here; its return goes on from `next_observations`.
        mask: (T, N): False where a column is shorter than T and is filled up; None where every step was taken.
        on_policy: whether the learner itself acted, with the parameters it has now: no correction is needed then.
    """

    observations: Observations
    actions: Actions
    probs: Floats
    rewards: Floats
    next_observations: Observations
    terminated: Bools
    truncated: Bools
    mask: Bools | None = None
    on_policy: bool = True

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return self.rewards.size if self.mask is None else int(self.mask.sum())

    @property
    def ends(self) -> Bools:
        """Where an episode ends, one way or the other."""
        return self.terminated | self.truncated
