"""What all one-object-a-line formats share: bytes to a checked JSON object, problems to rejects."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from dialogue.errors import InputProblem, listed
from dialogue.reader import Found, Reject
from dialogue.source import Source
from dialogue.transcript import Role, Transcript

OBJECT = "one JSON object a line, UTF-8"


def read_jsonl(source: Source, parse: Callable[[dict[str, Any], str], Transcript], known: frozenset[str]) -> Iterator[Found | Reject]:
    """Yield a transcript or a reject for every line of `source`.

    Args:
        parse: takes the line's object and an id for lines that bring none (`stem:line`); may raise InputProblem.
        known: the keys of a line that the format knows; others are named in `Found.ignored`.
    """
    for line in source.lines():
        if isinstance(line, tuple):
            number, problem = line
            yield Reject(source.name, number, problem.reason, problem.expected, None)
            continue
        try:
            raw = line.data.decode("utf-8")
        except UnicodeDecodeError as error:
            encoded = "base64:" + base64.b64encode(line.data).decode()
            yield Reject(
                source.name, line.number, f"not UTF-8 (byte 0x{line.data[error.start]:02x} at column {error.start + 1})", OBJECT, encoded
            )
            continue
        try:
            found = json_object(line.data)
            yield Found(parse(found, f"{source.stem}:{line.number}"), source.name, line.number, raw, tuple(found.keys() - known))
        except InputProblem as problem:
            yield Reject(source.name, line.number, problem.reason, problem.expected, raw)


def json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in `data`.

    Raises:
        InputProblem: not JSON, not an object, NaN or infinity, a lone surrogate, or nested too deep.
    """
    nul = data.find(b"\0")
    if nul >= 0:
        raise InputProblem(f"a NUL byte at column {nul + 1}", OBJECT)
    try:
        value = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise InputProblem(f"not valid JSON ({error})", OBJECT) from error
    if not isinstance(value, dict):
        raise InputProblem(f"the line holds a JSON {kind_of(value)}", OBJECT)
    return value


def transcript(raw: dict[str, Any]) -> Transcript:
    """Return the checked transcript of an object in the native shape, whatever format it came from.

    Raises:
        InputProblem: a value that does not fit, no turns, or no agent turn.
    """
    try:
        made = Transcript.model_validate(raw)
    except ValidationError as error:
        raise InputProblem(*_wording(error)) from error
    if not made.turns:
        raise InputProblem("the dialogue has no turns", "at least one agent turn")
    if not made.agent_turns:
        raise InputProblem("the dialogue has no agent turn", "at least one turn whose role is 'agent': there is nothing to rate")
    return made


def kind_of(value: object) -> str:
    """Return the JSON name of a value's type, for messages."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _wording(error: ValidationError) -> tuple[str, str]:
    """Return (reason, expected) of the first thing that does not fit."""
    first = error.errors(include_url=False)[0]
    path = [part for part in first["loc"] if part not in ("function-after", "str", "float")]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    if first["type"] == "missing":
        return f"'{where}' is missing", f"a value for '{path[-1]}'"
    value = first["input"]
    shown = repr(value) if isinstance(value, str | int | float | bool | type(None)) else f"a JSON {kind_of(value)}"
    if len(shown) > 80:
        shown = shown[:77] + "..."
    by_field = {
        "role": f"one of {listed(role.value for role in Role)}",
        "outcome": "the name of an outcome, a number, or null",
        "action_prob": "a number above 0 and at most 1",
        "id": "a text of 1 to 512 characters",
    }
    by_type = {
        "string_type": "a text",
        "tuple_type": "an array",
        "dict_type": "an object",
        "model_type": "an object",
        "value_error": "values that JSON can hold: no NaN or infinity",
    }
    expected = by_field.get(str(path[-1]) if path else "") or by_type.get(first["type"], first["msg"][0].lower() + first["msg"][1:])
    return f"'{where}' is {shown}", expected
