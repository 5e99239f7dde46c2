"""A calibration as it might have come out had other dialogues been audited: many maps of each criterion, as data; fitted in golden_set."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judge.verdict import Finite

Levels = Annotated[tuple[Finite, ...], Field(min_length=1)]


class Maps(BaseModel):
    """The maps of one criterion, all with the same knots; straight between them, flat beyond. In levels of the criterion's scale.

    Attributes:
        judged: the judge's ratings at the knots, rising.
        human: of each map, what people say where the judge says that.
    """

    model_config = ConfigDict(frozen=True)

    judged: Levels
    human: Annotated[tuple[Levels, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(len(one) != len(self.judged) for one in self.human):
            raise ValueError(f"a map of another length than its {len(self.judged)} knots")
        return self


class Replicates(BaseModel):
    """The maps of a calibration's criteria, of turns and of the episode; the first of each belong together, the second, and so on.

    Attributes:
        calibration: the id of the calibration that they are replicates of.
    """

    model_config = ConfigDict(frozen=True)

    calibration: str
    turn: dict[str, Maps]
    episode: dict[str, Maps]

    @model_validator(mode="after")
    def _as_many(self) -> Self:
        if len({len(maps.human) for maps in (*self.turn.values(), *self.episode.values())}) != 1:
            raise ValueError("criteria have different numbers of maps, or none")
        return self

    @property
    def count(self) -> int:
        """How many there are of each."""
        return len(next(iter((*self.turn.values(), *self.episode.values()))).human)
