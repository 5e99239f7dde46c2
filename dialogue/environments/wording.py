"""Lines with slots, as data files hold them, and a speaker that says them in turn; which line is due is told by each call's own file."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def slots_of(line: str) -> list[str]:
    """Return the names of the slots of a line.

    Raises:
        ValueError: braces that do not pair, or a slot without a plain name.
    """
    try:
        found = [slot for _, slot, _, _ in Formatter().parse(line) if slot is not None]
    except ValueError:
        found = [""]
    for slot in found:
        if not slot.isidentifier():
            raise ValueError(f"expected braces in pairs around the name of a slot, not {slot or 'braces that do not pair'!r}")
    return found


def _line(text: str) -> str:
    slots_of(text)
    return text


Line = Annotated[str, Field(min_length=1), AfterValidator(_line)]
Lines = Annotated[tuple[Line, ...], Field(min_length=1)]


class Exchange(BaseModel):
    """A question and what is answered to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Line
    answer: Line


class Speaker(dict[str, str]):
    """The facts of one call, by slot. A slot that is no fact is one of `pieces`, and said as a line of that list.

    Every list is begun at a place drawn by chance and then gone through in turn, so nothing is said twice while there is something else.

    Args:
        facts: texts by slot.
        pieces: lists of lines by slot; may be changed while the call goes on.
        draws: numbers from 0 to 1, drawn at random; used again from the start when they are used up.
    """

    def __init__(self, facts: Mapping[str, str], pieces: dict[str, Sequence[str]], draws: Sequence[float]) -> None:
        super().__init__(facts)
        self.pieces = pieces
        self.draw = cycle(draws).__next__
        self._places: dict[int, int] = {}

    def place(self, lines: Sequence[object]) -> int:
        """Return which of these comes now."""
        key = id(lines)  # lists live in the data file's model, which outlives every call
        at = self._places.get(key)
        if at is None:
            at = int(self.draw() * len(lines))
        self._places[key] = at + 1
        return at % len(lines)

    def say(self, lines: Sequence[str]) -> str:
        """Return the next line, its slots filled in."""
        return lines[self.place(lines)].format_map(self)

    def __missing__(self, slot: str) -> str:
        return self.say(self.pieces[slot])


def cut_short(text: str, share: float) -> str:
    """Return a line as far as it came before it was interrupted: at least three words, at most all but two."""
    words = text.split()
    if len(words) < 6:
        return f"{text.rstrip('.?!')}—"
    kept = 3 + int(share * (len(words) - 4))
    return f"{' '.join(words[:kept]).rstrip('.,:;?!')}—"


def capital(text: str) -> str:
    """Return the text as a sentence begins."""
    return text[:1].upper() + text[1:]


def unknown_slots(lines: Iterable[str], known: Iterable[str]) -> set[str]:
    """Return the slots that nothing will fill."""
    allowed = set(known)
    return {slot for line in lines for slot in slots_of(line)} - allowed
