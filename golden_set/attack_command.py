"""`judge golden attack`: changes golden dialogues in ways whose effect on an honest rating is known, and has the judge rate them."""

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from dialogue.transcript import Transcript
from golden_set import options
from golden_set.attack import Study, unchanged, varies
from golden_set.attacks.catalogue import CATALOGUE, chosen
from golden_set.attacks.library import Suffix, attacks_of, read_library, suffix, write_library
from golden_set.attacks.mutation import Mutation
from golden_set.attacks.relation import GAIN
from golden_set.attacks.report import KIND, AttackReport
from golden_set.attacks.search import search
from golden_set.attacks.told import tell, tell_catalogue, tell_plan
from golden_set.case import GoldenCase
from golden_set.series import Purpose, series_of
from golden_set.workbench import Workbench, day_of, workbench
from judge.plan import plan as make_plan
from judge.pooling import Repeats
from judge.report_files import publish, see_writable
from judge.rubric import Rubric


def attack_command(
    judge: options.Judge = None,
    rubric: options.Rubric = None,
    cases: options.Cases = None,
    ledger: options.Ledger = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Mutants of each dialogue and attack.")] = 1,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this attack, or family of attacks; may be repeated.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N dialogues.", show_default=False)] = None,
    search_for: Annotated[
        int, typer.Option("--search", min=0, help="Try so many suffixes on the embedded judge first; the best are tried on this one.")
    ] = 0,
    library: Annotated[
        Path | None, typer.Option(help="File of found suffixes: tried too; --search adds to it.", show_default=False)
    ] = None,
    list_attacks: Annotated[bool, typer.Option("--list", help="Name all attacks, ask nothing.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Ask nothing: print requests, tokens and price.")] = False,
    as_json: options.Json = False,
    report: options.Report = None,
    record: options.Record = None,
    budget_usd: options.Budget = None,
    max_requests: options.Requests = None,
    day: options.Day = None,
) -> None:
    """Attack the judge: change golden dialogues in ways whose effect is known, and see whether ratings follow the words or the work.

    Exit status: 0 every relation holds, 1 one does not, 2 usage, 3 undecided (more dialogues, or more --seeds), 4 the judge could
    not be reached or failed on more than a tenth.
    """
    if search_for and library is None:
        raise UsageProblem("--search has no file for what it finds; name one with --library FILE.json")
    known = read_library(library) if library else ()
    attacks = chosen(only or (), (*CATALOGUE, *attacks_of(known)))
    if list_attacks:
        tell_catalogue(attacks, as_json=as_json)
        return
    on = day_of(day)
    see_writable(report)
    with workbench(
        judge=judge, rubric=rubric, cases=cases, ledger=ledger, record=record, budget_usd=budget_usd, max_requests=max_requests
    ) as bench:
        dialogues = bench.cases[:limit]
        if plan:
            _plan(bench, dialogues, attacks, seeds, on, as_json=as_json)
            return
        found = _searched(dialogues, bench.rubric, search_for, known)
        study = Study(bench.judge, bench.ledger, dialogues, seeds, on)
        made = study.run((*attacks, *attacks_of(found)), _said)
        if library and search_for:
            winners = _winners(found, made)
            write_library(library, (*known, *winners))
            print(
                f"{len(winners)} of {len(found)} found suffixes lift this judge too; {library} has {len(known) + len(winners)}",
                file=sys.stderr,
            )
    written = publish(KIND, made.model_dump(mode="json"), report, os.environ)
    tell(made, as_json=as_json)
    for path in () if as_json else written:
        print(f"report: {path}")
    raise typer.Exit(made.status)


def _plan(bench: Workbench, cases: Sequence[GoldenCase], attacks: Sequence[Mutation], seeds: int, day: date, *, as_json: bool) -> None:
    def mutants() -> Iterator[Transcript]:
        for attack in attacks:
            for mutant in attack.mutants(cases, bench.rubric, seeds):
                yield mutant.transcript

    series = series_of(Purpose.ATTACK, day)
    twice = 2 if varies(bench.judge.id) else 1  # the dialogues themselves are asked again, to see how far ratings move
    originals = [mutant.transcript for mutant in unchanged(cases)]
    plans = {
        "dialogues": make_plan(originals, bench.judge, bench.ledger, Repeats(least=twice, most=twice, series=series), bench.terms),
        "mutants": make_plan(mutants(), bench.judge, bench.ledger, Repeats(series=series), bench.terms),
    }
    tell_plan(plans, len(attacks), as_json=as_json)


def _searched(cases: Sequence[GoldenCase], rubric: Rubric, evaluations: int, known: Sequence[Suffix]) -> list[Suffix]:
    """Return what lifts the embedded judge and is not known yet."""
    if not evaluations:
        return []
    names = {one.name for one in known}
    found = [suffix(one.text, rubric, "local", one.gain) for one in search(cases, rubric, evaluations) if one.gain > GAIN]
    return [one for one in found if one.name not in names]


def _winners(found: Sequence[Suffix], made: AttackReport) -> list[Suffix]:
    """Return what lifts the judge that was asked, with what it gained there."""
    gains = {result.name: max((one.mean or 0.0 for one in result.measured), default=0.0) for result in made.attacks}
    return [
        one.model_copy(update={"judge": str(made.judge), "gain": round(gains[one.name], 3)})
        for one in found
        if gains.get(one.name, 0.0) > GAIN
    ]


def _said(name: str) -> None:
    if sys.stderr.isatty():
        print(name, file=sys.stderr)
