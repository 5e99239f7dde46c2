"""See how submitted batches stand, and collect their answers."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from dialogue.errors import UsageProblem, did_you_mean, listed
from judge.contract import Terms
from judge.deferred import Collected, collect, status
from judge.judges import terms_of
from judge.ledger import Ledger
from judge.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Submitted with `judge score --batch`: how it stands, and bring the answers home.")
LedgerOption = Annotated[str | None, typer.Option(help="Where verdicts are kept.  [default: judge-ledger.db]")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LONGEST_NAP = 60.0


@app.command("status")
def status_command(ledger: LedgerOption = None, as_json: JsonOption = False) -> None:
    """Ask the providers how the batches stand. Exit status: 0 all have ended, 1 some are under way."""
    opened, terms = _open(ledger)
    with opened as book:
        found = asyncio.run(status(book, terms))
    _tell(found, as_json=as_json)
    raise typer.Exit(0 if all(one.ended for one in found) else 1)


@app.command("collect")
def collect_command(
    ledger: LedgerOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until every batch has ended.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between looks, with --wait.", min=0.1)] = LONGEST_NAP,
    as_json: JsonOption = False,
) -> None:
    """Bring the answers of batches that have ended into the ledger; then run `judge score` as before, without --batch.

    Exit status: 0 all are collected, 1 some are still under way.
    """
    try:
        opened, terms = _open(ledger)
        with opened as book:
            found = asyncio.run(collect(book, terms))
            while wait and not all(one.ended for one in found):
                time.sleep(every)
                later = asyncio.run(collect(book, terms))
                found = [one for one in found if one.ended] + later
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    _tell(found, as_json=as_json)
    raise typer.Exit(0 if all(one.ended for one in found) else 1)


@app.command("cancel")
def cancel_command(ledger: LedgerOption = None, as_json: JsonOption = False) -> None:
    """Have every open batch ended. What is answered is collected; the rest can be asked again."""
    opened, terms = _open(ledger)
    with opened as book:
        found = asyncio.run(collect(book, terms, cancel=True))
    _tell(found, as_json=as_json)
    raise typer.Exit(0 if all(one.ended for one in found) else 1)


@app.command("forget")
def forget_command(name: Annotated[str, typer.Argument(help="As `judge batch status` names it.")], ledger: LedgerOption = None) -> None:
    """Give a batch up that the provider no longer has: its requests can be asked (and paid) again."""
    with _open(ledger)[0] as book:
        if not book.forget_batch(name):
            known = [batch.name for batch in book.batches("open", "submitting")]
            raise UsageProblem(f"no open batch {name!r}{did_you_mean(name, known)}; open: {listed(known) or 'none'}")
    print(f"{name} is forgotten")


def _open(ledger: str | None) -> tuple[Ledger, Terms]:
    settings = load_settings(Path.cwd(), os.environ, {"ledger": ledger})
    path = settings.ledger
    if not Path(path).exists():
        raise UsageProblem(f"no ledger {path}; batches are known to the ledger with which they were submitted: name it with --ledger")
    return Ledger(path), terms_of(settings, os.environ)


def _tell(found: list[Collected], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        hours = (datetime.now(UTC) - one.batch.at).total_seconds() / 3600
        print(f"{one.batch.name}  {one.batch.judge}  {one.batch.requests:,} requests, {hours:.1f} h ago  {one.told}")
        if one.answers:
            print(f"  {one.answers:,} answers are in the ledger: run `judge score` again, without --batch")
        for why, count in one.without.most_common():
            print(f"  {count:,} without an answer ({why}): `judge score --batch` asks again")
    if not found:
        print("no batch is open")


def _plain(one: Collected) -> dict[str, Any]:
    return {
        "name": one.batch.name,
        "judge": one.batch.judge,
        "remote": one.batch.remote,
        "requests": one.batch.requests,
        "submitted": one.batch.at.isoformat(),
        "told": one.told,
        "ended": one.ended,
        "answers": one.answers,
        "without": dict(one.without),
    }
