"""A sum of ratios of sums over episodes: the form of every estimator here, so that one bootstrap serves all; no estimator is in it.

The value is Σₖ (Σᵢ numerator[i, k]) / (Σᵢ denominator[i, k]), i over episodes. A mean is a single ratio whose denominators are 1; a
weighted estimator has a ratio for every step. Drawing episodes again only changes how often each counts in the sums.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from policies.experience import Floats


@dataclass(frozen=True)
class Ratios:
    """An estimator, episode by episode.

    Attributes:
        numerators, denominators: (N, K).
    """

    numerators: Floats
    denominators: Floats

    @classmethod
    def mean(cls, values: Floats) -> "Ratios":
        """Return the mean of a figure of every episode, (N,)."""
        return cls(values[:, None], np.ones((len(values), 1)))

    @property
    def n(self) -> int:
        """How many episodes there are."""
        return len(self.numerators)

    @cached_property
    def value(self) -> float:
        """The estimate; NaN where a denominator is 0."""
        return float(_summed(self.numerators.sum(0), self.denominators.sum(0)))

    def __sub__(self, other: "Ratios") -> "Ratios":
        """Return the difference of two estimators on the same episodes."""
        return Ratios(np.hstack([self.numerators, -other.numerators]), np.hstack([self.denominators, other.denominators]))

    def draws(self, times: Floats) -> Floats:
        """Return the estimate of every draw, (B,).

        Args:
            times: (B, N) how often each episode counts.
        """
        return np.asarray(_summed(times @ self.numerators, times @ self.denominators))

    def draws_and_errors(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the estimate of every draw and its standard error, (B,) each; the error is that of `error`, in the draw."""
        above, below = times @ self.numerators, times @ self.denominators
        inverse = np.divide(1.0, below, out=np.full_like(below, np.nan), where=below != 0)
        if self.plain:  # a mean: no influences are needed
            mean = above[:, 0] * inverse[:, 0]
            spread = (times @ self.numerators[:, 0] ** 2) * inverse[:, 0] - mean**2
            return mean, np.sqrt(np.maximum(spread, 0.0) / (self.n - 1))
        influence = inverse @ self.numerators.T
        influence -= (above * inverse**2) @ self.denominators.T
        np.square(influence, out=influence)
        variance = np.einsum("bn,bn->b", times, influence) * (self.n / (self.n - 1))
        return np.asarray((above * inverse).sum(1)), np.sqrt(variance)

    @property
    def plain(self) -> bool:
        """Whether it is a mean."""
        return self.numerators.shape[1] == 1 and bool((self.denominators == 1).all())

    @cached_property
    def influences(self) -> Floats:
        """How far each episode moves the estimate, to first order, (N,); they sum to 0."""
        below = self.denominators.sum(0)
        part = self.numerators.sum(0) / below
        return np.asarray(((self.numerators - part * self.denominators) / below).sum(1))

    @property
    def error(self) -> float:
        """The standard error of the estimate, linearised; episodes are the independent units."""
        return float(np.sqrt((self.influences**2).sum() * self.n / (self.n - 1)))

    @cached_property
    def without(self) -> Floats:
        """The estimate with each episode left out in turn, (N,)."""
        return np.asarray(_summed(self.numerators.sum(0) - self.numerators, self.denominators.sum(0) - self.denominators))


def joined(parts: Iterable[Ratios]) -> Ratios:
    """Return the sum of estimators on the same episodes."""
    known = list(parts)
    return Ratios(np.hstack([part.numerators for part in known]), np.hstack([part.denominators for part in known]))


def _summed(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((above / below).sum(-1))
