"""Settings of how language models are asked: from file, environment and command line, the mistakes in each, and the template."""

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from dialogue.errors import UsageProblem
from judge.settings import TEMPLATE, Settings, load_settings
from tests import warm

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    """Run `judge ARGS…`; keyword arguments become environment variables, and there are no others."""
    return lambda *args, **environ: warm.run(tmp_path, {"PATH": os.environ["PATH"]} | environ, list(args))


GOOD = [
    ("repeats", "3", 3),
    ("repeats", "100", 100),
    ("escalate", "5", 5),
    ("concurrency", "1", 1),
    ("concurrency", "1000", 1000),
    ("timeout", "0.5", 0.5),
    ("timeout", "3600", 3600.0),
    ("max_retries", "0", 0),
    ("max_retries", "20", 20),
    ("rpm", "0.5", 0.5),
    ("tpm", "200000", 200_000.0),
    ("budget_usd", "0", 0.0),
    ("budget_usd", "2.5", 2.5),
    ("max_requests", "0", 0),
    ("prices", '"mine.toml"', "mine.toml"),
]
WRONG = [
    ("repeats", "0", "greater than or equal to 1"),
    ("repeats", "101", "less than or equal to 100"),
    ("repeats", "1.5", "integer"),
    ("escalate", "0", "greater than or equal to 1"),
    ("concurrency", "0", "greater than or equal to 1"),
    ("concurrency", "1001", "less than or equal to 1000"),
    ("timeout", "0", "greater than 0"),
    ("timeout", "3601", "less than or equal to 3600"),
    ("timeout", "nan", "less than or equal to 3600"),
    ("max_retries", "-1", "greater than or equal to 0"),
    ("max_retries", "21", "less than or equal to 20"),
    ("rpm", "0", "greater than 0"),
    ("rpm", "-5", "greater than 0"),
    ("tpm", "0", "greater than 0"),
    ("budget_usd", "-0.01", "greater than or equal to 0"),
    ("budget_usd", "nan", "greater than or equal to 0"),
    ("max_requests", "-1", "greater than or equal to 0"),
    ("max_requests", "2.5", "integer"),
]


@pytest.mark.parametrize("file", ["judge.toml", "pyproject.toml"])
@pytest.mark.parametrize(("key", "value", "meant"), GOOD)
def test_a_value_holds_from_the_file(tmp_path: Path, file: str, key: str, value: str, meant: Any) -> None:
    (tmp_path / file).write_text(f"{'[tool.judge]' if file == 'pyproject.toml' else '# mine'}\n{key} = {value}\n")
    assert load_settings(tmp_path, {}, {}) == Settings(**{key: meant})


@pytest.mark.parametrize(("key", "value", "meant"), GOOD)
def test_a_value_holds_from_the_environment_and_the_command_line_wins(tmp_path: Path, key: str, value: str, meant: Any) -> None:
    environ = {f"JUDGE_{key.upper()}": value.strip('"')}
    assert load_settings(tmp_path, environ, {}) == Settings(**{key: meant})
    other = "other.toml" if key == "prices" else 7
    assert load_settings(tmp_path, environ, {key: other}) == Settings(**{key: other})


@pytest.mark.parametrize("file", ["judge.toml", "pyproject.toml"])
@pytest.mark.parametrize(("key", "value", "says"), [*WRONG, ("rpm", '"fast"', "valid number"), ("prices", "3", "")])
def test_a_wrong_value_in_a_file_is_told_with_its_line(tmp_path: Path, file: str, key: str, value: str, says: str) -> None:
    table = "[tool.judge]" if file == "pyproject.toml" else "# mine"
    (tmp_path / file).write_text(f'{table}\nrubric = "sales"\n{key} = {value}\n')
    with pytest.raises(UsageProblem) as problem:
        load_settings(tmp_path, {}, {})
    told = str(problem.value)
    assert told.startswith(f"{tmp_path / file}:3: ")
    assert repr(key) in told and says in told and value.strip('"') in told


@pytest.mark.parametrize(("key", "value", "says"), [*WRONG, ("rpm", "fast", "valid number"), ("repeats", "", "valid integer")])
def test_a_wrong_value_in_the_environment_names_the_variable(tmp_path: Path, key: str, value: str, says: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        load_settings(tmp_path, {f"JUDGE_{key.upper()}": value}, {})
    told = str(problem.value)
    assert told.startswith(f"JUDGE_{key.upper()} is {value!r}: ")
    assert says in told


def test_a_wrong_variable_is_told_by_every_command_that_takes_settings(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "a", "turns": [{"role": "agent", "text": "Hello."}]}\n')
    for args in (["score", "in.jsonl"], ["batch", "status"]):
        done = judge(*args, JUDGE_CONCURRENCY="many")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "JUDGE_CONCURRENCY is 'many'" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--repeats", "0", "'--repeats': Input should be greater than or equal to 1"),
        ("--escalate", "101", "'--escalate': Input should be less than or equal to 100"),
        ("--concurrency", "many", "'--concurrency': Input should be a valid integer"),
        ("--timeout", "0", "'--timeout': Input should be greater than or equal to 0.01"),
        ("--max-retries", "21", "'--max-retries': Input should be less than or equal to 20"),
        ("--rpm", "0", "'--rpm': Input should be greater than or equal to 0.01"),
        ("--tpm", "-1", "'--tpm': Input should be greater than or equal to 1"),
        ("--budget-usd", "nan", "'--budget-usd': Input should be greater than or equal to 0"),
        ("--max-requests", "2.5", "'--max-requests': Input should be a valid integer"),
        ("--prices", "nowhere.toml", "cannot read nowhere.toml"),
        ("--repeat", "3", "No such option: --repeat"),
    ],
)
def test_a_wrong_option_is_told_and_nothing_is_scored(judge: Run, tmp_path: Path, option: str, value: str, says: str) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "a", "turns": [{"role": "agent", "text": "Hello."}]}\n')
    done = judge("score", "in.jsonl", option, value, COLUMNS="200")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "in.rewards.jsonl").exists()


def test_escalating_to_fewer_than_the_repeats_is_refused_wherever_they_come_from(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "a", "turns": [{"role": "agent", "text": "Hello."}]}\n')
    (tmp_path / "judge.toml").write_text("repeats = 4\n")
    done = judge("score", "in.jsonl", JUDGE_ESCALATE="3")
    assert (done.returncode, "--escalate 3 is fewer than --repeats 4" in done.stderr) == (2, True)


def test_the_options_of_a_run_reach_it_from_the_file(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "a", "turns": [{"role": "agent", "text": "Hello."}]}\n')
    (tmp_path / "judge.toml").write_text('judge = "openai:gpt-6-sol"\nrepeats = 3\nconcurrency = 2\nrpm = 90\ntpm = 12345\n')
    planned = judge("score", "in.jsonl", "--plan")
    assert planned.returncode == 0
    assert "3 requests" in planned.stdout
    assert "2 in flight at 3 s each, at most 90 requests a minute, at most 12345 tokens a minute" in planned.stdout


def test_the_template_with_every_line_uncommented_is_valid_and_says_what_it_seems_to_say(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^# (?=\w+ = )", "", TEMPLATE)
    (tmp_path / "judge.toml").write_text(text)
    assert load_settings(tmp_path, {}, {}) == Settings(
        judge="local",
        rubric="collections",
        recipe="blend",
        outcomes="collections",
        ledger="judge-ledger.db",
        format="native",
        repeats=1,
        escalate=5,
        concurrency=32,
        timeout=120.0,
        max_retries=6,
        rpm=500.0,
        tpm=200_000.0,
        budget_usd=5.0,
        max_requests=10_000,
        prices="my-prices.toml",
    )


def test_the_template_has_every_setting_once_with_its_default_where_there_is_one() -> None:
    given = re.findall(r"(?m)^# (\w+) = (.+)$", TEMPLATE)
    assert [key for key, _ in given] == list(Settings.model_fields)
    shown = tomllib.loads("\n".join(f"{key} = {value}" for key, value in given))
    for key, default in Settings().model_dump(exclude_none=True).items():
        assert shown[key] == default
