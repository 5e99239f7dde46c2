"""Charts of intervals as inline SVG: one row a thing, with its bounds, its point, its marks and a word. Text stays text.

Positions are percentages of a drawing without a view box, so that a chart is as wide as its page and its letters keep their size.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from reports.numerals import number
from reports.page import render

FEW = 6  # steps of an axis at most


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of numbers laid out from left to right."""

    low: float
    high: float
    write: Callable[[float], str] = number

    def at(self, value: float) -> float:
        """Return where a number lies, in percent of the width; what lies outside is put at the edge."""
        return round(100 * min(1.0, max(0.0, (value - self.low) / (self.high - self.low))), 3)

    @property
    def ticks(self) -> list[float]:
        """Round numbers at equal steps."""
        rough = (self.high - self.low) / FEW
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 12) for at in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a row beside its point: `baseline` (a hollow diamond), `people` (a triangle) or `floor` (a dashed line)."""

    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: what it is called, its interval (None: not known), its figure in words, the word of its decision, a shaded band."""

    label: str
    point: float | None
    low: float | None
    high: float | None
    figure: str
    word: str = ""
    marks: Sequence[Mark] = field(default=())
    note: str = ""
    band: tuple[float, float] | None = None


def symmetric(values: Iterable[float | None], least: float, write: Callable[[float], str]) -> Axis:
    """Return an axis with zero in the middle that reaches past all values, and past `least`."""
    reach = 1.08 * max([abs(value) for value in values if value is not None] + [least])
    return Axis(-reach, reach, write)


def spanning(values: Iterable[float | None], low: float, high: float, write: Callable[[float], str] = number) -> Axis:
    """Return an axis from `low` to `high`, longer where values lie outside."""
    known = [value for value in values if value is not None]
    return Axis(min([low, *(value - 0.03 for value in known if value < low)]), max([high, *known]), write)


def chart(bars: Sequence[Bar], axis: Axis, *, name: str, zero: float | None = None) -> Markup:
    """Return the chart.

    Args:
        name: what it shows, for those who do not see it.
        zero: a line through every row.
    """
    return render("chart.html.j2", bars=bars, axis=axis, name=name, zero=zero)
