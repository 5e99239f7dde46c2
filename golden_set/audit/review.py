"""What one person is asked: episodes with the places to rate, in words, each with a hash of what is shown. The judge is not in it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dialogue.visible import shown
from golden_set.audit.sample import AuditItem, AuditSample, criteria_of, speaker
from golden_set.case import EPISODE
from judge.rubric import Rubric, Unit


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance as it is shown: who speaks, the text with every hidden character visible, and its index if it is rated."""

    speaker: str
    text: str
    place: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One place to rate. `hash` changes with anything that is shown or asked there."""

    item: str
    place: str
    hash: str
    said: tuple[Said, ...]  # all that the rater may see when rating this place
    criteria: tuple[str, ...]

    @property
    def dialogue(self) -> str:
        """The dialogue as one text, a paragraph an utterance; each begins with who speaks, so that none reads as a formula."""
        return "\n\n".join(f"{one.speaker}: {one.text}" for one in self.said)

    @property
    def question(self) -> str:
        """The turn in question as one text; of the episode, that it is the whole."""
        if self.place == EPISODE:
            return "The whole dialogue"
        return next(f"{one.speaker}: {one.text}" for one in self.said if one.place == self.place)


@dataclass(frozen=True)
class Review:
    """All that one person is asked: `part` 1 holds every episode, part 2 those that a second person rates, too."""

    audit: str
    part: int
    rubric: Rubric
    outcomes: dict[str, str]  # of each item, in its order; an empty text where the rubric hides it
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"{self.audit}.review-{self.part}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a form says of one row, before it is checked.

    Attributes:
        where: its place in the file, such as `row 17`.
        ratings: the criteria that were answered, as numbers.
        shown: texts that the form holds, by column name; they must be what was written there. Empty where a form holds none.
    """

    where: str
    audit: str
    item: str
    place: str
    hash: str
    ratings: dict[str, float]
    note: str
    shown: dict[str, str]


class Form(Protocol):
    """What an entry point of `judge.forms` names: writes a review into a folder, and reads answers back."""

    def write(self, review: Review, folder: Path) -> list[Path]:
        """Write the files that people work with; return their paths."""

    def knows(self, path: Path) -> bool:
        """Say whether a file looks like one that this form reads."""

    def read(self, path: Path) -> Iterator[Answer]:
        """Yield the answers of a file; rows that nobody answered may be left out.

        Raises:
            UsageProblem: it is no file of this form.
        """


def make_review(sample: AuditSample, items: Iterable[AuditItem], part: int) -> Review:
    """Return what a person is asked: everything (part 1), or what is rated twice (part 2)."""
    asked = [item for item in items if part == 1 or item.twice]
    rows = tuple(row for item in asked for row in _rows(item, sample.rubric))
    outcomes = {item.item: _outcome(item, sample.rubric) for item in asked}
    return Review(sample.name, part, sample.rubric, outcomes, rows)


def _rows(item: AuditItem, rubric: Rubric) -> Iterator[Row]:
    agent = set(item.shown.agent_turns)
    said = [Said(speaker(turn.role), shown(turn.text), str(at) if at in agent else None) for at, turn in enumerate(item.shown.turns)]
    for place in item.places:
        criteria = criteria_of(rubric, place)
        if not criteria:
            continue
        seen = said if place == EPISODE or rubric.unit is Unit.DIALOGUE else said[: int(place) + 1]
        content = [item.item, place, rubric.hash, _outcome(item, rubric), [[one.speaker, one.text] for one in seen]]
        digest = hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()[:16]
        yield Row(item.item, place, digest, tuple(seen), tuple(criterion.name for criterion in criteria))


def _outcome(item: AuditItem, rubric: Rubric) -> str:
    outcome = item.shown.outcome if rubric.sees_outcome else None
    return "" if outcome is None else shown(str(outcome))
