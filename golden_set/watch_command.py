"""`judge golden watch`: one night of the monitor, made for a nightly job; its history is a file that the job must keep."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from dialogue.reading import read_transcripts
from golden_set import options
from golden_set.baseline import load_baseline
from golden_set.decision import STATUS, UNREACHED, Decision
from golden_set.history import History, default_place, load_history, save_history
from golden_set.watch import Task, Unreached, watch
from golden_set.watch_report import WatchReport, make_report
from golden_set.workbench import Workbench, day_of, print_plan, workbench
from judge.contract import Judge
from judge.judges import make_judge
from judge.report_files import publish, see_writable

NONE, DEFAULT = "none", "local"
SHOWN = 8  # slices
MISSING = STATUS[Decision.UNDECIDED]


def watch_command(
    judge: options.Judge = None,
    rubric: options.Rubric = None,
    cases: options.Cases = None,
    history: Annotated[
        Path | None, typer.Option(help="The history file; keep it.  [default: golden_set/history/RUBRIC.jsonl]", show_default=False)
    ] = None,
    begin: Annotated[bool, typer.Option("--begin", help="There is no history yet, and that is right.")] = False,
    baseline: options.Baseline = None,
    second: Annotated[
        str | None,
        typer.Option(
            help="Another judge, that tells drift of the judge from drift of the data; or none.  [default: local]", show_default=False
        ),
    ] = None,
    stream: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Today's production transcripts; may be given again.", show_default=False)
    ] = None,
    report: options.Report = None,
    ledger: options.Ledger = None,
    record: options.Record = None,
    budget_usd: options.Budget = None,
    max_requests: options.Requests = None,
    plan: options.Plan = False,
    as_json: options.Json = False,
    day: options.Day = None,
) -> None:
    """Watch for drift, once a night: rate the golden cases once, compare with the nights before, alarm, and say what drifted.

    Exit status: 0 no alarm, 1 alarm, 2 usage, 3 the history is missing (one was begun), 4 the judge could not be reached.
    """
    on = day_of(day)
    see_writable(report)
    with workbench(
        judge=judge, rubric=rubric, cases=cases, ledger=ledger, record=record, budget_usd=budget_usd, max_requests=max_requests
    ) as bench:
        flow = tuple(read_transcripts(*stream)) if stream else None
        if plan:
            print_plan(bench, [*(case.transcript for case in bench.cases), *(flow or ())], runs=1, as_json=as_json)
            return
        place = history or default_place(bench.judge.id)
        known = load_history(place)
        accepted = load_baseline(baseline, bench.rubric, bench.judge.id)
        task = Task(bench.judge, bench.cases, on, accepted, _second(second, bench), flow)
        try:
            done = watch(task, known or History(), bench.ledger)
        except Unreached as problem:
            _aloud("error", str(problem), os.environ)
            raise typer.Exit(UNREACHED) from None
        if load_history(place) != known:
            raise UsageProblem(
                f"{place} was changed by another watch while this night was rated; run the same command again: what was rated is in the "
                "ledger. Judges that are watched side by side need a --history each"
            )
        save_history(place, done.history)
        found = make_report(task, done)
    missing = known is None
    if missing:
        lost = (
            f"no history at {place}: one begins, and its burn-in of {found.limits.burn_in} nights. If there were nights before, they are "
            "lost: restore the file, and have the nightly job commit or cache it; a monitor that begins anew each night never fires"
        )
        _aloud("warning" if begin else "error", lost, os.environ)
    for warning in found.warnings:
        _aloud("warning", warning, os.environ)
    written = publish(found.kind, found.model_dump(mode="json"), report, os.environ)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
    else:
        _tell(found, place)
        for path in written:
            print(f"report: {path}")
    if found.alarm:
        _aloud("error", found.told, os.environ)
    elif found.amber or found.suspected:
        _aloud("warning", found.told, os.environ)
    raise typer.Exit(found.status or (MISSING if missing and not begin else 0))


def _second(spec: str | None, bench: Workbench) -> Judge | None:
    """Return the second judge: none beside itself, and none by default where the embedded judge does not know the rubric."""
    if (spec or DEFAULT) in (NONE, bench.spec):
        return None
    try:
        return make_judge(spec or DEFAULT, bench.rubric, replace(bench.terms, record=None))
    except UsageProblem as problem:
        if spec is None:
            told = f"no second judge: {problem}. An alarm cannot tell a drift of the judge from one of the data; name one with --second"
            _aloud("warning", told, os.environ)
            return None
        raise UsageProblem(f"--second {spec}: {problem}; name another, or write --second none") from problem


def _aloud(level: str, message: str, environ: Mapping[str, str]) -> None:
    """Say on stderr what must not be missed; GitHub shows it on the run's page as well."""
    print(f"judge: {message}", file=sys.stderr)
    if environ.get("GITHUB_ACTIONS"):
        told = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        # The runner reads commands from either stream; stdout may be a report in JSON.
        print(f"::{level} title=judge golden watch::{told}", file=sys.stderr)


def _tell(found: WatchReport, place: Path) -> None:
    """Print the night."""
    when = "" if found.fresh else " (in the history already: nothing was asked)"
    print(
        f"{found.judge}, {found.day}{when}: {found.answered} of {found.cases} golden cases rated, night {found.nights} since {found.begun}"
    )
    width = max(len(path.criterion) for path in found.anchors)
    print(f"  {'anchors':{width}}    mean   shift  tolerance    again  evidence  CUSUM  second")
    for path in found.anchors:
        print(
            f"  {path.criterion:{width}}  {_cell(path.mean, '6.2f')}  {_cell(path.shift, '+6.3f')}  {_cell(path.tolerance, '9.3f')}  "
            f"{_cell(path.again, '+7.3f')}  {_cell(path.evidence, '8.3g')}  {_cell(path.cusum, '5.1f')}  {_cell(path.second, '+6.3f')}"
        )
    if found.together[-1] is not None:
        print(f"  {'together':{width}}  evidence {found.together[-1]:.3g} (alarm at {found.limits.alarm:g})")
    if found.stream:
        print(f"  {'stream':{width}}    mean   shift  tolerance  evidence  second")
        for path in found.stream:
            print(
                f"  {path.criterion:{width}}  {_cell(path.mean, '6.2f')}  {_cell(path.shift, '+6.3f')}  {_cell(path.tolerance, '9.3f')}  "
                f"{_cell(path.evidence, '8.3g')}  {_cell(path.second, '+6.3f')}"
            )
        if found.stream_burn_in < found.limits.burn_in:
            print(f"  the stream: burn-in {found.stream_burn_in} of {found.limits.burn_in}: cannot alarm yet")
    print(found.told)
    if found.alarm:
        for case in found.alarm.cases:
            print(f"  {case.case}: {case.criterion} {case.shift:+.2f}")
        for moved in found.slices[:SHOWN]:
            print(f"  slice {moved.slice}: {moved.criterion} {moved.shift:+.2f}")
        if len(found.slices) > SHOWN:
            print(f"  and {len(found.slices) - SHOWN} slices more (--report, --json)")
        if found.alarm.voided:
            print("the clearance of this judge is void")
        if found.alarm.uncalibrated:
            print("the calibration of this judge is void")
        for step in found.todo:
            print(f"- {step}")
    print(f"history: {place}; keep it: commit it, or cache it")


def _cell(numbers: tuple[float | None, ...], form: str) -> str:
    last = numbers[-1]
    return f"{'-':>{form.lstrip('+').split('.')[0]}}" if last is None else f"{last:{form}}"
