"""What is plugged in by entry points, found once in a process: to look through all that is installed takes longer than many commands."""

import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any


def installed(group: str) -> dict[str, EntryPoint]:
    """Return what is plugged into a group, such as `judge.readers`, by name and in the order of the names."""
    found = _found(tuple(sys.path)).select(group=group)
    return {point.name: point for point in sorted(found, key=lambda point: point.name)}


@cache
def _found(path: tuple[str, ...]) -> Any:
    return entry_points()
