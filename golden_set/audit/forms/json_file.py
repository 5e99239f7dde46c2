"""JSON files as other tools write them, with or without a byte order mark."""

from pathlib import Path
from typing import Any

from pydantic_core import from_json

from dialogue.errors import UsageProblem


def content(path: Path) -> bytes:
    """Return a file without its byte order mark.

    Raises:
        UsageProblem: it cannot be read.
    """
    try:
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise UsageProblem(f"cannot read {path}: {error.strerror or error}") from error


def parsed(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        UsageProblem: it cannot be read.
        ValueError: it is no JSON.
    """
    return from_json(content(path), allow_inf_nan=False)


def objects(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON array; none where a file is anything else, which `knows` of a form may ask about any file."""
    try:
        found = parsed(path)
    except (UsageProblem, ValueError):
        return []
    return found if isinstance(found, list) and all(isinstance(one, dict) for one in found) else []
