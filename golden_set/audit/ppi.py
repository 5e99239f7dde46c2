"""The mean over all episodes of a log, from the judge's ratings of all and people's of a few: prediction-powered inference (PPI++).

The judge's mean over all episodes is precise and may be wrong; people's mean over a few is right and imprecise. Both together: people's
mean, plus lambda times how much the judge's mean over all exceeds its mean over the few. Lambda is the slope of people on the judge.

    theta = weighted mean over labelled i of  Y_i - lambda_i (F_i - mean of F over the frame)

Every lambda_i is fitted without episode i (cross-fitting), so the residuals tell the variance without flattery, and nothing is drawn
at random. Where both together are not estimated to be better than people alone, people alone it is.

The interval is about the process that made the frame: to the variance of drawing (stratified, without replacement, linearised for
domains) comes the variance of people's ratings over the size of the frame, so that even a census has an interval. Student's t with
Satterthwaite's degrees of freedom. Shares of a yes or no (violations) follow the same formula with the judge as a flag, where theta is
the post-stratified share (Holt and Smith 1979) and lambda the difference of the shares; their intervals are those of `share`.

Sources: Angelopoulos, Duchi and Zrnic 2023 (PPI++); Zrnic and Candès 2024 (cross-prediction); Fisch et al. 2024 (stratified PPI).
Assumes: the answered episodes of a stratum are a random part of it; episodes are independent (turns are averaged inside them).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from golden_set.audit.share import weighted_share
from golden_set.audit.survey import Survey, make_survey, slopes
from golden_set.sheet import BoolArray, FloatArray, IntArray

FEWEST = 8  # labelled episodes of a domain
COVERED = 0.8  # the least part of a domain whose strata have any answer


class Figure(NamedTuple):
    """A figure with its interval. Of a share, `se` is half the interval's length over the normal quantile."""

    value: float
    low: float
    high: float
    se: float

    @property
    def width(self) -> float:
        """The length of the interval."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of a domain.

    Attributes:
        value, low, high, se: by people and judge together.
        judge: the judge's mean over the domain's frame, as it is.
        people: by people alone, from the same labels.
        gain: people's interval over that of both, squared: what one label is worth in labels without the judge; 1 where neither varies.
        tuning: the mean lambda; 0 where the judge is not followed.
        labelled, frame: episodes of the domain.
        covered: the part of the domain's frame whose strata have any answer.
    """

    value: float
    low: float
    high: float
    se: float
    judge: float
    people: Figure
    gain: float
    tuning: float
    labelled: int
    frame: int
    covered: float


@dataclass(frozen=True)
class _Found:
    """One domain's estimate, with what a difference needs of it: scores of labelled episodes whose weighted sums vary as it does."""

    estimate: Estimate
    drawn: FloatArray
    process: FloatArray


@dataclass(frozen=True)
class _Given:
    """People's and the judge's numbers, checked."""

    survey: Survey
    human: FloatArray
    judge: FloatArray
    frame_judge: FloatArray
    share: bool
    level: float

    @property
    def reach(self) -> float:
        """The normal quantile of the level, such as 1.96."""
        return float(special.ndtri((1 + self.level) / 2))


def estimate(
    human: FloatArray,
    judge: FloatArray,
    stratum: IntArray,
    frame_judge: FloatArray,
    frame_stratum: IntArray,
    domain: BoolArray | None = None,
    frame_domain: BoolArray | None = None,
    level: float = 0.95,
    *,
    share: bool | None = None,
) -> Estimate | None:
    """Return the mean of what people would say of every episode of a domain.

    Args:
        human, judge, stratum: of each labelled episode, shape (n,); one number an episode.
        frame_judge, frame_stratum: of every episode of the frame, the labelled ones included, shape (N,).
        domain, frame_domain: which episodes are meant; by default all.
        level: of the interval.
        share: whether people's numbers are 0 or 1 and the judge's count as a flag from 0.5; by default, if all of both are 0 or 1.

    Returns:
        None where fewer than `FEWEST` episodes of the domain are labelled, or strata without an answer hold over 1 - `COVERED` of it.

    Raises:
        ValueError: shapes differ, a domain is given for one side only, or the labelled episodes do not fit into the frame.
    """
    if (domain is None) != (frame_domain is None):
        raise ValueError("a domain is told for labelled episodes and for the frame, or for neither")
    given = _given(human, judge, stratum, frame_judge, frame_stratum, level, share)
    everywhere, all_of_it = np.ones(len(human), dtype=bool), np.ones(len(frame_judge), dtype=bool)
    found = _found(given, everywhere if domain is None else domain, all_of_it if frame_domain is None else frame_domain)
    return found.estimate if found else None


def difference(
    human: FloatArray,
    judge: FloatArray,
    stratum: IntArray,
    frame_judge: FloatArray,
    frame_stratum: IntArray,
    domains: tuple[BoolArray, BoolArray],
    frame_domains: tuple[BoolArray, BoolArray],
    level: float = 0.95,
    *,
    share: bool | None = None,
) -> Figure | None:
    """Return the difference of two domains' means, the first minus the second, by people and judge together.

    Domains may have strata and episodes in common: the interval rests on the differences of their scores, episode by episode. For
    shares the two intervals are put together by MOVER, with the correlation that common episodes bring (Zou and Donner 2008).

    Args:
        human, judge, stratum, frame_judge, frame_stratum, level, share: as `estimate` takes them.
        domains, frame_domains: the first and the second.

    Returns:
        None where either mean is not known.

    Raises:
        ValueError: as `estimate`.
    """
    given = _given(human, judge, stratum, frame_judge, frame_stratum, level, share)
    first, second = (_found(given, *pair) for pair in zip(domains, frame_domains, strict=True))
    if first is None or second is None:
        return None
    if given.share:
        return _apart(given, first, second)
    value = first.estimate.value - second.estimate.value
    inside = np.asarray(domains[0] | domains[1])
    return _figure(given, value, first.drawn - second.drawn, first.process - second.process, inside)


def _given(
    human: FloatArray,
    judge: FloatArray,
    stratum: IntArray,
    frame_judge: FloatArray,
    frame_stratum: IntArray,
    level: float,
    share: bool | None,
) -> _Given:
    if not len(human) == len(judge) == len(stratum) or len(frame_judge) != len(frame_stratum):
        raise ValueError(f"{len(human)}, {len(judge)}, {len(stratum)} labelled, {len(frame_judge)}, {len(frame_stratum)} of the frame")
    if share is None:
        share = bool(np.isin(human, (0, 1)).all() and np.isin(frame_judge, (0, 1)).all())
    return _Given(make_survey(stratum, frame_judge, frame_stratum), human, judge, frame_judge, share, level)


def _found(given: _Given, inside: BoolArray, frame_inside: BoolArray) -> _Found | None:
    """Return the estimate of a domain, or None where too little is known."""
    if len(inside) != len(given.human) or len(frame_inside) != len(given.frame_judge):
        raise ValueError(f"a domain of {len(inside)} labelled episodes and {len(frame_inside)} of the frame")
    if inside.sum() < FEWEST or given.survey.reached[frame_inside].mean() < COVERED:
        return None
    return (_share if given.share else _mean)(given, inside, frame_inside)


def _mean(given: _Given, inside: BoolArray, frame_inside: BoolArray) -> _Found:
    survey, raw = given.survey, float(given.frame_judge[frame_inside].mean())
    surplus = given.judge - raw
    follow = slopes(survey, given.human - survey.mean(given.human, inside), surplus, inside)
    rest = given.human - follow * surplus
    process = _process(given, inside, frame_inside)
    alone, together = (_figure(given, survey.mean(v, inside), _scores(survey, v, inside), process, inside) for v in (given.human, rest))
    if together.width >= alone.width:  # people alone are as good: the judge is left out
        follow, rest, together = np.zeros_like(follow), given.human, alone
    gain = (alone.width / together.width) ** 2 if together.width > 0 else 1.0
    made = _estimate(given, together, alone, gain, survey.mean(follow, inside), inside, frame_inside)
    return _Found(made, _scores(survey, rest, inside), process)


def _share(given: _Given, inside: BoolArray, frame_inside: BoolArray) -> _Found:
    survey, flag, frame_flag = given.survey, given.judge >= 0.5, given.frame_judge >= 0.5
    # People alone know of the judge only what is in the draw: in which strata most episodes are flagged.
    mostly = np.bincount(survey.where, frame_flag) >= 0.5 * np.bincount(survey.where)
    hit, weight = (given.human > 0)[inside], survey.weight[inside]
    alone, both = (
        weighted_share(hit, weight, cell[inside], frame_cell[frame_inside], given.level)
        for cell, frame_cell in ((mostly[survey.at], mostly[survey.where]), (flag, frame_flag))
    )
    both = alone if both.apart is None else both
    people, together = (Figure(s.value, s.low, s.high, (s.high - s.low) / (2 * given.reach)) for s in (alone, both))
    made = _estimate(given, together, people, (people.se / together.se) ** 2, both.apart or 0.0, inside, frame_inside)
    return _Found(made, _scores(survey, given.human, inside), _process(given, inside, frame_inside))


def _estimate(
    given: _Given, together: Figure, alone: Figure, gain: float, tuning: float, inside: BoolArray, frame_inside: BoolArray
) -> Estimate:
    return Estimate(
        *together,
        judge=float(given.frame_judge[frame_inside].mean()),
        people=alone,
        gain=gain,
        tuning=tuning,
        labelled=int(inside.sum()),
        frame=int(frame_inside.sum()),
        covered=float(given.survey.reached[frame_inside].mean()),
    )


def _scores(survey: Survey, values: FloatArray, inside: BoolArray) -> FloatArray:
    """Return what each labelled episode adds to a domain's weighted mean: the linearised ratio; the weighted sum is 0."""
    return np.asarray(inside * (values - survey.mean(values, inside)) / (survey.weight * inside).sum())


def _process(given: _Given, inside: BoolArray, frame_inside: BoolArray) -> FloatArray:
    """Return scores whose weighted sum of squares is the variance of people's ratings over the size of the frame."""
    count, total = inside.sum(), (given.survey.weight * inside).sum()
    return np.asarray(_scores(given.survey, given.human, inside) * np.sqrt(count / (count - 1) * total / frame_inside.sum()))


def _figure(given: _Given, value: float, drawn: FloatArray, process: FloatArray, inside: BoolArray) -> Figure:
    """Return a figure that varies by drawing as the weighted sum of `drawn`, and by the process as that of the squares of `process`."""
    survey = given.survey
    strata, frame = survey.variances(drawn), float(survey.weight @ process**2)
    variance = float(strata.sum()) + frame
    if variance <= 0:
        return Figure(value, value, value, 0.0)
    members = survey.per_stratum(inside.astype(float))
    freedom = variance**2 / (float((strata**2 / np.maximum(members - 1, 1)).sum()) + frame**2 / (inside.sum() - 1))
    half = float(special.stdtrit(freedom, (1 + given.level) / 2) * np.sqrt(variance))
    return Figure(value, value - half, value + half, float(np.sqrt(variance)))


def _apart(given: _Given, first: _Found, second: _Found) -> Figure:
    """Return the difference of two shares by MOVER."""
    one, other, weight = first.estimate, second.estimate, given.survey.weight
    size = float(np.sqrt((weight @ first.process**2) * (weight @ second.process**2)))
    alike = float(weight @ (first.process * second.process)) / size if size > 0 else 0.0

    def reach(a: float, b: float) -> float:
        return float(np.sqrt(max(a * a + b * b - 2 * alike * a * b, 0.0)))

    value = one.value - other.value
    low = value - reach(one.value - one.low, other.high - other.value)
    high = value + reach(one.high - one.value, other.value - other.low)
    return Figure(value, low, high, (high - low) / (2 * given.reach))
