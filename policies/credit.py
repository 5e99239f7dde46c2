"""What each step is credited with when nothing is bootstrapped: whole returns, so steps wait until their episodes have ended."""

import numpy as np

from dialogue.environments.contract import State
from policies.experience import Floats, Rollout
from policies.returns import lambda_returns

KEPT = ("observations", "actions", "probs", "rewards", "next_observations", "terminated", "truncated")


def finished(rollout: Rollout, waiting: State, longest: int) -> tuple[Rollout, State]:
    """Return the steps whose return is known now, those that waited included, and those that wait on.

    Only an environment's own stream (on-policy, no mask) goes on in the next rollout; whole logged episodes pass as they are, and one
    that breaks off there is as if truncated.

    Args:
        rollout: the next T steps.
        waiting: what the call before returned; empty at first.
        longest: an episode that has not ended after so many steps is cut off (truncated) here.
    """
    if not rollout.on_policy or rollout.mask is not None:
        return rollout, waiting
    parts = {name: getattr(rollout, name) for name in KEPT}
    held = np.ones(rollout.rewards.shape, bool)
    if waiting and waiting["rewards"].shape[1] == rollout.rewards.shape[1]:
        parts = {name: np.concatenate([waiting[name], part]) for name, part in parts.items()}
        held = np.concatenate([waiting["held"], held])
    ends = parts["terminated"] | parts["truncated"]
    cut = (held & ~_ever_after(ends)).sum(0) >= longest
    if cut.any():
        parts["truncated"] = parts["truncated"].copy()
        parts["truncated"][-1, cut] = True
        ends = parts["terminated"] | parts["truncated"]
    over = _ever_after(ends)
    still = held & ~over
    known = Rollout(**parts, mask=held & over)
    since = int(still.any(1).argmax()) if still.any() else len(still)
    return known, {name: part[since:] for name, part in parts.items()} | {"held": still[since:]}


def returns_of(rollout: Rollout, ratios: Floats | None, after: Floats, gamma: float) -> Floats:
    """Return the return from each step to the end of its episode, (T, N).

    Args:
        rollout: whole episodes.
        ratios: (T, N) by how much likelier the policy that is asked about takes each action than the one that acted; what comes after a
            step is weighted with the ratios of the later steps (per-decision importance sampling, Precup et al. 2000), and the choice
            of the step itself is not corrected: its value is for this action. None: what came after is taken as it came.
        after: (T, N) what a truncated episode would still have earned after this step.
        gamma: discount.
    """
    discount: float | Floats = gamma
    if ratios is not None:
        follows = ~rollout.ends[:-1]
        if rollout.mask is not None:
            follows &= rollout.mask[1:]
        discount = np.full(rollout.rewards.shape, gamma)
        discount[:-1] = np.where(follows, gamma * ratios[1:], gamma)
    return lambda_returns(rollout.rewards, after, rollout.terminated, rollout.truncated, discount, 1.0, rollout.mask)


def _ever_after(ends: np.ndarray) -> np.ndarray:
    """Return whether an end comes at this step or later in its column."""
    return np.logical_or.accumulate(ends[::-1])[::-1]
