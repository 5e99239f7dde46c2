"""The folder of one training: its checkpoints (kept once a minute), its policy and report; one process at a time trains in it."""

import fcntl
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dialogue.errors import UsageProblem
from policies.checkpoint import Found, has_checkpoint, load, save

POLICY = "policy.json"
EVERY = 60.0  # seconds between two checkpoints


class RunFolder:
    """While its block runs, nobody else trains in the folder; a process that is killed leaves it free.

    Args:
        path: of the folder; it is made where it is not there.
        every: seconds between two checkpoints.

    Raises:
        UsageProblem: the folder cannot be written, or another process trains in it.
    """

    def __init__(self, path: Path, every: float = EVERY) -> None:
        self.path, self.every = path, every
        self.next = time.monotonic() + every
        self._handle = -1
        self._made = not path.exists()

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise UsageProblem(f"another process trains in {self.path} right now; wait for it, or name another folder") from error
        except OSError as error:
            raise UsageProblem(f"cannot write to {self.path}: {error.strerror}; name another folder") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._handle)
        if self._made and error:
            with suppress(OSError):  # it is not empty
                self.path.rmdir()

    def see_new(self) -> None:
        """See that nothing would be written over.

        Raises:
            UsageProblem: a policy was trained here already.
        """
        if has_checkpoint(self.path):
            raise UsageProblem(
                f"{self.path} holds a training already; go on with it with `--resume {self.path}`, or name another folder with --out"
            )
        if (self.path / POLICY).exists():
            raise UsageProblem(f"{self.path} holds a {POLICY} already; name another folder with --out")

    def open(self) -> Found:
        """Return the checkpoint to go on from.

        Raises:
            UsageProblem: there is none that is whole.
        """
        return load(self.path)

    def keep(self, tree: dict[str, Any]) -> None:
        """Write a checkpoint.

        Raises:
            UsageProblem: it cannot be written; those that are there stay.
        """
        try:
            save(self.path, tree)
        except OSError as error:
            held = "the last good one is kept" if has_checkpoint(self.path) else "there is none yet"
            raise UsageProblem(
                f"cannot write a checkpoint to {self.path}: {error.strerror}; {held}: make room, then go on with --resume {self.path}"
            ) from error

    def tick(self, state: Callable[[], dict[str, Any]], *, now: bool = False) -> None:
        """Write a checkpoint if it is time to, or `now`; where that fails say so, and try again when it is time again."""
        if time.monotonic() < self.next and not now:
            return
        try:
            self.keep(state())
        except UsageProblem as problem:
            print(f"judge: {problem} (training goes on)", file=sys.stderr, flush=True)
        self.next = time.monotonic() + self.every
