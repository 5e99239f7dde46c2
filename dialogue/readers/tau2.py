"""tau2 result files: `{"info", "tasks", "simulations": [{"messages", "reward_info": {"reward"}}]}`; the reward is the outcome."""

import re
from collections.abc import Iterator
from typing import Any

from dialogue.errors import InputProblem
from dialogue.reader import Found, Head, Reject
from dialogue.readers.json_rows import read_rows
from dialogue.readers.jsonl import transcript
from dialogue.readers.messages import turns_of
from dialogue.source import Source
from dialogue.transcript import Transcript

_KEYS = frozenset({"id", "task_id", "trial", "messages", "reward_info", "termination_reason", "info"})
# The tasks may fill the whole head, so `simulations` itself need not be in it.
_LOOK = re.compile(r'\s*\{\s*"(timestamp|info|tasks|simulations)"\s*:')


class Tau2Reader:
    """Reads tau2 results. A run with an `error` is no outcome; voice runs (`ticks`, no `messages`) are refused."""

    name = "tau2"

    def sniff(self, head: Head) -> bool:
        return _LOOK.match(head.text) is not None and ('"simulations"' in head.text or '"tasks"' in head.text)

    def read(self, source: Source) -> Iterator[Found | Reject]:
        return read_rows(source, "simulations", _parse, _KEYS)


def _parse(row: dict[str, Any], fallback_id: str) -> Transcript:
    if row.get("ticks") and not row.get("messages"):
        raise InputProblem("a voice run ('ticks' without 'messages')", "a text run with 'messages'")
    info = row.get("info")
    error = row.get("error") or (info.get("error") if isinstance(info, dict) else None)
    graded = row.get("reward_info")
    reward = graded.get("reward") if isinstance(graded, dict) else None
    kept = {key: row[key] for key in ("task_id", "trial", "termination_reason") if key in row}
    return transcript(
        {
            "id": row.get("id", fallback_id),
            "turns": turns_of(row.get("messages"), "messages"),
            "outcome": None if error else reward,
            "meta": kept | ({"error": str(error)} if error else {}),
        }
    )
