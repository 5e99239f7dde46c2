"""Makes a good answer bad: broken off, or beside its schema in one of four ways; what else can go wrong is not here."""

import json
import re
from typing import Any

_TURN_NAME = re.compile(r"t\d+")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object that may hold a key twice."""


def break_off(text: str) -> str:
    """Return the first half."""
    return text[: len(text) // 2]


def beside_schema(text: str, way: int) -> str:
    """Return a JSON answer with, by `way`: a turn renamed, a rating out of range, a value missing, or a key given twice."""
    answer = json.loads(text, object_pairs_hook=_Pairs) if text.startswith("{") else None
    if not answer:
        return '{"answer":null}'
    (_rename, _overrate, _drop, _double)[way % 4](answer)
    return _dump(answer)


def _objects(value: Any) -> list[_Pairs]:
    """Return all objects, inner ones after those around them."""
    inner = [item for _, item in value] if isinstance(value, _Pairs) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, _Pairs) and value else []
    return own + [found for item in inner for found in _objects(item)]


def _with_turns(answer: _Pairs) -> _Pairs:
    return next((found for found in _objects(answer) if any(_TURN_NAME.fullmatch(name) for name, _ in found)), answer)


def _rename(answer: _Pairs) -> None:
    turns = _with_turns(answer)
    turns[0] = ("t9999", turns[0][1])


def _overrate(answer: _Pairs) -> None:
    for found in _objects(answer):
        for place, (name, value) in enumerate(found):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                found[place] = (name, 99)
                return
    last = _objects(answer)[-1]
    last[-1] = (last[-1][0], "nonsense")


def _drop(answer: _Pairs) -> None:
    _objects(answer)[-1].pop()


def _double(answer: _Pairs) -> None:
    turns = _with_turns(answer)
    turns.insert(1, (turns[0][0], turns[-1][1]))


def _dump(value: Any) -> str:
    if isinstance(value, _Pairs):
        return "{" + ",".join([f"{json.dumps(name)}:{_dump(item)}" for name, item in value]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_dump(item) for item in value]) + "]"
    return json.dumps(value)
