"""`judge explain` as a real process."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_explain_says_why(judge: Run, root: Path) -> None:
    judge("score", root / "examples/collections.jsonl")
    done = judge("explain", "collections.rewards.jsonl", "call-1002")
    assert done.returncode == 0
    assert "turn 2: " in done.stdout and "asks for more than the stated limit" in done.stdout and "“Forty is not an option.”" in done.stdout
    missing = judge("explain", "collections.rewards.jsonl", "call-102")
    assert missing.returncode == 2
    assert "did you mean 'call-10" in missing.stderr


@pytest.mark.parametrize(("text", "says"), [(None, "cannot read r.jsonl"), ("{}\n", "r.jsonl:1: not a line of a rewards file")])
def test_a_file_that_is_none_is_told(judge: Run, tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "r.jsonl").write_text(text)
    done = judge("explain", "r.jsonl", "x")
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
