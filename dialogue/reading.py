"""Files in, transcripts out: one stream over several files, duplicate ids refused, rejects handed on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dialogue.errors import InputProblem
from dialogue.reader import Found, Reject, reader_for
from dialogue.source import Source, stem_of
from dialogue.transcript import Transcript


def raise_reject(reject: Reject) -> None:
    """Raise the reject as an InputProblem: what reading does with bad input unless told otherwise."""
    raise InputProblem(f"{reject.file}:{reject.line}: {reject.reason}", reject.expected)


class Reading:
    """One pass over one or more files. Iterate it for `Found` items; the counters fill as it goes.

    Attributes:
        ignored: how often each key that the format does not know was met.
        position: bytes read so far over all files, or None where a file cannot tell (stdin).
    """

    def __init__(
        self, paths: Sequence[str | Path], *, format: str | None = None, on_reject: Callable[[Reject], None] = raise_reject
    ) -> None:
        self._paths = paths
        self._format = format
        self._on_reject = on_reject
        self._finished_bytes = 0
        self._source: Source | None = None
        self.ignored: Counter[str] = Counter()

    @property
    def position(self) -> int | None:
        inside = self._source.position() if self._source else 0
        return None if inside is None else self._finished_bytes + inside

    def __iter__(self) -> Iterator[Found]:
        places: dict[str, tuple[int, int]] = {}
        stems = [stem_of(path) for path in self._paths]
        for file_number, path in enumerate(self._paths):
            with Source(path) as source:
                if stems.count(source.stem) > 1:  # ids made from the file's name must differ between folders
                    source.stem = f"{Path(path).parent.name}/{source.stem}"
                self._source = source
                for item in reader_for(source, self._format).read(source):
                    if isinstance(item, Reject):
                        self._on_reject(item)
                    elif item.transcript.id in places:
                        first_file, first_line = places[item.transcript.id]
                        where = f"{self._paths[first_file]}:{first_line}"
                        problem = InputProblem(f"duplicate id {item.transcript.id!r}, first at {where}", "one dialogue an id")
                        self._on_reject(item.reject(problem))
                    else:
                        places[item.transcript.id] = (file_number, item.line)
                        self.ignored.update(item.ignored)
                        yield item
                self._finished_bytes += source.position() or 0
                self._source = None


def read_transcripts(
    *paths: str | Path, format: str | None = None, on_reject: Callable[[Reject], None] = raise_reject
) -> Iterator[Transcript]:
    """Yield the transcripts of the files (plain, gzip, or `-`), in order, without holding them in memory.

    Args:
        format: a reader's name; by default each file is sniffed.
        on_reject: called with every piece of input that gives no transcript; raises by default.

    Raises:
        UsageProblem: a file cannot be read, or its format cannot be told.
        InputProblem: a bad piece of input, unless `on_reject` takes it.
    """
    for found in Reading(paths, format=format, on_reject=on_reject):
        yield found.transcript
