"""How much of a log speaks of the target policy: effective sample size, largest weight, steps without overlap, and when to say nothing."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from policies.experience import Floats
from policies.ope.trajectories import Trajectories
from policies.propensities import Fit

LEAST = 30.0  # effective episodes. Below, bounds still mostly hold but are as wide as what tells good policies from bad, and rest on a
# handful of episodes; far from the log, IS and WPDIS miss more and more often: `python -m policies.ope.simulation --floor`
SHARE = 0.01  # of the episodes, at least so many effective ones
FEWEST = 10  # episodes, whatever is asked for
CLEARLY = 3.0  # standard errors
IMPOSSIBLE = 0.01  # of the target's actions may be ones that the log could not have held: beyond, another policy would be evaluated
UNSEEN = 0.05  # of a candidate's actions may be ones that nobody ever did there


@dataclass(frozen=True, slots=True)
class Overlap:
    """What to tell beside every estimate. Weights are never clipped here: clipping hides from the estimate what it cannot know.

    Attributes:
        episodes: in the log.
        ess: (Σw)² / Σw² of the weights of whole episodes (Kish 1965): as many episodes of the target's own are they worth.
        ess_by_step: the same after each step, (T,).
        largest: the largest weight of an episode, as a share of all weights.
        mean: the mean weight: 1 but for chance, where the log can hold all that the target does.
        never: the share of steps at which the target would never do what was done: what follows in those episodes says nothing of it.
        unseen: the share of its actions, over the log's steps, that nobody ever did there. None where observations are vectors.
        impossible: the share that could not have been done there: the probabilities logged for other actions sum to 1.
        fit: whether the logged probabilities fit what was done.
    """

    episodes: int
    ess: float
    ess_by_step: tuple[float, ...]
    largest: float
    mean: float
    never: float
    unseen: float | None = None
    impossible: float | None = None
    fit: Fit | None = None

    @property
    def tail_missing(self) -> bool:
        """Whether weights are clearly off 1 on average: then the heaviest did not turn up, which intervals cannot know of."""
        error = self.mean * sqrt(max(1 / self.ess - 1 / self.episodes, 0.0)) if self.ess else 0.0
        return abs(self.mean - 1) > CLEARLY * error


def overlap(
    log: Trajectories, probs: Floats | None = None, tried: Floats | None = None, logged: Floats | None = None, fit: Fit | None = None
) -> Overlap:
    """Return it.

    Args:
        probs: the target's probability of every action at every step taken, (M, A).
        tried: how often each of those actions was taken there in the log, (M, A).
        logged: the mean probability with which it was, (M, A); 0 where it was not.
        fit: of the logged probabilities.
    """
    by_step, last = effective(log.products), log.products[-1]
    total = float(last.sum())
    unseen = impossible = None
    if probs is not None and tried is not None and logged is not None:
        missing = np.where(tried == 0, probs, 0.0).sum(1)
        unseen, impossible = float(missing.mean()), float(np.where(logged.sum(1) > 1 - 1e-6, missing, 0.0).mean())
    return Overlap(
        episodes=log.n,
        ess=float(by_step[-1]),
        ess_by_step=tuple(by_step.tolist()),
        largest=float(last.max() / total) if total else 1.0,
        mean=total / log.n,
        never=float((log.ratios[log.mask] == 0).mean()),
        unseen=unseen,
        impossible=impossible,
        fit=fit,
    )


def too_little(found: Overlap, least: float | None = None) -> str | None:
    """Return why the log says too little of the target, or None where it says enough.

    Args:
        least: effective episodes asked for; None: 30, and 1 % of the episodes.
    """
    floor = _floor(found.episodes, least)
    if found.ess < floor:
        return (
            f"too little overlap: the {found.episodes:,} episodes are worth {found.ess:.1f} of the policy's own (effective sample size), "
            f"{floor:g} are asked for; one episode has {found.largest:.0%} of the weight"
        )
    if found.impossible is not None and found.impossible > IMPOSSIBLE:
        return (
            f"no overlap: {found.impossible:.1%} of what the policy does, the one that acted never could (its logged probabilities leave "
            f"nothing for it); at most {IMPOSSIBLE:.0%}"
        )
    if found.episodes < FEWEST:
        return f"{found.episodes} episodes do not tell how far chance carries; at least {FEWEST}"
    return None


def too_unsure(found: Overlap) -> str | None:
    """Return why no policy should be deployed on what a log says, though it says enough for an estimate; None where nothing is amiss."""
    if found.fit is not None and found.fit.off:
        return f"{found.fit}: they are not those by which the actions were chosen, or these hang on what the state does not show"
    if found.unseen is not None and found.unseen > UNSEEN:
        return f"{found.unseen:.1%} of what the policy does was never tried there, so nothing says what it leads to; at most {UNSEEN:.0%}"
    return None


def too_alike(candidate: Trajectories, baseline: Trajectories | None, least: float | None = None) -> str | None:
    """Return why too few episodes tell two policies apart, or None where enough do.

    The difference rests on episodes that they weigh differently: as many as (Σ|d|)² / Σd², d being the difference of the weights.

    Args:
        baseline: None: who acted.
        least: as of `too_little`.
    """
    apart = np.abs(candidate.products[-1] - (1.0 if baseline is None else baseline.products[-1]))
    worth, floor = float(effective(apart)), _floor(candidate.n, least)
    if not worth:
        return "the two weigh every episode alike: the log cannot tell them apart"
    if worth < floor:
        return (
            f"the two differ in few of the episodes: worth {worth:.1f} that tell them apart (effective sample size of the difference), "
            f"{floor:g} are asked for"
        )
    return None


def effective(weights: Floats) -> Floats:
    """Return the effective sample size of weights along the last axis; 0 where all are 0."""
    largest = weights.max(-1, keepdims=True)
    scaled = weights / np.where(largest > 0, largest, 1.0)  # squares of huge weights would overflow
    squares = (scaled**2).sum(-1)
    return np.asarray(np.where(squares > 0, scaled.sum(-1) ** 2 / np.where(squares > 0, squares, 1.0), 0.0))


def _floor(episodes: int, least: float | None) -> float:
    return max(LEAST, SHARE * episodes) if least is None else least
