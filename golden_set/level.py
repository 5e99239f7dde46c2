"""What a mean rating was before the watch began, and how much it varies from night to night without any drift.

A night's mean varies for two reasons that are told apart here. The judge rates the same dialogue differently each time: that part
is seen in every episode of every night, so fourteen nights of forty episodes know its variance with hundreds of degrees of freedom.
And all ratings of one night may move together (a night effect: one state of the provider): that part shows only in the nightly
means, of which there are few. Reading the whole variance off fourteen means costs a factor 1.23 (the bound of the reference design)
or false alarms; so only the second part is bounded from few nights, and it is learned further with every night that passes.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from golden_set.sheet import FloatArray

PRIOR = 6.0  # nights that the assumed night effect is worth beside those that were seen
SURE = 0.8  # of the upper bound, where an underestimated night effect would do most harm
STEP = 2 / 3  # degrees of freedom that one more difference of successive nights brings


@dataclass(frozen=True)
class Noise:
    """Variances of nightly means. All arrays have one shape, one entry a series; units are squared levels.

    Attributes:
        item: of one run's mean, from the ratings being noisy one by one (clustered by episode).
        squares: sum of squares of the nightly means about their level; with `degrees`, an estimate of item and night together.
        degrees: how many squares those are.
        assumed: of the night effect, the least there is ever taken to be.
    """

    item: FloatArray
    squares: FloatArray
    degrees: FloatArray
    assumed: FloatArray

    def night(self, sure: float | None = None) -> FloatArray:
        """Return the variance of the night effect: what the nights show, pooled with what is assumed, and never less than that.

        Args:
            sure: with it, what the nights show is taken at this upper confidence bound (chi-square; normal nightly means).
        """
        divisor = self.degrees if sure is None else stats.chi2.isf(sure, self.degrees)
        assumed = self.item + self.assumed
        shown = (PRIOR * assumed + self.degrees * self.squares / divisor) / (PRIOR + self.degrees)
        return np.asarray(np.maximum(shown, assumed) - self.item)

    def sd(self, runs: int = 1, share: FloatArray | float = 1.0, sure: float | None = None) -> FloatArray:
        """Return the SD of the mean of a night that was rated `runs` times, of which this share of the episodes was answered."""
        return np.asarray(np.sqrt(self.item / (runs * np.maximum(share, 1e-9)) + self.night(sure)))

    def after(self, step: FloatArray) -> "Noise":
        """Return what is known after one more night, whose mean lies `step` from the night before (NaN: nothing learned).

        Half the squared difference of successive nights estimates their variance and is hardly touched by a shift that lasts
        (von Neumann 1941); for normal means it is worth two thirds of a degree of freedom.
        """
        seen = ~np.isnan(step)
        return replace(
            self,
            squares=self.squares + np.where(seen, STEP * np.nan_to_num(step) ** 2 / 2, 0.0),
            degrees=self.degrees + np.where(seen, STEP, 0.0),
        )


@dataclass(frozen=True)
class Level:
    """What every episode's mean rating was (shape (..., episodes); NaN where nobody knows), and the noise of the mean over them."""

    means: FloatArray
    noise: Noise

    def shift(self, tonight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how far the mean over episodes moved, and the share of the episodes that it rests on.

        Episodes are compared with themselves, so that one without an answer tonight does not look like drift. NaN of none.
        """
        both = ~np.isnan(tonight) & ~np.isnan(self.means)
        count = both.sum(-1)
        moved = np.where(both, np.nan_to_num(tonight) - np.nan_to_num(self.means), 0.0).sum(-1)
        known = np.maximum((~np.isnan(self.means)).sum(-1), 1)
        return np.asarray(np.where(count > 0, moved / np.maximum(count, 1), np.nan)), np.asarray(count / known)


def learn(values: FloatArray, runs: FloatArray, assumed: FloatArray | float) -> Level:
    """Return the level and its noise, from days on which the same episodes were rated.

    Days are pooled by how much each can be trusted: ten runs of a baseline that were all made on one day share its night effect, so
    that day counts for a few nights, not for ten.

    Args:
        values: an episode's mean rating, shape (days, ..., episodes); NaN where it was not answered.
        runs: how many runs each day's values are the mean of, shape (days,). Noise is learned from the days with one run.
        assumed: least variance of the night effect.
    """
    nights = values[runs == 1]
    count = np.maximum((~np.isnan(nights)).sum(0), 1)
    off = nights - np.nansum(nights, 0) / count
    episodes = np.maximum((~np.isnan(nights)).any(0).sum(-1), 1)
    spread = np.nansum(off**2, 0) / np.maximum(count - 1, 1)
    item = spread.sum(-1) / episodes**2
    answered = np.maximum((~np.isnan(off)).sum(-1), 1)
    nightly = np.nansum(off, -1) / answered
    squares = ((nightly - nightly.mean(0)) ** 2).sum(0)
    noise = Noise(item, squares, np.full_like(item, len(nights) - 1.0), np.broadcast_to(np.asarray(assumed, float), item.shape))
    trust = 1 / (item / runs.reshape(-1, *([1] * item.ndim)) + noise.night())
    weight = np.where(np.isnan(values), 0.0, trust[..., None])
    total = weight.sum(0)
    means = np.where(total > 0, (weight * np.nan_to_num(values)).sum(0) / np.where(total > 0, total, 1.0), np.nan)
    return Level(np.asarray(means), noise)
