"""What a sales call is worth at best, computed and not sampled: the best action of every turn, any one action always, given actions.

A call is worth the ending that its mean fit stands for, plus what its turns earn; the ending is drawn so that it is worth this on average,
so only arithmetic is left. All values are of a whole call, undiscounted, mean over the buyers; divided by the phases: of a step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.sales_rules import PLACES, SalesRules

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Best:
    """The best there is.

    Attributes:
        value: of a call, mean over the buyers.
        values: (buyers,).
        actions: (buyers, phases, 4).
    """

    value: float
    values: Floats
    actions: Floats


def value_of(rules: SalesRules, actions: Floats) -> Floats:
    """Return what a call with each buyer is worth: (buyers,).

    Args:
        rules: of the call.
        actions: in [0, 1], (buyers, phases, 4) or what can be broadcast to it.
    """
    taken = np.broadcast_to(actions, rules.wanted.shape)
    fits = np.maximum(1 - rules.reward.sharpness * ((taken - rules.wanted) ** 2).mean(-1), 0)
    changes = (np.diff(taken, axis=1) ** 2).mean(-1).sum(1)
    extremes = ((2 * taken - 1) ** 2).mean(-1).sum(1)
    worth: Floats = rules.rungs[0] + rules.stake * fits.mean(1) + rules.reward.variety * changes - rules.reward.extremity * extremes
    return worth


def best(rules: SalesRules) -> Best:
    """Return the best actions and their value, exact to rounding.

    While every turn fits at least a little, the value is a sum over the four places, each a concave quadratic in the T actions of a call
    (what is wanted, changes from turn to turn, distance from the middle) with one maximum in the box, which coordinate ascent reaches. And
    no turn of the best call fits not at all: to do what is wanted there instead wins a turn's part of the stake, and loses at most
    2 x variety + extremity, which must be less.

    Raises:
        ValueError: variety and extremity are weighted so highly against the endings that the above does not hold.
    """
    rule, turns = rules.reward, rules.turns
    part = rules.stake / turns
    pull = part * rule.sharpness  # of what is wanted, on the square of a distance; 4 x extremity pulls to the middle, variety pushes
    if pull + 4 * rule.extremity <= 4 * rule.variety or part <= 2 * rule.variety + rule.extremity:
        raise ValueError("variety and extremity are weighted so highly against the endings that the optimum cannot be told")
    taken = rules.wanted.copy()
    while True:
        before = taken.copy()
        for turn in range(turns):
            near = [taken[:, at] for at in (turn - 1, turn + 1) if 0 <= at < turns]
            weight = pull + 4 * rule.extremity - len(near) * rule.variety
            middle = pull * rules.wanted[:, turn] + 2 * rule.extremity - rule.variety * sum(near, np.zeros_like(taken[:, turn]))
            taken[:, turn] = np.clip(middle / weight, 0, 1)
        if np.abs(taken - before).max() < 1e-15:
            break
    values = value_of(rules, taken)
    return Best(float(values.mean()), values, taken)


def best_constant(rules: SalesRules, steps: int = 11, rounds: int = 24) -> tuple[Floats, float]:
    """Return the best action to take always, (4,), and its value: the best of a grid, and a pattern search from it.

    Args:
        rules: of the call.
        steps: of the grid, in each of the four places.
        rounds: how often the search halves its step.
    """

    def worth(actions: Floats) -> Floats:
        wanted = rules.wanted.reshape(-1, len(PLACES))
        squares = (actions**2).sum(1)[:, None] - 2 * actions @ wanted.T + (wanted**2).sum(1)
        fits = np.maximum(1 - rules.reward.sharpness / len(PLACES) * squares, 0).mean(1)
        extremes = ((2 * actions - 1) ** 2).mean(1)
        found: Floats = rules.rungs[0] + rules.stake * fits - rules.turns * rules.reward.extremity * extremes
        return found

    axis = np.linspace(0, 1, steps)
    grid = np.stack(np.meshgrid(*[axis] * len(PLACES), indexing="ij"), -1).reshape(-1, len(PLACES))
    at = grid[worth(grid).argmax()]
    moves = np.concatenate([np.zeros((1, len(PLACES))), np.eye(len(PLACES)), -np.eye(len(PLACES))])
    for size in 0.5 ** np.arange(rounds) * axis[1] / 2:
        while (choice := worth(near := np.clip(at + size * moves, 0, 1)).argmax()) != 0:
            at = near[choice]
    return at, float(worth(at[None])[0])
