"""The debt call's own numbers (debt_call.toml), checked: how chances go by mood, stage, turn and action; personas are another file."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from dialogue import datafile
from dialogue.environments.call_words import LAST_TURN, OUTCOMES, Action, Event, Outcome

Weight = Annotated[float, Field(ge=0)]
Rating = Annotated[float, Field(ge=-1, le=1)]
ByLevel = Annotated[tuple[Weight, ...], Field(min_length=9, max_length=9)]
ByTurn = tuple[Weight, Weight, Weight, Weight]
ByStage = Annotated[tuple[Weight, ...], Field(min_length=5, max_length=5)]
ByAction = dict[Action, Weight]
Situation = Literal["calm", "upset", "objecting"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ending(_Table):
    """What an ending is worth, and whether the length rule applies."""

    value: float
    success: bool = False


class Length(_Table):
    """What a long success loses."""

    after: int
    per_turn: float


class Ends(_Table):
    """When the customer ends the call."""

    hangup: ByLevel
    late: ByTurn
    volatility: Weight
    tired: Weight
    most: Annotated[float, Field(gt=0, lt=1)]
    upset: ByLevel
    callback: ByAction
    callback_by_stage: ByStage
    callback_upset: Weight
    pressure: ByAction
    fading: ByTurn


class Distraction(_Table):
    """When an action comes to nothing."""

    asked: Weight
    upset: Weight


class Objecting(_Table):
    """When an objection comes up."""

    stage: ByStage
    action: ByAction


class Answer(_Table):
    """What an action comes to when nothing else happens."""

    going_along: ByLevel
    going_along_objecting: Weight
    asked_to_verify: Weight
    paying: ByLevel
    paying_objecting: Weight
    taking_a_plan: ByLevel
    taking_a_plan_objecting: Weight
    keeping_to_it: ByLevel
    keeping_to_it_objecting: Weight
    paying_instead: Weight
    soothed: ByTurn
    dropping_it: Weight
    explaining_upset: Weight
    settled: Weight


class Handling(_Table):
    """How well each action handles a situation: a simulated judge's ratings."""

    before: dict[Situation, dict[Action, Rating]]
    NEGOTIATION: dict[Situation, dict[Action, Rating]]
    COMMITMENT: dict[Situation, dict[Action, Rating]]


class CallRules(_Table):
    """Everything in debt_call.toml."""

    outcomes: dict[Outcome, Ending]
    length: Length
    ending: Ends
    distraction: Distraction
    objecting: Objecting
    answer: Answer
    mood: dict[Event, tuple[Weight, Weight, Weight, Weight]]
    handling: Handling

    def worth(self) -> NDArray[np.float64]:
        """Return what each outcome is worth after each number of agent turns: shape (outcomes, LAST_TURN + 1)."""
        beyond = np.maximum(0, np.arange(LAST_TURN + 1) - self.length.after) * self.length.per_turn
        endings = [self.outcomes[outcome] for outcome in OUTCOMES]
        return np.array([ending.value - beyond * ending.success for ending in endings])


@cache
def call_rules() -> CallRules:
    """Return the rules that come with the package."""
    return datafile.load(Path(str(files("dialogue.environments").joinpath("debt_call.toml"))), CallRules)
