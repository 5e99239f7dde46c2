"""A small random decision process of known value, whose episodes may end early: what estimators and intervals are tried on."""

from dataclasses import dataclass

import numpy as np

from dialogue.environments.contract import Spaces
from policies.experience import Floats, Rollout
from policies.table import TablePolicy


@dataclass(frozen=True)
class SmallProcess:
    """Every state is seen. An episode lasts `horizon` steps at most.

    Attributes:
        start: (S,) where episodes begin.
        moves: (S, A, S) where an action leads; what is missing to 1 is the probability that the episode ends.
        rewards: (S, A, S + 1) of a move; the last place is of moves that end the episode.
        horizon: at most so many steps.
    """

    start: Floats
    moves: Floats
    rewards: Floats
    horizon: int

    @classmethod
    def random(cls, seed: int, states: int = 6, actions: int = 3, horizon: int = 8, ending: float = 0.15) -> "SmallProcess":
        """Return one with rewards between -1 and 1; an action ends an episode with the probability `ending` on average."""
        rng = np.random.default_rng(seed)
        ends = rng.uniform(0, 2 * ending, (states, actions, 1))
        moves = rng.dirichlet(np.full(states, 0.5), (states, actions)) * (1 - ends)
        return cls(rng.dirichlet(np.ones(states)), moves, rng.uniform(-1, 1, (states, actions, states + 1)), horizon)

    @property
    def spaces(self) -> Spaces:
        """What is seen and can be done."""
        return Spaces(tuple(f"a{at}" for at in range(self.moves.shape[1])), observations=len(self.start), width=len(self.start))

    @property
    def _whole(self) -> Floats:
        """Moves with the end as the last state, (S, A, S + 1)."""
        return np.concatenate([self.moves, 1 - self.moves.sum(2, keepdims=True)], axis=2)

    def policy(self, seed: int, sharpness: float = 1.0) -> TablePolicy:
        """Return a random policy: near uniform where sharpness is near 0."""
        logits = np.random.default_rng(seed).normal(size=self.moves.shape[:2]) * sharpness
        probs = np.exp(logits)
        return TablePolicy(self.spaces, probs / probs.sum(1, keepdims=True))

    def value(self, policy: TablePolicy, discount: float = 1.0) -> float:
        """Return the exact value of a policy, by backward induction."""
        worth = np.zeros(len(self.start) + 1)
        for _ in range(self.horizon):
            action = (self._whole * (self.rewards + discount * worth)).sum(2)
            worth = np.append((policy.probs * action).sum(1), 0.0)
        return float(self.start @ worth[:-1])

    def log(self, policy: TablePolicy, episodes: int, rng: np.random.Generator) -> Rollout:
        """Return episodes in which the policy acted, one a column."""
        shape = (self.horizon, episodes)
        states, actions = np.zeros(shape, np.intp), np.zeros(shape, np.intp)
        probs, rewards, mask = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, bool)
        terminated = np.zeros(shape, bool)
        following = np.zeros(shape, np.intp)
        at = _drawn(np.broadcast_to(self.start, (episodes, len(self.start))), rng)
        going = np.ones(episodes, bool)
        for step in range(self.horizon):
            does, prob = policy.act(at, rng)
            to = _drawn(self._whole[at, does], rng)
            states[step], actions[step], mask[step] = at, does, going
            probs[step], rewards[step] = np.where(going, prob, np.nan), np.where(going, self.rewards[at, does, to], 0.0)
            ended = going & ((to == len(self.start)) | (step == self.horizon - 1))
            terminated[step] = ended
            going &= ~ended
            at = np.where(to == len(self.start), at, to)
            following[step] = at
        return Rollout(states, actions, probs, rewards, following, terminated, np.zeros(shape, bool), mask, on_policy=False)


def _drawn(probs: Floats, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    return np.asarray((probs.cumsum(1) <= rng.random(len(probs))[:, None]).sum(1).clip(max=probs.shape[1] - 1))
