"""The contract of a reader, and finding the one that fits a file; the formats themselves are in `dialogue/readers/`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from pydantic_core import from_json

from dialogue.errors import InputProblem, UsageProblem, did_you_mean, listed
from dialogue.installed import installed
from dialogue.source import Source
from dialogue.transcript import Transcript

GROUP = "judge.readers"
ARRAY = re.compile(r"\s*\[\s*\{")


@dataclass(frozen=True, slots=True)
class Reject:
    """A piece of input that gives no transcript: where, why, what was expected, and the piece itself."""

    file: str
    line: int  # line number from 1; for files that are one JSON array, the number of the row from 1
    reason: str
    expected: str
    raw: str | None  # None where the piece could not be had whole

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}; expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Found:
    """A transcript and the place it came from; `raw` is that piece, for a later reject.

    `ignored` names the keys of the piece that this format does not know.
    """

    transcript: Transcript
    file: str
    line: int
    raw: str
    ignored: tuple[str, ...] = ()

    def reject(self, problem: InputProblem) -> Reject:
        """Return this piece as one that cannot be used after all."""
        return Reject(self.file, self.line, problem.reason, problem.expected, self.raw)


class Head:
    """The first 64 KiB of a file, for sniffing."""

    def __init__(self, data: bytes) -> None:
        self.text = data.decode("utf-8", errors="replace")

    @property
    def is_array(self) -> bool:
        """Whether the file begins like one JSON array of objects."""
        return ARRAY.match(self.text) is not None

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The first lines that are JSON objects by themselves (at most 20 lines are tried), or the first objects of a JSON array.

        A line that the head cuts off counts with what stands before the cut: the first dialogue may be long.
        """
        if self.is_array:
            try:
                rows = from_json(self.text, allow_partial="trailing-strings")
            except ValueError:
                return []
            return [row for row in rows[:20] if isinstance(row, dict)]
        found = []
        for line in self.text.split("\n")[:20]:  # not splitlines: JSON allows the other separators inside a text
            try:
                value = from_json(line, allow_partial="trailing-strings" if self.text.endswith(line) else False)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found


class Reader(Protocol):
    """Reads one transcript format. An instance has no state; `sniff` is cheap and never raises."""

    name: str

    def sniff(self, head: Head) -> bool:
        """Say whether the file looks like this format."""

    def read(self, source: Source) -> Iterator[Found | Reject]:
        """Yield what each line (or row) holds, in order; every piece of input gives exactly one item."""


def readers() -> dict[str, Reader]:
    """Return the installed readers by name, in the order of their names."""
    return {name: point.load()() for name, point in installed(GROUP).items()}


def reader_for(source: Source, format_name: str | None = None) -> Reader:
    """Return the reader named, or else the only one that recognises the file.

    Raises:
        UsageProblem: no such format, or not exactly one reader recognises the file.
    """
    known = readers()
    if format_name is not None:
        if format_name not in known:
            raise UsageProblem(f"unknown format {format_name!r}{did_you_mean(format_name, known)}; installed: {listed(known)}")
        return known[format_name]
    head = Head(source.head)
    if not head.text.strip():
        return known["native"]  # an empty log is one in any format; a broken one says so at its first line
    matches = [reader for reader in known.values() if reader.sniff(head)]
    if len(matches) == 1:
        return matches[0]
    found = f"looks like {listed(reader.name for reader in matches)}" if matches else "is in no format known here"
    raise UsageProblem(f"{source.name} {found}; say which with --format ({listed(known)})")
