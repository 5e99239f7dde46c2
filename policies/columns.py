"""Logged states as columns, gathered as records pass and made into encoding fields in the end: numbers get edges."""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialogue.encoding import LARGEST, Encoding, Field, text_of
from dialogue.errors import UsageProblem, listed

EDGES: Mapping[str, tuple[float, ...]] = {"turn": (4.0, 7.0, 11.0)}  # as the debt call's: opening, early, middle, late
FEW = 8  # different numbers that get a bucket each; more are cut at their quartiles
MANY = 64  # different texts that are hardly a category: left out unless named
ABSENT, NUMBER = -1, -2  # codes of steps without the key, and of numbers that have no code
SPILL = 4_096  # different values that are remembered by code; further numbers are kept as they are, so that memory stays that of arrays
MISSING = object()


class _Codes(dict[Any, int]):
    """Numbers values through as they come."""

    def __missing__(self, value: Any) -> int:
        self[value] = code = len(self) - 1  # `MISSING` is the first entry, and has no code
        return code


@dataclass(slots=True)
class Column:
    """One key of the states: a code for each step, and the values that codes stand for.

    Attributes:
        numbers: of each step whose code is `NUMBER`; empty until there are too many values for codes.
    """

    codes: "array[int]" = field(default_factory=lambda: array("i"))
    numbers: "array[float]" = field(default_factory=lambda: array("d"))
    known: _Codes = field(default_factory=lambda: _Codes({MISSING: ABSENT}))

    def extend(self, values: list[Any]) -> None:
        """Add the values of an episode's steps; `MISSING` where a state does not have the key."""
        if len(self.known) > SPILL:
            self._spill(values)
            return
        known = self.known
        try:
            self.codes.extend([known[value] for value in values])
        except TypeError:  # lists and tables
            self.codes.extend([known[text_of(value) if isinstance(value, list | dict) else value] for value in values])

    def _spill(self, values: list[Any]) -> None:
        self.numbers.extend([np.nan] * (len(self.codes) - len(self.numbers)))
        for value in values:
            number = type(value) in (int, float) and value not in self.known
            self.numbers.append(value if number else np.nan)
            self.codes.append(NUMBER if number else self.known[text_of(value) if isinstance(value, list | dict) else value])

    @property
    def seen(self) -> NDArray[np.intc]:
        """The codes: (steps,)."""
        return np.frombuffer(self.codes, np.intc)

    @property
    def texts(self) -> dict[str, int]:
        """The values that are no numbers, as texts, in the order of their first appearance, with their codes."""
        return {text_of(value): code for value, code in self.known.items() if code >= 0 and not _is_number(value)}

    @property
    def has_numbers(self) -> bool:
        """Whether some value is a number."""
        return bool(self.numbers) or any(map(_is_number, self.known))

    def as_numbers(self) -> NDArray[np.float64]:
        """Return the number at each step, NaN where there is none: (steps,)."""
        table = np.array([value if _is_number(value) else np.nan for value in self.known], float)
        made: NDArray[np.float64] = table[np.maximum(self.seen, ABSENT) + 1]  # entry 0 is `MISSING`
        made[: len(self.numbers)] = np.where(self.seen[: len(self.numbers)] == NUMBER, self.numbers, made[: len(self.numbers)])
        return made

    def as_digits(self, places: Mapping[str, int]) -> NDArray[np.intp]:
        """Return the place of the value at each step, by its text: (steps,)."""
        table = np.array([0, *(places[_text(value)] for value in self.known if value is not MISSING)], np.intp)
        made: NDArray[np.intp] = table[np.maximum(self.seen, ABSENT) + 1]
        for at in (self.seen == NUMBER).nonzero()[0]:
            made[at] = places[_text(self.numbers[at])]
        return made


@dataclass(slots=True)
class Columns:
    """States, one after another; every key has a column of the same length.

    Attributes:
        wanted: the keys to keep; None: all of them.
    """

    wanted: tuple[str, ...] | None = None
    steps: int = 0
    columns: dict[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = {name: Column() for name in self.wanted or ()}

    def extend(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Add an episode's steps."""
        if self.wanted is None:
            for state in states:
                if not state.keys() <= self.columns.keys():
                    for name in [name for name in state if name not in self.columns]:
                        self.columns[name] = Column()
                        self.columns[name].extend([MISSING] * self.steps)
        for name, column in self.columns.items():
            column.extend([state.get(name, MISSING) for state in states])
        self.steps += len(states)

    def fields(self, given: Sequence[Field] | None = None) -> tuple[tuple[Field, ...], list[str]]:
        """Return the fields that the columns make, and what was left out of the states, in words.

        Args:
            given: the fields to make, in order; those without values or edges get what the column shows.

        Raises:
            UsageProblem: a given field that states do not have, or nothing is left to see, or too much.
        """
        notes: list[str] = []
        made: list[Field] = []
        if given is None:
            for name, column in self.columns.items():
                found, why = _inferred(name, column)
                made += [found] if found else []
                notes += [f"the state's {name!r} is left out: {why}"] if why else []
        else:
            made = [one if one.edges else self._filled(one) for one in given]
        if not made:
            raise UsageProblem(
                f"nothing in the logged states tells them apart ({'; '.join(notes) or 'they are empty'}); name the keys to see with --state"
            )
        encoding = Encoding(tuple(made))
        if encoding.size > LARGEST:
            sizes = listed(f"{one.name} ({one.size})" for one in made)
            raise UsageProblem(
                f"the states' {sizes} make {encoding.size:,} observations, at most {LARGEST:,}; name fewer keys with --state, "
                "or give numbers edges, such as --state fsm,turn:4:7:11"
            )
        return tuple(made), notes

    def _filled(self, given: Field) -> Field:
        column = self.columns[given.name]
        if (column.seen == ABSENT).all():
            raise UsageProblem(f"no logged state has {given.name!r}; --state names keys of logged states")
        if column.has_numbers and not column.texts:
            edges = EDGES.get(given.name) or _edges(column.as_numbers())
            return Field(given.name, edges=edges) if edges else Field(given.name, values=_values(column))
        return Field(given.name, values=_values(column))

    def known_to(self, encoding: Encoding) -> Encoding:
        """Return the encoding, with the values of the columns that it does not have at the end of their fields."""
        states = ({one.name: text} for one in encoding.fields if not one.edges for text in _values(self.columns[one.name]))
        return encoding.grown(states)

    def indices(self, encoding: Encoding) -> NDArray[np.intp]:
        """Return each step's observation: (steps,).

        Raises:
            UsageProblem: a text where the encoding has edges.
        """
        at = np.zeros(self.steps, np.intp)
        for one in encoding.fields:
            column = self.columns[one.name]
            at *= one.size
            if not one.edges:
                at += column.as_digits({text: k for k, text in enumerate(one.values)})
                continue
            if column.texts:
                raise UsageProblem(
                    f"state {one.name!r} is {next(iter(column.texts))!r} in the log, where a number is expected; "
                    f"it is cut at {listed(f'{edge:g}' for edge in one.edges)}"
                )
            at += np.searchsorted(np.array(one.edges), column.as_numbers(), "right")
        return at


def given_fields(text: str) -> tuple[Field, ...]:
    """Return the fields of `--state`, such as `fsm,sentiment,turn:4:7:11`; a name without edges gets them, or its values, from the log.

    Raises:
        UsageProblem: a name missing or twice, or edges that are no rising numbers.
    """
    made: dict[str, Field] = {}
    for part in text.split(","):
        name, *edges = (piece.strip() for piece in part.split(":"))
        if not name or name in made:
            raise UsageProblem(f"--state {text!r}: {'a name is missing' if not name else f'{name!r} is named twice'}; {SPELLING}")
        try:
            numbers = tuple(float(edge) for edge in edges)
        except ValueError:
            raise UsageProblem(f"--state {text!r}: the edges of {name!r} are {listed(edges)}, not numbers; {SPELLING}") from None
        if not np.isfinite(numbers).all() or any(low >= high for low, high in pairwise(numbers)):
            raise UsageProblem(f"--state {text!r}: the edges of {name!r} are {listed(edges)}; expected finite numbers, rising; {SPELLING}")
        made[name] = Field(name, edges=numbers)
    return tuple(made.values())


SPELLING = "write keys of the logged states with commas, numbers with their edges: --state fsm,sentiment,turn:4:7:11"


def _inferred(name: str, column: Column) -> tuple[Field | None, str | None]:
    """Return the field that a column makes, or why it makes none."""
    if (column.seen == ABSENT).any():
        return None, "not every state has it"
    texts = column.texts
    if not texts:
        numbers = column.as_numbers()
        edges = EDGES.get(name) or _edges(numbers)
        return (Field(name, edges=edges), None) if edges else (None, f"it is always {numbers[0]:g}")
    if any(isinstance(_json_of(text), list | dict) for text in texts):
        return None, "it holds lists or tables"
    values = _values(column)
    if len(values) > MANY:
        return None, f"it has {len(values):,} different values; name it with --state to see it all the same"
    return Field(name, values=values), None


def _json_of(text: str) -> Any:
    """Return the JSON value that a text is, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _edges(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """Return where numbers are cut: every value gets a bucket where they are few, else at the quartiles."""
    numbers = numbers[~np.isnan(numbers)]
    values = np.unique(numbers)
    cuts = values[1:] if len(values) <= FEW else np.unique(np.quantile(numbers, (0.25, 0.5, 0.75), method="higher"))
    return tuple(float(cut) for cut in cuts if cut > values[0])


def _values(column: Column) -> tuple[str, ...]:
    """Return a category's values: texts in the order of their first appearance, then numbers, rising."""
    numbers = column.as_numbers() if column.has_numbers else np.empty(0)
    return tuple(dict.fromkeys((*column.texts, *(_text(number) for number in np.unique(numbers[~np.isnan(numbers)]).tolist()))))


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _text(value: Any) -> str:
    """Return a value as a category's text; a whole number without a decimal point."""
    return text_of(int(value) if type(value) is float and value.is_integer() else value)
