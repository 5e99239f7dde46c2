"""PASS, FAIL or UNDECIDED: what a statistical gate can say. Not being able to tell is no pass."""

from collections.abc import Iterable
from enum import StrEnum


class Decision(StrEnum):
    """The three answers."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"


STATUS = {Decision.PASS: 0, Decision.FAIL: 1, Decision.UNDECIDED: 3}  # of the process
UNREACHED = 4  # the judge could not be reached, or failed too often


def together(decisions: Iterable[Decision]) -> Decision:
    """Return FAIL if any fails, PASS if all pass, else UNDECIDED (an intersection-union test: no correction is needed)."""
    given = set(decisions)
    if Decision.FAIL in given:
        return Decision.FAIL
    return Decision.PASS if given == {Decision.PASS} else Decision.UNDECIDED
