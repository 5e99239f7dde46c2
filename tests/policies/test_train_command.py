"""`judge train` as real processes: stopped by signals and kills at any moment and resumed, it gives what it would have given anyway."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialogue.environments import persona
from dialogue.installed import installed
from judge.cli import main
from judge.settings import Settings
from policies.behaviour import make_behaviour
from policies.checkpoint import NEWEST, PREVIOUS, load, sealed
from policies.learner_names import GROUP
from policies.saved import load_saved
from policies.simulation import make_spoken, simulate
from rewards.scorer import make_scorer
from tests import warm

COMMAND = Path(sys.executable).parent / "judge"
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("JUDGE_")} | {"OPENBLAS_NUM_THREADS": "1"}
HEAVY = {"sb3"}  # needs torch, which takes seconds to load
TRAINED = [name for name, point in installed(GROUP).items() if name not in HEAVY and find_spec(point.module)]
STEPS = 3_000
SMALL = ["--envs", "8", "--seed", "3"]


def judge(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    return warm.run(folder, ENVIRON, ["train", *args])


def here(folder: Path, *args: str) -> int:
    """Run the command in this process, which is sooner done; return its exit status."""
    folder.mkdir(exist_ok=True)
    before, sys.argv = (Path.cwd(), sys.argv), ["judge", "train", *args]
    os.chdir(folder)
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        os.chdir(before[0])
        sys.argv = before[1]
    return 0


def learned(folder: Path) -> tuple[bytes, bytes]:
    """What must be the same to the bit: the policy's file, and all of the checkpoint that is learned."""
    tree = load(folder).tree
    return (folder / "policy.json").read_bytes(), sealed({name: tree[name] for name in ("plan", "source", "training")})


def stopped_at(folder: Path, args: list[str], how: int, after: float) -> int:
    """Start a run, send it a signal a while after its first checkpoint, and return its exit status."""
    folder.mkdir(exist_ok=True)
    newest = folder / "policy" / NEWEST
    before = newest.stat().st_mtime_ns if newest.exists() else 0
    process = warm.start(folder, ENVIRON, ["train", *args, "--checkpoint-every", "0.02"])
    while process.is_alive() and not (newest.exists() and newest.stat().st_mtime_ns != before):
        time.sleep(0.002)
    time.sleep(after)
    if process.is_alive() and process.pid:
        os.kill(process.pid, how)
    process.join(100)
    assert process.exitcode is not None
    assert "Traceback" not in (folder / "stderr").read_text()
    return process.exitcode


@pytest.mark.parametrize(("learner", "env"), [(name, "debt_call") for name in TRAINED] + [("a2c", "sales_call")])
def test_interrupted_and_resumed_equals_never_stopped(tmp_path: Path, learner: str, env: str) -> None:
    steps = STEPS if env == "debt_call" and learner != "a2c" else 800
    args = ["--learner", learner, "--env", env, *SMALL, "--steps", str(steps)]
    assert here(tmp_path / "never", *args) == 0
    folder, rng = tmp_path / "often", np.random.default_rng(sum(map(ord, learner + env)))
    codes, asked = [], args
    for how in (signal.SIGKILL, signal.SIGTERM if len(learner) % 2 else signal.SIGINT):
        codes.append(stopped_at(folder, asked, how, rng.uniform(0, 0.15)))
        asked = ["--resume", "policy"]
    assert set(codes) <= {130, -signal.SIGKILL, 0}
    last = judge(folder, "--resume", "policy")
    assert last.returncode == 0
    assert learned(folder / "policy") == learned(tmp_path / "never" / "policy")


def test_signals_meet_runs_on_the_way(tmp_path: Path) -> None:
    """The test above stops runs in the middle, and the first signal stops at once enough: with status 130 and a word on how to go on."""
    args = ["--env", "debt_call", "--steps", "100000000"]
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert stopped_at(tmp_path, args, how, 0.1) == 130
        told = (tmp_path / "stderr").read_text()
        assert "stopping after this batch; once more stops at once" in told
        assert "--resume policy goes on" in told
        assert (tmp_path / "stdout").read_text().startswith("stopped actor-critic on debt_call: ")
        args = ["--resume", "policy"]
    assert stopped_at(tmp_path, args, signal.SIGKILL, 0.1) == -signal.SIGKILL
    held = load(tmp_path / "policy").tree["training"]["steps"]
    assert 0 < held < 100_000_000
    assert held % 1024 == 0, "whole batches"


def test_asked_for_more_equals_one_longer_run(tmp_path: Path) -> None:
    args = ["--env", "debt_call", *SMALL]
    assert here(tmp_path / "one", *args, "--steps", "5000") == 0
    assert here(tmp_path / "three", *args, "--steps", "0", "--out", "policy") == 0
    assert here(tmp_path / "three", "--resume", "policy", "--more", "1111") == 0
    assert here(tmp_path / "three", "--resume", "policy", "--steps", "5000", "--seed", "3", "--envs", "8") == 0
    assert learned(tmp_path / "one" / "policy") == learned(tmp_path / "three" / "policy")
    assert here(tmp_path / "three", "--resume", "policy") == 0  # nothing is left to do: nothing changes
    assert learned(tmp_path / "one" / "policy") == learned(tmp_path / "three" / "policy")


def test_a_broken_checkpoint_falls_back_and_ends_the_same(tmp_path: Path) -> None:
    args = ["--env", "debt_call", *SMALL]
    assert here(tmp_path / "one", *args, "--steps", "3000") == 0
    folder = tmp_path / "other"
    assert here(folder, *args, "--steps", "1000") == 0
    assert here(folder, "--resume", "policy", "--steps", "2000") == 0
    newest = folder / "policy" / NEWEST
    newest.write_bytes(newest.read_bytes()[:-100])
    done = judge(folder, "--resume", "policy", "--steps", "3000")
    assert done.returncode == 0
    assert "policy/checkpoint.npz is broken: it is not a whole checkpoint (BadZipFile); went back to checkpoint.previous.npz" in done.stderr
    assert learned(folder / "policy") == learned(tmp_path / "one" / "policy")
    for name in (NEWEST, PREVIOUS):
        (folder / "policy" / name).write_bytes(b"no")
    done = judge(folder, "--resume", "policy")
    assert done.returncode == 2
    assert "no whole checkpoint is left in policy: train anew with --out in another folder" in done.stderr


def limited(folder: Path, largest: int, *args: str) -> subprocess.CompletedProcess[str]:
    """Run where no file can be larger than so many bytes, as on a disk that is full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    return subprocess.run([COMMAND, "train", *args], cwd=folder, env=ENVIRON, capture_output=True, text=True, timeout=100, preexec_fn=limit)


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    args = ["--env", "debt_call", *SMALL]
    assert here(tmp_path / "one", *args, "--steps", "8000") == 0
    folder = tmp_path / "full"
    assert here(folder, *args, "--steps", "2000") == 0
    good, before = learned(folder / "policy"), (folder / "policy" / NEWEST).stat().st_size
    done = limited(folder, before - 10, "--resume", "policy", "--steps", "8000", "--checkpoint-every", "0.01")
    assert done.returncode == 2
    assert (
        "cannot write a checkpoint to policy: File too large; the last good one is kept: make room, then go on with --resume policy"
        in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert sealed({name: load(folder / "policy").tree[name] for name in ("plan", "source", "training")}) == good[1]
    assert here(folder, "--resume", "policy", "--steps", "8000") == 0
    assert learned(folder / "policy") == learned(tmp_path / "one" / "policy")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `policy` was trained with learner q."""
    folder = tmp_path_factory.mktemp("trained")
    done = judge(folder, "--learner", "q", "--env", "debt_call", "--steps", "3000", *SMALL, "--set", "alpha=0.1")
    assert done.returncode == 0, done.stderr
    return folder


WRONG = [
    ([], "nothing to learn from: name an environment with --env, such as debt_call, or rewards files with --from"),
    (["--env", "debt_cal"], "unknown environment 'debt_cal' (did you mean 'debt_call'?)"),
    (["--env", "debt_call", "--learner", "linucbx"], "unknown learner 'linucbx' (did you mean 'linucb'?)"),
    (["--env", "debt_call", "--learner", "q:7"], "learner q has no parts, so 'q:7' is none; write --learner q"),
    (["--env", "debt_call", "--learner", "q", "--set", "alpa=1"], "the learner q has no option 'alpa' (did you mean 'alpha'?)"),
    (["--env", "debt_call", "--learner", "q", "--set", "gamma=much"], "gamma of the learner q is 'much'; it takes a number"),
    (["--env", "debt_call", "--set", "gamma"], "--set 'gamma' is not KEY=VALUE"),
    (["--env", "debt_call", "--set", "envs=4", "--envs", "4"], "--envs 4 and --set envs=4 say the same thing; give one of them"),
    (["--env", "debt_call", "--set", "envs=0"], "envs is 0; at least 1"),
    (["--env", "debt_call", "--set", "steps=1000000"], "1,000,000 steps in 256 environments make a rollout of 256,000,000, which is held"),
    (["--env", "sales_call", "--learner", "a2c", "--envs", "99999"], "it may be 128,040 here, so lower steps or envs"),
    (["--env", "debt_call", "--env-set", "nothing=1"], "has no option 'nothing'"),
    (["--env", "debt_call", "--from", "x.jsonl"], "--env debt_call and --from x.jsonl: learn from one of them"),
    (["--env", "debt_call", "--passes", "2"], "--passes is for --from; an environment has no log; leave it out"),
    (["--env", "debt_call", "--judge", "local"], "--judge is for --recipe with a judge"),
    (["--env", "debt_call", "--recipe", "blend"], "say how many with --steps"),
    (["--env", "debt_call", "--recipe", "blendd", "--steps", "9"], "unknown recipe 'blendd' (did you mean 'blend'?)"),
    (["--env", "sales_call", "--learner", "q"], "learner q needs discrete observations, those of sales_call are vectors; take"),
    (["--from", "none.rewards.jsonl"], "cannot read none.rewards.jsonl: No such file or directory"),
    (["--from", "x.jsonl", "--recipe", "blend"], "--recipe is for --env; rewards files were scored already; leave it out"),
    (["x.jsonl"], "x.jsonl stands alone; name files after --from, environments after --env"),
    (["--env", "debt_call", "--out", "policy"], "policy holds a training already; go on with it with `--resume policy`"),
    (["--env", "debt_call", "--more", "5"], "--more 5 is for --resume, instead of --steps"),
    (["--resume", "policy", "--out", "other"], "--resume policy goes on in that folder, so --out other does not go with it"),
    (["--resume", "nowhere"], "there is no folder nowhere to go on in"),
    (["--resume", "empty"], "there is no checkpoint in empty; name a folder that `judge train --out` wrote"),
    (["--resume", "policy", "--learner", "a2c"], "--learner a2c contradicts the training in policy, which was begun with --learner q;"),
    (["--resume", "policy", "--env", "sales_call"], "--env sales_call contradicts the training in policy, which was begun with --env debt"),
    (["--resume", "policy", "--seed", "4"], "--seed 4 contradicts the training in policy, which was begun with --seed 3;"),
    (["--resume", "policy", "--envs", "16"], "--envs 16 contradicts the training in policy, which was begun with --envs 8;"),
    (["--resume", "policy", "--set", "alpha=0.2"], "--set alpha=0.2 contradicts the training in policy, which was begun with --set alpha="),
    (["--resume", "policy", "--env-set", "handling=1"], "--env-set handling=1 contradicts the training in policy, which was begun without"),
    (["--resume", "policy", "--recipe", "blend"], "--recipe blend contradicts the training in policy, which was begun without --recipe;"),
    (["--resume", "policy", "--from", "x.jsonl"], "--from x.jsonl contradicts the training in policy, which was begun with --env debt_"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "told"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_options_are_told_in_one_line_and_leave_all_as_it_was(
    trained: Path, tmp_path: Path, args: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (trained / "empty").mkdir(exist_ok=True)
    before = {path: path.read_bytes() for path in (trained / "policy").iterdir()}
    monkeypatch.chdir(trained if {"policy", "empty"} & set(args) else tmp_path)
    monkeypatch.setattr(sys, "argv", ["judge", "train", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    stderr = capsys.readouterr().err
    assert ended.value.code == 2
    assert told in stderr
    assert stderr.startswith("judge: ")
    assert stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in (trained / "policy").iterdir()} == before
    assert not list(tmp_path.iterdir()), "a wrong command leaves no folder behind"


def test_a_training_that_diverged_is_told_and_writes_no_policy(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    args = ["--env", "debt_call", "--learner", "actor-critic", "--set", "entropy=1e308", *SMALL]
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        assert here(tmp_path, *args, "--steps", "2000") == 2
    assert "the training has come to no policy: " in capfd.readouterr().err
    assert not (tmp_path / "policy" / "policy.json").exists()


def test_two_processes_never_train_in_one_folder(tmp_path: Path) -> None:
    other = warm.start(tmp_path, ENVIRON, ["train", "--env", "debt_call", "--steps", "100000000"])
    while not (tmp_path / "policy" / NEWEST).exists():
        time.sleep(0.01)
    try:
        (tmp_path / "second").mkdir()
        done = warm.run(tmp_path / "second", ENVIRON, ["train", "--resume", str(tmp_path / "policy")])
        assert done.returncode == 2
        assert f"another process trains in {tmp_path / 'policy'} right now" in done.stderr
    finally:
        other.kill()
        other.join()
    assert judge(tmp_path, "--resume", "policy", "--steps", "0").returncode == 0, "a process that was killed leaves the folder free"


def test_a_policy_and_its_report_come_of_it(trained: Path) -> None:
    done = judge(trained, "--resume", "policy", "--more", "300", "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["learner"] == "q"
    assert told["steps"] >= 3_300
    assert told["ended"] == "steps"
    assert told["policy"] == "policy/policy.json"
    assert 0 < told["latest"]["episodes"] < told["episodes"]
    saved = load_saved(trained / "policy" / "policy.json")
    assert saved.manifest["parameters"]["alpha"] == 0.1
    assert saved.manifest["env"] == "debt_call"
    assert saved.manifest["steps"] == told["steps"]
    assert saved.policy.spaces.actions[0] == "PROCEED"
    report = json.loads((trained / "policy" / "policy-training.json").read_text())
    assert report["manifest"] == saved.manifest
    assert sum(part["episodes"] for part in report["stretches"]) == told["episodes"]
    assert report["stretches"][-1]["steps"] == told["steps"]
    page, summary = ((trained / "policy" / f"policy-training.{kind}").read_text() for kind in ("html", "md"))
    assert "<polyline" in page
    assert "TRAINED" in page
    assert summary.startswith("## Training: TRAINED")
    plain = judge(trained, "--resume", "policy").stdout
    assert plain.count("\n") == 1
    assert plain.startswith(f"trained q on debt_call: {told['steps']:,} steps, ")


def test_no_steps_make_a_policy_that_knows_nothing(tmp_path: Path) -> None:
    done = judge(tmp_path, "--env", "debt_call", "--steps", "0")
    assert done.returncode == 0
    assert done.stdout == (
        "trained actor-critic on debt_call: 0 steps, 0 episodes, no episode has ended yet; policy/policy.json, policy-training.html\n"
    )
    saved = load_saved(tmp_path / "policy" / "policy.json")
    assert np.allclose(saved.policy.probs, 1 / 4)  # type: ignore[attr-defined]
    assert "No episode has ended yet" in (tmp_path / "policy" / "policy-training.html").read_text()


def rewards(path: Path, first: int, n: int) -> Path:
    """Write rewards of simulated calls, by how they ended."""
    scorer = make_scorer(Settings(recipe="outcome", ledger=str(path.with_suffix(".db"))), {})
    spaces = make_spoken("debt_call").spaces
    calls = simulate(make_behaviour("uniform", "debt_call", spaces), "debt_call", n, 5, first=first)
    path.write_text("".join(record.to_json() + "\n" for record in scorer.score(calls)))
    return path


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    folder = tmp_path_factory.mktemp("days")
    yield [rewards(folder / f"day{number}.rewards.jsonl", 150 * number, 150) for number in range(2)]


def test_a_log_resumes_and_a_new_day_goes_on_with_yesterdays_policy(tmp_path: Path, days: list[Path]) -> None:
    args = ["--from", str(days[0]), "--learner", "actor-critic", "--set", "envs=8", "--passes", "4"]
    assert here(tmp_path / "never", *args) == 0
    folder, asked = tmp_path / "often", args
    for how in (signal.SIGINT, signal.SIGKILL, signal.SIGTERM):
        stopped_at(folder, asked, how, 0.05)
        asked = ["--resume", "policy"]
    if not load(folder / "policy").tree["source"]["finished"]:
        assert judge(folder, "--resume", "policy").returncode == 0
    assert learned(folder / "policy") == learned(tmp_path / "never" / "policy")
    day = judge(folder, "--resume", "policy", "--from", str(days[1]))
    assert day.returncode == 0, day.stderr
    assert "learning from 150 episodes" in day.stderr
    saved = load_saved(folder / "policy" / "policy.json")
    assert [file["name"] for file in saved.manifest["data"]["files"]] == ["day0.rewards.jsonl", "day1.rewards.jsonl"]
    assert saved.manifest["law3"]["allowed"]["uncleared"] is False
    twice = judge(folder, "--resume", "policy", "--from", str(days[1]))
    assert twice.returncode == 2
    assert "was learned from before" in twice.stderr


def test_a_judge_in_the_loop_is_asked_for_leave_and_resumes(tmp_path: Path) -> None:
    args = ["--env", "debt_call", "--recipe", "blend", "--calls", "4", "--steps", "60", "--seed", "1"]
    refused = judge(tmp_path, *args)
    assert refused.returncode == 2
    assert "no leave to produce rewards" in refused.stderr
    allowed = [*args, "--allow-uncleared"]
    assert here(tmp_path / "never", *allowed) == 0
    folder = tmp_path / "often"
    stopped_at(folder, allowed, signal.SIGKILL, 0.2)
    assert judge(folder, "--resume", "policy").returncode == 0
    assert learned(folder / "policy") == learned(tmp_path / "never" / "policy")
    saved = load_saved(folder / "policy" / "policy.json")
    assert saved.manifest["allowed"] == {"uncleared": True}
    assert saved.manifest["recipe"] == "blend"
    report: dict[str, Any] = json.loads((folder / "policy" / "policy-training.json").read_text())
    assert {"outcome", "turns"} <= set(report["latest"]["terms"]) or len(report["latest"]["terms"]) > 1


def test_a_run_over_files_that_is_at_its_end_stays_there(tmp_path: Path, days: list[Path]) -> None:
    assert here(tmp_path, "--from", str(days[0]), "--passes", "2") == 0
    before = learned(tmp_path / "policy")
    done = judge(tmp_path, "--resume", "policy")
    assert done.returncode == 0, done.stderr
    assert learned(tmp_path / "policy") == before


def test_records_that_cannot_be_used_are_left_out_and_the_rest_is_learned_from(tmp_path: Path, days: list[Path]) -> None:
    records = [json.loads(line) for line in days[0].read_text().splitlines()]
    del records[0]["turns"][0]["state"]
    records[1]["turns"][0]["action_prob"] = 0.0
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    done = judge(tmp_path, "--from", "some.jsonl", "--passes", "1")
    assert done.returncode == 0, done.stderr
    assert "left out: a turn without state or action: 1, not usable: 1" in done.stderr
    for record in records:
        record["turns"][0]["action_prob"] = 1.5
    (tmp_path / "none.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    refused = judge(tmp_path, "--from", "none.jsonl", "--out", "none")
    assert refused.returncode == 2
    assert "0 of 150 episodes can be used" in refused.stderr and "has no state" in refused.stderr


def test_probabilities_that_do_not_fit_are_told_and_pessimistic_learns_instead(tmp_path: Path, days: list[Path]) -> None:
    records = [json.loads(line) for line in days[0].read_text().splitlines()]
    for record in records:
        for turn in record["turns"]:
            turn["action_prob"] = 1.0
    (tmp_path / "ones.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    done = judge(tmp_path, "--from", "ones.jsonl")
    assert done.returncode == 0 and done.stdout.startswith("trained pessimistic")
    named = judge(tmp_path, "--from", "ones.jsonl", "--learner", "actor-critic", "--out", "other")
    assert "times as often as its logged probabilities say" in named.stderr


def test_what_counts_counts_once(tmp_path: Path, days: list[Path]) -> None:
    refused = judge(tmp_path, "--from", str(days[0]), "--learner", "pessimistic", "--passes", "3")
    assert refused.returncode == 2 and "counts, and should see every episode once, not 3 times" in refused.stderr
    steps = sum(len(json.loads(line)["turns"]) for line in days[0].read_text().splitlines())
    counts = []
    for number, args in enumerate((["--passes", "1"], ["--passes", "6"], ["--steps", "300"])):
        assert here(tmp_path, "--from", str(days[0]), "--learner", "q", "--out", str(number), *args) == 0
        counts.append(load_saved(tmp_path / str(number) / "policy.json").policy.counts)
    assert judge(tmp_path, "--resume", "0", "--from", str(days[0]), "--again").returncode == 0
    counts.append(load_saved(tmp_path / "0" / "policy.json").policy.counts)
    for found in counts:
        assert found.sum() == steps and (found == counts[0]).all()


def test_persona_files_that_have_changed_are_refused(tmp_path: Path) -> None:
    shutil.copytree(Path(persona.__file__).parent / "personas", tmp_path / "who")
    assert here(tmp_path, "--env", "debt_call", "--env-set", "personas=who", "--steps", "500", *SMALL) == 0
    assert judge(tmp_path, "--resume", "policy", "--more", "500").returncode == 0
    next((tmp_path / "who").glob("*.toml")).unlink()
    refused = judge(tmp_path, "--resume", "policy", "--more", "500")
    assert refused.returncode == 2
    assert "--env-set personas=who holds something else than when the training in policy began" in refused.stderr
