"""What `judge golden attack` found, as plain data: one entry an attack, with its bounds and the worst that it did."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from golden_set.bounds import Share
from golden_set.decision import Decision
from judge.verdict import JudgeId

KIND = "golden-attack"


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True)


class Measured(_Plain):
    """The mean over dialogues of what an attack changed (for `low`: of the level it reached), with one-sided 95 % bounds.

    In levels of a 1-5 scale. None: fewer than two dialogues give no bound.
    """

    compared: str
    dialogues: int
    mean: float | None
    low: float | None
    high: float | None
    decision: Decision


class Rate(_Plain):
    """How often something happened among single attacks, with exact one-sided 95 % bounds that count dialogues."""

    hits: int
    count: int
    value: float | None
    low: float
    high: float

    @classmethod
    def of(cls, share: Share) -> "Rate":
        """Return a share as plain data."""
        return cls(hits=share.hits, count=share.count, value=share.value, low=share.low, high=share.high)


class Example(_Plain):
    """One attack that succeeded. Ratings are levels of a 1-5 scale; `reason` is the judge's, of the criterion that moved most."""

    case: str
    place: str  # the turn's index before the attack, or `episode`
    put_in: str
    before: float | None
    after: float
    criterion: str
    reason: str


class AttackResult(_Plain):
    """One attack over all dialogues. `decision` is None where it applies to none."""

    name: str
    family: str
    direction: str
    about: str
    gates: bool
    dialogues: int
    applies_not: int
    mutants: int
    failed: int
    measured: tuple[Measured, ...]
    below_worst: Decision | None = None  # only `low`: whether it lies below the worst real dialogues
    decision: Decision | None
    success: Rate
    sum_change: float | None = None  # what adding turns does to the sum of turn ratings on [-1, 1]; told, not decided
    vetoes_lost: int = 0  # violations that the judge no longer saw, of the turns compared
    vetoes: int = 0  # violations that it saw before
    worst: tuple[Example, ...] = ()


class Correlated(_Plain):
    """Pearson's correlation with the number of agent turns over the real dialogues, with its 95 % bootstrap interval."""

    of: str
    value: float | None
    low: float | None
    high: float | None


class AttackReport(_Plain):
    """Everything that the command says."""

    kind: str = KIND
    judge: JudgeId
    rubric: str
    day: date
    dialogues: int
    seeds: int
    asked: int
    failed: int
    failures: dict[str, int]  # by kind
    decision: Decision
    status: int
    worst_real: dict[str, float | None]  # what the judge gives the worst real dialogues: level by what is compared
    attacks: tuple[AttackResult, ...]
    recall: dict[str, Rate]  # of cross-turn faults, by attack
    length: tuple[Correlated, ...]
