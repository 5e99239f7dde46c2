"""What an audit found as words for tables: an interval, a level of the scale, a row of the findings, estimates by group."""

from collections.abc import Callable, Iterable

from golden_set.audit.estimates import ALL, HANDLING, REWARD
from golden_set.audit.findings import AgreementRow, AuditReport, EstimateRow, Interval
from golden_set.audit.sample import criteria_of
from golden_set.audit.trust import MARGIN, RANGE
from golden_set.case import EPISODE
from golden_set.findings import Finding
from judge.rubric import Rubric
from reports.check_table import REPORTED, FindingRow
from reports.numerals import UNKNOWN, number, percent, signed

TOLD = 1.05  # a gain below is none that one would speak of
OF_EPISODE = " (episode)"
Write = Callable[[float | None], str]


def told(found: Interval, write: Write = number) -> str:
    """Return a figure with its interval, as far as they are known."""
    if found.value is None:
        return UNKNOWN
    return write(found.value) + (f" [{write(found.low)}, {write(found.high)}]" if found.low is not None and found.high is not None else "")


def finding_rows(findings: Iterable[Finding]) -> list[FindingRow]:
    """Return the findings in words: the failed first, then the undecided, the passed, and what was not asked."""
    order = ("FAIL", "UNDECIDED", "PASS", REPORTED)
    return sorted((_row(finding) for finding in findings), key=lambda row: order.index(row.word))


def _row(finding: Finding) -> FindingRow:
    write: Write = signed if "bias" in finding.name.casefold() else number
    known = finding.low is not None and finding.high is not None
    return FindingRow(
        word=finding.decision.value if finding.decision else REPORTED,
        name=finding.name,
        figure=write(finding.figure),
        bounds=f"[{write(finding.low)}, {write(finding.high)}]" if known else UNKNOWN,
        asked=finding.asked or UNKNOWN,
        told=finding.told,
    )


def by_kind(names: Iterable[str]) -> dict[str, list[str]]:
    """Return slices by their kind, in the order in which kinds come: `policy:v3` is of the kind `policy`; `all` is its own."""
    kinds: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        kinds.setdefault(kind_of(name), []).append(name)
    return kinds


def kind_of(name: str) -> str:
    """Return the kind of a slice; of what has none, nothing."""
    kind, colon, _ = name.partition(":")
    return kind if colon else ""


def short(name: str) -> str:
    """Return a slice without its kind."""
    return name if name == ALL or not kind_of(name) else name.partition(":")[2] or name


def of_group(estimates: Iterable[EstimateRow], of: str, group: str) -> EstimateRow | None:
    """Return one estimate, if it is there."""
    return next((row for row in estimates if (row.of, row.group) == (of, group)), None)


def main_measure(report: AuditReport) -> str:
    """Return what dialogues are compared by: their reward; where that is not known, their handling."""
    return REWARD if of_group(report.estimates, REWARD, ALL) else HANDLING


def tolerated(row: AgreementRow) -> float:
    """Return which bias is tolerated on a criterion, in levels: as a share of its scale the same for all."""
    return MARGIN * (row.high - row.low) / RANGE


def off(row: AgreementRow) -> str:
    """Return TOO HIGH or TOO LOW where all of a bias lies outside of what is tolerated, else nothing."""
    if row.bias.low is not None and row.bias.low > tolerated(row):
        return "TOO HIGH"
    return "TOO LOW" if row.bias.high is not None and row.bias.high < -tolerated(row) else ""


def of_what(report: AuditReport, wanted: Callable[[str], bool]) -> list[str]:
    """Return what estimates are of, among what is wanted."""
    return list(dict.fromkeys(row.of for row in report.estimates if wanted(row.of)))


def count_for(gain: float | None) -> str:
    """Return in words what the judge adds to the labels."""
    if gain is None:
        return ""
    return f"the labels count {number(gain, 1)} times" if gain >= TOLD else "the judge adds nothing to the labels"


def place_of(place: str) -> str:
    """Return a place in words."""
    return "the whole dialogue" if place == EPISODE else f"turn {place}"


def level(rubric: Rubric, place: str, name: str, rating: float) -> str:
    """Return the sentence of the level that is nearest to a rating; an empty text where the rubric has none."""
    wanted = name.removesuffix(OF_EPISODE)
    for criterion in criteria_of(rubric, place):
        if criterion.name == wanted and criterion.scale.low - 0.5 <= rating <= criterion.scale.high + 0.5:
            at = min(max(round(rating), criterion.scale.low), criterion.scale.high)
            return criterion.levels[at - criterion.scale.low]
    return ""


def percent_signed(value: float | None) -> str:
    """Return a shift of a share as a percentage with its sign."""
    return percent(value) if value is None or value <= 0 or percent(value) == "0%" else f"+{percent(value)}"
