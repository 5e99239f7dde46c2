"""`judge golden accept` as a process: what is refused and then not written, what changes is printed, a killed run goes on."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from golden_set.baseline import Baseline
from tests import warm
from tests.provider import Provider

Json = dict[str, Any]
Golden = Callable[..., CompletedProcess[str]]
BASELINE = Path("golden_set/baselines/collections.openai.json")
EMBEDDED = BASELINE.with_name("collections.local.json")
OPENAI = ("accept", "--judge", "openai:model-1", "--cases", "few.jsonl")


def read(folder: Path, name: Path = BASELINE) -> Baseline:
    return Baseline.model_validate_json((folder / name).read_bytes())


def test_ten_runs_are_pooled_and_written_with_who_and_why(golden: Golden, folder: Path) -> None:
    args = ("accept", "--cases", "cases.jsonl", "--by", "Ada", "--note", "first one", "--day", "2026-03-01")
    done = golden(*args)
    assert done.returncode == 0, done.stderr
    assert "30 golden cases, 10 runs" in done.stdout
    assert "the first baseline: there is none to compare with" in done.stdout
    assert f"written: {EMBEDDED}; read it as a diff, and commit it" in done.stdout
    found = read(folder, EMBEDDED)
    assert (found.runs, found.accepted_by, found.note, str(found.accepted_on), len(found.cases)) == (
        10,
        "Ada",
        "first one",
        "2026-03-01",
        30,
    )
    assert {case.runs for case in found.cases.values()} == {10}
    text = (folder / EMBEDDED).read_text()
    told = json.loads(golden(*args, "--json").stdout)
    assert (told["baseline"], told["runs"], [row["decision"] for row in told["changes"]]) == (str(EMBEDDED), 10, ["PASS"] * 7)
    assert (folder / EMBEDDED).read_text() == text  # the same again
    assert [path.name for path in (folder / EMBEDDED).parent.iterdir()] == [EMBEDDED.name]
    golden(*args, "--baseline", "elsewhere/b.json")
    assert read(folder, Path("elsewhere/b.json")) == found


@pytest.mark.parametrize("runs", ["9", "0"])
def test_fewer_than_ten_runs_are_refused(golden: Golden, folder: Path, provider: Provider, runs: str) -> None:
    done = golden(*OPENAI, "--runs", runs, **provider.environ)
    assert (done.returncode, "Invalid value for '--runs': Input should be greater than or equal to 10" in done.stderr) == (2, True)
    assert (provider.asked(), (folder / BASELINE).exists()) == (0, False)


def test_a_file_that_is_no_baseline_is_refused_before_anything_is_asked(golden: Golden, folder: Path, provider: Provider) -> None:
    (folder / BASELINE).parent.mkdir(parents=True)
    (folder / BASELINE).write_text("{}")
    done = golden(*OPENAI, **provider.environ)
    assert (done.returncode, "collections.openai.json is no baseline" in done.stderr, provider.asked()) == (2, True, 0)


@pytest.mark.parametrize(
    ("settings", "status", "says"),
    [
        ({"script": ["refusal", "empty"]}, 1, "2 of 40 answers were not what the rubric asks for"),
        ({"script": ["refusal"]}, 1, "1 of 40 answers were not what the rubric asks for"),  # of 40 not even one may be none
        ({"script": ["ok", "wrong_model"]}, 1, "1 answers came from another model"),
        ({"server_error": 1.0}, 4, "the judge did not answer often enough"),
    ],
)
def test_a_judge_that_is_not_fit_is_refused_and_nothing_is_written(
    golden: Golden, folder: Path, provider: Provider, settings: Json, status: int, says: str
) -> None:
    (folder / BASELINE).parent.mkdir(parents=True)
    (folder / "few.jsonl").write_text("".join((folder / "few.jsonl").read_text().splitlines(keepends=True)[:4]))
    provider.set(**settings)
    done = golden(*OPENAI, JUDGE_CONCURRENCY="1", JUDGE_MAX_RETRIES="0", **provider.environ)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr
    assert done.stderr.startswith("judge: not accepted: ") and "accepted" not in done.stdout
    assert list((folder / BASELINE).parent.iterdir()) == []


def test_a_name_that_means_another_model_is_refused_and_nothing_is_written(golden: Golden, folder: Path, provider: Provider) -> None:
    provider.set(wrong_model=1.0)
    done = golden(*OPENAI, **provider.environ)
    assert "openai answers as 'someone-else-1', not as 'model-1'" in done.stderr
    assert not (folder / BASELINE).exists()
    assert done.returncode == 1


def test_what_changes_is_printed_with_the_cases_and_a_refusal_leaves_the_old_file(golden: Golden, folder: Path, provider: Provider) -> None:
    assert golden(*OPENAI, "--by", "Ada", "--day", "2026-03-01", **provider.environ).returncode == 0
    old = (folder / BASELINE).read_text()
    provider.set(server_error=1.0)
    assert golden(*OPENAI, "--day", "2026-03-02", JUDGE_MAX_RETRIES="0", **provider.environ).returncode == 4
    assert (folder / BASELINE).read_text() == old
    provider.set(server_error=0.0, seed=5)
    lines = (folder / "few.jsonl").read_text().splitlines()
    more = (folder / "cases.jsonl").read_text().splitlines()[-1]
    (folder / "few.jsonl").write_text("\n".join([*lines[1:], more]) + "\n")
    done = golden(*OPENAI, "--by", "Ben", "--day", "2026-03-03", **provider.environ)
    assert done.returncode == 0, done.stderr
    assert "before: 2026-03-01 by Ada, the same judge; 1 cases new, 1 gone" in done.stdout
    told = done.stdout.splitlines()
    verdicts = {word for line in told for word in ("moved", "may have moved", "as before") if f" {word}: " in line and "margin" in line}
    assert verdicts & {"moved", "may have moved"}
    named = [line.split()[0] for line in told if line.startswith("    k")]
    assert named and set(named) <= {json.loads(line)["id"] for line in lines[1:]}
    assert (read(folder).accepted_by, len(read(folder).cases)) == ("Ben", 12)


def test_killed_in_the_middle_the_same_command_goes_on_without_asking_again(golden: Golden, folder: Path, provider: Provider) -> None:
    provider.set(latency=0.03)
    environ = {"PATH": os.environ["PATH"], "JUDGE_CONCURRENCY": "4"} | provider.environ
    args = [*OPENAI, "--day", "2026-03-01"]
    process = warm.start(folder, environ, ["golden", *args])
    deadline = time.monotonic() + 60
    while provider.stats()["answered"] < 50:
        assert process.exitcode is None and time.monotonic() < deadline
        time.sleep(0.005)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    assert (process.exitcode, (folder / BASELINE).exists()) == (-signal.SIGKILL, False)
    provider.set(latency=0.0)
    done = golden(*args, **environ)
    assert done.returncode == 0, done.stderr
    stats = provider.stats()
    assert stats["requests"]["total"] <= 120 + 4  # what was in flight
    assert (len(read(folder).cases), read(folder).runs) == (12, 10)
    asked = provider.asked()
    assert golden("check", *OPENAI[1:], "--gate", "regression", "--day", "2026-03-01", **environ).returncode == 0
    assert provider.asked() == asked + 12  # a baseline is no evidence for itself: the check asks anew
