"""What learners over a table share: the check of spaces, wiping out masked steps, means by cell, choice from a table, widening."""

from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Observations, Spaces, State
from dialogue.errors import UsageProblem, listed
from policies.experience import Bools, Floats, Rollout
from policies.schedules import Schedule

Indices = NDArray[np.intp]


def need_table(spaces: Spaces, learner: str) -> int:
    """Return how many observations a table has.

    Raises:
        UsageProblem: observations or actions are vectors.
    """
    if spaces.observations is None:
        raise UsageProblem(f"learner {learner} needs discrete observations, here they are vectors of {spaces.width}; take linear or a2c")
    if spaces.continuous:
        raise UsageProblem(f"learner {learner} needs discrete actions, here they are numbers ({listed(spaces.actions)}); take a2c")
    return spaces.observations


def settled(rollout: Rollout) -> Rollout:
    """Return the rollout with harmless zeros wherever its contents are not to be looked at, so that tables can be indexed with it."""
    if rollout.mask is None and not rollout.terminated.any():
        return rollout
    after = np.where(rollout.terminated, 0, rollout.next_observations)
    if rollout.mask is None:
        return replace(rollout, next_observations=after)
    kept = rollout.mask
    return replace(
        rollout,
        observations=np.where(kept, rollout.observations, 0),
        actions=np.where(kept, rollout.actions, 0),
        probs=np.where(kept, rollout.probs, 1.0),
        rewards=np.where(kept, rollout.rewards, 0.0),
        next_observations=np.where(kept, after, 0),
    )


def kept(part: NDArray[Any], mask: Bools | None) -> NDArray[Any]:
    """Return the steps that were taken, one after another: (T, N) as (n,)."""
    return part.reshape(-1) if mask is None else part[mask]


def known(probs: Floats, learner: str) -> Floats:
    """Return the logged probabilities.

    Raises:
        UsageProblem: one is missing, or not above 0.
    """
    missing = int((~(probs > 0)).sum())
    if missing:
        raise UsageProblem(
            f"{missing:,} of {probs.size:,} logged steps have no probability (action_prob), and learner {learner} corrects by it; "
            "log it, or take learner q, which needs none"
        )
    return probs


def means(cells: NDArray[Any], values: Floats, size: int) -> tuple[Indices, NDArray[np.int64], Floats]:
    """Return which cells of a table were met (rising), how often, and the mean of the values that fell into each.

    Args:
        cells: (n,) indices into the flat table.
        values: (n,).
        size: how many cells the table has.
    """
    if size <= 8 * cells.size + 4096:  # counting through the table is faster than sorting
        hits = np.bincount(cells, minlength=size)
        met = hits.nonzero()[0]
        hits = hits.take(met)
        return met, hits, np.bincount(cells, values, minlength=size).take(met) / hits
    met, place = np.unique(cells, return_inverse=True)
    hits = np.bincount(place)
    return met, hits, np.bincount(place, values) / hits


def step_towards(
    values: Floats, counts: NDArray[np.int64], cells: NDArray[Any], targets: Floats, rule: Schedule, step: int
) -> tuple[Indices, NDArray[np.int64], Floats]:
    """Move each cell met towards the mean of its targets, by the one step that as many single ones make together, and count; in place.

    The order within a batch then does not matter, and with a step of 1/k the cell is the mean of all targets it ever had.

    Args:
        values: a table, any shape, contiguous.
        counts: how often each cell was met before; like `values`.
        cells: indices into the flat table, any shape.
        targets: like `cells`.
        rule: of the step sizes.
        step: how many steps were learned from before, in all.

    Returns:
        As of `means`.
    """
    held, seen = values.reshape(-1), counts.reshape(-1)
    met, hits, mean = means(cells.reshape(-1), targets.reshape(-1), held.size)
    old, before = held.take(met), seen.take(met)
    held[met] = old + rule.together(step, before, hits) * (mean - old)
    seen[met] = before + hits
    return met, hits, mean


def greedy_probs(values: Floats, floor: float | Floats = 0.0) -> Floats:
    """Return the probabilities of the best actions, ties shared, mixed with a random one's at `floor`.

    Args:
        values: (n, actions).
        floor: one share, or (n, 1).
    """
    best = values >= top(values)[:, None]
    ties = (best @ np.ones(values.shape[1]))[:, None]
    probs: Floats = best * ((1 - floor) / ties) + floor / values.shape[1]
    return probs


def top(values: Floats) -> Floats:
    """Return the best value of each row: (n,) of (n, actions); column by column, since rows are short."""
    return values.max(1) if values.shape[1] > 16 else reduce(np.maximum, values.T)


def served_probs(values: Floats, counts: NDArray[np.int64]) -> Floats:
    """Return the greedy probabilities over the actions that were tried; over all of them where none was."""
    tried = counts > 0
    return greedy_probs(np.where(tried | ~tried.any(1, keepdims=True), values, -np.inf))


def bounds_of(probs: Floats) -> Floats:
    """Return where each action's share of [0, 1) ends, for `draw`: (actions, n), from probabilities (n, actions)."""
    sums = probs.T.cumsum(0)
    sums /= sums[-1].copy()  # so that an action of probability 0 has no share at all, rounding or not
    return sums


def draw(bounds: Floats, probs: Floats, observations: Observations, rng: np.random.Generator) -> tuple[Indices, Floats]:
    """Return an action for each observation, and its probability.

    Args:
        bounds: (actions, observations) as `bounds_of` gives them.
        probs: (observations, actions).
        observations: (n,).
        rng: one number is drawn for each action.
    """
    shares = rng.random(len(observations))
    passed: NDArray[Any] = np.zeros(len(observations), np.int8 if len(bounds) <= 128 else np.intp)  # bytes add up fastest
    for bound in bounds[:-1]:
        passed += (bound.take(observations) <= shares).view(np.int8)
    actions = passed.astype(np.intp)
    return actions, probs.reshape(-1).take(observations * probs.shape[1] + actions)


def moved_waiting(waiting: State, moved: Indices) -> State:
    """Return the steps that wait for their return, as policies.credit holds them, where observation i of before is `moved[i]`."""
    seen = ("observations", "next_observations")
    return waiting | {name: moved[np.where(waiting["held"], waiting[name], 0)] for name in seen if waiting}


def widened(table: NDArray[Any], rows: int, moved: Indices, fill: Any) -> NDArray[Any]:
    """Return a table of more rows: row i of before is row `moved[i]`, the others are `fill`."""
    made = np.full((rows, *table.shape[1:]), fill, table.dtype)
    made[moved] = table
    return made
