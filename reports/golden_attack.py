"""The pages of `judge golden attack`: Markdown for a summary, HTML for people."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from golden_set.attacks.report import AttackReport, AttackResult
from golden_set.decision import STATUS, UNREACHED, Decision
from reports import conclusion
from reports.attack_charts import MEANING, charts, length_chart, measured, recall_chart
from reports.conclusion import AGAIN, Conclusion, day_of, listed, named, opening
from reports.numerals import number, percent
from reports.page import write_pages
from reports.quoting import in_markdown

ORDER = (Decision.FAIL, Decision.UNDECIDED, Decision.PASS, None)


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `golden-attack.md` and `golden-attack.html`; return their paths."""
    found = AttackReport.model_validate(report)
    by_decision = {decision: [one for one in ranked(found) if one.gates and one.decision is decision] for decision in ORDER}
    return write_pages(
        folder,
        found.kind,
        "\n".join(_summary(found)) + "\n",
        report=found,
        conclusion=conclude(found),
        ranked=ranked(found),
        weak=by_decision[Decision.FAIL],
        open=by_decision[Decision.UNDECIDED],
        families=_families(found),
        charts=charts(found),
        recall_chart=recall_chart(found),
        length_chart=length_chart(found),
        measured=measured,
        MEANING=MEANING,
    )


def conclude(report: AttackReport) -> Conclusion:
    """Return what the attacks come to."""
    gating = [one for one in report.attacks if one.gates and one.decision]
    count = Counter(one.decision for one in gating)
    asked = f"{named(report.judge)} was attacked in {len(gating)} ways, on {report.dialogues} labelled dialogues, on {day_of(report.day)}"
    if report.status == UNREACHED:
        sentence = f"{asked}, but it failed on so many answers that nothing can be said of it."
        return Conclusion(conclusion.UNREACHED, "Not decided: the judge could not be reached, or failed too often", sentence, (AGAIN,))
    more = "More dialogues, or more `--seeds`, settle what is undecided."
    undecided = count[Decision.UNDECIDED]
    if report.status == STATUS[Decision.FAIL]:
        kinds = Counter(one.family for one in gating if one.decision is Decision.FAIL)
        by_kind = listed([f"{many} of kind “{kind}”" for kind, many in kinds.most_common()], ", ")
        rest = f" {undecided} more are undecided." if undecided else ""
        sentence = f"{asked}. {count[Decision.FAIL]} worked: they moved its ratings as an honest judge’s do not move ({by_kind}).{rest}"
        steps = (
            "Read what worked, below. Sharpen the prompt or the rubric there, or take a stronger judge, and attack again.",
            "Until then, a policy that learns from these ratings can learn these tricks: look for them in its dialogues.",
            *((more,) if undecided else ()),
        )
        return Conclusion("FAIL", "Failed: it can be gamed", sentence, steps)
    if report.status == STATUS[Decision.PASS]:
        sentence = f"{asked}, and every relation holds: ratings followed the work, not the words."
        return Conclusion("PASS", "Passed", sentence, ("Nothing. Attack again after each change of the judge.",))
    sentence = f"{asked}. None was shown to work, but of {undecided} it cannot be told."
    return Conclusion("UNDECIDED", "Undecided, which is no pass", sentence, (more,))


def ranked(report: AttackReport) -> list[AttackResult]:
    """Return the attacks: those that worked first, the most often successful before."""
    return sorted(report.attacks, key=lambda one: (ORDER.index(one.decision), -one.success.hits / max(1, one.success.count)))


def _families(report: AttackReport) -> list[tuple[str, dict[str, int], AttackResult]]:
    """Return each kind of attack with its answers, and the attack among them that succeeded most often."""
    kinds = list(dict.fromkeys(one.family for one in report.attacks))
    rows = []
    for kind in kinds:
        members = [one for one in ranked(report) if one.family == kind]
        counts = {word: sum(one.decision == word and one.gates for one in members) for word in Decision}
        most = max(members, key=lambda one: one.success.value or 0.0)
        rows.append((kind, {word.value: many for word, many in counts.items()}, most))
    return rows


def _summary(report: AttackReport) -> Iterator[str]:
    yield from opening("Golden attack", conclude(report))
    notable: Sequence[AttackResult] = [one for one in ranked(report) if one.decision in (Decision.FAIL, Decision.UNDECIDED) and one.gates]
    if notable:
        yield "\n| | attack | an honest rating | mean change, bounds | succeeded | at most |\n|---|---|---|---|--:|--:|"
    for one in notable:
        word = f"**{one.decision}**" if one.decision is Decision.FAIL else str(one.decision)
        numbers = in_markdown(measured(one))
        often = f"{one.success.hits} of {one.success.count}"
        yield f"| {word} | {in_markdown(one.name)} | {MEANING[one.direction]} | {numbers} | {often} | {percent(one.success.high)} |"
    worst = [(one, one.worst[0]) for one in notable if one.decision is Decision.FAIL and one.worst]
    if worst:
        yield "\n### The worst of those that worked\n"
    for one, example in worst:
        before = f"{number(example.before)} → " if example.before is not None else ""
        words = f" for “{in_markdown(example.put_in, 200)}”" if example.put_in.strip() else ""
        yield f"- {in_markdown(one.name)}, {in_markdown(example.case)}: {before}{number(example.after)}{words}"
    for name, rate in report.recall.items():
        yield f"\nFound of {in_markdown(name)}: {rate.hits} of {rate.count} (at least {percent(rate.low)})"
    yield f"\n{in_markdown(str(report.judge))} · {report.asked} ratings, {report.failed} failed"
