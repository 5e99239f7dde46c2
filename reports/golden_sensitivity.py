"""The pages of `judge golden sensitivity`: Markdown for a summary, HTML for people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from golden_set.decision import Decision
from golden_set.sensitivity_report import Design, FlipsFound, SensitivityReport
from reports.conclusion import AGAIN, UNREACHED, Conclusion, day_of, named, opening
from reports.numerals import dollars, number, percent, signed
from reports.page import write_pages
from reports.quoting import in_markdown
from reports.sensitivity_charts import parts, phi_chart, share, shift_charts

TELLING = ("turn mean", "handling")  # what a prompt is told by, in short
NO_DESIGN = "no design that was looked at"


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `golden-sensitivity.md` and `golden-sensitivity.html`; return their paths."""
    found = SensitivityReport.model_validate(report)
    return write_pages(
        folder,
        found.kind,
        "\n".join(_summary(found)) + "\n",
        report=found,
        conclusion=conclude(found),
        phi_chart=phi_chart(found),
        parts=[(measure, parts(measure)) for measure in found.measures],
        shift_charts=shift_charts(found),
        failures=failures(found),
        design=design,
        share=share,
    )


def conclude(report: SensitivityReport) -> Conclusion:
    """Return what the study comes to."""
    target = number(report.targets["phi"])
    asked = (
        f"{named(report.judge)} rated {len(report.cases)} labelled dialogues under {len(report.prompts)} prompts, "
        f"{report.runs} times each, on {day_of(report.day)}"
    )
    if not report.reached:
        sentence = f"{asked}, but it failed on too many: {report.why}."
        return Conclusion(UNREACHED, "Not decided: the judge could not be reached, or failed too often", sentence, (AGAIN,))
    cheapest = f"The cheapest design that reaches Φ {target} on every measure: {design(report.recommended)}."
    if report.decision is Decision.PASS:
        own = "the share of its variance that is the dialogue’s own"
        sentence = f"{asked}, and one rating is enough: Φ of every measure, {own}, is at least {target}."
        return Conclusion("PASS", "Passed: ratings hardly hinge on the wording", sentence, (f"Nothing. {cheapest}",))
    steps = (cheapest if report.measures else "Ask paraphrases: without them nothing says how far a rating hinges on its wording.",)
    if report.decision is Decision.FAIL:
        failed = ", ".join(f"{one.name} ({one.of})" for one in report.measures if one.decision is Decision.FAIL)
        sentence = f"{asked}. One rating is not enough: Φ is below {target} for {failed}, so its ratings hinge on wording or chance."
        mend = "Or mend the wording: the tables below say which prompts and criteria differ."
        return Conclusion("FAIL", "Failed: one rating hinges on wording or chance", sentence, (*steps, mend))
    sentence = f"{asked}, and it is open whether one rating is enough: {report.why}."
    return Conclusion("UNDECIDED", "Undecided, which is no pass", sentence, (*steps, "More dialogues narrow the intervals."))


def design(found: Design | None) -> str:
    """Return a way to rate in words."""
    if found is None:
        return NO_DESIGN
    price = f", {dollars(found.usd)} a dialogue" if found.usd is not None else ""
    prompts = "1 prompt" if found.prompts == 1 else f"{found.prompts} prompts"
    runs = "once each" if found.runs == 1 else f"{found.runs} times each"
    return f"{prompts}, {runs} (Φ {number(found.phi)}{price})"


def failures(report: SensitivityReport) -> dict[str, int]:
    """Return how often ratings failed, by kind, over all prompts."""
    kinds: dict[str, int] = {}
    for asked in report.prompts:
        for kind, count in asked.failures.items():
            kinds[kind] = kinds.get(kind, 0) + count
    return kinds


def _summary(report: SensitivityReport) -> Iterator[str]:
    yield from opening("Golden sensitivity", conclude(report))
    if report.measures:
        yield "\n| | measure | Φ of one rating | share of prompt | cheapest design |\n|---|---|---|--:|---|"
    for one in report.measures:
        shares = one.variances.shares
        prompt = percent(shares["prompt"] + shares["item_prompt"]) if shares else percent(None)
        phi = f"{number(one.phi.value)} [{number(one.phi.low)}, {number(one.phi.high)}]"
        cells = (one.decision, f"{one.name} ({one.of})", phi, prompt, design(one.recommended))
        yield f"| {' | '.join(in_markdown(cell) for cell in cells)} |"
    for title, flips in (("What turns around", report.flips), ("For a learner", report.learning)):
        if flips:
            yield f"\n### {title}\n\n| | by another prompt | by another run (noise) | difference |\n|---|--:|--:|--:|"
            yield from (_flips(row) for row in flips)
    for pair in report.compared:
        telling = [row for row in pair.shifts if row.measure in TELLING]
        told = "; ".join(f"{in_markdown(row.measure)} {signed(row.of_five)}" for row in telling)
        yield f"\n{in_markdown(pair.prompt)} ({pair.arm}) against the plain prompt, in levels of 1–5: {told}"
    yield f"\n{in_markdown(str(report.judge))} · {len(report.cases)} cases · {report.runs} runs"


def _flips(row: FlipsFound) -> str:
    return f"| {in_markdown(row.what)} | {' | '.join(in_markdown(share(part)) for part in (row.prompts, row.runs, row.excess))} |"
