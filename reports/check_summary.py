"""A golden check as short Markdown, for the summary that a CI shows beside a run. Without links, and safe to quote in."""

from collections.abc import Iterator

from golden_set.decision import Decision
from golden_set.findings import CheckReport, Drift, MovedCase, Quoted
from reports.check_conclusion import conclude, constructed
from reports.check_table import rows
from reports.conclusion import opening
from reports.numerals import number, signed
from reports.quoting import in_markdown, told_in_markdown


def summary(report: CheckReport) -> str:
    """Return the Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: CheckReport) -> Iterator[str]:
    yield from opening("Golden check", conclude(report))
    yield "\n| | finding | figure | bounds | asked | |\n|---|---|--:|:-:|---|---|"
    for row in rows(report):
        cells = (row.name, row.figure, row.bounds, row.asked, row.told)
        word = f"**{row.word}**" if row.word in ("FAIL", "UNDECIDED") else row.word
        yield f"| {word} | {' | '.join(told_in_markdown(cell, 400) for cell in cells)} |"
    for moved in report.drift:
        if moved.decision is not Decision.PASS:
            yield from _criterion(moved)
    if report.missed_violations:
        yield "\n### Violations that it did not see\n"
        yield from (_quoted(case, item) for case, item in zip(report.missed_in, report.missed_violations, strict=True))
    if report.wrong_pairs:
        yield f"\nContrast pairs in the wrong order: {in_markdown(', '.join(report.wrong_pairs), 1_000)}"
    if report.failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in report.failures.items())
        yield f"\nFailures of the judge: {in_markdown(kinds, 1_000)}"
    baseline = f"baseline of {report.baseline.accepted_on}" if report.baseline else "no baseline"
    yield f"\n{in_markdown(str(report.judge))} · gate {in_markdown(report.gate.name)} · {baseline} · cases {report.cases_hash[:12]}"
    if constructed(report.labelled_by):
        yield "\nThe labels of the shipped cases, like the cases, were made by sessions of a language model."


def _criterion(row: Drift) -> Iterator[str]:
    yield f"\n### {in_markdown(row.criterion)}: {row.decision}, {signed(row.shift)} levels (allowed ±{number(row.margin)})\n"
    yield from (_moved(moved) for moved in row.moved)


def _moved(moved: MovedCase) -> str:
    how = "beyond the margin" if moved.beyond else "nearest miss"
    item = moved.item
    at = "the episode" if item.turn is None else f"turn {item.turn}"
    ratings = f"{number(item.before)} → {number(item.now)}, label {number(item.label)}"
    quoted = f" “{in_markdown(item.text)}”" if item.text.strip() else ""
    return f"- {in_markdown(moved.case)} {signed(moved.shift)} ({how}); {at}: {ratings}{quoted}"


def _quoted(case: str, item: Quoted) -> str:
    at = "the episode" if item.turn is None else f"turn {item.turn}"
    return f"- {in_markdown(case)}, {at}: rated {number(item.now)}, label {number(item.label)} “{in_markdown(item.text)}”"
