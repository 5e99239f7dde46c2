"""Charts of a training as inline SVG: lines and bands over the steps. As wide as the page; what a number means is not known here."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.chart import Axis
from reports.numerals import number
from reports.page import render
from reports.timeline import Rise

Point = tuple[float, float]  # step, value


@dataclass(frozen=True, slots=True)
class Trace:
    """A line.

    Attributes:
        kind: `main`, `other` (dashed), or `term0` to `term5`.
        name: what it is called at its end; empty where the chart's name says it.
        points: steps rising; value None where there is none: the line has a gap there.
        margins: how far a band reaches to each side of each point; empty without a band.
    """

    kind: str
    name: str
    points: Sequence[tuple[float, float | None]]
    margins: Sequence[float | None] = ()


def learning_curve(traces: Sequence[Trace], steps: int, *, name: str, zero: bool = False) -> Markup:
    """Return the chart.

    Args:
        traces: lines, each with at least one value.
        steps: where the horizontal axis ends.
        name: what it shows, for those who do not see it.
        zero: draw a line at zero, if it is within the range.
    """
    rise = _rise([value for trace in traces for value in _reach(trace)])
    low, high = rise.axis.low, rise.axis.high
    return render(
        "learning_curve.html.j2",
        name=name,
        ticks=rise.ticks,
        zero=rise.at(0.0) if zero and not rise.log and low < 0 < high else None,
        traces=[
            {
                "kind": trace.kind,
                "name": trace.name,
                "bands": [_outline(part, steps, rise) for part in _banded(trace)],
                "lines": [_corners(part, steps, rise) for part in _unbroken(trace.points)],
            }
            for trace in traces
        ],
        places=[(0, "0"), (50, short(steps / 2)), (100, short(steps))],
    )


def short(steps: float) -> str:
    """Return a number of steps as it is written at an axis: 250, 12.5 k, 3 M."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if steps >= size:
            return f"{steps / size:.3g}{unit}"
    return f"{steps:g}"


def _rise(values: Sequence[float]) -> Rise:
    """Return an axis that holds all values; by factors where they are above zero and span more than two powers of ten."""
    low, high = min(values), max(values)
    if low > 0 and high / low > 100:
        return Rise(Axis(math.log10(low) - 0.1, math.log10(high) + 0.1), log=True)
    room = 0.06 * (high - low) or max(0.06 * abs(high), 1e-3)
    ticks = Axis(low - room, high + room).ticks
    places = next((places for places in range(7) if all(abs(round(tick, places) - tick) < 1e-9 for tick in ticks)), 7)
    return Rise(Axis(low - room, high + room, lambda value: number(value, places)))


def _reach(trace: Trace) -> Iterator[float]:
    margins = trace.margins or [None] * len(trace.points)
    for (_, value), margin in zip(trace.points, margins, strict=True):
        if value is not None:
            yield from (value - (margin or 0.0), value + (margin or 0.0))


def _unbroken(points: Sequence[tuple[float, float | None]]) -> Iterator[list[Point]]:
    """Yield the stretches of points that have a value; one alone as two, so that it is seen."""
    part: list[Point] = []
    for step, value in [*points, (0.0, None)]:
        if value is not None:
            part.append((step, value))
        elif part:
            yield part if len(part) > 1 else [part[0], part[0]]
            part = []


def _banded(trace: Trace) -> Iterator[list[tuple[float, float, float]]]:
    part: list[tuple[float, float, float]] = []
    for (step, value), margin in zip([*trace.points, (0.0, None)], [*trace.margins, None], strict=False):
        if value is not None and margin is not None:
            part.append((step, value - margin, value + margin))
        elif part:
            yield part
            part = []
    if part:
        yield part


def _corners(points: Sequence[Point], steps: int, rise: Rise) -> str:
    return " ".join(f"{100 * step / max(steps, 1):.2f},{rise.at(value):.2f}" for step, value in points)


def _outline(part: Sequence[tuple[float, float, float]], steps: int, rise: Rise) -> str:
    upper = [(step, high) for step, _, high in part]
    lower = [(step, low) for step, low, _ in reversed(part)]
    return _corners([*upper, *lower], steps, rise)
