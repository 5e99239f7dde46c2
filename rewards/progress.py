"""The progress bar of a run: on a terminal only, by bytes of input read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dialogue.reading import Reading
from rewards.record import Status
from rewards.summary import Summary


@contextmanager
def progress(reading: Reading, files: list[str], summary: Summary) -> Iterator[Callable[[], None]]:
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
