"""An audit as short Markdown, for the summary that a CI shows beside a run. Without links, and safe to quote in."""

from collections.abc import Iterable, Iterator

from golden_set.audit.estimates import VIOLATION
from golden_set.audit.findings import AuditReport, Disagreement, EstimateRow
from reports.audit_conclusion import answered_not, conclude, counts
from reports.audit_table import finding_rows, main_measure, percent_signed, place_of, told
from reports.conclusion import opening
from reports.numerals import UNKNOWN, number, percent, signed, whole
from reports.quoting import in_markdown, told_in_markdown

QUOTED = 5  # disagreements
WORDS = ("why", "on")  # columns that hold words
ROWS = 30  # of a table; the page has them all


def summary(report: AuditReport) -> str:
    """Return the Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: AuditReport) -> Iterator[str]:
    yield from opening("Audit", conclude(report))
    if report.findings:
        yield "\n| | finding | figure | interval | asked | |\n|---|---|--:|:-:|---|---|"
    for row in finding_rows(report.findings):
        cells = (row.name, row.figure, row.bounds, row.asked, row.told)
        word = f"**{row.word}**" if row.word in ("FAIL", "UNDECIDED") else row.word
        yield f"| {word} | {' | '.join(told_in_markdown(cell, 400) for cell in cells)} |"
    measure = main_measure(report)
    means = [row for row in report.estimates if row.of == measure]
    heads = "among | dialogues | labelled | judge alone | people alone | both | labels count"
    yield from _table(f"Mean {measure}", heads, map(_mean, means))
    differences = (
        (f"{row.of}: {row.first} − {row.second}", told(row.both, percent_signed if row.of.startswith(VIOLATION) else signed))
        for row in report.differences
    )
    yield from _table("Differences", "first − second | by both", differences)
    agreement = (
        (
            row.criterion,
            whole(row.labels),
            told(row.kappa),
            number(row.people.kappa.value if row.people else None),
            told(row.bias, signed),
            number(row.error),
        )
        for row in report.agreement
    )
    yield from _table("Agreement with people", "criterion | labels | kappa | people with each other | bias, levels | mean error", agreement)
    slices = ((row.slice, whole(row.labels), told(row.kappa), told(row.bias, percent_signed)) for row in report.slices)
    yield from _table("By slice", "slice | labels | kappa | bias, of the scale", slices)
    violations = (
        (
            f"{row.criterion} ({row.per})",
            *map(whole, (row.labelled, row.by_people, row.by_judge, row.by_both)),
            told(row.recall, percent),
            told(row.precision, percent),
        )
        for row in report.violations
    )
    yield from _table("Violations", "criterion | labelled | by people | by judge | by both | seen | right", violations)
    if report.disagreements:
        yield "\n### The worst disagreements\n"
    yield from (_disagreement(one) for one in report.disagreements[:QUOTED])
    hunted = ((row.item, row.why, whole(row.rated), percent_signed(row.apart), row.criterion or UNKNOWN) for row in report.hunted)
    yield from _table("The hunt (in no figure above)", "dialogue | why | places rated | judge minus people, of the scale | on", hunted)
    drawn, answered, complete = counts(report)
    if complete < drawn:
        yield f"\n{answered_not(drawn, answered, complete)}."
    sample = report.sample
    named = (str(sample.judge), f"audit {sample.name} of {sample.drawn_on}, seed {sample.seed}", f"recipe {sample.recipe}")
    yield f"\n{' · '.join(in_markdown(part) for part in named)}"


def _mean(row: EstimateRow) -> tuple[str, ...]:
    gain = f"{number(row.gain, 1)} times" if row.gain is not None else UNKNOWN
    return row.group, whole(row.frame), whole(row.labelled), signed(row.judge), told(row.people, signed), told(row.both, signed), gain


def _table(title: str, heads: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield a table, its words to the left and its figures to the right; nothing where there are no rows."""
    found = list(rows)
    if not found:
        return
    _, *others = heads.split(" | ")
    yield f"\n### {title}\n\n| {heads} |\n|---|{''.join('---|' if head in WORDS else '--:|' for head in others)}"
    for row in found[:ROWS]:
        yield f"| {' | '.join(in_markdown(cell) for cell in row)} |"
    if len(found) > ROWS:
        yield f"\n… and {len(found) - ROWS} more on the page."


def _disagreement(one: Disagreement) -> str:
    people = ", ".join(f"{said.rater} {number(said.rating)}" for said in one.people) or "nobody"
    hunted = " (hunt)" if one.hunted else ""
    where = f"{one.item}, {place_of(one.place)}, {one.criterion}{hunted}"
    quoted = f" “{in_markdown(one.said)}”" if one.said.strip() else ""
    reason = f" – the judge: “{in_markdown(one.reason)}”" if one.reason.strip() else ""
    return f"- {in_markdown(where)}: judge {number(one.judge)}, people {in_markdown(people)}{quoted}{reason}"
