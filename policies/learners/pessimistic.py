"""Pessimistic learning from a log: better where the log shows enough, the behaviour policy where it does not (Πb-SPIBB)."""

from typing import ClassVar, Self

import numpy as np

from dialogue.environments.contract import Actions, Observations, Spaces
from policies.contract import Learner
from policies.experience import Floats, Rollout
from policies.parameters import COUNT, NOT_NEGATIVE, SHARE, Allowed, Parameters
from policies.table import TablePolicy
from policies.tabular import Indices, need_table, settled, widened

SETTLED = 1e-9  # change of the values, as a share of the largest reward, at which they are solved


class Pessimistic(Learner):
    """Safe policy improvement with baseline bootstrapping (Πb-SPIBB; Laroche, Trichelair and Tachet des Combes 2019).

    Counts make an empirical MDP and an estimate of the behaviour policy (Simão, Laroche and Tachet des Combes 2020). A cell (an action
    in an observation) that was tried less than `n_min` times keeps the probability that the behaviour policy gave it; what is left goes
    to the best of the other actions, by the values of the empirical MDP under this very policy. Observations that the log never met
    get the behaviour's shares of actions overall. It needs no logged probabilities. It counts: every episode should be shown once, in
    any number of batches and on any number of days; what it then serves is the same, but for the last bits of sums.

    Args:
        n_min: how often an action must have been tried in an observation before its value is believed.
        gamma: discount.
        sweeps: of value iteration, at most: a log in which a loop never ends has no values at a discount of 1.
        steps: T, where it acts itself.
        envs: N; of a log, how many episodes make a batch.
    """

    name: ClassVar[str] = "pessimistic"
    passes: ClassVar[int] = 1  # over a log: it counts
    allowed: ClassVar[Allowed] = Parameters.allowed | {"n_min": NOT_NEGATIVE, "gamma": SHARE, "sweeps": COUNT}

    def __init__(self, n_min: int = 10, gamma: float = 1.0, sweeps: int = 1000, steps: int = 32, envs: int = 1024) -> None:
        self.n_min = n_min
        self.gamma = gamma
        self.sweeps = sweeps
        self.steps = steps
        self.envs = envs

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """As the contract says.

        Raises:
            UsageProblem: observations or actions are vectors, or a parameter is not what it may be.
        """
        self.see_allowed(self.name)
        shape = need_table(spaces, self.name), len(spaces.actions)
        self.spaces = spaces
        self.counts_ = np.zeros(shape, np.int64)
        self.rewards_: Floats = np.zeros(shape)  # sums
        self.moves_ = np.empty(0, np.int64)  # cell * observations + next observation, rising, of moves that were seen
        self.moved_ = np.empty(0, np.int64)  # how often each was
        self.values_: Floats = np.zeros(shape)
        self.probs_: Floats = np.full(shape, 1 / shape[1])
        self.rng_ = np.random.default_rng(seed)
        return self

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return sampled actions."""
        rows = self.probs_[observations]
        bounds = rows.cumsum(1)
        actions = (bounds <= self.rng_.random(len(rows))[:, None] * bounds[:, -1:]).sum(1)
        return actions, rows[np.arange(len(rows)), actions]

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Count, and solve anew.

        Returns:
            `loss`, the mean squared temporal difference of the batch under the new values; `bootstrapped`, how many cells of the
            observations met so far keep the behaviour's probability, of `cells`.
        """
        taken = settled(rollout)
        kept = np.ones(taken.rewards.shape, bool) if taken.mask is None else taken.mask
        rows, width = self.counts_.shape
        cells = (taken.observations * width + taken.actions)[kept]
        rewards, after, goes_on = taken.rewards[kept], taken.next_observations[kept], ~taken.terminated[kept]
        self.counts_ += np.bincount(cells, minlength=rows * width).reshape(rows, width)
        self.rewards_ += np.bincount(cells, rewards, minlength=rows * width).reshape(rows, width)
        self._count_moves(cells[goes_on] * rows + after[goes_on])
        believed = self._solve()
        best = (self.probs_ * self.values_).sum(1)
        errors = rewards + self.gamma * goes_on * best[after] - self.values_.reshape(-1)[cells]
        met = self.counts_.sum(1) > 0
        return {
            "loss": float(errors @ errors) / max(errors.size, 1),
            "bootstrapped": float((~believed[met]).sum()),
            "cells": float(believed[met].size),
        }

    def policy(self) -> TablePolicy:
        """Return what it holds now; the counts say what was bootstrapped."""
        return TablePolicy(self.spaces, self.probs_.copy(), self.values_.copy(), self.counts_.copy())

    def widen(self, spaces: Spaces, moved: Indices) -> None:
        """As the contract says."""
        rows, before = need_table(spaces, self.name), len(self.counts_)
        width = self.counts_.shape[1]
        cell, after = np.divmod(self.moves_, before)
        seen, action = np.divmod(cell, width)
        moves = (moved[seen] * width + action) * rows + moved[after]
        order = moves.argsort()
        self.spaces = spaces
        self.moves_, self.moved_ = moves[order], self.moved_[order]
        self.counts_ = widened(self.counts_, rows, moved, 0)
        self.rewards_ = widened(self.rewards_, rows, moved, 0.0)
        self.values_ = widened(self.values_, rows, moved, 0.0)
        probs = self.behaviour()  # of new observations: the shares of actions overall
        probs[moved] = self.probs_
        self.probs_ = probs

    def behaviour(self) -> Floats:
        """Return the behaviour policy as counted; its shares of actions overall where the log shows nothing: (observations, actions)."""
        visits = self.counts_.sum(1, keepdims=True)
        total = self.counts_.sum()
        overall = self.counts_.sum(0) / total if total else np.full(self.counts_.shape[1], 1 / self.counts_.shape[1])
        shares: Floats = np.where(visits > 0, self.counts_ / np.maximum(visits, 1), overall)
        return shares

    def _count_moves(self, moves: Indices) -> None:
        known, place = np.unique(np.concatenate((self.moves_, moves)), return_inverse=True)
        times = np.concatenate((self.moved_, np.ones(len(moves), np.int64)))
        self.moves_, self.moved_ = known, np.bincount(place, times, minlength=len(known)).astype(np.int64)

    def _solve(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Find values and policy by value iteration over the policies that are allowed; return which cells are believed.

        It begins at 0 every time, so that what comes out depends on the counts alone and not on the batches that brought them.
        """
        rows, width = self.counts_.shape
        behaviour, believed = self.behaviour(), self.counts_ >= max(self.n_min, 1)
        held = np.where(believed, 0.0, behaviour)
        free = np.where(believed, behaviour, 0.0).sum(1)
        tried = np.maximum(self.counts_, 1)
        rewards = self.rewards_ / tried
        cell, after = np.divmod(self.moves_, rows)
        chances = self.gamma * self.moved_ / tried.reshape(-1)[cell]
        values = rewards
        small = SETTLED * float(np.abs(rewards).max(initial=0.0))
        for _ in range(self.sweeps):
            worth = (held * values).sum(1) + free * _best(values, believed)
            found = rewards + np.bincount(cell, chances * worth[after], minlength=rows * width).reshape(rows, width)
            change = float(np.abs(found - values).max(initial=0.0))
            values = found
            if change <= small:
                break
        top = believed & (values >= _best(values, believed)[:, None])
        shared = top / np.maximum(top.sum(1, keepdims=True), 1)
        self.values_ = values
        self.probs_ = held + free[:, None] * shared
        self.probs_ /= self.probs_.sum(1, keepdims=True)
        return believed


def _best(values: Floats, believed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Return the best value of the believed actions in each observation; 0 where there are none."""
    best: Floats = np.where(believed, values, -np.inf).max(1)
    return np.where(np.isfinite(best), best, 0.0)
