"""Fitted Q evaluation on distinct observations: the target policy's action values from a log, by table, cross-fitted; no bounds.

Method: Le, Voloshin and Yue 2019; on a table every sweep is one step of dynamic programming on the transitions that the log counts. It
holds an observation for the state: where something is hidden (who is on the line), it is biased however long the log, and doubly robust
estimators put that right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.contract import Policy
from policies.experience import Floats, Rollout
from policies.ope.doubly_robust import Modelled
from policies.ope.trajectories import Trajectories

FOLDS = 5
SEED = 20_261_121  # of the folds: the same log gives the same estimate
PRIOR = 1.0  # episodes' worth of belief that an action earns what is earned from there on average
STILL = 1e-9

Ints = NDArray[np.intp]


def tabular_values(
    rollout: Rollout, log: Trajectories, target: Policy, *, folds: int = FOLDS, by_step: bool = False, prior: float = PRIOR
) -> Modelled:
    """Return the values of the target along the log, each episode's by a table that was fitted without its fold.

    Args:
        folds: into how many parts the episodes are cut, at random but always the same; 1: every episode is fitted on, and judged.
        by_step: whether the table has a row for every observation at every step (a horizon that the observation does not show), not
            one for every observation.
        prior: how many samples the mean return from an observation counts beside those of each action there; 0: none (an action that
            was never seen there still takes it).
    """
    fold, mask = folds_of(log.n, folds), log.mask
    at, states = _compact(rollout.observations, mask, by_step=by_step)
    probs = action_probs(target, states, len(target.spaces.actions))
    following = np.concatenate([at[1:], np.full_like(at[:1], len(states))])
    following = np.where(np.concatenate([mask[1:], np.zeros_like(mask[:1])]), following, len(states))  # len(states): the end
    actions = rollout.actions[mask].astype(np.intp)
    samples = _Samples(
        at[mask], actions, following[mask], log.rewards[mask], _to_go(log)[mask], np.broadcast_to(fold, mask.shape)[mask], folds, probs
    )
    action, state = samples.values(log.discount, int(mask.sum(0).max()), prior)
    own = samples.fold
    q, v = np.zeros(mask.shape), np.zeros(mask.shape)
    q[mask], v[mask] = action[own, samples.at, actions], state[own, samples.at]
    return Modelled(q, v)


@dataclass(frozen=True)
class _Samples:
    """Steps of a log, flat: (M,) each. `probs` is the target's, (S, A)."""

    at: Ints
    actions: Ints
    following: Ints  # S: the end
    rewards: Floats
    to_go: Floats
    fold: Ints
    folds: int
    probs: Floats

    def values(self, discount: float, sweeps: int, prior: float) -> tuple[Floats, Floats]:
        """Return action values (folds, S, A) and state values (folds, S) of tables fitted without each fold."""
        states, actions = self.probs.shape
        pair = self.at * actions + self.actions
        move, move_of = np.unique(pair * (states + 1) + self.following, return_inverse=True)
        moves_pair, moves_to = np.divmod(move, states + 1)
        seen, starts = np.unique(moves_pair, return_index=True)
        times = self._away(move_of, len(move), None)
        earned = self._away(np.searchsorted(seen, pair), len(seen), self.rewards)
        count = np.add.reduceat(times, starts, axis=1)
        visits, gained = self._away(self.at, states, None), self._away(self.at, states, self.to_go)
        overall = gained.sum(1, keepdims=True) / np.maximum(visits.sum(1, keepdims=True), 1)
        believed = np.where(visits > 0, gained / np.maximum(visits, 1), overall)
        q = np.repeat(believed[:, :, None], actions, axis=2)
        v = np.zeros((len(q), states + 1))
        flat, belief = q.reshape(len(q), -1), q.reshape(len(q), -1)[:, seen]
        weight = np.maximum(count + prior, 1e-300)
        for _ in range(sweeps):
            before = v.copy()
            found = earned + discount * np.add.reduceat(times * v[:, moves_to], starts, axis=1)
            flat[:, seen] = np.where(count > 0, (found + prior * belief) / weight, belief)
            v[:, :-1] = np.einsum("fsa,sa->fs", q, self.probs)
            if np.abs(v - before).max() < STILL:
                break
        return q, v[:, :-1]

    def _away(self, index: Ints, size: int, weights: Floats | None) -> Floats:
        """Return sums by `index` over all folds but each, (folds, size); over all where there is but one fold."""
        own = np.bincount(self.fold * size + index, weights, self.folds * size).reshape(self.folds, size)
        return np.asarray((1 - np.eye(self.folds)) @ own if self.folds > 1 else own, float)


def folds_of(episodes: int, folds: int) -> Ints:
    """Return the fold of each episode: as many of each as can be, at random but always the same."""
    return np.asarray(np.random.default_rng(SEED).permutation(episodes) % folds)


def action_probs(target: Policy, observations: NDArray[np.generic], actions: int) -> Floats:
    """Return the probability of every action at M observations, (M, actions)."""
    each = np.repeat(observations, actions, axis=0)
    return np.asarray(target.probs_of(each, np.tile(np.arange(actions), len(observations)))).reshape(-1, actions)


def _to_go(log: Trajectories) -> Floats:
    """Return the discounted return from every step on, (T, N)."""
    found = log.rewards.copy()
    for step in range(log.horizon - 2, -1, -1):
        found[step] += log.discount * found[step + 1]
    return found


def _compact(observations: NDArray[np.generic], mask: NDArray[np.bool_], *, by_step: bool) -> tuple[Ints, NDArray[np.intp]]:
    """Return the row of every step, (T, N), and the observation that each row stands for, (S,): only what the log has gets a row."""
    seen = observations.astype(np.intp)
    size = int(seen.max()) + 1
    keys = seen + size * np.arange(len(seen))[:, None] if by_step else seen
    rows, at = np.unique(keys[mask], return_inverse=True)
    placed = np.zeros(mask.shape, np.intp)
    placed[mask] = at
    return placed, np.asarray(rows % size)
