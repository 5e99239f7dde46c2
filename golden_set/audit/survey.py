"""A stratified sample of episodes as numbers: weights, means of domains, variances, and the judge's slope; knows no judge by itself.

The design: from each stratum h of N_h episodes some are drawn without replacement, and n_h of them were answered, which are taken for a
random part of the stratum. An answered episode stands for N_h / n_h. A stratum without any answer is joined to the one whose mean
rating by the judge is nearest. A stratum with a single answer shows no variance of its own: its deviation is taken from the mean of the
whole sample instead, which contains what sets strata apart and so errs on the safe side (Lumley 2010, "adjust" of R's `survey`).

Sources: Särndal, Swensson and Wretman 1992, ch. 5 (ratios, linearisation), 6 (difference and regression estimators), 10 (domains).
"""

from dataclasses import dataclass

import numpy as np

from golden_set.sheet import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Survey:
    """Labelled episodes of a frame.

    Attributes:
        at: of each labelled episode, the number of its stratum, from 0, shape (n,).
        weight: how many episodes of the frame it stands for, shape (n,).
        size, answered: of each stratum, shape (strata,).
        member: 1 where an episode is of a stratum, else 0, shape (strata, n).
        where: of each episode of the frame, the number of its stratum, shape (N,).
        reached: of the same, whether its own stratum has any answer, so that it was not joined to another's, shape (N,).
    """

    at: IntArray
    weight: FloatArray
    size: FloatArray
    answered: FloatArray
    member: FloatArray
    where: IntArray
    reached: BoolArray

    @property
    def open(self) -> FloatArray:
        """The share of each stratum that was not answered: what is left to chance."""
        return 1 - self.answered / self.size

    def per_stratum(self, values: FloatArray) -> FloatArray:
        """Return sums over the labelled episodes of each stratum. `values` has the shape (n, ...)."""
        flat = self.member @ values.reshape(len(values), -1)
        return np.asarray(flat.reshape(-1, *values.shape[1:]))

    def mean(self, values: FloatArray, inside: BoolArray) -> float:
        """Return the weighted mean over the labelled episodes of a domain (Hájek)."""
        weight = self.weight * inside
        return float(weight @ values / weight.sum())

    def variances(self, score: FloatArray) -> FloatArray:
        """Return what each stratum adds to the variance of the weighted sum of `score`, whose sum is 0; shape (strata,)."""
        spread = self.weight * score
        sums, squares = self.per_stratum(np.stack([spread, spread**2], axis=1)).T
        several = self.answered > 1
        around = np.where(several, np.maximum(squares - sums**2 / self.answered, 0), squares)
        return np.asarray(self.open * around * np.where(several, self.answered / np.maximum(self.answered - 1, 1), 1))


def make_survey(stratum: IntArray, frame_judge: FloatArray, frame_stratum: IntArray) -> Survey:
    """Return the design of a sample.

    Args:
        stratum: of each labelled episode, shape (n,).
        frame_judge, frame_stratum: of every episode of the frame, the labelled ones included, shape (N,).

    Raises:
        ValueError: a stratum has more labelled episodes than the frame has.
    """
    names, where = np.unique(frame_stratum, return_inverse=True)
    at = np.clip(np.searchsorted(names, stratum), 0, len(names) - 1)
    size, answered = np.bincount(where, minlength=len(names)), np.bincount(at, minlength=len(names))
    if (names[at] != stratum).any() or (answered > size).any():
        raise ValueError("labelled episodes lie in strata that the frame does not have, or are more than it has there")
    full = answered > 0
    means = np.bincount(where, frame_judge, len(names)) / size
    nearest = np.abs(means[:, None] - np.where(full, means, np.inf)).argmin(axis=1)
    number = (np.cumsum(full) - 1)[np.where(full, np.arange(len(names)), nearest)]
    joined, share = np.bincount(number, size).astype(float), answered[full].astype(float)
    mine = number[at]
    member = (np.arange(len(joined))[:, None] == mine).astype(float)
    return Survey(mine, (joined / share)[mine], joined, share, member, number[where], full[where])


def slopes(survey: Survey, human: FloatArray, judge: FloatArray, inside: BoolArray) -> FloatArray:
    """Return, for each labelled episode, how far to follow the judge as the others tell it (lambda of PPI++), shape (n,).

    The slope is the one with the smallest estimated variance of the domain's mean: people's residuals on the judge's, pooled over strata
    with the weights that they have in that variance (Montanari 1987). It is shrunk by 1 - 1/t², with t its own t statistic, and is 0
    where t² <= 1 or the slope is negative: a slope that is as large by chance costs more than it gives. An episode is left out of its own
    slope (cross-fitting), by formula: sums of products of a stratum around its mean lose n/(n-1) times the product of its deviations.
    """
    parts = np.stack([human * inside, judge * inside, inside.astype(float)], axis=1)
    n = survey.answered[:, None]
    off = parts - (survey.per_stratum(parts) / n)[survey.at]
    products = off[:, :, None] * off[:, None, :]
    sums = survey.per_stratum(products)
    share = survey.size**2 * survey.open / survey.answered
    whole = sums * (share / np.maximum(survey.answered - 1, 1))[:, None, None]
    left = (survey.answered - 2)[survey.at]
    without = (sums[survey.at] - products * ((n / np.maximum(n - 1, 1))[survey.at])[:, :, None]) * (
        np.where(left > 0, share[survey.at] / np.maximum(left, 1), 0)[:, None, None]
    )
    total = whole.sum(axis=0) - whole[survey.at] + without
    # Means of the domain without the episode: deviations from them are what a ratio's variance is made of.
    weighted = parts * survey.weight[:, None]
    human_sum, judge_sum, count = (weighted.sum(axis=0) - weighted).T
    y, f = human_sum / np.maximum(count, 1e-12), judge_sum / np.maximum(count, 1e-12)
    both = total[:, 0, 1] - y * total[:, 1, 2] - f * total[:, 0, 2] + y * f * total[:, 2, 2]
    alone = total[:, 1, 1] - 2 * f * total[:, 1, 2] + f**2 * total[:, 2, 2]
    people = total[:, 0, 0] - 2 * y * total[:, 0, 2] + y**2 * total[:, 2, 2]
    known = (alone > 1e-20 * share.sum() * (np.abs(judge).max() ** 2)) & (both > 0)  # a judge that is constant within strata says nothing
    alone = np.where(known, alone, 1.0)
    explained = np.where(known, both**2 / alone, 0.0)
    freedom = max(float(survey.per_stratum(inside.astype(float)) @ (1 - 1 / survey.answered)) - 2, 0.0)
    unexplained = np.maximum(people - explained, 0)
    keep = np.where(explained * freedom > 0, 1 - unexplained / np.where(explained * freedom > 0, explained * freedom, 1), 0)
    return np.asarray(np.where(known, both / alone, 0.0) * np.maximum(keep, 0))
