"""Ridge regression as data comes, one arm beside the other: never solved anew, always the exact solution; no exploration here.

Arms are one array (arms, d + 1, d + 1). Of each, the first d rows hold P, the inverse of `ridge * I + sum of x x'`, and the last row the
weights, P times the sum of x y; the last column is 0. So one product with x (and a 0) gives P x and the prediction, and one product of a
column and a row brings both up to date. With d = 15 the time goes into NumPy's calls and not into arithmetic: therefore this form, and
results written into the same scratch arrays again and again.
"""

import numpy as np
from numpy import dot, multiply, subtract

from policies.experience import Floats

SMALL = 64  # features, up to which a system of that size is solved sooner than several of the size of each arm's block


def arms(count: int, width: int, ridge: float) -> Floats:
    """Return arms that have seen nothing."""
    made = np.zeros((count, width + 1, width + 1))
    made[:, range(width), range(width)] = 1 / ridge
    return made


def widened(old: Floats, width: int, columns: list[int], ridge: float) -> Floats:
    """Return arms of more features: those of the old ones are at `columns`, of the others nothing was seen."""
    made = arms(len(old), width, ridge)
    places = [*columns, width]
    made[np.ix_(range(len(old)), places, places)] = old
    return made


class Ridges:
    """Works on arms, in place.

    Args:
        arms: as `arms` makes them.
    """

    def __init__(self, arms: Floats) -> None:
        count, size, _ = arms.shape
        self._all = arms
        self._arms, self._rows, self._width = list(arms), arms.reshape(-1, size), size - 1
        self._x = np.zeros(size)  # with its 0 behind
        self._given = self._x[:-1]
        self._products = np.empty(count * size)  # of all arms: P x, and the prediction behind it
        self._by_arm = self._products.reshape(count, size)
        self._means, self._squares = self._by_arm[:, -1], np.empty(count)
        self._column, self._row, self._change = np.empty((size, 1)), np.empty((1, size)), np.empty((size, size))
        self._moved, self._gain = self._column[:, 0], self._row[0]

    def estimates(self, x: Floats) -> tuple[list[float], list[float]]:
        """Return of every arm the prediction, and x' P x: its variance in units of the noise.

        Args:
            x: (d,).
        """
        self._given[:] = x
        padded = self._x
        dot(self._rows, padded, self._products)
        dot(self._by_arm, padded, self._squares)
        return self._means.tolist(), self._squares.tolist()

    def add(self, arm: int, x: Floats, y: float) -> None:
        """Take in one observation (Sherman and Morrison 1950).

        Args:
            arm: whose.
            x: (d,).
            y: what was observed there.
        """
        self._given[:] = x
        padded, block, moved, gain, change = self._x, self._arms[arm], self._moved, self._gain, self._change
        dot(block, padded, moved)
        multiply(moved, 1 / (1 + float(dot(moved, padded))), gain)
        gain[-1] = 0
        moved[-1] -= y
        dot(self._column, self._row, change)  # several times faster than multiply.outer
        subtract(block, change, block)

    def add_block(self, times: Floats, sums: Floats, xs: Floats) -> None:
        """Take in many observations at once, of all arms: the same, but for rounding, as one after another.

        Args:
            times: (arms, m) how often each arm was observed at each x.
            sums: (arms, m) of what was observed there.
            xs: (m, d).
        """
        inverses, weights = self._all[:, :-1, :-1], self._all[:, -1, :-1]
        errors = sums - times * (weights @ xs.T)
        m, d = xs.shape
        if m >= d or d <= SMALL:  # (A + X'X)^-1 = (I + A^-1 X'X)^-1 A^-1
            made = np.linalg.solve(np.eye(d) + inverses @ ((xs.T * times[:, None]) @ xs), inverses)
            made += made.swapaxes(1, 2)
            made *= 0.5
        else:  # the m x m system of Woodbury (1950), arm by arm
            made = inverses.copy()
            for inverse, often in zip(made, times, strict=True):
                met = often.nonzero()[0]
                rooted = xs[met] * np.sqrt(often[met])[:, None]
                moved = inverse @ rooted.T
                inverse -= moved @ np.linalg.solve(np.eye(len(met)) + rooted @ moved, moved.T)
        inverses[:] = made
        weights += ((errors @ xs)[:, None] @ made)[:, 0]
