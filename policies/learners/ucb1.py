"""UCB1: the action whose mean could still be the best, by its upper confidence bound; mixed with a few random actions."""

from typing import ClassVar

import numpy as np

from policies.bandit import Bandit, Credit
from policies.experience import Floats
from policies.parameters import NOT_NEGATIVE, SHARE, Allowed
from policies.tabular import Indices, greedy_probs


class UCB1(Bandit):
    """Takes the largest mean + spread * sqrt(2 ln n / n_a), untried actions first (Auer, Cesa-Bianchi and Fischer 2002).

    UCB1 chooses with certainty, and what is never chosen cannot be judged from its log: so `epsilon` of the actions are random, and every
    action's probability is known and above 0. Episodes side by side in one context choose alike until the next update. It counts: of a log
    it should see every episode once.

    Args:
        spread: width of the range of what a step is credited with (the paper's rewards lie in [0, 1]: 1).
        epsilon: share of random actions.
        context, credit, weighted, gamma, longest, steps, envs: as of `Bandit`.
    """

    name: ClassVar[str] = "ucb1"
    passes: ClassVar[int] = 1  # over a log: it counts
    allowed: ClassVar[Allowed] = Bandit.allowed | {"spread": NOT_NEGATIVE, "epsilon": SHARE}

    def __init__(
        self,
        spread: float = 1.0,
        epsilon: float = 0.05,
        context: bool = True,
        credit: Credit = "return",
        weighted: bool = False,
        gamma: float = 1.0,
        longest: int = 1000,
        steps: int = 4,
        envs: int = 64,
    ) -> None:
        super().__init__(context, credit, weighted, gamma, longest, steps, envs)
        self.spread = spread
        self.epsilon = epsilon

    def chances(self, rows: Indices) -> Floats:
        """As `Bandit` says."""
        counts = self.counts_[rows]
        tried = np.maximum(counts, 1)
        total = np.maximum(counts.sum(1, keepdims=True), 1)
        bounds = self.values_[rows] + self.spread * np.sqrt(2 * np.log(total) / tried)
        return greedy_probs(np.where(counts > 0, bounds, np.inf), self.epsilon)
