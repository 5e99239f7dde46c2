"""Thompson sampling with normal rewards of unknown mean and variance; the choice's probability is known because it is worked out first."""

from typing import ClassVar

import numpy as np

from policies.bandit import Bandit, Credit
from policies.experience import Floats
from policies.parameters import ABOVE_0, COUNT, FINITE, SHARE, Allowed
from policies.tabular import Indices, means


class Thompson(Bandit):
    """Takes each action as often as it is the best in draws from the posterior of the means (Thompson 1933).

    The posterior is normal-inverse-gamma (Murphy 2007, section 3): what a step is credited with is normal, of unknown mean and variance, so
    the marginal of a mean is Student's t. The probability of an action being best has no closed form; it is estimated with `draws` draws
    for each context when something was learned there, and actions are then drawn from exactly these estimated probabilities (mixed with
    `epsilon` random ones). So what is logged is the very probability with which the action was taken, and weighting by it is unbiased.
    It counts: seen twice, an episode would narrow the posterior twice, so of a log it should see every episode once.

    Args:
        mean: prior mean.
        strength: how many observations the prior mean is worth.
        spread: prior standard deviation of the credits; counts as two observations.
        draws: from the posterior.
        epsilon: share of random actions, which keeps every probability above 0.
        context, credit, weighted, gamma, longest, steps, envs: as of `Bandit`.
    """

    name: ClassVar[str] = "thompson"
    passes: ClassVar[int] = 1  # over a log: it counts
    allowed: ClassVar[Allowed] = Bandit.allowed | {
        "mean": FINITE,
        "strength": ABOVE_0,
        "spread": ABOVE_0,
        "draws": COUNT,
        "epsilon": SHARE,
    }
    deviations_: Floats

    def __init__(
        self,
        mean: float = 0.0,
        strength: float = 0.1,
        spread: float = 1.0,
        draws: int = 100,
        epsilon: float = 0.02,
        context: bool = True,
        credit: Credit = "return",
        weighted: bool = False,
        gamma: float = 1.0,
        longest: int = 1000,
        steps: int = 4,
        envs: int = 64,
    ) -> None:
        super().__init__(context, credit, weighted, gamma, longest, steps, envs)
        self.mean = mean
        self.strength = strength
        self.spread = spread
        self.draws = draws
        self.epsilon = epsilon

    def spare(self) -> tuple[str, ...]:
        """As `Bandit` says: the sums of squared deviations from the mean."""
        return ("deviations_",)

    def took(self, cells: Indices, targets: Floats) -> None:
        """Add the squared deviations, those between the old mean and the batch's included (Chan, Golub and LeVeque 1979)."""
        met, hits, mean = means(cells, targets, self.values_.size)
        _, _, square = means(cells, (targets - self._spread_out(met, mean)[cells]) ** 2, self.values_.size)
        before = self.counts_.reshape(-1)[met]
        between = (mean - self.values_.reshape(-1)[met]) ** 2 * before * hits / (before + hits)
        self.deviations_.reshape(-1)[met] += square * hits + between

    def posterior(self, rows: Indices) -> tuple[Floats, Floats, Floats]:
        """Return location, scale and degrees of freedom of each mean's Student t, (n, actions) each."""
        counts, values = self.counts_[rows], self.values_[rows]
        strength = self.strength + counts
        location = (self.strength * self.mean + counts * values) / strength
        shape = 1 + counts / 2
        rate = self.spread**2 + self.deviations_[rows] / 2 + self.strength * counts * (values - self.mean) ** 2 / (2 * strength)
        return location, np.sqrt(rate / (shape * strength)), 2 * shape

    def chances(self, rows: Indices) -> Floats:
        """As `Bandit` says; alike for all actions in a context where nothing was learned."""
        width = self.values_.shape[1]
        location, scale, freedom = self.posterior(rows)
        drawn = location + scale * self.rng_.standard_t(freedom, (self.draws, *location.shape))
        best = drawn.argmax(2) + width * np.arange(len(rows))
        won = np.bincount(best.reshape(-1), minlength=location.size).reshape(location.shape) / self.draws
        won[self.counts_[rows].sum(1) == 0] = 1 / width
        chances: Floats = (1 - self.epsilon) * won + self.epsilon / width
        return chances

    def _spread_out(self, met: Indices, mean: Floats) -> Floats:
        """Return the batch's means as a table, so that each target finds its own."""
        table = np.zeros(self.values_.size)
        table[met] = mean
        return table
