"""Pictures that stand alone as SVG files: panels of lines or of dots with intervals, one above the other; light and dark, text stays text.

They are drawn narrow, so that they can still be read on a telephone; what a number means is not known here.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup

from reports.chart import Axis
from reports.numerals import number
from reports.page import render

WIDTH, LEFT, RIGHT = 480.0, 42.0, 12.0
SMALL, CAPITAL = 6.3, 8.6  # about how wide a letter of a legend is
LABEL = 158.0  # how wide the names of rows are
ROW, HEAD = 19.0, 24.0
BESIDE = "beside"  # what stands beside an interval: a hollow mark
Place = Callable[[float], float]  # where a value lies


class Stroke(NamedTuple):
    """A line through points, as SVG writes them."""

    kind: str
    points: str


class Spot(NamedTuple):
    """A point: `shape` is `disc`, `square`, `diamond` or `triangle`."""

    kind: str
    shape: str
    x: float
    y: float


class Word(NamedTuple):
    """A text; `anchor` is start, middle or end."""

    kind: str
    x: float
    y: float
    anchor: str
    text: str


@dataclass(slots=True)
class Panel:
    """What a part of a picture is made of, from its own top down.

    Attributes:
        areas: filled, below everything.
        rules: straight lines, below what is drawn.
    """

    height: float
    areas: list[Stroke] = field(default_factory=list)
    rules: list[Stroke] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of numbers with intervals.

    Attributes:
        kind: `tone0` to `tone5`.
        points: (place, value, low, high), places rising; low and high None without an interval.
        marked: points and bars are drawn; else a band.
    """

    kind: str
    name: str
    points: Sequence[tuple[float, float, float | None, float | None]]
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A row: its name, an interval, and what else is known of it as `(shape, value)`; a row without a value begins a group."""

    kind: str
    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    beside: Sequence[tuple[str, float]] = ()


SHAPES = {"tone0": "disc", "tone1": "square", "tone2": "diamond", "tone3": "triangle", "tone4": "disc", "tone5": "disc"}


def picture(panels: Sequence[Panel], name: str, *, alone: bool) -> Markup:
    """Return the panels one above the other.

    Args:
        name: what it shows, for those who do not see it.
        alone: a file of its own, with its colours; else a piece of a page, which has them.
    """
    tops = [sum(panel.height for panel in panels[:at]) for at in range(len(panels))]
    height = math.ceil(sum(panel.height for panel in panels))
    return render("picture.svg.j2", panels=list(zip(tops, panels, strict=True)), name=name, alone=alone, width=WIDTH, height=height)


def legend(items: Sequence[tuple[str, str, str]]) -> Panel:
    """Return a legend: kind, shape (empty: a line alone) and name of each."""
    panel, x, y = Panel(0), 10.0, 16.0
    for kind, shape, name in items:
        wide = 32 + sum(CAPITAL if letter.isupper() else SMALL for letter in name)
        if x > 10 and x + wide > WIDTH:
            x, y = 10.0, y + 18
        if kind != BESIDE:
            panel.strokes.append(Stroke(kind, f"{x:.1f},{y - 4:.1f} {x + 20:.1f},{y - 4:.1f}"))
        if shape:
            panel.spots.append(Spot(kind, shape, x + 10, y - 4))
        panel.words.append(Word("name", x + 26, y, "start", name))
        x += wide + 8
    panel.height = y + 6
    return panel


def lines(
    title: str,
    drawn: Sequence[Line],
    rise: Axis,
    ticks: Sequence[tuple[float, str]],
    *,
    below: str,
    limits: Sequence[tuple[float, str]] = (),
    high: float = 190.0,
) -> Panel:
    """Return lines over places from the first tick to the last.

    Args:
        rise: the vertical axis.
        ticks: places across, with what is written there.
        below: what the places are.
        limits: values that go right across, with their names.
        high: of the drawing itself.
    """
    panel = Panel(HEAD + high + 46)
    first, last = ticks[0][0], ticks[-1][0]

    def across(place: float) -> float:
        return LEFT + 6 + (WIDTH - LEFT - RIGHT - 12) * (place - first) / (last - first)

    def up(value: float) -> float:
        return HEAD + high * (1 - rise.at(value) / 100)

    panel.words.append(Word("title", 6, 14, "start", title))
    for tick in rise.ticks:
        panel.rules.append(Stroke("grid", f"{LEFT:.1f},{up(tick):.2f} {WIDTH - RIGHT:.1f},{up(tick):.2f}"))
        panel.words.append(Word("tick", LEFT - 6, up(tick) + 4, "end", rise.write(tick)))
    for value, name in limits:
        panel.rules.append(Stroke("limit", f"{LEFT:.1f},{up(value):.2f} {WIDTH - RIGHT:.1f},{up(value):.2f}"))
        panel.words.append(Word("limit", LEFT + 6, up(value) - 4, "start", name))
    panel.rules.append(Stroke("edge", f"{LEFT:.1f},{HEAD + high:.1f} {WIDTH - RIGHT:.1f},{HEAD + high:.1f}"))
    for place, text in ticks[:-1]:
        panel.words.append(Word("tick", across(place), HEAD + high + 16, "middle", text))
    panel.words.append(Word("tick", WIDTH - 4, HEAD + high + 16, "end", ticks[-1][1]))
    panel.words.append(Word("tick", WIDTH - RIGHT, HEAD + high + 34, "end", below))
    for line in drawn:
        _line(panel, line, across, up)
    return panel


def _line(panel: Panel, line: Line, across: Place, up: Place) -> None:
    path = " ".join(f"{across(place):.1f},{up(value):.1f}" for place, value, _, _ in line.points)
    panel.strokes.append(Stroke(line.kind, path))
    known = [(across(place), up(low), up(high)) for place, _, low, high in line.points if low is not None and high is not None]
    if line.marked:
        panel.strokes += [Stroke(f"{line.kind} bar", f"{x:.1f},{low:.1f} {x:.1f},{high:.1f}") for x, low, high in known]
        shape = SHAPES[line.kind]
        panel.spots += [Spot(line.kind, shape, across(place), up(value)) for place, value, _, _ in line.points]
    elif known:
        there = [f"{x:.1f},{high:.1f}" for x, _, high in known]
        back = [f"{x:.1f},{low:.1f}" for x, low, _ in reversed(known)]
        panel.areas.append(Stroke(line.kind, " ".join([*there, *back])))


def dots(title: str, rows: Sequence[Dot], axis: Axis, *, zero: bool = True) -> Panel:
    """Return rows with their names to the left and intervals to the right."""
    panel = Panel(HEAD + ROW * len(rows) + 32)

    def across(value: float) -> float:
        return LABEL + (WIDTH - LABEL - RIGHT) * axis.at(value) / 100

    end = HEAD + ROW * len(rows)
    panel.words.append(Word("title", 6, 14, "start", title))
    for tick in axis.ticks:
        kind = "zero" if zero and tick == 0 else "grid"
        panel.rules.append(Stroke(kind, f"{across(tick):.1f},{HEAD:.1f} {across(tick):.1f},{end:.1f}"))
        panel.words.append(Word("tick", across(tick), end + 16, "middle", axis.write(tick)))
    panel.rules.append(Stroke("edge", f"{LABEL:.1f},{end:.1f} {WIDTH - RIGHT:.1f},{end:.1f}"))
    for at, row in enumerate(rows):
        y = HEAD + ROW * (at + 0.5)
        group = row.value is None and not row.beside
        panel.words.append(Word("group" if group else "name", 6 if group else 16, y + 4, "start", row.name))
        if row.low is not None and row.high is not None:
            panel.strokes.append(Stroke(f"{row.kind} interval", f"{across(row.low):.1f},{y:.1f} {across(row.high):.1f},{y:.1f}"))
        panel.spots += [Spot(BESIDE, shape, across(value), y) for shape, value in row.beside]
        if row.value is not None:
            panel.spots.append(Spot(row.kind, SHAPES[row.kind], across(row.value), y))
    return panel


def reaching(values: Sequence[float], places: int = 1) -> Axis:
    """Return an axis that holds all values, with a little room."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.1
    return Axis(low - room, high + room, lambda value: number(value, places))
