"""A review as a table, a row a place, and rows as answers: what the comma-separated and the workbook form share."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from dialogue.errors import UsageProblem
from dialogue.visible import shown
from golden_set.audit.review import Answer, Review, Row
from golden_set.case import EPISODE
from judge.rubric import Criterion, Rubric, StateCriterion

KEYS = ("audit", "item", "place", "hash")  # by these a file is known
TEXTS = ("dialogue", "turn")
NOTE = "note"
UNASKED = "-"
LONGEST = 32_767  # characters (UTF-16 units) that Excel keeps in a cell; of a longer one in a CSV file it makes two rows
CUT = "… (cut: see the HTML page)"
_DASHES = {"", UNASKED, "–", "—"}
_UNSURE = _DASHES | {"?", "n/a", "na", "cannot tell"}  # in small letters: no rating is given
CANNOT_TELL = "leave the cell empty, or write - (?, n/a, na and cannot tell mean the same)"
EPISODE_MARK, TURN = " (episode)", " (turn)"
# What Excel takes for the number of a character, and what openpyxl leaves out: see `cell`.
_EXCEL_ESCAPE = re.compile(r"(_x[0-9A-Fa-f]{4}|x005F)_")
# A number, alone or followed by a mark and words that do not begin with a number: `4`, `4.0`, `3,5`, `4 - Takes up…`, not `4-5`.
_RATING = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,9})?)(?:\s*[-–—:=.)]\s*[^\s0-9].*)?", re.DOTALL)


@runtime_checkable
class Tabular(Protocol):
    """A form that is a table: it can say which columns a file has."""

    def columns(self, path: Path) -> list[str]:
        """Return the names in the first row, as they are written; an empty text where a column has none."""


class Asked(NamedTuple):
    """A criterion and where it is asked. `heading` is its column: the name, with the place where the name alone would not tell."""

    heading: str
    criterion: Criterion | StateCriterion
    episode: bool

    @property
    def levels(self) -> list[str]:
        """Its levels in words, worst first, each with its number; none reads as a formula."""
        return [f"{self.criterion.scale.low + at}: {shown(level)}" for at, level in enumerate(self.criterion.levels)]


def asked(rubric: Rubric) -> list[Asked]:
    """Return all that a rubric asks: of each turn, then of the episode."""
    turns = [Asked(c.name + TURN if c.name in (*KEYS, *TEXTS, NOTE) else c.name, c, False) for c in rubric.turn_criteria]
    return turns + [Asked(c.name + EPISODE_MARK, c, True) for c in rubric.episode]


def header(rubric: Rubric) -> list[str]:
    """Return the columns."""
    return [*KEYS, *TEXTS, *(one.heading for one in asked(rubric)), NOTE]


def dialogue_of(review: Review, row: Row) -> str:
    """Return what a row shows of the dialogue as one text; how it ended stands last, where the rubric shows it."""
    outcome = review.outcomes.get(row.item, "")
    return f"{row.dialogue}\n\nOutcome: {outcome}" if outcome else row.dialogue


def halves(review: Review) -> Iterator[tuple[str, bool, list[Row]]]:
    """Yield the rows of turns and those of episodes, each with its name and whether it is the latter; what is not rated is left out.

    For tools that ask the same of all that is in one project.
    """
    for name, episode in (("turns", False), ("episodes", True)):
        if rows := [row for row in review.rows if (row.place == EPISODE) == episode]:
            yield name, episode, rows


def cell(text: str) -> str:
    """Return a text as a cell holds it: what Excel would take for an escape stays a text, and what is too long is cut visibly.

    Excel reads `_x0041_` as the letter A: there (and there only) the last underscore becomes a wide one.
    """
    text = _EXCEL_ESCAPE.sub("\\1\N{FULLWIDTH LOW LINE}", text)
    wide = text.encode("utf-16-le")
    if len(wide) <= 2 * LONGEST:
        return text
    return wide[: 2 * (LONGEST - len(CUT))].decode("utf-16-le", errors="ignore") + CUT


def lines(review: Review) -> Iterator[list[str]]:
    """Yield the rows as texts. Audit and hash begin with `#`: else a spreadsheet takes `2026-11` for a date and `12e45` for a number."""
    criteria = asked(review.rubric)
    for row in review.rows:
        texts = (cell(dialogue_of(review, row)), cell(row.question))
        cells = ["" if one.episode == (row.place == EPISODE) else UNASKED for one in criteria]
        yield [f"#{review.audit}", row.item, row.place, f"#{row.hash}", *texts, *cells, ""]


def legend(rubric: Rubric) -> Iterator[list[str]]:
    """Yield what the levels mean, a row a level: column, what is rated, question, level in words; last, how to say that one cannot."""
    yield ["column", "rates", "question", "level"]
    for one in asked(rubric):
        rates = "the whole dialogue" if one.episode else "the turn in question"
        for level in one.levels:
            yield [one.heading, rates, f"“{shown(one.criterion.question)}”", level]
    yield ["all columns", "", "where you cannot tell", CANNOT_TELL]


def ours(names: Iterable[str]) -> bool:
    """Say whether a table with these columns is one of these forms."""
    return {*KEYS} <= {*names}


def rating_of(value: object) -> float | str | None:
    """Return what an answer says: a number; None where it is empty, a dash or says that one cannot tell; its text where it is no number.

    Words after the number are passed over if a mark such as `:` or `-` separates them and they do not begin with a number. A comma
    may stand for the decimal point.
    """
    if isinstance(value, float | int) and not isinstance(value, bool):
        return float(value)
    text = "" if value is None else str(value).strip()
    if text.casefold() in _UNSURE:
        return None
    found = _RATING.fullmatch(text)
    return float(found[1].replace(",", ".")) if found else text


def answers(path: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[Answer]:
    """Yield the answers of a table; rows that nobody answered are left out.

    Columns are known whatever their case; the names of criteria have small letters only. A rating in a column that is not asked at the
    row's place keeps the column's name as its criterion, so that nobody takes it for another.

    Args:
        path: of the file, for messages.
        names: the columns.
        rows: the cells below them; the first is row 2.

    Raises:
        UsageProblem: a column is there twice.
    """
    names = [name.casefold() for name in names]
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise UsageProblem(f"{path}: the column {twice[0]!r} is there twice; expected each column once, as in the form that was written")
    for at, row in enumerate(rows, 2):
        named = dict(zip([name or f"column {number}" for number, name in enumerate(names, 1)], row, strict=False))
        named |= {f"column {number}": value for number, value in enumerate(row[len(names) :], len(names) + 1)}
        place = _text(named.get("place")).removesuffix(".0")  # some programs save 3 as 3.0
        episode = place.casefold() == EPISODE
        said = {criterion_of(column, episode=episode): value for column, value in named.items() if column not in (*KEYS, *TEXTS, NOTE)}
        texts = {name: named[name] for name in TEXTS if name in named}
        keys = named | {"place": EPISODE if episode else place}
        if found := answer(f"row {at}", keys, said, named.get(NOTE), texts):
            yield found


def answer(where: str, keys: Mapping[str, object], said: Mapping[str, object], note: object, texts: Mapping[str, object]) -> Answer | None:
    """Return what a form says of one place; None where nobody answered anything.

    An answer that is no number stands in `Answer.shown`, under the name of its criterion.

    Args:
        where: its place in the file.
        keys: holds at least `KEYS`.
        said: what was answered, by criterion.
        note: a text.
        texts: what the form shows, by name.
    """
    ratings: dict[str, float] = {}
    odd: dict[str, str] = {}
    for criterion, value in said.items():
        rating = rating_of(value)
        if isinstance(rating, str):
            odd[criterion if criterion not in TEXTS else criterion + TURN] = rating
        elif rating is not None:
            ratings[criterion] = rating
    told = _text(note)
    told = "" if told in _DASHES else told
    if not (ratings or odd or told):
        return None
    audit, item, place, digest = (_text(keys.get(name)) for name in KEYS)
    shows = {name: _text(text) for name, text in texts.items()}
    return Answer(where, audit.removeprefix("#"), item, place, digest.removeprefix("#"), ratings, told, shows | odd)


def criterion_of(column: str, *, episode: bool) -> str:
    """Return the criterion of a column at a place; the column's own name, which is none, where it is not asked there."""
    if episode:
        return column.removesuffix(EPISODE_MARK) if column.endswith(EPISODE_MARK) else f"{column.removesuffix(TURN)}{TURN}"
    return column.removesuffix(TURN)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
