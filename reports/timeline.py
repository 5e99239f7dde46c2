"""Charts of numbers night by night as inline SVG: lines, a band, limits, and marks for nights of an alarm. As wide as the page."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.chart import Axis
from reports.numerals import number, power_of_ten
from reports.page import render

Numbers = Sequence[float | None]  # one a night; None where there is none


@dataclass(frozen=True, slots=True)
class Line:
    """One row of numbers over the nights; `kind` is `main`, `other` (dashed, square points), `edge` (no points) or `dots` (no line)."""

    kind: str
    values: Numbers


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across all nights, with its name."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class Rise:
    """The vertical axis, from low to high; logarithmic where numbers grow by factors."""

    axis: Axis
    log: bool = False

    def at(self, value: float) -> float:
        """Return where a number lies, in percent from the top."""
        return round(100 - self.axis.at(_tens(value) if self.log else value), 3)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places in percent from the top, with what is written there."""
        if self.log:
            powers = range(math.ceil(self.axis.low), math.floor(self.axis.high) + 1)
            step = max(1, math.ceil(len(powers) / 5))
            return [(100 - self.axis.at(power), _power(power)) for power in powers if power % step == 0]
        return [(100 - self.axis.at(tick), self.axis.write(tick)) for tick in self.axis.ticks]


def _power(power: int) -> str:
    return f"{10.0**power:,g}" if abs(power) < 6 else power_of_ten(power)


def _tens(value: float) -> float:
    return math.log10(max(value, 1e-12))


def linear(values: Sequence[float | None], least: float, write: Callable[[float], str] = number) -> Rise:
    """Return an axis with zero in the middle that reaches past all values, and past `least`."""
    reach = 1.1 * max([abs(value) for value in values if value is not None] + [least])
    return Rise(Axis(-reach, reach, write))


def logarithmic(values: Sequence[float | None], limit: float) -> Rise:
    """Return an axis by factors that reaches past all values and the limit, from a tenth on."""
    known = [_tens(value) for value in values if value is not None]
    return Rise(Axis(-1.0, max([*known, _tens(limit)]) + 0.3), log=True)


def timeline(
    days: Sequence[str], lines: Sequence[Line], rise: Rise, *, name: str, limits: Sequence[Limit] = (), marks: Sequence[str] = ()
) -> Markup:
    """Return the chart.

    Args:
        days: one a night, as they are to be read; the chart begins where the first number is.
        lines: each with a number a night.
        rise: the vertical axis.
        name: what it shows, for those who do not see it.
        limits: lines across all nights.
        marks: the days of an alarm.
    """
    first = next((at for at in range(len(days)) if any(line.values[at] is not None for line in lines)), 0)
    days, lines = days[first:], [Line(line.kind, line.values[first:]) for line in lines]
    wide = max(1, len(days) - 1)
    places = [round(100 * at / wide, 3) if len(days) > 1 else 50.0 for at in range(len(days))]
    drawn = [(line.kind, list(_segments(places, line.values, rise)), list(_points(places, line.values, rise))) for line in lines]
    marked = [places[at] for at, day in enumerate(days) if day in marks]
    labelled = sorted({0, len(days) // 2, len(days) - 1}) if days else []
    return render(
        "timeline.html.j2",
        name=name,
        drawn=drawn,
        limits=[(rise.at(limit.value), limit.name) for limit in limits],
        ticks=rise.ticks,
        marked=marked,
        days=[(places[at], days[at]) for at in labelled],
    )


def _points(places: Sequence[float], values: Numbers, rise: Rise) -> Iterator[tuple[float, float]]:
    return ((place, rise.at(value)) for place, value in zip(places, values, strict=True) if value is not None)


def _segments(places: Sequence[float], values: Numbers, rise: Rise) -> Iterator[tuple[float, float, float, float]]:
    """Yield the lines between nights that follow each other and both have a number."""
    for at in range(1, len(values)):
        before, now = values[at - 1], values[at]
        if before is not None and now is not None:
            yield places[at - 1], rise.at(before), places[at], rise.at(now)
