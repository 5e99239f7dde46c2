"""The monotone map from a judge's ratings to people's: isotonic and linear regression blended, drawn towards flat where little is shown.

The blend is w · isotonic + (1 - w) · linear with w = n / (n + 150): a line is the better guess from few labels, isotonic regression
from many and where the judge squeezes a part of the scale. The map that is used is the one through the knots that are kept, in every
figure that is told of it, too.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, stats

from golden_set.sheet import BoolArray, FloatArray, IntArray
from judge.rubric import Scale

HALF = 150  # labels at which isotonic and linear count the same
KNOTS = 50  # at most, beside the ends of the scale
ALPHA = 0.025  # of the test that the judge tells anything


@dataclass(frozen=True, slots=True)
class Labelled:
    """Ratings of a judge and of people at the same places, as numbers. Arrays have the shape (places,).

    Attributes:
        judge, human: in levels.
        weight: how much a place counts; positive.
        episode: the number of each place's episode, from 0 and without gaps; episodes are the independent units.
    """

    judge: FloatArray
    human: FloatArray
    weight: FloatArray
    episode: IntArray

    @property
    def episodes(self) -> int:
        """How many episodes there are."""
        return int(self.episode.max()) + 1 if len(self.episode) else 0

    @property
    def level(self) -> float:
        """The weighted mean of what people say."""
        return self.mean(self.human)

    def mean(self, figures: FloatArray) -> float:
        """Return the weighted mean of figures of the places."""
        return float(self.weight @ figures / self.weight.sum())

    def mean_error(self, figures: FloatArray) -> tuple[float, float]:
        """Return the weighted mean of figures of the places, and its standard error clustered by episode (linearised, G / (G - 1))."""
        mean, count = self.mean(figures), self.episodes
        between = np.bincount(self.episode, self.weight * (figures - mean), count)
        return mean, float(np.sqrt(count / (count - 1) * (between**2).sum()) / self.weight.sum())

    def among(self, kept: BoolArray) -> "Labelled":
        """Return some places; `kept` has the shape (places,) and takes whole episodes."""
        number = np.cumsum(np.bincount(self.episode[kept], minlength=self.episodes) > 0) - 1
        return Labelled(self.judge[kept], self.human[kept], self.weight[kept], number[self.episode[kept]])


@dataclass(frozen=True, slots=True)
class Knots:
    """A map: straight between its knots, flat beyond them."""

    judged: FloatArray
    human: FloatArray

    def at(self, ratings: FloatArray) -> FloatArray:
        """Return what people say where the judge says that."""
        return np.asarray(np.interp(ratings, self.judged, self.human))


def knots_at(judge: FloatArray, scale: Scale) -> FloatArray:
    """Return where the map is kept: the ends of the scale and every rating, or `KNOTS` quantiles of them where they are more."""
    distinct = np.unique(judge)
    if len(distinct) > KNOTS:
        distinct = np.quantile(distinct, np.linspace(0, 1, KNOTS))
    return np.unique(np.concatenate(([float(scale.low)], distinct, [float(scale.high)])))


def line(rows: Labelled) -> tuple[float, float]:
    """Return slope and intercept of the weighted least squares line; the slope is 0 where it would fall or the judge never differs."""
    x, y = rows.mean(rows.judge), rows.level
    spread = rows.mean((rows.judge - x) ** 2)
    slope = max(0.0, rows.mean((rows.judge - x) * (rows.human - y)) / spread) if spread > 0 else 0.0
    return slope, y - slope * x


def isotonic(rows: Labelled) -> Knots:
    """Return the weighted isotonic regression of people's ratings on the judge's, with a knot at every rating of the judge.

    Places with the same rating of the judge are one group: their order means nothing.
    """
    judged, group = np.unique(rows.judge, return_inverse=True)
    weight = np.bincount(group, rows.weight)
    human = np.bincount(group, rows.weight * rows.human) / weight
    return Knots(judged, np.asarray(optimize.isotonic_regression(human, weights=weight).x))


def association(rows: Labelled) -> float:
    """Return the t statistic of the slope of people's ratings on the judge's; its standard error is the jackknife's over episodes.

    The jackknife that leaves out whole clusters (CR3, MacKinnon, Nielsen and Webb 2023) errs on the side of caution where they are
    few or unequal. It is compared with t of episodes - 1 degrees of freedom. NaN where, with some one episode left out, the judge says
    the same everywhere: nothing can be told then.
    """
    parts = (np.ones_like(rows.judge), rows.judge, rows.human, rows.judge**2, rows.judge * rows.human)
    sums = np.stack([np.bincount(rows.episode, rows.weight * part, rows.episodes) for part in parts])

    def slope(totals: FloatArray) -> FloatArray:
        n, x, y, xx, xy = totals
        spread = xx / n - (x / n) ** 2
        known = spread > 1e-9
        return np.asarray(np.where(known, (xy / n - x * y / n**2) / np.where(known, spread, 1.0), np.nan))

    whole, without = slope(sums.sum(1, keepdims=True)), slope(sums.sum(1, keepdims=True) - sums)
    error = np.sqrt((rows.episodes - 1) / rows.episodes * ((without - without.mean()) ** 2).sum())
    if not np.isfinite(error):
        return float("nan")
    return float(whole[0] / error) if error > 1e-12 else float(np.sign(whole[0])) * np.inf


def kept_rise(t: float, episodes: int) -> float:
    """Return how much of a map's rise is kept, 0 to 1, given `association` over so many episodes.

    Nothing, where the test that people's ratings rise with the judge's, one-sided at `ALPHA`, does not reject; beyond its critical
    value c it is 1 - (c / t)⁴: noise that passes by chance stays nearly flat (.3 where t is a tenth beyond c), while a judge that tells
    something keeps nearly all (.94 at twice c). It is a nonnegative garrote (Breiman 1995) with the fourth power instead of the square,
    which would take more from judges that do tell something.
    """
    critical = _critical(episodes - 1)
    return 1 - (critical / t) ** 4 if t > critical else 0.0


@lru_cache(maxsize=1024)
def _critical(degrees: int) -> float:
    """Return Student's upper quantile at `ALPHA`; folds and replicates ask for the same few over and over."""
    return float(stats.t.isf(ALPHA, degrees))


def effective(rows: Labelled) -> float:
    """Return how many independent labels the labels are worth: their number over the design effect of the line's residuals.

    The design effect is the variance of their weighted mean over episodes to that of as many independent ones (Kish 1965); weights
    that differ and turns of one dialogue that resemble each other both cost.
    """
    slope, intercept = line(rows)
    off = rows.human - (slope * rows.judge + intercept)
    _, error = rows.mean_error(off)
    single = rows.mean(off**2)
    return float(np.clip(single / error**2, 1.0, len(off))) if error > 1e-12 else float(len(off))


def fit_knots(rows: Labelled, scale: Scale, *, blend: float | None = None, shrink: float | None = None) -> Knots:
    """Return the map of the labels.

    Args:
        blend: the share of isotonic regression; by default n / (n + 150), n being what the labels are worth: where a line is right,
            counting every turn of a dialogue as a label leans too much on isotonic regression; where it is not, counting dialogues
            leans too little (`counts` in golden_set.audit.simulation_calibration).
        shrink: how much of the map's rise is kept; by default `kept_rise`.
    """
    count = effective(rows)
    share = count / (count + HALF) if blend is None else blend
    at = knots_at(rows.judge, scale)
    slope, intercept = line(rows)
    human = np.clip(share * isotonic(rows).at(at) + (1 - share) * (slope * at + intercept), scale.low, scale.high)
    kept = kept_rise(association(rows), rows.episodes) if shrink is None else shrink
    drawn = rows.level + kept * (human - rows.level)
    return Knots(at, np.asarray(np.maximum.accumulate(drawn)))  # without the last bits by which floats may fall


def flat_knots(rows: Labelled, scale: Scale) -> Knots:
    """Return the map that says what people say on average, whatever the judge says."""
    return Knots(np.array([float(scale.low), float(scale.high)]), np.full(2, rows.level))
