"""`judge score`: from files of transcripts to a rewards file and a summary; settings are read here and passed on."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dialogue.errors import UsageProblem
from dialogue.reader import Reject
from dialogue.reading import Reading
from dialogue.transcript import Transcript
from judge.contract import make_judge
from judge.ledger import Ledger
from judge.rubric import load_rubric
from judge.settings import Settings, load_settings
from rewards.outcome import OutcomeTable, load_outcome_table, shipped_outcome_tables
from rewards.output import Rejects, written_whole
from rewards.recipe import load_recipe
from rewards.record import Status
from rewards.score import accepted, score
from rewards.summary import Summary
from rewards.table import print_summary, printable

WIDTH = 110  # of tables in a pipe


def score_command(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Transcripts: .jsonl, .json, either gzipped, or - for stdin.")],
    out: Annotated[
        str | None, typer.Option(help="Rewards file, or - for stdout.  [default: FILE's name with .rewards.jsonl, here]")
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="native, openai, sharegpt, tau-bench or tau2.  [default: sniffed]", show_default=False)
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Who rates.  [default: local]")] = None,
    rubric: Annotated[str | None, typer.Option(help="Shipped rubric or path.  [default: collections]")] = None,
    recipe: Annotated[str | None, typer.Option(help="outcome, rlaif, blend, or a path.  [default: blend]")] = None,
    outcomes: Annotated[str | None, typer.Option(help="Outcome table, shipped or path.  [default: the rubric's]")] = None,
    ledger: Annotated[str | None, typer.Option(help="Where verdicts are kept.  [default: judge-ledger.db]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score only the first N dialogues.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Score transcripts: rate every turn, blend with the outcome, write rewards.

    Exit status: 0 all scored, 1 some input or judge failures, 2 usage.
    """
    given = {"format": format, "judge": judge, "rubric": rubric, "recipe": recipe, "outcomes": outcomes, "ledger": ledger}
    settings = load_settings(Path.cwd(), os.environ, given)
    target = _target(out, files)
    question, mix = load_rubric(settings.rubric), load_recipe(settings.recipe)
    table = _outcome_table(settings, question.name)
    mix.check(question)
    rater = make_judge(settings.judge, question)
    for file in files:
        if file != "-" and (not Path(file).exists() or Path(file).is_dir()):
            raise UsageProblem(f"cannot read {file}: {'it is a folder' if Path(file).is_dir() else 'no such file'}; name an existing file")
    summary = Summary(question)
    beside = target if target and (target.is_file() or not target.exists()) else Path("rewards.jsonl")
    rejects = Rejects(beside.with_name(f"{beside.name}.rejects.jsonl"))

    def refuse(reject: Reject) -> None:
        summary.reject(reject)
        rejects.write(json.dumps(asdict(reject), ensure_ascii=False))

    reading = Reading(files, format=settings.format, on_reject=refuse)
    begun = time.perf_counter()
    try:
        with Ledger(settings.ledger) as book, written_whole(target) as stream, _progress(reading, files, summary) as tick:
            transcripts = _first(accepted(reading, table, refuse), limit)
            for record in score(transcripts, rater, book, recipe=mix, outcomes=table):
                stream.write(record.to_json() + "\n")
                summary.add(record)
                tick()
    except KeyboardInterrupt:
        rejects.drop()
        print(f"judge: interrupted; what was rated is in {settings.ledger}: the same command goes on from there", file=sys.stderr)
        raise typer.Exit(130) from None
    except BaseException:
        rejects.drop()
        raise
    kept = rejects.keep()
    _report(summary, reading, target, rejects.path if kept else None, time.perf_counter() - begun, as_json=as_json)
    if summary.rejects or summary.statuses[Status.FAILED] or not sum(summary.statuses.values()):
        raise typer.Exit(1)


def _target(out: str | None, files: list[str]) -> Path | None:
    """Return the rewards file; None is stdout."""
    if out == "-":
        return None
    if out is None:
        stem = Path(files[0]).name.removesuffix(".gz").rsplit(".", 1)[0] if len(files) == 1 and files[0] != "-" else "transcripts"
        return Path(f"{stem}.rewards.jsonl")
    target = Path(out)
    if target.is_dir():
        raise UsageProblem(f"cannot write {out}: it is a folder; name a file with --out")
    if any(file != "-" and target.resolve() == Path(file).resolve() for file in files):
        raise UsageProblem(f"--out {out} is one of the transcripts; name another file")
    return target


def _outcome_table(settings: Settings, rubric: str) -> OutcomeTable:
    return load_outcome_table(settings.outcomes or (rubric if rubric in shipped_outcome_tables() else "collections"))


def _first(transcripts: Iterator[Transcript], limit: int | None) -> Iterator[Transcript]:
    """Yield at most `limit` transcripts, without reading one more than that."""
    for number, transcript in enumerate(transcripts, start=1):
        yield transcript
        if number == limit:
            return


@contextmanager
def _progress(reading: Reading, files: list[str], summary: Summary) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal, by bytes read; nothing in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None
        return
    sizes = [Path(file).stat().st_size if Path(file).is_file() else None for file in files]  # a pipe has none
    total = None if None in sizes else sum(size or 0 for size in sizes)
    columns = (TextColumn("scoring"), BarColumn(), TextColumn("{task.fields[done]:,} done, {task.fields[failed]:,} failed"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("scoring", total=total, done=0, failed=0)

        def tick() -> None:
            done, failed = sum(summary.statuses.values()), summary.statuses[Status.FAILED] + summary.rejects
            if done % 64 == 0:
                bar.update(task, completed=reading.position or 0, done=done, failed=failed)

        yield tick


def _report(summary: Summary, reading: Reading, target: Path | None, rejects: Path | None, seconds: float, *, as_json: bool) -> None:
    """Print the summary: to stdout, or to stderr when the records themselves went to stdout."""
    scored, failed = summary.statuses[Status.SCORED], summary.statuses[Status.FAILED]
    to_stderr = target is None
    if as_json:
        files = {"out": str(target) if target else "-", "rejects": str(rejects) if rejects else None}
        print(json.dumps(summary.as_dict() | files, ensure_ascii=False), file=sys.stderr if to_stderr else sys.stdout)
    else:
        console = Console(stderr=to_stderr, highlight=False, soft_wrap=False)
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console = Console(stderr=to_stderr, highlight=False, width=WIDTH)
        print_summary(summary, console)
        where = f" -> {target}" if target else ""
        console.print(f"{scored} scored, {failed} failed, {summary.rejects} rejected{where}", markup=False, soft_wrap=True)
    notes = []
    if summary.without_outcome:
        notes.append(f"{summary.without_outcome} without an outcome: they have no outcome term")
    if summary.vetoed:
        notes.append(f"{summary.vetoed} vetoed for a violation")
    if summary.failures:
        notes.append(
            "judge failures: " + ", ".join(f"{count} {kind}" for kind, count in summary.failures.items()) + "; the next run asks again"
        )
    if rejects:
        notes += [
            *summary.first_rejects,
            *(["…"] if summary.rejects > len(summary.first_rejects) else []),
            f"rejected input is kept in {rejects}",
        ]
    if not scored + failed + summary.rejects:
        notes.append("the input holds no dialogue")
    if reading.ignored:
        notes.append("keys not used: " + ", ".join(f"{key} ({count})" for key, count in sorted(reading.ignored.items())))
    if summary.agent_turns:
        notes.append(f"{summary.agent_turns:,} agent turns in {seconds:.2f} s")
    for note in notes:
        print(printable(note), file=sys.stderr)
