"""The wish to stop: the first Ctrl-C (or SIGTERM, or a closed terminal) is kept until a good moment, the second one stops at once."""

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

TOLD = b"judge: stopping after this batch; once more stops at once, and keeps the last checkpoint\n"
WISHES = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """While its block runs, `wished` says whether somebody wishes to stop."""

    def __init__(self) -> None:
        self.wished = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {wish: signal.signal(wish, self._note) for wish in WISHES}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for wish, before in self._before.items():
            signal.signal(wish, before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.wished:
            raise KeyboardInterrupt
        self.wished = True
        os.write(2, b"\n" + TOLD if os.isatty(2) else TOLD)  # print may be what was interrupted
