"""The sales call's own numbers and words (sales_call.toml), checked, and as tables by dialogue; how a call goes is another file."""

from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dialogue import datafile
from dialogue.environments.text_hashing import embed

Share = Annotated[float, Field(ge=0, le=1)]
Shift = Annotated[float, Field(ge=-1, le=1)]
Weight = Annotated[float, Field(ge=0)]
Lines = Annotated[tuple[str, ...], Field(min_length=1)]
PLACES = ("engagement", "value_proposition", "technical_detail", "closing")
EMBEDDING = 384  # length of a dialogue's embedding
STATISTICS = ("turn share", "mean sentiment", "mean variety", "last reward")  # of the call so far, behind the embedding


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RewardRule(_Table):
    """What a turn is worth beside its part in the ending."""

    sharpness: Annotated[float, Field(gt=0)]
    variety: Weight
    extremity: Weight


class Rung(_Table):
    """One ending, what it is worth and what the buyer says then."""

    outcome: str
    value: float
    says: Lines


class Situation(_Table):
    """Who the buyer is."""

    name: str
    says: str
    shift: tuple[Shift, Shift, Shift, Shift]


class Need(_Table):
    """What the buyer needs, phase by phase."""

    name: str
    says: Lines
    wants: tuple[tuple[Share, Share, Share, Share], ...]
    value: str
    technical: str


class Reactions(_Table):
    """What the buyer says first."""

    warm: Lines
    mixed: Lines
    cool: Lines


class Emphasis(_Table):
    """What the agent says in one part of the answer."""

    mild: Lines
    strong: Lines


class AgentLines(_Table):
    """What the agent says in every part, and where all parts are too small to be heard."""

    engagement: Emphasis
    value_proposition: Emphasis
    technical_detail: Emphasis
    closing: Emphasis
    silent: Lines


class SalesRules(_Table):
    """Everything in sales_call.toml. A buyer is a situation and a need; a dialogue is a buyer in a phase."""

    phases: Annotated[tuple[str, ...], Field(min_length=1, max_length=64)]
    reward: RewardRule
    endings: Annotated[tuple[Rung, ...], Field(min_length=2)]
    situations: Annotated[tuple[Situation, ...], Field(min_length=1)]
    needs: Annotated[tuple[Need, ...], Field(min_length=1)]
    reactions: Reactions
    agent: AgentLines

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for at, need in enumerate(self.needs):
            for key, given in (("says", need.says), ("wants", need.wants)):
                if len(given) != len(self.phases):
                    raise datafile.Misplaced(f"{len(given)} given; one for each of the {len(self.phases)} phases", "needs", at, key)
        for at, (below, rung) in enumerate(zip(self.endings, self.endings[1:], strict=False), start=1):
            if rung.value <= below.value:
                raise datafile.Misplaced(f"must be above that of {below.outcome}, {below.value:g}", "endings", at, "value")
        return self

    @property
    def turns(self) -> int:
        """How many turns the agent has in a call."""
        return len(self.phases)

    @property
    def buyers(self) -> int:
        """How many different buyers call."""
        return len(self.situations) * len(self.needs)

    def said(self, buyer: int, phase: int) -> tuple[str, ...]:
        """Return what the buyer has said of the matter by that phase, the latest last."""
        situation, need = self.buyer(buyer)
        return (situation.says, *need.says[: phase + 1])

    def buyer(self, number: int) -> tuple[Situation, Need]:
        """Return who the buyer is."""
        situation, need = divmod(number, len(self.needs))
        return self.situations[situation], self.needs[need]

    @cached_property
    def wanted(self) -> NDArray[np.float64]:
        """What fits best: shape (buyers, phases, 4)."""
        shifts = np.array([situation.shift for situation in self.situations])
        wants = np.array([need.wants for need in self.needs])
        wanted: NDArray[np.float64] = np.clip(shifts[:, None, None] + wants, 0, 1)
        return wanted.reshape(self.buyers, self.turns, len(PLACES))

    @cached_property
    def embeddings(self) -> NDArray[np.float64]:
        """The embedding of each dialogue: shape (buyers, phases, EMBEDDING)."""
        rows = [embed(self.said(buyer, phase), EMBEDDING) for buyer in range(self.buyers) for phase in range(self.turns)]
        return np.array(rows).reshape(self.buyers, self.turns, EMBEDDING)

    @cached_property
    def rungs(self) -> NDArray[np.float64]:
        """What each ending is worth, rising."""
        return np.array([rung.value for rung in self.endings])

    @property
    def stake(self) -> float:
        """How much better the best ending is than the worst."""
        return float(self.rungs[-1] - self.rungs[0])


@cache
def sales_rules() -> SalesRules:
    """Return the rules that come with the package."""
    return datafile.load(Path(str(files("dialogue.environments").joinpath("sales_call.toml"))), SalesRules)
