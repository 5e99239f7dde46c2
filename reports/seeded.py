"""Figures of seeded experiments with their 95% intervals, and what they say of a claim; where they come from is not known here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from reports.numerals import number

Floats = NDArray[np.float64]
LEVEL = 0.95
PLACES = 6  # decimals that are kept: the same bytes on machines that add up in another order


class Verdict(StrEnum):
    """What a figure says of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNSHOWN = "not shown"  # the interval leaves it open


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; None where there are too few values for one, or where it is computed and not sampled."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0

    def told(self, places: int = 3) -> str:
        """Return it as text, such as `0.12 (0.05 to 0.19)`."""
        text = number(self.value, places)
        return text if self.low is None else f"{text} ({number(self.low, places)} to {number(self.high, places)})"


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence put to the test.

    Attributes:
        says: the claim.
        rule: when it holds, said before the experiment.
        figure: what was found.
        verdict: what that says.
    """

    says: str
    rule: str
    figure: Estimate
    verdict: Verdict


def over_seeds(values: Sequence[float] | Floats) -> Estimate:
    """Return the mean over seeds with Student's interval."""
    held = np.asarray(values, float)
    mean, n = float(held.mean()), held.size
    if n < 2:
        return Estimate(kept(mean), n=n)
    margin = float(student.ppf(0.5 + LEVEL / 2, n - 1)) * float(held.std(ddof=1)) / n**0.5
    return Estimate(kept(mean), kept(mean - margin), kept(mean + margin), n)


def kept(value: float) -> float:
    """Return a number with the decimals that are kept."""
    return round(float(value), PLACES) + 0.0


def above(figure: Estimate, limit: float = 0.0) -> Verdict:
    """Say whether a figure is above a limit: its whole interval has to be."""
    if figure.low is None or figure.high is None:
        return Verdict.UNSHOWN
    return Verdict.HOLDS if figure.low > limit else Verdict.FAILS if figure.high <= limit else Verdict.UNSHOWN


def below(figure: Estimate, limit: float) -> Verdict:
    """Say whether a figure is below a limit."""
    if figure.low is None or figure.high is None:
        return Verdict.UNSHOWN
    return Verdict.HOLDS if figure.high < limit else Verdict.FAILS if figure.low >= limit else Verdict.UNSHOWN


def within(figure: Estimate, margin: float) -> Verdict:
    """Say whether a figure is nearer to zero than a margin: its whole interval has to be."""
    if figure.low is None or figure.high is None:
        return Verdict.UNSHOWN
    if figure.low > margin or figure.high < -margin:
        return Verdict.FAILS
    return Verdict.HOLDS if -margin < figure.low and figure.high < margin else Verdict.UNSHOWN
