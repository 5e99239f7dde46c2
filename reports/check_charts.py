"""The charts of a golden check: what moved since the baseline, how far the judge agrees with the labels, and the slices."""

from itertools import groupby

from markupsafe import Markup

from golden_set.findings import CheckReport
from reports.chart import Bar, Mark, chart, spanning, symmetric
from reports.numerals import UNKNOWN, number, signed

SEEN = 0.005  # levels: what is less rounds to 0.00


def drift_chart(report: CheckReport) -> Markup | None:
    """Return the shift of each criterion, within its own margin; without a baseline, None."""
    if not report.drift:
        return None
    margins = {row.margin for row in report.drift}
    axis = symmetric((bound for row in report.drift for bound in (row.low, row.high)), 2 * max(margins), signed)
    bars = [
        Bar(
            label=row.criterion,
            point=row.shift,
            low=row.low,
            high=row.high,
            figure=f"{signed(row.shift)} [{signed(row.low)}, {signed(row.high)}]",
            word=row.decision.value,
            band=(-row.margin, row.margin),
            note=f"{row.episodes} dialogues; margin ±{number(row.margin)}{_noise(row.noise, row.noise_now)}",
        )
        for row in report.drift
    ]
    return chart(bars, axis, name="Mean shift of each criterion since the baseline, with its bounds and margin", zero=0)


def _noise(before: float | None, now: float | None) -> str:
    """Return the standard deviation of a single rating in words, where it is known and not nothing."""
    if not before or before < SEEN:
        return ""
    return f"; noise {number(before)}" + (f", now {number(now)}" if now is not None else "")


def agreement_chart(report: CheckReport) -> Markup | None:
    """Return kappa by criterion, first the mean that the gate asks about; None where nothing was rated."""
    if not report.against_labels:
        return None
    bars = []
    for finding in report.findings:
        if finding.name == "agreement" and finding.figure is not None:
            floor = report.gate.kappa_floor if report.gate.human_gap is None else None
            bars.append(
                Bar(
                    label="mean of the criteria",
                    point=finding.figure,
                    low=finding.low,
                    high=finding.high,
                    figure=_kappa(finding.figure, finding.low, finding.high),
                    word=finding.decision.value if finding.decision else "",
                    marks=[Mark("floor", floor)] if floor is not None else [],
                    note=f"asked: {finding.asked}" if finding.asked else "",
                )
            )
    for row in report.against_labels:
        marks = [("baseline", row.baseline), ("people", row.people)]
        said = [f"baseline {number(row.baseline)}"] if row.baseline is not None else []
        said += [f"labellers {number(row.people)}"] if row.people is not None else []
        bars.append(
            Bar(
                label=row.criterion,
                point=row.kappa,
                low=row.low,
                high=row.high,
                figure=_kappa(row.kappa, row.low, row.high),
                marks=[Mark(kind, value) for kind, value in marks if value is not None],
                note="; ".join(said),
            )
        )
    axis = spanning((bound for bar in bars for bound in (bar.low, bar.high, *(mark.value for mark in bar.marks))), 0.0, 1.0)
    return chart(bars, axis, name="Agreement with the labels: quadratic-weighted kappa by criterion", zero=0)


def _kappa(value: float | None, low: float | None, high: float | None) -> str:
    return f"{number(value)} [{number(low)}, {number(high)}]" if value is not None else f"{UNKNOWN} (not defined)"


def slice_charts(report: CheckReport) -> list[tuple[str, Markup]]:
    """Return a chart of shifts for each kind of slice, all on one axis."""
    bounds = [bound for row in report.slices for bound in (row.low, row.high)]
    axis = symmetric([*bounds, *(row.shift for row in report.slices)], 2 * report.gate.margin, signed)
    charts = []
    for kind, rows in groupby(report.slices, key=lambda row: row.slice.partition(":")[0]):
        bars = [
            Bar(
                label=row.slice.partition(":")[2] or row.slice,
                point=row.shift,
                low=row.low,
                high=row.high,
                figure=f"{signed(row.shift)} [{signed(row.low)}, {signed(row.high)}]",
                word="MOVED" if row.moved else "",
                band=(-report.gate.margin, report.gate.margin),
                note=f"{row.episodes} dialogues, p = {number(row.p)}",
            )
            for row in rows
        ]
        charts.append((kind, chart(bars, axis, name=f"Mean shift of the handling since the baseline, by {kind}", zero=0)))
    return charts
