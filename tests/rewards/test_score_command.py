"""`judge score` as a real process: files, statuses, kills, company, memory."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import warm

COMMAND = Path(sys.executable).parent / "judge"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def judge(judge: Run, tmp_path: Path) -> Run:
    """Run `judge ARGS…` in an empty folder, by a warm process where nothing is piped into it."""

    def run(*args: str | Path, stdin: str | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        if stdin is not None:
            return judge(*args, stdin=stdin, **environ)
        return warm.run(tmp_path, {"PATH": os.environ["PATH"]} | environ, list(map(str, args)))

    return run


@pytest.fixture
def example(root: Path) -> Path:
    return root / "examples/collections.jsonl"


def many(count: int, words: int = 8) -> str:
    """Return `count` different dialogues as native JSONL."""
    lines = []
    for k in range(count):
        turns = [
            {"role": "agent", "text": f"Hello, this is about account {k}. " + "please " * words},
            {"role": "user", "text": f"I can only do ${20 + k % 70} a month since I lost my job."},
            {
                "role": "agent",
                "text": f"${20 + k % 70} a month works, I'll email it on the {1 + k % 28}th."
                if k % 2
                else f"I need the full ${k + 500} today.",
            },
        ]
        lines.append(json.dumps({"id": f"d{k}", "turns": turns, "outcome": "HANGUP"}))
    return "\n".join(lines) + "\n"


def test_scores_the_example(judge: Run, example: Path, tmp_path: Path) -> None:
    done = judge("score", example)
    assert done.returncode == 0
    assert "Worst handled" in done.stdout and "Best handled" in done.stdout
    assert "12 scored, 0 failed, 0 rejected -> collections.rewards.jsonl" in done.stdout
    records = [json.loads(line) for line in (tmp_path / "collections.rewards.jsonl").read_text().splitlines()]
    assert [record["id"] for record in records] == [json.loads(line)["id"] for line in example.read_text().splitlines()]
    assert set(records[0]) == {
        "id",
        "judge",
        "rubric",
        "recipe",
        "outcomes",
        "calibration",
        "outcome",
        "status",
        "turns",
        "episode",
        "cleared",
    }
    assert set(records[0]["turns"][0]["ratings"]["acknowledges"]) == {"value", "spread", "reason", "quote"}
    assert not (tmp_path / "collections.rewards.jsonl.rejects.jsonl").exists()
    assert not list(tmp_path.glob(".*part"))


def test_two_runs_give_the_same_bytes_and_the_second_rates_nothing(judge: Run, example: Path, tmp_path: Path) -> None:
    out = tmp_path / "collections.rewards.jsonl"
    judge("score", example)
    first, at = out.read_bytes(), sqlite3.connect(tmp_path / "judge-ledger.db").execute("select * from verdicts").fetchall()
    assert judge("score", example).returncode == 0
    assert out.read_bytes() == first
    assert sqlite3.connect(tmp_path / "judge-ledger.db").execute("select * from verdicts").fetchall() == at
    assert judge("score", example, "--ledger", "fresh.db").returncode == 0
    assert out.read_bytes() == first


def test_bad_input_is_told_kept_and_counted_and_the_rest_is_scored(judge: Run, example: Path, tmp_path: Path) -> None:
    good = example.read_text().splitlines()[0]
    lines = [
        good,
        "{broken",
        good,  # a duplicate id
        '{"id": "empty", "turns": []}',
        '{"id": "mute", "turns": [{"role": "user", "text": "hi"}]}',
        '{"id": "who", "turns": [{"role": "bot", "text": "hi"}]}',
        '{"id": "end", "turns": [{"role": "agent", "text": "hi"}], "outcome": "HANGUPP"}',
        '{"id": "high", "turns": [{"role": "agent", "text": "hi"}], "outcome": 17}',
        '{"id": "slip", "turns": [{"role": "agent", "text": "hi", "signals": ["COMPLIANCE_VIOLATON"]}]}',
        "[" * 50_000,
        '{"id": "fine", "turns": [{"role": "agent", "text": "hi"}]}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    done = judge("score", "in.jsonl")
    assert done.returncode == 1
    assert "2 scored, 0 failed, 9 rejected" in done.stdout
    assert "1 without an outcome" in done.stderr
    rejects = [json.loads(line) for line in (tmp_path / "in.rewards.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == list(range(2, 11))
    assert [reject["raw"] for reject in rejects] == lines[1:10]  # nothing is lost
    told = {reject["line"]: f"{reject['reason']}; expected {reject['expected']}" for reject in rejects}
    assert "duplicate id 'call-1001', first at in.jsonl:1" in told[3]
    assert "one of user, agent, system, tool" in told[6]
    assert "unknown outcome 'HANGUPP' (did you mean 'HANGUP'?)" in told[7]
    assert "off the scale; expected 0 to 1" in told[8]
    assert "'COMPLIANCE_VIOLATION'" in told[9]
    # mended, the same command leaves no rejects file behind
    (tmp_path / "in.jsonl").write_text(good + "\n")
    assert judge("score", "in.jsonl").returncode == 0
    assert not (tmp_path / "in.rewards.jsonl.rejects.jsonl").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["score"], "Missing argument"),
        (["score", "nowhere.jsonl"], "cannot read nowhere.jsonl: no such file"),
        (["score", "."], "it is a folder"),
        (["score", "{example}", "--rubric", "collection"], "did you mean 'collections'?"),
        (["score", "{example}", "--recipe", "blended"], "did you mean 'blend'?"),
        (["score", "{example}", "--outcomes", "colections"], "did you mean 'collections'?"),
        (["score", "{example}", "--judge", "locl"], "did you mean 'local'?"),
        (["score", "{example}", "--format", "nativ"], "did you mean 'native'?"),
        (["score", "{example}", "--limit", "0"], "greater than or equal to 1"),
        (["score", "{example}", "--out", "no/such/folder/r.jsonl"], "cannot write no/such/folder/r.jsonl"),
        (["score", "{example}", "--out", "."], "it is a folder"),
        (["score", "{example}", "--out", "{example}"], "is one of the transcripts"),
    ],
)
def test_wrong_usage_is_one_clear_message_and_status_2(judge: Run, example: Path, args: list[str], says: str) -> None:
    before = example.read_bytes()
    done = judge(*(arg.replace("{example}", str(example)) for arg in args))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert example.read_bytes() == before


def test_no_file_is_written_over_another(judge: Run, example: Path, tmp_path: Path) -> None:
    """A slip of the command line must not cost a transcript or a verdict that was paid for."""
    text = example.read_text()
    for name in ("in.jsonl", "in.rejects.jsonl"):
        (tmp_path / name).write_text(text)
    assert judge("score", "in.jsonl", "--ledger", "led.db").returncode == 0
    ledger = (tmp_path / "led.db").read_bytes()
    for args, says in (
        (["in.rejects.jsonl", "--out", "in"], "the rejects file in.rejects.jsonl is one of the transcripts"),
        (["in.jsonl", "--out", "led.db", "--ledger", "led.db"], "--out led.db is the ledger"),
        (["in.jsonl", "--out", "led.db-wal", "--ledger", "led.db"], "--out led.db-wal is the ledger"),
        (["in.jsonl", "--out", "led", "--ledger", "led.rejects.jsonl"], "the rejects file led.rejects.jsonl is the ledger"),
        (["in.jsonl", "--ledger", "in.jsonl"], "in.jsonl is the ledger, not a file of transcripts"),
    ):
        done = judge("score", *args)
        assert done.returncode == 2, args
        assert says in done.stderr
    assert (tmp_path / "in.jsonl").read_text() == (tmp_path / "in.rejects.jsonl").read_text() == text
    assert (tmp_path / "led.db").read_bytes() == ledger


def test_a_run_that_scores_nothing_leaves_yesterdays_rewards(judge: Run, example: Path, tmp_path: Path) -> None:
    judge("score", example, "--out", "r.jsonl")
    before = (tmp_path / "r.jsonl").read_bytes()
    (tmp_path / "empty.jsonl").write_text("")
    assert judge("score", "empty.jsonl", "--out", "r.jsonl").returncode == 1
    assert (tmp_path / "r.jsonl").read_bytes() == before


def test_a_reader_that_goes_away_ends_the_run_quietly(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(many(3000))
    command = f"'{COMMAND}' score in.jsonl --out - | head -1 > first; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (141, "")
    assert json.loads((tmp_path / "first").read_text())["id"] == "d0"


def test_a_reader_of_the_table_that_goes_away_leaves_the_rewards_whole(example: Path, tmp_path: Path) -> None:
    command = f"'{COMMAND}' score '{example}' | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (141, "")
    assert len((tmp_path / "collections.rewards.jsonl").read_text().splitlines()) == 12


def test_a_full_disk_is_told_without_a_traceback(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(many(200))
    done = judge("score", "in.jsonl", "--out", "/dev/full")
    assert done.returncode == 2
    assert "cannot write /dev/full: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_logged_violation_says_so_in_record_table_and_explanation(judge: Run, example: Path, tmp_path: Path) -> None:
    done = judge("score", example)
    records = {record["id"]: record for record in map(json.loads, (tmp_path / "collections.rewards.jsonl").read_text().splitlines())}
    assert records["call-1004"]["violation"] == {"turn": 0, "kind": "signal", "name": "COMPLIANCE_VIOLATION"}
    assert records["call-1002"]["violation"] == {"turn": 4, "kind": "rating", "name": "compliance"}
    assert "violation" not in records["call-1001"]
    assert "logged signal COMPLIANCE_VIOLATION" in done.stdout
    explained = judge("explain", "collections.rewards.jsonl", "call-1004").stdout
    assert "violation on turn 0: logged signal COMPLIANCE_VIOLATION" in explained


def test_stdin_stdout_limit_and_json(judge: Run, example: Path, tmp_path: Path) -> None:
    done = judge("score", "-", "--out", "-", "--limit", "3", "--json", stdin=example.read_text())
    assert done.returncode == 0
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["call-1001", "call-1002", "call-1003"]
    summary = json.loads(done.stderr)  # and nothing but JSON
    assert summary["scored"] == 3
    plain = judge("score", example, "--json")
    assert json.loads(plain.stdout)["by_outcome"]["HANGUP"]["dialogues"] == 2


def test_several_files_and_gzip(judge: Run, example: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(many(3).encode(), mtime=0))
    done = judge("score", "a.jsonl.gz", example, "--out", "both.jsonl")
    assert done.returncode == 0
    assert len((tmp_path / "both.jsonl").read_text().splitlines()) == 15


def test_a_pipe_is_read_like_a_file(judge: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    writer = subprocess.Popen([sys.executable, "-c", f"open('pipe.jsonl', 'w').write({many(3)!r})"], cwd=tmp_path)
    done = judge("score", "pipe.jsonl")
    assert (done.returncode, writer.wait(30)) == (0, 0)
    assert "3 scored" in done.stdout


def test_an_empty_file_is_said_to_be_empty(judge: Run, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    done = judge("score", "none.jsonl")
    assert (done.returncode, "the input holds no dialogue" in done.stderr) == (1, True)
    assert (tmp_path / "none.rewards.jsonl").read_text() == ""


def test_settings_come_from_file_environment_and_command_line(judge: Run, example: Path, tmp_path: Path) -> None:
    (tmp_path / "judge.toml").write_text('recipe = "outcome"\n')

    def recipe(*args: str, **environ: str) -> str:
        assert judge("score", example, *args, **environ).returncode == 0
        return str(json.loads((tmp_path / "collections.rewards.jsonl").read_text().splitlines()[0])["recipe"]).split("@")[0]

    assert recipe() == "outcome"
    assert recipe(JUDGE_RECIPE="rlaif") == "rlaif"
    assert recipe("--recipe", "blend", JUDGE_RECIPE="rlaif") == "blend"
    (tmp_path / "judge.toml").write_text('rubrik = "sales"\n')
    done = judge("score", example)
    assert done.returncode == 2
    assert "judge.toml:1: unknown key 'rubrik' (did you mean 'rubric'?)" in done.stderr


def test_transcripts_cannot_steer_the_terminal(judge: Run, tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07 \u202egnitar\u2066 Pay now or the sheriff comes"
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": evil, "turns": [{"role": "agent", "text": evil}], "outcome": evil}) + "\n")
    done = judge("score", "in.jsonl")
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": evil, "turns": [{"role": "agent", "text": evil}]}) + "\n")
    again = judge("score", "in.jsonl")
    explained = judge("explain", "in.rewards.jsonl", evil)
    for text in (done.stdout, done.stderr, again.stdout, again.stderr, explained.stdout):
        assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text


def test_killed_at_any_moment_the_next_run_ends_with_the_same_file(judge: Run, tmp_path: Path) -> None:
    """Law 7: kill -9 three times at different moments; then one run to the end gives the bytes of an undisturbed run."""
    (tmp_path / "in.jsonl").write_text(many(2000))
    ledger, out = tmp_path / "judge-ledger.db", tmp_path / "in.rewards.jsonl"
    known = 0
    for wanted in (1, 400, 900):
        process = subprocess.Popen([COMMAND, "score", "in.jsonl"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while stored(ledger) < wanted and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it could be killed: make the input longer"
        assert not out.exists()
        assert stored(ledger) >= max(known, wanted)
        known = stored(ledger)
    assert judge("score", "in.jsonl").returncode == 0
    assert stored(ledger) == 2000
    killed = out.read_bytes()
    assert judge("score", "in.jsonl", "--ledger", "clean.db", "--out", "clean.jsonl").returncode == 0
    assert (tmp_path / "clean.jsonl").read_bytes() == killed
    assert not list(tmp_path.glob(".*.part"))


def stored(ledger: Path) -> int:
    try:
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as connection:
            return int(connection.execute("select count(*) from verdicts").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_ctrl_c_keeps_what_was_rated(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(many(6000))
    process = subprocess.Popen([COMMAND, "score", "in.jsonl"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while stored(tmp_path / "judge-ledger.db") < 200:
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in stderr
    assert "Traceback" not in stderr
    assert not (tmp_path / "in.rewards.jsonl").exists() and not list(tmp_path.glob(".*.part"))


def test_two_processes_on_one_ledger(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(many(600))
    both = [
        subprocess.Popen([COMMAND, "score", "in.jsonl", "--out", f"{k}.jsonl"], cwd=tmp_path, stdout=subprocess.DEVNULL) for k in (1, 2)
    ]
    assert [process.wait(120) for process in both] == [0, 0]
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert sqlite3.connect(tmp_path / "judge-ledger.db").execute("pragma integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_job_or_a_closed_terminal_ends_as_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    (tmp_path / "in.jsonl").write_text(many(6000))
    process = subprocess.Popen([COMMAND, "score", "in.jsonl"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while stored(tmp_path / "judge-ledger.db") < 200:
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(stop)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in stderr) == (130, False)
    assert not list(tmp_path.glob(".*.part"))


# By a small process between: a child's peak counts what its parent held when it was forked, and the tests hold much.
PEAK = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="ru_maxrss is in bytes there")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """The fast form of the 200,000 dialogues in benchmarks/: four times the input, the same peak (to 8 MB)."""
    peaks = []
    for count in (1000, 4000):
        (tmp_path / f"{count}.jsonl").write_text(many(count, words=40))
        command = [sys.executable, "-c", PEAK, COMMAND, "score", f"{count}.jsonl", "--ledger", f"{count}.db"]
        peaks.append(int(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout) / 1024)
    assert peaks[1] < peaks[0] + 8, peaks
    assert peaks[1] < 400
