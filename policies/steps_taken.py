"""Between a rollout's grid of steps by time and episode and the steps that were taken, one after another; nothing is computed here."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.experience import Bools, Rollout


def taken(array: NDArray[Any], rollout: Rollout) -> NDArray[Any]:
    """Return what belongs to the n steps that were taken, (n, ...), of an array (T, N, ...)."""
    if rollout.mask is None:
        return array.reshape(-1, *array.shape[2:])
    found: NDArray[Any] = array[rollout.mask]
    return found


def gridded(flat: NDArray[Any], rollout: Rollout) -> NDArray[Any]:
    """Return numbers of the n steps that were taken as (T, N), 0 elsewhere."""
    if rollout.mask is None:
        return flat.reshape(rollout.rewards.shape)
    grid = np.zeros(rollout.rewards.shape, flat.dtype)
    grid[rollout.mask] = flat
    return grid


def followed_apart(rollout: Rollout) -> Bools:
    """Return where what came after a step is not what the row below begins with, (T, N): at a cut, and at the end of a column."""
    apart = rollout.truncated.copy()
    apart[-1] = True
    if rollout.mask is not None:
        apart[:-1] |= ~rollout.mask[1:]
        apart &= rollout.mask
    apart &= ~rollout.terminated
    return apart
