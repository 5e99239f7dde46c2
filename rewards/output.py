"""Files that appear whole or not at all: written beside, then renamed."""

import glob
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dialogue.errors import UsageProblem


@contextmanager
def written_whole(path: Path | None) -> Iterator[IO[str]]:
    """Give a text stream whose content becomes the file at `path` when the block ends without error; None is stdout.

    Nothing written leaves a file that is there as it is: an empty input must not wipe yesterday's rewards.

    Raises:
        UsageProblem: the place cannot be written.
    """
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    if path.exists() and not path.is_file():  # a pipe or /dev/null: there is nothing to replace
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        return
    part = _part_of(path)
    try:
        stream = part.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageProblem(f"cannot write {path}: {error.strerror}; name another place with --out") from error
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            empty = stream.tell() == 0
        if empty and path.exists():
            part.unlink()
        else:
            part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _part_of(path: Path) -> Path:
    """Return where the file is written until it is whole; what killed processes left there is swept away."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        pid = left.suffixes[-2].lstrip(".")
        if pid.isdigit() and not _runs(int(pid)):
            left.unlink(missing_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


class Rejects:
    """The rejects file beside an output: made when the first reject comes, whole when closed, absent when there were none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = _part_of(path)
        self._stream: IO[str] | None = None

    def write(self, line: str) -> None:
        """Add a line."""
        if self._stream is None:
            try:
                self._stream = self._part.open("w", encoding="utf-8", newline="\n")
            except OSError as error:
                raise UsageProblem(f"cannot write the rejects file {self.path}: {error.strerror}; name another place with --out") from error
        self._stream.write(line + "\n")

    def keep(self) -> bool:
        """Put the file in place, or remove that of an earlier run; return whether there is one."""
        if self._stream is None:
            self.path.unlink(missing_ok=True)
            return False
        self._stream.close()
        self._part.replace(self.path)
        self._stream = None
        return True

    def drop(self) -> None:
        """Forget what was written and not yet put in place."""
        if self._stream is not None:
            self._stream.close()
            self._part.unlink(missing_ok=True)
            self._stream = None
