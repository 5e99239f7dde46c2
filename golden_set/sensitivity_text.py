"""A report of prompt sensitivity as lines of text."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from golden_set.sensitivity_report import Compared, Design, Estimate, FlipsFound, MeasureFound, SensitivityReport

TELLING = ("turn mean", "handling")  # what a presentation is told by


def tell(found: SensitivityReport, written: Sequence[Path]) -> None:
    """Print the report."""
    for line in lines(found):
        print(line)
    for path in written:
        print(f"report: {path}")


def lines(found: SensitivityReport) -> Iterator[str]:
    """Yield the lines."""
    lost = f", {found.lost} of them left out: a prompt failed on them" if found.lost else ""
    yield f"{found.judge}: {len(found.cases)} cases{lost}, {len(found.prompts)} prompts, {found.runs} runs"
    for asked in found.prompts:
        if asked.failed:
            kinds = ", ".join(f"{count} {kind}" for kind, count in asked.failures.items())
            yield f"  {asked.name}: {asked.failed} of {asked.asked} ratings failed ({kinds})"
    if found.measures:
        yield from _measures(found.measures)
        yield from _flips("\nturned around", found.flips)
        yield from _flips("\nfor a learner", found.learning)
    if found.compared:
        yield "\nagainst the plain prompt (shift in levels of 1-5)"
        width = max(len(one.prompt) for one in found.compared)
        for one in found.compared:
            yield f"  {one.prompt:{width}}  {_compared(one)}"
    for arm, why in found.skipped.items():
        yield f"not asked: {arm} ({why})"
    for note in found.notes:
        yield f"note: {note}"
    if found.measures:
        yield f"cheapest design for every measure: {_design(found.recommended)}"
    yield f"\n{found.decision}: {found.why}"


def _measures(measures: Sequence[MeasureFound]) -> Iterator[str]:
    width = max(len(measure.name) for measure in measures)
    heads = "".join(f"{head:>9}" for head in ("item", "prompt", "item×p.", "run"))
    yield f"\n  {'share of the variance of a rating':{width + 19}}{heads}   {'Φ of one rating':20}  range  cheapest design"
    for one in measures:
        shares = one.variances.shares
        told = "".join(f"{shares[name]:9.1%}" if shares else f"{'-':>9}" for name in ("item", "prompt", "item_prompt", "residual"))
        name = f"{one.name:{width}}  {one.of:7}  {one.decision:8}"
        yield f"  {name}{told}   {_estimate(one.phi):20} {one.range_of_five:6.2f}  {_design(one.recommended)}"


def _design(design: Design | None) -> str:
    if design is None:
        return "none looked at reaches the target"
    price = "" if design.usd is None else f", ${design.usd:.4f} a dialogue"
    return f"{design.prompts} prompt{'s' * (design.prompts > 1)} × {design.runs} (Φ {design.phi:.2f}{price})"


def _flips(title: str, flips: Sequence[FlipsFound]) -> Iterator[str]:
    yield f"{title}: by another prompt; by another run of the same (noise); difference"
    width = max(len(one.what) for one in flips)
    for one in flips:
        often = "" if one.same.met is not False else "; too often"
        yield f"  {one.what:{width}}  {_share(one.prompts)}; {_share(one.runs)}; {_share(one.excess)}{often}"


def _share(found: Estimate) -> str:
    if found.value is None:
        return "-"
    span = "" if found.low is None or found.high is None else f" [{found.low:.1%}, {found.high:.1%}]"
    return f"{found.value:.1%}{span}"


def _estimate(found: Estimate) -> str:
    if found.value is None:
        return "-"
    span = "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.value:.2f}{span}"


def _compared(one: Compared) -> str:
    told = []
    for shift in one.shifts:
        if shift.measure in TELLING:
            times = shift.of_five / shift.mean if shift.mean else 1.0
            span = "" if shift.low is None or shift.high is None else f" [{shift.low * times:+.2f}, {shift.high * times:+.2f}]"
            told.append(f"{shift.measure} {shift.of_five:+.2f}{span}")
    signs = next((flips for flips in one.flips if flips.what.startswith("sign")), None)
    if signs and signs.prompts.value is not None and signs.runs.value is not None:
        told.append(f"advantage signs turned {signs.prompts.value:.1%} (noise {signs.runs.value:.1%})")
    return "; ".join(told)
