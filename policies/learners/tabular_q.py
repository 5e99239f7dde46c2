"""Tabular Q-learning over many episodes at once, with n-step and Monte-Carlo returns; no function approximation, no replay."""

from typing import ClassVar, Self

import numpy as np

from dialogue.environments.contract import Actions, Observations, Spaces
from policies.contract import Learner
from policies.experience import Floats, Rollout
from policies.parameters import FINITE, NOT_NEGATIVE, SHARE, Allowed, Parameters
from policies.returns import n_step_returns
from policies.schedules import Exponential, Linear, Scheduled, schedule
from policies.table import TablePolicy
from policies.tabular import Indices, bounds_of, draw, greedy_probs, kept, need_table, served_probs, settled, step_towards, top, widened


class TabularQ(Learner):
    """Q-learning (Watkins 1989): Q(s, a) moves towards r + gamma max Q(s', .), and nothing comes after a termination.

    A return longer than one step is Watkins's: it goes on along the actions taken as long as they are greedy and takes the best value
    before the first that is not, so it stays right whoever acted and needs no probabilities (for a greedy target policy
    Tree-backup and Retrace, Munos et al. 2016, cut at the same places). Where a batch meets a cell several times, the cell moves
    towards the mean of its targets by the one step that so many single steps would make together: the order within the batch does not
    matter, and neither does how many episodes run side by side.

    Args:
        alpha: step size, a schedule; `visits:0.8:0.005` is k ** -0.8 at the k-th visit of a cell, never below .005.
        gamma: discount.
        epsilon: share of random actions, a schedule; its visits are those of the observation.
        n: how many rewards a return takes in before it goes on from the values; 0 is Monte Carlo: to the end of the episode, as far as the
            rollout goes (`steps`).
        cut: end a longer return before an action that is not greedy. Without it the value is that of acting as it was acted.
        initial: value of an action never tried; above all returns it makes the learner try everything (optimistic start).
        steps: T.
        envs: N.
    """

    name: ClassVar[str] = "q"
    allowed: ClassVar[Allowed] = Parameters.allowed | {"gamma": SHARE, "n": NOT_NEGATIVE, "initial": FINITE}

    def __init__(
        self,
        alpha: Scheduled = "visits:0.8:0.005",
        gamma: float = 1.0,
        epsilon: Scheduled = 0.2,
        n: int = 1,
        cut: bool = True,
        initial: float = 0.0,
        steps: int = 8,
        envs: int = 256,
    ) -> None:
        self.alpha = alpha
        self.gamma = gamma
        self.epsilon = epsilon
        self.n = n
        self.cut = cut
        self.initial = initial
        self.steps = steps
        self.envs = envs

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """As the contract says.

        Raises:
            UsageProblem: observations or actions are vectors, or a parameter is not what it may be.
        """
        self.see_allowed(self.name)
        schedule(self.alpha), schedule(self.epsilon)
        shape = need_table(spaces, self.name), len(spaces.actions)
        self.spaces = spaces
        self.values_: Floats = np.full(shape, float(self.initial))
        self.counts_ = np.zeros(shape, np.int64)
        self.steps_ = 0
        self.rng_ = np.random.default_rng(seed)
        self._refresh()
        return self

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return the best action, ties broken at random, or with probability epsilon any."""
        return draw(self.bounds_, self.probs_, observations, self.rng_)

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Move every cell met towards the mean of its returns; `loss` is the mean squared error before that."""
        taken = settled(rollout)
        cells = taken.observations * self.values_.shape[1] + taken.actions
        held = self.values_.reshape(-1).take(cells)
        best = top(self.values_)
        after = best.take(taken.next_observations)
        if self.n == 1:
            targets = taken.rewards + self.gamma * np.where(taken.terminated, 0.0, after)
        else:
            truncated = taken.truncated.copy()
            if self.cut:
                truncated[:-1] |= held[1:] < best[taken.observations[1:]]
            targets = n_step_returns(taken.rewards, after, taken.terminated, truncated, self.gamma, self.n or None, taken.mask)
        cells, targets, held = (kept(part, taken.mask) for part in (cells, targets, held))
        met, *_ = step_towards(self.values_, self.counts_, cells, targets, schedule(self.alpha), self.steps_)
        self.steps_ += cells.size
        self._refresh(met // self.values_.shape[1])
        errors = targets - held
        return {"loss": float(errors @ errors) / max(errors.size, 1)}

    def policy(self) -> TablePolicy:
        """Return the greedy policy over what was tried."""
        return TablePolicy(self.spaces, served_probs(self.values_, self.counts_), self.values_.copy(), self.counts_.copy())

    def widen(self, spaces: Spaces, moved: Indices) -> None:
        """As the contract says."""
        rows = need_table(spaces, self.name)
        self.spaces = spaces
        self.values_ = widened(self.values_, rows, moved, self.initial)
        self.counts_ = widened(self.counts_, rows, moved, 0)
        self._refresh()

    def _refresh(self, rows: Indices | None = None) -> None:
        """Work out anew how likely each action is: in all rows, or in those whose values changed if nothing else can have changed."""
        epsilon = schedule(self.epsilon)
        if rows is None or isinstance(epsilon, Linear | Exponential) or 2 * rows.size > len(self.values_):
            self.probs_: Floats = greedy_probs(self.values_, epsilon.at(self.steps_, self.counts_.sum(1))[:, None])
            self.bounds_: Floats = bounds_of(self.probs_)
        else:
            probs = greedy_probs(self.values_[rows], epsilon.at(self.steps_, self.counts_[rows].sum(1))[:, None])
            self.probs_[rows], self.bounds_[:, rows] = probs, bounds_of(probs)
