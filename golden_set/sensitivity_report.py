"""What a study of prompt sensitivity found, as plain data: a page can be drawn from its JSON alone."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from golden_set.decision import Decision
from golden_set.wording import Arm
from judge.verdict import JudgeId, Usage

KIND = "golden-sensitivity"


class Plain(BaseModel):
    """Frozen data."""

    model_config = ConfigDict(frozen=True)


class Estimate(Plain):
    """A number with its 95 % interval; None where nothing can be said. `met` says whether the value is within its target, if it has one."""

    value: float | None
    low: float | None = None
    high: float | None = None
    met: bool | None = None


class Variances(Plain):
    """The variance components of a single rating, in squared units of the measure, and what share of their sum each is."""

    item: Estimate
    prompt: Estimate
    item_prompt: Estimate
    residual: Estimate
    shares: dict[str, float] | None  # None where nothing varies


class Design(Plain):
    """A way to rate: the mean over so many prompts, each so many times.

    `weight` is its price against one rating: `ratings`, since every rating is a request of its own and, rubrics being cached by the
    provider under whatever wording, a paraphrase costs what a repeat costs. `usd` is the price of a dialogue, where it is known.
    """

    prompts: int
    runs: int
    ratings: int
    weight: float
    usd: float | None
    g: float | None
    phi: float | None
    low: float | None
    high: float | None


class MeasureFound(Plain):
    """One thing that is rated: where its variance comes from. `low` and `high` are the ends of its scale.

    `support` is how many episodes the variance between items effectively rests on. `prompt_means` has a mean for each prompt;
    `range` is the distance of the highest from the lowest, `range_of_five` the same in levels of a scale from 1 to 5.
    """

    name: str
    of: Literal["turn", "episode"]
    low: float
    high: float
    items: int
    support: float
    variances: Variances
    g: float | None
    phi: Estimate
    decision: Decision
    why: str
    designs: tuple[Design, ...]
    recommended: Design | None  # the cheapest whose Φ reaches the target
    prompt_means: dict[str, float]
    range: float
    range_of_five: float
    range_met: bool


class Shift(Plain):
    """By how much a prompt moves the mean of a measure against the plain one: mean of episodes, with its 95 % interval."""

    measure: str
    of: Literal["turn", "episode"]
    mean: float
    se: float | None
    low: float | None
    high: float | None
    of_five: float  # the mean in levels of a scale from 1 to 5


class FlipsFound(Plain):
    """How often something turns around: with another prompt, with another run of the same prompt (noise), and the difference.

    `same` is the share that stays under another prompt (JSS, for verdicts).
    """

    what: str
    items: int
    prompts: Estimate
    runs: Estimate
    excess: Estimate
    same: Estimate


class Compared(Plain):
    """One prompt against the plain one, on the cases that both rated.

    `phi` is that of one rating whose prompt is drawn from these two, by measure (`of/name`); `prompt_share` how much of its variance
    the choice between them is (prompt, and item by prompt).
    """

    prompt: str
    arm: Arm
    rubric_hash: str
    judge_key: str
    cases: int
    shifts: tuple[Shift, ...]
    flips: tuple[FlipsFound, ...]
    phi: dict[str, float | None]
    prompt_share: dict[str, float | None]


class Asked(Plain):
    """A prompt that was put to the judge."""

    name: str
    arm: Arm | None  # None: the rubric as it is
    judge: JudgeId
    judge_key: str
    asked: int  # ratings of a case
    failed: int
    failed_cases: int
    failures: dict[str, int]  # by kind
    usage: Usage


class SensitivityReport(Plain):
    """The whole report. `measures`, `flips` and `learning` are about the plain prompt and its paraphrases; empty where not asked."""

    kind: str = KIND
    decision: Decision
    why: str
    reached: bool  # whether the judge answered for enough cases
    judge: JudgeId
    judge_key: str
    rubric: str
    rubric_hash: str
    day: date
    seed: int
    runs: int
    cases: tuple[str, ...]
    lost: int  # cases left out of the study of paraphrases, because some prompt failed on them
    prompts: tuple[Asked, ...]
    skipped: dict[str, str]  # arm: why it says nothing about this judge
    deterministic: bool  # no run of a prompt ever differed from another
    notes: tuple[str, ...]
    targets: dict[str, float]
    measures: tuple[MeasureFound, ...]
    recommended: Design | None  # the cheapest that reaches the target on every measure
    flips: tuple[FlipsFound, ...]
    learning: tuple[FlipsFound, ...]
    compared: tuple[Compared, ...]
    usage: Usage
