"""The progress bar of a run: on a terminal only, by the bytes of input whose dialogues are done, with the money spent."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dialogue.reading import Reading
from dialogue.transcript import Transcript
from judge.meter import Meter
from rewards.record import Status
from rewards.summary import Summary

SHOWN = "{task.fields[done]:,} done, {task.fields[failed]:,} failed, {task.fields[rate]:.1f}/s{task.fields[cost]}"
EVERY = 0.1  # seconds between two pictures


class Bar:
    """Tells how far the run is. Dialogues are read ahead of their rating: each is done at the place where it was read."""

    def __init__(self, reading: Reading, summary: Summary, meter: Meter, shown: Progress, task: TaskID) -> None:
        self._reading, self._summary, self._meter = reading, summary, meter
        self._shown, self._task = shown, task
        self._places: deque[int] = deque()
        self._begun = time.monotonic()
        self._next = 0.0

    def watched(self, transcripts: Iterable[Transcript]) -> Iterator[Transcript]:
        """Yield the transcripts, noting where each was read."""
        for transcript in transcripts:
            self._places.append(self._reading.position or 0)
            yield transcript

    def tick(self) -> None:
        """One dialogue is done."""
        place = self._places.popleft()
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        done = sum(self._summary.statuses.values())
        failed = self._summary.statuses[Status.FAILED] + self._summary.rejects
        spent = self._meter.spent
        cost = f", ${spent.cost_usd:.2f}" if spent.requests and spent.cost_usd is not None else ""
        rate = done / max(now - self._begun, 1e-9)
        self._shown.update(self._task, completed=place, done=done, failed=failed, rate=rate, cost=cost)


class NoBar:
    """What a run without a terminal gets."""

    def watched(self, transcripts: Iterable[Transcript]) -> Iterator[Transcript]:
        """Yield the transcripts."""
        yield from transcripts

    def tick(self) -> None:
        """Say nothing."""


@contextmanager
def progress(reading: Reading, files: list[str], summary: Summary, meter: Meter) -> Iterator[Bar | NoBar]:
    """Show a bar on a terminal, by bytes read; nothing in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield NoBar()
        return
    sizes = [Path(file).stat().st_size if Path(file).is_file() else None for file in files]  # a pipe has none
    total = None if None in sizes else sum(size or 0 for size in sizes)
    columns = (TextColumn("scoring"), BarColumn(), TextColumn(SHOWN), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("scoring", total=total, done=0, failed=0, rate=0.0, cost="")
        yield Bar(reading, summary, meter, shown, task)
