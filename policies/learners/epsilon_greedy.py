"""The epsilon-greedy bandit: the best mean so far, or with probability epsilon any action."""

from typing import ClassVar

from policies.bandit import Bandit, Credit
from policies.contract import PASSES
from policies.experience import Floats
from policies.parameters import FINITE, Allowed
from policies.schedules import Exponential, Linear, Scheduled, Visits, schedule
from policies.tabular import Indices, greedy_probs


class EpsilonGreedy(Bandit):
    """Takes the action of the best mean, ties broken at random (Sutton and Barto 2018, 2.4).

    With `alpha` as it is it counts, and of a log it should see every episode once. With another step size, a constant one above all,
    further passes bring the values nearer to what the log says.

    Args:
        epsilon: share of random actions, a schedule; its visits are those of the context. `visits:0.5:0.02` falls as 1/sqrt(k).
        alpha: step size of the means, a schedule; `visits:1` is the mean of all, a constant follows what changes.
        initial: mean of an action never tried; above all returns it makes the bandit try everything.
        context, credit, weighted, gamma, longest, steps, envs: as of `Bandit`.
    """

    name: ClassVar[str] = "bandit"
    allowed: ClassVar[Allowed] = Bandit.allowed | {"initial": FINITE}

    def __init__(
        self,
        epsilon: Scheduled = 0.1,
        alpha: Scheduled = "visits:1",
        initial: float = 0.0,
        context: bool = True,
        credit: Credit = "return",
        weighted: bool = False,
        gamma: float = 1.0,
        longest: int = 1000,
        steps: int = 4,
        envs: int = 64,
    ) -> None:
        super().__init__(context, credit, weighted, gamma, longest, steps, envs)
        self.epsilon = epsilon
        self.alpha = alpha
        self.initial = initial

    @property
    def passes(self) -> int:
        """How often it wants to see a log."""
        return 1 if schedule(self.alpha) == Visits(1) else PASSES

    @property
    def moving(self) -> bool:
        """As `Bandit` says."""
        return isinstance(schedule(self.epsilon), Linear | Exponential)

    def chances(self, rows: Indices) -> Floats:
        """As `Bandit` says."""
        epsilon = schedule(self.epsilon).at(self.steps_, self.counts_[rows].sum(1))
        return greedy_probs(self.values_[rows], epsilon[:, None])
