"""The charts of prompt sensitivity: Φ of one rating, where the variance comes from, and what each prompt shifts."""

from markupsafe import Markup

from golden_set.sensitivity_report import Estimate, MeasureFound, SensitivityReport
from golden_set.sensitivity_report import Shift as Shifted
from reports.chart import Bar, Mark, chart, spanning, symmetric
from reports.numerals import UNKNOWN, number, percent, signed
from reports.page import render

PARTS = {"item": "the dialogue or turn", "prompt": "the prompt", "item_prompt": "prompt by item", "residual": "chance"}


def share(found: Estimate) -> str:
    """Return a share with its interval."""
    if found.value is None:
        return UNKNOWN
    return percent(found.value) + (f" [{percent(found.low)}, {percent(found.high)}]" if found.low is not None else "")


def phi_chart(report: SensitivityReport) -> Markup | None:
    """Return Φ of one rating for each measure, beside its target."""
    target = report.targets["phi"]
    bars = [
        Bar(
            label=f"{one.name} ({one.of})",
            point=one.phi.value,
            low=one.phi.low,
            high=one.phi.high,
            figure=f"{number(one.phi.value)} [{number(one.phi.low)}, {number(one.phi.high)}]",
            word=one.decision.value,
            marks=[Mark("floor", target)],
            note=one.why,
        )
        for one in report.measures
    ]
    return chart(bars, spanning([], 0, 1), name=f"Φ of one rating by measure; target {number(target)}") if bars else None


def parts(measure: MeasureFound) -> Markup | None:
    """Return the shares of a measure's variance as one bar; None where nothing varies."""
    shares = measure.variances.shares
    if shares is None:
        return None
    said = ", ".join(f"{PARTS[name]} {percent(value)}" for name, value in shares.items())
    at, pieces = 0.0, []
    for name, value in shares.items():
        width = 100 * max(0.0, value)
        pieces.append((name, at, width))
        at += width
    return render("parts.html.j2", pieces=pieces, said=said, name=f"{measure.name} ({measure.of})")


def shift_charts(report: SensitivityReport) -> list[tuple[str, str, Markup]]:
    """Return a chart for each prompt against the plain one: its name, its arm, and the shift of every measure in levels of 1-5."""
    spans = {(pair.prompt, row.of, row.measure): _of_five(row) for pair in report.compared for row in pair.shifts}
    margin = report.targets["range_of_five"]
    axis = symmetric([bound for span in spans.values() for bound in span], 2 * margin, signed)
    made = []
    for pair in report.compared:
        bars = []
        for row in pair.shifts:
            low, high = spans[pair.prompt, row.of, row.measure]
            figure = f"{signed(row.of_five)} [{signed(low)}, {signed(high)}]"
            bars.append(Bar(f"{row.measure} ({row.of})", row.of_five, low, high, figure, band=(-margin, margin)))
        name = f"{pair.prompt} against the plain prompt: shift of each measure"
        made.append((pair.prompt, pair.arm.value, chart(bars, axis, name=name, zero=0)))
    return made


def _of_five(row: Shifted) -> tuple[float | None, float | None]:
    """Return the bounds in levels of a scale from 1 to 5, as `of_five` is."""
    if row.low is None or row.high is None or not row.mean:
        return (None, None) if row.mean else (row.low, row.high)
    times = row.of_five / row.mean
    return row.low * times, row.high * times
