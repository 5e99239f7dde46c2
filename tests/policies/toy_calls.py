"""A toy batch of episodes for testing learners: six observations (or vectors of them), three actions (or two numbers), ends and cuts."""

from typing import Any

import numpy as np

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces, Step
from policies.contract import Learner
from policies.experience import Rollout

ENCODING = Encoding((Field("stage", values=("opening", "middle", "end")), Field("mood", values=("bad", "good"))))
KINDS = ("table", "vectors", "continuous")
LAST = 7  # steps after which an episode is cut off


class ToyCalls:
    """Stage moves on with the right action, mood with luck; the right action at the end earns 1 and ends; each step costs .1."""

    def __init__(self, n: int, kind: str = "table") -> None:
        self.n, self.kind = n, kind
        actions = ("first", "second") if kind == "continuous" else ("wait", "ask", "offer")
        if kind == "table":
            self.spaces = Spaces(actions, observations=ENCODING.size, width=ENCODING.width, encoding=ENCODING)
        else:
            self.spaces = Spaces(actions, continuous=kind == "continuous", width=ENCODING.width)

    @property
    def observations(self) -> Any:
        return self._seen

    def reset(self, seed: np.random.SeedSequence) -> Any:
        self._rng = np.random.default_rng(seed)
        self._at, self._since = np.zeros(self.n, int), np.zeros(self.n, int)
        self._seen = self._look(self._at)
        return self._seen

    def _look(self, at: Any) -> Any:
        return at.copy() if self.kind == "table" else ENCODING.features[at]

    def step(self, actions: Any) -> Step:
        stage, mood = self._at // 2, self._rng.integers(0, 2, self.n)
        if self.kind == "continuous":
            right = self._rng.random(self.n) < 1 - np.abs(np.clip(actions, 0, 1) - 0.7).mean(1)
        else:
            right = (actions == stage) & (self._rng.random(self.n) < 0.9)
        terminated = right & (stage == 2)
        self._at = np.minimum(stage + right, 2) * 2 + mood
        self._since += 1
        truncated = ~terminated & (self._since >= LAST)
        last, ends = self._look(self._at), terminated | truncated
        self._at[ends], self._since[ends] = 0, 0
        self._seen = self._look(self._at)
        return Step(last, terminated - 0.1, terminated, truncated)


def collected(env: Any, learner: Learner) -> Rollout:
    """Return the next T steps of the environment under the learner."""
    rows = []
    for _ in range(learner.steps):
        seen = env.observations
        actions, probs = learner.act(seen)
        step = env.step(actions)
        rows.append((seen, actions, probs, step.rewards, step.observations, step.terminated, step.truncated))
    return Rollout(*(np.stack(part) for part in zip(*rows, strict=True)))
