"""Importance sampling estimators of a policy's value, by episode and by decision, plain and weighted; no model of the environment.

With w the product of ratios up to and including step t, and n episodes:
  IS     mean of w(last) · return                                        unbiased
  WIS    Σ w(last) · return / Σ w(last)                                  consistent, within the range of returns
  PDIS   mean of Σₜ γᵗ w(t) r(t)                                         unbiased (Precup, Sutton and Singh 2000)
  WPDIS  Σₜ γᵗ Σᵢ w(t) r(t) / Σᵢ w(t)                                    consistent (CWPDIS, Thomas 2015)
Sums run over all episodes at every step, ended ones with their last weight and reward 0 (see `Trajectories`).
"""

import numpy as np

from policies.ope.ratios import Ratios
from policies.ope.trajectories import Trajectories


def importance(log: Trajectories) -> Ratios:
    """Return IS (Kahn and Marshall 1953; of episodes, Precup, Sutton and Singh 2000)."""
    return Ratios.mean(log.last * log.returns)


def weighted_importance(log: Trajectories) -> Ratios:
    """Return WIS (Precup, Sutton and Singh 2000)."""
    return Ratios((log.last * log.returns)[:, None], log.last[:, None])


def per_decision(log: Trajectories) -> Ratios:
    """Return PDIS (Precup, Sutton and Singh 2000): a reward is weighted by what was done before it, not by what came after."""
    return Ratios.mean((log.discounts * log.weights * log.rewards).sum(0))


def weighted_per_decision(log: Trajectories) -> Ratios:
    """Return WPDIS: the consistent weighted per-decision estimator (CWPDIS) of Thomas 2015."""
    return Ratios(np.asarray((log.discounts * log.weights * log.rewards).T), np.asarray(log.weights.T))


def as_logged(log: Trajectories) -> Ratios:
    """Return the mean return of the log: what the policy that acted earned."""
    return Ratios.mean(log.returns)
