"""Thresholds of the golden check, as data (`gates/*.toml`): `default` gives leave to produce rewards, `regression` says unchanged."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dialogue import datafile
from judge.rubric import Scale, content_hash

Fraction = Annotated[float, Field(ge=0, le=1)]
Levels = Annotated[float, Field(gt=0, le=4)]


class Gate(BaseModel):
    """What a judge must show. A threshold that is left out is reported, not required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    clears: bool  # whether a pass is leave to produce rewards
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05  # the error rate of each decision
    margin: Levels = 0.15  # how far a criterion's mean may move, in levels of a 1-5 scale
    parse_valid: Fraction = 0.995  # share of answers that are what was asked for
    reached: Fraction = 0.95  # share of requests that must be answered at all, else nothing is decided
    kappa_loss: Annotated[float, Field(gt=0, le=1)] | None = 0.05  # how much agreement with people may be lost against the baseline
    kappa_floor: Fraction | None = None  # agreement with people that must be there
    human_gap: Fraction | None = None  # ... or that of people with each other less this, where that is higher
    rank: Fraction | None = 0.85  # Kendall's tau-b of dialogues against the baseline
    recall: Fraction | None = None  # lower bound of the share of labelled violations that must be found
    false_alarms: Fraction | None = None  # upper bound of the share of clean turns that may be called a violation

    def margin_on(self, scale: Scale) -> float:
        """Return the margin in levels of a scale: as large a part of its range as on a 1-5 scale."""
        return self.margin * (scale.high - scale.low) / 4

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of the thresholds."""
        return content_hash(self)


def shipped_gates() -> dict[str, Path]:
    """Return the packaged gates by name."""
    return datafile.shipped("golden_set", "gates")


def load_gate(name: str) -> Gate:
    """Return a gate by shipped name or path.

    Raises:
        UsageProblem: no such gate, or the file is wrong.
    """
    return datafile.load(datafile.find(name, "gate", shipped_gates()), Gate)
