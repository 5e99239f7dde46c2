"""Which ratings of the golden cases belong together: fresh ones for every purpose and day, the same ones when a killed run goes on."""

from datetime import UTC, date, datetime
from enum import IntEnum

PURPOSES = 10


class Purpose(IntEnum):
    """What golden cases are rated for. The ratings of one purpose never serve another: a baseline is no evidence for itself."""

    CHECK = 1
    ACCEPT = 2
    WATCH = 3
    CONFIRM = 4  # what the monitor asks again after an alarm
    SENSITIVITY = 5
    ATTACK = 6


def today() -> date:
    """Return the day that is written under ratings (UTC)."""
    return datetime.now(UTC).date()


def series_of(purpose: Purpose, day: date) -> int:
    """Return the number of the series of ratings that a purpose asks for on a day (see `judge.pooling.Repeats`)."""
    return day.toordinal() * PURPOSES + purpose
