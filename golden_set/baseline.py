"""The accepted baseline of a judge on golden cases: every rating of ten runs or more. Written by `judge golden accept` only."""

import json
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dialogue.errors import UsageProblem, listed
from golden_set.case import EPISODE, GoldenCase
from golden_set.sheet import Sheet
from judge.rubric import Rubric
from judge.verdict import JudgeId

FOLDER = Path("golden_set/baselines")  # in the project of who accepts
LEAST_RUNS = 10


def _list(value: Any) -> Any:
    return [value] if isinstance(value, int | float) else value


# The ratings of one item by run; a single one stands for all runs of a judge that does not vary.
ByRun = Annotated[tuple[float, ...], Field(min_length=1), BeforeValidator(_list)]


class Accepted(BaseModel):
    """The ratings of one case: place -> criterion -> rating by run; `content` is the hash of what was rated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str
    runs: Annotated[int, Field(ge=1)]
    ratings: dict[str, dict[str, ByRun]]


class Baseline(BaseModel):
    """What was accepted: whose ratings, by whom, when, why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: JudgeId
    runs: int
    accepted_on: date
    accepted_by: str
    note: str = ""
    scales: dict[str, tuple[int, int]]  # of each criterion that was rated
    cases: dict[str, Accepted]

    def sheet(self, cases: Sequence[GoldenCase], rubric: Rubric) -> Sheet:
        """Return the ratings of those cases that still read as they did; none where the rubric has other criteria or scales by now."""
        found = Sheet()
        for case in cases if self.scales == scales_of(rubric) else ():
            accepted = self.cases.get(case.id)
            if accepted is None or accepted.content != content_of(case, rubric):
                continue
            for run in range(accepted.runs):
                marks = {
                    place: {name: values[min(run, len(values) - 1)] for name, values in criteria.items()}
                    for place, criteria in accepted.ratings.items()
                }
                found.add(case.id, marks)
        return found


def scales_of(rubric: Rubric) -> dict[str, tuple[int, int]]:
    """Return the ends of each criterion's scale: numbers can be compared only on the same one."""
    turns = {f"turn.{criterion.name}": criterion.scale for criterion in rubric.turn_criteria}
    scales = turns | {f"{EPISODE}.{criterion.name}": criterion.scale for criterion in rubric.episode}
    return {name: (scale.low, scale.high) for name, scale in scales.items()}


def content_of(case: GoldenCase, rubric: Rubric) -> str:
    """Return the hash of what a judge is shown of a case."""
    return case.transcript.content_hash(with_outcome=rubric.sees_outcome)


def make_baseline(judge: JudgeId, sheet: Sheet, cases: Sequence[GoldenCase], rubric: Rubric, *, day: date, by: str, note: str) -> Baseline:
    """Return the baseline that a sheet of ratings is."""
    accepted = {}
    for case in cases:
        runs = sheet.marks[case.id]
        ratings = {
            place: {name: _short(tuple(marks[place][name] for marks in runs)) for name in criteria} for place, criteria in runs[0].items()
        }
        accepted[case.id] = Accepted(content=content_of(case, rubric), runs=len(runs), ratings=ratings)
    return Baseline(judge=judge, runs=sheet.runs, accepted_on=day, accepted_by=by, note=note, scales=scales_of(rubric), cases=accepted)


def _short(values: tuple[float, ...]) -> tuple[float, ...]:
    return values[:1] if len(set(values)) == 1 else values


def dump(baseline: Baseline) -> str:
    """Return the file: one line a case, so that a review shows which cases changed."""
    head = baseline.model_dump(mode="json", exclude={"cases"})
    lines = [f"  {json.dumps(name)}: {json.dumps(_dumped(case), separators=(',', ':'))}" for name, case in baseline.cases.items()]
    first = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    return first + ',\n "cases": {\n' + ",\n".join(lines) + "\n }\n}\n"


def _dumped(case: Accepted) -> dict[str, Any]:
    def plain(value: float) -> float:
        return int(value) if value == int(value) else value

    ratings = {
        place: {name: plain(values[0]) if len(values) == 1 else [plain(value) for value in values] for name, values in criteria.items()}
        for place, criteria in case.ratings.items()
    }
    return {"content": case.content, "runs": case.runs, "ratings": ratings}


def shipped_baselines() -> Path:
    """Return the folder of the baselines that ship with the package: those of the embedded judge."""
    return Path(str(files("golden_set").joinpath("baselines")))


def place_of(name: str | None, judge: JudgeId) -> Path:
    """Return where the baseline is kept: a path as given, or a name in the project's folder.

    By default it is named for the rubric and the provider: another model or prompt of the same provider is compared with what was
    accepted, another provider's judge has a baseline of its own.
    """
    if name and (name.endswith(".json") or "/" in name):
        return Path(name)
    return FOLDER / f"{name or f'{judge.rubric}.{judge.provider}'}.json"


def load_baseline(name: str | None, rubric: Rubric, judge: JudgeId) -> Baseline | None:
    """Return the baseline of that name, or None where none was accepted yet. That of the embedded judge ships with the package.

    Raises:
        UsageProblem: a file was named that does not exist, or it is no baseline for the rubric.
    """
    path = place_of(name, judge)
    if not path.is_file():
        shipped = shipped_baselines() / path.name
        if name is None and shipped.is_file():
            path = shipped
        elif name is None:
            return None
        else:
            there = sorted(file.stem for file in FOLDER.glob("*.json"))
            raise UsageProblem(f"no baseline {path}; there are {listed(there) or 'none'} in {FOLDER}; make one with `judge golden accept`")
    try:
        found = Baseline.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else error
        raise UsageProblem(f"{path} is no baseline: {reason}; make one with `judge golden accept`") from error
    if found.judge.rubric != rubric.name:
        raise UsageProblem(
            f"{path} is a baseline for the rubric {found.judge.rubric!r}, not for {rubric.name!r}; name another with --baseline"
        )
    return found
