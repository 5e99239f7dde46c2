"""What linear learners see of an observation: its feature vector; and what they serve. What they learn is theirs."""

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Observations, Spaces
from dialogue.errors import UsageProblem, listed
from policies.experience import Floats


def width_of(spaces: Spaces, learner: str) -> int:
    """Return how many features an observation has.

    Raises:
        UsageProblem: actions are vectors.
    """
    if spaces.continuous:
        raise UsageProblem(f"learner {learner} needs discrete actions, here they are numbers ({listed(spaces.actions)}); take a2c")
    return spaces.features.shape[1] if spaces.observations is not None else spaces.width + 1


def features_of(spaces: Spaces, observations: Observations) -> Floats:
    """Return the features of n observations: rows of `spaces.features`, or the vectors with a 1 behind them, for a constant.

    Args:
        spaces: whose observations these are.
        observations: (n,) indices, or (n, width).

    Returns:
        (n, features).
    """
    if spaces.observations is not None:
        return spaces.features.take(observations, 0)
    made = np.empty((len(observations), spaces.width + 1))
    made[:, :-1] = observations
    made[:, -1] = 1
    return made


def picked(values: Floats, tried: NDArray[np.bool_]) -> Floats:
    """Return the values with those of actions that were never tried out of reach; all as they are where none was tried.

    Args:
        values: (n, actions).
        tried: (actions,).
    """
    return np.where(tried, values, -np.inf) if tried.any() else values
