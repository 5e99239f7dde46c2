"""A tabular softmax actor-critic with GAE, and V-trace where another policy acted; no network (that is A2C)."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations, Spaces
from policies.contract import Learner
from policies.experience import Floats, Rollout
from policies.parameters import NOT_NEGATIVE, SHARE, Allowed, Parameters
from policies.returns import gae, vtrace
from policies.schedules import Scheduled, schedule
from policies.table import TablePolicy
from policies.tabular import Indices, bounds_of, draw, kept, known, means, need_table, settled, top, widened

Counts = NDArray[np.int64]


class ActorCritic(Learner):
    """One preference for every action in every observation, moved along the policy gradient with a value for every observation.

    The advantages are GAE's (Schulman et al. 2016), or V-trace's (Espeholt et al. 2018) where a rollout is not on-policy. They are
    divided by their running root mean square, so `rate` and `entropy` mean the same whatever the rewards' scale. The gradient is summed
    by row, which is exact: the preferences of one observation do not enter another's. Each row's step is AdaGrad's (Duchi, Hazan and
    Singer 2011; one scale for a row): its gradient divided by the root of all its squared gradients so far, large where little is
    known and falling as an observation is met more often, so rare observations learn as fast as common ones.

    Args:
        rate: step size of the preferences.
        value_rate: step size of the values, a schedule; its visits are those of the observation.
        gamma: discount.
        trace: lambda of GAE and of V-trace.
        entropy: weight of the policy's entropy, which keeps it from settling early.
        steps: T.
        envs: N.
    """

    name: ClassVar[str] = "actor-critic"
    allowed: ClassVar[Allowed] = Parameters.allowed | {"rate": NOT_NEGATIVE, "gamma": SHARE, "trace": SHARE, "entropy": NOT_NEGATIVE}

    def __init__(
        self,
        rate: float = 1.0,
        value_rate: Scheduled = "visits:0.8:0.01",
        gamma: float = 1.0,
        trace: float = 0.9,
        entropy: float = 0.05,
        steps: int = 8,
        envs: int = 256,
    ) -> None:
        self.rate = rate
        self.value_rate = value_rate
        self.gamma = gamma
        self.trace = trace
        self.entropy = entropy
        self.steps = steps
        self.envs = envs

    def begin(self, spaces: Spaces, seed: np.random.SeedSequence) -> Self:
        """As the contract says.

        Raises:
            UsageProblem: observations or actions are vectors, or a parameter is not what it may be.
        """
        self.see_allowed(self.name)
        schedule(self.value_rate)
        rows, actions = need_table(spaces, self.name), len(spaces.actions)
        self.spaces = spaces
        self.preferences_: Floats = np.zeros((rows, actions))
        self.probs_: Floats = np.full((rows, actions), 1 / actions)
        self.bounds_: Floats = bounds_of(self.probs_)
        self.slopes_: Floats = np.zeros(rows)  # sums of squared gradients
        self.values_: Floats = np.zeros(rows)
        self.visits_ = np.zeros(rows, np.int64)
        self.action_values_: Floats = np.zeros((rows, actions))
        self.counts_ = np.zeros((rows, actions), np.int64)
        self.square_ = 0.0  # running mean of the squared advantages
        self.updates_ = 0
        self.steps_ = 0
        self.rng_ = np.random.default_rng(seed)
        return self

    def act(self, observations: Observations) -> tuple[Actions, Floats]:
        """Return sampled actions."""
        return draw(self.bounds_, self.probs_, observations, self.rng_)

    def partial_fit(self, rollout: Rollout) -> dict[str, float]:
        """Move preferences and values once; `loss` is the mean squared error of the values before that.

        Raises:
            UsageProblem: the rollout is not on-policy and lacks probabilities.
        """
        taken = settled(rollout)
        seen, actions = taken.observations, taken.actions
        held, after = self.values_.take(seen), self.values_.take(taken.next_observations)
        ends = taken.terminated, taken.truncated
        if rollout.on_policy:
            advantages = gae(taken.rewards, held, after, *ends, self.gamma, self.trace, taken.mask)
            targets = gains = advantages + held
        else:
            ratios = self.probs_.reshape(-1).take(seen * self.probs_.shape[1] + actions) / known(taken.probs, self.name)
            corrected = vtrace(taken.rewards, held, after, ratios, *ends, self.gamma, self.trace, mask=taken.mask)
            advantages, targets = corrected.advantages, corrected.targets
            gains = held + advantages / np.maximum(np.minimum(ratios, 1.0), 1e-12)  # what the action brought, the ratio taken out again
        parts = seen, actions, advantages, held, targets, gains
        seen, actions, advantages, held, targets, gains = (kept(part, taken.mask) for part in parts)
        if not seen.size:
            return {"loss": 0.0, "entropy": 0.0}
        errors = targets - held
        self.updates_ += 1
        share = max(1 / self.updates_, 0.01)
        self.square_ += share * (float(advantages @ advantages) / seen.size - self.square_)
        met, visits, reached = means(seen, targets, len(self.values_))
        place = np.empty(len(self.values_), np.intp)
        place[met] = np.arange(met.size)
        shape = met.size, self.probs_.shape[1]
        cells = place.take(seen) * shape[1] + actions
        hits = np.bincount(cells, minlength=met.size * shape[1]).reshape(shape)
        brought = np.bincount(cells, gains, minlength=hits.size).reshape(shape)
        gained = np.bincount(cells, advantages, minlength=hits.size).reshape(shape)
        self._value(met, visits, reached, hits, brought / np.maximum(hits, 1))
        self.steps_ += seen.size
        entropy = self._climb(met, visits, gained / (self.square_**0.5 + 1e-12))
        return {"loss": float(errors @ errors) / seen.size, "entropy": entropy}

    def policy(self) -> TablePolicy:
        """Return the probabilities it acts with."""
        return TablePolicy(self.spaces, self.probs_.copy(), self.action_values_.copy(), self.counts_.copy())

    def widen(self, spaces: Spaces, moved: Indices) -> None:
        """As the contract says."""
        rows = need_table(spaces, self.name)
        self.spaces = spaces
        self.probs_ = widened(self.probs_, rows, moved, 1 / self.probs_.shape[1])
        self.bounds_ = bounds_of(self.probs_)
        for name in ("preferences_", "slopes_", "values_", "visits_", "action_values_", "counts_"):
            setattr(self, name, widened(getattr(self, name), rows, moved, 0))

    def _value(self, met: Indices, visits: Counts, reached: Floats, hits: Counts, brought: Floats) -> None:
        """Move the values of the observations met, and of their actions, towards the means of their targets; count them."""
        rule = schedule(self.value_rate)
        before, held = self.visits_[met], self.values_[met]
        self.values_[met] = held + rule.together(self.steps_, before, visits) * (reached - held)
        self.visits_[met] = before + visits
        tried, worth = self.counts_[met], self.action_values_[met]
        self.action_values_[met] = worth + rule.together(self.steps_, tried, hits) * (brought - worth)
        self.counts_[met] = tried + hits

    def _climb(self, met: Indices, visits: Counts, gained: Floats) -> float:
        """Move the preferences of the observations met, and return the policy's mean entropy there.

        The gradient of a row, summed over its visits: each action's advantages, less its probability's share of the row's; and of the
        entropy H, -p (log p + H) a visit.
        """
        ones = np.ones(gained.shape[1])
        probs = self.probs_[met]
        surprise = probs * np.log(np.maximum(probs, 1e-300))
        entropy = -(surprise @ ones)
        slope = gained - probs * (gained @ ones)[:, None]
        slope -= (self.entropy * visits)[:, None] * (surprise + probs * entropy[:, None])
        slopes = self.slopes_[met] + (slope * slope) @ ones
        preferences = self.preferences_[met] + slope * (self.rate / np.sqrt(slopes + 1))[:, None]
        preferences -= top(preferences)[:, None]
        probs = np.exp(preferences)
        probs /= (probs @ ones)[:, None]
        self.slopes_[met], self.preferences_[met] = slopes, preferences
        self.probs_[met], self.bounds_[:, met] = probs, bounds_of(probs)
        return float(visits @ entropy) / float(visits.sum())
