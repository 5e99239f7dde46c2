"""How far a judge agrees with people: quadratic weighted kappa with bounds that resample episodes, bias, ranks, contrast pairs.

Quadratic weighted kappa needs no table of categories. With weights (x - y)² it is 1 - E(x - y)² / E(x - y')², where y' is the label of
another item; the second mean is var(x) + var(y) + (mean x - mean y)². In this form (the same as Lin's concordance correlation,
Lin 1989; Fleiss and Cohen 1973) it also serves ratings between levels, and sums over episodes are all that a bootstrap needs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from scipy import stats

from golden_set.bounds import Share, share
from golden_set.case import EPISODE, GoldenCase
from golden_set.sheet import Column, FloatArray, IntArray, Sheet, handled, handling_of, labels_as_marks
from judge.rubric import Rubric

DRAWS = 4000  # bootstrap samples: bounds at a level of 0.004 still have 16 beyond them
SEED = 20_260_101


def moments(x: FloatArray, y: FloatArray, episode: IntArray, count: int) -> FloatArray:
    """Return n, Σx, Σy, Σx², Σy², Σxy for each episode, shape (episodes, 6)."""
    parts = (np.ones_like(x), x, y, x * x, y * y, x * y)
    return np.stack([np.bincount(episode, part, count) for part in parts], axis=1)


def kappa(sums: FloatArray) -> FloatArray:
    """Return quadratic weighted kappa of sums of `moments` (last axis); NaN where neither side varies."""
    n, sx, sy, sxx, syy, sxy = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mx, my = sx / n, sy / n
        apart = (sxx + syy - 2 * sxy) / n
        chance = (sxx / n - mx**2) + (syy / n - my**2) + (mx - my) ** 2
        return np.asarray(np.where(chance > 1e-12, 1 - apart / chance, np.nan))


@cache
def weights(episodes: int) -> FloatArray:
    """Return how often each episode is drawn in each of `DRAWS` bootstrap samples, shape (draws, episodes). Always the same."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(episodes, np.full(episodes, 1 / episodes), DRAWS).astype(float)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Kappa of single ratings with people, and of the same in every bootstrap sample; None where it is not defined."""

    value: float | None
    draws: FloatArray

    def bound(self, level: float) -> tuple[float | None, float | None]:
        """Return the one-sided lower and upper bounds at `level` (percentiles over the samples)."""
        good = self.draws[np.isfinite(self.draws)]
        if self.value is None or len(good) < DRAWS // 2:
            return None, None
        low, high = np.quantile(good, [level, 1 - level])
        return float(low), float(high)


def agreement(column: Column) -> Agreement:
    """Return how single ratings of a criterion agree with people: the mean over the runs of each run's kappa.

    Not the kappa of their mean, which grows with the number of runs: judges that were asked differently often could not be compared.
    """
    count = len(column.cases)
    drawn = weights(count)
    values, draws = [], []
    for run, rated in zip(column.values, column.rated, strict=True):
        sums = moments(run[rated], column.human[rated], column.episode[rated], count)
        values.append(float(kappa(sums.sum(0))))
        draws.append(kappa(drawn @ sums))
    value = float(np.mean(values)) if values else float("nan")
    return Agreement(value if np.isfinite(value) else None, np.mean(draws, axis=0) if draws else np.empty(0))


def averaged(parts: Iterable[Agreement]) -> Agreement:
    """Return the mean agreement over criteria, sample by sample; criteria without one are left out."""
    known = [part for part in parts if part.value is not None]
    if not known:
        return Agreement(None, np.empty(0))
    return Agreement(float(np.mean([part.value for part in known])), np.mean([part.draws for part in known], axis=0))


def minus(one: Agreement, other: Agreement) -> Agreement:
    """Return the difference of two agreements on the same episodes, sample by sample."""
    if one.value is None or other.value is None:
        return Agreement(None, np.empty(0))
    return Agreement(one.value - other.value, one.draws - other.draws)


def ceiling(cases: Sequence[GoldenCase], criterion: str, *, episode: bool) -> float | None:
    """Return how people agree with each other on a criterion: the mean kappa over pairs of labellers; None of a single one."""
    names = sorted({name for case in cases for name in case.labelled_by})
    places = [
        dict(zip(case.labelled_by, labels[criterion], strict=True))
        for case in cases
        for place, labels in case.places.items()
        if (place == EPISODE) == episode
    ]
    found = []
    for one, other in combinations(names, 2):
        both = [(place[one], place[other]) for place in places if place.get(one) is not None and place.get(other) is not None]
        if both:
            x, y = np.array(both, dtype=float).T
            found.append((float(kappa(moments(x, y, np.zeros(len(x), dtype=np.int64), 1)[0])), len(both)))
    usable = [(value, count) for value, count in found if np.isfinite(value)]
    return float(np.average([value for value, _ in usable], weights=[count for _, count in usable])) if usable else None


def off(column: Column) -> tuple[float, float]:
    """Return the judge's bias (mean of rating minus label) and its mean absolute error, in levels."""
    differences = column.values[column.rated] - np.broadcast_to(column.human, column.values.shape)[column.rated]
    return float(differences.mean()), float(np.abs(differences).mean())


@dataclass(frozen=True, slots=True)
class Ranks:
    """How a judge orders whole dialogues, beside people: Spearman's rho with its 95 % interval, and the contrast pairs."""

    spearman: float | None
    low: float | None
    high: float | None
    pairs: Share
    wrong: tuple[str, ...]  # contrast pairs ordered the wrong way round, or not at all


def ranks(cases: Sequence[GoldenCase], sheet: Sheet, rubric: Rubric, level: float) -> Ranks:
    """Return how the judge orders the cases by their handling, and the two of each contrast pair.

    The interval of rho is Fisher's with the standard error of Fieller, Hartley and Pearson 1957.
    """
    judged = {case.id: handling_of(sheet, case.id, rubric) for case in cases}
    human = {case.id: handled(labels_as_marks(case), rubric) for case in cases}
    rho = low = high = None
    if len(cases) > 4 and np.ptp(list(judged.values())) > 0 and np.ptp(list(human.values())) > 0:
        rho = float(stats.spearmanr(list(judged.values()), list(human.values())).statistic)
        reach = 1.96 * np.sqrt(1.06 / (len(cases) - 3))
        low, high = (float(np.tanh(np.arctanh(np.clip(rho, -0.9999, 0.9999)) + side)) for side in (-reach, reach))
    pairs: dict[str, list[str]] = {}
    for case in cases:
        if case.pair:
            pairs.setdefault(case.pair, []).append(case.id)
    whole = {name: ids for name, ids in pairs.items() if len(ids) == 2 and human[ids[0]] != human[ids[1]]}
    wrong = [name for name, (one, two) in whole.items() if (judged[one] - judged[two]) * (human[one] - human[two]) <= 0]
    return Ranks(rho, low, high, share(len(whole) - len(wrong), len(whole), level=level), tuple(wrong))
