"""What many tests need: the installed `judge` command as a real process, and transcripts in a line."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dialogue.transcript import Role, Transcript, Turn

# Before NumPy is loaded: the arrays here are small, and a second thread of each test process only waits, burning the other one's core.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# A shell's background job ignores Ctrl-C, and what it starts does, too; the processes of the tests must not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).parent / "judge"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    """Run `judge ARGS…` in an empty folder; keyword arguments become environment variables."""

    def run(*args: str | Path, stdin: str | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("JUDGE_")}
        return subprocess.run(
            [COMMAND, *map(str, args)], cwd=tmp_path, env=clean | environ, input=stdin, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.fixture
def said() -> Callable[..., Transcript]:
    """Make a transcript from lines such as `A: hello` and `U: hi`."""
    roles = {"A": Role.AGENT, "U": Role.USER, "S": Role.SYSTEM, "T": Role.TOOL}

    def make(*lines: str, id: str = "d", outcome: str | float | None = None) -> Transcript:
        return Transcript(id=id, turns=tuple(Turn(role=roles[line[0]], text=line[3:]) for line in lines), outcome=outcome)

    return make
