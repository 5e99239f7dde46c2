"""The pages of `judge golden check`: JUnit XML for CI, Markdown for a summary, HTML for people."""

from pathlib import Path
from typing import Any

from golden_set.decision import Decision
from golden_set.findings import CheckReport
from reports.check_charts import SEEN, agreement_chart, drift_chart, slice_charts
from reports.check_conclusion import conclude, constructed
from reports.check_summary import summary
from reports.check_table import rows
from reports.junit import write_junit
from reports.page import write_page


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `golden-check.xml`, `golden-check.md` and `golden-check.html`; return their paths."""
    found = CheckReport.model_validate(report)
    stem = folder / found.kind
    markdown = stem.with_suffix(".md")
    markdown.write_text(summary(found), encoding="utf-8")
    page = write_page(
        stem.with_suffix(".html"),
        "golden_check.html.j2",
        report=found,
        conclusion=conclude(found),
        rows=rows(found),
        constructed=constructed(found.labelled_by),
        drift_chart=drift_chart(found),
        agreement_chart=agreement_chart(found),
        slice_charts=slice_charts(found),
        stirred=[(row, [case for case in row.moved if abs(case.shift) >= SEEN]) for row in found.drift],
        missed=list(zip(found.missed_in, found.missed_violations, strict=True)),
        PASS=Decision.PASS,
    )
    return [write_junit(found, stem.with_suffix(".xml")), markdown, page]
