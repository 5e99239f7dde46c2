"""Walker's alias tables for many distributions at once: one uniform number picks from any of them in constant time (Vose 1991)."""

import numpy as np
from numpy.typing import NDArray


def alias_tables(probs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return (keep, other), both (rows, width), for the distributions in the rows of `probs` (rows sum to 1).

    Cut [0, 1) into `width` equal slots: a number in slot i, at the share x of it, picks i where x < keep[row, i], else other[row, i].
    """
    rows, width = probs.shape
    left = probs * width
    keep, other = np.ones((rows, width)), np.tile(np.arange(width), (rows, 1))
    every = np.arange(rows)
    open_slots = np.ones((rows, width), bool)
    for _ in range(width - 1):
        small = np.where(open_slots, left, np.inf).argmin(1)
        large = np.where(open_slots, left, -np.inf).argmax(1)
        share = np.where(small == large, 1.0, np.clip(left[every, small], 0.0, 1.0))
        keep[every, small], other[every, small] = share, large
        open_slots[every, small] = False
        left[every, large] -= 1.0 - share
    return keep, other


def chances(keep: NDArray[np.float64], other: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the distributions (rows, width) that alias tables draw from, exactly."""
    rows, width = keep.shape
    probs: NDArray[np.float64] = keep / width
    np.add.at(probs, (np.arange(rows)[:, None], other), (1.0 - keep) / width)
    return probs
