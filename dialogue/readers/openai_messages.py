"""OpenAI chat messages, `{"messages": […]}` or TRL's `{"prompt": […], "completion": […]}`: a line each, or one JSON array."""

from collections.abc import Iterator
from typing import Any

from dialogue.reader import Found, Head, Reject
from dialogue.readers.jsonl import transcript
from dialogue.readers.messages import turns_of
from dialogue.readers.objects import id_of, read_objects
from dialogue.source import Source
from dialogue.transcript import Transcript

_KEYS = frozenset({"id", "messages", "prompt", "completion", "outcome", "meta", "metadata"})


class OpenAIMessagesReader:
    """Reads messages JSONL. A line without `id` is named `file:line`."""

    name = "openai"

    def sniff(self, head: Head) -> bool:
        return any(_messages(found) is not None for found in head.objects)

    def read(self, source: Source) -> Iterator[Found | Reject]:
        return read_objects(source, _parse, _KEYS)


def _messages(raw: dict[str, Any]) -> object:
    """Return the messages of a line, or None if it has none."""
    if "messages" in raw:
        return raw["messages"]
    prompt, completion = raw.get("prompt"), raw.get("completion")
    return prompt + completion if isinstance(prompt, list) and isinstance(completion, list) else None


def _parse(raw: dict[str, Any], fallback_id: str) -> Transcript:
    return transcript(
        {
            "id": id_of(raw, fallback_id),
            "turns": turns_of(_messages(raw), "messages"),
            "outcome": raw.get("outcome"),
            "meta": raw.get("meta", raw.get("metadata")) or {},
        }
    )
