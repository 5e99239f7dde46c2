"""The findings of a golden check as rows of words: a share as a percentage, a change with its sign."""

from collections.abc import Callable
from dataclasses import dataclass

from golden_set.findings import CheckReport, Finding
from reports.numerals import UNKNOWN, number, percent, signed

REPORTED = "not asked"  # the word for a finding that the gate does not ask for
SHARES = frozenset(("valid answers", "contrast pairs", "violations found", "false alarms"))
CHANGES = frozenset(("drift", "agreement kept"))


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding in words."""

    word: str
    name: str
    figure: str
    bounds: str
    asked: str
    told: str


def rows(report: CheckReport) -> list[FindingRow]:
    """Return the findings in words: the failed first, then the undecided, the passed, and what was not asked."""
    order = ("FAIL", "UNDECIDED", "PASS", REPORTED)
    return sorted((as_row(finding) for finding in report.findings), key=lambda row: order.index(row.word))


def as_row(finding: Finding) -> FindingRow:
    """Return a finding in words."""
    kind = finding.name.split(" (")[0]
    write: Callable[[float | None], str] = percent if kind in SHARES else signed if kind in CHANGES else number
    bounds = f"[{write(finding.low)}, {write(finding.high)}]" if finding.low is not None and finding.high is not None else UNKNOWN
    return FindingRow(
        word=finding.decision.value if finding.decision else REPORTED,
        name=finding.name,
        figure=write(finding.figure),
        bounds=bounds,
        asked=finding.asked or UNKNOWN,
        told=finding.told,
    )
