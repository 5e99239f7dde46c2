"""Imports point down only; no first-party import hides in a function; no grab-bag modules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "dialogue": set(),
    "judge": {"dialogue"},
    "golden_set": {"dialogue", "judge"},
    "rewards": {"dialogue", "judge"},
    "policies": {"dialogue", "judge", "rewards"},  # of the judge only what is plumbing, see below
    "reports": {"dialogue", "judge", "golden_set", "rewards", "policies"},
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "core", "misc"}
FILES = [path for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]


def imported_rooms(node: ast.AST) -> set[str]:
    names = (
        [alias.name for alias in node.names]
        if isinstance(node, ast.Import)
        else [node.module or ""]
        if isinstance(node, ast.ImportFrom)
        else []
    )
    return {name.split(".")[0] for name in names} & MAY_IMPORT.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert imported_rooms(node) <= MAY_IMPORT[room] | {room}, f"line {node.lineno}" if hasattr(node, "lineno") else path
    hidden = [node.lineno for scope in ast.walk(tree) if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
              for node in ast.walk(scope) if imported_rooms(node)]  # fmt: skip
    assert not hidden, f"first-party imports inside functions, lines {hidden}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_what_it_is(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_only_the_rewards_command_and_its_score_reach_the_engine() -> None:
    """The rest of rewards knows rubric, verdict and ledger, not how rating is run."""
    reaching = {
        path.name
        for path in (ROOT / "rewards").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "judge.batch"
    }
    assert reaching == {"scoring.py"}


def test_policies_know_nothing_of_judging() -> None:
    """They take rewards; of the judge's room they use settings and how report files are written."""
    reached = {
        node.module
        for path in (ROOT / "policies").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "judge"
    }
    assert reached <= {"judge.settings", "judge.report_files"}


def test_learners_never_import_each_other() -> None:
    for path in (ROOT / "policies" / "learners").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            assert not any(name.startswith("policies.learners") for name in names), path
