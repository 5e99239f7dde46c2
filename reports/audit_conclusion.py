"""What an audit comes to: can the judge be trusted on this log, how far off is it, and what to do next. In words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from golden_set.audit.estimates import ALL
from golden_set.audit.findings import AgreementRow, AuditReport, EstimateRow, ViolationRow
from golden_set.audit.trust import MARGIN
from golden_set.decision import Decision, together
from golden_set.findings import Finding
from reports.audit_table import main_measure, of_group, off, told
from reports.conclusion import Conclusion, day_of, listed, named
from reports.numerals import number, signed, whole

NO_LABELS = "NO LABELS"


@dataclass(frozen=True, slots=True)
class _Plain:
    """A question of the audit in plain words: what its failing means, what its being open means, what to do when it fails."""

    failed: str
    undecided: str
    to_do: str


_PEOPLE = _Plain(
    "people do not agree enough with each other, so nobody can say how right the judge is",
    "it cannot be told whether people agree enough with each other",
    "Fix the rubric first: let the people talk about the disagreements below, and sharpen the levels of the criteria on which they differ. "
    "Then draw anew. A calibration would only learn their differences.",
)
_JUDGE = _Plain(
    "its ratings differ too much from those of people",
    "it cannot be told whether its ratings agree enough with those of people",
    "Mend the judge: read the worst disagreements below, then use a stronger model or a clearer rubric.",
)
_BIAS = _Plain(
    "on average it is close to people, but on single criteria it rates too high or too low",
    "it cannot be told whether it rates too high or too low on average",
    "Run `judge calibrate`: it maps the judge's ratings to the scale of people. Then score again with `judge score`.",
)


def conclude(report: AuditReport) -> Conclusion:
    """Return what the audit comes to."""
    drawn, answered, _ = counts(report)
    sample = report.sample
    if not report.agreement:
        rated = f"{_dialogues(drawn)} of {whole(sample.framed)} that the judge {sample.judge.provider}/{sample.judge.model} rated"
        sentence = f"{rated} were drawn on {day_of(sample.drawn_on)}, but no answer of a person was read that could be compared."
        step = "Have the forms of `judge audit draw` filled in, then read them with `judge audit read`."
        return Conclusion(NO_LABELS, "Nothing can be said yet: nobody has answered", sentence, (step,))
    asked = [finding for finding in report.findings if finding.decision is not None]
    decision = together(finding.decision for finding in asked if finding.decision is not None)
    why = listed([_why(finding) for finding in asked if finding.decision is decision and decision is not Decision.PASS])
    of_them = f"{whole(answered)} of the {_dialogues(drawn)} drawn from {whole(sample.framed)}"
    looked = f"{named(sample.judge)} was compared with people on {of_them}"
    sentence = " ".join([f"{looked}{f': {why}' if why else ''}.", *_far(report)])
    return Conclusion(decision.value, _headline(decision, asked), sentence, tuple(_steps(report, decision, asked)))


def counts(report: AuditReport) -> tuple[int, int, int]:
    """Return how many episodes for estimates were drawn, have any answer, and have every answer."""
    drawn = sum(row.drawn for row in report.response)
    return drawn, sum(row.answered for row in report.response), sum(row.complete for row in report.response)


def kind(finding: Finding) -> str:
    """Return what a finding is about: `bias`, `people` with each other, or the `judge` with people."""
    name = finding.name.casefold()
    if "bias" in name:
        return "bias"
    return "people" if "people" in name and "judge" not in name else "judge"


def _why(finding: Finding) -> str:
    plain = {"bias": _BIAS, "people": _PEOPLE, "judge": _JUDGE}[kind(finding)]
    said = plain.failed if finding.decision is Decision.FAIL else plain.undecided
    if kind(finding) == "bias" and finding.decision is Decision.FAIL and (where := _outside(finding)):
        return f"it rates too {where} on average"
    return f"{said} ({finding.told})" if finding.decision is Decision.UNDECIDED and finding.told else said


def _outside(finding: Finding) -> str:
    """Return high or low where all of the bias lies outside of what is tolerated; nothing where only that of single criteria does."""
    if finding.low is not None and finding.low > MARGIN:
        return "high"
    return "low" if finding.high is not None and finding.high < -MARGIN else ""


def _headline(decision: Decision, asked: Sequence[Finding]) -> str:
    if decision is Decision.PASS:
        return "Passed: on this log the judge rates as people do"
    if decision is Decision.UNDECIDED:
        return "Undecided, which is no pass: too little is known to trust the judge"
    failed = {kind(finding) for finding in asked if finding.decision is Decision.FAIL}
    if "people" in failed:
        return "Failed: people do not agree with each other"
    if "judge" in failed:
        return "Failed: the judge does not rate as people do"
    return "Failed: the judge orders dialogues as people do, but its level is off" if _agrees(asked) else "Failed: the judge's level is off"


def _agrees(asked: Sequence[Finding]) -> bool:
    judge = [finding.decision for finding in asked if kind(finding) == "judge"]
    return bool(judge) and set(judge) == {Decision.PASS}


def _far(report: AuditReport) -> Iterator[str]:
    """Yield how far off the judge is: on the criterion where it is furthest, and in the mean reward."""
    known = [row for row in report.agreement if row.bias.value is not None]
    if known:
        furthest, beyond = max(known, key=_bias_share), sum(1 for row in known if off(row))
        if not beyond:
            yield "On no criterion does it clearly rate higher or lower than people."
        else:
            yield (
                f"It is furthest off on {furthest.criterion}: {_off_by(furthest)} on average. "
                f"On {beyond} of {len(known)} criteria it clearly rates higher or lower than people."
            )
    mean = of_group(report.estimates, main_measure(report), ALL)
    if mean is not None and mean.both.value is not None and mean.judge is not None:
        yield _mean(mean, mean.judge, mean.both.value)


def _bias_share(row: AgreementRow) -> float:
    return abs(row.bias.value or 0.0) / (row.high - row.low)


def _off_by(row: AgreementRow) -> str:
    bias = row.bias.value or 0.0
    return f"{number(abs(bias))} of a level too {'high' if bias > 0 else 'low'}"


def _mean(row: EstimateRow, judge: float, both: float) -> str:
    apart = judge - both
    alone = f"By the judge alone the mean {row.of} is {signed(judge)}; by people and judge together it is {told(row.both, signed)}"
    if row.both.low is not None and row.both.high is not None and row.both.low <= judge <= row.both.high:
        return f"{alone}: no clear difference."
    return f"{alone}: the judge alone is {number(abs(apart))} too {'high' if apart > 0 else 'low'}."


def _steps(report: AuditReport, decision: Decision, asked: Sequence[Finding]) -> Iterator[str]:
    failed = {kind(finding) for finding in asked if finding.decision is Decision.FAIL}
    if "people" in failed:
        yield _PEOPLE.to_do
    elif "judge" in failed:
        yield _JUDGE.to_do
    if "people" not in failed:
        yield _calibration(report, biased="bias" in failed)
    drawn, answered, complete = counts(report)
    if answered < drawn:
        yield f"Bring more labels: {answered_not(drawn, answered, complete)}. Read them with `judge audit read`."
    elif decision is Decision.UNDECIDED:
        yield "Draw more dialogues with `judge audit draw`: every one that was drawn is answered, and the intervals are still too wide."
    missed = [f"{row.by_people - row.by_both} of {row.by_people} {_unit(row)}" for row in report.violations if row.by_both < row.by_people]
    if missed:
        yield f"Do not rely on the judge alone for compliance: it overlooked {listed(missed, ', ')}, as people see it."
    if report.disagreements:
        yield "Make golden cases of the worst disagreements with `judge audit promote`, and have them reviewed."


def _calibration(report: AuditReport, *, biased: bool) -> str:
    if report.calibration is not None:
        holds = f"A calibration holds for this judge ({report.calibration}), and `judge score` uses it; these figures are without it"
        return f"{holds}. If it is older than these labels, run `judge calibrate` again."
    return _BIAS.to_do if biased else "Run `judge calibrate`: where the judge tells nothing, its ratings then stop moving rewards."


def _unit(row: ViolationRow) -> str:
    return f"{'dialogues' if row.per == 'episode' else 'turns'} that violate {row.criterion}"


def answered_not(drawn: int, answered: int, complete: int) -> str:
    """Return in words how many answers are missing."""
    partly = f", and {whole(answered - complete)} only in part" if answered > complete else ""
    return f"{whole(drawn - answered)} of {whole(drawn)} dialogues are not answered yet{partly}"


def _dialogues(count: int) -> str:
    return "1 dialogue" if count == 1 else f"{whole(count)} dialogues"
