"""Advantages and errors of values for the steps of a rollout: GAE where the learner acted itself, V-trace where another did; no network."""

from collections.abc import Callable

import numpy as np

from dialogue.environments.contract import Observations
from dialogue.errors import UsageProblem
from policies.experience import Floats, Rollout
from policies.network import Array
from policies.returns import gae, vtrace
from policies.steps_taken import followed_apart, gridded, taken


def advantages_and_errors(
    rollout: Rollout,
    values: Array,
    logs: Array,
    values_at: Callable[[Observations], Array],
    discount: float,
    trace: float,
    rho_clip: float,
    c_clip: float,
) -> tuple[Floats, Floats]:
    """Return what the log probabilities are weighed with, and what the values lack of their targets, of the n steps that were taken.

    Args:
        rollout: of n steps taken.
        values: (n,) of what was seen before each.
        logs: (n,) log probability of each action, now.
        values_at: gives the values of observations; asked where what came after a step does not stand in the row below.
        discount: gamma.
        trace: lambda.
        rho_clip: V-trace's rho-bar, of the policy gradient too.
        c_clip: V-trace's c-bar.

    Raises:
        UsageProblem: an off-policy rollout does not say how probable its actions were.
    """
    grid = gridded(values.astype(np.float64), rollout)
    follows = np.empty_like(grid)
    follows[:-1] = grid[1:]
    apart = followed_apart(rollout).nonzero()
    if apart[0].size:
        follows[apart] = values_at(rollout.next_observations[apart])
    ends = rollout.terminated, rollout.truncated
    if rollout.on_policy:
        advantages = taken(gae(rollout.rewards, grid, follows, *ends, discount, trace, rollout.mask), rollout)
        return advantages, advantages
    ratios = gridded(_ratios(logs, taken(rollout.probs, rollout)), rollout)
    found = vtrace(rollout.rewards, grid, follows, ratios, *ends, discount, trace, rho_clip, c_clip, rho_clip, rollout.mask)
    return taken(found.advantages, rollout), taken(found.errors, rollout)


def _ratios(logs: Array, probs: Floats) -> Floats:
    """Return how many times as probable each action is as it was when it was logged.

    Raises:
        UsageProblem: a logged probability is missing.
    """
    missing = int((~(probs > 0)).sum())
    if missing:
        raise UsageProblem(
            f"{missing:,} of {len(probs):,} logged steps do not say how probable their action was (action_prob), and a2c corrects by it; "
            "log it, or take learner pessimistic, which does without"
        )
    with np.errstate(over="ignore"):
        ratios: Floats = np.exp(logs.astype(np.float64)) / probs
    return ratios
