"""The hidden length bonus: how the sum of turn ratings goes with the number of turns, beside their mean."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

RESAMPLES = 2000
LEAST = 5  # dialogues, for an interval


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's correlation over dialogues, with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


def correlation(values: Sequence[float], turns: Sequence[int]) -> Correlation:
    """Return how one number a dialogue goes with the number of its agent turns.

    The interval resamples dialogues (percentile bootstrap, always with the same draws): they are the independent unit. A sum of
    ratings that are positive on average grows with every turn (verl issue 7244: a hidden length bonus); their mean does not.
    """
    x, y = np.asarray(values, dtype=float), np.asarray(turns, dtype=float)
    if len(x) < LEAST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(None, None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a draw in which nothing varies has no correlation; it is left out below
        draws = stats.bootstrap(
            (x, y),
            lambda x, y, axis: stats.pearsonr(x, y, axis=axis).statistic,
            n_resamples=RESAMPLES,
            paired=True,
            vectorized=True,
            method="percentile",
            rng=np.random.default_rng(0),
        ).bootstrap_distribution
    good = draws[np.isfinite(draws)]
    value = float(stats.pearsonr(x, y).statistic)
    if len(good) < RESAMPLES // 2:
        return Correlation(value, None, None)
    low, high = np.quantile(good, [0.025, 0.975])
    return Correlation(value, float(low), float(high))
