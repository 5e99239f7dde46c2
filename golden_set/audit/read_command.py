"""`judge audit read`: forms that people filled in become labels in the ledger; what does not fit is told, row by row."""

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from dialogue.errors import UsageProblem
from dialogue.visible import shown
from golden_set import options
from golden_set.audit.answers import Key, Refused, Taken, answered, check, questions_of
from golden_set.audit.book import AuditBook
from golden_set.audit.forms.recognition import form_of
from golden_set.audit.progress import PartProgress, progress
from golden_set.audit.review import Answer
from golden_set.audit.sample import AuditLabel, Rater
from judge.ledger import Ledger
from judge.settings import load_settings

TOLD = 20  # refused rows that are printed one by one
COUNTS = ("answered", "new", "added", "replaced", "known", "repeated")
WORDS = {
    "answered": "rows with answers",
    "new": "new",
    "added": "added to",
    "replaced": "replaced",
    "known": "already known",
    "repeated": "repeated",
    "refused": "refused",
}
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Filled-in forms: labels files of the page, CSV, XLSX, exports.")]
Name = Annotated[str, typer.Option("--rater", help="Who filled them in: a pseudonym such as rater-1, never a name or an address.")]
Which = Annotated[str | None, typer.Option(help="Take answers to this audit only.  [default: the one in the files]", show_default=False)]
Replace = Annotated[bool, typer.Option("--replace", help="Take answers that differ from earlier ones; those are kept as superseded.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and tell; store nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print counts, all refused rows and progress as JSON.")]


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

    Exit status: 0 all taken, 1 some rows refused, 2 usage.
    """
    _see_pseudonym(rater)
    place = Path(load_settings(Path.cwd(), os.environ, {"ledger": ledger}).ledger)
    if not place.exists():  # opening would make an empty one
        raise UsageProblem(f"no ledger {place}: draw an audit with `judge audit draw` first, or name another ledger with --ledger")
    given = [_given(path) for path in files]  # all of them: if one cannot be read, nothing is stored
    with Ledger(place) as book:
        try:
            told = _read(AuditBook(book), given, rater, audit, replace=replace, store=not dry_run)
        except KeyboardInterrupt:
            print(f"judge: interrupted; each file is in {place} whole or not at all: the same command goes on from there", file=sys.stderr)
            raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(_data(told, rater, dry_run=dry_run)))
    else:
        _tell(told, rater, dry_run=dry_run)
    raise typer.Exit(1 if any(taken.refused for taken in told.taken) else 0)


@dataclass(frozen=True)
class _Given:
    path: str
    form: str
    answers: list[Answer]


@dataclass(frozen=True)
class _Told:
    """What came of it. Without any answer there is no audit to tell of."""

    audit: str | None
    given: list[_Given]
    taken: list[Taken]
    parts: tuple[PartProgress, ...]

    @property
    def refused(self) -> list[Refused]:
        return [one for taken in self.taken for one in taken.refused]

    def count(self, name: str) -> int:
        return len(self.refused) if name == "refused" else sum(getattr(taken, name) for taken in self.taken)


def _see_pseudonym(rater: str) -> None:
    try:
        TypeAdapter(Rater).validate_python(rater)
    except ValidationError as error:
        raise UsageProblem(
            f"--rater is {rater!r}; expected a pseudonym of at most 32 small letters, digits, hyphens and underscores, such as rater-1: "
            "labels stay in the ledger and in reports, so nobody's name or address belongs there"
        ) from error


def _given(path: Path) -> _Given:
    name, form = form_of(path)
    return _Given(shown(str(path)), name, [answer for answer in form.read(path) if answered(answer)])


def _read(book: AuditBook, given: list[_Given], rater: str, audit: str | None, *, replace: bool, store: bool) -> _Told:
    name = audit or _audit_of(given, book.names())
    if name is None:
        return _Told(None, given, [Taken() for _ in given], ())
    sample = book.sample(name)
    items = book.items(sample.name)
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
    return _Told(sample.name, given, every, progress(items, sample.rubric, labels.values()))


def _audit_of(given: list[_Given], known: list[str]) -> str | None:
    """Return the audit that most answers belong to, of those in the ledger if any is; None where nobody answered anything."""
    named = Counter(answer.audit for one in given for answer in one.answers)
    here = [name for name, _ in named.most_common() if name in known]
    return next(iter([*here, *(name for name, _ in named.most_common())]), None)


def _data(told: _Told, rater: str, *, dry_run: bool) -> dict[str, object]:
    files = [
        {"file": one.path, "form": one.form, **{name: getattr(taken, name) for name in COUNTS}, "refused": len(taken.refused)}
        for one, taken in zip(told.given, told.taken, strict=True)
    ]
    refused = [{"file": one.file, "where": one.where, "item": one.item, "place": one.place, "what": one.what} for one in told.refused]
    counts = {name: told.count(name) for name in COUNTS}
    parts = [part.model_dump() for part in told.parts]
    return {"audit": told.audit, "rater": rater, "dry_run": dry_run, **counts, "refused": refused, "files": files, "progress": parts}


def _tell(told: _Told, rater: str, *, dry_run: bool) -> None:
    for one in told.refused[:TOLD]:
        print(f"refused: {one}", file=sys.stderr)
    if (more := len(told.refused) - TOLD) > 0:
        print(f"and {more:,} more; --json lists all", file=sys.stderr)
    if told.audit is None:
        print(f"no answers in {len(told.given)} file{'s' * (len(told.given) != 1)}: nobody filled anything in, or nothing was submitted")
        return
    print(f"audit {told.audit}, {rater}{' (dry run: nothing is stored)' if dry_run else ''}")
    for name, word in WORDS.items():
        if name in ("answered", "new", "known", "refused") or told.count(name):
            print(f"  {word:18}{told.count(name):7,}")
    for part in told.parts:
        if part.episodes:
            second = " by a second person" if part.part == 2 else ""
            print(f"part {part.part}: of {part.episodes:,} episodes {part.begun:,} begun, {part.complete:,} complete{second}")
