"""`judge golden check`: is the judge what it was, and does it agree with people? Its exit status is the answer."""

import json
import os
from typing import Annotated

import typer

from golden_set import options
from golden_set.baseline import load_baseline
from golden_set.check import Question
from golden_set.check_report import make_report, reached
from golden_set.check_run import is_free, run_check
from golden_set.decision import STATUS, UNREACHED, Decision
from golden_set.findings import CheckReport, Finding
from golden_set.gate import Gate, load_gate
from golden_set.workbench import Workbench, day_of, print_plan, workbench
from judge.report_files import publish, see_writable
from judge.verdict import FailureKind

Whole = Annotated[bool, typer.Option("--all", help="Rate every case, also when the answer is clear before.")]
Runs = Annotated[int, typer.Option(min=1, max=20, help="Rate each case so often at most; more than once only while undecided.")]


def check(
    judge: options.Judge = None,
    rubric: options.Rubric = None,
    cases: options.Cases = None,
    repeats: Runs = 3,
    gate: Annotated[str, typer.Option(help="What is asked for: default, regression, or a path.")] = "default",
    baseline: options.Baseline = None,
    report: options.Report = None,
    whole: Whole = False,
    ledger: options.Ledger = None,
    record: options.Record = None,
    budget_usd: options.Budget = None,
    max_requests: options.Requests = None,
    plan: options.Plan = False,
    as_json: options.Json = False,
    day: options.Day = None,
) -> None:
    """Check a judge on golden cases: drift against its baseline, agreement with the labels, violations found.

    Exit status: 0 pass, 1 fail, 2 usage, 3 undecided, 4 the judge could not be reached or failed too often.
    """
    see_writable(report)
    asked_for = load_gate(gate)
    on = day_of(day)
    with workbench(
        judge=judge, rubric=rubric, cases=cases, ledger=ledger, record=record, budget_usd=budget_usd, max_requests=max_requests
    ) as bench:
        question = Question(bench.judge, bench.cases, asked_for, load_baseline(baseline, bench.rubric, bench.judge.id), on)
        if plan:
            print_plan(bench, [case.transcript for case in bench.cases], runs=repeats, as_json=as_json)
            return
        ran = run_check(question, bench.ledger, runs=repeats, often=not whole and not is_free(bench.judge))
        decision = ran.answered.decision
        enough = reached(question, ran.heard)
        cleared = enough and decision is Decision.PASS and asked_for.clears
        found = make_report(question, ran.heard, ran.answered, ran.looked, ran.planned, cleared=cleared)
        note = _settle(bench, found, asked_for)
    if as_json:
        print(found.model_dump_json())
    else:
        _tell(found, note)
    for path in publish(found.kind, found.model_dump(mode="json"), report, os.environ):
        if not as_json:
            print(f"report: {path}")
    raise typer.Exit(STATUS[decision] if enough else UNREACHED)


def _settle(bench: Workbench, found: CheckReport, gate: Gate) -> str:
    """Give leave to produce rewards, or take it back, and say so."""
    if found.cleared:
        evidence = {
            "check": found.kind,
            "judge": bench.spec,
            "gate": f"{gate.name}@{gate.hash[:12]}",
            "cases": found.cases_hash,
            "baseline": found.baseline and found.baseline.accepted_on.isoformat(),
            "day": found.day.isoformat(),
        }
        bench.ledger.clear(bench.judge.id, json.dumps(evidence))
        old = "; by a recording, which says nothing of how the model answers today" if bench.spec.startswith("replay:") else ""
        return f"cleared: {found.judge} may produce rewards (in {bench.ledger.path}){old}"
    if found.decision is not Decision.FAIL or not found.reached:
        return ""
    told = []
    if bench.ledger.void(bench.judge.id):
        told.append(f"its clearance in {bench.ledger.path} is void: {found.judge} may not produce rewards")
    if _moved(found) and (void := bench.ledger.void_calibrations(bench.judge.id)):
        told.append(f"its calibration {' and '.join(void)} is void: the judge is not the one that people corrected")
    return "\n".join(told)


def _moved(found: CheckReport) -> bool:
    """Say whether the judge is no longer what it was; what differs from another judge's baseline says nothing of that."""
    own = found.baseline is not None and found.baseline.same_judge
    return own and any(row.decision is Decision.FAIL for row in found.drift)


def _tell(found: CheckReport, note: str) -> None:
    print(f"{found.judge}, {found.cases} golden cases, gate {found.gate.name}")
    if found.baseline:
        old = found.baseline
        other = "" if old.same_judge else f" (of {old.judge})"
        print(f"baseline of {old.accepted_on} by {old.accepted_by}{other}: {old.runs} runs, {old.cases} cases compared")
    if not found.reached:
        why = "the budget was spent too early" if set(found.failures) == {FailureKind.NOT_ASKED} else "the judge failed too often"
        print(f"{why}: {', '.join(f'{count} {kind}' for kind, count in found.failures.items()) or 'nothing answered'}")
        for line in found.first_failures:
            print(f"  {line}")
    width = max(len(finding.name) for finding in found.findings)
    for finding in found.findings:
        print(f"  {(finding.decision or '-'):9} {finding.name:{width}} {_figure(finding):26} {finding.told}".rstrip())
    for row in found.drift:
        if row.decision is not Decision.PASS:
            word = "moved" if row.decision is Decision.FAIL else "may have moved,"
            print(f"\n{row.criterion}: {word} by {row.shift:+.2f} [{row.low:+.2f}, {row.high:+.2f}], margin {row.margin:.2f}")
            for moved in row.moved:
                item = moved.item
                at = "the episode" if item.turn is None else f"turn {item.turn}"
                change = f"{item.before:.2f} -> {item.now:.2f}, label {item.label:.2f}"
                print(f"  {moved.case} {moved.shift:+.2f}; {at}: {change}: “{item.text[:100]}”")
    print(f"\n{found.decision}: {found.asked} ratings of dialogues asked for, of {found.planned} at most")
    if (spent := found.usage).requests:
        price = "price not known" if spent.cost_usd is None else f"${spent.cost_usd:.4f}"
        print(f"{spent.requests:,} requests, {spent.input_tokens:,} input and {spent.output_tokens:,} output tokens, {price}")
    if note:
        print(note)


def _figure(finding: Finding) -> str:
    if finding.figure is None:
        return ""
    bounds = f" [{_short(finding.low)}, {_short(finding.high)}]" if finding.low is not None and finding.high is not None else ""
    return f"{_short(finding.figure)}{bounds}"


def _short(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # no minus before a zero
