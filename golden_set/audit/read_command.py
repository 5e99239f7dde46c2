"""`judge audit read`: forms that people filled in become labels in the ledger; what does not fit is told, row by row."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from dialogue.errors import UsageProblem
from dialogue.visible import shown
from golden_set import options
from golden_set.audit.answers import Key, Taken, answered, check, questions_of
from golden_set.audit.book import AuditBook
from golden_set.audit.columns import see_columns
from golden_set.audit.forms.recognition import form_of
from golden_set.audit.forms.table import Tabular
from golden_set.audit.opening import see_ledger
from golden_set.audit.progress import progress
from golden_set.audit.read_text import Given, Told, data, tell, tell_notes
from golden_set.audit.sameness import same_as
from golden_set.audit.sample import AuditLabel, Rater
from judge.ledger import Ledger
from judge.settings import load_settings

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Filled-in forms: labels files of the page, CSV, XLSX, exports.")]
Name = Annotated[
    str, typer.Option("--rater", help="Who filled them in: a pseudonym such as rater-1, never a name, an address or a number.")
]
Which = Annotated[str | None, typer.Option(help="Take answers to this audit only.  [default: the one in the files]", show_default=False)]
Replace = Annotated[bool, typer.Option("--replace", help="Take answers that differ from earlier ones; those are kept as superseded.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and tell; store nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print counts, all refused rows, warnings and progress as JSON.")]


def read(
    files: Files,
    rater: Name,
    audit: Which = None,
    replace: Replace = False,
    dry_run: DryRun = False,
    ledger: options.Ledger = None,
    as_json: AsJson = False,
) -> None:
    """Read what a person answered: check every row, and store what is right.

    Raters are told apart by --rater alone: part 2 must be filled in by another person than part 1, and read under another name.
    Partial files are welcome, and a file may be read again: an empty answer erases nothing, a different one needs --replace.
    Who cannot tell leaves the cell empty or writes `-`; `?`, `n/a`, `na` and `cannot tell` mean the same. `judge audit withdraw` undoes.

    Exit status: 0 all taken, 1 some rows refused, 2 usage.
    """
    _see_pseudonym(rater)
    place = load_settings(Path.cwd(), os.environ, {"ledger": ledger}).ledger
    see_ledger(place)
    given = [_given(path) for path in files]  # all of them: if one cannot be read, nothing is stored
    with Ledger(place) as book:
        try:
            told = _read(AuditBook(book), given, rater, audit, replace=replace, store=not dry_run)
        except KeyboardInterrupt:
            print(f"judge: interrupted; each file is in {place} whole or not at all: the same command goes on from there", file=sys.stderr)
            raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(data(told, rater, dry_run=dry_run)))
    tell_notes(told, rater, refused=not as_json)
    if not as_json:
        tell(told, rater, dry_run=dry_run)
    raise typer.Exit(1 if any(taken.refused for taken in told.taken) else 0)


def _see_pseudonym(rater: str) -> None:
    try:
        TypeAdapter(Rater).validate_python(rater)
    except ValidationError as error:
        raise UsageProblem(
            f"--rater is {rater!r}; expected a pseudonym such as rater-1, a small letter and at most 31 small letters, digits, hyphens and "
            "underscores: labels stay in the ledger and in reports, so nobody's name, address or number belongs there"
        ) from error


def _given(path: Path) -> Given:
    name, form = form_of(path)
    answers = [answer for answer in form.read(path) if answered(answer)]
    return Given(shown(str(path)), name, form.columns(path) if isinstance(form, Tabular) else None, answers)


def _read(book: AuditBook, given: list[Given], rater: str, audit: str | None, *, replace: bool, store: bool) -> Told:
    name = audit or _audit_of(given, book.names())
    if name is None:
        return Told(None, given, [Taken() for _ in given], [[] for _ in given], (), {})
    sample = book.sample(name)
    items = book.items(sample.name)
    missing = [see_columns(one.path, one.columns, one.answers, sample.rubric) if one.columns and one.answers else [] for one in given]
    questions = questions_of(sample, items.values())
    labels = {(label.item, label.place, label.rater): label for label in book.labels(sample.name)}
    known: dict[Key, AuditLabel] = {(item, place): label for (item, place, who), label in labels.items() if who == rater}
    every = []
    for one in given:
        taken = check(one.answers, questions, known, rater, file=one.path, replace=replace)
        if store and taken.labels:
            book.label(sample.name, taken.labels, one.path)
        known |= {(label.item, label.place): label for label in taken.labels}
        every.append(taken)
    labels |= {(item, place, rater): label for (item, place), label in known.items()}
    parts = progress(items, sample.rubric, labels.values())
    return Told(sample.name, given, every, missing, parts, same_as(rater, labels.values()))


def _audit_of(given: list[Given], known: list[str]) -> str | None:
    """Return the audit that most answers belong to, of those in the ledger if any is; None where nobody answered anything."""
    named = Counter(answer.audit for one in given for answer in one.answers)
    here = [name for name, _ in named.most_common() if name in known]
    return next(iter([*here, *(name for name, _ in named.most_common())]), None)
