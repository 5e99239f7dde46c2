"""Our own format: one dialogue a line, `{"id", "turns": [{"role", "text", …}], "outcome"?, "meta"?}`."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from dialogue.errors import InputProblem, nearest
from dialogue.reader import Found, Head, Reject
from dialogue.readers.jsonl import transcript
from dialogue.readers.objects import read_objects
from dialogue.source import Source
from dialogue.transcript import Transcript, Turn

_KEYS = frozenset(Transcript.model_fields)
_TURN_KEYS = frozenset(Turn.model_fields)


class NativeReader:
    """Reads the native format. Unknown keys are ignored and counted, unless they look like a slip of the pen."""

    name = "native"

    def sniff(self, head: Head) -> bool:
        return any(isinstance(found.get("turns"), list) for found in head.objects)

    def read(self, source: Source) -> Iterator[Found | Reject]:
        return read_objects(source, _parse, _KEYS)


def _parse(raw: dict[str, Any], _fallback_id: str) -> Transcript:
    _refuse_slips(frozenset(raw), _KEYS)
    turns = raw.get("turns")
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, dict):
            _refuse_slips(frozenset(turn), _TURN_KEYS)
    return transcript(raw)


@lru_cache(maxsize=1024)
def _refuse_slips(keys: frozenset[str], known: frozenset[str]) -> None:
    """Raise InputProblem where a misspelt key would silently lose a value (`ouctome`)."""
    for key in sorted(keys - known):
        meant = nearest(key, known - keys, cutoff=0.75)
        if meant:
            raise InputProblem(f"unknown key {key!r}", f"{meant!r} (if {key!r} is something else, rename it)")
