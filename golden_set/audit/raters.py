"""How far raters agree: Krippendorff's alpha, ICC, quadratic weighted kappa and Spearman's rho, for all draws of a bootstrap at once.

Everything is made of sums over episodes. Krippendorff's ordinal distance between two levels is the distance of their mid-ranks, so
that ordinal alpha is interval alpha of mid-ranks, which are themselves sums: neither needs a table of all pairs of levels, and any
real numbers serve as levels (means of raters, half levels).

Sources: Krippendorff, Content Analysis (4th ed. 2019), ch. 12, and "Computing Krippendorff's alpha-reliability" (2011); Shrout and
Fleiss 1979, cases 2 (ICC(2,1), ICC(2,k)); McGraw and Wong 1996. A weight says for how many units one stands; weights are scaled to
the mean 1, so that sample sizes in `n - 1` stay those of the sample.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from golden_set.agreement import kappa as kappa_of_sums
from golden_set.agreement import moments
from golden_set.sheet import BoolArray, FloatArray, IntArray

TINY = 1e-12
Statistic = Callable[[FloatArray, IntArray, FloatArray, FloatArray], FloatArray]  # values, episode, times, weight -> rows


def alpha(
    values: FloatArray, episode: IntArray, times: FloatArray, weight: FloatArray | None = None, *, ordinal: bool = True
) -> FloatArray:
    """Return Krippendorff's alpha for each row of `times`, shape (rows,); NaN where nothing varies or nothing was rated twice.

    Args:
        values: (units, raters), NaN where a rater gave nothing. Units with fewer than two ratings say nothing and are left out.
        episode: of each unit, a column of `times`.
        times: (rows, episodes), how often each episode counts.
        weight: of each unit; 1 each where it is left out.
        ordinal: measure distances between levels in ranks; else in the levels' own numbers (interval).
    """
    counted = np.isfinite(values)
    kept = counted.sum(1) >= 2
    values, counted, episode = values[kept], counted[kept], episode[kept]
    if not len(values):
        return np.full(len(times), np.nan)
    given = counted.sum(1)
    weight = _scaled(weight[kept] if weight is not None else np.ones(len(values)), given)
    levels = np.unique(values[counted])
    unit, rater = np.nonzero(counted)
    count = times @ _table(episode[unit], np.searchsorted(levels, values[unit, rater]), weight[unit], times.shape[1], len(levels))
    marks = midranks(count) if ordinal else np.broadcast_to(levels, count.shape)
    one, other, pair_episode, pair_weight = _pairs(values, counted, levels, episode, 2 * weight / (given - 1))
    both, together = np.unique(one * len(levels) + other, return_inverse=True)
    coincident = times @ _table(pair_episode, together, pair_weight, times.shape[1], len(both))
    total = count.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (count * marks).sum(1) / total
        observed = (coincident * (marks[:, both // len(levels)] - marks[:, both % len(levels)]) ** 2).sum(1) / total
        expected = 2 * (count * (marks - mean[:, None]) ** 2).sum(1) / (total - 1)
        return np.asarray(np.where((expected > TINY) & (total > 1), 1 - observed / expected, np.nan))


def spearman(x: FloatArray, y: FloatArray, episode: IntArray, times: FloatArray, weight: FloatArray | None = None) -> FloatArray:
    """Return Spearman's rank correlation for each row of `times`; NaN where a side does not vary.

    Ranks are mid-ranks of the weighted sample: an item that counts twice is two items of one rank.
    """
    weight = np.ones(len(x)) if weight is None else weight
    (levels_x, at_x), (levels_y, at_y) = np.unique(x, return_inverse=True), np.unique(y, return_inverse=True)
    both, together = np.unique(at_x * len(levels_y) + at_y, return_inverse=True)
    joint = times @ _table(episode, together, weight, times.shape[1], len(both))
    of_x, of_y = both // len(levels_y), both % len(levels_y)
    total = joint.sum(1)
    ranks = []
    for at, levels in ((of_x, levels_x), (of_y, levels_y)):
        count = joint @ (at[:, None] == np.arange(len(levels))).astype(float)
        ranks.append(midranks(count)[:, at] - (total / 2)[:, None])  # the mean mid-rank is half the total
    with np.errstate(invalid="ignore", divide="ignore"):
        within = [(joint * rank**2).sum(1) for rank in ranks]
        rho = (joint * ranks[0] * ranks[1]).sum(1) / np.sqrt(within[0] * within[1])
        return np.asarray(np.where((within[0] > TINY) & (within[1] > TINY), rho, np.nan))


def icc(values: FloatArray, episode: IntArray, times: FloatArray, weight: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Return ICC(2,1) and ICC(2,k) for each row of `times`: absolute agreement of single ratings, and of the mean of k raters.

    Two-way random effects, from the mean squares of the analysis of variance. NaN where nothing varies, or of a single unit.

    Args:
        values: (units, raters) without gaps. Where raters have gaps, take them two at a time (`by_pairs`).
        episode: of each unit, a column of `times`.
        times: (rows, episodes).
        weight: of each unit.

    Raises:
        ValueError: there is a gap, or a single rater.
    """
    units, raters = values.shape
    if raters < 2 or not np.isfinite(values).all():
        raise ValueError("ICC takes two raters or more without gaps; take raters two at a time (by_pairs)")
    if not units:
        return np.full(len(times), np.nan), np.full(len(times), np.nan)
    weight = _scaled(np.ones(units) if weight is None else weight, np.ones(units))
    values = values - values.mean()  # changes nothing but rounding
    row = values.mean(1)
    parts = [np.ones(units), row, row**2, (values**2).sum(1), *values.T]
    sums = times @ np.stack([np.bincount(episode, weight * part, times.shape[1]) for part in parts], axis=1)
    n, by_row, squares, all_squares = sums.T[:4]
    with np.errstate(invalid="ignore", divide="ignore"):
        grand = by_row / n
        between_rows = raters * (squares - n * grand**2)
        between_raters = n * ((sums[:, 4:] / n[:, None] - grand[:, None]) ** 2).sum(1)
        rest = np.maximum(all_squares - raters * n * grand**2 - between_rows - between_raters, 0.0)
        rows, columns = between_rows / (n - 1), between_raters / (raters - 1)
        error = rest / ((n - 1) * (raters - 1))
        single = (rows - error) / (rows + (raters - 1) * error + raters * (columns - error) / n)
        average = (rows - error) / (rows + (columns - error) / n)
        defined = (n > 1 + TINY) & (between_rows + between_raters + rest > TINY)
        return np.asarray(np.where(defined, single, np.nan)), np.asarray(np.where(defined, average, np.nan))


def kappa(values: FloatArray, episode: IntArray, times: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the quadratic weighted kappa of two raters, `values` (units, 2), for each row of `times`; NaN where neither varies."""
    sums = moments(values[:, 0], values[:, 1], np.arange(len(values)), len(values)) * weight[:, None]
    by_episode = np.stack([np.bincount(episode, column, times.shape[1]) for column in sums.T], axis=1)
    return kappa_of_sums(times @ by_episode)


def by_pairs(values: FloatArray, episode: IntArray, times: FloatArray, weight: FloatArray, statistic: Statistic) -> FloatArray:
    """Return a statistic of two raters, the mean over all pairs of raters, each by the number of units that both rated.

    This is the rule for gaps: a unit counts for each pair of raters who both rated it. A pair for which the statistic is not
    defined (in the sample, or in a draw) is left out there.
    """
    total, counts = np.zeros(len(times)), np.zeros(len(times))
    for one, other in combinations(range(values.shape[1]), 2):
        both = np.isfinite(values[:, [one, other]]).all(1)
        if both.any():
            rows = statistic(values[both][:, [one, other]], episode[both], times, weight[both])
            good = np.isfinite(rows) & np.isfinite(rows[0])
            total += np.where(good, rows, 0.0) * both.sum()
            counts += good * both.sum()
    with np.errstate(invalid="ignore"):
        return np.asarray(total / counts)


def midranks(count: FloatArray) -> FloatArray:
    """Return the mid-rank of each level, of how often each occurs, in order (last axis): all below it, and half of its own."""
    return np.asarray(np.cumsum(count, axis=-1) - count / 2)


def _pairs(
    values: FloatArray, counted: BoolArray, levels: FloatArray, episode: IntArray, weight: FloatArray
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Return every pair of ratings of one unit: the number of either level, the lower first, the episode and the weight."""
    found: list[IntArray] = []
    weights: list[FloatArray] = []
    for one, other in combinations(range(values.shape[1]), 2):
        both = counted[:, one] & counted[:, other]
        at = np.sort(np.searchsorted(levels, values[both][:, [one, other]]), axis=1)
        found.append(np.column_stack([at, episode[both]]).astype(np.int64))
        weights.append(weight[both])
    at = np.concatenate(found)
    return at[:, 0], at[:, 1], at[:, 2], np.concatenate(weights)


def _table(row: IntArray, column: IntArray, weight: FloatArray, rows: int, columns: int) -> FloatArray:
    return np.asarray(np.bincount(row * columns + column, weight, rows * columns).reshape(rows, columns), dtype=float)


def _scaled(weight: FloatArray, counts: FloatArray | IntArray) -> FloatArray:
    return np.asarray(weight * (counts.sum() / (weight * counts).sum()), dtype=float)
