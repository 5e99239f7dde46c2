"""What the one-big-JSON formats share: rows streamed out of an array, with ijson's parser, so that memory stays flat."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import ijson
from ijson.common import ObjectBuilder

from dialogue.errors import InputProblem
from dialogue.reader import Found, Reject
from dialogue.readers.jsonl import kind_of
from dialogue.source import BROKEN, Source, broken_stream
from dialogue.transcript import Transcript

MAX_DEPTH = 100  # of nesting inside a row; deeper ones are passed over without being built


# What the parser raises on broken JSON, and on numbers that Python will not hold (ijson lets some of them escape as SystemError).
UNREADABLE = (ijson.JSONError, ValueError, ArithmeticError, SystemError)


class _TooDeep:
    """Stands for a row that nests deeper than any dialogue does."""


def read_rows(
    source: Source, key: str | None, parse: Callable[[dict[str, Any], str], Transcript], known: frozenset[str]
) -> Iterator[Found | Reject]:
    """Yield a transcript or a reject for every row of the top-level array, or of the one under `key` of the top-level object.

    Rows are numbered from 1. A syntax error ends the file: what follows it cannot be told apart. The parser (yajl)
    replaces a lone surrogate by `?`.
    """
    rows = _rows(source, key)
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            if number == 1:
                where = f"under '{key}'" if key else "in the file"
                yield Reject(source.name, 1, f"no rows {where}", "at least one recorded run", None)
            return
        except UNREADABLE as error:
            reason = f"row {number} is not valid JSON ({' '.join(str(error).split())[:200]})"
            yield Reject(source.name, number, reason, "a whole JSON file: rows before this one were read", None)
            return
        except BROKEN as error:
            problem = broken_stream(error)
            yield Reject(source.name, number, problem.reason, problem.expected, None)
            return
        if isinstance(row, _TooDeep):
            yield Reject(source.name, number, f"row {number} is nested too deep", f"at most {MAX_DEPTH} levels", None)
            continue
        raw = json.dumps(row, ensure_ascii=False)
        try:
            if not isinstance(row, dict):
                raise InputProblem(f"row {number} is a JSON {kind_of(row)}", "an object, one run each")
            yield Found(parse(row, f"{source.stem}:{number}"), source.name, number, raw, tuple(row.keys() - known))
        except InputProblem as problem:
            yield Reject(source.name, number, problem.reason, problem.expected, raw)


def _rows(source: Source, key: str | None) -> Iterator[Any]:
    """Yield the rows as Python values, built one at a time from the parser's events.

    ijson's own `items` keeps the path of every level, which a nesting bomb turns into gigabytes.
    """
    depth, last_key, rows_depth = 0, None, None
    builder: ObjectBuilder | None = None
    deepest, finished = 0, False
    for event, value in ijson.basic_parse(source.stream, use_float=False):
        if event in ("end_map", "end_array"):
            depth -= 1
        if rows_depth is None:
            if event == "map_key" and depth == 1:
                last_key = value
            elif event == "start_array" and not finished and (depth == 0 if key is None else depth == 1 and last_key == key):
                rows_depth = depth + 1
        elif depth < rows_depth:
            rows_depth, finished = None, True  # the rest of the file is still checked: it may be cut, or followed by another
        else:
            builder = builder or ObjectBuilder()
            deepest = max(deepest, depth - rows_depth)
            if deepest < MAX_DEPTH:
                builder.event(event, _number(value) if event == "number" else value)
            if depth == rows_depth and event not in ("start_map", "start_array"):
                yield builder.value if deepest < MAX_DEPTH else _TooDeep()
                builder, deepest = None, 0
        if event in ("start_map", "start_array"):
            depth += 1


def _number(value: Any) -> int | float:
    """Return whole numbers as int, of any size, and others (which ijson gives as Decimal) as float."""
    return value if isinstance(value, int) else float(value)
