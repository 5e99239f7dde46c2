"""What a network's outputs say about actions: softmax over names, clipped Gaussian over [0, 1]^k; sampling and gradients, no learning.

The Gaussian lives on [-1, 1], as Stable-Baselines3 wants continuous actions, and an action is its sample moved to [0, 1]. What falls
outside is clipped, so each place of an action has a density inside of (0, 1) and a probability at 0 and at 1. These two together are
what the policy really does, so logged actions, which are clipped, can be weighed exactly (Fujita and Maeda 2018: the same gradient in
expectation as that of the unclipped sample, with less variance). An action beyond [0, 1] is a sample that nobody clipped: it has the
Gaussian's density, as in Stable-Baselines3.

Outputs are (outputs, n), as policies.network gives them; actions are (n,) or (n, k), as everywhere else.
"""

from math import erfc, log, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float64 or float32

HALF_LOG_2PI = 0.5 * log(2 * pi)
EDGES = ((0.0, -1.0), (1.0, 1.0))  # of an action, and on which side of it lies what is clipped to it
FAR = 30.0  # standard deviations beyond which a tail is written as a series: erfc comes to its smallest numbers


class Gaussian(NamedTuple):
    """How probable actions are under a clipped Gaussian, and which way that goes.

    Attributes:
        logs: (n,) log of the density on [0, 1], places at 0 and 1 counting with their probability.
        by_mean: (k, n) its derivative by the mean on [-1, 1].
        by_log_std: (k, n) its derivative by the log standard deviation.
    """

    logs: Array
    by_mean: Array
    by_log_std: Array


def log_softmax(outputs: Array) -> Array:
    """Return log probabilities, (actions, n)."""
    logs: Array = outputs - outputs.max(0)
    logs -= np.log(np.exp(logs).sum(0))
    return logs


def drawn(below: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return a sampled action for each of n columns of probabilities (actions, n) that were summed up with `cumsum(0)`."""
    actions: NDArray[np.intp] = (below[:-1] <= rng.random(below.shape[1])).sum(0)
    return actions


def gaussian_actions(means: Array, log_std: Array, rng: np.random.Generator) -> Array:
    """Return sampled actions in [0, 1], (n, k), of means on [-1, 1] (k, n) and log standard deviations (k,)."""
    actions = rng.standard_normal(means.shape[::-1])
    actions *= np.exp(log_std)
    actions += means.T
    return moved(actions)


def moved(actions: Array) -> Array:
    """Return actions on [-1, 1] as actions on [0, 1], clipped; float64, whatever they are."""
    out = 0.5 * np.asarray(actions, np.float64)
    out += 0.5
    return np.clip(out, 0.0, 1.0, out=out)


def gaussian_logs(means: Array, log_std: Array, actions: Array) -> Array:
    """Return the log density (n,) of actions on [0, 1], (n, k): see the head of this file for those at 0 and 1."""
    z, logs = _standard(means, log_std, actions)
    places = actions.T
    for edge, side in EDGES:
        at = places == edge
        if at.any():
            logs[at] = log_tail(side * z[at])
    found: Array = logs.sum(0)
    return found


def gaussian(means: Array, log_std: Array, actions: Array) -> Gaussian:
    """Return log densities as `gaussian_logs`, and their derivatives."""
    z, logs = _standard(means, log_std, actions)
    per_std = np.exp(-log_std)[:, None]
    by_log_std = z * z
    by_log_std -= 1
    by_mean, places = z * per_std, actions.T
    for edge, side in EDGES:
        at = places == edge
        if not at.any():
            continue
        beyond = side * z[at]
        tail = log_tail(beyond)
        # The tail shrinks as its begin moves out, by density / tail; z falls with the mean by 1 / std and with log std by z.
        fall = side * np.exp(-0.5 * beyond * beyond - HALF_LOG_2PI - tail)
        logs[at], by_log_std[at] = tail, fall * z[at]
        by_mean[at] = fall * np.broadcast_to(per_std, means.shape)[at]
    return Gaussian(logs.sum(0), by_mean, by_log_std)


def log_tail(z: Array) -> Array:
    """Return the log of the standard normal's probability of exceeding each z, (n,)."""
    tails = np.array([erfc(number) for number in (z * sqrt(0.5)).tolist()])
    tails *= 0.5
    far = z > FAR
    if not far.any():
        return np.asarray(np.log(tails), z.dtype)
    tails[far] = 1
    logs = np.log(tails)
    beyond = z[far].astype(np.float64)
    square = beyond * beyond
    logs[far] = np.log1p((-1 + (3 - 15 / square) / square) / square) - np.log(beyond) - 0.5 * square - HALF_LOG_2PI
    return np.asarray(logs, z.dtype)


def _standard(means: Array, log_std: Array, actions: Array) -> tuple[Array, Array]:
    """Return actions in standard deviations from the mean, and their log densities on [0, 1], each (k, n)."""
    z = actions.T.astype(means.dtype, order="C")
    z *= 2
    z -= 1
    z -= means
    z *= np.exp(-log_std)[:, None]
    logs = z * z
    logs *= -0.5
    logs += (log(2) - HALF_LOG_2PI - log_std)[:, None]
    return z, logs
