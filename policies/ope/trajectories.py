"""A log as off-policy estimators take it: whole episodes side by side, each step with the ratio of target's to actor's probability."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from policies.contract import Policy
from policies.experience import Bools, Floats, Rollout

LARGEST = 1e100  # a product of ratios is cut here: beyond, a square would no longer be a number


@dataclass(frozen=True)
class Trajectories:
    """One whole episode a column. Where a column is shorter than T it is filled up: reward 0, ratio 1, and nothing else is looked at.

    An ended episode so stays where it is, as in an absorbing state without reward in which both policies can only do the same
    (Thomas 2015): that makes episodes of different lengths episodes of one length, and the weights of an ended one stay at their last
    value. Leaving ended episodes out of a step's denominator instead would estimate the reward of those that got so far, not of all.
    An episode that was cut off ends there: what is estimated is the return of episodes as they are logged.

    Attributes:
        rewards, ratios: (T, N).
        mask: (T, N): True where a step was taken; each column is True first, then False.
        discount: of a step.
        clip: a product of ratios counts so much at most; None: as much as it is.
    """

    rewards: Floats
    ratios: Floats
    mask: Bools
    discount: float = 1.0
    clip: float | None = None

    @property
    def n(self) -> int:
        """How many episodes there are."""
        return int(self.rewards.shape[1])

    @property
    def horizon(self) -> int:
        """How many steps the longest episode has."""
        return int(self.rewards.shape[0])

    @cached_property
    def discounts(self) -> Floats:
        """The discount of each step, (T, 1)."""
        return np.asarray(self.discount ** np.arange(self.horizon, dtype=float)[:, None])

    @cached_property
    def returns(self) -> Floats:
        """The discounted return of every episode, (N,)."""
        return np.asarray((self.discounts * self.rewards).sum(0))

    @cached_property
    def products(self) -> Floats:
        """Products of the ratios up to and including each step, never clipped, (T, N)."""
        with np.errstate(over="ignore", invalid="ignore"):
            product = np.cumprod(self.ratios, axis=0)
        return np.asarray(np.minimum(np.where(np.isnan(product), 0.0, product), LARGEST))  # NaN: beyond all numbers, then times 0

    @cached_property
    def weights(self) -> Floats:
        """The same clipped, (T, N)."""
        return self.products if self.clip is None else np.asarray(np.minimum(self.products, self.clip))

    @cached_property
    def last(self) -> Floats:
        """The product of all ratios of every episode, clipped, (N,)."""
        return np.asarray(self.weights[-1])

    def with_rewards(self, rewards: Floats) -> "Trajectories":
        """Return the same episodes with other rewards, (T, N)."""
        return replace(self, rewards=np.where(self.mask, rewards, 0.0))

    def among(self, episodes: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> "Trajectories":
        """Return some of the episodes."""
        return replace(self, rewards=self.rewards[:, episodes], ratios=self.ratios[:, episodes], mask=self.mask[:, episodes])


def make_trajectories(rollout: Rollout, target: Policy, discount: float = 1.0, clip: float | None = None) -> Trajectories:
    """Return the episodes of a log and how probable the target holds what was done.

    Args:
        rollout: one episode a column, as `policies.logged` makes them; each step with the probability with which it was taken.

    Raises:
        ValueError: a column that is not one whole episode, or a step whose probability is missing or not positive.
    """
    mask = np.ones(rollout.rewards.shape, bool) if rollout.mask is None else rollout.mask
    length = mask.sum(0)
    if not mask.any(0).all() or (mask != (np.arange(len(mask))[:, None] < length)).any():
        raise ValueError("a column of the log is empty or has gaps; expected one episode a column, its steps first")
    if (rollout.ends & mask)[:-1][mask[1:]].any():
        raise ValueError("an episode of the log ends before its last step; expected one episode a column")
    known = mask & (rollout.probs > 0)  # False of NaN as well
    if (mask & ~known).any():
        raise ValueError(f"{int((mask & ~known).sum())} steps of the log have no probability above 0; leave those episodes out first")
    probs = target.probs_of(rollout.observations, rollout.actions)
    ratios = np.where(mask, probs / np.where(mask, rollout.probs, 1.0), 1.0)
    return Trajectories(np.where(mask, rollout.rewards, 0.0), ratios, mask, discount, clip)
