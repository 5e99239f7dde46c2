"""A network's vector grown for more features: old ones move to their new places, new ones begin without effect; actions never grow."""

import numpy as np

from dialogue.errors import UsageProblem
from policies.network import Array, Layout


def columns_in(new: Array, old: Array) -> list[int]:
    """Return for each column of `old` the place of its equal in `new` (same rows, more columns), each place taken once.

    Raises:
        UsageProblem: a column has no equal.
    """
    found: list[int] = []
    for column in old.T:
        equal = np.flatnonzero((new == column[:, None]).all(0))
        free = [int(place) for place in equal if place not in found]
        if not free:
            raise UsageProblem("the new observations do not have all features of the old ones; train a new policy instead")
        found.append(free[0])
    return found


def widened(vector: Array, layout: Layout, wider: Layout, columns: list[int]) -> Array:
    """Return the vector with room for more features: old input weights in `columns`, 0 for the new, all else as it was."""
    grown = np.zeros(wider.size, vector.dtype)
    wider.cut(grown).layers[0][0][:, columns] = layout.cut(vector).layers[0][0]
    behind = 2 * layout.width * layout.hidden[0]  # input weights stand first
    grown[wider.size - layout.size + behind :] = vector[behind:]
    return grown
