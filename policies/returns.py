"""What a step turned out to be worth: GAE, V-trace, lambda- and n-step returns over (T, N) arrays; nothing here knows who holds the values.

All arrays are time-major, (T, N) as in a Rollout. After a step that `terminated` nothing comes; a step that was `truncated` goes on from
its `next_values` and nothing of the step that follows in its column (another episode) reaches it; the last row goes on from its
`next_values` too. Where `mask` is False the results are 0, and the step before goes on from its `next_values`; what stands in the other
arrays there, and in `next_values` after a termination, may be anything, NaN included. `discount` is one number or an array (T, N).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from policies.experience import Bools, Floats


class VTrace(NamedTuple):
    """What V-trace corrects, each (T, N).

    Attributes:
        errors: targets - values.
        targets: of the values under the target policy.
        advantages: what the policy's log-probabilities are weighted with, the clipped ratio included.
    """

    errors: Floats
    targets: Floats
    advantages: Floats


def gae(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    terminated: Bools,
    truncated: Bools,
    discount: float | Floats,
    trace: float,
    mask: Bools | None = None,
) -> Floats:
    """Return the generalised advantage of every step (Schulman et al. 2016); added to `values` it is their TD(lambda) target.

    Args:
        rewards: (T, N).
        values: (T, N) of what was seen before the step.
        next_values: (T, N) of what was seen after the step, before an episode was begun anew.
        terminated: (T, N).
        truncated: (T, N).
        discount: gamma.
        trace: lambda: 0 gives the one-step error, 1 the discounted return less the value.
        mask: (T, N); None where every step was taken.
    """
    after, keep = _followed(next_values, terminated, truncated, discount, mask)
    errors = rewards + discount * after
    errors -= values
    keep *= trace
    return _summed_back(errors if mask is None else np.where(mask, errors, 0.0), keep)


def vtrace(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    ratios: Floats,
    terminated: Bools,
    truncated: Bools,
    discount: float | Floats,
    trace: float = 1.0,
    rho_clip: float = 1.0,
    c_clip: float = 1.0,
    pg_clip: float = 1.0,
    mask: Bools | None = None,
) -> VTrace:
    """Return value targets and policy-gradient advantages corrected for another policy having acted (Espeholt et al. 2018).

    Args:
        rewards: (T, N).
        values: (T, N) of what was seen before the step.
        next_values: (T, N) of what was seen after the step, before an episode was begun anew.
        ratios: (T, N) probability of the action under the target policy, divided by that under the policy that acted.
        terminated: (T, N).
        truncated: (T, N).
        discount: gamma.
        trace: lambda.
        rho_clip: rho-bar; sets which policy's value is learned (between the acting one's, 0, and the target's, infinity).
        c_clip: c-bar; sets how far corrections reach back.
        pg_clip: the largest ratio that weights a policy gradient.
        mask: (T, N); None where every step was taken.
    """
    after, keep = _followed(next_values, terminated, truncated, discount, mask)
    if mask is not None:
        ratios, rewards, values = np.where(mask, ratios, 0.0), np.where(mask, rewards, 0.0), np.where(mask, values, 0.0)
        after = np.where(mask, after, 0.0)
    bootstrapped = rewards + discount * after - values
    errors = _summed_back(np.minimum(ratios, rho_clip) * bootstrapped, keep * (np.minimum(ratios, c_clip) * trace))
    # What comes after the step, corrected: next value + lambda * its error, as far as the episode goes on.
    bootstrapped[:-1] += keep[:-1] * trace * errors[1:]
    return VTrace(errors, errors + values, np.minimum(ratios, pg_clip) * bootstrapped)


def lambda_returns(
    rewards: Floats,
    next_values: Floats,
    terminated: Bools,
    truncated: Bools,
    discount: float | Floats,
    trace: float,
    mask: Bools | None = None,
) -> Floats:
    """Return G = r + gamma ((1 - lambda) V' + lambda G'), the lambda-return of every step (Sutton and Barto 2018, 12.2).

    Args:
        rewards: (T, N).
        next_values: (T, N) of what was seen after the step: of the state, or of its best action for Q-learning.
        terminated: (T, N).
        truncated: (T, N).
        discount: gamma.
        trace: lambda: 0 gives the one-step return, 1 the Monte-Carlo return.
        mask: (T, N); None where every step was taken.
    """
    after, keep = _followed(next_values, terminated, truncated, discount, mask)
    keep *= trace
    returns = rewards + (discount - keep) * after
    return _summed_back(returns if mask is None else np.where(mask, returns, 0.0), keep)


def n_step_returns(
    rewards: Floats,
    next_values: Floats,
    terminated: Bools,
    truncated: Bools,
    discount: float | Floats,
    n: int | None = 1,
    mask: Bools | None = None,
) -> Floats:
    """Return n rewards, discounted, and the value of what comes after them (Sutton and Barto 2018, 7.1).

    Args:
        rewards: (T, N).
        next_values: (T, N) of what was seen after the step: of the state, or of its best action for Q-learning.
        terminated: (T, N).
        truncated: (T, N).
        discount: gamma.
        n: how many rewards; fewer where the episode, or the rollout, ends before. None: all of them (Monte Carlo).
        mask: (T, N); None where every step was taken.
    """
    if n is None or n >= len(rewards):
        return lambda_returns(rewards, next_values, terminated, truncated, discount, 1.0, mask)
    after, keep = _followed(next_values, terminated, truncated, discount, mask)
    returns = rewards + discount * after
    if mask is not None:
        returns = np.where(mask, returns, 0.0)
    goes_on = keep[:-1] != 0
    for _ in range(n - 1):
        longer = returns.copy()  # one step's return, where nothing of the row below belongs to it
        np.copyto(longer[:-1], rewards[:-1] + keep[:-1] * returns[1:], where=goes_on)
        returns = longer
    return returns


def returns_to_go(
    rewards: Floats, terminated: Bools, truncated: Bools, discount: float | Floats = 1.0, mask: Bools | None = None
) -> Floats:
    """Return the discounted sum of the rewards from each step to the end of its episode or of the rollout; no value is added there.

    Args:
        rewards: (T, N).
        terminated: (T, N).
        truncated: (T, N).
        discount: gamma.
        mask: (T, N); None where every step was taken.
    """
    return lambda_returns(rewards, np.zeros_like(rewards), terminated, truncated, discount, 1.0, mask)


def _followed(
    next_values: Floats, terminated: Bools, truncated: Bools, discount: float | Floats, mask: Bools | None
) -> tuple[Floats, Floats]:
    """Return the value of what comes after each step, and the discount of the step in the row below: 0 where that belongs elsewhere."""
    keep = np.where(terminated | truncated, 0.0, discount).astype(next_values.dtype, copy=False)
    keep[-1:] = 0
    if mask is not None:
        keep[:-1] *= mask[1:] & mask[:-1]
    return np.where(terminated, 0.0, next_values), keep


def _summed_back(parts: Floats, keep: Floats) -> Floats:
    """Return x with x[t] = parts[t] + keep[t] * x[t + 1]."""
    if parts.shape[1] == 1:  # one episode: Python's own numbers are faster than NumPy on arrays of one
        total, out = 0.0, []
        for part, kept in zip(reversed(parts[:, 0].tolist()), reversed(keep[:, 0].tolist()), strict=True):
            total = part + kept * total
            out.append(total)
        return np.array(out[::-1], parts.dtype)[:, None]
    summed: NDArray[np.float64] = np.array(parts)
    for t in range(len(parts) - 2, -1, -1):
        summed[t] += keep[t] * summed[t + 1]
    return summed
