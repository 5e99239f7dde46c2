"""The documents are true: every command in a README block prints what it says, every Python block runs, links lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rewards import load_outcome_table

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
MADE = {"make demo": "judge score examples/collections.jsonl"}
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", made / "examples")
    return made


def steps() -> list[tuple[str, list[str]]]:
    """Return the README's console commands with the lines printed under them."""
    found: list[tuple[str, list[str]]] = []
    for language, text in BLOCKS:
        if language == "console":
            for line in text.splitlines():
                if line.startswith("$ "):
                    found.append((line[2:], []))
                else:
                    found[-1][1].append(line)
    return found


def test_console_blocks_print_what_they_say(folder: Path) -> None:
    """In order, in one folder, as a reader would; `…` on a line of its own stands for any lines."""
    assert steps()
    for command, expected in steps():
        words = MADE.get(command, command).split()
        assert words[0] == "judge"
        done = subprocess.run(
            [Path(sys.executable).parent / "judge", *words[1:]], cwd=folder, capture_output=True, text=True, timeout=60,
            env={name: value for name, value in os.environ.items() if name != "COLUMNS" and not name.startswith("JUDGE_")},
        )  # fmt: skip
        printed = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]  # as those that are expected
        assert done.returncode == 0, done.stderr
        at = 0
        for piece in "\n".join(expected).split("…"):
            lines = [line for line in piece.splitlines() if line]
            if lines:
                at = printed.index(lines[0], at)
                assert printed[at : at + len(lines)] == lines, command
                at += len(lines)


def test_the_makefile_runs_what_the_readme_shows() -> None:
    recipe = (ROOT / "Makefile").read_text().split("demo:")[1].split("\n\n")[0]
    assert "judge score examples/collections.jsonl" in recipe


def test_python_blocks_run_and_print_what_they_say(folder: Path) -> None:
    for (language, text), (after, printed) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language == "python":
            done = subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
            if after == "text":
                assert done.stdout == printed


def test_the_six_lines_are_six() -> None:
    six = next(text for language, text in BLOCKS if language == "python")
    assert len([line for line in six.splitlines() if line.strip()]) <= 6


def test_the_plug_in_of_the_readme_rates(folder: Path) -> None:
    """The judge in the README is a judge: its verdict fits."""
    text = next(text for language, text in BLOCKS if "class Shortest" in text)
    check = """
import asyncio
from dialogue import read_transcripts
from judge import load_rubric
from judge.verdict import misfit
judge = Shortest(load_rubric("sales"), "", Terms())
for transcript in read_transcripts("examples/collections.jsonl"):
    assert misfit(asyncio.run(judge.rate(transcript)), judge.rubric, transcript) is None
"""
    done = subprocess.run([sys.executable, "-c", text + check], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_command_is_named_in_the_readme() -> None:
    listed = subprocess.run([Path(sys.executable).parent / "judge", "--help"], capture_output=True, text=True, timeout=60).stdout
    for name in re.findall(r"^  (\w+)  +\w", listed.split("Commands:")[1], flags=re.MULTILINE):
        assert f"judge {name}" in README, name


def test_the_rewards_files_outcome_values_in_the_readme_are_the_shipped_ones() -> None:
    for name, ending in load_outcome_table("collections").outcomes.items():
        assert f"{name} {ending.value}".replace("-", "−") in README.replace("\n  ", " "), name
