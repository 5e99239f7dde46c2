"""A bar on stderr while files are read, by bytes; on a terminal only."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from dialogue.reader import Found
from dialogue.reading import Reading

EVERY = 100  # dialogues between two pictures


def watched(reading: Reading, files: Sequence[str], what: str) -> Iterator[Found]:
    """Yield what a reading finds; show how far it is."""
    console = Console(stderr=True)
    total = sum(Path(file).stat().st_size for file in files)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=total)
        for number, found in enumerate(reading):
            if number % EVERY == 0:
                shown.update(task, completed=reading.position or 0)
            yield found
