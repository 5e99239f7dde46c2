"""`judge score --plan` against the fake provider: it sends nothing, and says how many requests and tokens the run then takes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests import warm
from tests.provider import Provider

Json = dict[str, Any]
Ask = Callable[..., Json]
Run = Callable[..., CompletedProcess[str]]
ASKING = ("POST /v1/responses", "POST /v1/chat/completions", "POST /v1/messages", "POST /v1/decisions")
OPENAI, ANTHROPIC = "openai:gpt-6-sol", "anthropic:claude-sonnet-5-5"
PANEL = f'[[member]]\njudge = "{OPENAI}"\n[[member]]\njudge = "{ANTHROPIC}"\n'
MANY = '[[turn]]\nname = "c{0}"\nquestion = "Is it right in the way {0}?"\nlevels = ["It is not.", "It is."]\nweight = 0.05\n'
EPISODE = '[[episode]]\nname = "e"\nquestion = "Is it right as a whole?"\nlevels = ["It is not.", "It is."]\nweight = 1.0\n'


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    """Run `judge ARGS…`; keyword arguments become environment variables, and there are no others."""
    return lambda *args, **environ: warm.run(tmp_path, {"PATH": os.environ["PATH"]} | environ, list(args))


@pytest.fixture
def score(judge: Run, provider: Provider, tmp_path: Path, root: Path) -> Ask:
    """Run `judge score in.jsonl … --json` with all keys; return what it prints."""
    rubric = (root / "judge/rubrics/collections.toml").read_text()
    (tmp_path / "turns.toml").write_text(rubric.replace('name = "collections"', 'name = "collections"\nunit = "turn"', 1))
    (tmp_path / "many.toml").write_text('name = "many"\nabout = "Many."\n' + "".join(map(MANY.format, range(20))) + EPISODE)
    (tmp_path / "panel.toml").write_text(PANEL)

    def run(*args: str, verb: str = "score") -> Any:
        told = [arg.replace("{url}", provider.url) for arg in args]
        done = (
            judge("batch", *told, "--json", **provider.environ)
            if verb == "batch"
            else judge("score", "in.jsonl", *told, "--json", **provider.environ)
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return json.loads(done.stdout)

    return run


def write(folder: Path, count: int, turns: int) -> None:
    """Write in.jsonl: dialogues of so many agent turns each."""
    lines = []
    for k in range(count):
        said = []
        for turn in range(turns):
            said.append(
                {"role": "agent", "text": f"Thank you for holding. This is step {turn} about account {k}; what could you do a month?"}
            )
            said.append({"role": "user", "text": f"I lost my job and can only do ${20 + k} a month, as I said {turn} times before."})
        lines.append(json.dumps({"id": f"d{k}", "turns": said}) + "\n")
    (folder / "in.jsonl").write_text("".join(lines))


def asked(provider: Provider) -> int:
    requests = provider.stats()["requests"]
    return sum(requests.get(name, 0) for name in ASKING)


@pytest.mark.parametrize(
    ("args", "dialogues", "turns", "requests"),
    [
        (["--judge", OPENAI], 6, 4, 6),
        (["--judge", f"{OPENAI}?api=chat"], 6, 4, 6),
        (["--judge", ANTHROPIC], 6, 4, 6),
        (["--judge", "compatible:my-model@{url}/v1"], 6, 4, 6),
        (["--judge", OPENAI], 1, 60, 3),  # 24 agent turns a request
        (["--judge", OPENAI, "--rubric", "turns.toml"], 2, 4, 10),  # one an agent turn, and one for the episode
        (["--judge", ANTHROPIC, "--rubric", "turns.toml"], 2, 4, 10),
        (["--judge", OPENAI, "--repeats", "3"], 3, 4, 9),
        (["--judge", "panel:panel.toml"], 4, 4, 8),
        (["--judge", "panel:panel.toml", "--repeats", "2", "--rubric", "turns.toml"], 1, 2, 12),
        (["--judge", "openai-decisions:gpt-6-luna"], 4, 4, 4),
        (["--judge", "openai-decisions:gpt-6-luna", "--rubric", "many.toml", "--repeats", "2"], 1, 24, 4),  # 24 × 20 > 400 questions
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_plan_is_what_the_run_then_asks(
    score: Ask, provider: Provider, tmp_path: Path, args: list[str], dialogues: int, turns: int, requests: int
) -> None:
    write(tmp_path, dialogues, turns)
    plan = score(*args, "--plan")
    assert provider.stats()["requests"]["total"] == 0
    assert (plan["dialogues"], plan["rated"], plan["total"]["requests"]) == (dialogues, 0, requests)
    done = score(*args)
    assert done["scored"] == dialogues
    assert asked(provider) == done["spent"]["requests"] == requests
    counted = provider.stats()["input_tokens"]
    assert done["spent"]["input_tokens"] == counted
    assert counted * 0.75 < plan["total"]["input_tokens"] < counted * 1.25, plan["total"]["input_tokens"] / counted
    after = score(*args, "--plan")
    assert (after["rated"], after["total"]["requests"], after["total"]["cost_usd"], after["seconds"]) == (dialogues, 0, 0, 0)


def test_what_the_ledger_holds_is_not_counted_and_what_is_paid_or_under_way_is_told(score: Ask, provider: Provider, tmp_path: Path) -> None:
    write(tmp_path, 5, 2)
    assert score("--judge", OPENAI, "--limit", "2")["scored"] == 2
    provider.set(batch_delay=3)
    assert score("--judge", OPENAI, "--limit", "4", "--batch")["requests"] == 2
    seen = provider.stats()["requests"]["total"]
    plan = score("--judge", OPENAI, "--plan")
    numbers = ("dialogues", "rated", "requests_under_way", "answers_paid")
    assert [plan[name] for name in numbers] == [5, 2, 2, 0]
    assert plan["total"]["requests"] == 1
    assert provider.stats()["requests"]["total"] == seen
    assert score("collect", "--wait", "--every", "0.2", verb="batch")[0]["answers"] == 2
    plan = score("--judge", OPENAI, "--plan")
    assert [plan[name] for name in numbers] == [5, 2, 0, 2]
    assert plan["total"]["requests"] == 1
    assert score("--judge", OPENAI, "--plan", "--repeats", "2")["total"]["requests"] == 5 + 1
    assert score("--judge", OPENAI)["scored"] == 5
    assert asked(provider) == 3
    panel = score("--judge", "panel:panel.toml", "--plan")  # one member's verdicts are there
    assert {name: part["requests"] for name, part in panel["judges"].items()} == {"openai/gpt-6-sol": 0, "anthropic/claude-sonnet-5-5": 5}
    assert panel["rated"] == 0


@pytest.mark.parametrize(
    "name", [OPENAI, ANTHROPIC, "openai-decisions:gpt-6-luna", "compatible:m@http://127.0.0.1:1/v1", "panel:panel.toml"]
)
def test_a_plan_needs_no_key_and_no_server(judge: Run, tmp_path: Path, name: str) -> None:
    write(tmp_path, 3, 1)
    (tmp_path / "panel.toml").write_text(PANEL)
    nowhere = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}
    done = judge("score", "in.jsonl", "--judge", name, "--plan", **nowhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 dialogues, 0 of them rated already" in done.stdout
    assert done.stdout.count(": 3 requests, ") == (2 if "panel" in name else 1)
    assert not (tmp_path / "in.rewards.jsonl").exists()
