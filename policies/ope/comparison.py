"""Candidate against baseline on the same episodes: one-sided bounds of the difference, and how many episodes would show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

from policies.ope.bootstrap import Draws, Kind
from policies.ope.evaluation import Evaluator, guaranteed
from policies.ope.ratios import Ratios

CAUTION = 0.7  # of the misses that are allowed are spent on a bound from a log: where the heaviest weights did not turn up, an estimate
# errs and looks sure at once, and bounds that should miss 5 % missed up to 7 % (`python -m policies.ope.simulation_deploy`)
POWER = 0.8  # with which the episodes that are said to be needed would show a difference, if it is what it seems


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of both. Bounds are one-sided.

    Attributes:
        error: standard error of the difference; None of guaranteed bounds.
        judged: the part of it that comes of the judge's calibration: more episodes do not make it smaller.
        needed: about how many episodes would show the difference; None where none would, or nothing tells.
    """

    candidate: float
    candidate_low: float
    baseline: float
    difference: float
    difference_low: float
    episodes: int
    error: float | None = None
    judged: float = 0.0
    needed: int | None = None


def pair(candidate: Ratios, baseline: Ratios) -> dict[str, Ratios]:
    """Return both estimators and their difference, episode by episode."""
    return {"candidate": candidate, "baseline": baseline, "difference": candidate - baseline}


def finding(draws: Mapping[str, Draws], level: float, margin: float, kind: Kind = Kind.SYMMETRIC, caution: float = CAUTION) -> Finding:
    """Return what draws of a `pair` say; the same draws of all three, so that what moves both moves their difference little.

    Args:
        caution: the share of the allowed misses to spend; 1 where nothing is weighted.
    """
    miss = caution * (1 - level)
    both = 1 - 2 * miss  # a one-sided bound that misses 5 % is the end of an interval that misses 10 %
    difference = draws["difference"]
    gain = difference.estimator.value
    episodes = difference.estimator.n
    return Finding(
        candidate=draws["candidate"].estimator.value,
        candidate_low=draws["candidate"].interval(both, kind)[0],
        baseline=draws["baseline"].estimator.value,
        difference=gain,
        difference_low=difference.interval(both, kind)[0],
        episodes=episodes,
        error=difference.error,
        judged=difference.judged,
        needed=_needed(gain - margin, difference.estimator.error, difference.judged, episodes, 1 - miss),
    )


def guaranteed_finding(candidate: Evaluator, baseline: Evaluator | None, low: float, high: float, level: float) -> Finding:
    """Return bounds that hold for any log: the candidate's from below less the baseline's from above, each missing half as often.

    Args:
        baseline: None: whoever acted.
        low, high: between which any return lies, known beforehand.
    """
    mine, acted = (guaranteed(candidate, low, high, level)[name] for name in ("is", "logged"))
    other = acted if baseline is None else guaranteed(baseline, low, high, level)["is"]
    lower, upper = mine.low, other.high
    assert lower is not None and upper is not None  # noqa: S101 - guaranteed ones always are
    one_sided = guaranteed(candidate, low, high, 2 * level - 1)["is"].low
    assert one_sided is not None  # noqa: S101
    return Finding(mine.value, one_sided, other.value, mine.value - other.value, lower - upper, candidate.log.n)


def _needed(gain: float, error: float, judged: float, episodes: int, level: float) -> int | None:
    """Return at how many episodes a gain of this size would be shown with probability `POWER`; None where never."""
    normal = NormalDist()
    wanted = gain / (normal.inv_cdf(level) + normal.inv_cdf(POWER))  # the standard error that it takes
    room = wanted**2 - judged**2
    return ceil(episodes * error**2 / room) if gain > 0 and room > 0 else None
