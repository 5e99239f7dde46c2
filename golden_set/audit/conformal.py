"""Bands around calibrated ratings within which a person's rating lies as often as asked for: conformal, over whole dialogues.

Cross-conformal residuals (Vovk 2015; CV+ of Barber, Candès, Ramdas and Tibshirani 2021) of a map that is fitted without the fold that a
dialogue is in. One quantile of their sizes is the half-width of the band: what is kept of it is a number, not all the residuals.
Dialogues are taken for exchangeable, turns are not: every dialogue has the weight of one, whatever its length, times what its place in
the sample stands for; the dialogue to come counts, too, as one that is off without bound (Lee, Barber and Willett 2023 for dialogues of
many turns; Tibshirani, Barber, Candès and Ramdas 2019 for weights). Few dialogues make the band wide rather than wrong. That the ends
move to levels is the idea of Sheng and others 2025 (arXiv 2509.18658).
"""

import math

import numpy as np

from golden_set.sheet import FloatArray, IntArray
from judge.calibration import Curve
from judge.rubric import Scale

FEWEST = 100  # labels


def half_width(off: FloatArray, episode: IntArray, weight: FloatArray, level: float) -> float | None:
    """Return how far from the mapped rating a person's rating lies at most, with probability `level`.

    Args:
        off: residuals out of fold, in levels, shape (places,).
        episode: the number of each place's episode, from 0.
        weight: how many episodes of the log the place's episode stands for.
        level: such as 0.9.

    Returns:
        None where there are fewer than `FEWEST` labels, or so few episodes that no finite band can keep the promise.
    """
    if len(off) < FEWEST:
        return None
    long = np.bincount(episode)
    whole = np.bincount(episode, weight) / long  # the weight of an episode
    share = weight / long[episode]
    # A dialogue of the log is drawn into the sample with 1/weight: on the log's own scale its expected weight is this.
    to_come = float((whole**2).sum() / whole.sum())
    order = np.argsort(np.abs(off), kind="stable")
    below = np.cumsum(share[order]) / (whole.sum() + to_come)
    at = int(np.searchsorted(below, level - 1e-12))
    return float(np.abs(off)[order][at]) if at < len(off) else None


def interval(curve: Curve, scale: Scale, rating: float) -> tuple[int, int] | None:
    """Return the levels between which one person's rating lies, with the level of the curve's band; None without a band.

    Each end moves to the nearest level (of two as near, outwards) and stays on the scale: no level that lies in the band is lost, and
    one that is missed by less than half a level is taken in.

    Args:
        rating: the judge's, before the map.
    """
    if curve.band is None:
        return None
    middle = curve.at(rating)
    low, high = math.ceil(middle - curve.band - 0.5), math.floor(middle + curve.band + 0.5)
    return min(max(low, scale.low), scale.high), max(min(high, scale.high), scale.low)
