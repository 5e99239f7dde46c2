"""`judge score`: from files of transcripts to a rewards file and a summary; settings are read here and passed on."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from dialogue.reader import Reject
from dialogue.reading import Reading
from dialogue.source import stem_of
from dialogue.transcript import Transcript
from judge.contract import make_judge
from judge.ledger import Ledger
from judge.rubric import load_rubric
from judge.settings import Settings, load_settings
from rewards.outcome import OutcomeTable, load_outcome_table, shipped_outcome_tables
from rewards.output import Rejects, written_whole
from rewards.progress import progress
from rewards.recipe import load_recipe
from rewards.record import Status
from rewards.run_report import Run, report
from rewards.score import accepted, score
from rewards.summary import Summary


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

    Exit status: 0 all scored, 1 some input or judge failures, 2 usage, 130 interrupted.
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
    rejects = Rejects(_rejects_path(target))
    _refuse_collisions(files, target, rejects.path, Path(settings.ledger))

    def refuse(reject: Reject) -> None:
        summary.reject(reject)
        rejects.write(json.dumps(asdict(reject), ensure_ascii=False))

    reading = Reading(files, format=settings.format, on_reject=refuse)
    begun = time.perf_counter()
    for wish in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal or a stopped job ends as cleanly as Ctrl-C
        signal.signal(wish, signal.default_int_handler)
    try:
        with Ledger(settings.ledger) as book, written_whole(target) as stream, progress(reading, files, summary) as tick:
            transcripts = _first(accepted(reading, table, refuse), limit)
            for record in score(transcripts, rater, book, recipe=mix, outcomes=table):
                stream.write(record.to_json() + "\n")
                summary.add(record)
                tick()
        kept = rejects.keep()
        run = Run(target, rejects.path if kept else None, settings.ledger, time.perf_counter() - begun)
        report(summary, reading.ignored, run, as_json=as_json)
    except KeyboardInterrupt:
        print(f"judge: interrupted; what was rated is in {settings.ledger}: the same command goes on from there", file=sys.stderr)
        raise typer.Exit(130) from None
    except BrokenPipeError:
        raise  # no fault of the place: the reader went away, which judge.cli answers for every command
    except OSError as error:
        kept_in = f"what was rated is in {settings.ledger}"
        raise UsageProblem(
            f"cannot write {target or 'to stdout'}: {error.strerror}; make room, or name another place with --out; {kept_in}"
        ) from error
    finally:
        rejects.drop()
    if summary.rejects or summary.statuses[Status.FAILED] or not sum(summary.statuses.values()):
        raise typer.Exit(1)


def _target(out: str | None, files: list[str]) -> Path | None:
    """Return the rewards file; None is stdout."""
    if out == "-":
        return None
    if out is None:
        stem = stem_of(files[0]) if len(files) == 1 and files[0] != "-" else "transcripts"
        return Path(f"{stem}.rewards.jsonl")
    if not out or Path(out).is_dir():
        raise UsageProblem(f"cannot write {out!r}: {'it is a folder' if out else 'it is no name'}; name a file with --out")
    return Path(out)


def _rejects_path(target: Path | None) -> Path:
    """Return the place of the rejects: beside the rewards file, or here where those go to a pipe or a device."""
    beside = target if target and (target.is_file() or not target.exists()) else Path("rewards.jsonl")
    return beside.with_name(f"{beside.name}.rejects.jsonl")


def _refuse_collisions(files: list[str], target: Path | None, rejects: Path, ledger: Path) -> None:
    """Refuse to write one file over another: transcripts and paid verdicts must survive a slip of the command line."""
    held = {ledger.resolve().with_name(ledger.name + part): f"the ledger {ledger}" for part in ("", "-wal", "-shm")}
    for file in files:
        if Path(file).resolve() in held:
            raise UsageProblem(f"{file} is the ledger, not a file of transcripts; name another with --ledger")
        held[Path(file).resolve()] = f"one of the transcripts ({file})"
    for what, path in (("--out", target), ("the rejects file", rejects)):
        if path and path.resolve() in held:
            raise UsageProblem(f"{what} {path} is {held[path.resolve()]}; name another file with --out")


def _outcome_table(settings: Settings, rubric: str) -> OutcomeTable:
    return load_outcome_table(settings.outcomes or (rubric if rubric in shipped_outcome_tables() else "collections"))


def _first(transcripts: Iterator[Transcript], limit: int | None) -> Iterator[Transcript]:
    """Yield at most `limit` transcripts, without reading one more than that."""
    for number, transcript in enumerate(transcripts, start=1):
        yield transcript
        if number == limit:
            return
