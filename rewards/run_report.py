"""What a run of `judge score` prints at its end: the tables or JSON, and notes on what the user should know."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from judge.calibration import Calibration
from judge.ledger import Ledger
from judge.meter import Meter
from judge.rubric import Rubric
from judge.verdict import JudgeId
from rewards.record import Status
from rewards.summary import Summary
from rewards.table import print_summary, printable

WIDTH = 110  # of tables in a pipe


@dataclass(frozen=True, slots=True)
class Run:
    """Where the run's files are, and how long it took. No `out` is stdout, no `rejects` is none."""

    out: Path | None
    rejects: Path | None
    ledger: str
    seconds: float
    meter: Meter = field(default_factory=Meter)
    calibrated: str = ""  # a sentence on the calibration; none where there is nothing to say


class _Console(Console):
    """rich's console, which would itself end the process with status 1 when the reader goes away."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def report(summary: Summary, ignored: Mapping[str, int], run: Run, *, as_json: bool) -> None:
    """Print the summary: to stdout, or to stderr where the records themselves went to stdout; notes to stderr, or into the JSON."""
    stream = sys.stdout if run.out else sys.stderr
    notes = _notes(summary, ignored, run)
    if as_json:
        places = {"out": str(run.out) if run.out else "-", "rejects": str(run.rejects) if run.rejects else None, "ledger": run.ledger}
        spent = run.meter.spent.model_dump() | {"failed_requests": run.meter.failed, "paid_before": run.meter.found}
        told = {"seconds": round(run.seconds, 3), "spent": spent, "notes": notes}
        print(json.dumps(summary.as_dict() | places | told, ensure_ascii=False), file=stream)
        return
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    console = _Console(file=stream, highlight=False, width=WIDTH if piped else None)
    print_summary(summary, console)
    where = f" -> {run.out}" if run.out else ""
    counts = f"{summary.statuses[Status.SCORED]} scored, {summary.statuses[Status.FAILED]} failed, {summary.rejects} rejected"
    console.print(printable(counts + where), markup=False, soft_wrap=True)
    for note in notes:
        print(printable(note), file=sys.stderr)


def bill(meter: Meter) -> str:
    """Return in one line what was asked and paid."""
    spent = meter.spent
    again = f" ({meter.failed:,} more failed)" if meter.failed else ""
    share = f" ({spent.cached_tokens / spent.input_tokens:.0%} from the prompt cache)" if spent.input_tokens else ""
    if not spent.requests:
        return f"no request was answered, {meter.failed:,} failed"
    price = "price not known: add the model to a price table (--prices)" if spent.cost_usd is None else f"${spent.cost_usd:.4f}"
    return f"{spent.requests:,} requests{again}, {spent.input_tokens:,} input tokens{share}, {spent.output_tokens:,} output tokens, {price}"


def told_of_calibration(ledger: Ledger, judge: JudgeId, rubric: Rubric, *, wanted: bool) -> str:
    """Return in one line which calibration a judge's ratings go through, or why none; nothing where the ledger knows of none.

    Args:
        judge: whose ratings are blended, the number of repeats included.
        wanted: whether a calibration is used if it fits.
    """
    known = ledger.calibrations()
    own = next(((calibration, holds) for calibration, holds in known if calibration.judge == judge), None)
    if own and not own[1]:
        return f"not calibrated: its calibration of {own[0].fitted_on} is void; audit it and run `judge calibrate`"
    if own and not wanted:
        return f"not calibrated: {own[0].id} would fit, --no-calibration leaves it aside"
    if own:
        return f"calibrated by {own[0].id} ({_extent(own[0], rubric)}): handling and means by criterion are by people's scale"
    others = [calibration for calibration, holds in known if holds and calibration.judge.rubric == judge.rubric]
    if not others or not wanted:
        return ""
    nearest = min(others, key=lambda calibration: len(_changes(calibration.judge, judge)))
    changed = ", ".join(_changes(nearest.judge, judge))
    return f"not calibrated: the calibration of {nearest.fitted_on} is of another judge ({changed}); audit this one"


def _extent(calibration: Calibration, rubric: Rubric) -> str:
    """Return how many criteria are flat, and how many have no map."""
    curves = (*calibration.turn.values(), *calibration.episode.values())
    criteria = len(rubric.turn_criteria) + len(rubric.episode)
    without = f", {criteria - len(curves)} without a map" if len(curves) < criteria else ""
    return f"{sum(curve.flat for curve in curves)} of {criteria} criteria flat{without}"


def _changes(before: JudgeId, now: JudgeId) -> list[str]:
    """Return what makes two judges differ, such as `model m-1 -> m-2`."""
    changed = ((name, getattr(before, name), getattr(now, name)) for name in JudgeId.model_fields)
    return [f"{name.removesuffix('_hash')} {_short(name, a)} -> {_short(name, b)}" for name, a, b in changed if a != b]


def _short(name: str, value: str) -> str:
    return value[:12] if name.endswith("_hash") else value


def _notes(summary: Summary, ignored: Mapping[str, int], run: Run) -> list[str]:
    notes = []
    if summary.without_outcome:
        notes.append(f"{summary.without_outcome} without an outcome: they have no outcome term")
    if summary.violations:
        notes.append(f"{summary.violations} with a violation: see them with `judge explain`")
    if run.calibrated:
        notes.append(run.calibrated)
    if summary.overruled:
        lost, found = summary.overruled["no violation"], summary.overruled["violation"]
        told = f"{lost} that the judge calls a violation are none, {found} that it calls none are one"
        notes.append(f"by people's scale, of ratings of turns, {told}: see them with `judge explain`")
    if summary.failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in summary.failures.items())
        notes.append(f"judge failures: {kinds}; the next run asks again")
        notes += [f"  for example: {detail}" for detail in summary.first_failures]
    notes += run.meter.notes
    if run.meter.spent.requests or run.meter.failed:
        notes.append(bill(run.meter))
    if run.rejects:
        more = summary.rejects - len(summary.first_rejects)
        notes += [*summary.first_rejects, *([f"… and {more:,} more"] if more else []), f"rejected input is kept in {run.rejects}"]
    if not summary.statuses.total():
        notes.append("no dialogue was scored" if summary.rejects else "the input holds no dialogue")
    if ignored:
        notes.append("keys not used: " + ", ".join(f"{key} ({count})" for key, count in sorted(ignored.items())))
    if summary.agent_turns:
        notes.append(f"{summary.agent_turns:,} agent turns in {run.seconds:.2f} s; verdicts are kept in {run.ledger}")
    return notes
