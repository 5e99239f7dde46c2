"""What the one-big-JSON formats share: rows streamed out of an array, with ijson, so that memory stays flat."""

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import ijson

from dialogue.errors import InputProblem
from dialogue.reader import Found, Reject
from dialogue.readers.jsonl import kind_of
from dialogue.source import Source, broken_stream
from dialogue.transcript import Transcript


def read_rows(
    source: Source, path: str, parse: Callable[[dict[str, Any], str], Transcript], known: frozenset[str]
) -> Iterator[Found | Reject]:
    """Yield a transcript or a reject for every row of the array at the ijson `path` (`item`, `simulations.item`).

    Rows are numbered from 1. A syntax error ends the file: what follows it cannot be told apart.
    """
    rows = ijson.items(source.stream, path, use_float=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(rows, None)
        except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
            reason = f"row {number} is not valid JSON ({' '.join(str(error).split())[:200]})"
            yield Reject(source.name, number, reason, "a whole JSON file: rows before this one were read", None)
            return
        except (OSError, EOFError, zlib.error) as error:
            problem = broken_stream(error)
            yield Reject(source.name, number, problem.reason, problem.expected, None)
            return
        if row is None:
            if number == 1:
                yield Reject(source.name, 1, f"no rows at '{path}'", "at least one recorded run", None)
            return
        raw = json.dumps(row, ensure_ascii=False)
        try:
            if not isinstance(row, dict):
                raise InputProblem(f"row {number} is a JSON {kind_of(row)}", "an object, one run each")
            yield Found(parse(row, f"{source.stem}:{number}"), source.name, number, raw, tuple(row.keys() - known))
        except InputProblem as problem:
            yield Reject(source.name, number, problem.reason, problem.expected, raw)
