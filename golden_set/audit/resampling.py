"""The bootstrap of an audit: episodes are drawn again within their strata, and every statistic is computed of all draws at once.

A statistic takes `times`, an array (draws + 1, episodes): how often each episode counts. Row 0 is the sample itself, each once; so a
statistic that is made of sums over episodes is a product of matrices, and its value and its draws come from the same lines of code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from golden_set.audit.findings import Interval
from golden_set.sheet import FloatArray

DRAWS = 2000
SEED = 20_261_101
LEAST = 8  # episodes that an interval takes
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A statistic of the sample and of every draw; NaN where it is not defined."""

    value: float
    draws: FloatArray
    episodes: int

    @classmethod
    def of(cls, rows: FloatArray, episodes: int) -> "Figure":
        """Return the figure of a statistic's rows, the sample's first."""
        return cls(float(rows[0]), rows[1:], episodes)

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the value between percentiles of the draws; no bounds below `LEAST` episodes, or where most draws have no value."""
        if not np.isfinite(self.value):
            return Interval()
        good = self.draws[np.isfinite(self.draws)]
        if self.episodes < LEAST or len(good) <= len(self.draws) // 2:
            return Interval(value=self.value)
        low, high = np.quantile(good, [(1 - level) / 2, (1 + level) / 2])
        return Interval(value=self.value, low=float(low), high=float(high))


def averaged(figures: Iterable[Figure]) -> Figure:
    """Return the mean of figures of the same draws, draw by draw; what is not defined in the sample, or in a draw, is left out there."""
    known = [figure for figure in figures if np.isfinite(figure.value)]
    if not known:
        return Figure(float("nan"), np.empty(0), 0)
    draws = np.stack([figure.draws for figure in known])
    good = np.isfinite(draws)
    with np.errstate(invalid="ignore"):
        mean = np.where(good, draws, 0.0).sum(0) / good.sum(0)
    return Figure(float(np.mean([figure.value for figure in known])), mean, max(figure.episodes for figure in known))


def resamples(strata: Iterable[int], draws: int = DRAWS, seed: int = SEED) -> FloatArray:
    """Return how often each episode counts in the sample (row 0: once) and in each draw, shape (draws + 1, episodes).

    Method: Rao and Wu 1988. Of a stratum's n episodes n - 1 are drawn with replacement and count n / (n - 1) times, so that the
    variance over draws is that of the stratum's mean also where n is small (drawing n would make it (n - 1) / n of that). Strata of
    a single episode are drawn as one, with the smallest other where there is but one such. Nothing is taken off for a log of which a
    large part was looked at: the log stands for dialogues to come. The same strata give the same draws.

    Args:
        strata: the number of each episode's stratum.
    """
    return _resamples(tuple(int(stratum) for stratum in strata), draws, seed)


@lru_cache(maxsize=4)
def _resamples(strata: tuple[int, ...], draws: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    times = np.ones((draws + 1, len(strata)))
    for members in _groups(strata):
        count = len(members)
        if count > 1:
            drawn = rng.multinomial(count - 1, np.full(count, 1 / count), draws)
            times[1:, members] = drawn * (count / (count - 1))
    times.setflags(write=False)
    return times


def _groups(strata: tuple[int, ...]) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for at, stratum in enumerate(strata):
        found.setdefault(stratum, []).append(at)
    groups = sorted((members for members in found.values() if len(members) > 1), key=lambda members: (len(members), members))
    single = [at for members in found.values() if len(members) == 1 for at in members]
    if len(single) == 1 and groups:
        groups[0] = groups[0] + single
    elif single:
        groups.append(single)
    return groups
