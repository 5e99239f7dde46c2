"""tau-bench result files: `[{"task_id", "trial", "reward", "info", "traj": [messages]}]`; the reward is the outcome."""

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

_KEYS = frozenset({"task_id", "trial", "reward", "info", "traj"})
_LOOK = re.compile(r'\s*\[\s*\{[^{}]*"(task_id|reward|trial|traj)"\s*:', re.DOTALL)


class TauBenchReader:
    """Reads tau-bench results. A row with `info.error` was cut short: its 0.0 is not an outcome, and it gets none."""

    name = "tau-bench"

    def sniff(self, head: Head) -> bool:
        return _LOOK.match(head.text) is not None

    def read(self, source: Source) -> Iterator[Found | Reject]:
        return read_rows(source, None, _parse, _KEYS)


def _parse(row: dict[str, Any], fallback_id: str) -> Transcript:
    info = row.get("info")
    error = info.get("error") if isinstance(info, dict) else None
    if error and not row.get("traj"):
        raise InputProblem(f"the run failed before anything was said ({str(error)[:120]})", "a run with a 'traj'")
    stem = fallback_id.rsplit(":", 1)[0]
    named = "task_id" in row and "trial" in row
    return transcript(
        {
            "id": f"{stem}-task{row['task_id']}-trial{row['trial']}" if named else fallback_id,
            "turns": turns_of(row.get("traj"), "traj"),
            "outcome": None if error else row.get("reward"),
            "meta": {"task_id": row.get("task_id"), "trial": row.get("trial")} | ({"error": str(error)} if error else {}),
        }
    )
