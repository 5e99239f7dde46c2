"""The contract of a call that speaks: one episode at a time, every step with the text of both sides, so that judges can rate it."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from dialogue.environments.contract import Spaces


@dataclass(slots=True)
class Beginning:
    """What is known when a call begins.

    Attributes:
        observation: as `spaces` has it.
        state: what is logged of it, JSON values.
        meta: what the transcript keeps beside the text, such as the hidden persona.
        user: what the customer says before the agent does, if anything.
    """

    observation: Any
    state: dict[str, Any]
    meta: dict[str, Any] = field(default_factory=dict)
    user: str = ""


@dataclass(slots=True)
class Spoken:
    """What came of one action.

    Attributes:
        agent, user: what the agent said and what the customer answered; an empty text is no turn.
        over: whether the call has ended, whatever way.
        outcome: its name in the outcome table, where the call has ended and has one.
        signals: events to be logged on the agent's turn.
    """

    agent: str
    user: str
    observation: Any
    state: dict[str, Any]
    reward: float
    over: bool
    outcome: str | None = None
    signals: tuple[str, ...] = ()


class SpokenCall(Protocol):
    """Calls one after another."""

    spaces: Spaces

    def begin(self, rng: np.random.Generator) -> Beginning:
        """Begin a call; all chance of it, also that of later steps, comes from the generator."""
        ...

    def act(self, action: Any) -> Spoken:
        """Take an action: an index, or a vector where actions are continuous."""
        ...
