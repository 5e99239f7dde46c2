"""The pages of `judge audit report`: Markdown for a summary, HTML for people."""

from functools import partial
from pathlib import Path
from typing import Any

from golden_set.audit.findings import AuditReport
from golden_set.audit.trust import MARGIN
from reports import audit_charts as charts
from reports.audit_conclusion import answered_not, conclude, counts
from reports.audit_summary import summary
from reports.audit_table import finding_rows, level, main_measure, percent_signed, place_of, told
from reports.numerals import number, percent, signed
from reports.page import write_pages

AT_ONCE = 8  # disagreements that are shown before a fold


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `audit-report.md` and `audit-report.html`; return their paths."""
    found = AuditReport.model_validate(report)
    drawn, answered, complete = counts(found)
    return write_pages(
        folder,
        found.kind,
        summary(found),
        report=found,
        sample=found.sample,
        conclusion=conclude(found),
        findings=finding_rows(found.findings),
        missing=answered_not(drawn, answered, complete) if answered and complete < drawn else "",
        drawn=drawn,
        answered=answered,
        complete=complete,
        measure=main_measure(found),
        means=charts.mean_charts(found),
        differences=charts.difference_charts(found),
        agreement_chart=charts.agreement_chart(found),
        bias_chart=charts.bias_chart(found),
        ceilings=[row for row in found.agreement if row.people is not None],
        slices=charts.slice_charts(found),
        violations_chart=charts.violations_chart(found),
        rates=charts.violation_rate_charts(found),
        margin=MARGIN,
        at_once=AT_ONCE,
        level=partial(level, found.sample.rubric),
        place_of=place_of,
        told=told,
        number=number,
        percent=percent,
        percent_signed=percent_signed,
        signed=signed,
    )
