"""The history of the nightly monitor: a small file, one line a night, that CI commits or caches. Without it no drift is ever found.

Each line is a JSON object: `series` begins the nights of one judge on one set of cases, `night` is a night of one of them (by its
number, from 0). Nights of the burn-in keep the mean rating of every episode, from which levels and noise are estimated; later ones
keep how far each mean moved.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from dialogue.errors import UsageProblem
from golden_set.baseline import content_of
from golden_set.case import GoldenCase
from judge.report_files import replace_whole
from judge.rubric import Rubric
from judge.verdict import JudgeId

FOLDER = Path("golden_set/history")  # in the project of who watches
MEND = "restore the file (from version control or the cache), or move it away to begin anew"
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
ByCriterion = dict[str, Finite]
Episodes = dict[str, tuple[Finite | None, ...]]  # criterion -> each case's mean rating, in the order of the series' cases


class Strict(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reference(Strict):
    """The accepted baseline, as far as the monitor needs it: one day's mean over `runs` runs."""

    day: date
    runs: Annotated[int, Field(ge=1)]
    episodes: Episodes


class Series(Strict):
    """The nights of one judge on one set of cases begin."""

    kind: Literal["series"] = "series"
    judge: JudgeId
    cases_hash: str
    cases: tuple[str, ...]
    begun: date
    burn_in: Count = 14  # nights from which the level is learned
    baseline: Reference | None = None


class Moved(Strict):
    """How far means lie from their level, in levels, and the share of the episodes that this rests on."""

    share: Annotated[float, Field(ge=0, le=1)]
    criteria: ByCriterion
    slices: dict[str, tuple[Finite | None, ...]] = {}  # by slice, in the order of the criteria


class Anchors(Strict):
    """What one judge said of the golden cases in a night; `again` is of the fresh runs on suspicion."""

    judge: str  # its key
    means: ByCriterion
    episodes: Episodes | None = None  # during the burn-in
    moved: Moved | None = None  # after it
    again: Moved | None = None


class Sample(Strict):
    """A criterion over the day's production dialogues: their mean, the variance of that mean, and how many they are."""

    mean: Finite
    variance: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    dialogues: Annotated[int, Field(ge=2)]


class Cause(StrEnum):
    """What an alarm is put down to."""

    JUDGE = "judge drift"  # the judge moved on the anchors, the second judge did not
    READING = "data or reading"  # both moved on the anchors: the cases, or the code that reads them
    UNTOLD = "judge drift or reading"  # the judge moved on the anchors, and no second judge can tell why
    STREAM = "data drift"  # only the production stream moved


class CaseMoved(Strict):
    """A case whose mean rating moved much, in levels, in the fresh runs."""

    case: str
    criterion: str
    shift: Finite


class Alarm(Strict):
    """An alarm of a night; the detectors of what alarmed begin anew after it."""

    anchors: bool
    stream: bool
    cause: Cause
    cases: tuple[CaseMoved, ...] = ()
    voided: bool = False  # whether a clearance was there, and is now void
    uncalibrated: bool = False  # the same of a calibration


class Night(Strict):
    """One night of a series."""

    kind: Literal["night"] = "night"
    series: Count
    day: date
    answered: Count
    failed: Count
    anchors: Anchors
    second: Anchors | None = None
    stream: dict[str, Sample] | None = None
    second_stream: dict[str, Sample] | None = None  # by the second judge
    alarm: Alarm | None = None


Line = Annotated[Series | Night, Field(discriminator="kind")]
_LINE: TypeAdapter[Series | Night] = TypeAdapter(Line)


class History(Strict):
    """All that is remembered, oldest first."""

    series: tuple[Series, ...] = ()
    nights: tuple[Night, ...] = ()

    def find(self, judge: JudgeId, cases_hash: str) -> int | None:
        """Return the number of the latest series of this judge on these cases."""
        found = [at for at, one in enumerate(self.series) if one.judge == judge and one.cases_hash == cases_hash]
        return found[-1] if found else None

    def of(self, series: int) -> tuple[Night, ...]:
        """Return the nights of a series."""
        return tuple(night for night in self.nights if night.series == series)

    def begin(self, series: Series) -> "History":
        """Return the history with one more series."""
        return self.model_copy(update={"series": (*self.series, series)})

    def add(self, night: Night) -> "History":
        """Return the history with one more night."""
        return self.model_copy(update={"nights": (*self.nights, night)})


def hash_of(cases: Sequence[GoldenCase], rubric: Rubric) -> str:
    """Return a short hash of what a judge is shown of the cases. Labels and tags may change without a new series."""
    shown = sorted((case.id, content_of(case, rubric)) for case in cases)
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def default_place(judge: JudgeId) -> Path:
    """Return where the history is kept unless --history says otherwise."""
    return FOLDER / f"{judge.rubric}.{judge.provider}.jsonl"


def load_history(path: Path) -> History | None:
    """Return what the file holds, or None where there is no file.

    Raises:
        UsageProblem: it cannot be read, or a line is no line of a history; file, line and field are named.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"cannot read the history {path}: {error}; name another with --history") from error
    history = History()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            history = _with(history, _parsed(line, f"{path}:{number}"), f"{path}:{number}")
    if not history.series:
        raise UsageProblem(f"{path} holds no history; {MEND}")
    return history


def _parsed(line: str, place: str) -> Series | Night:
    try:
        return _LINE.validate_python(json.loads(line, parse_constant=_refuse), strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        raise UsageProblem(f"{place}: not a line of a history: {at or 'kind'}: {first['msg']}; {MEND}") from error
    except ValueError as error:
        raise UsageProblem(f"{place}: not a line of JSON: {error}; {MEND}") from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _with(history: History, line: Series | Night, place: str) -> History:
    if isinstance(line, Series):
        return history.begin(line)
    if line.series >= len(history.series):
        raise UsageProblem(f"{place}: series: {line.series} has not begun before this line; there are {len(history.series)} so far; {MEND}")
    own = history.of(line.series)
    if own and own[-1].day >= line.day:
        raise UsageProblem(
            f"{place}: day: {line.day} comes after {own[-1].day} of the same series; nights stand in order, each once; {MEND}"
        )
    learned = sum(night.anchors.episodes is not None for night in own)
    if line.anchors.episodes is None and learned < history.series[line.series].burn_in:
        raise UsageProblem(f"{place}: nights of the burn-in before {line.day} are missing: there are only {learned}; {MEND}")
    count = len(history.series[line.series].cases)
    for who in ("anchors", "second"):
        said: Anchors | None = getattr(line, who)
        for name, values in (said.episodes or {}).items() if said else ():
            if len(values) != count:
                raise UsageProblem(f"{place}: {who}.episodes.{name}: {len(values)} values, but the series has {count} cases; {MEND}")
    return history.add(line)


def save_history(path: Path, history: History) -> None:
    """Write the file whole or not at all.

    Raises:
        UsageProblem: it cannot be written.
    """
    replace_whole(path, "".join(_dumped(line) + "\n" for line in _in_order(history)))


def _in_order(history: History) -> Iterable[Series | Night]:
    """Yield every series where it began, before the nights that came after it."""
    told = 0
    for night in history.nights:
        while told <= night.series:
            yield history.series[told]
            told += 1
        yield night
    yield from history.series[told:]


def _dumped(line: Series | Night) -> str:
    return json.dumps(line.model_dump(mode="json", exclude_none=True), separators=(",", ":"), ensure_ascii=False)
