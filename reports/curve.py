"""The picture of one criterion's map as inline SVG: the judge's rating across, people's up, points, the map, and its band."""

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from golden_set.audit.conformal import interval
from golden_set.audit.findings import CalibrationRow
from judge.calibration import Curve
from judge.rubric import Scale
from reports.numerals import number
from reports.page import render

SIDE = 240.0  # of the square in which the map is drawn, in pixels of the picture
LARGEST, LEAST = 9.0, 3.0  # radius of the heaviest point, and of the lightest


def mapped(row: CalibrationRow, value: float) -> float:
    """Return what a rating of the judge becomes: by the curve that `judge score` would use, or itself where none was fitted."""
    return _curve(row).at(value) if row.fitted and row.judged else value


def reach(row: CalibrationRow) -> list[tuple[int, int]]:
    """Return, for every level of the judge, the levels between which people's ratings lie as often as the band says; empty without one."""
    if not row.fitted or not row.judged or row.band is None:
        return []
    scale = Scale(row.low, row.high)
    found = [interval(_curve(row), scale, level) for level in range(row.low, row.high + 1)]
    return [ends for ends in found if ends is not None]


def _curve(row: CalibrationRow) -> Curve:
    return Curve.model_construct(judged=row.judged, human=row.human, band=row.band)


def levels(row: CalibrationRow) -> list[tuple[int, float]]:
    """Return the levels of the scale, each with what it becomes."""
    return [(level, mapped(row, level)) for level in range(row.low, row.high + 1)]


def flat(row: CalibrationRow) -> bool:
    """Say whether a fitted map says the same whatever the judge says."""
    return row.fitted and bool(row.human) and row.human[0] == row.human[-1]


def kept(row: CalibrationRow) -> bool:
    """Say whether a fitted map leaves every rating as it is."""
    return (
        row.fitted
        and bool(row.human)
        and not flat(row)
        and row.human == row.judged
        and (row.judged[0], row.judged[-1]) == (row.low, row.high)
    )


def told(row: CalibrationRow) -> str:
    """Return the picture in words."""
    if not row.fitted:
        return f"{row.criterion}: no map was fitted; ratings stay as they are"
    if kept(row):
        said = f"{row.criterion}: ratings stay as they are, no map is clearly nearer to people"
    elif flat(row):
        said = f"{row.criterion}: whatever the judge says becomes {number(row.human[0])}"
    else:
        said = f"{row.criterion}: " + ", ".join(f"{level} becomes {number(value)}" for level, value in levels(row))
    return said + (f"; band ±{number(row.band)}" if row.band is not None else "; no band")


def curve(row: CalibrationRow) -> Markup:
    """Return the picture of a map; of a criterion without one, its points and the identity line alone."""
    line = _line(row)
    return render(
        "curve.html.j2",
        name=told(row),
        side=SIDE,
        ticks=[(_at(row, level), str(level)) for level in range(row.low, row.high + 1)],
        line=[_step(row, *ends) for ends in pairwise(line)],
        band=_band(row, line, row.band) if row.band is not None and line else "",
        points=_points(row),
    )


def _at(row: CalibrationRow, value: float) -> float:
    """Return how far along its axis a rating lies; what is outside of the scale is put at the edge."""
    return round(SIDE * min(1.0, max(0.0, (value - row.low) / (row.high - row.low))), 2)


def _line(row: CalibrationRow) -> list[tuple[float, float]]:
    """Return the corners of the map over the whole scale: flat before the first knot and after the last one."""
    if not row.fitted or not row.judged:
        return []
    inner = [(x, y) for x, y in zip(row.judged, row.human, strict=True) if row.low < x < row.high]
    return [(row.low, mapped(row, row.low)), *inner, (row.high, mapped(row, row.high))]


def _step(row: CalibrationRow, start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float, float, float]:
    return _at(row, start[0]), SIDE - _at(row, start[1]), _at(row, end[0]), SIDE - _at(row, end[1])


def _band(row: CalibrationRow, line: Sequence[tuple[float, float]], reach: float) -> str:
    """Return the corners of the band as SVG writes them; the drawing cuts off what lies outside of the scale."""
    scale = SIDE / (row.high - row.low)
    upper = [(_at(row, x), SIDE - (y + reach - row.low) * scale) for x, y in line]
    lower = [(_at(row, x), SIDE - (y - reach - row.low) * scale) for x, y in reversed(line)]
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in (*upper, *lower))


def _points(row: CalibrationRow) -> list[tuple[float, float, float]]:
    """Return place and radius of each point, the heavy ones first so that none hides another; areas are as their weights."""
    most = max((weight for _, _, weight in row.points), default=0.0)
    if most <= 0:
        return []
    heavy = sorted(row.points, key=lambda point: -point[2])
    return [(_at(row, x), SIDE - _at(row, y), round(max(LEAST, LARGEST * math.sqrt(max(0.0, weight) / most)), 2)) for x, y, weight in heavy]
