"""A generalizability study: how much of a rating's variance is the item's, the prompt's, both together, or noise; and Φ, with its interval.

Design: items × prompts, crossed and balanced, with runs nested in each of their pairs. A rating is
mean + item + prompt + item·prompt + run. Sources: Brennan, *Generalizability Theory*, 2001 (mean squares, G, Φ, D-study); Shavelson
and Webb, *Generalizability Theory: A Primer*, 1991.

Assumptions: episodes are independent; turns of one episode need not be. Prompts are a sample of all wordings that mean the same.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from golden_set.sheet import FloatArray, IntArray

LEVEL = 0.95
DRAWS = 4_000
SEED = 20_260_101
LEAST_SUPPORT = 5.0  # effective episodes below which the simulated coverage of the interval falls short
ITEM, PROMPT, BOTH, RUN = range(4)  # the order of mean squares and components in arrays


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of a single rating (squared units of the rating). An estimate below zero is zero (Brennan 2001, 3.4)."""

    item: float
    prompt: float
    item_prompt: float
    residual: float

    @property
    def total(self) -> float:
        """The variance of a rating of one item, by one prompt, in one run."""
        return self.item + self.prompt + self.item_prompt + self.residual

    def noise(self, prompts: int, runs: int) -> float:
        """Return the variance of a mean over prompts and runs that reorders items (relative error)."""
        return self.item_prompt / prompts + self.residual / (prompts * runs)

    def g(self, prompts: int = 1, runs: int = 1) -> float | None:
        """Return the coefficient for comparing items that the same prompts rated; None where nothing varies."""
        return _ratio(self.item, self.noise(prompts, runs))

    def phi(self, prompts: int = 1, runs: int = 1) -> float | None:
        """Return the coefficient for ratings as they stand, whichever prompts gave them; None where nothing varies."""
        return _ratio(self.item, self.noise(prompts, runs) + self.prompt / prompts)


def _ratio(signal: float, error: float) -> float | None:
    return signal / (signal + error) if signal + error > 0 else None


@dataclass(frozen=True, slots=True)
class Span:
    """An interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Study:
    """What a balanced set of ratings tells. Arrays hold item, prompt, item × prompt and residual, in this order.

    `left_out` has a row of mean squares for each episode, computed without it. `support` is how many episodes the variance between
    items effectively rests on: (Σs)² / Σs² for the sums s of squares of the episodes.
    """

    squares: FloatArray
    left_out: FloatArray
    counts: FloatArray  # items that are left when an episode is
    items: int
    prompts: int
    runs: int
    support: float

    @classmethod
    def of(cls, values: FloatArray, episode: IntArray) -> Self:
        """Return the study of ratings.

        Args:
            values: (items, prompts, runs), with two prompts and two runs at least.
            episode: of each item, from 0; two at least.

        Raises:
            ValueError: too few of something.
        """
        items, prompts, runs = values.shape
        episodes = int(episode.max()) + 1 if items else 0
        if min(episodes, prompts, runs) < 2:
            raise ValueError(f"{episodes} episodes, {prompts} prompts and {runs} runs; a study needs two of each")
        sums = episode_sums(values, episode, episodes)
        means = values.mean((1, 2))
        parts = np.bincount(episode, (means - means.mean()) ** 2, episodes)
        support = float(parts.sum() ** 2 / (parts**2).sum()) if parts.any() else 0.0
        rest = sums.sum(0) - sums
        left_out = mean_squares(rest, prompts, runs)
        return cls(mean_squares(sums.sum(0), prompts, runs), left_out, rest[:, 0], items, prompts, runs, support)

    @property
    def supported(self) -> bool:
        """Whether enough episodes carry the variance between items for the intervals to be what they are called."""
        return self.support >= LEAST_SUPPORT

    @property
    def estimates(self) -> FloatArray:
        """The components, unbiased; they may be below zero.

        Where items are episodes these are those that the mean squares give. Turns of an episode are alike, so that mean squares of
        turns see too little variance between items and take some of their noise for the prompts'; the jackknife over episodes
        takes this bias away (Quenouille 1956), and changes nothing where there is none.
        """
        episodes = len(self.counts)
        return np.asarray(episodes * self.from_squares - (episodes - 1) * self._left_out.mean(0))

    @property
    def from_squares(self) -> FloatArray:
        """The components whose expected mean squares the mean squares are (Brennan 2001, 3.2)."""
        return variances(self.squares, np.float64(self.items), self.prompts, self.runs)

    @property
    def components(self) -> Components:
        """The components."""
        return Components(*np.maximum(self.estimates, 0.0).tolist())

    def span(self, part: int) -> Span:
        """Return the interval of one component (`ITEM`, `PROMPT`, `BOTH` or `RUN`)."""
        return _ends(self._drawn[part])

    def phi_span(self, prompts: int = 1, runs: int = 1) -> Span | None:
        """Return the interval of Φ for a mean over prompts and runs; None where nothing varies.

        Three uncertainties are put together by simulation (a generalized interval, Weerahandi 1993; Burdick, Borror and Montgomery
        2005). Of the mean squares of items, of items by prompts, and of runs: how they change when an episode is left out (jackknife
        of their logarithms, clustered by episode), with Student's t of as many degrees of freedom as episodes effectively carry the
        variance between items. Of the mean square of prompts: chi-square of the few prompts that there are, which no resampling of
        episodes sees. `python -m golden_set.simulation_variance` shows coverage, also of percentiles of a bootstrap of episodes.
        """
        if self.components.phi(prompts, runs) is None:
            return None
        item, prompt, both, run = self._drawn
        whole = item + (prompt + both) / prompts + run / (prompts * runs)
        return _ends(np.divide(item, whole, out=np.zeros_like(item), where=whole > 0))

    @cached_property
    def _left_out(self) -> FloatArray:
        return variances(self.left_out, self.counts, self.prompts, self.runs)

    @cached_property
    def _drawn(self) -> FloatArray:
        """Draws of the components, (4, DRAWS), none below zero."""
        rng = np.random.default_rng(SEED)
        prompt = self.squares[PROMPT] * (self.prompts - 1) / rng.chisquare(self.prompts - 1, DRAWS)
        item, both, run = self._squares_drawn(rng)
        found = variances(np.stack([item, prompt, both, run], -1), np.float64(self.items), self.prompts, self.runs)
        # Chi-square draws are of the prompts' mean square alone: what of it is noise is known well enough.
        noise = self.squares[PROMPT] / (self.items * self.runs) - self.estimates[PROMPT]
        found[:, PROMPT] = prompt / (self.items * self.runs) - noise
        unbiased = (self.estimates - self.from_squares)[[ITEM, BOTH, RUN]]
        found[:, [ITEM, BOTH, RUN]] += unbiased
        return np.maximum(found, 0.0).T

    def _squares_drawn(self, rng: np.random.Generator) -> FloatArray:
        """Return draws of the mean squares but the prompts', (3, DRAWS); one that is zero stays so."""
        found, left = self.squares[[ITEM, BOTH, RUN]], self.left_out[:, [ITEM, BOTH, RUN]]
        episodes = len(left)
        # One that becomes zero without some episode has no logarithm: then its share of the whole stands for it.
        relative = left / np.where(found > 0, found, 1.0)
        logs = np.where((left > 0).all(0), np.log(np.where(left > 0, left, 1.0)), relative)
        off = logs - logs.mean(0)
        values, vectors = np.linalg.eigh((episodes - 1) / episodes * off.T @ off)
        free = min(episodes - 1.0, max(2.0, self.support))
        students = rng.standard_normal((3, DRAWS)) / np.sqrt(rng.chisquare(free, DRAWS) / free)
        moved = vectors * np.sqrt(np.maximum(values, 0.0)) @ students
        return np.asarray(found[:, None] * np.exp(np.minimum(moved, 50.0)))


def episode_sums(values: FloatArray, episode: IntArray, episodes: int) -> FloatArray:
    """Return what mean squares are made of, a row an episode; rows add up, so that leaving one out is a subtraction.

    Args:
        values: (items, prompts, runs).
        episode: of each item, from 0 to `episodes`, exclusive.
    """
    values = values - values.mean()  # digits are not to be lost in squares of a far-off mean
    cells = values.mean(2)
    means = cells.mean(1)
    squares = (cells**2).sum(1), ((values - cells[:, :, None]) ** 2).sum((1, 2))
    columns = [np.ones(len(values)), means, means**2, *squares, *cells.T]
    return np.column_stack([np.bincount(episode, column, episodes) for column in columns])


def mean_squares(sums: FloatArray, prompts: int, runs: int) -> FloatArray:
    """Return the four mean squares (…, 4) from sums (…, 5 + prompts)."""
    items, total, squared, of_cells, of_runs = (sums[..., k] for k in range(5))
    by_prompt = sums[..., 5:] / items[..., None]
    mean = total / items
    between = squared - items * mean**2
    item = prompts * runs * between
    prompt = items * runs * ((by_prompt - mean[..., None]) ** 2).sum(-1)
    both = runs * (of_cells - prompts * squared - items * (by_prompt**2).sum(-1) + items * prompts * mean**2)
    free = items - 1, np.full_like(items, prompts - 1), (items - 1) * (prompts - 1), items * prompts * (runs - 1)
    tiny = 1e-12 * np.maximum(of_cells, 1e-300)  # what rounding leaves of a sum of squares that is zero
    # Without its only other episode a study has one item: nothing is left to vary.
    parts = [np.where(part > tiny, part, 0.0) / np.maximum(d, 1) for part, d in zip((item, prompt, both, of_runs), free, strict=True)]
    return np.stack(parts, -1)


def variances(squares: FloatArray, items: FloatArray | np.float64, prompts: int, runs: int) -> FloatArray:
    """Return the components (…, 4) whose expected mean squares these are."""
    item, prompt, both, run = (squares[..., k] for k in range(4))
    return np.stack([(item - both) / (prompts * runs), (prompt - both) / (items * runs), (both - run) / runs, run], -1)


def _ends(draws: FloatArray) -> Span:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Span(float(low), float(high))
