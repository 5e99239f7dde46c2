"""Guaranteed bounds of a policy's value, whatever the log's distribution: empirical Bernstein of truncated importance sampling.

They hold with their probability for any number of episodes, given a range of returns that was known beforehand, and are wide for it.
"""

from math import log, sqrt
from typing import NamedTuple

import numpy as np

from policies.experience import Floats

CHOOSING = 0.2  # of the episodes, set aside to choose where weights are cut
CUTS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
SEED = 20_261_122


class Bounds(NamedTuple):
    """A lower and an upper bound."""

    low: float
    high: float


def below_mean(values: Floats, largest: float, miss: float) -> float:
    """Return a bound that the mean of values between 0 and `largest` lies above, but for a probability of `miss`.

    Source: Maurer and Pontil 2009, theorem 4: mean - sqrt(2 V ln(2/δ) / n) - 7 R ln(2/δ) / (3 (n - 1)), V with n - 1 below.

    Args:
        largest: known beforehand; never the largest of the sample.

    Raises:
        ValueError: a value outside the range, or fewer than two.
    """
    n = len(values)
    if n < 2 or values.min() < -1e-9 * largest or values.max() > largest * (1 + 1e-9):
        raise ValueError(
            f"{n} values between {values.min(initial=0):g} and {values.max(initial=0):g}; expected two or more, 0 to {largest:g}"
        )
    return _bound(float(values.mean()), float(values.var(ddof=1)), n, largest, miss)


def value_bounds(returns: Floats, weights: Floats, low: float, high: float, level: float, clip: float | None = None) -> Bounds:
    """Return bounds between which the target's value lies with probability `level`; each side misses with half of the rest.

    Returns are shifted so that they are not negative: of the lower bound by `low`, of the upper one from `high` downwards. Cutting
    weights then only ever takes from what the bound is below of (Thomas, Theocharous and Ghavamzadeh 2015), so both bounds hold
    however weights are cut; negative returns without the shift would break that.

    Args:
        returns: (N,) of the log's episodes.
        weights: (N,) of whole episodes, not cut.
        low, high: between which any episode's return lies, known beforehand.
        clip: where to cut weights; None: chosen on a fifth of the episodes, for each bound, which are then not counted.
    """
    miss, room = (1 - level) / 2, high - low
    if room <= 0:
        return Bounds(low, high)
    lower = _shifted(returns - low, weights, room, miss, clip)
    upper = _shifted(high - returns, weights, room, miss, clip)
    return Bounds(low + max(lower, 0.0), high - max(upper, 0.0))


def mean_bounds(values: Floats, low: float, high: float, level: float) -> Bounds:
    """Return bounds between which the mean lies with probability `level`, of values between `low` and `high`."""
    miss, room = (1 - level) / 2, high - low
    if room <= 0:
        return Bounds(low, high)
    return Bounds(low + max(below_mean(values - low, room, miss), 0.0), high - max(below_mean(high - values, room, miss), 0.0))


def _shifted(gains: Floats, weights: Floats, room: float, miss: float, clip: float | None) -> float:
    """Return a bound below the target's mean of `gains`, which lie between 0 and `room` in every episode."""
    if clip is not None:
        return below_mean(np.minimum(weights, clip) * gains, clip * room, miss)
    order = np.random.default_rng(SEED).permutation(len(gains))
    aside = max(2, round(CHOOSING * len(gains)))
    tried, counted = order[:aside], order[aside:]
    cut = max(CUTS, key=lambda cut: _promised(np.minimum(weights[tried], cut) * gains[tried], len(counted), cut * room, miss))
    return below_mean(np.minimum(weights[counted], cut) * gains[counted], cut * room, miss)


def _promised(values: Floats, n: int, largest: float, miss: float) -> float:
    """Return the bound that n values like these would give."""
    return _bound(float(values.mean()), float(values.var(ddof=1)), n, largest, miss)


def _bound(mean: float, variance: float, n: int, largest: float, miss: float) -> float:
    told = log(2 / miss)
    return mean - sqrt(2 * variance * told / n) - 7 * largest * told / (3 * (n - 1))
