"""What a golden check comes to: which questions failed or are open, and what each of them means for the next step."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from golden_set.decision import Decision
from golden_set.findings import CheckReport, Finding
from reports.check_table import as_row
from reports.conclusion import AGAIN, UNREACHED, Conclusion, day_of, listed, named
from reports.numerals import number, signed

SHIPPED = re.compile(r"[a-z]{3}-[a-z]-(author|second)")  # who labelled the cases that ship with the package


@dataclass(frozen=True, slots=True)
class _Plain:
    """A question of the check in plain words: what its failing means, what its being open means, what to do about either."""

    failed: str
    undecided: str
    to_do: str


_MORE = "Ask for more: a higher `--repeats`, or more cases. Undecided is no pass."
_PLAIN = {
    "valid answers": _Plain(
        "too many of its answers were not what the rubric asks for",
        "too few of its answers can be used to tell",
        "Read the failures by kind below; a changed model or prompt often shows there first.",
    ),
    "the model asked": _Plain(
        "answers came from another model than the one that was asked for",
        "it is not known which model answered",
        "Pin the exact version of the model. If the change is wanted, check the new one and accept a baseline of its own.",
    ),
    "drift": _Plain(
        "it no longer rates as it did when its baseline was accepted",
        "it cannot be told whether it still rates as it did when its baseline was accepted",
        "Read the cases that moved. If the change is wanted, accept a new baseline (`judge golden accept`) and have it reviewed; "
        "if not, go back to the judge that was accepted, and do not train on verdicts given since.",
    ),
    "slices": _Plain(
        "it now rates some kinds of dialogue otherwise than its baseline did",
        "it cannot be told whether it rates all kinds of dialogue as its baseline did",
        "Look at the slices that moved: what do their dialogues have in common?",
    ),
    "rank": _Plain(
        "it no longer puts the dialogues in the order in which its baseline put them",
        "it cannot be told whether it puts the dialogues in the same order as its baseline",
        "Read the cases that moved most; rewards made from such ratings prefer other dialogues than before.",
    ),
    "agreement kept": _Plain(
        "it agrees less with the labels than its baseline did",
        "it cannot be told whether it agrees with the labels as much as its baseline did",
        "Compare the kappa of each criterion with the baseline's below.",
    ),
    "agreement": _Plain(
        "it agrees too little with the labels",
        "it cannot be told whether it agrees enough with the labels",
        "Use a stronger judge or a clearer rubric, or calibrate this one; the criteria with the lowest kappa come first.",
    ),
    "violations found": _Plain(
        "it overlooks too many labelled violations",
        "it cannot be told whether it finds enough of the labelled violations",
        "Read the overlooked violations below. Do not rely on this judge for compliance until it finds them.",
    ),
    "false alarms": _Plain(
        "it calls too many clean turns a violation",
        "it cannot be told whether it calls too many clean turns a violation",
        "Sharpen the rubric's definition of a violation, with examples of what is none.",
    ),
}


def conclude(report: CheckReport) -> Conclusion:
    """Return what the check comes to."""
    failed, undecided = (_of(report, decision) for decision in (Decision.FAIL, Decision.UNDECIDED))
    renamed = any(finding.name == "the model asked" for finding in failed)
    rated = report.looks[-1].episodes if report.looks else report.cases
    asked = f"{named(report.judge)} was checked on {rated} labelled dialogues on {day_of(report.day)}"
    gate = f"the gate “{report.gate.name}”"
    if not report.reached and not renamed:
        sentence = f"{asked}, but it failed on so many of them that nothing can be said of it."
        return Conclusion(UNREACHED, "Not decided: the judge could not be reached, or failed too often", sentence, (AGAIN,))
    if report.decision is Decision.PASS:
        leave = "It may produce rewards: its clearance is recorded." if report.cleared else "This gives no leave to produce rewards."
        sentence = f"{asked} and meets every demand of {gate}. {leave}"
        if report.cleared:
            return Conclusion("PASS", "Passed", sentence, ("Nothing: the judge may be used.",))
        return Conclusion("PASS", "Passed", sentence, ("Nothing for this gate. Leave comes from a gate that clears, such as `default`.",))
    steps = [_plain(finding).to_do for finding in failed]
    steps += [_next(report, finding) for finding in undecided]
    if failed:
        sentence = f"{asked} and does not meet {gate}: {listed([_why(report, finding) for finding in failed])}."
        steps.append("Until it passes, this judge should not produce rewards.")
        return Conclusion("FAIL", "Failed", sentence, tuple(dict.fromkeys(steps)))
    open_ones = listed([_why(report, finding) for finding in undecided]) or "no question was answered"
    sentence = f"{asked}, and it is open whether it meets {gate}: {open_ones}."
    return Conclusion("UNDECIDED", "Undecided, which is no pass", sentence, tuple(dict.fromkeys(steps)))


def constructed(labelled_by: Sequence[str]) -> bool:
    """Say whether labels are those of the set that ships with the package."""
    return any(SHIPPED.fullmatch(name) for name in labelled_by)


def _of(report: CheckReport, decision: Decision) -> list[Finding]:
    return [finding for finding in report.findings if finding.decision is decision]


def _plain(finding: Finding) -> _Plain:
    told = f"{finding.name}: {finding.told}"
    return _PLAIN.get(finding.name.split(" (")[0], _Plain(told, told, _MORE))


def _why(report: CheckReport, finding: Finding) -> str:
    """Return why a finding is no pass, with the figures of what moved."""
    plain = _plain(finding)
    if finding.decision is Decision.FAIL:
        moved = [row for row in report.drift if row.decision is Decision.FAIL]
        if finding.name == "drift" and moved:
            shifts = ", ".join(f"{row.criterion} {signed(row.shift)} (allowed: ±{number(row.margin)})" for row in moved)
            return f"{plain.failed}, in levels of the scale: {shifts}"
        return f"{plain.failed}{_figures(finding)}"
    if finding.name == "drift" and not report.drift:
        none = "there is no accepted baseline to compare it with"
        return none if report.baseline is None else "too few cases are still as they were in its baseline"
    return f"{plain.undecided}{_figures(finding)}"


def _figures(finding: Finding) -> str:
    row = as_row(finding)
    return f" ({row.figure} {row.bounds}; asked: {row.asked})" if finding.figure is not None and finding.asked else ""


def _next(report: CheckReport, finding: Finding) -> str:
    if finding.name == "drift" and not report.drift:
        return "Accept a baseline with `judge golden accept`, and commit what it writes."
    return _MORE
