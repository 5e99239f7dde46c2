"""The charts of an audit: means by judge, by people and by both, their differences, agreement, bias, slices and violations."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from golden_set.audit.estimates import ALL, VIOLATION
from golden_set.audit.findings import AuditReport, DifferenceRow, EstimateRow, Interval
from golden_set.audit.trust import MARGIN
from reports.audit_table import by_kind, count_for, kind_of, main_measure, of_what, off, percent_signed, short, told, tolerated
from reports.chart import Axis, Bar, Mark, chart, spanning, symmetric
from reports.numerals import number, percent, signed, whole

FIRST = ("", "policy")  # kinds of slices that are shown at once
MANY = 8  # groups of a kind beyond which it is folded, if it is none of the first
Write = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A chart with its title; `folded` where it is one of many."""

    title: str
    drawn: Markup
    folded: bool = False


def mean_charts(report: AuditReport) -> list[Shown]:
    """Return the mean reward by judge, people and both: of all and by policy first, then by each other kind of slice.

    Where rewards are not known, it is the mean handling.
    """
    measure = main_measure(report)
    rows = [row for row in report.estimates if row.of == measure]
    axis = _reaching((bound for row in rows for bound in (row.judge, *_bounds(row.people), *_bounds(row.both))), signed)
    kinds = by_kind(row.group for row in rows)
    together = [row for kind in FIRST for row in rows if kind_of(row.group) == kind]
    made = [Shown("All dialogues, and by policy", _triples(together, axis, signed, f"Mean {measure}"))] if together else []
    for kind in kinds:
        if kind not in FIRST:
            some = [row for row in rows if kind_of(row.group) == kind]
            made.append(Shown(f"By {kind}", _triples(some, axis, signed, f"Mean {measure} by {kind}"), len(some) > MANY))
    return made


def violation_rate_charts(report: AuditReport) -> list[Shown]:
    """Return the share of dialogues with a violation, by judge, people and both: of all and by policy."""
    made = []
    for of in of_what(report, lambda name: name.startswith(VIOLATION)):
        rows = [row for kind in FIRST for row in report.estimates if row.of == of and kind_of(row.group) == kind]
        bounds = [bound for row in rows for bound in (row.judge, *_bounds(row.people), *_bounds(row.both)) if bound is not None]
        axis = Axis(min([0.0, *bounds]), max([0.05, *(1.05 * bound for bound in bounds)]), percent)
        if rows:
            made.append(Shown(f"Share of dialogues with a {of}", _triples(rows, axis, percent, f"Share of dialogues with a {of}")))
    return made


def _triples(rows: Sequence[EstimateRow], axis: Axis, write: Write, name: str) -> Markup:
    """Return three rows a group: by the judge alone, by people alone, and by both."""
    bars = [bar for row in rows for bar in _triple(row, write)]
    return chart(bars, axis, name=name, zero=0 if axis.low <= 0 <= axis.high else None)


def _triple(row: EstimateRow, write: Write) -> Iterator[Bar]:
    group = "all dialogues" if row.group == ALL else short(row.group)
    judge = [Mark("baseline", row.judge)] if row.judge is not None else []
    people = [Mark("people", row.people.value)] if row.people.value is not None else []
    yield Bar(f"{group}: judge alone", None, None, None, write(row.judge), marks=judge, note=f"{whole(row.frame)} dialogues")
    yield Bar(
        f"{group}: people alone",
        None,
        row.people.low,
        row.people.high,
        told(row.people, write),
        marks=people,
        note=f"{whole(row.labelled)} labelled",
    )
    yield Bar(f"{group}: both", row.both.value, row.both.low, row.both.high, told(row.both, write), note=count_for(row.gain))


def difference_charts(report: AuditReport) -> list[Shown]:
    """Return the differences between groups: of the reward, of violations, and, folded, of single criteria."""
    measure = main_measure(report)
    kinds: dict[str, list[DifferenceRow]] = {measure: [], VIOLATION: [], "": []}
    for row in report.differences:
        kinds[measure if row.of == measure else VIOLATION if row.of.startswith(VIOLATION) else ""].append(row)
    titles = {measure: f"Difference of the mean {measure}", VIOLATION: "Difference of the share with a violation"}
    return [
        Shown(title := titles.get(kind, "Differences of other means"), _differences(rows, kind, measure, title), kind == "")
        for kind, rows in kinds.items()
        if rows
    ]


def _differences(rows: Sequence[DifferenceRow], kind: str, measure: str, title: str) -> Markup:
    write = percent_signed if kind == VIOLATION else signed
    axis = symmetric((bound for row in rows for bound in _bounds(row.both)), 0.05, write)
    bars = []
    for row in rows:
        word = "HIGHER" if (row.both.low or 0) > 0 else "LOWER" if (row.both.high or 0) < 0 else ""
        of = "" if kind == measure else f"{row.of.removeprefix(VIOLATION)}, "
        note = "" if word or row.both.low is None else "may be chance"
        bars.append(_bar(f"{of}{_minus(row.first, row.second)}", row.both, write, word=word, note=note))
    return chart(bars, axis, name=title, zero=0)


def _minus(first: str, second: str) -> str:
    kind = kind_of(first)
    return f"{kind}: {short(first)} − {short(second)}" if kind and kind == kind_of(second) else f"{first} − {second}"


def agreement_chart(report: AuditReport) -> Markup | None:
    """Return kappa of judge and people by criterion, beside that of people with each other."""
    bars = []
    for row in report.agreement:
        ceiling = row.people.kappa.value if row.people else None
        note = f"{whole(row.labels)} labels in {whole(row.episodes)} dialogues"
        note += f"; people {number(ceiling)}" if ceiling is not None else "; people: not known"
        bars.append(_bar(row.criterion, row.kappa, marks=[Mark("people", ceiling)] if ceiling is not None else [], note=note))
    axis = spanning((bound for bar in bars for bound in (bar.low, bar.high, *(mark.value for mark in bar.marks))), 0.0, 1.0)
    return chart(bars, axis, name="Agreement of judge and people: quadratic-weighted kappa by criterion", zero=0) if bars else None


def bias_chart(report: AuditReport) -> Markup | None:
    """Return by how many levels the judge rates higher than people, within what is tolerated."""
    axis = symmetric((bound for row in report.agreement for bound in _bounds(row.bias)), 3 * MARGIN, signed)
    bars = [
        _bar(
            row.criterion,
            row.bias,
            signed,
            word=off(row),
            band=(-tolerated(row), tolerated(row)),
            note=f"scale {row.low} to {row.high}; mean error {number(row.error)}",
        )
        for row in report.agreement
    ]
    return chart(bars, axis, name="Bias by criterion: judge minus people, in levels", zero=0) if bars else None


def slice_charts(report: AuditReport) -> list[Shown]:
    """Return kappa by slice, a chart for each kind of slice."""
    axis = spanning((bound for row in report.slices for bound in _bounds(row.kappa)), 0.0, 1.0)
    made = []
    for kind, names in by_kind(row.slice for row in report.slices).items():
        rows = [row for row in report.slices if row.slice in names]
        bars = [_bar(short(row.slice), row.kappa, note=f"{whole(row.labels)} labels in {whole(row.episodes)} dialogues") for row in rows]
        name = f"Agreement of judge and people by {kind or 'slice'}"
        made.append(Shown(f"By {kind}" if kind else "Others", chart(bars, axis, name=name, zero=0), len(rows) > MANY))
    return made


def violations_chart(report: AuditReport) -> Markup | None:
    """Return of each critical criterion how many violations the judge sees, and how many of those it sees are some."""
    bars = []
    for row in report.violations:
        seen = f"{whole(row.by_both)} of {whole(row.by_people)} that people found"
        right = f"{whole(row.by_both)} of {whole(row.by_judge)} that it calls one"
        bars.append(_bar(f"{row.criterion} ({row.per}): seen", row.recall, percent, note=seen))
        bars.append(_bar(f"{row.criterion} ({row.per}): right", row.precision, percent, note=right))
    return chart(bars, Axis(0, 1, percent), name="Violations: how many the judge sees, and how many it sees rightly") if bars else None


def _bar(
    label: str,
    found: Interval,
    write: Write = number,
    *,
    word: str = "",
    marks: Sequence[Mark] = (),
    note: str = "",
    band: tuple[float, float] | None = None,
) -> Bar:
    return Bar(label, found.value, found.low, found.high, told(found, write), word, marks, note, band)


def _bounds(found: Interval) -> tuple[float | None, float | None, float | None]:
    return found.low, found.value, found.high


def _reaching(values: Iterable[float | None], write: Write) -> Axis:
    """Return an axis just past all values, and to zero where that is near."""
    known = [value for value in values if value is not None] or [0.0]
    low, high = min(known), max(known)
    pad = 0.08 * (high - low) or 0.5
    low, high = low - pad, high + pad
    near = 0.5 * (high - low)
    return Axis(0.0 if 0 < low < near else low, 0.0 if -near < high < 0 else high, write)
