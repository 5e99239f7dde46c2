"""Settings: file, environment and command line, in that order, and the mistakes in each."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dialogue.errors import UsageProblem
from judge.settings import Settings, load_settings

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return lambda name, text: (tmp_path / name).write_text(text, encoding="utf-8") and None


def test_without_any_the_defaults_hold(tmp_path: Path) -> None:
    expected = {"judge": "local", "rubric": "collections", "recipe": "blend", "outcomes": None, "ledger": "judge-ledger.db", "format": None}
    asking = {"repeats": 1, "escalate": None, "concurrency": 32, "timeout": 120.0, "max_retries": 6, "rpm": None, "tpm": None}
    spending = {"budget_usd": None, "max_requests": None, "prices": None}
    assert load_settings(tmp_path, {}, {}).model_dump() == expected | asking | spending


@pytest.mark.parametrize("file", [("judge.toml", 'rubric = "a"'), ("pyproject.toml", '[tool.judge]\nrubric = "a"')], ids=lambda f: f[0])
@pytest.mark.parametrize(
    ("environ", "overrides", "rubric"),
    [
        ({}, {}, "a"),
        ({"JUDGE_RUBRIC": "b"}, {}, "b"),
        ({"JUDGE_RUBRIC": "b"}, {"rubric": "c"}, "c"),
        ({"JUDGE_RUBRIC": "b"}, {"rubric": None}, "b"),
        ({}, {"rubric": "c"}, "c"),
    ],
)
def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    file: tuple[str, str], environ: dict[str, str], overrides: dict[str, str | None], rubric: str, write: Write, tmp_path: Path
) -> None:
    write(*file)
    assert load_settings(tmp_path, environ, overrides).rubric == rubric


def test_layers_add_up(write: Write, tmp_path: Path) -> None:
    write("judge.toml", 'rubric = "a"')
    found = load_settings(tmp_path, {"JUDGE_RECIPE": "b"}, {"ledger": "c"})
    assert found == Settings(rubric="a", recipe="b", ledger="c")


def test_judge_toml_is_read_instead_of_pyproject(write: Write, tmp_path: Path) -> None:
    write("judge.toml", 'rubric = "a"')
    write("pyproject.toml", '[tool.judge]\nrubric = "b"\nrecipe = "b"')
    assert load_settings(tmp_path, {}, {}) == Settings(rubric="a")


@pytest.mark.parametrize("text", ["", "[project]\n", "[tool.ruff]\n", "[tool.judge\n", "[tool.judge]\n"])
def test_a_pyproject_without_settings_or_that_is_broken_says_nothing(text: str, write: Write, tmp_path: Path) -> None:
    write("pyproject.toml", text)
    assert load_settings(tmp_path, {}, {}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        (
            "judge.toml",
            '# mine\n\nrubirc = "sales"',
            3,
            ["unknown key 'rubirc'", "did you mean 'rubric'?", "allowed: judge, rubric, recipe"],
        ),
        ("judge.toml", 'rubric = "sales"\nformat = 3', 2, ["'format' is 3", "a text in quotes"]),
        ("judge.toml", 'rubric = "sales"\nformat =', 2, ["not valid TOML"]),
        ("pyproject.toml", '[tool.judge]\nrubric = "sales"\nlegder = "x"', 3, ["unknown key 'legder'", "did you mean 'ledger'?"]),
        ("pyproject.toml", '[project]\nrubric = 1\n[tool.judge]\nrubric = ["a"]', 4, ["'rubric' is ['a']", "string"]),
        ("pyproject.toml", '[tool]\njudge = "local"', 2, ["tool.judge", "'local'"]),
        ("pyproject.toml", '[[tool.judge]]\nrubric = "sales"', 1, ["tool.judge"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(name: str, text: str, line: int, words: list[str], write: Write, tmp_path: Path) -> None:
    write(name, text)
    with pytest.raises(UsageProblem) as problem:
        load_settings(tmp_path, {}, {})
    assert str(problem.value).startswith(f"{tmp_path / name}:{line}: ")
    assert all(word in str(problem.value) for word in words), problem.value


@pytest.mark.parametrize(
    ("wrong", "meant"), [("JUDGE_RUBRICS", "JUDGE_RUBRIC"), ("JUDGE_LEDGR", "JUDGE_LEDGER"), ("JUDGE_OUTCOME", "JUDGE_OUTCOMES")]
)
def test_a_variable_that_is_nearly_a_setting_is_refused(wrong: str, meant: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=rf"{wrong}; did you mean {meant}\?"):
        load_settings(tmp_path, {wrong: "x"}, {})


@pytest.mark.parametrize("name", ["JUDGE_HOME", "JUDGE_API_TOKEN", "RUBRIC", "MY_JUDGE_RUBRIC", "judge_rubric"])
def test_somebody_elses_variable_is_ignored(name: str, tmp_path: Path) -> None:
    assert load_settings(tmp_path, {name: "x"}, {}) == Settings()
