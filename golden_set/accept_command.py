"""`judge golden accept`: the only way to write a baseline. Shows what changes; the file is reviewed as a diff and committed."""

import getpass
import json
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from golden_set import options
from golden_set.accept import Dirty, changes, rate_runs, stances
from golden_set.baseline import LEAST_RUNS, Baseline, dump, load_baseline, make_baseline, place_of
from golden_set.decision import UNREACHED, Decision
from golden_set.findings import Drift
from golden_set.gate import load_gate
from golden_set.workbench import day_of, print_plan, workbench
from judge.report_files import replace_whole, see_writable


def accept(
    judge: options.Judge = None,
    rubric: options.Rubric = None,
    cases: options.Cases = None,
    runs: Annotated[int, typer.Option(min=LEAST_RUNS, max=100, help="How often each case is rated.")] = LEAST_RUNS,
    baseline: options.Baseline = None,
    by: Annotated[str | None, typer.Option(help="Who accepts.  [default: you]", show_default=False)] = None,
    note: Annotated[str, typer.Option(help="Why, for whoever reads the file.")] = "",
    gate: Annotated[str, typer.Option(help="Whose margins and hygiene hold.")] = "default",
    ledger: options.Ledger = None,
    record: options.Record = None,
    budget_usd: options.Budget = None,
    max_requests: options.Requests = None,
    plan: options.Plan = False,
    as_json: options.Json = False,
    day: options.Day = None,
) -> None:
    """Accept a judge as it is now: rate the golden cases ten times, show what changes, write golden_set/baselines/*.json.

    Exit status: 0 written, 1 the judge is not fit, 2 usage, 4 it could not be reached.
    """
    limits = load_gate(gate)
    on = day_of(day)
    with workbench(
        judge=judge, rubric=rubric, cases=cases, ledger=ledger, record=record, budget_usd=budget_usd, max_requests=max_requests
    ) as bench:
        if plan:
            print_plan(bench, [case.transcript for case in bench.cases], runs=runs, as_json=as_json)
            return
        path = place_of(baseline, bench.judge.id)
        see_writable(path.parent)
        if path.is_dir():
            raise UsageProblem(f"cannot write the baseline {path}: it is a folder; name a file with --baseline")
        old = load_baseline(baseline, bench.rubric, bench.judge.id) if path.is_file() else None
        try:
            heard = rate_runs(bench.cases, bench.judge, bench.ledger, limits, runs=runs, day=on)
        except Dirty as problem:
            typer.echo(f"judge: not accepted: {problem}", err=True)
            raise typer.Exit(UNREACHED if "did not answer" in str(problem) else 1) from None
        moved = changes(heard, old, bench.cases, bench.judge, limits)
        stands = stances(heard, bench.cases, bench.judge)
        made = make_baseline(bench.judge.id, heard.sheet, bench.cases, bench.rubric, day=on, by=by or getpass.getuser(), note=note)
    replace_whole(path, dump(made))
    if as_json:
        told = {"baseline": str(path), "judge": made.judge.model_dump(), "runs": made.runs, "changes": [row.model_dump() for row in moved]}
        print(json.dumps(told))
        return
    print(f"{made.judge}: {len(made.cases)} golden cases, {made.runs} runs")
    for stand in stands:
        shown = "-" if stand.kappa is None else f"{stand.kappa:.2f}"
        print(f"  {stand.criterion:28} noise of a rating {stand.noise or 0:.2f}, kappa of single ratings with the labels {shown}")
    _tell_changes(old, made, moved)
    print(f"written: {path}; read it as a diff, and commit it")


def _tell_changes(old: Baseline | None, made: Baseline, moved: tuple[Drift, ...]) -> None:
    if old is None:
        print("the first baseline: there is none to compare with")
        return
    who = "the same judge" if old.judge == made.judge else f"it was {old.judge}"
    gone, new = old.cases.keys() - made.cases.keys(), made.cases.keys() - old.cases.keys()
    print(f"before: {old.accepted_on} by {old.accepted_by}, {who}; {len(new)} cases new, {len(gone)} gone")
    for row in moved:
        word = {Decision.PASS: "as before", Decision.FAIL: "moved", Decision.UNDECIDED: "may have moved"}[row.decision]
        print(f"  {row.criterion:28} {word}: {row.shift:+.3f} [{row.low:+.3f}, {row.high:+.3f}], margin {row.margin:.3f}")
        for case in row.moved if row.decision is not Decision.PASS else ():
            print(f"    {case.case} {case.shift:+.2f}: “{case.item.text[:90]}”")
