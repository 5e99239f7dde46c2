"""Which terms make a reward, at which weight, as data: read from `recipes/*.toml`; `blend.py` does the sums."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dialogue import datafile
from dialogue.errors import UsageProblem
from judge.rubric import Name, Rubric, Sentence, content_hash

Weight = Annotated[float, Field(strict=True, ge=0, le=1000, allow_inf_nan=False)]
Discount = Annotated[float, Field(strict=True, gt=0, le=1)]


class Place(StrEnum):
    """On which of the agent's turns the outcome's worth is put."""

    TERMINAL = "terminal"
    SPREAD = "spread"
    DISCOUNTED = "discounted"


class OutcomeTerm(BaseModel):
    """The outcome's value; `discount` is used by place = "discounted" only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: Weight = 1.0
    place: Place = Place.TERMINAL
    discount: Discount = 0.95


class RatingTerm(BaseModel):
    """The judge's ratings of the turns (averaged), or of the episode (on the last agent turn)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: Weight


class ShapingTerm(BaseModel):
    """Potential-based shaping (Ng, Harada and Russell 1999): F = discount * phi(s') - phi(s), phi(terminal) = 0.

    `initial` is phi before the agent's first turn, on [-1, 1].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: Weight
    discount: Discount = 0.99
    initial: Annotated[float, Field(strict=True, ge=-1, le=1)] = 0.0


class Veto(BaseModel):
    """A violation holds the episode at or below `cap`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cap: Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Recipe(BaseModel):
    """The terms of a reward; one left out is not there. Identity: name and content hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    about: Sentence
    outcome: OutcomeTerm | None = None
    turns: RatingTerm | None = None
    episode: RatingTerm | None = None
    shaping: ShapingTerm | None = None
    veto: Veto | None = None

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not any(term and term.weight for term in (self.outcome, self.turns, self.episode)):
            raise ValueError("no term has a weight; give [outcome], [turns] or [episode] a weight above 0")
        return self

    @property
    def needs_verdict(self) -> bool:
        """Whether any term asks for a judge's opinion."""
        rated = any(term and term.weight for term in (self.turns, self.episode, self.shaping))
        return rated or self.veto is not None

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of the content."""
        return content_hash(self)

    def __str__(self) -> str:
        return f"{self.name}@{self.hash[:12]}"

    def check(self, rubric: Rubric) -> None:
        """Refuse a rubric that cannot give what the recipe asks for.

        Raises:
            UsageProblem: shaping without a state criterion, or an episode weight without episode criteria.
        """
        if self.shaping and self.shaping.weight and rubric.state is None:
            raise UsageProblem(
                f"recipe {self.name!r} has [shaping], but rubric {rubric.name!r} has no [state] criterion; "
                "add one, or set shaping.weight = 0"
            )
        if self.episode and self.episode.weight and not rubric.episode:
            raise UsageProblem(
                f"recipe {self.name!r} weighs the episode, but rubric {rubric.name!r} has no [[episode]] criterion; "
                "add one, use another recipe, or copy this one to a .toml of your own and set episode.weight = 0"
            )


def shipped_recipes() -> dict[str, Path]:
    """Return the packaged recipes by name."""
    return datafile.shipped("rewards", "recipes")


def load_recipe(name: str | Path) -> Recipe:
    """Return a recipe by shipped name or path.

    Raises:
        UsageProblem: no such recipe, or the file is wrong.
    """
    return datafile.load(datafile.find(str(name), "recipe", shipped_recipes()), Recipe)
