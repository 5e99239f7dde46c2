"""What a golden check found, as plain data: the report that pages are made of. Numbers that are not known are null."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from golden_set.decision import Decision
from golden_set.gate import Gate
from judge.verdict import JudgeId, Usage


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class Finding(_Row):
    """One question of the check and its answer; `figure` and its bounds stand beside what the gate asks for."""

    name: str
    decision: Decision | None  # None: reported only, the gate does not ask for it
    told: str
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    asked: str = ""


class Quoted(_Row):
    """The item of a case that moved most: what was said, and what was thought of it then and now."""

    turn: int | None  # None: the episode
    text: str
    before: float
    now: float
    label: float
    reason: str


class MovedCase(_Row):
    """How far the mean rating of one case moved, in levels of the criterion's scale."""

    case: str
    shift: float
    beyond: bool  # more than the margin
    item: Quoted


class Drift(_Row):
    """One criterion against the baseline: the mean shift over episodes with its bounds, in levels of its scale."""

    criterion: str
    decision: Decision
    episodes: int
    shift: float
    low: float
    high: float
    margin: float
    noise: float | None  # SD of a single rating over the baseline's runs
    noise_now: float | None  # the same of this check's runs, where there are several
    moved: tuple[MovedCase, ...]  # the cases that moved most: beyond the margin, then the nearest misses


class Against(_Row):
    """One criterion against the labels."""

    criterion: str
    kappa: float | None
    low: float | None
    high: float | None
    baseline: float | None  # kappa of the baseline's single runs, on the same cases
    people: float | None  # of labellers with each other
    bias: float
    error: float  # mean absolute
    off: int  # items further from the label than their case's tolerance
    items: int


class SliceShift(_Row):
    """One slice of the cases against the baseline, by the handling on [-1, 1] in levels of a 1-5 scale."""

    slice: str
    episodes: int
    shift: float
    low: float | None
    high: float | None
    p: float  # that so much would be seen if the slice had moved no more than the margin; corrected (Holm)
    moved: bool


class LookDone(_Row):
    """What the check would have said when so much was asked."""

    episodes: int
    run: int
    level: float
    decision: Decision


class OldBaseline(_Row):
    """Which baseline it was compared with."""

    judge: JudgeId
    accepted_on: date
    accepted_by: str
    runs: int
    cases: int  # that still read the same
    same_judge: bool


class CheckReport(_Row):
    """All that `judge golden check` found."""

    kind: Literal["golden-check"] = "golden-check"
    decision: Decision
    reached: bool  # whether enough requests were answered to decide anything
    cleared: bool
    judge: JudgeId
    judge_key: str
    rubric: str
    day: date
    gate: Gate
    cases: int
    cases_hash: str
    labelled_by: tuple[str, ...]
    baseline: OldBaseline | None
    asked: int  # ratings of a case that were asked for
    planned: int  # that would have been asked for in the end
    usage: Usage
    findings: tuple[Finding, ...]
    drift: tuple[Drift, ...]
    against_labels: tuple[Against, ...]
    slices: tuple[SliceShift, ...]
    looks: tuple[LookDone, ...]
    missed_violations: tuple[Quoted, ...]
    missed_in: tuple[str, ...]  # the cases of those
    wrong_pairs: tuple[str, ...]
    failures: dict[str, int]  # by kind
    first_failures: tuple[str, ...]
