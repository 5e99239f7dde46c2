"""A file of dialogues as a stream: plain, gzip (by content, not by name) or `-`; leaves parsing to the readers."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from dialogue.errors import InputProblem, UsageProblem

HEAD_BYTES = 65_536
MAX_LINE_BYTES = 64 * 1024 * 1024
BROKEN = (OSError, EOFError, zlib.error)  # what a stream raises that breaks off or is damaged
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a source: its number (from 1) and its bytes without the line end."""

    number: int
    data: bytes


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read ahead (to look at them) and are put back; an error met then comes again in its place."""

    def __init__(self, head: bytes, rest: io.BufferedIOBase, error: Exception | None = None) -> None:
        self._head = head
        self._rest = rest
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # the stdlib's own signature is untyped
        if not self._head and self._error:
            raise self._error
        # read1: what can be had is handed on before an error further down the stream is met
        chunk = self._head[: len(buffer)] or self._rest.read1(len(buffer))
        self._head = self._head[len(chunk) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


class Source(AbstractContextManager["Source"]):
    """An opened input. `head` is its first 64 KiB, decompressed; `stream` starts at its very first byte.

    Raises:
        UsageProblem: the file is missing, unreadable, a directory, or UTF-16.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = "<stdin>" if str(path) == "-" else str(path)
        self.stem = stem_of(path)
        try:
            self._file = cast(io.BufferedIOBase, sys.stdin.buffer if str(path) == "-" else Path(path).open("rb"))
        except OSError as error:
            raise UsageProblem(f"cannot read {self.name}: {error.strerror}; name an existing file, or - for stdin") from error
        self._position: int | None = None
        start, _ = _ahead(self._file, 2)
        plain: io.BufferedIOBase = io.BufferedReader(_Rejoined(start, self._file))
        if start == b"\x1f\x8b":
            plain = gzip.GzipFile(fileobj=plain)
        self.head, met = _ahead(plain, HEAD_BYTES)
        self.stream = io.BufferedReader(_Rejoined(self.head, plain, met), HEAD_BYTES)
        if self.head[:2] in _UTF16:
            self.__exit__(None, None, None)
            raise UsageProblem(f"{self.name} is UTF-16; expected UTF-8: convert it with `iconv -f UTF-16 -t UTF-8`")
        if self.head.startswith(_UTF8_BOM):
            self.stream.read(len(_UTF8_BOM))
            self.head = self.head[len(_UTF8_BOM) :]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.position()
        if self._file is not sys.stdin.buffer:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def position(self) -> int | None:
        """Return how many bytes of the file (compressed, if it is) were read; None where that is unknown."""
        if not self._file.closed and self._file.seekable():
            self._position = self._file.tell()
        return self._position

    def lines(self) -> Iterator[Line | tuple[int, InputProblem]]:
        """Yield every non-blank line; a line that cannot be had is its number and the problem.

        Lines over `MAX_LINE_BYTES` are skipped without being held in memory.
        """
        number = 0
        while True:
            number += 1
            try:
                data = self.stream.readline(MAX_LINE_BYTES + 1)
                size = len(data)
                rest = data
                while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
                    rest = self.stream.readline(MAX_LINE_BYTES + 1)
                    size += len(rest)
                size -= rest.endswith(b"\n")
            except BROKEN as error:
                yield number, broken_stream(error)
                return
            if not data:
                return
            if size > MAX_LINE_BYTES:
                yield (
                    number,
                    InputProblem(
                        f"the line is {size:,} bytes long", f"at most {MAX_LINE_BYTES:,}: one dialogue a line, without attachments"
                    ),
                )
            elif (stripped := data.rstrip(b"\r\n")) and not stripped.isspace():
                yield Line(number, stripped)


def stem_of(path: str | Path) -> str:
    """Return a file's name without folder and endings, for ids of dialogues that bring none."""
    return "stdin" if str(path) == "-" else Path(path).name.removesuffix(".gz").rsplit(".", 1)[0]


def _ahead(stream: io.BufferedIOBase, count: int) -> tuple[bytes, Exception | None]:
    """Return up to `count` bytes, and the error that ended them early, if one did."""
    head = b""
    while len(head) < count:
        try:
            chunk = stream.read1(count - len(head))
        except BROKEN as error:
            return head, error
        if not chunk:
            break
        head += chunk
    return head, None


def broken_stream(error: Exception) -> InputProblem:
    """Return the problem of a file that ends or breaks while it is read (a cut download, a damaged gzip)."""
    return InputProblem(
        f"the file breaks off here ({error or type(error).__name__})", "a whole file: what stands before this place was read, copy it anew"
    )
