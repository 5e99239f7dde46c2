"""What was said and how it ended: transcripts, and readers of the formats they come in."""

from dialogue.errors import InputProblem, Problem, UsageProblem
from dialogue.reader import Reader, Reject, readers
from dialogue.reading import read_transcripts
from dialogue.transcript import Role, Transcript, Turn

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
    "readers",
]
