"""The form `csv`: a table for any spreadsheet, and a second one that says what the levels mean. Reads what spreadsheets save."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from dialogue.errors import UsageProblem
from golden_set.audit.forms import table
from golden_set.audit.review import Answer, Review

SEPARATORS = (",", ";", "\t")
HEAD = 65_536  # bytes in which the columns are looked for
MEND = "save it as CSV UTF-8"


class CommaSeparated:
    """Writes RFC 4180 with a byte order mark, by which Excel knows UTF-8; reads commas, semicolons and tabs, UTF-8 only."""

    def write(self, review: Review, folder: Path) -> list[Path]:
        """Write the table and the levels; return their paths."""
        form, levels = folder / f"{review.name}.csv", folder / f"{review.name}.levels.csv"
        _write(form, [table.header(review.rubric), *table.lines(review)])
        _write(levels, table.legend(review.rubric))
        return [form, levels]

    def knows(self, path: Path) -> bool:
        """Say whether the first line holds our columns, in whatever encoding: `read` says what is wrong with another."""
        try:
            with path.open("rb") as stream:
                head = stream.read(HEAD)
        except OSError:
            return False
        coding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        return _separator(head.decode(coding, errors="replace")) is not None

    def read(self, path: Path) -> Iterator[Answer]:
        """Yield the answers of the rows that somebody answered.

        Raises:
            UsageProblem: it is not UTF-8, breaks off in a cell, or has not our columns.
        """
        names, *rows = _table(path)
        if "annotation_id" in names:
            raise UsageProblem(f"{path}: a CSV export of Label Studio; export it as JSON, which says what was skipped")
        yield from table.answers(str(path), names, rows)

    def columns(self, path: Path) -> list[str]:
        """Return the names of the columns; raises as `read` does."""
        return _table(path)[0]


FORM = CommaSeparated()


def _table(path: Path) -> list[list[str]]:
    """Return the names of the columns, then the rows."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageProblem(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise UsageProblem(f"{path}: line {line} is not UTF-8 (byte 0x{byte:02x}); {MEND}, not as plain CSV or Unicode text") from error
    separator = _separator(text)
    if separator is None:
        raise UsageProblem(f"{path}: its first line has not the columns {', '.join(table.KEYS)}; expected a form as it was written")
    names, *rows = _rows(path, text, separator)
    return [[name.strip() for name in names], *rows]


def _write(path: Path, rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, lineterminator="\r\n").writerows(rows)


def _separator(text: str) -> str | None:
    """Return what separates our columns in the first line; None where they are not there."""
    head = text.removeprefix("\ufeff").split("\n", 1)[0].rstrip("\r")
    for separator in SEPARATORS:
        if table.ours(name.strip().strip('"') for name in head.split(separator)):
            return separator
    return None


def _rows(path: Path, text: str, separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append(row)
    except csv.Error as error:
        raise UsageProblem(
            f"{path}: row {len(rows) + 1} cannot be read ({error}): is the file cut off? nothing of it was taken; save it again"
        ) from error
    return rows
