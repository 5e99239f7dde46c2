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
from reports.page import write_pages


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `golden-check.xml`, `golden-check.md` and `golden-check.html`; return their paths."""
    found = CheckReport.model_validate(report)
    pages = write_pages(
        folder,
        found.kind,
        summary(found),
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
    return [write_junit(found, folder / f"{found.kind}.xml"), *pages]
