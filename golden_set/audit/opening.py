"""An audit that is in the ledger already, opened: what `judge audit report` and `judge audit promote` work with. Nothing is written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialogue.errors import UsageProblem, listed
from golden_set.audit.book import AuditBook
from golden_set.audit.evidence import Evidence, make_evidence
from judge.ledger import Ledger
from judge.settings import load_settings


@dataclass(frozen=True)
class Opened:
    """A ledger, its audits, and one of them with its labels."""

    ledger: Ledger
    book: AuditBook
    evidence: Evidence


@contextmanager
def opened(ledger: str | None, audit: str | None) -> Iterator[Opened]:
    """Open an audit, the newest by default, of the ledger that the option or the settings name.

    Raises:
        UsageProblem: no such ledger, or no such audit in it.
    """
    place = load_settings(Path.cwd(), os.environ, {"ledger": ledger}).ledger
    see_ledger(place)
    with Ledger(place) as kept:
        book = AuditBook(kept)
        sample = book.sample(audit)
        yield Opened(kept, book, make_evidence(sample, book.items(sample.name), book.labels(sample.name)))


def see_ledger(path: str, first: str = "draw an audit with `judge audit draw` first, or name another ledger with --ledger") -> None:
    """See that there is a ledger, since opening a name that was misspelt would make one.

    Args:
        first: what to do where there is none.

    Raises:
        UsageProblem: there is none.
    """
    if not Path(path).exists():
        raise UsageProblem(f"no ledger {path}: {first}")


def unanswered(opened: Opened) -> str:
    """Say that there is no label yet, and what to do."""
    name = opened.evidence.sample.name
    told = (
        f"nobody has rated anything of the audit {name!r} yet: {len(opened.evidence.items)} dialogues wait; have people fill in a form of "
        f"audit/{name}/, then `judge audit read FILE --rater NAME`"
    )
    rated = [other for other in opened.book.names() if other != name and opened.book.labels(other)]
    return f"{told}; there are ratings of {listed(rated)}: name one with --audit" if rated else told
