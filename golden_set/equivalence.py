"""Did a mean move? Equivalence tests (TOST) on one number an episode, three-valued; the episode is the independent unit.

Turns of one dialogue share what was said and how the judge took it: to treat them as independent doubles the error rate. So every
function here takes one number an episode (a mean over its turns).

Sources: Schuirmann 1987 (two one-sided tests); the third answer follows from also testing the other way round, that the difference
lies wholly outside the margin.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from golden_set.decision import Decision
from golden_set.sheet import FloatArray

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Shift:
    """The mean difference over episodes, with its standard error and the interval whose ends are one-sided bounds at `level`."""

    episodes: int
    mean: float
    se: float
    low: float
    high: float
    level: float  # of each one-sided bound


def shift(differences: FloatArray, level: float = ALPHA) -> Shift:
    """Return the mean of differences (one an episode) with Student's bounds.

    Fewer than two episodes tell nothing: their interval is infinite.
    """
    count = len(differences)
    mean = float(np.mean(differences)) if count else float("nan")
    if count < 2:
        return Shift(count, mean, float("inf"), float("-inf"), float("inf"), level)
    se = float(np.std(differences, ddof=1) / np.sqrt(count))
    reach = _quantile(level, count - 1) * se
    return Shift(count, mean, se, mean - reach, mean + reach, level)


@lru_cache(maxsize=1024)
def _quantile(level: float, degrees: int) -> float:
    """Return Student's upper quantile; a check asks for the same few over and over."""
    return float(stats.t.isf(level, degrees))


def p_same(differences: FloatArray, margin: float) -> float:
    """Return the p-value of TOST: how surprising the data are if the true mean is at least `margin` away from 0."""
    if len(differences) < 2:
        return 1.0
    if np.ptp(differences) == 0:  # a judge that does not vary: nothing to estimate a variance from, and none needed
        return 0.0 if abs(differences[0]) < margin else 1.0
    return float(ttost_paired(differences, np.zeros_like(differences), -margin, margin)[0])


def p_moved(differences: FloatArray, margin: float) -> float:
    """Return the two-sided p-value of the other claim: how surprising the data are if the true mean is within `margin` of 0."""
    found = shift(differences)
    if found.episodes < 2:
        return 1.0
    beyond = abs(found.mean) - margin
    if found.se == 0:
        return 0.0 if beyond > 0 else 1.0
    # The worst true value is the margin itself: as far out as was seen, on this side or on the other.
    tails = stats.t.sf(np.array([beyond, abs(found.mean) + margin]) / found.se, found.episodes - 1)
    return float(min(1.0, np.sum(tails)))


def decide(found: Shift, margin: float) -> Decision:
    """Return PASS where the interval lies within the margin, FAIL where it lies wholly outside, else UNDECIDED."""
    if max(abs(found.low), abs(found.high)) < margin:
        return Decision.PASS
    return Decision.FAIL if found.low > margin or found.high < -margin else Decision.UNDECIDED
