"""The `judge` command, run as a process: it mounts what is installed, and errors are one line."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

JUDGE = Path(sys.executable).parent / "judge"


def run(*args: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run([JUDGE, *args], env=environ, capture_output=True, text=True, timeout=30)


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """Return a folder with an installed package that adds two commands, one of which cannot be imported."""
    (info := tmp_path / "stranger-1.0.dist-info").mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[judge.commands]\ngreet = stranger.greeting:greet\nbroken = stranger.broken:broken\n")
    (package := tmp_path / "stranger").mkdir()
    (package / "__init__.py").touch()
    (package / "greeting.py").write_text('def greet(name: str):\n    """Greet somebody.\n\n    Long."""\n    print("hello", name)\n')
    (package / "broken.py").write_text('raise SystemExit("imported")\n\ndef broken():\n    """Break when imported."""\n')
    return tmp_path


def test_help_lists_every_command_with_its_first_line() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    listed = dict(line.split(maxsplit=1) for line in done.stdout.split("Commands:\n")[1].splitlines())
    assert listed.keys() == {point.name for point in entry_points(group="judge.commands")} >= {"explain", "init", "rubric", "score"}
    assert listed["init"] == "Write a commented judge.toml into this folder."


def test_without_arguments_the_help_is_shown() -> None:
    assert run().stdout + run().stderr == run("--help").stdout


def test_a_strangers_command_is_listed_without_being_imported_and_runs_when_called(strangers: Path) -> None:
    listed = run("--help", path=strangers)
    assert listed.returncode == 0
    assert "greet    Greet somebody.\n" in listed.stdout
    assert "broken   Break when imported.\n" in listed.stdout
    assert run("greet", "you", path=strangers).stdout == "hello you\n"
    assert "Greet somebody." in run("greet", "--help", path=strangers).stdout


@pytest.mark.parametrize(
    ("command", "hint"),
    [("scor", " (did you mean 'score'?)"), ("INIT", " (did you mean 'init'?)"), ("rubrics", " (did you mean 'rubric'?)"), ("xyzzy", "")],
)
def test_an_unknown_command_is_one_line_with_the_nearest(command: str, hint: str) -> None:
    done = run(command, "--out", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"judge: unknown command {command!r}{hint}; commands: explain, init, rubric, score\n"


@pytest.mark.parametrize("args", [("--bogus",), ("--",), ("init", "--bogus"), ("rubric", "lst"), ("score",)])
def test_wrong_usage_is_status_2_without_a_traceback(args: tuple[str, ...]) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_problem_is_one_line_and_status_2() -> None:
    done = run("rubric", "show", "colections")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("judge: unknown rubric 'colections'")


def test_a_reader_that_goes_away_is_not_an_error_to_report() -> None:
    process = subprocess.Popen([JUDGE, "rubric", "show", "collections"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=30)
