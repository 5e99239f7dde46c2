"""`judge simulate` as a process: the same seed gives the same bytes, `judge score` takes them, and wrong arguments are told in one line."""

import json
import os
from collections import Counter
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from dialogue.errors import UsageProblem
from policies.options import typed
from tests import warm

KNOWN = "known: uniform, script, constant:ACTION, FILE.json"
OPTIONS = "it has personas, handling, extras"
NOBODY = "give a persona .toml file or a folder of them, or leave it out for the shipped ones"
INSTALLED = "installed: debt_call, sales_call; or gym:ID for one that Gymnasium knows"
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("JUDGE_")}


def judge(folder: Path, *args: str) -> CompletedProcess[str]:
    return warm.run(folder, ENVIRON, list(args))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name, seed in (("one", "4"), ("two", "4"), ("three", "5")):
        run = judge(tmp_path, "simulate", "--policy", "script", "--floor", "0.1", "--n", "30", "--seed", seed, "--out", f"{name}.jsonl")
        assert (run.returncode, run.stderr) == (0, "")
        files.append((tmp_path / f"{name}.jsonl").read_bytes())
    assert files[0] == files[1]
    ids = [{json.loads(line)["id"] for line in file.splitlines()} for file in files]
    assert len(ids[0]) == 30 and not ids[0] & ids[2]
    assert "debt_call-script+0.1-4-29" in ids[0]


@pytest.mark.parametrize(("env", "rubric"), [("debt_call", "collections"), ("sales_call", "sales")])
def test_judge_score_takes_the_file(tmp_path: Path, env: str, rubric: str) -> None:
    assert judge(tmp_path, "simulate", "--env", env, "--n", "25", "--seed", "1").returncode == 0
    run = judge(tmp_path, "score", f"{env}.jsonl", "--rubric", rubric, "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["scored"], told["failed"], told["rejected"]) == (25, 0, 0)
    records = [json.loads(line) for line in (tmp_path / f"{env}.rewards.jsonl").read_text().splitlines()]
    assert len(records) == 25 and all(turn["action"] and turn["state"] for record in records for turn in record["turns"])


def test_the_summary_counts_what_the_file_holds(tmp_path: Path) -> None:
    run = judge(tmp_path, "simulate", "--policy", "script", "--n", "60", "--seed", "2", "--out", "calls.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    counts = Counter(row["outcome"] for row in rows)
    *lines, mean, last = run.stdout.splitlines()
    assert {line.split()[0]: int(line.split()[1]) for line in lines} == counts
    assert len({line.index(line.split()[1]) + len(line.split()[1]) for line in lines}) == 1  # counts end in one column
    returns = [row["meta"]["return"] for row in rows]
    assert mean.startswith(f"mean return {sum(returns) / 60:.3f} (standard error 0.")
    assert last == "60 dialogues -> calls.jsonl"
    told = json.loads(judge(tmp_path, "simulate", "--policy", "script", "--n", "60", "--seed", "2", "--json").stdout)
    assert told["outcomes"] == counts and told["mean_return"] == pytest.approx(sum(returns) / 60, abs=1e-9)
    assert (told["dialogues"], told["out"], told["agent_turns"]) == (60, "debt_call.jsonl", sum(len(row["turns"]) for row in rows) // 2)


def test_transcripts_on_stdout_leave_it_to_them(tmp_path: Path) -> None:
    run = judge(tmp_path, "simulate", "--n", "3", "--set", "extras=true", "--out", "-")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(rows) == 3 and rows[0]["meta"]["options"] == {"extras": "true"}
    assert rows[0]["turns"][0]["state"].keys() >= {"fsm", "sentiment", "turn", "prior_attempts", "disclosure_done"}
    assert run.stderr.endswith("3 dialogues\n")
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--n", "0"], "--n 0 is too few; simulate at least 1 dialogue"),
        (["--seed", "-1"], "--seed -1 is below 0; give a whole number from 0"),
        (["--policy", "uniformly"], f"unknown policy 'uniformly' (did you mean 'uniform'?); {KNOWN}"),
        (["--set", "extra=true"], f"the environment debt_call has no option 'extra' (did you mean 'extras'?); {OPTIONS}"),
        (["--set", "extras"], "--set 'extras' is not KEY=VALUE; write a name, = and a value"),
        (["--set", "personas=nobody"], f"no personas at 'nobody'; {NOBODY}"),
        (["--floor", "-0.1"], "--floor -0.1 is no probability; give a number from 0 (none) to 1 (always at random), such as 0.05"),
        (["--out", "nowhere/x.jsonl"], "cannot write nowhere/x.jsonl: No such file or directory; name another place with --out"),
        (["--out", "."], "cannot write '.': it is a folder; name a file with --out"),
        (["--out", ""], "cannot write '': it is no name; name a file with --out"),
        (
            ["--env", "debt"],
            f"unknown environment 'debt' (did you mean 'debt_call'?); {INSTALLED}",
        ),
        (
            ["--env", "gym:Taxi-v3"],
            "gym:Taxi-v3 has no words, so there is nothing to write down; environments that speak: debt_call, sales_call",
        ),
    ],
)  # fmt: skip
def test_wrong_arguments_are_told_in_one_line(tmp_path: Path, args: list[str], told: str) -> None:
    (tmp_path / "debt_call.jsonl").write_text("of yesterday\n")
    run = judge(tmp_path, "simulate", *args)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"judge: {told}\n")
    assert (tmp_path / "debt_call.jsonl").read_text() == "of yesterday\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["debt_call.jsonl", "stderr", "stdout"]


def test_an_interrupted_run_leaves_yesterdays_file(tmp_path: Path) -> None:
    (tmp_path / "debt_call.jsonl").write_text("of yesterday\n")
    process = warm.start(tmp_path, ENVIRON, ["simulate", "--n", "2000000"])
    part: list[Path] = []
    while not (part and part[0].stat().st_size):
        assert process.is_alive()
        part = list(tmp_path.glob(".debt_call.jsonl.*.part"))
    assert process.pid is not None
    os.kill(process.pid, 2)
    process.join(100)
    assert process.exitcode == 130
    assert (tmp_path / "stderr").read_text().startswith("judge: interrupted after ")
    assert (tmp_path / "stderr").read_text().endswith(" of 2,000,000 dialogues; no file was written\n")
    assert (tmp_path / "debt_call.jsonl").read_text() == "of yesterday\n" and not list(tmp_path.glob(".*part"))


@pytest.mark.parametrize(
    ("owner", "name", "told"),
    [
        ("the learner q", "extras", "it has none; options of the environment go with --env-set"),
        ("the environment debt_call", "gamma", "it has none"),  # nothing to say of --env-set: here the options are the environment's
    ],
)
def test_who_gives_a_learner_an_option_of_the_environment_is_told_where_it_goes(owner: str, name: str, told: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        typed(lambda: None, {name: "true"}, owner)
    assert str(raised.value) == f"{owner} has no option {name!r}; {told}"
