"""The cluster bootstrap over episodes: every estimator is computed of the same draws, with its weights normalised in each.

Where rewards are themselves estimated (from a judge, mapped to people's scale by a few labels), a draw takes other episodes and other
rewards at once, so that its spread holds both errors.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from policies.experience import Floats
from policies.ope.ratios import Ratios

DRAWS = 2000
BLOCK = 400_000  # counts held at once: what a processor keeps at hand is several times as fast


class Kind(StrEnum):
    """How draws become bounds.

    In simulations (`python -m policies.ope.simulation`) importance weights with long tails make percentiles too narrow, and BCa more so:
    a sample without the tail looks well behaved. Symmetric studentised bounds come nearest to their level.
    """

    SYMMETRIC = "bootstrap"
    PERCENTILE = "percentile"
    BCA = "bca"


@dataclass(frozen=True)
class Draws:
    """An estimator and its draws.

    Attributes:
        values: (B,).
        errors: (B,) the standard error in each, of which episodes are drawn.
        judged: the standard deviation that other rewards give the estimate; 0 where rewards are what they are.
    """

    estimator: Ratios
    values: Floats
    errors: Floats
    judged: float = 0.0

    @property
    def error(self) -> float:
        """The standard error of the estimate, of episodes and rewards."""
        return float(np.hypot(self.estimator.error, self.judged))

    def interval(self, level: float, kind: Kind = Kind.SYMMETRIC) -> tuple[float, float]:
        """Return bounds between which the value lies with probability `level`; a one-sided bound is one of level 2 * level - 1."""
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        if kind is Kind.PERCENTILE:
            low, high = np.quantile(self.values, tails)
        elif kind is Kind.BCA:
            low, high = np.quantile(self.values, self._corrected(tails))
        else:
            half = self._half(level)
            low, high = self.estimator.value - half, self.estimator.value + half
        return float(low), float(high)

    def _half(self, level: float) -> float:
        """Return half the width of the symmetric interval: a quantile of |draw - estimate| in standard errors (Hall 1988)."""
        errors = np.hypot(self.errors, self.judged)
        errors[errors == 0] = self.error or 1.0  # a draw of equal episodes does not know how far it is off
        return float(np.quantile(np.abs(self.values - self.estimator.value) / errors, level)) * self.error

    def _corrected(self, tails: Floats) -> Floats:
        """Return levels corrected for bias, and for an error that grows with the value (Efron 1987)."""
        normal, value, without = NormalDist(), self.estimator.value, self.estimator.without
        least = 0.5 / len(self.values)
        below = float(np.mean(self.values < value) + np.mean(self.values == value) / 2)
        shift = normal.inv_cdf(min(max(below, least), 1 - least))
        away = without.mean() - without
        spread = float((away**2).sum())
        skew = float((away**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0
        ats = [shift + normal.inv_cdf(tail) for tail in tails.tolist()]
        return np.array([normal.cdf(shift + at / (1 - skew * at)) if skew * at < 1 else 1.0 for at in ats])


def bootstrap(estimators: Mapping[str, Ratios], rng: np.random.Generator, draws: int = DRAWS) -> dict[str, Draws]:
    """Return the draws of estimators on the same episodes.

    Method: the bootstrap of whole clusters (Davison and Hinkley 1997, 3.8), an episode being one. A model of the values is not fitted
    anew: an error of it moves a doubly robust estimate to second order only.
    """
    return {name: Draws(estimators[name], *found) for name, found in _drawn([estimators], rng, draws).items()}


def joint_bootstrap(
    estimators: Mapping[str, Ratios], worlds: Iterable[Mapping[str, Ratios]], count: int, rng: np.random.Generator, draws: int = DRAWS
) -> dict[str, Draws]:
    """Return draws that take other episodes and other rewards at once.

    Args:
        estimators: by the rewards as they are.
        worlds: the same by rewards as they might have been; each is drawn from equally often.
        count: how many worlds there are.
    """
    levels: dict[str, list[float]] = {name: [] for name in estimators}

    def watched() -> Iterator[Mapping[str, Ratios]]:
        for world in worlds:
            for name, estimator in world.items():
                levels[name].append(estimator.value)
            yield world

    found = _drawn(watched(), rng, -(-draws // count))
    spread = {name: float(np.sqrt(np.mean((np.array(levels[name]) - one.value) ** 2))) for name, one in estimators.items()}
    return {name: Draws(estimators[name], *parts, spread[name]) for name, parts in found.items()}


def _drawn(worlds: Iterable[Mapping[str, Ratios]], rng: np.random.Generator, draws: int) -> dict[str, tuple[Floats, Floats]]:
    found: dict[str, list[tuple[Floats, Floats]]] = {}
    for world in worlds:
        episodes = next(iter(world.values())).n
        for times in times_drawn(episodes, draws, rng):
            for name, estimator in world.items():
                found.setdefault(name, []).append(estimator.draws_and_errors(times))
    made = {}
    for name, blocks in found.items():
        values, errors = (np.concatenate(part) for part in zip(*blocks, strict=True))
        good = np.isfinite(values) & np.isfinite(errors)  # a draw without any weight at a step has no value
        made[name] = values[good], errors[good]
    return made


def times_drawn(episodes: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each episode counts in some draws with replacement, (some, episodes), until there were so many draws."""
    some = max(1, min(draws, BLOCK // max(episodes, 1)))
    for begin in range(0, draws, some):
        size = min(some, draws - begin)
        drawn = rng.integers(0, episodes, (size, episodes)) + np.arange(size)[:, None] * episodes
        yield np.bincount(drawn.ravel(), minlength=size * episodes).reshape(size, episodes).astype(float)
