"""The progress bar is on a terminal, and only there."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.executable).parent / "judge"


def test_a_bar_on_a_terminal_and_nothing_in_a_pipe(tmp_path: Path) -> None:
    lines = (json.dumps({"id": str(k), "turns": [{"role": "agent", "text": f"Hello {k}"}]}) for k in range(2000))
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    piped = subprocess.run([COMMAND, "score", "in.jsonl"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert "scoring" not in piped.stderr + piped.stdout
    ours, theirs = pty.openpty()
    environ = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [COMMAND, "score", "in.jsonl", "--ledger", "other.db"], cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    assert process.wait(60) == 0
    assert b"scoring" in shown
    assert b"done" in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # what Linux gives at the end of a pseudo-terminal
        return b""
