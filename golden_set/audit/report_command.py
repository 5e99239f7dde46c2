"""`judge audit report`: how far the judge can be trusted, by what people said of the sample."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from golden_set import options
from golden_set.audit import choices
from golden_set.audit.estimates import REWARD
from golden_set.audit.opening import opened, unanswered
from golden_set.audit.report import make_report, missing_twice, same_recipe
from golden_set.audit.report_text import tell
from golden_set.audit.sample import AuditSample
from golden_set.audit.worth import Worth, make_worth
from golden_set.series import today
from judge.report_files import publish, see_writable

Recipe = Annotated[str | None, typer.Option(help="What people's rewards are made with.  [default: as the sample]", show_default=False)]
Outcomes = Annotated[str | None, typer.Option(help="The outcome table for it.  [default: as the sample]", show_default=False)]


def report(
    audit: choices.Audit = None,
    folder: Annotated[
        Path | None, typer.Option("--report", help="Write the report, as data and as pages, to this folder.", show_default=False)
    ] = None,
    recipe: Recipe = None,
    outcomes: Outcomes = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Report on an audit: agreement of people and judge, bias, the mean reward of the log, violations, the worst disagreements.

    Exit status: 0 reported (a report is no gate), 1 nobody has rated anything yet, 2 usage.
    """
    see_writable(folder)
    with opened(ledger, audit) as work:
        evidence, sample = work.evidence, work.evidence.sample
        worth = _worth(sample, recipe, outcomes)
        if not any(places for said in evidence.said.values() for places in said.values()):
            print(f"judge: {unanswered(work)}", file=sys.stderr)
            raise typer.Exit(1)
        if worth and not same_recipe(worth, sample):
            was, now = f"{sample.recipe} and {sample.outcomes}", f"{worth.recipe} and {worth.outcomes}"
            told = f"people's rewards are made with {now}, the log's with {was}: the judge's own mean {REWARD} is left out"
            print(f"judge: {told}", file=sys.stderr)
        calibration = work.ledger.calibration(sample.judge)
        found = make_report(evidence, work.book.frame(sample.name), worth, calibration=calibration.id if calibration else None, day=today())
    pages = publish(found.kind, found.model_dump(mode="json"), folder, os.environ)  # first: the reader of what follows may go away
    if as_json:
        print(found.model_dump_json())
        return
    tell(found, missing_twice(evidence))
    for path in pages:
        print(f"report: {path}")


def _worth(sample: AuditSample, recipe: str | None, outcomes: str | None) -> Worth | None:
    """Return what tells rewards: what the sample was drawn with, or what the options name; None where it was drawn without.

    Raises:
        UsageProblem: it is no longer what it was, or cannot be found under its name.
    """
    if not (sample.recipe or recipe):
        return None
    names = [given or was.rpartition("@")[0] for given, was in ((recipe, sample.recipe), (outcomes, sample.outcomes))]
    try:
        made = make_worth(sample.rubric, names[0], names[1] or None)
    except UsageProblem as problem:
        raise UsageProblem(
            f"{problem}; the audit {sample.name!r} was drawn with the recipe {sample.recipe} and the outcome table {sample.outcomes}: "
            "name them with --recipe and --outcomes"
        ) from problem
    for option, given, now, was in (
        ("--recipe", recipe, made.recipe, sample.recipe),
        ("--outcomes", outcomes, made.outcomes, sample.outcomes),
    ):
        if given is None and now.rpartition("@")[2] != was.rpartition("@")[2]:
            raise UsageProblem(
                f"the audit {sample.name!r} was drawn with {was}, but {now.rpartition('@')[0]!r} is {now} now; restore it, or name what "
                f"people's rewards shall be made with by {option}"
            )
    return made
