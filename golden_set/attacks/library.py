"""The library of found attacks: suffixes that a search found to raise ratings, kept in a JSON file and tried again by later runs."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dialogue.errors import UsageProblem
from golden_set.attacks.mutation import Change, Direction, Family, Make, Mutation
from golden_set.attacks.praise import behind_agents_turns
from golden_set.case import GoldenCase
from golden_set.series import today
from judge.rubric import Rubric


class Suffix(BaseModel):
    """Words that lift a judge's ratings when they stand behind an agent's turns. `gain` is in levels of a 1-5 scale."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    text: str = Field(min_length=1, max_length=2000)
    rubric: str
    judge: str
    gain: float
    found_on: date


def suffix(text: str, rubric: Rubric, judge: str, gain: float, day: date | None = None) -> Suffix:
    """Return an entry for a suffix; it is named by its words."""
    name = f"found_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return Suffix(name=name, text=text, rubric=str(rubric), judge=judge, gain=round(gain, 3), found_on=day or today())


def read_library(path: Path) -> tuple[Suffix, ...]:
    """Return what a library holds; nothing where there is no file yet.

    Raises:
        UsageProblem: the file is no library.
    """
    if not path.exists():
        return ()
    try:
        return tuple(Suffix.model_validate(entry) for entry in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, ValidationError) as error:
        first = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else error
        raise UsageProblem(f"{path} is no library of attacks: {first}; name another with --library, or let --search write one") from error


def write_library(path: Path, suffixes: Iterable[Suffix]) -> None:
    """Write a library whole.

    Raises:
        UsageProblem: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = [suffix.model_dump(mode="json") for suffix in suffixes]
        path.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"cannot write the library {path}: {error.strerror}; name another with --library") from error


def attacks_of(suffixes: Sequence[Suffix]) -> tuple[Mutation, ...]:
    """Return the attacks that a library's suffixes are."""
    return tuple(
        Mutation(suffix.name, Family.FOUND, Direction.NO_GAIN, f"behind every agent turn: {suffix.text}", _behind(suffix.text))
        for suffix in suffixes
    )


def _behind(text: str) -> Make:
    def make(case: GoldenCase, rubric: Rubric, rng: Random) -> Change:
        return behind_agents_turns(case, text)

    return make
