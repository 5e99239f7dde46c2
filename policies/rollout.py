"""The environment as a source of experience: the learner acts in N episodes side by side, T steps a batch; nothing is learned here."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import BatchEnv, State
from policies.contract import Learner
from policies.experience import Bools, Floats, Rollout
from policies.source import Batch


class Rollouts:
    """Batches of an environment, without end.

    Attributes:
        env: whose episodes these are.
        returns: (N,) what each running episode has earned since it began.
    """

    def __init__(self, env: BatchEnv, seed: np.random.SeedSequence) -> None:
        self.env = env
        self.spaces = env.spaces
        self.returns: Floats = np.zeros(env.n)
        env.reset(seed)

    def next(self, learner: Learner) -> Batch:
        """Return the next T = `learner.steps` steps of every episode, and the returns of those that ended."""
        env, act, step = self.env, learner.act, self.env.step
        seen, taken, probs, came = [], [], [], []
        observations = env.observations
        for _ in range(learner.steps):
            actions, prob = act(observations)
            seen.append(observations)
            taken.append(actions)
            probs.append(prob)
            came.append(step(actions))
            observations = env.observations
        nexts, rewards, terminated, truncated = (_together(part) for part in zip(*came, strict=True))
        rollout = Rollout(_together(seen), _together(taken), _together(probs), rewards, nexts, terminated, truncated)
        returns, self.returns = ended(rewards, rollout.ends, self.returns)
        return Batch(rollout, returns)

    def state(self) -> State:
        """Return the environment's state, and the returns so far of the running episodes."""
        return {"env": self.env.state(), "returns": self.returns}

    def restore(self, state: State) -> None:
        """Go on from there, bit for bit."""
        self.env.restore(state["env"])
        self.returns = state["returns"]


def ended(rewards: Floats, ends: Bools, running: Floats) -> tuple[Floats, Floats]:
    """Return the returns of the episodes that ended, in the order of their ends, and what the running ones have earned so far.

    Args:
        rewards: (T, N).
        ends: (T, N) whether an episode ended with this step.
        running: (N,) what each episode had earned before.
    """
    running = running.copy()
    found: list[Floats] = []
    for earned, over in zip(rewards, ends, strict=True):
        running += earned
        done = over.nonzero()[0]
        if done.size:
            found.append(running[done])
            running[done] = 0.0
    return np.concatenate(found) if found else np.empty(0), running


def _together(rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return T arrays as one; a single one as it is, since what was handed out is never written to again."""
    if len(rows) == 1:
        return rows[0][None]
    return np.concatenate(rows).reshape(len(rows), *rows[0].shape)
