"""What was said and how it ended: transcripts, and readers of the formats they come in.

The public names are loaded when first asked for, so that whoever needs one file of this room does not wait for all of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialogue.errors import InputProblem, Problem, UsageProblem
    from dialogue.reader import Reader, Reject
    from dialogue.reading import read_transcripts
    from dialogue.transcript import Role, Transcript, Turn

_HOMES = {
    "InputProblem": "errors",
    "Problem": "errors",
    "Reader": "reader",
    "Reject": "reader",
    "Role": "transcript",
    "Transcript": "transcript",
    "Turn": "transcript",
    "UsageProblem": "errors",
    "read_transcripts": "reading",
}

__all__ = [
    "InputProblem",
    "Problem",
    "Reader",
    "Reject",
    "Role",
    "Transcript",
    "Turn",
    "UsageProblem",
    "read_transcripts",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'dialogue' has no attribute {name!r}")
    return getattr(import_module(f"dialogue.{_HOMES[name]}"), name)
