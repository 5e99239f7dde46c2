"""How far the training is, on stderr: a bar on a terminal, in a pipe one plain line about every ten seconds."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from policies.training import Training

EVERY = 0.1  # seconds between two pictures
SAID = 10.0  # seconds between two lines


class Telling:
    """Tells at most every `every` seconds; asked after every batch, it looks at the clock and no more."""

    def __init__(self, training: Training, until: int | None, every: float) -> None:
        self.training, self.until, self.every = training, until, every
        self.begun, self.from_steps = time.monotonic(), training.steps
        self.next = self.begun + every

    def tick(self) -> None:
        """A batch was learned from."""
        now = time.monotonic()
        if now >= self.next:
            self.next = now + self.every
            self.tell(now)

    def tell(self, now: float) -> None:
        """Say how far it is."""
        raise NotImplementedError

    def told(self, now: float) -> str:
        """Return speed, return, loss and time left in words."""
        training = self.training
        rate = (training.steps - self.from_steps) / max(now - self.begun, 1e-9)
        latest = training.curve.latest(0.02)
        parts = [f"{rate:,.0f}/s"]
        if latest.episodes:
            parts.append(f"return {latest.mean:.3f}")
        if (loss := latest.told.get("loss")) is not None:
            parts.append(f"loss {loss:.4g}")
        if self.until is not None and rate > 0:
            parts.append(f"{_spell((self.until - training.steps) / rate)} left")
        return ", ".join(parts)


class Lines(Telling):
    """Plain lines."""

    def __init__(self, training: Training, until: int | None, stream: TextIO) -> None:
        super().__init__(training, until, SAID)
        self.stream = stream

    def tell(self, now: float) -> None:
        """Print a line."""
        steps = self.training.steps
        whole = "" if self.until is None else f" of {self.until:,} ({steps / max(self.until, 1):.0%})"
        print(f"judge: training: {steps:,} steps{whole}, {self.told(now)}", file=self.stream, flush=True)


class Bar(Telling):
    """A bar."""

    def __init__(self, training: Training, until: int | None, shown: Progress, task: TaskID) -> None:
        super().__init__(training, until, EVERY)
        self.shown, self.task = shown, task

    def tell(self, now: float) -> None:
        """Draw the bar."""
        self.shown.update(self.task, completed=self.training.steps, told=f"{self.training.steps:,} steps, {self.told(now)}")


@contextmanager
def progress(training: Training, until: int | None) -> Iterator[Telling]:
    """Show how far the training is while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(training, until, sys.stderr)
        return
    columns = (BarColumn(12), TextColumn("{task.fields[told]}"))  # 80 columns are enough
    with Progress(*columns, console=console, transient=True) as shown:
        yield Bar(training, until, shown, shown.add_task("training", total=until, completed=training.steps, told=""))


def _spell(seconds: float) -> str:
    """Return a span of time in words, roughly."""
    if seconds < 100:
        return f"{max(0, round(seconds))} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
