"""Fitted Q evaluation on vectors: action values linear in the observation, by ridge regression, cross-fitted; see fitted_q for tables.

Method: Le, Voloshin and Yue 2019, with as many sweeps as the longest episode has steps. Targets are held within the returns that were
seen, since fitted values of another policy than the one that acted can run away (Tsitsiklis and Van Roy 1997).
"""

import numpy as np

from policies.contract import Policy
from policies.experience import Floats, Rollout
from policies.ope.doubly_robust import Modelled
from policies.ope.fitted_q import FOLDS, action_probs, folds_of
from policies.ope.trajectories import Trajectories

RIDGE = 1.0  # added to each feature's sum of squares, after features are scaled to a mean square of 1


def linear_values(rollout: Rollout, log: Trajectories, target: Policy, *, folds: int = FOLDS, ridge: float = RIDGE) -> Modelled:
    """Return the values of the target along the log, each episode's by regressions that were fitted without its fold.

    Args:
        rollout: its observations are vectors, (T, N, width).
    """
    mask, actions = log.mask, len(target.spaces.actions)
    seen = rollout.observations[mask].astype(float)
    scale = np.sqrt((seen**2).mean(0))
    features = np.column_stack([np.ones(len(seen)), seen / np.where(scale > 0, scale, 1.0)])
    probs = action_probs(target, rollout.observations[mask], actions)
    done = rollout.actions[mask].astype(np.intp)
    fold = np.broadcast_to(folds_of(log.n, folds), mask.shape)[mask]
    place = np.full((log.horizon + 1, log.n), -1)
    place[:-1][mask] = np.arange(len(seen))
    following = place[1:][mask]  # the row of the next step; -1 at an episode's end
    rewards = log.rewards[mask]
    q, v = np.empty(len(seen)), np.empty(len(seen))
    for one in range(folds):
        own = fold == one
        fitted_on = ~own if folds > 1 else own
        coefficients = _fit(features, done, rewards, following, probs, fitted_on, log, ridge)
        values = features[own] @ coefficients.T
        q[own], v[own] = values[np.arange(len(values)), done[own]], (probs[own] * values).sum(1)
    action, state = np.zeros(mask.shape), np.zeros(mask.shape)
    action[mask], state[mask] = q, v
    return Modelled(action, state)


def _fit(
    features: Floats,
    done: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
    rewards: Floats,
    following: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
    probs: Floats,
    fitted_on: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    log: Trajectories,
    ridge: float,
) -> Floats:
    """Return the coefficients of every action, (actions, width + 1)."""
    actions, width = probs.shape[1], features.shape[1]
    rows = [np.flatnonzero(fitted_on & (done == action)) for action in range(actions)]
    solvers = [np.linalg.solve(features[at].T @ features[at] + ridge * np.eye(width), features[at].T) for at in rows]
    after = np.maximum(following, 0)
    goes_on = following >= 0
    tails = np.cumsum((log.discounts * log.rewards)[::-1], axis=0)[::-1] / np.maximum(log.discounts, 1e-12)
    low, high = float(tails[log.mask].min()), float(tails[log.mask].max())
    coefficients = np.zeros((actions, width))
    for _ in range(int(log.mask.sum(0).max())):
        values = np.clip((probs * (features @ coefficients.T)).sum(1), low, high)
        wanted = rewards + log.discount * np.where(goes_on, values[after], 0.0)
        coefficients = np.stack([solver @ wanted[at] for solver, at in zip(solvers, rows, strict=True)])
    return coefficients
