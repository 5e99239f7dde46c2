"""What `judge audit read` says it took, as lines and as data."""

import sys
from dataclasses import dataclass

from golden_set.audit.answers import Refused, Taken
from golden_set.audit.progress import PartProgress
from golden_set.audit.review import Answer

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


@dataclass(frozen=True)
class Given:
    """A file that was read. `columns` are a table's, as they are written; None of another form."""

    path: str
    form: str
    columns: list[str] | None
    answers: list[Answer]


@dataclass(frozen=True)
class Told:
    """What came of it. Without any answer there is no audit to tell of.

    Attributes:
        missing: of each file, the columns of criteria that it has not.
        same: how many ratings other raters share with this one, all of the same value, by rater.
    """

    audit: str | None
    given: list[Given]
    taken: list[Taken]
    missing: list[list[str]]
    parts: tuple[PartProgress, ...]
    same: dict[str, int]

    @property
    def refused(self) -> list[Refused]:
        """All rows that were not taken, in the order of files and rows."""
        return [one for taken in self.taken for one in taken.refused]

    def count(self, name: str) -> int:
        """Return one of `WORDS` over all files."""
        return len(self.refused) if name == "refused" else sum(getattr(taken, name) for taken in self.taken)

    def warnings(self, rater: str) -> list[str]:
        """Say who answered the same as `rater` everywhere, and how to undo it if that is one person."""
        return [
            f"all {number:,} ratings that {rater} and {other} both gave are the same: if one file was read under two names, people agree "
            f"with themselves in the report; undo it with `judge audit withdraw --rater NAME --audit {self.audit}`, NAME being the wrong "
            f"one of {other} and {rater}"
            for other, number in self.same.items()
        ]


def data(told: Told, rater: str, *, dry_run: bool) -> dict[str, object]:
    """Return what was taken, for `--json`."""
    files = [
        {
            "file": one.path,
            "form": one.form,
            **{name: getattr(taken, name) for name in COUNTS},
            "refused": len(taken.refused),
            "missing_columns": missing,
        }
        for one, taken, missing in zip(told.given, told.taken, told.missing, strict=True)
    ]
    refused = [{"file": one.file, "where": one.where, "item": one.item, "place": one.place, "what": one.what} for one in told.refused]
    return {
        "audit": told.audit,
        "rater": rater,
        "dry_run": dry_run,
        **{name: told.count(name) for name in COUNTS},
        "refused": refused,
        "files": files,
        "warnings": told.warnings(rater),
        "progress": [part.model_dump() for part in told.parts],
    }


def tell_notes(told: Told, rater: str, *, refused: bool) -> None:
    """Print on stderr what is missing, what was refused (if it shall be told here), and what looks wrong."""
    for one, missing in zip(told.given, told.missing, strict=True):
        if missing:
            several = len(missing) > 1
            names = ", ".join(map(repr, missing))
            print(
                f"judge: {one.path}: the column{'s' * several} {names} {'are' if several else 'is'} missing; the rows are taken without",
                file=sys.stderr,
            )
    for wrong in told.refused[:TOLD] if refused else ():
        print(f"refused: {wrong}", file=sys.stderr)
    if refused and (more := len(told.refused) - TOLD) > 0:
        print(f"and {more:,} more; --json lists all", file=sys.stderr)
    for warning in told.warnings(rater):
        print(f"judge: warning: {warning}", file=sys.stderr)


def tell(told: Told, rater: str, *, dry_run: bool) -> None:
    """Print what was taken, and how far the audit is."""
    if told.audit is None:
        print(f"no answers in {len(told.given)} file{'s' * (len(told.given) != 1)}: nobody filled anything in, or nothing was submitted")
        return
    print(f"audit {told.audit}, {rater}{' (dry run: nothing is stored)' if dry_run else ''}")
    for name, word in WORDS.items():
        if name in ("answered", "new", "known", "refused") or told.count(name):
            print(f"  {word:18}{told.count(name):7,}")
    for part in told.parts:
        if part.episodes:
            print(f"part {part.part}: {_progress(part)}")


def _progress(part: PartProgress) -> str:
    dialogues = f"dialogue{'s' * (part.episodes != 1)}"
    if part.part == 1:
        return f"of all {part.episodes:,} {dialogues}, {part.begun:,} rated by anybody, {part.complete:,} of them in full"
    asked = "that is to be rated twice" if part.episodes == 1 else "that are to be rated twice"
    return f"of the {part.episodes:,} {dialogues} {asked}, {part.begun:,} rated by two people, {part.complete:,} of them in full by both"
