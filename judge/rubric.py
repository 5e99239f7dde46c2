"""The question put to a judge, as data: criteria with anchored scales, read from `rubrics/*.toml`."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from dialogue import datafile

LETTERS = "ABCDEFGHIJK"  # as many as a scale has levels at most
RESERVED = ("quote", "reason")  # what an answer holds beside the ratings
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Sentence = Annotated[str, Field(min_length=1, max_length=2000)]


def _differ(levels: tuple[str, ...]) -> tuple[str, ...]:
    for level in levels:
        if levels.count(level) > 1:
            raise ValueError(f"two levels have the same sentence, {level!r}; each level needs its own, worst first")
    return levels


Levels = Annotated[tuple[Sentence, ...], Field(min_length=2, max_length=11), AfterValidator(_differ)]


@dataclass(frozen=True, slots=True)
class Scale:
    """An ordered scale: levels rated `low`..`high`, worst to best. Judges may answer between levels."""

    low: int
    high: int

    @classmethod
    def of(cls, levels: Sequence[str]) -> Self:
        """Return the scale of so many levels: 0 or 1 for two, 1..n for more."""
        return cls._of(len(levels))

    @classmethod
    @cache  # criteria are asked for their scale once a rating
    def _of(cls, count: int) -> Self:
        low = 0 if count == 2 else 1
        return cls(low, low + count - 1)

    def to_unit(self, value: float) -> float:
        """Map a rating to [-1, 1]: worst level -1, best level 1.

        Raises:
            ValueError: the rating is outside the scale.
        """
        if not self.low <= value <= self.high:
            raise ValueError(f"rating {value} is outside {self.low}..{self.high}")
        return 2.0 * (value - self.low) / (self.high - self.low) - 1.0

    def from_unit(self, unit: float) -> float:
        """Map [-1, 1] to a rating, clipping what lies outside.

        Raises:
            ValueError: not a number.
        """
        if math.isnan(unit):
            raise ValueError("nan is no rating")  # min and max would make it the worst one
        return self.low + (min(1.0, max(-1.0, unit)) + 1.0) / 2.0 * (self.high - self.low)


class Criterion(BaseModel):
    """One thing to rate. `critical` marks a criterion that vetoes the episode's reward when `violated`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    question: Sentence
    weight: Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)] = 1.0
    critical: StrictBool = False
    levels: Levels

    @property
    def scale(self) -> Scale:
        return Scale.of(self.levels)

    def violated(self, value: float) -> bool:
        """Say whether a rating of this criterion is a violation: critical, and below the middle of a
        binary scale or at the lowest level (to half a level) of a longer one.
        """
        return self.critical and value < self.scale.low + 0.5


class StateCriterion(BaseModel):
    """Rates how promising the situation is *after* a turn; used only by potential-based shaping."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    question: Sentence
    levels: Levels

    @property
    def scale(self) -> Scale:
        return Scale.of(self.levels)


class Unit(StrEnum):
    """What a language model is shown when it rates a turn."""

    DIALOGUE = "dialogue"  # the whole dialogue: one request rates all turns and the episode
    TURN = "turn"  # what had been said up to the turn: one request a turn, no hindsight


class LevelsShown(StrEnum):
    """In which order a language model is shown the levels of a criterion. Each keeps its mark."""

    WORST_FIRST = "worst_first"
    BEST_FIRST = "best_first"


class Marks(StrEnum):
    """What a language model answers with: the numbers of the scale, or letters, A for the worst level."""

    NUMBERS = "numbers"
    LETTERS = "letters"


class Rubric(BaseModel):
    """Turn criteria, episode criteria and at most one state criterion. Identity: name and content hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    about: Sentence
    sees_outcome: StrictBool = False
    unit: Unit = Unit.DIALOGUE
    levels_shown: LevelsShown = LevelsShown.WORST_FIRST
    marks: Marks = Marks.NUMBERS
    turn: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=50)]
    episode: tuple[Criterion, ...] = ()
    state: StateCriterion | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for level, criteria in (("turn", self.turn_criteria), ("episode", self.episode)):
            names = [criterion.name for criterion in criteria]
            for at, name in enumerate(names):
                if name in RESERVED:
                    table = (level, at) if at < len(getattr(self, level)) else ("state",)
                    raise datafile.Misplaced(f"the name {name!r} is taken: judges give a {name} beside the ratings", *table, "name")
                if name in names[:at]:
                    table = (level, at) if at < len(getattr(self, level)) else ("state",)
                    raise datafile.Misplaced(
                        f"the name {name!r} is used twice; every criterion of a turn, and of the episode, needs its own", *table, "name"
                    )
        for at, criterion in enumerate(self.episode):
            if criterion.critical:
                raise datafile.Misplaced(
                    "an episode criterion cannot be critical; mark the turn criterion in which the violation would show",
                    "episode",
                    at,
                    "critical",
                )
        return self

    @property
    def turn_criteria(self) -> tuple[Criterion | StateCriterion, ...]:
        """Everything that is rated after each agent turn: the turn criteria, then the state criterion."""
        return (*self.turn, *((self.state,) if self.state else ()))

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of the content; comments and layout of the file do not count."""
        # What was not chosen does not count, so that rubrics older than the choice are still the same rubrics.
        choices = ("unit", "levels_shown", "marks")
        return content_hash(self, leave_out={name for name in choices if getattr(self, name) == Rubric.model_fields[name].default})

    def marked(self, scale: Scale) -> dict[int | str, int]:
        """Return the marks of a scale's levels as a language model is shown them, in that order, each with its level's value."""
        values = range(scale.low, scale.high + 1)
        shown = values if self.levels_shown is LevelsShown.WORST_FIRST else reversed(values)
        return {value if self.marks is Marks.NUMBERS else LETTERS[value - scale.low]: value for value in shown}

    def __str__(self) -> str:
        return f"{self.name}@{self.hash[:12]}"


def content_hash(model: BaseModel, leave_out: set[str] | None = None) -> str:
    """Return the SHA-256 (hex) of a model's values: the identity of rubrics, recipes and outcome tables."""
    values: Any = model.model_dump(mode="json", exclude=leave_out)
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def shipped_rubrics() -> dict[str, Path]:
    """Return the packaged rubrics by name."""
    return datafile.shipped("judge", "rubrics")


def load_rubric(name: str | Path) -> Rubric:
    """Return a rubric by shipped name or path.

    Raises:
        UsageProblem: no such rubric, or the file is wrong (the message names line, value and what is allowed).
    """
    return datafile.load(datafile.find(str(name), "rubric", shipped_rubrics()), Rubric)
