"""Ridge regression as data comes, one arm beside the other: never solved anew, always the exact solution; no exploration here.

Arms are one array (arms, d + 1, d + 1). Of each, the first d rows hold P, the inverse of `ridge * I + sum of x x'`, and the last row the
weights, P times the sum of x y; the last column is 0. So one product with x (and a 0) gives P x and the prediction, and one product of a
column and a row brings both up to date. With d = 15 the time goes into NumPy's calls and not into arithmetic: therefore this form, and
results written into the same scratch arrays again and again.
"""

import numpy as np
from numpy import dot, multiply, subtract

from policies.experience import Floats


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
        self._arms, self._rows, self._width = list(arms), arms.reshape(-1, size), size - 1
        self._x = np.zeros(size)  # with its 0 behind
        self._given = self._x[:-1]
        self._products = np.empty(count * size)  # of all arms: P x, and the prediction behind it
        self._by_arm = self._products.reshape(count, size)
        self._means, self._squares = self._by_arm[:, -1], np.empty(count)
        self._column, self._row, self._change = np.empty((size, 1)), np.empty(size), np.empty((size, size))
        self._moved = self._column[:, 0]

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
        padded, block, moved, row, change = self._x, self._arms[arm], self._moved, self._row, self._change
        dot(block, padded, moved)
        multiply(moved, 1 / (1 + float(dot(moved, padded))), row)
        row[-1] = 0
        moved[-1] -= y
        multiply(self._column, row, change)
        subtract(block, change, block)

    def add_block(self, arm: int, xs: Floats, ys: Floats) -> None:
        """Take in m observations at once (Woodbury 1950): the same, but for rounding, as one after another.

        Args:
            arm: whose.
            xs: (m, d).
            ys: (m,).
        """
        m, d = xs.shape
        inverse, weights = self._arms[arm][:-1, :-1], self._arms[arm][-1, :-1]
        errors = ys - xs @ weights
        if m < d:
            moved = inverse @ xs.T
            gains = np.linalg.solve(np.eye(m) + xs @ moved, moved.T)
            inverse -= moved @ gains
            weights += errors @ gains
        else:  # the same with a d x d system
            made = np.linalg.solve(np.eye(d) + inverse @ (xs.T @ xs), inverse)
            inverse[:] = (made + made.T) / 2
            weights += inverse @ (errors @ xs)
