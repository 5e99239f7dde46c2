"""Golden cases: frozen dialogues with what people say of every agent turn, who said it, and why; read from `cases/*.jsonl`."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, ValidationError

from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.transcript import Role, Transcript, Turn
from judge.rubric import Criterion, Rubric, StateCriterion

EPISODE = "episode"  # the place of what is rated as a whole; the place of a turn is its index, as text
SHORT, LONG = 4, 6  # agent turns up to which a dialogue is short, and beyond which it is long
Name = Annotated[str, Field(min_length=1, max_length=128)]


def _listed(labels: Any) -> Any:
    """Take a single number for the label of the only labeller."""
    return (
        {name: label if isinstance(label, list | tuple) else [label] for name, label in labels.items()}
        if isinstance(labels, dict)
        else labels
    )


# One number a labeller, in the order of `labelled_by`; null where that labeller gave none.
Labels = Annotated[dict[str, tuple[StrictInt | StrictFloat | None, ...]], BeforeValidator(_listed)]


class Band(StrEnum):
    """How well the agent did, as its author meant it; worst first."""

    BAD = "bad"
    POOR = "poor"
    FAIR = "fair"
    GOOD = "good"


class GoldenTurn(BaseModel):
    """An utterance; if it is the agent's, with its labels by criterion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    text: StrictStr
    labels: Labels = {}


class GoldenCase(BaseModel):
    """One dialogue and what is expected of a judge that rates it.

    `pair` names the two cases of a contrast pair: the same ending, handled differently. `tolerance` is how far a rating may lie
    from the label, in levels, before the case is named as one where the judge is off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    rubric: Name
    turns: Annotated[tuple[GoldenTurn, ...], Field(min_length=1)]
    outcome: StrictStr | None = None
    labels: Labels = {}
    band: Band | None = None
    persona: Name | None = None
    tags: tuple[Name, ...] = ()
    pair: Name | None = None
    labelled_by: Annotated[tuple[Name, ...], Field(min_length=1)]
    why: StrictStr = ""
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0

    @property
    def transcript(self) -> Transcript:
        """What a judge is shown. Its labels, tags and reasons are not."""
        return Transcript(id=self.id, turns=tuple(Turn(role=turn.role, text=turn.text) for turn in self.turns), outcome=self.outcome)

    @property
    def places(self) -> dict[str, Labels]:
        """What is rated: labels by place, the agent's turns first, then the episode."""
        turns = {str(index): turn.labels for index, turn in enumerate(self.turns) if turn.role is Role.AGENT}
        return turns | {EPISODE: self.labels}

    @property
    def slices(self) -> tuple[str, ...]:
        """The groups that the case belongs to, as `kind:name`."""
        turns = sum(turn.role is Role.AGENT for turn in self.turns)
        length = "short" if turns <= SHORT else "long" if turns > LONG else "medium"
        named = {"band": self.band, "persona": self.persona, "outcome": self.outcome or "none", "length": length}
        return tuple(f"{kind}:{name}" for kind, name in named.items() if name) + tuple(f"tag:{tag}" for tag in self.tags)


def agreed(labels: Iterable[float | None]) -> float:
    """Return what labellers say together: the mean of those who said something."""
    said = [label for label in labels if label is not None]
    return sum(said) / len(said)


def shipped_cases() -> Path:
    """Return the folder of the golden set that ships with the package."""
    return Path(str(files("golden_set").joinpath("cases")))


def load_cases(where: Path, rubric: Rubric) -> tuple[GoldenCase, ...]:
    """Return the cases for a rubric (by its name), of one file or of all `*.jsonl` of a folder, in order.

    Raises:
        UsageProblem: nothing to read, a line that is no case, labels that do not fit the rubric, an id twice,
            or no case for the rubric at all.
    """
    paths = sorted(where.glob("*.jsonl")) if where.is_dir() else [where]
    if not paths:
        raise UsageProblem(f"no golden cases in {where}: expected *.jsonl files there; name a file or folder with --cases")
    found: dict[str, GoldenCase] = {}
    texts: dict[str, str] = {}
    rubrics = set()
    for path in paths:
        for place, case in _read(path):
            rubrics.add(case.rubric)
            if case.rubric != rubric.name:
                continue
            if wrong := _misfit(case, rubric):
                raise UsageProblem(f"{place}: case {case.id!r}: {wrong}")
            if case.id in found:
                raise UsageProblem(f"{place}: the id {case.id!r} is used twice; every case needs its own")
            shown = case.transcript.content_hash(with_outcome=rubric.sees_outcome)
            if shown in texts:
                raise UsageProblem(f"{place}: {case.id!r} is the same dialogue as {texts[shown]!r}; it would count as evidence twice")
            texts[shown] = case.id
            found[case.id] = case
    if not rubrics:
        raise UsageProblem(f"{where} has no golden case; name another file or folder with --cases")
    if not found:
        raise UsageProblem(
            f"no golden case in {where} is about the rubric {rubric.name!r}{did_you_mean(rubric.name, rubrics)}; "
            f"there are cases about {listed(sorted(rubrics))}; name others with --cases, or another --rubric"
        )
    _check_pairs(found)
    return tuple(found.values())


def _read(path: Path) -> Iterable[tuple[str, GoldenCase]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"cannot read the golden cases {path}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            yield place, GoldenCase.model_validate(json.loads(line))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            at = ".".join(str(part) for part in first["loc"]) or "the line"
            value = "" if isinstance(first["input"], dict | list) else f" is {first['input']!r}"
            raise UsageProblem(
                f"{place}: not a golden case: {at}{value}: {first['msg']}; allowed keys: {listed(GoldenCase.model_fields)}"
            ) from error
        except ValueError as error:
            raise UsageProblem(f"{place}: not a line of JSON: {error}") from error


def _misfit(case: GoldenCase, rubric: Rubric) -> str | None:
    """Return what is wrong with a case's labels, or None."""
    if len(case.places) == 1:
        return "no agent turn to rate"
    for index, turn in enumerate(case.turns):
        if turn.labels and turn.role is not Role.AGENT:
            return f"turn {index} is the {turn.role.value}'s and has labels; only the agent's turns are rated"
    for place, labels in case.places.items():
        criteria: Mapping[str, Criterion | StateCriterion] = {
            c.name: c for c in (rubric.episode if place == EPISODE else rubric.turn_criteria)
        }
        where = "the episode" if place == EPISODE else f"turn {place}"
        if labels.keys() != criteria.keys():
            return f"{where} has labels for {listed(sorted(labels)) or 'nothing'}; expected {listed(sorted(criteria))}"
        for name, values in labels.items():
            scale = criteria[name].scale
            if len(values) != len(case.labelled_by):
                return f"{where}: {name} has {len(values)} labels, but labelled_by names {len(case.labelled_by)}"
            if all(value is None for value in values):
                return f"{where}: nobody labelled {name}"
            for value in values:
                if value is not None and not scale.low <= value <= scale.high:
                    return f"{where}: {name} is labelled {value}, allowed {scale.low} to {scale.high}"
    return None


def _check_pairs(cases: Mapping[str, GoldenCase]) -> None:
    pairs: dict[str, list[GoldenCase]] = {}
    for case in cases.values():
        if case.pair:
            pairs.setdefault(case.pair, []).append(case)
    for name, members in pairs.items():
        told = listed(case.id for case in members)
        if len(members) != 2:
            raise UsageProblem(f"the contrast pair {name!r} has {len(members)} case(s) ({told}); expected two")
        if members[0].outcome != members[1].outcome:
            raise UsageProblem(f"the cases of the contrast pair {name!r} ({told}) end differently; a pair shares its outcome")
