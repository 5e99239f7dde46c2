"""What `judge audit report` prints: tables in plain text, and the worst disagreements side by side."""

from collections.abc import Sequence

from dialogue.visible import shown
from golden_set.audit.estimates import ALL, REWARD, VIOLATION
from golden_set.audit.findings import AuditReport, Disagreement, EstimateRow, Interval
from golden_set.audit.resampling import LEAST
from golden_set.case import EPISODE

WORST = 5
LONG = 240  # characters of a quotation
Table = Sequence[Sequence[str]]


def tell(found: AuditReport, twice: tuple[int, int]) -> None:
    """Print a report.

    Args:
        twice: episodes for a second person, and how many of them two people rated.
    """
    _tell_response(found, twice)
    _tell_findings(found)
    _tell_agreement(found)
    _tell_estimates(found)
    _tell_violations(found)
    _tell_disagreements(found.disagreements)
    _tell_hunt(found)


def _tell_response(found: AuditReport, twice: tuple[int, int]) -> None:
    sample = found.sample
    drawn, answered, complete = (sum(getattr(row, name) for row in found.response) for name in ("drawn", "answered", "complete"))
    print(f"audit {sample.name} of {sample.judge}, drawn on {sample.drawn_on} from {sample.framed:,} scored dialogues")
    print(f"{answered} of {drawn} drawn dialogues were rated, {complete} of them in full; rated by two: {twice[1]} of {twice[0]}")
    _table([("rater", "dialogues", "ratings"), *((row.rater, str(row.items), f"{row.ratings:,}") for row in found.raters)])
    if any(row.complete < row.drawn for row in found.response):
        rows = [(row.stratum, f"{row.size:,}", str(row.drawn), str(row.answered), str(row.complete)) for row in found.response]
        _table([("stratum", "log", "drawn", "rated", "in full"), *rows])


def _tell_findings(found: AuditReport) -> None:
    print()
    width = max((len(finding.name) for finding in found.findings), default=0)
    for one in found.findings:
        seen = Interval(value=one.figure, low=one.low, high=one.high)
        print(f"  {(one.decision or '-'):9} {one.name:{width}}  {_span(seen, '+.2f' if '±' in one.asked else '.2f')}")
        print(f"  {'':9} asked: {one.asked}")
        print(f"  {'':9} {one.told}")
    if found.calibration:
        print(f"  calibration {found.calibration} holds: figures here are the judge's own ratings, before it")


def _tell_agreement(found: AuditReport) -> None:
    if not found.agreement:
        return
    print("\njudge against people, weighted to the log, 95 % intervals over dialogues")
    head = ("criterion", "labels", "kappa", "people's", "alpha", "people's", "ICC", "rho", "bias in levels", "error")
    rows = []
    for row in found.agreement:
        people = (row.people.kappa, row.people.alpha) if row.people else (Interval(), Interval())
        told = (_span(row.kappa), _one(people[0].value), _one(row.alpha.value), _one(people[1].value), _one(row.icc.value))
        rows.append((row.criterion, str(row.labels), *told, _one(row.spearman.value), _span(row.bias, "+.2f"), _one(row.error)))
    _table([head, *rows])
    large = [row for row in found.slices if row.episodes >= LEAST]
    slices = [(row.slice, str(row.episodes), _span(row.kappa), _span(row.bias, "+.1%")) for row in large]
    _table([("slice", "dialogues", "kappa", "bias, share of the scale"), *slices])
    if small := len(found.slices) - len(large):
        print(f"  {small} slices with fewer than {LEAST} rated dialogues are in the report only")


def _tell_estimates(found: AuditReport) -> None:
    rewards = [row for row in found.estimates if row.of == REWARD]
    if rewards:
        made = f"{found.sample.recipe}, {found.sample.outcomes}"
        print(f"\nmean reward over the log ({made}); 95 % intervals, for calls like these")
        _table([("", "log", "labels", "judge alone", "people alone", "both", "labels are worth"), *map(_estimated, rewards)])
    rows = [(f"{row.first} - {row.second}", _span(row.both, "+.3f")) for row in found.differences if row.of == REWARD]
    if rows:
        _table([("difference", "both"), *rows])


def _estimated(row: EstimateRow) -> tuple[str, ...]:
    worth = "" if row.gain is None else f"x {row.gain:.2f}"
    numbers = (_one(row.judge, "+.3f"), _span(row.people, "+.3f"), _span(row.both, "+.3f"))
    return ("all" if row.group == ALL else row.group, f"{row.frame:,}", str(row.labelled), *numbers, worth)


def _tell_violations(found: AuditReport) -> None:
    rows = [
        (row.criterion, f"by {row.per}", str(row.by_people), str(row.by_judge), str(row.by_both), _span(row.recall), _span(row.precision))
        for row in found.violations
    ]
    if rows:
        print("\nviolations, weighted to the log")
        _table([("criterion", "counted", "people", "judge", "both", "recall", "precision"), *rows])
    for one in found.estimates:
        if one.of.startswith(VIOLATION) and one.group == ALL:
            told = f"judge alone {_one(one.judge, '.1%')}, people alone {_span(one.people, '.1%')}, both {_span(one.both, '.1%')}"
            print(f"  dialogues with a {one.of}: {told}")


def _tell_disagreements(worst: Sequence[Disagreement]) -> None:
    if not worst:
        return
    print(f"\nthe worst disagreements ({min(WORST, len(worst))} of {len(worst)} in the report)")
    for one in worst[:WORST]:
        where = "the whole dialogue" if one.place == EPISODE else f"turn {one.place}"
        hunted = ", hunted" if one.hunted else ""
        print(f"\n  {one.item} ({_quoted(one.episode, 60)}{hunted}), {where}: {one.criterion}, {one.low} to {one.high}")
        for line in one.said.splitlines():
            print(f"    | {_quoted(line, LONG)}")
        width = max(len("judge"), *(len(person.rater) for person in one.people))
        quote = f" “{_quoted(one.quote, LONG)}”" if one.quote else ""
        print(f"    {'judge':{width}}  {one.judge:<4.3g}  {_quoted(one.reason, LONG)}{quote}".rstrip())
        for person in one.people:
            print(f"    {person.rater:{width}}  {person.rating:<4.3g}  {_quoted(person.note, LONG)}".rstrip())


def _tell_hunt(found: AuditReport) -> None:
    if not found.hunted:
        return
    rated = [row for row in found.hunted if row.rated]
    print(f"\nthe hunt, in no figure above: {len(rated)} of {len(found.hunted)} odd dialogues were rated")
    for row in rated:
        told = f"differs by {abs(row.apart):.0%} of the scale on {row.criterion}" if row.apart else "judge and people say the same"
        print(f"  {row.item}  {_quoted(row.why, LONG)}: {told}")


def _table(rows: Table) -> None:
    """Print rows below each other; text to the left, numbers (all but the first column) to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if len(rows) > 1 else []
    for row in rows if widths else ():
        cells = [f"{row[0]:{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))]
        print(f"  {'  '.join(cells)}".rstrip())


def _one(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else _clean(format(value, form))


def _span(seen: Interval, form: str = ".2f") -> str:
    bounds = "" if seen.low is None or seen.high is None else f" [{_one(seen.low, form)}, {_one(seen.high, form)}]"
    return f"{_one(seen.value, form)}{bounds}"


def _clean(text: str) -> str:
    """Return a number without a sign before a zero."""
    return text.lstrip("+-") if not any(c in "123456789" for c in text) else text


def _quoted(text: str, limit: int) -> str:
    """Return words of others as one line in which every character can be seen."""
    line = " ".join(shown(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
