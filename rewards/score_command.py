"""`judge score`: from files of transcripts to a rewards file and a summary; settings are read here and passed on."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from dialogue.reader import Reject
from dialogue.reading import Reading
from dialogue.source import stem_of
from dialogue.transcript import Transcript
from judge.contract import Judge, Terms
from judge.deferred import submit
from judge.judges import make_judge, repeats_of, terms_of
from judge.ledger import Ledger
from judge.plan import plan as make_plan
from judge.pooling import Repeats
from judge.recording import begin
from judge.rubric import load_rubric
from judge.settings import Settings, load_settings
from rewards.outcome import OutcomeTable, load_outcome_table, outcome_table_of
from rewards.output import Rejects, written_whole
from rewards.plan_report import print_plan, print_submitted
from rewards.progress import progress
from rewards.recipe import Recipe, load_recipe
from rewards.record import Status
from rewards.run_report import Run, report, told_of_calibration
from rewards.scoring import accepted, score
from rewards.summary import Summary


def score_command(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Transcripts: .jsonl, .json, either gzipped, or - for stdin.")],
    out: Annotated[
        str | None, typer.Option(help="Rewards file, or - for stdout.  [default: FILE's name with .rewards.jsonl, here]")
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="native, openai, sharegpt, tau-bench or tau2.  [default: sniffed]", show_default=False)
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            help="Who rates: local, openai:MODEL, openai-decisions:MODEL, anthropic:MODEL, compatible:MODEL@URL, panel:FILE, replay:FILE."
            "  [default: local]"
        ),
    ] = None,
    rubric: Annotated[str | None, typer.Option(help="Shipped rubric or path.  [default: collections]")] = None,
    recipe: Annotated[str | None, typer.Option(help="outcome, rlaif, blend, or a path.  [default: blend]")] = None,
    outcomes: Annotated[str | None, typer.Option(help="Outcome table, shipped or path.  [default: the rubric's]")] = None,
    ledger: Annotated[str | None, typer.Option(help="Where verdicts are kept.  [default: judge-ledger.db]")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score only the first N dialogues.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary, or the plan, as JSON.")] = False,
    repeats: Annotated[int | None, typer.Option(min=1, max=100, help="Rate each transcript so often; take the mean.  [default: 1]")] = None,
    escalate: Annotated[
        int | None, typer.Option(min=1, max=100, help="Rate up to so often while a decision hangs on the spread.", show_default=False)
    ] = None,
    calibration: Annotated[
        bool, typer.Option("--calibration/--no-calibration", help="Map ratings to people's scale where a calibration fits.")
    ] = True,
    plan: Annotated[bool, typer.Option("--plan", help="Ask nothing: print requests, tokens, price and time.")] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Submit to the provider's Batch API; see `judge batch`.")] = False,
    record: Annotated[Path | None, typer.Option(help="Write every answer to this recording.", show_default=False)] = None,
    budget_usd: Annotated[float | None, typer.Option(min=0, help="Stop asking before the run has cost more.", show_default=False)] = None,
    max_requests: Annotated[int | None, typer.Option(min=0, help="Stop asking after so many requests.", show_default=False)] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=1000, help="Requests in flight, at most.  [default: 32]")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.01, max=3600, help="Seconds for one request.  [default: 120]")] = None,
    max_retries: Annotated[int | None, typer.Option(min=0, max=20, help="Retries of one request.  [default: 6]")] = None,
    rpm: Annotated[float | None, typer.Option(min=0.01, help="Requests a minute, at most.", show_default=False)] = None,
    tpm: Annotated[float | None, typer.Option(min=1, help="Tokens a minute, at most.", show_default=False)] = None,
    prices: Annotated[str | None, typer.Option(help="Price table.  [default: the shipped one]", show_default=False)] = None,
) -> None:
    """Score transcripts: rate every turn, blend with the outcome, write rewards.

    Exit status: 0 all scored, 1 some input or judge failures, 2 usage, 130 interrupted.
    """
    given = dict(locals())
    settings = load_settings(Path.cwd(), os.environ, {name: given[name] for name in Settings.model_fields})
    target = _target(out, files)
    question, mix = load_rubric(settings.rubric), load_recipe(settings.recipe)
    table = load_outcome_table(settings.outcomes or outcome_table_of(question.name))
    mix.check(question)
    for file in files:
        if file != "-" and (not Path(file).exists() or Path(file).is_dir()):
            raise UsageProblem(f"cannot read {file}: {'it is a folder' if Path(file).is_dir() else 'no such file'}; name an existing file")
    terms = terms_of(settings, os.environ, record)
    rater = make_judge(settings.judge, question, terms)
    job = _Job(files, target, settings, mix, table, rater, repeats_of(settings), calibration, terms, limit, as_json)
    for wish in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal or a stopped job ends as cleanly as Ctrl-C
        signal.signal(wish, signal.default_int_handler)
    try:
        (job.plan if plan else job.submit if batch else job.score)()
    except KeyboardInterrupt:
        print(f"judge: interrupted; what was rated is in {settings.ledger}: the same command goes on from there", file=sys.stderr)
        raise typer.Exit(130) from None


@dataclass(frozen=True)
class _Job:
    """What a command line asks for, read and checked."""

    files: list[str]
    target: Path | None  # None: stdout
    settings: Settings
    recipe: Recipe
    outcomes: OutcomeTable
    judge: Judge
    repeats: Repeats
    calibrated: bool
    terms: Terms
    limit: int | None
    as_json: bool

    def score(self) -> None:
        """Write rewards and print the summary."""
        summary = Summary(self.judge.rubric)
        rejects = Rejects(_rejects_path(self.target))
        _refuse_collisions(self.files, self.target, rejects.path, Path(self.settings.ledger), self.terms.record)
        if self.terms.record:
            begin(self.terms.record, self.settings.judge)

        def refuse(reject: Reject) -> None:
            summary.reject(reject)
            rejects.write(json.dumps(asdict(reject), ensure_ascii=False))

        reading = Reading(self.files, format=self.settings.format, on_reject=refuse)
        begun = time.perf_counter()
        kept_in = f"what was rated is in {self.settings.ledger}"
        try:
            with (
                Ledger(self.settings.ledger) as book,
                written_whole(self.target) as stream,
                progress(reading, self.files, summary, self.terms.meter) as bar,
            ):
                transcripts = bar.watched(self._transcripts(reading, refuse))
                scored = score(
                    transcripts,
                    self.judge,
                    book,
                    recipe=self.recipe,
                    outcomes=self.outcomes,
                    repeats=self.repeats,
                    calibrated=self.calibrated,
                )
                calibrated = self._calibrated(book)
                with closing(scored):  # at Ctrl-C the answers in flight come home while the ledger is open
                    for record in scored:
                        stream.write(record.to_json() + "\n")
                        summary.add(record)
                        bar.tick()
            kept = rejects.keep()
            seconds = time.perf_counter() - begun
            run = Run(self.target, rejects.path if kept else None, self.settings.ledger, seconds, self.terms.meter, calibrated)
            report(summary, reading.ignored, run, as_json=self.as_json)
        except BrokenPipeError:
            raise  # no fault of the place: the reader went away, which judge.cli answers for every command
        except OSError as error:
            place = self.target or "to stdout"
            raise UsageProblem(f"cannot write {place}: {error.strerror}; make room, or name another place with --out; {kept_in}") from error
        finally:
            rejects.drop()
        if summary.rejects or summary.statuses[Status.FAILED] or not sum(summary.statuses.values()):
            raise typer.Exit(1)

    def _calibrated(self, book: Ledger) -> str:
        if not self.recipe.needs_verdict:
            return ""
        return told_of_calibration(book, self.repeats.of(self.judge.id), self.judge.rubric, wanted=self.calibrated)

    def plan(self) -> None:
        """Print what would be asked and paid."""
        rejected: list[Reject] = []
        with Ledger(self.settings.ledger) as book:
            made = make_plan(self._asked(rejected), self.judge, book, self.repeats, self.terms)
        print_plan(made, len(rejected), as_json=self.as_json)

    def submit(self) -> None:
        """Submit what is missing to the Batch API."""
        rejected: list[Reject] = []
        with Ledger(self.settings.ledger) as book:
            done = asyncio.run(submit(self._asked(rejected), self.judge, book, self.repeats))
        print_submitted(done, len(rejected), as_json=self.as_json)
        if done.stopped:
            raise typer.Exit(1)

    def _asked(self, rejected: list[Reject]) -> Iterator[Transcript]:
        """Yield the transcripts that the judge would be asked about."""
        if not self.recipe.needs_verdict:
            return iter(())
        return self._transcripts(Reading(self.files, format=self.settings.format, on_reject=rejected.append), rejected.append)

    def _transcripts(self, reading: Reading, refuse: Callable[[Reject], None]) -> Iterator[Transcript]:
        return _first(accepted(reading, self.outcomes, refuse), self.limit)


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


def _refuse_collisions(files: list[str], target: Path | None, rejects: Path, ledger: Path, record: Path | None) -> None:
    """Refuse to write one file over another: transcripts and paid verdicts must survive a slip of the command line."""
    held = {ledger.resolve().with_name(ledger.name + part): f"the ledger {ledger}" for part in ("", "-wal", "-shm")}
    for file in files:
        if Path(file).resolve() in held:
            raise UsageProblem(f"{file} is the ledger, not a file of transcripts; name another with --ledger")
        held[Path(file).resolve()] = f"one of the transcripts ({file})"
    for what, path in (("--out", target), ("the rejects file", rejects), ("--record", record)):
        if path and path.resolve() in held:
            option = "--record" if path is record else "--out"
            raise UsageProblem(f"{what} {path} is {held[path.resolve()]}; name another file with {option}")
        if path:
            held[path.resolve()] = f"what {what} names" if what.startswith("--") else what


def _first(transcripts: Iterator[Transcript], limit: int | None) -> Iterator[Transcript]:
    """Yield at most `limit` transcripts, without reading one more than that."""
    for number, transcript in enumerate(transcripts, start=1):
        yield transcript
        if number == limit:
            return
