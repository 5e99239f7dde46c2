"""`judge audit withdraw`: what one person said in an audit does not count any more; nothing is deleted."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import did_you_mean, listed
from golden_set import options
from golden_set.audit import choices
from golden_set.audit.book import AuditBook
from golden_set.audit.opening import see_ledger
from judge.ledger import Ledger
from judge.settings import load_settings

Name = Annotated[str, typer.Option("--rater", help="Whose answers: the pseudonym that they were read under.")]


def withdraw(rater: Name, audit: choices.Audit = None, ledger: options.Ledger = None, as_json: choices.Json = False) -> None:
    """Take back all that was read under a name, such as a file that was read under the wrong one.

    The ledger keeps it as superseded, so nothing is lost; the same files can be read again, under any name.

    Exit status: 0 withdrawn, 1 nothing was said under this name, 2 usage.
    """
    place = load_settings(Path.cwd(), os.environ, {"ledger": ledger}).ledger
    see_ledger(place)
    with Ledger(place) as kept:
        book = AuditBook(kept)
        name = book.sample(audit).name
        raters = sorted({label.rater for label in book.labels(name)})
        number = book.withdraw(name, rater)
    if as_json:
        print(json.dumps({"audit": name, "rater": rater, "withdrawn": number}, ensure_ascii=False))
    if not number:
        there = f"there are: {listed(raters)}" if raters else "nor of anybody else"
        print(f"judge: no answers of {rater!r} in the audit {name}{did_you_mean(rater, raters)}; {there}", file=sys.stderr)
        raise typer.Exit(1)
    if not as_json:
        print(f"audit {name}, {rater}: {number:,} places withdrawn; reports and calibrations made before still hold them: make them anew")
