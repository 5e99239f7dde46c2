"""`judge score` with a language model, in real processes against the fake provider: faults, kills, Ctrl-C, budgets, keys, the bill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import warm
from tests.provider import KEY, Provider, without_vendors

COMMAND = Path(sys.executable).parent / "judge"
Run = Callable[..., subprocess.CompletedProcess[str]]
Json = dict[str, Any]

TURN_BY_TURN = {
    "dialogue": ("--rubric", "collections"),
    "turn": ("--rubric", "mine.toml", "--outcomes", "collections"),
}


def write_dialogues(path: Path, count: int) -> None:
    """Write `count` different dialogues of two agent turns."""
    with path.open("w") as stream:
        for k in range(count):
            turns = [
                {"role": "agent", "text": f"Hello, this is about account {k}. When could you pay?"},
                {"role": "user", "text": f"I can only do ${20 + k} a month since I lost my job."},
                {"role": "agent", "text": f"${20 + k} a month works, I'll email the plan on the {1 + k % 28}th."},
            ]
            stream.write(json.dumps({"id": f"d{k}", "turns": turns, "outcome": "HANGUP"}) + "\n")


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    return lambda *args, **environ: warm.run(tmp_path, {"PATH": os.environ["PATH"]} | environ, list(args))


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    """The folder in which the command runs, with a rubric that rates turn by turn."""
    text = (root / "judge/rubrics/collections.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("sees_outcome", 'unit = "turn"\nsees_outcome', 1))
    return tmp_path


def records(folder: Path, name: str = "in.rewards.jsonl") -> list[Json]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def start(folder: Path, provider: Provider, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "score", "in.jsonl", "--judge", "openai:model-1", *args],
        cwd=folder,
        env=without_vendors(os.environ) | provider.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], provider: Provider, what: str, least: int) -> None:
    """Wait until a count of the provider's has come so far."""
    deadline = time.monotonic() + 60
    while provider.stats()[what] < least:
        assert process.poll() is None, "it ended before it could be stopped: make the input longer"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_every_dialogue_is_scored_or_failed_in_order_whatever_the_provider_does(judge: Run, folder: Path, provider: Provider) -> None:
    provider.set(seed=5, latency=0.02, retry_after=0.05, rate_limit=0.05, server_error=0.02, invalid_json=0.02, hang=0.01, reset=0.01)
    write_dialogues(folder / "in.jsonl", 120)
    done = judge("score", "in.jsonl", "--judge", "openai:model-1", "--timeout", "3", "--json", **provider.environ)
    found = records(folder)
    assert [record["id"] for record in found] == [f"d{k}" for k in range(120)]
    for record in found:
        assert (record["status"] == "scored") == ("failure" not in record) == (record["episode"]["reward"] is not None)
    summary, stats = json.loads(done.stdout), provider.stats()
    failed = sum(record["status"] == "failed" for record in found)
    assert (summary["scored"], summary["failed"], done.returncode) == (120 - failed, failed, 1 if failed else 0)
    assert failed <= 2  # two bad answers to one question
    assert sum(stats["faults"].values()) >= 5
    assert summary["spent"]["requests"] + summary["spent"]["failed_requests"] == stats["requests"]["total"]
    assert stats["duplicates"] == 0  # nothing that was answered was asked again
    provider.set(rate_limit=0.0, server_error=0.0, invalid_json=0.0, hang=0.0, reset=0.0)
    again = judge("score", "in.jsonl", "--judge", "openai:model-1", "--json", **provider.environ)
    assert (again.returncode, json.loads(again.stdout)["scored"]) == (0, 120)
    assert provider.asked() == stats["requests"]["total"] + failed


@pytest.mark.parametrize("unit", TURN_BY_TURN)
def test_killed_in_the_middle_only_what_was_in_flight_is_asked_again(judge: Run, folder: Path, provider: Provider, unit: str) -> None:
    count, whole = (80, 80) if unit == "dialogue" else (40, 120)
    write_dialogues(folder / "in.jsonl", count)
    provider.set(latency=0.05)
    process = start(folder, provider, *TURN_BY_TURN[unit], "--concurrency", "8")
    wait_for(process, provider, "answered", whole // 3)
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    assert not (folder / "in.rewards.jsonl").exists()
    done = judge("score", "in.jsonl", "--judge", "openai:model-1", *TURN_BY_TURN[unit], **provider.environ)
    assert done.returncode == 0, done.stderr
    stats = provider.stats()
    assert stats["duplicates"] <= 8
    assert stats["answered"] - stats["duplicates"] == whole
    assert [record["status"] for record in records(folder)] == ["scored"] * count


@pytest.mark.parametrize("unit", TURN_BY_TURN)
def test_ctrl_c_keeps_the_answers_in_flight(judge: Run, folder: Path, provider: Provider, unit: str) -> None:
    count, whole = (60, 60) if unit == "dialogue" else (30, 90)
    write_dialogues(folder / "in.jsonl", count)
    provider.set(latency=0.1)
    process = start(folder, provider, *TURN_BY_TURN[unit], "--concurrency", "8")
    wait_for(process, provider, "answered", whole // 4)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in stderr) == (130, False)
    assert "the same command goes on from there" in stderr
    assert not (folder / "in.rewards.jsonl").exists() and not list(folder.glob(".*.part"))
    assert provider.asked() < whole
    done = judge("score", "in.jsonl", "--judge", "openai:model-1", *TURN_BY_TURN[unit], **provider.environ)
    assert done.returncode == 0, done.stderr
    stats = provider.stats()
    assert (stats["duplicates"], stats["requests"]["total"]) == (0, whole)


def test_ctrl_c_in_the_middle_of_dialogues_sends_nothing_new(folder: Path, provider: Provider) -> None:
    with (folder / "in.jsonl").open("w") as stream:
        for k in range(20):
            turns = [{"role": role, "text": f"{role} {k} {n}"} for n in range(8) for role in ("agent", "user")]
            stream.write(json.dumps({"id": f"d{k}", "turns": turns}) + "\n")
    provider.set(latency=0.2)
    process = start(folder, provider, *TURN_BY_TURN["turn"], "--concurrency", "8")
    wait_for(process, provider, "answered", 16)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)  # the signal is on its way
    before = provider.asked()
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert provider.asked() <= before + 8 < 20 * 9 / 2  # at most one round more


def test_ctrl_c_twice_stops_at_once(folder: Path, provider: Provider) -> None:
    write_dialogues(folder / "in.jsonl", 20)
    provider.set(latency=60.0)
    process = start(folder, provider, "--concurrency", "4")
    wait_for(process, provider, "in_flight", 4)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)  # it waits for what is in flight
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in stderr) == (130, False), stderr
    assert provider.asked() == 4


def test_a_limit_of_requests_is_kept_and_the_next_run_goes_on_in_the_middle_of_dialogues(
    judge: Run, folder: Path, provider: Provider
) -> None:
    write_dialogues(folder / "in.jsonl", 12)  # three requests each
    args = ("--judge", "openai:model-1", *TURN_BY_TURN["turn"], "--max-requests", "20", "--json")
    for asked, status, kinds in ((20, 1, {"not_asked"}), (36, 0, set())):
        done = judge("score", "in.jsonl", *args, **provider.environ)
        found = records(folder)
        assert [record["id"] for record in found] == [f"d{k}" for k in range(12)]
        assert {record["failure"]["kind"] for record in found if record["status"] == "failed"} == kinds
        assert (done.returncode, provider.asked()) == (status, asked)
        told = any("the 20 requests that --max-requests allows are spent" in note for note in json.loads(done.stdout)["notes"])
        assert told == bool(kinds)
    assert provider.stats()["duplicates"] == 0


def test_a_budget_stops_the_run_and_more_budgets_bring_it_to_its_end(judge: Run, folder: Path, provider: Provider) -> None:
    write_dialogues(folder / "in.jsonl", 30)
    spent, scored = 0.0, 0
    for _ in range(5):
        args = ("--judge", "openai:gpt-6-luna", "--budget-usd", "0.0012", "--concurrency", "2", "--json")
        done = judge("score", "in.jsonl", *args, **provider.environ)
        summary = json.loads(done.stdout)
        assert 0 < summary["spent"]["cost_usd"] <= 0.0012
        assert len(records(folder)) == 30
        assert summary["scored"] - scored == summary["spent"]["requests"]
        spent, scored = spent + summary["spent"]["cost_usd"], summary["scored"]
        if done.returncode == 0:
            break
        assert (done.returncode, {record["failure"]["kind"] for record in records(folder) if record["status"] == "failed"}) == (
            1,
            {"not_asked"},
        )
        assert any("the budget of $0.0012 (--budget-usd) is spent" in note for note in summary["notes"])
    assert scored == 30
    assert spent > 0.0012  # one budget was not enough
    assert (provider.asked(), provider.stats()["duplicates"]) == (30, 0)


def test_identical_dialogues_are_asked_once(judge: Run, folder: Path, provider: Provider) -> None:
    turns = [{"role": "agent", "text": "Hello."}, {"role": "user", "text": "Hi."}]
    same = [json.dumps({"id": f"d{k}", "turns": turns, "outcome": ["HANGUP", "ESCALATED"][k % 2]}) for k in range(300)]
    (folder / "in.jsonl").write_text("\n".join(same) + "\n")
    assert judge("score", "in.jsonl", "--judge", "openai:model-1", **provider.environ).returncode == 0
    assert provider.asked() == 1
    found = records(folder)
    assert [record["id"] for record in found] == [f"d{k}" for k in range(300)]
    assert len({json.dumps(record["turns"][0]["ratings"]) for record in found}) == 1


def test_concurrency_bounds_requests_in_flight_and_connections(judge: Run, folder: Path, provider: Provider) -> None:
    write_dialogues(folder / "in.jsonl", 40)
    provider.set(latency=0.02)
    assert judge("score", "in.jsonl", "--judge", "openai:model-1", "--concurrency", "4", **provider.environ).returncode == 0
    stats = provider.stats()
    assert (stats["max_in_flight"], stats["requests"]["total"]) == (4, 40)
    assert stats["connections"] <= 4


def test_the_bill_is_told_in_words_and_as_json_and_what_the_server_refused_too(judge: Run, folder: Path, provider: Provider) -> None:
    write_dialogues(folder / "in.jsonl", 3)
    provider.set(rejects=["temperature"])
    spec = ("--judge", "openai:gpt-6-luna?temperature=0", "--concurrency", "1")
    done = judge("score", "in.jsonl", *spec, **provider.environ)
    stats = provider.stats()
    tokens = f"{stats['input_tokens']:,} input tokens ({stats['cached_tokens'] / stats['input_tokens']:.0%} from the prompt cache)"
    assert done.returncode == 0
    assert f"3 requests (1 more failed), {tokens}, {stats['output_tokens']:,} output tokens, $0.00" in done.stderr
    assert "openai/gpt-6-luna does not take temperature: asked without" in done.stderr
    provider.set(rejects=[])
    spent = json.loads(judge("score", "in.jsonl", *spec, "--json", "--ledger", "new.db", **provider.environ).stdout)["spent"]
    assert (spent["requests"], spent["failed_requests"], spent["paid_before"]) == (3, 0, 0)
    after = provider.stats()
    assert {name: spent[name] for name in ("input_tokens", "cached_tokens", "written_tokens", "output_tokens")} == {
        name: after[name] - stats[name] for name in ("input_tokens", "cached_tokens", "written_tokens", "output_tokens")
    }
    fresh = spent["input_tokens"] - spent["cached_tokens"] - spent["written_tokens"]
    dollars = 0.10 * fresh + 0.01 * spent["cached_tokens"] + 0.125 * spent["written_tokens"] + 0.50 * spent["output_tokens"]
    assert spent["cost_usd"] == pytest.approx(dollars / 1e6)


def test_a_run_without_an_answered_request_tells_no_price(judge: Run, folder: Path, provider: Provider) -> None:
    write_dialogues(folder / "in.jsonl", 2)
    provider.set(rate_limit=1.0, retry_after=0.0)
    args = ("score", "in.jsonl", "--judge", "openai:gpt-6-luna")
    failed = judge(*args, "--max-retries", "0", **provider.environ)
    assert (failed.returncode, "no request was answered, 2 failed" in failed.stderr, "$" in failed.stderr) == (1, True, False), (
        failed.stderr
    )
    provider.set(rate_limit=0.0)
    assert "$0.00" in judge(*args, **provider.environ).stderr
    kept = judge(*args, **provider.environ)
    assert (kept.returncode, "$" in kept.stderr, "price" in kept.stderr) == (0, False, False), kept.stderr


def test_no_key_is_left_anywhere(judge: Run, folder: Path, provider: Provider) -> None:
    write_dialogues(folder / "in.jsonl", 2)
    (folder / "keys").mkdir()
    (folder / "keys/openai").write_text(f"{KEY}\n")
    by_file = provider.environ | {"OPENAI_API_KEY": "", "OPENAI_API_KEY_FILE": "keys/openai"}
    args = ("score", "in.jsonl", "--judge", "openai:model-1", "--record", "rec.jsonl")
    good = judge(*args, **by_file)
    provider.set(key="sk-proj-another-key")
    refused = judge(*args, "--ledger", "new.db", **provider.environ)
    assert (good.returncode, refused.returncode) == (0, 2)
    assert "status 401: Incorrect API key provided: [key]" in refused.stderr and "Traceback" not in refused.stderr
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "keys"]
    assert {"judge-ledger.db", "new.db", "in.rewards.jsonl", "rec.jsonl"} <= {path.name for path in files}
    for told in [good.stdout, good.stderr, refused.stdout, refused.stderr, *(path.read_bytes().decode("latin-1") for path in files)]:
        assert KEY not in told and KEY[8:20] not in told


@pytest.mark.parametrize(
    ("args", "environ", "says"),
    [
        (["--judge", "openai"], {}, "--judge openai: which model? Expected openai:MODEL"),
        (["--judge", "openai:model-1?temprature=0"], {}, "unknown option 'temprature' (did you mean 'temperature'?)"),
        (["--judge", "compatible:model-1"], {}, "expected compatible:MODEL@http://HOST/v1"),
        (["--judge", "compatible:model-1@http://me:secret@host/v1"], {}, "a key or password stands in the address"),
        (["--judge", "openai:model-1"], {"OPENAI_API_KEY": ""}, "no key: set OPENAI_API_KEY, or OPENAI_API_KEY_FILE"),
        (["--judge", "openai:model-1"], {"OPENAI_API_KEY": "", "OPENAI_API_KEY_FILE": "nowhere"}, "cannot read the key file nowhere"),
        (["--judge", "openai:model-1", "--repeats", "3", "--escalate", "2"], {}, "--escalate 2 is fewer than --repeats 3"),
        (["--judge", "openai:model-1", "--budget-usd", "1"], {}, "--budget-usd needs a price for openai/model-1"),
        (["--judge", "openai:model-1"], {"JUDGE_CONCURRENCY": "abc"}, "JUDGE_CONCURRENCY is 'abc'"),
        (["--judge", "openai:model-1"], {"JUDGE_CONCURENCY": "8"}, "did you mean JUDGE_CONCURRENCY?"),
        (["--judge", "panel:twice.toml"], {}, "a panel has the same judge twice"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2_and_nothing_is_asked(
    judge: Run, folder: Path, provider: Provider, args: list[str], environ: dict[str, str], says: str
) -> None:
    (folder / "twice.toml").write_text('member = [{ judge = "openai:model-1" }, { judge = "openai:model-1" }]\n')
    write_dialogues(folder / "in.jsonl", 2)
    done = judge("score", "in.jsonl", *args, **provider.environ | environ)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr
    assert (provider.asked(), (folder / "in.rewards.jsonl").exists()) == (0, False)
