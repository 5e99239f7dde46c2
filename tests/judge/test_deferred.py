"""`judge score --batch` and `judge batch` as real processes against the fake provider: faults, kills, and nothing paid twice."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests import warm

Json = dict[str, Any]
ROOT = Path(__file__).parent.parent.parent
ASKING = ("POST /v1/responses", "POST /v1/chat/completions", "POST /v1/messages", "POST /v1/decisions")
OPENAI, CHAT, ANTHROPIC = "openai:gpt-6-sol", "openai:gpt-6-sol?api=chat", "anthropic:claude-sonnet-5-5"
COMPATIBLE = "compatible:my-model@{url}/v1"
EVERY = (OPENAI, CHAT, ANTHROPIC, COMPATIBLE)


@dataclass(frozen=True)
class Provider:
    """The fake provider, as a process of its own."""

    url: str

    def control(self, **settings: Any) -> Json:
        return self._open("/control", json.dumps(settings).encode())

    def stats(self) -> Json:
        return self._open("/stats")

    def asked(self) -> int:
        """Return how many requests a model was asked in, batches not counted."""
        requests = self.stats()["requests"]
        return sum(requests.get(name, 0) for name in ASKING)

    def batches(self) -> list[str]:
        return [batch["id"] for path in ("/v1/batches", "/v1/messages/batches") for batch in self._open(f"{path}?limit=100")["data"]]

    def _open(self, path: str, data: bytes | None = None) -> Json:
        request = urllib.request.Request(self.url + path, data, {"Authorization": "Bearer any-key-will-do"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))


@contextmanager
def serving() -> Iterator[Provider]:
    command = [sys.executable, ROOT / "benchmarks/provider", "--port", "0"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        yield Provider(json.loads(process.stdout.readline())["url"])
    finally:
        process.stdin.close()
        process.wait(30)


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[tuple[Provider, Json]]:
    with serving() as provider:
        yield provider, provider.control()


@pytest.fixture
def provider(shared_provider: tuple[Provider, Json]) -> Provider:
    found, as_new = shared_provider
    found.control(**{**as_new, "key": "", "reset": True})
    return found


class Runner:
    """Runs `judge ARGS…` in one folder against one provider."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        self.folder, self.provider = folder, provider
        self.environ = {
            "PATH": os.environ["PATH"],
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "OPENAI_API_KEY": "key-of-openai",
            "ANTHROPIC_BASE_URL": provider.url,
            "ANTHROPIC_API_KEY": "key-of-anthropic",
        }

    def __call__(self, *args: str, **environ: str) -> CompletedProcess[str]:
        return warm.run(self.folder, self.environ | environ, self._told(args))

    def _told(self, args: tuple[str, ...]) -> list[str]:
        return [arg.replace("{url}", self.provider.url) for arg in args]

    def killed(self, when: Callable[[], bool], *args: str) -> None:
        """Run a command until something is so, then kill -9."""
        process = warm.start(self.folder, self.environ, self._told(args))
        deadline = time.monotonic() + 60
        while not when():
            assert process.is_alive() and time.monotonic() < deadline, (self.folder / "stderr").read_text()
            time.sleep(0.005)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        assert process.exitcode == -signal.SIGKILL

    def json(self, *args: str, status: int = 0, **environ: str) -> Any:
        done = self(*args, "--json", **environ)
        assert done.returncode == status, (done.stdout, done.stderr)
        return json.loads(done.stdout)

    def write(self, count: int, turns: int = 1) -> None:
        """Write in.jsonl with so many dialogues of so many agent turns each."""
        lines = []
        for k in range(count):
            said = []
            for turn in range(turns):
                said.append({"role": "agent", "text": f"Hello, this is about account {self.folder.name}-{k}, step {turn}."})
                said.append({"role": "user", "text": f"I can only do ${20 + k} a month."})
            lines.append(json.dumps({"id": f"d{k}", "turns": said}) + "\n")
        (self.folder / "in.jsonl").write_text("".join(lines))

    def usages(self, ledger: str = "judge-ledger.db") -> list[Json]:
        rows = sqlite3.connect(self.folder / ledger).execute("select verdict from verdicts order by transcript_hash, repeat").fetchall()
        return [json.loads(text)["usage"] for (text,) in rows]

    def kept(self) -> int:
        """Return how many answers are kept that no verdict was made of yet."""
        return int(sqlite3.connect(self.folder / "judge-ledger.db").execute("select count(*) from replies").fetchone()[0])

    def states(self) -> list[str]:
        rows = sqlite3.connect(self.folder / "judge-ledger.db").execute("select state from batches order by at, name").fetchall()
        return [state for (state,) in rows]


@pytest.fixture
def run(tmp_path: Path, provider: Provider) -> Runner:
    return Runner(tmp_path, provider)


def score(judge: str, *more: str) -> list[str]:
    return ["score", "in.jsonl", "--judge", judge, *more]


@pytest.mark.parametrize("judge", EVERY)
def test_submitted_here_collected_there_and_scored_without_a_request(run: Runner, provider: Provider, judge: str) -> None:
    run.write(4)
    before = provider.batches()
    submitted = run(*score(judge, "--batch"))
    assert (submitted.returncode, submitted.stderr) == (0, "")
    assert "4 requests submitted in 1 batches; 0 dialogues are rated already" in submitted.stdout
    assert "judge batch collect" in submitted.stdout
    again = run(*score(judge, "--batch"))
    assert (again.returncode, "0 requests submitted in 0 batches" in again.stdout) == (0, True)
    assert "4 requests are under way or answered" in again.stdout
    stands = run("batch", "status")
    assert stands.returncode == 0
    assert f"{judge.replace('{url}', provider.url)}  4 requests" in stands.stdout
    collected = run("batch", "collect")
    assert (collected.returncode, "4 answers are in the ledger" in collected.stdout) == (0, True)
    assert run("batch", "collect").stdout == "no batch is open\n"
    after = run.json(*score(judge, "--batch"))
    assert after == {"batches": 0, "requests": 0, "rated": 0, "under_way": 4, "too_long": 0, "stopped": None, "rejected": 0}
    seen = provider.stats()["requests"]
    summary = run.json(*score(judge))
    assert (summary["scored"], summary["spent"]["requests"], summary["spent"]["paid_before"]) == (4, 0, 4)
    rated = run.json(*score(judge, "--batch"))
    assert (rated["rated"], rated["requests"], rated["under_way"]) == (4, 0, 0)
    last = provider.stats()
    assert last["requests"] == seen
    assert (provider.asked(), last["lines"], last["answered"], last["duplicates"]) == (0, 4, 4, 0)
    assert len(provider.batches()) == len(before) + 1


@pytest.mark.parametrize(("judge", "priced"), [(OPENAI, True), (CHAT, True), (ANTHROPIC, True), (COMPATIBLE, False)])
def test_a_batch_costs_half_of_a_live_run_and_rates_the_same(run: Runner, provider: Provider, judge: str, priced: bool) -> None:
    run.write(3, turns=2)
    provider.control(cache_min=10**9)  # so that both ways use the same tokens
    run(*score(judge, "--batch"))
    assert run("batch", "collect").returncode == 0
    assert run(*score(judge)).returncode == 0
    rewards = (run.folder / "in.rewards.jsonl").read_bytes()
    live = run.json(*score(judge, "--ledger", "live.db"))
    assert (run.folder / "in.rewards.jsonl").read_bytes() == rewards
    deferred, asked = run.usages(), run.usages("live.db")
    assert [usage["requests"] for usage in deferred] == [1, 1, 1]
    for one, other in zip(deferred, asked, strict=True):
        assert {**one, "cost_usd": None} == {**other, "cost_usd": None}
        if priced:
            assert other["cost_usd"] > 0.001
            assert one["cost_usd"] == pytest.approx(other["cost_usd"] / 2)
        else:
            assert one["cost_usd"] is other["cost_usd"] is None
    if priced:
        assert live["spent"]["cost_usd"] == pytest.approx(2 * sum(usage["cost_usd"] for usage in deferred))


def test_what_is_under_way_is_neither_collected_nor_asked_until_it_has_ended(run: Runner, provider: Provider) -> None:
    run.write(3)
    provider.control(batch_delay=4)
    for judge in EVERY:
        assert run.json(*score(judge, "--batch"))["requests"] == 3
    stands = run.json("batch", "status", status=1)
    assert [(one["requests"], one["ended"], one["answers"]) for one in stands] == [(3, False, 0)] * 4
    assert set(stands[0]) == {"name", "judge", "remote", "requests", "submitted", "told", "ended", "answers", "without"}
    assert [one["ended"] for one in run.json("batch", "collect", status=1)] == [False] * 4
    done = run(*score(OPENAI))
    assert done.returncode == 1
    assert "0 scored, 3 failed" in done.stdout
    assert "judge failures: 3 pending; the next run asks again" in done.stderr
    assert f"it is asked in the batch {stands[0]['name']}: run `judge batch collect`, then this again" in done.stderr
    records = [json.loads(line) for line in (run.folder / "in.rewards.jsonl").read_text().splitlines()]
    assert [record["failure"]["kind"] for record in records] == ["pending"] * 3
    collected = run.json("batch", "collect", "--wait", "--every", "0.2")
    assert sorted(one["judge"] for one in collected) == sorted(judge.replace("{url}", provider.url) for judge in EVERY)
    assert [(one["ended"], one["answers"]) for one in collected] == [(True, 3)] * 4
    assert run("batch", "status").returncode == 0
    for judge in EVERY:
        assert run.json(*score(judge))["scored"] == 3
    assert (provider.asked(), provider.stats()["lines"]) == (0, 12)


def test_only_what_no_batch_asks_is_asked_live(run: Runner, provider: Provider) -> None:
    run.write(5)
    provider.control(batch_delay=60)
    assert run.json(*score(OPENAI, "--batch", "--limit", "3"))["requests"] == 3
    summary = run.json(*score(OPENAI), status=1)
    assert (summary["scored"], summary["failures"]) == (2, {"pending": 3})
    assert provider.asked() == 2
    again = run.json(*score(OPENAI, "--batch"))
    assert (again["batches"], again["requests"], again["rated"], again["under_way"]) == (0, 0, 2, 3)
    assert run("batch", "cancel").returncode == 0  # it would go on counting lines


@pytest.mark.parametrize("judge", [OPENAI, CHAT, ANTHROPIC])
def test_a_batch_that_comes_home_in_part_is_finished_by_another(run: Runner, provider: Provider, judge: str) -> None:
    run.write(10)
    provider.control(batch_expire=0.4, batch_error=0.3)
    run(*score(judge, "--batch"))
    collected = run("batch", "collect")
    assert collected.returncode == 0
    assert "3 answers are in the ledger" in collected.stdout
    told = [line for line in collected.stdout.splitlines() if "without an answer" in line]
    assert "4 without an answer (" in told[0] and "expired" in told[0] and "`judge score --batch` asks again" in told[0]
    assert "3 without an answer (" in told[1] and "This line failed, as it was told to." in told[1]
    provider.control(batch_expire=0, batch_error=0)
    again = run.json(*score(judge, "--batch"))
    assert (again["batches"], again["requests"], again["rated"], again["under_way"]) == (1, 7, 0, 3)
    assert run.json("batch", "collect")[0]["answers"] == 7
    assert run.json(*score(judge))["scored"] == 10
    stats = provider.stats()
    assert (stats["answered"], stats["duplicates"], provider.asked()) == (10, 0, 0)


def test_what_a_batch_left_out_may_be_asked_live_too(run: Runner, provider: Provider) -> None:
    run.write(5)
    provider.control(batch_expire=0.4)
    run(*score(ANTHROPIC, "--batch"))
    assert run.json("batch", "collect")[0]["without"] == {"expired": 2}
    assert run.json(*score(ANTHROPIC))["scored"] == 5
    assert (provider.asked(), provider.stats()["duplicates"]) == (2, 0)


def test_a_batch_that_fails_as_a_whole_is_told_and_frees_its_requests(run: Runner, provider: Provider) -> None:
    run.write(4)
    provider.control(batch_fail=1)
    assert run.json(*score(OPENAI, "--batch"))["requests"] == 4
    failed = run("batch", "status")
    assert (failed.returncode, "The batch failed, as it was told to." in failed.stdout) == (0, True)
    collected = run("batch", "collect")
    assert (collected.returncode, "The batch failed, as it was told to." in collected.stdout) == (0, True)
    assert "4 without an answer (not in the provider's results)" in collected.stdout
    provider.control(batch_fail=0)
    assert run.json(*score(OPENAI, "--batch"))["requests"] == 4
    assert run.json("batch", "collect")[0]["answers"] == 4
    assert run.json(*score(OPENAI))["scored"] == 4
    assert (provider.asked(), provider.stats()["lines"]) == (0, 4)


@pytest.mark.parametrize("judge", [OPENAI, ANTHROPIC])
def test_cancelled_half_way_what_is_answered_is_kept_and_the_rest_can_be_asked(run: Runner, provider: Provider, judge: str) -> None:
    run.write(12)
    provider.control(batch_delay=12)
    run(*score(judge, "--batch"))
    while provider.stats()["lines"] < 1:
        time.sleep(0.05)
    cancelled = run.json("batch", "cancel")
    answered = provider.stats()["answered"]
    assert 1 <= answered < 12
    assert [(one["ended"], one["answers"], sum(one["without"].values())) for one in cancelled] == [(True, answered, 12 - answered)]
    assert run("batch", "cancel").stdout == "no batch is open\n"
    provider.control(batch_delay=0)
    assert run.json(*score(judge, "--batch"))["requests"] == 12 - answered
    assert run("batch", "collect").returncode == 0
    assert run.json(*score(judge))["scored"] == 12
    assert (provider.stats()["answered"], provider.stats()["duplicates"], provider.asked()) == (12, 0, 0)


@pytest.mark.parametrize("judge", [OPENAI, ANTHROPIC])
def test_cancelling_what_has_ended_collects_it(run: Runner, judge: str) -> None:
    run.write(2)
    run(*score(judge, "--batch"))
    assert [(one["ended"], one["answers"]) for one in run.json("batch", "cancel")] == [(True, 2)]


@pytest.mark.parametrize("way", ["submit again", "collect"])
@pytest.mark.parametrize(("judge", "script"), [(OPENAI, ["ok", "slow"]), (ANTHROPIC, ["slow"])])
def test_killed_after_the_provider_has_the_batch_and_before_the_ledger_knows(
    tmp_path: Path, judge: str, script: list[str], way: str
) -> None:
    """The provider makes the batch, its answer trickles in, and the process is killed before it has heard the name."""
    with serving() as provider:
        run = Runner(tmp_path, provider)
        run.write(3)
        provider.control(script=script, slow_pause=0.5)
        run.killed(lambda: provider.stats()["faults"] == {"slow": 1} and len(provider.batches()) == 1, *score(judge, "--batch"))
        assert run.states() == ["submitting"]
        assert run.json(*score(judge), status=1)["failures"] == {"pending": 3}
        if way == "submit again":
            cut_off = run("batch", "status")
            assert (cut_off.returncode, "its submission was cut off, or is under way" in cut_off.stdout) == (1, True)
            assert run.json(*score(judge, "--batch"))["requests"] == 0
        assert run.json("batch", "collect")[0]["answers"] == 3
        assert run.json(*score(judge))["scored"] == 3
        assert len(provider.batches()) == 1
        assert (provider.stats()["lines"], provider.asked()) == (3, 0)


@pytest.mark.parametrize("way", ["submit again", "collect"])
@pytest.mark.parametrize(("judge", "script"), [(OPENAI, ["hang"]), (OPENAI, ["ok", "hang"]), (ANTHROPIC, ["hang"])])
def test_killed_before_the_provider_has_the_batch_it_is_submitted_anew(tmp_path: Path, judge: str, script: list[str], way: str) -> None:
    with serving() as provider:
        run = Runner(tmp_path, provider)
        run.write(3)
        provider.control(script=script)
        run.killed(lambda: provider.stats()["faults"].get("hang") == 1, *score(judge, "--batch"))
        assert (run.states(), provider.batches()) == (["submitting"], [])
        if way == "collect":
            lost = run("batch", "collect")
            assert (lost.returncode, "lost: it never reached the provider; its requests can be asked again" in lost.stdout) == (0, True)
            assert run.states() == ["lost"]
        assert run.json(*score(judge, "--batch"))["requests"] == 3
        assert sorted(run.states()) == ["lost", "open"]
        assert run.json("batch", "collect")[0]["answers"] == 3
        assert run.json(*score(judge))["scored"] == 3
        assert (len(provider.batches()), provider.stats()["lines"], provider.asked()) == (1, 3, 0)


@pytest.mark.parametrize(
    ("judge", "script"),
    [
        (OPENAI, ["ok", "cut_stream"]),  # the file is up; the batch is made, the answer is not heard
        (OPENAI, ["cut_stream"]),  # the file is up, but its name is not heard
        (OPENAI, ["rate_limit", "ok", "ok", "reset", "ok", "bad_gateway"]),
        (CHAT, ["ok", "overloaded", "ok", "ok", "cut_stream"]),
        (ANTHROPIC, ["cut_stream"]),
        (ANTHROPIC, ["reset", "ok", "server_error", "ok", "cut_stream"]),
    ],
)
def test_a_connection_that_breaks_while_submitting_makes_no_second_batch(tmp_path: Path, judge: str, script: list[str]) -> None:
    with serving() as provider:
        run = Runner(tmp_path, provider)
        run.write(3)
        provider.control(script=script, retry_after=0.01)
        assert run.json(*score(judge, "--batch"))["requests"] == 3
        assert len(provider.batches()) == 1
        assert run.json("batch", "collect")[0]["answers"] == 3
        assert run.json(*score(judge))["scored"] == 3
        assert (provider.stats()["lines"], provider.asked()) == (3, 0)


@pytest.mark.parametrize("way", ["submit again", "collect"])
@pytest.mark.parametrize(
    ("judge", "script", "retries"),
    [
        (OPENAI, ["ok", "cut_stream"], "0"),
        (ANTHROPIC, ["cut_stream"], "0"),
        (OPENAI, ["ok", "cut_stream", "server_error"], "1"),  # nor is it heard whether the batch is there
        (ANTHROPIC, ["cut_stream", "server_error"], "1"),
    ],
)
def test_where_the_last_answer_to_a_submission_is_lost_the_batch_is_found_later(
    run: Runner, provider: Provider, judge: str, script: list[str], retries: str, way: str
) -> None:
    run.write(3)
    before = len(provider.batches())
    provider.control(script=script)
    lost = run(*score(judge, "--batch", "--max-retries", retries))
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert f"{judge} did not take a batch of 3 requests: " in lost.stderr
    assert "whether it arrived is not known: `judge batch collect` finds out, and nothing is paid twice" in lost.stderr
    assert (run.states(), provider.control()["script"]) == (["submitting"], [])
    if way == "submit again":
        again = run.json(*score(judge, "--batch"))
        assert (again["requests"], again["under_way"], run.states()) == (0, 3, ["open"])
    assert run.json("batch", "collect")[0]["answers"] == 3
    assert run.json(*score(judge))["scored"] == 3
    assert (len(provider.batches()) - before, provider.stats()["lines"], provider.asked()) == (1, 3, 0)


@pytest.mark.parametrize(("judge", "script"), [(OPENAI, ["slow"]), (ANTHROPIC, ["slow"])])
def test_while_one_process_submits_no_other_submits_and_none_takes_its_batch_for_lost(
    run: Runner, provider: Provider, judge: str, script: list[str]
) -> None:
    run.write(3)
    provider.control(script=script, slow_pause=0.005)
    first = warm.start(run.folder, run.environ, score(judge, "--batch"))
    while provider.stats()["faults"] != {"slow": 1}:
        assert first.is_alive()
        time.sleep(0.005)
    second = run(*score(judge, "--batch"))
    assert (second.returncode, second.stdout) == (2, "")
    assert "another process is submitting with the ledger judge-ledger.db; wait for its end" in second.stderr
    run("batch", "collect")
    assert (run.states(), first.is_alive()) == (["submitting"], True), "it ended too early: make slow_pause longer"
    first.join(60)
    assert (first.exitcode, run.states()) == (0, ["open"])
    assert run.json("batch", "collect")[0]["answers"] == 3
    assert run.json(*score(judge))["scored"] == 3
    assert (provider.stats()["lines"], provider.asked()) == (3, 0)


def test_a_strangers_batch_of_the_same_size_is_not_taken_for_the_lost_one(run: Runner, provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "stranger").mkdir()
    stranger = Runner(tmp_path / "stranger", provider)
    for one in (run, stranger):
        one.write(3)
    provider.control(script=["reset"])
    assert run(*score(ANTHROPIC, "--batch", "--max-retries", "0")).returncode == 2
    provider.control(batch_delay=2)
    assert stranger.json(*score(ANTHROPIC, "--batch"))["requests"] == 3
    run("batch", "collect")
    again = run.json(*score(ANTHROPIC, "--batch"))
    assert (run.states(), again["requests"], again["under_way"]) == (["submitting"], 0, 3)  # it may be ours: that shows when it has ended
    provider.control(batch_delay=0)
    assert stranger.json("batch", "collect", "--wait", "--every", "0.1")[0]["answers"] == 3
    assert "lost: it never reached the provider" in run("batch", "collect").stdout
    assert run.json(*score(ANTHROPIC, "--batch"))["requests"] == 3
    assert run.json("batch", "collect")[0]["answers"] == 3
    assert [one.json(*score(ANTHROPIC))["scored"] for one in (run, stranger)] == [3, 3]
    assert (provider.stats()["lines"], provider.stats()["duplicates"], provider.asked()) == (6, 0, 0)


@pytest.mark.parametrize("judge", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize(
    ("cap", "fit", "says"),
    [
        (["--max-requests", "2"], 2, "the 2 requests that --max-requests allows are spent"),
        (["--max-requests", "0"], 0, "the 0 requests that --max-requests allows are spent"),
        (["--budget-usd", "0"], 0, "the budget of $0 (--budget-usd) is spent"),
    ],
)
def test_a_cap_holds_for_a_submission_too(run: Runner, provider: Provider, judge: str, cap: list[str], fit: int, says: str) -> None:
    run.write(3)
    capped = run.json(*score(judge, "--batch", *cap), status=1)
    assert (capped["batches"], capped["requests"], capped["stopped"]) == (min(fit, 1), fit, says)
    told = run(*score(judge, "--batch", *cap[:1], "0"))
    assert (told.returncode, "not everything was submitted: the " in told.stdout) == (1, True)
    assert run.json(*score(judge, "--batch"))["requests"] == 3 - fit
    assert run("batch", "collect").returncode == 0
    assert (run.json(*score(judge))["scored"], provider.stats()["lines"], provider.asked()) == (3, 3, 0)


@pytest.mark.parametrize(
    ("judge", "script"),
    [
        (OPENAI, ["server_error", "cut_stream", "ok", "ok", "reset"]),
        (OPENAI, ["ok", "reset", "ok", "ok"]),
        (OPENAI, ["ok", "ok", "cut_stream"]),  # the answers break off
        (ANTHROPIC, ["rate_limit", "cut_stream", "ok", "ok", "overloaded"]),
        (ANTHROPIC, ["ok", "ok", "bad_gateway"]),
        (ANTHROPIC, ["ok", "ok", "cut_stream"]),
    ],
)
def test_a_connection_that_breaks_while_collecting_is_tried_again(run: Runner, provider: Provider, judge: str, script: list[str]) -> None:
    run.write(3)
    run(*score(judge, "--batch"))
    provider.control(script=script, retry_after=0.01)
    assert run.json("batch", "collect")[0]["answers"] == 3
    assert provider.control()["script"] == []
    assert run.json(*score(judge))["scored"] == 3
    assert (provider.stats()["lines"], provider.asked()) == (3, 0)


@pytest.mark.parametrize(
    ("judge", "script"),
    [(OPENAI, ["hang"]), (OPENAI, ["ok", "ok", "hang"]), (ANTHROPIC, ["ok", "hang"]), (ANTHROPIC, ["ok", "ok", "hang"])],
)
def test_killed_while_collecting_it_is_collected_again(run: Runner, provider: Provider, judge: str, script: list[str]) -> None:
    run.write(3)
    run(*score(judge, "--batch"))
    provider.control(script=script)
    run.killed(lambda: provider.stats()["faults"].get("hang") == 1, "batch", "collect")
    assert run.states() == ["open"]
    assert run.json("batch", "collect")[0]["answers"] == 3
    assert run.json(*score(judge))["scored"] == 3
    assert (provider.stats()["lines"], provider.asked()) == (3, 0)


@pytest.mark.parametrize("judge", [OPENAI, ANTHROPIC])
def test_killed_half_way_through_the_answers_what_is_stored_counts_once(run: Runner, provider: Provider, judge: str) -> None:
    run.write(3000)
    run(*score(judge, "--batch"))
    while provider.stats()["lines"] < 3000:
        time.sleep(0.01)
    run.killed(lambda: run.kept() > 0, "batch", "collect")
    assert (0 < run.kept() < 3000, run.states()) == (True, ["open"])
    provider.control(script=["ok", "ok", "cut_stream"])
    (cut,) = run.json("batch", "collect", status=1, JUDGE_MAX_RETRIES="0")
    assert (cut["ended"], "what was collected is kept: run the same command again" in cut["told"]) == (False, True)
    assert run.json("batch", "collect")[0]["answers"] == 3000
    assert (run.kept(), run.states()) == (3000, ["collected"])
    assert (provider.stats()["lines"], provider.asked()) == (3000, 0)


def test_malformed_answers_of_a_batch_are_asked_about_live(run: Runner, provider: Provider) -> None:
    run.write(4, turns=2)
    provider.control(wrong_schema=1, cache_min=10**9)
    run(*score(OPENAI, "--batch"))
    provider.control(wrong_schema=0)
    assert run.json("batch", "collect")[0]["answers"] == 4
    summary = run.json(*score(OPENAI))
    assert (summary["scored"], summary["spent"]["requests"], summary["spent"]["paid_before"]) == (4, 4, 4)
    assert provider.asked() == 4
    live = summary["spent"]["cost_usd"]
    total = sum(usage["cost_usd"] for usage in run.usages())
    assert [usage["requests"] for usage in run.usages()] == [2] * 4
    assert 1.2 * live < total < 1.5 * live  # the malformed one at half price; the live one is longer by what was wrong


def test_refusals_of_a_batch_fail_and_are_asked_again_by_the_next_run(run: Runner, provider: Provider) -> None:
    run.write(3)
    provider.control(refusal=1)
    run(*score(ANTHROPIC, "--batch"))
    provider.control(refusal=0)
    run("batch", "collect")
    assert run.json(*score(ANTHROPIC), status=1)["failures"] == {"refused": 3}
    assert run.json(*score(ANTHROPIC, "--batch"))["requests"] == 3
    run("batch", "collect")
    assert run.json(*score(ANTHROPIC))["scored"] == 3
    assert (provider.asked(), provider.stats()["lines"]) == (0, 6)


@pytest.mark.parametrize("judge", [OPENAI, ANTHROPIC])
def test_a_rubric_of_turns_is_asked_turn_by_turn(run: Runner, provider: Provider, judge: str) -> None:
    text = (ROOT / "judge/rubrics/collections.toml").read_text()
    (run.folder / "turns.toml").write_text(text.replace('name = "collections"', 'name = "collections"\nunit = "turn"', 1))
    run.write(2, turns=3)
    assert run.json(*score(judge, "--rubric", "turns.toml", "--batch"))["requests"] == 2 * (3 + 1)
    assert run.json("batch", "collect")[0]["answers"] == 8
    assert run.json(*score(judge, "--rubric", "turns.toml"))["scored"] == 2
    assert (provider.asked(), provider.stats()["lines"]) == (0, 8)
    rewards = (run.folder / "in.rewards.jsonl").read_bytes()
    assert run(*score(judge, "--rubric", "turns.toml", "--ledger", "live.db")).returncode == 0
    assert (run.folder / "in.rewards.jsonl").read_bytes() == rewards
    assert provider.asked() == 8


@pytest.mark.parametrize("judge", [OPENAI, ANTHROPIC])
def test_repeats_are_as_many_different_requests(run: Runner, provider: Provider, judge: str) -> None:
    run.write(2)
    provider.control(keep_bodies=True, noise=1)
    assert run.json(*score(judge, "--batch", "--repeats", "3"))["requests"] == 6
    assert len({json.dumps(body) for body in provider.stats()["last"]}) == 6
    assert run.json("batch", "collect")[0]["answers"] == 6
    summary = run.json(*score(judge, "--repeats", "3"))
    assert (summary["scored"], summary["spent"]["paid_before"], provider.asked()) == (2, 6, 0)
    record = json.loads((run.folder / "in.rewards.jsonl").read_text().splitlines()[0])
    assert any(rating["spread"] for rating in record["turns"][0]["ratings"].values())  # the three answers differ
    assert run.json(*score(judge, "--batch", "--repeats", "4"))["requests"] == 2


def test_a_panel_has_a_batch_at_each_provider(run: Runner, provider: Provider) -> None:
    run.write(3)
    (run.folder / "panel.toml").write_text(f'[[member]]\njudge = "{OPENAI}"\n[[member]]\njudge = "{ANTHROPIC}"\n')
    assert run.json(*score("panel:panel.toml", "--batch"))["batches"] == 2
    assert sorted((one["judge"], one["answers"]) for one in run.json("batch", "collect")) == [(ANTHROPIC, 3), (OPENAI, 3)]
    summary = run.json(*score("panel:panel.toml"))
    assert (summary["scored"], summary["spent"]["paid_before"]) == (3, 6)
    assert run.json(*score(OPENAI))["scored"] == 3  # its members' verdicts are theirs as well
    assert (provider.asked(), provider.stats()["lines"]) == (0, 6)


def test_a_panel_of_which_one_provider_does_not_take_its_batch_is_submitted_to_the_end_later(run: Runner, provider: Provider) -> None:
    run.write(3)
    (run.folder / "panel.toml").write_text(f'[[member]]\njudge = "{OPENAI}"\n[[member]]\njudge = "{ANTHROPIC}"\n')
    provider.control(key="key-of-openai")
    refused = run(*score("panel:panel.toml", "--batch"))
    assert refused.returncode == 2
    assert "anthropic:claude-sonnet-5-5 did not take a batch of 3 requests: status 401" in refused.stderr
    provider.control(key="")
    rest = run.json(*score("panel:panel.toml", "--batch"))
    assert (rest["batches"], rest["requests"], rest["rated"], rest["under_way"]) == (1, 3, 0, 3)
    run("batch", "collect")
    assert run.json(*score("panel:panel.toml"))["scored"] == 3
    assert (provider.asked(), provider.stats()["lines"]) == (0, 6)


def test_identical_dialogues_are_asked_once_and_what_cannot_be_asked_is_counted(run: Runner, provider: Provider) -> None:
    run.write(2)
    first = json.loads((run.folder / "in.jsonl").read_text().splitlines()[0])
    more = [{**first, "id": "twin"}, {"id": "long", "turns": [{"role": "agent", "text": "word " * 60_000}]}, {"id": "none", "turns": []}]
    with (run.folder / "in.jsonl").open("a") as stream:
        stream.writelines(json.dumps(dialogue) + "\n" for dialogue in more)
    told = run(*score(OPENAI, "--batch"))
    assert told.returncode == 0
    assert "2 requests submitted in 1 batches" in told.stdout
    assert "1 dialogues are too long for a request, 1 were rejected" in told.stdout
    run("batch", "collect")
    summary = run.json(*score(OPENAI), status=1)
    assert (summary["scored"], summary["failures"], summary["rejected"]) == (3, {"too_long": 1}, 1)
    assert (provider.asked(), provider.stats()["lines"]) == (0, 2)


def test_where_no_judge_is_needed_nothing_is_submitted(run: Runner, provider: Provider) -> None:
    run.write(2)
    assert run.json(*score(OPENAI, "--batch", "--recipe", "outcome"))["requests"] == 0
    assert provider.stats()["requests"]["total"] == 0


@pytest.mark.parametrize(
    ("judge", "named"),
    [("local", "local/"), ("openai-decisions:gpt-6-luna", "openai-decisions/gpt-6-luna"), ("panel:panel.toml", "local/")],
)
def test_a_judge_without_a_batch_api_is_refused(run: Runner, provider: Provider, judge: str, named: str) -> None:
    run.write(2)
    (run.folder / "panel.toml").write_text(f'[[member]]\njudge = "{OPENAI}"\n[[member]]\njudge = "local"\n')
    refused = run(*score(judge, "--batch"))
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"--batch: {named}" in refused.stderr
    assert "has no Batch API; leave --batch out" in refused.stderr
    assert provider.stats()["requests"]["total"] == 0


def test_a_recording_is_not_submitted(run: Runner, provider: Provider) -> None:
    run.write(2)
    assert run(*score(OPENAI, "--record", "calls.jsonl")).returncode == 0
    refused = run(*score("replay:calls.jsonl", "--batch", "--ledger", "other.db"))
    assert (refused.returncode, "has no Batch API" in refused.stderr) == (2, True)
    assert "POST /v1/batches" not in provider.stats()["requests"]


def test_what_a_batch_has_answered_is_recorded_by_the_run_that_rates_it(run: Runner, provider: Provider) -> None:
    run.write(2)
    run(*score(ANTHROPIC, "--batch"))
    run("batch", "collect")
    assert run.json(*score(ANTHROPIC, "--record", "calls.jsonl"))["scored"] == 2
    rewards = (run.folder / "in.rewards.jsonl").read_bytes()
    assert run.json(*score("replay:calls.jsonl", "--ledger", "other.db"))["scored"] == 2
    assert (run.folder / "in.rewards.jsonl").read_bytes() == rewards
    assert provider.asked() == 0


@pytest.mark.parametrize("verb", ["status", "collect", "cancel"])
def test_without_a_ledger_there_is_no_batch_to_ask_for(run: Runner, verb: str) -> None:
    refused = run("batch", verb, "--ledger", "elsewhere.db")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "no ledger elsewhere.db" in refused.stderr
    assert not (run.folder / "elsewhere.db").exists()


def test_a_ledger_of_another_name_is_found_by_option_variable_and_file(run: Runner, provider: Provider) -> None:
    run.write(2)
    run(*score(OPENAI, "--batch", "--ledger", "mine.db"))
    assert len(run.json("batch", "status", "--ledger", "mine.db")) == 1
    assert len(run.json("batch", "status", JUDGE_LEDGER="mine.db")) == 1
    (run.folder / "judge.toml").write_text('ledger = "mine.db"\n')
    assert run.json("batch", "collect")[0]["answers"] == 2


@pytest.mark.parametrize("judge", [OPENAI, CHAT, ANTHROPIC])
def test_a_wrong_key_is_told_and_costs_nothing(run: Runner, provider: Provider, judge: str) -> None:
    run.write(2)
    provider.control(key="another-key-than-ours")
    refused = run(*score(judge, "--batch"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{judge} did not take a batch of 2 requests: status 401" in refused.stderr
    assert "check the key" in refused.stderr and "key-of-" not in refused.stderr
    provider.control(key="")
    assert run.json(*score(judge, "--batch"))["requests"] == 2
    provider.control(key="another-key-than-ours")
    for verb in ("status", "collect", "cancel"):
        refused = run("batch", verb)
        assert (refused.returncode, "status 401" in refused.stdout, "key-of-" in refused.stdout + refused.stderr) == (1, True, False)
    provider.control(key="")
    assert run.json("batch", "collect")[0]["answers"] == 2
    assert run.json(*score(judge))["scored"] == 2
    assert (provider.stats()["lines"], provider.asked()) == (2, 0)


@pytest.mark.parametrize(("judge", "variable"), [(OPENAI, "OPENAI_API_KEY"), (ANTHROPIC, "ANTHROPIC_API_KEY")])
def test_a_missing_key_is_told_before_anything_is_stored(run: Runner, judge: str, variable: str) -> None:
    run.write(2)
    refused = run(*score(judge, "--batch"), **{variable: ""})
    assert (refused.returncode, f"no key: set {variable}" in refused.stderr) == (2, True)
    assert run.states() == []
    run(*score(judge, "--batch"))
    refused = run("batch", "collect", **{variable: ""})
    assert (refused.returncode, f"no key: set {variable}" in refused.stdout) == (1, True)
    assert run.json("batch", "collect")[0]["answers"] == 2


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "JUDGE_MAX_RETRIES": "0"}, "the connection failed"),
        ({"ANTHROPIC_API_KEY": ""}, "no key: set ANTHROPIC_API_KEY"),
    ],
)
def test_the_problem_of_one_provider_is_told_with_its_batch_and_the_others_go_on(run: Runner, environ: dict[str, str], says: str) -> None:
    run.write(2)
    for judge in (ANTHROPIC, OPENAI):
        run(*score(judge, "--batch"))
    stands = run.json("batch", "status", status=1, **environ)
    assert [(one["judge"], one["ended"], says in one["told"]) for one in stands] == [(ANTHROPIC, False, True), (OPENAI, True, False)]
    collected = run.json("batch", "collect", status=1, **environ)
    assert [(one["judge"], one["answers"], says in one["told"]) for one in collected] == [(ANTHROPIC, 0, True), (OPENAI, 2, False)]
    assert [(one["judge"], says in one["told"]) for one in run.json("batch", "cancel", status=1, **environ)] == [(ANTHROPIC, True)]
    assert [(one["judge"], one["answers"]) for one in run.json("batch", "collect")] == [(ANTHROPIC, 2)]


@pytest.mark.parametrize("judge", [OPENAI, ANTHROPIC])
def test_a_batch_that_the_provider_knows_no_more_is_told_until_it_is_forgotten_and_asked_again(
    run: Runner, provider: Provider, judge: str
) -> None:
    run.write(2)
    run(*score(judge, "--batch"))
    sqlite3.connect(run.folder / "judge-ledger.db", isolation_level=None).execute("update batches set remote = 'batch_of_yesterday'")
    for verb in ("status", "collect", "cancel"):
        (stands,) = run.json("batch", verb, status=1)
        assert (stands["ended"], "status 404" in stands["told"], run.states()) == (False, True, ["open"])
    assert run.json(*score(judge), status=1)["failures"] == {"pending": 2}
    unknown = run("batch", "forget", stands["name"][:-1])
    assert (unknown.returncode, f"did you mean {stands['name']!r}?" in unknown.stderr, run.states()) == (2, True, ["open"])
    assert run("batch", "forget", stands["name"]).stdout == f"{stands['name']} is forgotten\n"
    assert run.states() == ["forgotten"]
    assert run("batch", "forget", stands["name"]).returncode == 2
    assert run.json(*score(judge, "--batch"))["requests"] == 2
    assert run.json("batch", "collect")[0]["answers"] == 2
    assert run.json(*score(judge))["scored"] == 2
    assert provider.asked() == 0


def test_asking_after_batches_goes_by_the_settings(run: Runner, provider: Provider) -> None:
    run.write(2)
    run(*score(OPENAI, "--batch"))
    for retries in ("0", "2"):
        provider.control(script=["rate_limit"] * 9, retry_after=0.0)
        before = provider.stats()["requests"]["total"]
        assert run("batch", "status", JUDGE_MAX_RETRIES=retries).returncode == 1
        assert provider.stats()["requests"]["total"] - before == 1 + int(retries)
    provider.control(script=[])
    assert run.json("batch", "collect")[0]["answers"] == 2


@pytest.mark.parametrize(("judge", "variable"), [(OPENAI, "OPENAI_BASE_URL"), (ANTHROPIC, "ANTHROPIC_BASE_URL")])
def test_a_provider_that_is_down_loses_nothing(run: Runner, provider: Provider, judge: str, variable: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        run.write(2)
        down = run(*score(judge, "--batch", "--max-retries", "0"), **{variable: nowhere})
        assert (down.returncode, "did not take a batch of 2 requests: the connection failed" in down.stderr) == (2, True)
        before = provider.batches()
        assert run.json(*score(judge, "--batch"))["requests"] == 2
        assert len(provider.batches()) == len(before) + 1
        assert run.json("batch", "collect")[0]["answers"] == 2
        assert run.json(*score(judge))["scored"] == 2
        assert (provider.stats()["lines"], provider.asked()) == (2, 0)


def test_the_installed_command_does_the_same(run: Runner, provider: Provider) -> None:
    """All else here is run by processes forked from a warm one; this is the command as it is installed."""
    run.write(2)
    judge = Path(sys.executable).parent / "judge"

    def installed(*args: str) -> int:
        return subprocess.run([judge, *args], cwd=run.folder, env=run.environ, capture_output=True, timeout=60).returncode

    assert [installed(*args) for args in (score(OPENAI, "--batch"), ["batch", "collect"], score(OPENAI))] == [0, 0, 0]
    assert (provider.asked(), provider.stats()["lines"]) == (0, 2)


@pytest.mark.parametrize("verb", [["collect"], ["collect", "--wait", "--every", "0.2"], ["cancel"]])
def test_a_batch_of_unknown_arrival_is_told_and_waited_for(run: Runner, provider: Provider, verb: list[str]) -> None:
    run.write(3)
    provider.control(script=["cut_stream"], batch_delay=4)
    assert run(*score(ANTHROPIC, "--batch", "--max-retries", "0")).returncode == 2
    done = run("batch", *verb)
    if "--wait" in verb:
        assert (done.returncode, run.states()) == (0, ["collected"])
    else:
        assert (done.returncode, "no batch is open" in done.stdout, run.states()) == (1, False, ["submitting"])
