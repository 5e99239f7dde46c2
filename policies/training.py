"""The training loop: batches from a source into a learner, with the curve; it can be stopped between batches and goes on exactly."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np

from dialogue.environments.contract import State
from policies.contract import Learner
from policies.curve import Curve
from policies.source import Source

TERM = "term "  # what the name of a metric begins with that is a term of the reward


class Ended(StrEnum):
    """Why `run` came back."""

    STEPS = "steps"  # as many steps as were asked for are done
    SOURCE = "source"  # there is no more experience
    STOPPED = "stopped"  # somebody wished it


@runtime_checkable
class TellsTerms(Protocol):
    """A source that knows what the returns of its last batch were made of."""

    def terms(self) -> dict[str, float]:
        """Return the mean over the episodes that ended in the last batch of each named term of the reward; `{}` if none ended."""
        ...


class Training:
    """A learner on the way. What it does depends on no clock and on no number of steps that is still to come.

    So stopped, saved, restored and run on equals never stopped, bit for bit, and a run that was asked for more equals a longer one.

    Args:
        learner: begins here.
        source: where experience comes from.
        seed: of the learner's chance.

    Attributes:
        steps: taken so far.
        batches: learned from so far.
        episodes: that have ended so far.
    """

    def __init__(self, learner: Learner, source: Source, seed: np.random.SeedSequence) -> None:
        self.learner, self.source = learner.begin(source.spaces, seed), source
        self.curve = Curve()
        self.steps = self.batches = self.episodes = 0

    def run(self, until: int | None = None, stopped: Callable[[], bool] = lambda: False) -> Ended:
        """Learn from one batch after another.

        Args:
            until: steps in all, earlier runs included; the batch that reaches them is the last. None: as long as the source gives.
            stopped: asked after every batch; True ends the run there.
        """
        learner, source, curve = self.learner, self.source, self.curve
        telling = source if isinstance(source, TellsTerms) else None
        while until is None or self.steps < until:
            batch = source.next(learner)
            if batch is None:
                return Ended.SOURCE
            metrics = learner.partial_fit(batch.rollout)
            self.steps += batch.rollout.steps
            self.batches += 1
            self.episodes += batch.returns.size
            if telling:
                metrics = metrics | {TERM + name: value for name, value in telling.terms().items()}
            curve.add(self.steps, batch.returns, metrics)
            if stopped():
                return Ended.STOPPED
        return Ended.STEPS

    def state(self) -> State:
        """Return everything that going on from here needs beside `source.state()`."""
        return {
            "steps": self.steps,
            "batches": self.batches,
            "episodes": self.episodes,
            "learner": self.learner.state(),
            "curve": self.curve.state(),
        }

    def restore(self, state: State) -> None:
        """Go on from there, bit for bit; the source was restored before the training was made, since its spaces may have grown."""
        self.steps, self.batches, self.episodes = state["steps"], state["batches"], state["episodes"]
        self.learner.restore(state["learner"])
        self.curve.restore(state["curve"])
