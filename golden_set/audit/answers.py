"""Checks what people answered: each row is taken as a label or refused with what is wrong with it. Nothing is stored here.

A row is refused whole. Refused are: another audit, an unknown item or place, a hash or a shown text that does not fit (the row was
changed, or is of another version), an answer that is no number or off the scale, an unknown criterion, two different answers at one
place in one file, and an answer that differs from what the same person said before (unless it shall replace it). An empty answer
never erases one. Notes are masked where the dialogues are: people write down what they read of customers.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as changed

from dialogue.errors import did_you_mean, listed
from dialogue.visible import shown
from golden_set.audit.forms.table import TEXTS, TURN, cell, dialogue_of
from golden_set.audit.masks import mask
from golden_set.audit.review import Answer, Row, make_review
from golden_set.audit.sample import AuditItem, AuditLabel, AuditSample, criteria_of
from golden_set.case import EPISODE
from judge.rubric import Rubric

Key = tuple[str, str]  # item and place
QUOTED = 60  # characters of what a file holds that a message repeats
TWO_PEOPLE = (
    "leave the one that holds; if these are two people, export (or filter) the answers of each into a file of their own, "
    "and read each file under its own --rater"
)
OTHERWISE = "if this is another person's file, read it under another --rater; if it is the same person's, --replace takes what is new"


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken, and why."""

    file: str
    where: str
    item: str
    place: str
    what: str

    def __str__(self) -> str:
        at = "the episode" if self.place == EPISODE else f"turn {self.place}"
        return f"{self.file}: {self.where}: {self.item or 'no item'}, {at}: {self.what}"


@dataclass
class Taken:
    """What a file comes to, in rows. `labels` are to be stored; each holds what the person said before at its place, too."""

    answered: int = 0  # with an answer: the sum of all that follow
    new: int = 0  # where this person had said nothing
    added: int = 0  # with more criteria, or a note, for what the person said before
    replaced: int = 0  # that differ from it, and count from now on
    known: int = 0  # that say the same
    repeated: int = 0  # that say what another row of the file says
    refused: list[Refused] = field(default_factory=list)
    labels: list[AuditLabel] = field(default_factory=list)


@dataclass(frozen=True)
class Questions:
    """All that an audit asks: what answers are checked against."""

    audit: str
    rubric: Rubric
    rows: Mapping[Key, Row]
    dialogues: Mapping[Key, str]
    places: Mapping[str, list[str]]  # of each item
    hashes: Mapping[str, Key]
    masked: bool  # whether personal data in notes is masked


def questions_of(sample: AuditSample, items: Iterable[AuditItem]) -> Questions:
    """Return what an audit asks; what the second person is asked (part 2) is among it, word for word."""
    review = make_review(sample, items, 1)
    rows = {(row.item, row.place): row for row in review.rows}
    places: dict[str, list[str]] = {}
    for item, place in rows:
        places.setdefault(item, []).append(place)
    dialogues = {key: dialogue_of(review, row) for key, row in rows.items()}
    hashes = {row.hash: key for key, row in rows.items()}
    return Questions(sample.name, sample.rubric, rows, dialogues, places, hashes, sample.masked)


def answered(answer: Answer) -> bool:
    """Say whether there is any answer in a row."""
    return bool(answer.ratings or answer.note.strip() or odd(answer))


def check(
    answers: Iterable[Answer], questions: Questions, known: Mapping[Key, AuditLabel], rater: str, *, file: str = "", replace: bool = False
) -> Taken:
    """Check the answers of one file.

    Args:
        answers: as a form yields them.
        questions: of the audit.
        known: what this person said before.
        rater: the person's pseudonym.
        file: its name, for messages.
        replace: take what differs from what the person said before.
    """
    taken = Taken()
    refused: list[tuple[int, Answer, str]] = []
    right: dict[Key, list[tuple[int, Answer]]] = {}
    for at, answer in enumerate(filter(answered, answers)):
        taken.answered += 1
        if what := _wrong(answer, questions):
            refused.append((at, answer, what))
        else:
            right.setdefault((answer.item, answer.place), []).append((at, changed(answer, note=_note(answer.note, questions))))
    for key, found in right.items():
        (at, first), *others = found
        if other := next((one for _, one in others if _said(one) != _said(first)), None):
            what = f"answered twice in this file, differently ({_difference(first, other)}); {TWO_PEOPLE}"
            refused += [(at, one, what) for at, one in found]
            continue
        taken.repeated += len(others)
        if what := _put(taken, first, known.get(key), rater, replace=replace):
            refused.append((at, first, what))
    for _, answer, what in sorted(refused, key=lambda one: one[0]):
        where, item, place = map(one_line, (answer.where, answer.item, answer.place))
        taken.refused.append(Refused(file, where, item, place, what))
    return taken


def _put(taken: Taken, answer: Answer, before: AuditLabel | None, rater: str, *, replace: bool) -> str:
    """Put an answer beside what the same person said before at its place; return what speaks against it."""
    ratings, note = answer.ratings, answer.note
    if before is None:
        taken.new += 1
        taken.labels.append(AuditLabel(item=answer.item, place=answer.place, rater=rater, ratings=ratings, note=note))
        return ""
    old = before.ratings
    conflicts = [f"{name} was {old[name]:g} and is {new:g} now" for name, new in ratings.items() if old.get(name, new) != new]
    if note and before.note and note != before.note:
        conflicts.append(f"the note was {quoted(before.note)} and is {quoted(note)} now")
    if conflicts and not replace:
        return f"{rater} said otherwise before: {'; '.join(conflicts)}; {OTHERWISE}"
    merged = before.model_copy(update={"ratings": old | ratings, "note": note or before.note})
    if merged == before:
        taken.known += 1
        return ""
    taken.labels.append(merged)
    taken.replaced += bool(conflicts)
    taken.added += not conflicts
    return ""


def _said(answer: Answer) -> tuple[dict[str, float], str]:
    return answer.ratings, answer.note


def _note(note: str, questions: Questions) -> str:
    """Return a note as it is kept: personal data masked where the audit's is, every hidden character visible."""
    return shown(mask(note) if questions.masked and note else note).strip()


def _difference(one: Answer, other: Answer) -> str:
    for name in [*one.ratings, *other.ratings]:
        if one.ratings.get(name) != other.ratings.get(name):
            said = [f"{found.ratings[name]:g}" if name in found.ratings else "empty" for found in (one, other)]
            return f"{name} is {said[0]} in {one_line(one.where)} and {said[1]} in {one_line(other.where)}"
    return f"the notes of {one_line(one.where)} and {one_line(other.where)}"


def _wrong(answer: Answer, questions: Questions) -> str:
    """Say what is wrong with an answer, and what is allowed; an empty text where nothing is."""
    if answer.audit != questions.audit:
        return f"belongs to the audit {quoted(answer.audit)}, expected {questions.audit!r}; read other audits by themselves, with --audit"
    places = questions.places.get(answer.item)
    if not places:
        items = list(questions.places)
        return f"this audit has no item {quoted(answer.item)}; expected one of its {len(items)}, {items[0]} to {items[-1]}"
    key = (answer.item, answer.place)
    if key not in questions.rows:
        return f"{answer.item} has no place {quoted(answer.place)}; expected one of {listed(places)}"
    row = questions.rows[key]
    if answer.hash != row.hash:
        of = questions.hashes.get(answer.hash)
        why = f"that is the hash of {of[0]}, {of[1]}: were columns sorted apart?" if of else "the row was changed, or is of another version"
        return f"the hash {quoted(answer.hash)} does not fit: {why}; expected {row.hash}, as in the form that was written"
    for name, written in (("dialogue", questions.dialogues[key]), ("turn", row.question)):
        if name in answer.shown and (at := _changed(answer.shown[name], written)) is not None:
            here = f"now {quoted(_normal(answer.shown[name])[at:])}" if at < len(_normal(answer.shown[name])) else "where it now ends"
            return f"the text of {name!r} was changed: character {at + 1} on is not what was written, {here}; answer in the form as written"
    return "; ".join(_wrong_ratings(answer, questions.rubric))


def _wrong_ratings(answer: Answer, rubric: Rubric) -> Iterator[str]:
    asked = {criterion.name: criterion.scale for criterion in criteria_of(rubric, answer.place)}
    given: dict[str, float | str] = {**odd(answer), **answer.ratings}
    for name, said in given.items():
        if name not in asked:
            yield f"{quoted(name)} is {quoted(said)}, but is not rated there{did_you_mean(name, asked)}; expected {listed(asked)}"
            continue
        low, high = asked[name].low, asked[name].high
        if isinstance(said, str) or not math.isfinite(said) or not low <= said <= high:
            yield f"{name} is {quoted(said)}; expected a number from {low} to {high}, or nothing"


def odd(answer: Answer) -> dict[str, str]:
    """Return what stands where a number is expected and is none, by criterion (see `forms.table.answer`)."""
    taken = {name + TURN: name for name in TEXTS}  # where the criterion's name is that of a shown text
    return {taken.get(name, name): text for name, text in answer.shown.items() if name not in TEXTS}


def _changed(found: str, written: str) -> int | None:
    """Return where a text first differs from what was written, whole or cut to fit a cell; None where it does not."""
    given = _normal(found)
    allowed = (_normal(written), _normal(cell(written)))
    if given in allowed:
        return None
    return max(_common(given, one) for one in allowed)


def _common(one: str, other: str) -> int:
    """Return how many characters two texts share at their beginning."""
    differing = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def quoted(value: float | str) -> str:
    """Return what a file holds as a message repeats it."""
    return repr(one_line(value)) if isinstance(value, str) else f"{value:g}"


def one_line(text: str) -> str:
    """Return a text on one line, every character visible, and not for ever."""
    text = " ".join(shown(text[: 2 * QUOTED]).split())
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"
