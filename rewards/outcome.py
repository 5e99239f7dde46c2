"""How a dialogue ended, as a table of values; what the judge thought of it is no concern of this file."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from dialogue import datafile
from dialogue.errors import InputProblem, did_you_mean, listed, nearest
from dialogue.transcript import Transcript
from judge.rubric import Name, Sentence, content_hash

Value = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Ending(BaseModel):
    """What one named outcome is worth. `success` endings are subject to the length rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Value
    success: StrictBool = False


class LengthRule(BaseModel):
    """A success with more than `after` agent turns loses `per_turn` for each one beyond, down to `floor` if one is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Annotated[int, Field(strict=True, ge=0)]
    per_turn: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
    floor: Value | None = None


class NumericScale(BaseModel):
    """Maps numeric outcomes linearly: `from` [low, high] onto `to` [value at low, value at high].

    Numbers of at least `success_from` are successes, and subject to the length rule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: Annotated[tuple[Value, Value], Field(alias="from")]
    target: Annotated[tuple[Value, Value], Field(alias="to")]
    success_from: Value | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.source[0] >= self.source[1]:
            raise ValueError(f"'from' must rise, not {list(self.source)}")
        return self


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an ending is worth. `turn` is where a catastrophe happened (an index into the transcript's turns)."""

    name: str
    value: float
    catastrophic: bool = False
    turn: int | None = None


class OutcomeTable(BaseModel):
    """Named endings, catastrophic signals, and optionally a length rule and a scale for numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    about: Sentence
    outcomes: Annotated[dict[str, Ending], Field(min_length=1)]
    catastrophic: dict[str, Value] = {}
    length: LengthRule | None = None
    numeric: NumericScale | None = None

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of the content."""
        return content_hash(self)

    def __str__(self) -> str:
        return f"{self.name}@{self.hash[:12]}"

    def outcome_of(self, transcript: Transcript) -> Outcome | None:
        """Return how the dialogue ended and what that is worth, or None if nothing was recorded.

        Catastrophic signals are checked first, in turn order.

        Raises:
            InputProblem: an outcome that the table does not know, a number where it has no scale or off
                its scale, or a signal that looks like a misspelt catastrophic one.
        """
        for index, turn in enumerate(transcript.turns):
            for signal in turn.signals:
                if signal in self.catastrophic:
                    return Outcome(signal, self.catastrophic[signal], catastrophic=True, turn=index)
                if meant := _misspelt(signal, tuple(self.catastrophic)):
                    raise InputProblem(f"unknown signal {signal!r} on turn {index}", f"{meant!r} (other signals may have any other name)")
        logged = transcript.outcome
        if logged is None:
            return None
        if isinstance(logged, str):
            return self._named(logged, transcript)
        return self._number(logged, transcript)

    def _named(self, name: str, transcript: Transcript) -> Outcome:
        if name in self.catastrophic:
            return Outcome(name, self.catastrophic[name], catastrophic=True, turn=transcript.agent_turns[-1])
        if name not in self.outcomes:
            known = [*self.outcomes, *self.catastrophic]
            raise InputProblem(
                f"unknown outcome {name!r}{did_you_mean(name, known)}", f"one of {listed(known)} (outcome table {self.name!r})"
            )
        ending = self.outcomes[name]
        return Outcome(name, self._shortened(ending.value, transcript) if ending.success else ending.value)

    def _shortened(self, value: float, transcript: Transcript) -> float:
        """Return what a success is worth after the length rule."""
        if self.length is None:
            return value
        shortened = value - self.length.per_turn * max(0, len(transcript.agent_turns) - self.length.after)
        return shortened if self.length.floor is None else max(shortened, min(value, self.length.floor))

    def _number(self, number: float, transcript: Transcript) -> Outcome:
        if self.numeric is None:
            raise InputProblem(f"the outcome is the number {number:g}", f"a name: outcome table {self.name!r} has no [numeric] scale")
        (low, high), (at_low, at_high) = self.numeric.source, self.numeric.target
        if not low <= number <= high:
            raise InputProblem(f"the outcome {number:g} is off the scale", f"{low:g} to {high:g} (outcome table {self.name!r})")
        value = at_low + (number - low) / (high - low) * (at_high - at_low)
        success = self.numeric.success_from is not None and number >= self.numeric.success_from
        return Outcome(f"{number:g}", self._shortened(value, transcript) if success else value)


@lru_cache(maxsize=4096)
def _misspelt(signal: str, catastrophic: tuple[str, ...]) -> str | None:
    """Return the catastrophic signal that `signal` nearly is; a log repeats few names over and over."""
    return nearest(signal, catastrophic, cutoff=0.8)


def shipped_outcome_tables() -> dict[str, Path]:
    """Return the packaged outcome tables by name."""
    return datafile.shipped("rewards", "outcomes")


def outcome_table_of(rubric: str) -> str:
    """Return the name of the shipped table that goes with a rubric: the one named like it, else `collections`."""
    return rubric if rubric in shipped_outcome_tables() else "collections"


def load_outcome_table(name: str | Path) -> OutcomeTable:
    """Return an outcome table by shipped name or path.

    Raises:
        UsageProblem: no such table, or the file is wrong.
    """
    return datafile.load(datafile.find(str(name), "outcome table", shipped_outcome_tables()), OutcomeTable)
