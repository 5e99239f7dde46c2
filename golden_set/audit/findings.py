"""What an audit found, as plain data: the report that pages are made of. Numbers that are not known are null."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from golden_set.audit.sample import AuditSample
from golden_set.findings import Finding


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class Interval(_Row):
    """A figure with its 95 % interval; all None where too little is known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class RaterRow(_Row):
    """How much one person did."""

    rater: str
    items: int
    ratings: int


class Response(_Row):
    """One stratum: episodes of the log, drawn, with any answer, with every answer."""

    stratum: str
    size: int
    drawn: int
    answered: int
    complete: int


class People(_Row):
    """How people agree with each other where two or more rated the same: the ceiling for any judge."""

    kappa: Interval  # quadratic weighted, mean over pairs of people
    alpha: Interval  # Krippendorff's, ordinal
    icc: Interval  # ICC(2,1): absolute agreement of single ratings
    places: int
    episodes: int


class AgreementRow(_Row):
    """The judge against people on one criterion, weighted to the log; intervals resample episodes within strata."""

    criterion: str
    low: int  # ends of the scale
    high: int
    labels: int  # places
    episodes: int
    kappa: Interval  # quadratic weighted
    spearman: Interval
    alpha: Interval  # Krippendorff's, ordinal, with the judge as one more rater
    icc: Interval
    bias: Interval  # judge minus people, in levels
    error: float | None  # mean absolute, in levels
    people: People | None


class SliceRow(_Row):
    """The judge against people in one slice: mean kappa over criteria that are not critical, mean bias over all, in shares of the scale."""

    slice: str
    labels: int
    episodes: int
    kappa: Interval
    bias: Interval


class EstimateRow(_Row):
    """A mean over all episodes of the log: by the judge alone, by people alone, and by both (PPI++)."""

    of: str  # `reward`, a criterion's name, or `violation of NAME`
    group: str  # `all`, or a slice
    frame: int  # episodes
    labelled: int
    judge: float | None
    people: Interval
    both: Interval
    gain: float | None  # the square of people's interval over that of both: how many labels without the judge one is worth
    tuning: float | None  # lambda, the mean over folds; 0 where the judge is of no use


class DifferenceRow(_Row):
    """The difference of two groups' means, the first minus the second, by people and judge together."""

    of: str
    first: str
    second: str
    both: Interval


class ViolationRow(_Row):
    """Violations of one critical criterion, weighted to the log."""

    criterion: str
    per: Literal["episode", "turn"]
    labelled: int
    by_people: int  # that people found in what they rated
    by_judge: int
    by_both: int
    recall: Interval  # of violations that people found, how many the judge sees
    precision: Interval  # of those that the judge sees, how many people found


class Opinion(_Row):
    """What one person said of a place."""

    rater: str
    rating: float
    note: str


class Disagreement(_Row):
    """A place where judge and people differ, side by side; texts are masked as people saw them."""

    item: str
    episode: str  # its id in the log
    hunted: bool
    place: str
    criterion: str
    low: int
    high: int
    said: str  # the turn in question; of the episode, its last turns
    judge: float
    reason: str
    quote: str | None
    people: tuple[Opinion, ...]
    apart: float  # judge minus the mean of people, as a share of the scale's range


class Hunted(_Row):
    """An episode that was picked because it looked odd, and what people said of it. In no figure above."""

    item: str
    episode: str
    why: str
    rated: int  # places
    apart: float | None  # the largest difference, as a share of a scale's range
    criterion: str | None  # where


class AuditReport(_Row):
    """All that an audit found."""

    kind: Literal["audit-report"] = "audit-report"
    sample: AuditSample
    made_on: date
    raters: tuple[RaterRow, ...]
    response: tuple[Response, ...]
    findings: tuple[Finding, ...]  # do people agree with each other; does the judge with them; is it biased: PASS, FAIL or UNDECIDED
    agreement: tuple[AgreementRow, ...]
    slices: tuple[SliceRow, ...]
    estimates: tuple[EstimateRow, ...]
    differences: tuple[DifferenceRow, ...]
    violations: tuple[ViolationRow, ...]
    disagreements: tuple[Disagreement, ...]
    hunted: tuple[Hunted, ...]
    calibration: str | None  # the id of the one that holds for the judge, if there is one


class CalibrationRow(_Row):
    """One criterion's map."""

    criterion: str
    low: int
    high: int
    labels: int
    episodes: int
    judged: tuple[float, ...]  # knots
    human: tuple[float, ...]
    fitted: bool  # False: too few labels, ratings stay as they are
    why: str  # where it is not fitted, or flat, or without a band
    before: float | None  # RMSE against people, out of fold
    after: float | None
    bias_before: float | None
    reliability: float | None
    band: float | None
    points: tuple[tuple[float, float, float], ...]  # (judge's rating, mean of people, weight), one a distinct rating: what a picture shows


class CalibrationReport(_Row):
    """What `judge calibrate` fitted."""

    kind: Literal["audit-calibration"] = "audit-calibration"
    id: str
    judge: str
    judge_key: str
    rubric: str
    fitted_on: date
    audits: tuple[str, ...]
    level: float
    rows: tuple[CalibrationRow, ...]
    kept: bool  # in the ledger
