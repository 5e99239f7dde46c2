"""Files that appear whole or not at all, and the rejects beside them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dialogue.errors import UsageProblem
from rewards.output import Rejects, written_whole

KILLED = """
import os, signal, sys
from pathlib import Path
from rewards.output import written_whole
with written_whole(Path(sys.argv[1])) as stream:
    stream.write("half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old")
    with written_whole(path) as stream:
        stream.write("new ü\n")
        assert path.read_text() == "old"
    assert path.read_bytes() == "new ü\n".encode()
    assert files(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [None, "old"])
def test_an_error_leaves_no_partial_file_and_the_old_one_as_it_was(error: type[BaseException], before: str | None, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    if before:
        path.write_text(before)
    with pytest.raises(error), written_whole(path) as stream:
        stream.write("half")
        raise error
    assert files(tmp_path) == (["out.jsonl"] if before else [])
    assert not before or path.read_text() == before


@pytest.mark.parametrize("name", ["out.jsonl", "out", "out[1].rewards.jsonl"])
def test_what_a_killed_process_left_is_swept_away_by_the_next(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    killed = subprocess.Popen([sys.executable, "-c", KILLED, path])
    assert killed.wait(timeout=30) == -9
    assert files(tmp_path) == [f".{name}.{killed.pid}.part"]
    (tmp_path / f".other.{killed.pid}.part").touch()
    (tmp_path / f".{name}.{os.getppid()}.part").touch()
    with written_whole(path) as stream:
        stream.write("whole")
    assert files(tmp_path) == sorted([f".other.{killed.pid}.part", f".{name}.{os.getppid()}.part", name])
    assert path.read_text() == "whole"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cannot write .*out\.jsonl: .*--out"), written_whole(tmp_path / "no" / "out.jsonl"):
        pytest.fail("nothing should be written")


def test_no_path_is_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with written_whole(None) as stream:
        stream.write("line\n")
    assert capsys.readouterr().out == "line\n"


def test_what_is_not_a_file_is_written_into_and_not_replaced(tmp_path: Path) -> None:
    # As with --out /dev/null, which root could otherwise lose.
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with written_whole(pipe) as stream:
            stream.write("line\n")
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert os.read(reader, 100) == b"line\n"
    finally:
        os.close(reader)


@pytest.mark.parametrize("stale", [False, True])
def test_rejects_are_absent_when_there_are_none(stale: bool, tmp_path: Path) -> None:
    path = tmp_path / "out.rejects.jsonl"
    if stale:
        path.write_text("old\n")
    rejects = Rejects(path)
    assert not rejects.keep()
    assert files(tmp_path) == []


def test_rejects_appear_when_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.rejects.jsonl"
    path.write_text("old\n")
    rejects = Rejects(path)
    rejects.write("one")
    rejects.write("zwei ü")
    assert path.read_text() == "old\n"
    assert rejects.keep()
    assert path.read_bytes() == "one\nzwei ü\n".encode()
    assert files(tmp_path) == [path.name]


@pytest.mark.parametrize("lines", [[], ["one"]])
def test_dropped_rejects_leave_the_folder_as_it_was(lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "out.rejects.jsonl").write_text("old\n")
    rejects = Rejects(tmp_path / "out.rejects.jsonl")
    for line in lines:
        rejects.write(line)
    rejects.drop()
    assert files(tmp_path) == ["out.rejects.jsonl"]
    assert rejects.path.read_text() == "old\n"
