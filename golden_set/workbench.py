"""What every `judge golden` command works with: the judge, the rubric, the cases and the ledger that its options name."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer

from dialogue.errors import UsageProblem
from dialogue.transcript import Transcript
from golden_set.case import GoldenCase, load_cases, shipped_cases
from golden_set.series import today
from judge.contract import Judge, Terms
from judge.judges import make_judge, terms_of
from judge.ledger import Ledger
from judge.plan import plan as make_plan
from judge.pooling import Repeats
from judge.recording import begin
from judge.rubric import Rubric, load_rubric
from judge.settings import Settings, load_settings

UNUSED = 1  # a series that is never rated


@dataclass(frozen=True)
class Workbench:
    """What a command works with. `make` makes the same judge for a rubric that is worded or shown in another way."""

    spec: str  # as after --judge
    judge: Judge
    rubric: Rubric
    cases: tuple[GoldenCase, ...]
    ledger: Ledger
    terms: Terms
    make: Callable[[Rubric], Judge]


def day_of(given: str | None) -> date:
    """Return the day that `--day` names; today where it is left out.

    Raises:
        UsageProblem: it is no day.
    """
    try:
        return date.fromisoformat(given) if given else today()
    except ValueError as error:
        raise UsageProblem(f"--day is {given!r}; expected a day as YYYY-MM-DD, such as {today()}") from error


@contextmanager
def workbench(
    *,
    judge: str | None,
    rubric: str | None,
    cases: Path | None,
    ledger: str | None,
    record: Path | None = None,
    budget_usd: float | None = None,
    max_requests: int | None = None,
) -> Iterator[Workbench]:
    """Open what the options name; settings and variables fill in what they leave out.

    Raises:
        UsageProblem: an option, the rubric or a case is wrong.
    """
    given = {"judge": judge, "rubric": rubric, "ledger": ledger, "budget_usd": budget_usd, "max_requests": max_requests}
    settings = load_settings(Path.cwd(), os.environ, {name: given.get(name) for name in Settings.model_fields})
    question = load_rubric(settings.rubric)
    found = load_cases(cases or shipped_cases(), question)
    terms = terms_of(settings, os.environ, record)
    made = make_judge(settings.judge, question, terms)
    if record:
        begin(record, settings.judge)
    with Ledger(settings.ledger) as book:
        try:
            yield Workbench(settings.judge, made, question, found, book, terms, lambda other: make_judge(settings.judge, other, terms))
        except KeyboardInterrupt:
            told = f"interrupted; what was rated is in {settings.ledger}: the same command goes on from there, today (UTC)"
            print(f"judge: {told}", file=sys.stderr)
            raise typer.Exit(130) from None


def print_plan(bench: Workbench, transcripts: Iterable[Transcript], *, runs: int, as_json: bool) -> None:
    """Print what rating transcripts afresh, so often, would ask and cost."""
    made = make_plan(transcripts, bench.judge, bench.ledger, Repeats(runs, runs, series=UNUSED), bench.terms)
    total = made.total
    if as_json:
        print(json.dumps({"dialogues": made.dialogues, "runs": runs, "total": total.model_dump(), "seconds": round(made.seconds, 1)}))
        return
    price = "price not known: name a price table" if total.cost_usd is None else f"${total.cost_usd:.4f}"
    tokens = f"{total.input_tokens:,} input tokens ({total.cached_tokens:,} cached), {total.output_tokens:,} output tokens"
    print(f"{made.dialogues:,} dialogues, {runs} times at most: {total.requests:,} requests, {tokens}; {price}; about {made.seconds:.0f} s")
