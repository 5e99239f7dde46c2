"""Gymnasium's toy-text environments as tables: their exact values by dynamic programming, and the same transitions as a fast batch."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Spaces, Step

Floats = NDArray[np.float64]


class KnownMDP:
    """`env.unwrapped.P` as arrays, (states, actions, ways) each: how likely, where to, what for, and whether it ends there."""

    def __init__(self, env_id: str, **options: Any) -> None:
        toy: Any = gymnasium.make(env_id, **options).unwrapped
        ways = max(len(ways) for actions in toy.P.values() for ways in actions.values())
        shape = len(toy.P), len(toy.P[0]), ways
        self.chances, self.rewards = np.zeros(shape), np.zeros(shape)
        self.after, self.ends = np.zeros(shape, int), np.zeros(shape, bool)
        for state, actions in toy.P.items():
            for action, found in actions.items():
                for way, (chance, after, reward, ends) in enumerate(found):
                    self.chances[state, action, way], self.after[state, action, way] = chance, after
                    self.rewards[state, action, way], self.ends[state, action, way] = reward, ends
        self.starts: Floats = np.asarray(toy.initial_state_distrib, float)

    def backed_up(self, values: Floats, gamma: float) -> Floats:
        """Return the action values one step before these state values."""
        found: Floats = (self.chances * (self.rewards + gamma * ~self.ends * values[self.after])).sum(2)
        return found

    def best(self, gamma: float) -> Floats:
        """Return the optimal action values, by value iteration."""
        values = np.zeros(len(self.starts))
        while True:
            found = self.backed_up(values, gamma)
            if np.abs(found.max(1) - values).max() < 1e-13:
                return found
            values = found.max(1)

    def value(self, probs: Floats, gamma: float, sweeps: int = 5000) -> float:
        """Return what a policy (states, actions) is worth from the start; one that never ends is cut off after `sweeps` steps."""
        values = np.zeros(len(self.starts))
        for _ in range(sweeps):
            last, values = values, (probs * self.backed_up(values, gamma)).sum(1)
            if np.abs(last - values).max() < 1e-13:
                break
        return float(self.starts @ values)


class KnownBatch:
    """n episodes of a known MDP side by side, cut off after `limit` steps."""

    def __init__(self, mdp: KnownMDP, n: int, limit: int) -> None:
        self.mdp, self.n, self.limit = mdp, n, limit
        states, actions, _ = mdp.chances.shape
        self.spaces = Spaces(tuple(map(str, range(actions))), observations=states, width=states)
        self._sums = mdp.chances.cumsum(2)

    @property
    def observations(self) -> Any:
        return self._at

    def reset(self, seed: np.random.SeedSequence) -> Any:
        self._rng = np.random.default_rng(seed)
        self._at, self._since = self._begun(self.n), np.zeros(self.n, int)
        return self._at

    def _begun(self, n: int) -> Any:
        return self._rng.choice(len(self.mdp.starts), n, p=self.mdp.starts)

    def step(self, actions: Any) -> Step:
        at = self._at
        way = (self._sums[at, actions] <= self._rng.random(self.n)[:, None]).sum(1).clip(max=self._sums.shape[2] - 1)
        after, rewards, terminated = (part[at, actions, way] for part in (self.mdp.after, self.mdp.rewards, self.mdp.ends))
        self._since = self._since + 1
        truncated = ~terminated & (self._since >= self.limit)
        ends = terminated | truncated
        self._at = after.copy()
        self._at[ends], self._since[ends] = self._begun(int(ends.sum())), 0
        return Step(after, rewards, terminated, truncated)
