"""Every estimator of a target policy's value on one log, with its interval; when the log says too little is told in overlap."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from policies.contract import Policy
from policies.experience import Floats, Rollout
from policies.ope.bernstein import mean_bounds, value_bounds
from policies.ope.bootstrap import DRAWS, Draws, Kind, bootstrap, joint_bootstrap
from policies.ope.doubly_robust import Modelled, direct, doubly_robust, weighted_doubly_robust
from policies.ope.fitted_q import action_probs, tabular_values
from policies.ope.fitted_q_linear import linear_values
from policies.ope.importance import as_logged, importance, per_decision, weighted_importance, weighted_per_decision
from policies.ope.overlap import Overlap, overlap
from policies.ope.ratios import Ratios
from policies.ope.trajectories import Trajectories, make_trajectories
from policies.propensities import Fit, fit

BY_WEIGHT: Mapping[str, Callable[[Trajectories], Ratios]] = {
    "wpdis": weighted_per_decision,
    "pdis": per_decision,
    "wis": weighted_importance,
    "is": importance,
}
ROBUST: Mapping[str, Callable[[Trajectories, Modelled], Ratios]] = {"dr": doubly_robust, "wdr": weighted_doubly_robust}
ESTIMATORS = (*ROBUST, *BY_WEIGHT, "dm")
LOGGED = "logged"


class Evaluator:
    """A log and a target policy: the model of values is fitted once, by the log's own rewards.

    Attributes:
        log: the episodes with their weights.
        modelled: None where actions are continuous: only weights are used then.
    """

    def __init__(self, rollout: Rollout, target: Policy, discount: float = 1.0, clip: float | None = None) -> None:
        self.log = make_trajectories(rollout, target, discount, clip)
        self.modelled: Modelled | None = None
        self._seen: tuple[Floats, Floats, Floats, Fit] | None = None
        if target.spaces.continuous:
            return
        if target.spaces.observations is None:
            self.modelled = linear_values(rollout, self.log, target)
            return
        self.modelled = tabular_values(rollout, self.log, target)
        mask, actions = self.log.mask, len(target.spaces.actions)
        rows, at = np.unique(rollout.observations[mask], return_inverse=True)
        pair = at * actions + rollout.actions[mask]
        tried, logged = (np.bincount(pair, by, len(rows) * actions).reshape(-1, actions) for by in (None, rollout.probs[mask]))
        seen = action_probs(target, rows, actions)[at], tried[at].astype(float), (logged / np.maximum(tried, 1))[at]
        self._seen = *seen, fit(rollout.observations[mask], rollout.actions[mask], rollout.probs[mask], actions)

    @cached_property
    def overlap(self) -> Overlap:
        """How much of the log speaks of the target."""
        return overlap(self.log, *self._seen) if self._seen else overlap(self.log)

    @property
    def direct(self) -> float | None:
        """What the model alone says; biased where observations hide something, so it has no interval."""
        return None if self.modelled is None else direct(self.modelled).value

    def estimators(self, rewards: Floats | None = None) -> dict[str, Ratios]:
        """Return all estimators but the model alone, the mean return of the log with them.

        Args:
            rewards: others than the log's, (T, N): doubly robust estimators stay unbiased with the model that was fitted by the log's.
        """
        log = self.log if rewards is None else self.log.with_rewards(rewards)
        found = {} if self.modelled is None else {name: made(log, self.modelled) for name, made in ROBUST.items()}
        return found | {name: made(log) for name, made in BY_WEIGHT.items()} | {LOGGED: as_logged(log)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, and between which bounds it lies with the probability that was asked for; None where there are none."""

    value: float
    low: float | None = None
    high: float | None = None
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Worlds:
    """The log's rewards as they might have been, each (T, N), had other labels been given to the judge's calibration."""

    rewards: Callable[[], Iterable[Floats]]
    count: int


def drawn(made: Callable[[Floats | None], Mapping[str, Ratios]], worlds: Worlds | None, seed: int, draws: int = DRAWS) -> dict[str, Draws]:
    """Return the draws of estimators, of episodes alone or of rewards as well.

    Args:
        made: gives the estimators by some rewards; None: the log's own.
    """
    rng = np.random.default_rng(seed)
    if worlds is None:
        return bootstrap(made(None), rng, draws)
    return joint_bootstrap(made(None), (made(rewards) for rewards in worlds.rewards()), worlds.count, rng, draws)


def estimates(
    evaluator: Evaluator,
    level: float = 0.95,
    kind: Kind = Kind.SYMMETRIC,
    *,
    worlds: Worlds | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> dict[str, Estimate]:
    """Return every estimator with its bootstrap interval, by name; `logged` is the mean return of the log, `dm` has no interval."""
    found = drawn(evaluator.estimators, worlds, seed, draws)
    made = {name: Estimate(one.estimator.value, *one.interval(level, kind), one.error) for name, one in found.items()}
    return made if evaluator.direct is None else made | {"dm": Estimate(evaluator.direct)}


def guaranteed(evaluator: Evaluator, low: float, high: float, level: float = 0.95) -> dict[str, Estimate]:
    """Return importance sampling and the mean return of the log with empirical Bernstein bounds.

    Args:
        low, high: between which any return lies, known beforehand.
    """
    log = evaluator.log
    bounds = value_bounds(log.returns, log.products[-1], low, high, level, log.clip)
    return {
        "is": Estimate(importance(log).value, *bounds),
        LOGGED: Estimate(as_logged(log).value, *mean_bounds(log.returns, low, high, level)),
    }


def best_of(names: Sequence[str]) -> str:
    """Return the estimator that decides: DR, and WPDIS where there is no model."""
    return "dr" if "dr" in names else "wpdis"
