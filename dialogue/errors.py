"""The errors a person can mend, and how they are worded; programming errors are left to Python.

`Problem` is the root. `UsageProblem` (wrong option, setting, rubric, recipe file) ends a command with status 2.
`InputProblem` concerns one dialogue: the reader or scorer turns it into a `Reject`, and the rest goes on.
A judge that cannot answer raises neither: it returns a `JudgeFailure` (judge.verdict).
"""

from collections.abc import Iterable
from difflib import get_close_matches


class Problem(Exception):
    """What is wrong, the value, what is allowed, what to do next: one line, ready to print."""


class UsageProblem(Problem):
    """The command, a setting or a data file is wrong; nothing was done."""


class InputProblem(Problem):
    """One dialogue cannot be used. `reason` says why, `expected` what would be right."""

    def __init__(self, reason: str, expected: str) -> None:
        self.reason = " ".join(reason.split())  # quoted input may hold line breaks; a problem is one line
        self.expected = " ".join(expected.split())
        super().__init__(f"{self.reason}; expected {self.expected}")


def nearest(name: str, allowed: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the allowed name most like `name` (case ignored), or None when none is close."""
    folded = {option.casefold(): option for option in allowed}
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` or an empty string."""
    match = nearest(name, allowed)
    return f" (did you mean {match!r}?)" if match else ""


def listed(names: Iterable[str]) -> str:
    """Return the names as they stand in a message: `a, b, c`."""
    return ", ".join(names)
