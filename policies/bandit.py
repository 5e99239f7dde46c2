"""What the bandits have in common: a mean for every action in every context; how they choose by it is theirs, one a file."""

from abc import abstractmethod
from typing import ClassVar, Literal, Self, get_args

import numpy as np

from dialogue.environments.contract import Actions, Observations, Spaces, State
from policies.contract import Learner
from policies.credit import finished, returns_of
from policies.experience import Floats, Rollout
from policies.parameters import COUNT, SHARE, Allowed, Parameters
from policies.schedules import Scheduled, schedule
from policies.table import TablePolicy
from policies.tabular import (
    Indices,
    bounds_of,
    draw,
    kept,
    known,
    moved_waiting,
    need_table,
    served_probs,
    settled,
    step_towards,
    top,
    widened,
)

Credit = Literal["return", "reward"]


class Bandit(Learner):
    """A bandit takes each step for itself: what it earned is a draw of its action's worth in its context, and nothing is looked ahead.

    Learned from a log, the mean of a cell needs no correction for how the action was chosen, since it is a mean for this action. What came
    after the step is the logging policy's doing, though: with `weighted` the later rewards are weighted by importance (per decision,
    unbiased, of large variance), without it the worth is that of acting once and going on as the log did.

    Args:
        context: whether each observation has means of its own; else there is one row for all.
        credit: `return` credits a step with all that its episode earned from there on, `reward` with its own reward.
        weighted: see above; needs logged probabilities.
        gamma: discount of the return.
        longest: an episode that runs longer than so many steps is cut off for the credit.
        steps: T.
        envs: N.
    """

    allowed: ClassVar[Allowed] = Parameters.allowed | {"credit": get_args(Credit), "gamma": SHARE, "longest": COUNT}
    alpha: Scheduled = "visits:1"  # the mean of all
    initial: float = 0.0

    def __init__(self, context: bool, credit: Credit, weighted: bool, gamma: float, longest: int, steps: int, envs: int) -> None:
        self.context = context
        self.credit = credit
        self.weighted = weighted
        self.gamma = gamma
        self.longest = longest
        self.steps = steps
        self.envs = envs

    @abstractmethod
    def chances(self, rows: Indices) -> Floats:
        """Return the probability of each action in these rows of the table: (n, actions)."""

    @property
    def moving(self) -> bool:
        """Whether the probabilities of all rows change with every step, not only of those that learned."""
        return False

    def spare(self) -> tuple[str, ...]:
        """Return the names of further tables like `values_`, which begin as 0."""
        return ()

    def took(self, cells: Indices, targets: Floats) -> None:
        """Note more of the targets than their mean, before that changes; nothing as a rule."""

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """As the contract says.

        Raises:
            UsageProblem: observations or actions are vectors, or a parameter is not what it may be.
        """
        self.see_allowed(self.name)
        schedule(self.alpha)
        rows = need_table(spaces, self.name)
        self.spaces = spaces
        shape = rows if self.context else 1, len(spaces.actions)
        self.values_: Floats = np.full(shape, float(self.initial))
        self.counts_ = np.zeros(shape, np.int64)
        self.steps_ = 0
        self.waiting_: State = {}
        self.rng_ = np.random.default_rng(seed)
        for name in self.spare():
            setattr(self, name, np.zeros(shape))
        self.probs_: Floats = np.zeros(shape)
        self.bounds_: Floats = np.zeros((shape[1], shape[0]))
        self._refresh(np.arange(shape[0]))
        return self

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return actions drawn from the probabilities, which are worked out beforehand: what is returned is exact."""
        return draw(self.bounds_, self.probs_, self._rows(observations), self.rng_)

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Take in every step whose credit is known now; `loss` is the mean squared error of the means before that.

        Raises:
            UsageProblem: `weighted`, and the rollout lacks probabilities.
        """
        if self.credit == "return":
            rollout, self.waiting_ = finished(rollout, self.waiting_, self.longest)
        taken = settled(rollout)
        cells = self._rows(taken.observations) * self.values_.shape[1] + taken.actions
        earned = taken.rewards
        if self.credit == "return":
            ratios = None
            if self.weighted and not rollout.on_policy:
                ratios = self.probs_.reshape(-1).take(cells) / known(taken.probs, self.name)
            tried = np.where(self.counts_ > 0, self.values_, -np.inf)
            best = top(tried)
            after = np.where(np.isfinite(best), best, 0.0).take(self._rows(taken.next_observations))
            earned = returns_of(taken, ratios, after, self.gamma)
        cells, earned = kept(cells, taken.mask), kept(earned, taken.mask)
        errors = earned - self.values_.reshape(-1).take(cells)
        self.took(cells, earned)
        met, *_ = step_towards(self.values_, self.counts_, cells, earned, schedule(self.alpha), self.steps_)
        self.steps_ += cells.size
        self._refresh(np.arange(len(self.values_)) if self.moving else np.unique(met // self.values_.shape[1]))
        return {"loss": float(errors @ errors) / max(errors.size, 1)}

    def policy(self) -> TablePolicy:
        """Return the greedy policy over what was tried, the same in every observation where there is no context."""
        rows = self._rows(np.arange(self.spaces.observations or 0))
        return TablePolicy(self.spaces, served_probs(self.values_, self.counts_)[rows], self.values_[rows], self.counts_[rows])

    def widen(self, spaces: Spaces, moved: Indices) -> None:
        """As the contract says."""
        rows = need_table(spaces, self.name)
        self.spaces = spaces
        self.waiting_ = moved_waiting(self.waiting_, moved)
        if not self.context:
            return
        self.values_ = widened(self.values_, rows, moved, self.initial)
        for name in ("counts_", "probs_", *self.spare()):
            setattr(self, name, widened(getattr(self, name), rows, moved, 0))
        new = np.ones(rows, bool)
        new[moved] = False
        self.probs_[new] = self.chances(new.nonzero()[0])
        self.bounds_ = bounds_of(self.probs_)

    def _rows(self, observations: Observations) -> Indices:
        return observations if self.context else np.zeros_like(observations)

    def _refresh(self, rows: Indices) -> None:
        if rows.size:
            probs = self.chances(rows)
            self.probs_[rows], self.bounds_[:, rows] = probs, bounds_of(probs)
