"""One dialogue an object: a line each (JSONL), or the elements of one JSON array; what most formats of conversations are."""

from collections.abc import Callable, Iterator
from typing import Any

from dialogue.reader import Found, Head, Reject
from dialogue.readers.json_rows import read_rows
from dialogue.readers.jsonl import read_jsonl
from dialogue.source import Source
from dialogue.transcript import Transcript


def read_objects(source: Source, parse: Callable[[dict[str, Any], str], Transcript], known: frozenset[str]) -> Iterator[Found | Reject]:
    """Yield a transcript or a reject for every object of `source`; see `read_jsonl` for the arguments."""
    if Head(source.head).is_array:
        return read_rows(source, None, parse, known)
    return read_jsonl(source, parse, known)


def id_of(raw: dict[str, Any], fallback_id: str) -> Any:
    """Return the object's id; whole numbers, as some exports have them, become texts."""
    found = raw.get("id", fallback_id)
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else found
