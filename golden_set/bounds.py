"""Exact bounds of shares (recall, success of attacks), also where several trials come from one episode."""

from dataclasses import dataclass

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from golden_set.sheet import IntArray

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `count` trials with its one-sided bounds. `effective` is how many independent trials they amount to."""

    hits: int
    count: int
    effective: float
    low: float
    high: float
    level: float

    @property
    def value(self) -> float | None:
        """The share itself; None of nothing."""
        return self.hits / self.count if self.count else None


def share(hits: int, count: int, *, effective: float | None = None, level: float = ALPHA) -> Share:
    """Return a share with Clopper and Pearson's bounds, each one-sided at `level`. Of no trials, anything is possible."""
    if not count:
        return Share(0, 0, 0.0, 0.0, 1.0, level)
    trials = count if effective is None else effective
    low, high = proportion_confint(hits * trials / count, trials, alpha=2 * level, method="beta")
    return Share(hits, count, trials, float(low), float(high), level)


def clustered_share(hit: IntArray, episode: IntArray, level: float = ALPHA) -> Share:
    """Return the share of hits (0 or 1 each) among trials that come several from an episode.

    Method: Korn and Graubard 1998. The bounds are Clopper and Pearson's for as many trials as the sample is worth: the number of
    trials divided by the design effect, which is the variance between episodes over that of independent trials. Where all trials
    agree nothing tells the design effect, and episodes are counted instead of trials.
    """
    count, hits = len(hit), int(hit.sum())
    _, at = np.unique(episode, return_inverse=True)
    episodes = int(at.max()) + 1 if count else 0
    if hits in (0, count):
        return share(hits, count, effective=float(episodes), level=level)
    rate = hits / count
    off = np.bincount(at, weights=hit - rate, minlength=episodes)  # the linearised ratio estimator
    between = float(episodes / (episodes - 1) * (off**2).sum() / count**2) if episodes > 1 else 0.0
    effect = between / (rate * (1 - rate) / count)
    effective = min(float(count), max(float(episodes), count / effect if effect > 0 else float(count)))
    return share(hits, count, effective=effective, level=level)
