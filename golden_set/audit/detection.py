"""How many violations a judge finds and how many of its findings are right, weighted to the log: recall and precision with intervals.

Both are a weighted count over the sum of it and another: recall is found over found and missed. Missed ones are few and each may stand
for many episodes, since episodes that the judge flags are looked at more often; where none was missed in the sample, those not looked at
may still hold some. An interval from a variance would be blind to that. Here each count has the bounds of a weighted sum of rare events
(Fay and Feuer 1997: a gamma distribution; for the upper bound one more event of the largest weight), and the two are melded (Fay, Proschan
and Brittain 2015): the lower bound of the ratio is a quantile of lower count over lower plus upper one, a beta distribution with its sides
scaled. With equal weights and one unit an episode these are Clopper and Pearson's bounds, so they err on the safe side.

Assumes: episodes are independent; units of one episode (its turns) count together, as one event of their summed weight.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from golden_set.sheet import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Ratio:
    """A weighted ratio with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Detection:
    """Violations in what people rated: counts as they are, and ratios weighted to the log; None where their denominator is 0."""

    by_people: int
    by_judge: int
    by_both: int
    recall: Ratio | None
    precision: Ratio | None


@dataclass(frozen=True, slots=True)
class _Events:
    """A weighted count with the shapes and scales of the gamma distributions of its lower and upper bounds."""

    total: float
    low: tuple[float, float]
    high: tuple[float, float]


def detection(human: BoolArray, judge: BoolArray, episode: IntArray, weight: FloatArray, level: float = 0.95) -> Detection:
    """Return how a judge finds violations, per episode or per turn, whichever the units are.

    Args:
        human, judge: of each unit that people rated, whether they and the judge see a violation, shape (units,).
        episode: the number of each unit's episode, from 0.
        weight: how many episodes of the log the unit's episode stands for.
        level: of the intervals, two-sided.

    Raises:
        ValueError: shapes differ, or a weight is not above 0.
    """
    if not len(human):
        return Detection(0, 0, 0, None, None)
    if not len(human) == len(judge) == len(episode) == len(weight) or (np.asarray(weight) <= 0).any():
        raise ValueError("of every unit: people's and the judge's finding, the number of its episode, and a weight above 0")
    human, judge = np.asarray(human, dtype=bool), np.asarray(judge, dtype=bool)
    both, missed, wrong = (_events(here, could, episode, weight) for here, could in _kinds(human, judge))
    return Detection(
        by_people=int(human.sum()),
        by_judge=int(judge.sum()),
        by_both=int((human & judge).sum()),
        recall=_ratio(both, missed, level),
        precision=_ratio(both, wrong, level),
    )


def _kinds(human: BoolArray, judge: BoolArray) -> tuple[tuple[BoolArray, BoolArray], ...]:
    """Return of found, missed and wrongly found violations the units where they are, and those where they could be."""
    return ((human & judge, judge), (human & ~judge, ~judge), (~human & judge, judge))


def _events(here: BoolArray, could: BoolArray, episode: IntArray, weight: FloatArray) -> _Events:
    if not here.any() and not could.any():  # nowhere to be in the sample: the weight of one more is that of any unit
        could = np.ones_like(could)
    sums = np.bincount(episode[here], weight[here])
    counts = np.bincount(episode[here]).astype(float)
    total, squares = float(sums.sum()), float((sums**2).sum())
    together = float((counts**2).sum() / counts.sum()) if len(counts) else 1.0  # units that one more event would bring along
    more = float(weight[could].max(initial=0.0)) * together
    low = (total**2 / squares, squares / total) if total else (0.0, 0.0)
    return _Events(total, low, ((total + more) ** 2 / (squares + more**2), (squares + more**2) / (total + more)))


def _ratio(one: _Events, other: _Events, level: float) -> Ratio | None:
    """Return the first count over the sum of both."""
    if not one.total + other.total:
        return None
    tail = (1 - level) / 2
    low = _melded(one.low, other.high, tail) if one.total else 0.0
    high = _melded(one.high, other.low, 1 - tail) if other.total else 1.0
    return Ratio(one.total / (one.total + other.total), low, high)


def _melded(one: tuple[float, float], other: tuple[float, float], quantile: float) -> float:
    """Return a quantile of X / (X + Y) for two independent gamma variables, each given by shape and scale."""
    part = float(special.betaincinv(one[0], other[0], quantile))
    return one[1] * part / (one[1] * part + other[1] * (1 - part))
