"""The `judge` command, run as a process: it mounts what is installed, and errors are one line."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

INSTALLED = sorted(point.name for point in entry_points(group="judge.commands"))

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """Return a folder with an installed package that adds two commands, one of which cannot be imported."""
    (info := tmp_path / "stranger-1.0.dist-info").mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\nProvides-Extra: lean\n")
    commands = (
        "greet = stranger.greeting:greet",
        "broken = stranger.broken:broken",
        "lean = stranger.lean:lean [lean]",
        "worn = stranger.worn:worn",
    )
    (info / "entry_points.txt").write_text("\n".join(("[judge.commands]", *commands)))
    (package := tmp_path / "stranger").mkdir()
    (package / "__init__.py").touch()
    (package / "greeting.py").write_text('def greet(name: str):\n    """Greet somebody.\n\n    Long."""\n    print("hello", name)\n')
    (package / "broken.py").write_text('raise SystemExit("imported")\n\ndef broken():\n    """Break when imported."""\n')
    (package / "lean.py").write_text("import not_installed_here\n")
    (package / "worn.py").write_text("from stranger import missing_module_of_its_own\nimport stranger.gone\n")
    return tmp_path


def test_help_lists_every_command_with_its_first_line(judge: Run) -> None:
    done = judge("--help")
    assert (done.returncode, done.stderr) == (0, "")
    listed = dict(line.split(maxsplit=1) for line in done.stdout.split("Commands:\n")[1].splitlines())
    assert listed.keys() == set(INSTALLED) >= {"explain", "init", "rubric", "score"}
    assert listed["init"] == "Write a commented judge.toml into this folder."


def test_without_arguments_the_help_is_shown(judge: Run) -> None:
    assert judge().stdout + judge().stderr == judge("--help").stdout


def test_a_strangers_command_is_listed_without_being_imported_and_runs_when_called(strangers: Path, judge: Run) -> None:
    listed = judge("--help", PYTHONPATH=str(strangers))
    assert listed.returncode == 0
    lines = [" ".join(line.split()) for line in listed.stdout.splitlines()]
    assert {"greet Greet somebody.", "broken Break when imported."} <= set(lines)
    assert judge("greet", "you", PYTHONPATH=str(strangers)).stdout == "hello you\n"
    assert "Greet somebody." in judge("greet", "--help", PYTHONPATH=str(strangers)).stdout


@pytest.mark.parametrize(
    ("command", "hint"),
    [("scor", " (did you mean 'score'?)"), ("INIT", " (did you mean 'init'?)"), ("rubrics", " (did you mean 'rubric'?)"), ("xyzzy", "")],
)
def test_an_unknown_command_is_one_line_with_the_nearest(command: str, hint: str, judge: Run) -> None:
    done = judge(command, "--out", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"judge: unknown command {command!r}{hint}; commands: {', '.join(INSTALLED)}\n"


@pytest.mark.parametrize("args", [("--bogus",), ("--",), ("init", "--bogus"), ("rubric", "lst"), ("score",)])
def test_wrong_usage_is_status_2_without_a_traceback(args: tuple[str, ...], judge: Run) -> None:
    done = judge(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_problem_is_one_line_and_status_2(judge: Run) -> None:
    done = judge("rubric", "show", "colections")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("judge: unknown rubric 'colections'")


def test_a_reader_that_goes_away_is_not_an_error_to_report() -> None:
    process = subprocess.Popen(
        [Path(sys.executable).parent / "judge", "rubric", "show", "sales"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=30)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])  # the error comes with the last flush, or with the first line
@pytest.mark.parametrize("args", [("rubric", "show", "sales"), ("--version",)])
def test_output_that_cannot_be_written_is_one_line(args: tuple[str, ...], unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [Path(sys.executable).parent / "judge", *args],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )
    told = "judge: cannot write the output: No space left on device; make room, or write it elsewhere\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_version_and_short_help(judge) -> None:  # type: ignore[no-untyped-def]
    assert judge("--version").stdout.startswith("judge 0.")
    assert judge("-h").stdout == judge("--help").stdout
    assert "--rubric" in judge("score", "-h").stdout


def test_a_command_whose_packages_are_left_out_says_what_to_install(judge: Run, strangers: Path) -> None:
    done = judge("lean", PYTHONPATH=str(strangers))
    told = "judge: judge lean needs the package not_installed_here, which is not installed: pip install 'stranger[lean]'"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{told} (from a checkout: pip install '.[lean]')\n")


def test_a_command_that_lacks_a_module_of_its_own_is_a_bug_not_a_matter_of_installing(judge: Run, strangers: Path) -> None:
    done = judge("worn", PYTHONPATH=str(strangers))
    assert done.returncode == 1
    assert "pip install" not in done.stderr
