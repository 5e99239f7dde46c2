"""The map from a judge's ratings to the scale of people, as data, and its use; it is fitted in golden_set.audit, from labels of people."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judge.rubric import content_hash
from judge.verdict import Finite, JudgeId, Rating, Verdict

Share = Annotated[float, Field(ge=0, le=1)]
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Curve(BaseModel):
    """The map of one criterion: straight between its knots, flat beyond them, never falling. All in levels of the criterion's scale.

    Attributes:
        judged: the judge's ratings at the knots, rising.
        human: what people say where the judge says that.
        labels: how many ratings of people it was fitted on, and of how many dialogues (`episodes`).
        before: root of the mean squared error of the judge's own ratings against people.
        after: the same of mapped ratings, of dialogues that the map was not fitted on.
        reliability: the share of the variance of people's ratings that the mapped rating accounts for, on such dialogues.
        band: a rating of people lies within so much of the mapped rating, with the calibration's `level`; None of too few labels.
    """

    model_config = ConfigDict(frozen=True)

    judged: Annotated[tuple[Finite, ...], Field(min_length=1)]
    human: Annotated[tuple[Finite, ...], Field(min_length=1)]
    labels: Annotated[int, Field(ge=1)]
    episodes: Annotated[int, Field(ge=1)]
    before: Size
    after: Size
    reliability: Share
    band: Size | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.judged) != len(self.human):
            raise ValueError(f"{len(self.judged)} ratings of the judge, but {len(self.human)} of people")
        if any(a >= b for a, b in zip(self.judged, self.judged[1:], strict=False)):
            raise ValueError("the judge's ratings must rise from knot to knot")
        if any(a > b for a, b in zip(self.human, self.human[1:], strict=False)):
            raise ValueError("what people say must not fall from knot to knot")
        return self

    @property
    def flat(self) -> bool:
        """Whether it says the same whatever the judge says: the judge tells nothing about this criterion."""
        return self.human[0] == self.human[-1]

    def at(self, value: float) -> float:
        """Return what people say where the judge says `value`."""
        after = bisect_right(self.judged, value)
        if after == 0:
            return self.human[0]
        if after == len(self.judged):
            return self.human[-1]
        (left, right), (low, high) = self.judged[after - 1 : after + 1], self.human[after - 1 : after + 1]
        return min(low + (high - low) * ((value - left) / (right - left)), high)  # floats: never beyond the knot


class Calibration(BaseModel):
    """The curves of one judge, by criterion of the turns and of the episode. A criterion without one keeps the judge's ratings.

    It fits the judge whose `JudgeId` it names and no other: another prompt, model, rubric or number of repeats needs its own.
    """

    model_config = ConfigDict(frozen=True)

    judge: JudgeId
    turn: dict[str, Curve]
    episode: dict[str, Curve]
    level: Share = 0.9  # of the bands
    fitted_on: date
    audits: tuple[str, ...]

    @property
    def id(self) -> str:
        """Its name in every record: the day it was fitted, and a hash of its content."""
        return f"{self.fitted_on.isoformat()}@{content_hash(self)[:12]}"

    def apply(self, verdict: Verdict) -> Verdict:
        """Return the verdict on the scale of people; reasons and quotes stay, spreads shrink or grow as the curve is flat or steep.

        Raises:
            ValueError: the verdict is another judge's.
        """
        if verdict.judge != self.judge:
            raise ValueError(f"a calibration of {self.judge} does not fit a verdict of {verdict.judge}")
        turns = tuple(turn.model_copy(update={"ratings": _mapped(turn.ratings, self.turn)}) for turn in verdict.turns)
        return verdict.model_copy(update={"turns": turns, "episode": _mapped(verdict.episode, self.episode)})


def _mapped(ratings: Mapping[str, Rating], curves: Mapping[str, Curve]) -> dict[str, Rating]:
    return {name: _moved(rating, curves[name]) if name in curves else rating for name, rating in ratings.items()}


def _moved(rating: Rating, curve: Curve) -> Rating:
    spread = rating.spread
    if spread:  # half the distance between what one spread below and one above are mapped to
        spread = (curve.at(rating.value + spread) - curve.at(rating.value - spread)) / 2
    return rating.model_copy(update={"value": curve.at(rating.value), "spread": spread})
