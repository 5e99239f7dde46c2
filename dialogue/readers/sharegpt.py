"""ShareGPT, `{"conversations": [{"from": "human", "value": "…"}], "system"?, "tools"?}`: a line each, or one JSON array."""

from collections.abc import Iterator
from typing import Any

from dialogue.errors import InputProblem, did_you_mean, listed
from dialogue.reader import Found, Head, Reject
from dialogue.readers.jsonl import kind_of, transcript
from dialogue.readers.objects import id_of, read_objects
from dialogue.source import Source
from dialogue.transcript import Transcript

_KEYS = frozenset({"id", "conversations", "system", "tools", "outcome", "meta"})
_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "agent",
    "assistant": "agent",
    "chatgpt": "agent",
    "bot": "agent",
    "model": "agent",
    "system": "system",
    "function_call": "tool",
    "observation": "tool",
    "tool": "tool",
}


class ShareGPTReader:
    """Reads ShareGPT JSONL. A line without `id` is named `file:line`."""

    name = "sharegpt"

    def sniff(self, head: Head) -> bool:
        return any(isinstance(found.get("conversations"), list) for found in head.objects)

    def read(self, source: Source) -> Iterator[Found | Reject]:
        return read_objects(source, _parse, _KEYS)


def _parse(raw: dict[str, Any], fallback_id: str) -> Transcript:
    said = raw.get("conversations")
    if not isinstance(said, list):
        raise InputProblem(f"'conversations' is a JSON {kind_of(said)}", "an array of {'from', 'value'}")
    system = [{"role": "system", "text": raw["system"]}] if raw.get("system") else []
    return transcript(
        {
            "id": id_of(raw, fallback_id),
            "turns": system + [_turn(item, number) for number, item in enumerate(said)],
            "outcome": raw.get("outcome"),
            "meta": raw.get("meta") or {},
        }
    )


def _turn(item: object, number: int) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise InputProblem(f"'conversations[{number}]' is a JSON {kind_of(item)}", "an object with 'from' and 'value'")
    speaker = item.get("from")
    if not isinstance(speaker, str) or speaker not in _ROLES:
        raise InputProblem(f"'conversations[{number}].from' is {speaker!r}{did_you_mean(str(speaker), _ROLES)}", f"one of {listed(_ROLES)}")
    return {"role": _ROLES[speaker], "text": item.get("value")}
