"""`judge evaluate` and `judge deploy-check` as processes: what they print, what they refuse, and what they leave out."""

import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from dialogue.environments.call_model import call_model
from dialogue.environments.call_policies import script
from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact import exact_value
from dialogue.transcript import Transcript
from judge.calibration import Calibration, Curve
from judge.judges import make_judge
from judge.ledger import Ledger
from judge.replicates import Maps, Replicates
from judge.rubric import load_rubric
from policies.behaviour import make_behaviour
from policies.saved import save_policy
from policies.simulation import simulate
from policies.table import TablePolicy
from rewards.recipe import load_recipe
from rewards.record import RewardRecord
from rewards.scoring import score
from tests import warm

JUDGE = make_judge("local", load_rubric("collections"))
SPACES = make_debt_calls(1).spaces


def calls(n: int, floor: float, seed: int = 1) -> list[Transcript]:
    return list(simulate(make_behaviour("script", "debt_call", SPACES, floor), "debt_call", n, seed))


def write(path: Path, records: Iterable[RewardRecord]) -> None:
    path.write_text("".join(record.to_json() + "\n" for record in records))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 600 calls of the script with a third at random, scored by outcome, and some of them by the embedded judge."""
    made = tmp_path_factory.mktemp("calls")
    said = calls(600, 0.35)
    write(made / "r.jsonl", score(said, JUDGE, recipe=load_recipe("outcome")))
    with Ledger(made / "judge-ledger.db") as ledger:
        ledger.clear(JUDGE.id, "by hand")
        write(made / "plain.jsonl", score(said[:120], JUDGE, ledger))
        curve = Curve(judged=(1, 5), human=(2, 4), labels=60, episodes=20, before=1.0, after=0.5, reliability=0.5)
        names = [c.name for c in JUDGE.rubric.turn if not c.critical]
        calibration = Calibration(
            judge=JUDGE.id, turn=dict.fromkeys(names, curve), episode={}, fitted_on=date(2026, 11, 21), audits=("november",)
        )
        ledger.calibrate(calibration)
        maps = Maps(judged=(1, 5), human=tuple((2 + by, 4 + by) for by in (-0.9, -0.5, 0.0, 0.5, 0.9)))
        ledger.calibrate_replicates(Replicates(calibration=calibration.id, turn=dict.fromkeys(names, maps), episode={}))
        write(made / "mapped.jsonl", score(said[:120], JUDGE, ledger))
    save_policy(TablePolicy(SPACES, 0.2 * make_behaviour("uniform", "debt_call", SPACES).probs + 0.8 * script()), made / "kinder.json", {})
    return made


def run(folder: Path, *args: str) -> CompletedProcess[str]:
    return warm.run(folder, {"HOME": str(folder), "OPENBLAS_NUM_THREADS": "1"}, list(args))


def test_estimates_from_a_log_cover_the_exact_value(folder: Path) -> None:
    done = run(folder, "evaluate", "script", "--from", "r.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    exact = exact_value(call_model(), script())
    assert set(found["estimates"]) == {"dr", "wdr", "wpdis", "pdis", "wis", "is", "dm", "logged"}
    for name in ("dr", "wpdis"):
        assert found["estimates"][name]["low"] < exact < found["estimates"][name]["high"]
    assert found["estimates"]["logged"]["high"] < found["estimates"]["dr"]["low"]
    assert (found["used"], found["left_out"], found["estimates"]["dm"]["low"]) == (600, {}, None)
    assert 30 < found["overlap"]["ess"] < 200 and len(found["overlap"]["ess_by_step"]) > 5
    assert json.loads(run(folder, "evaluate", "script", "--from", "r.jsonl", "--json").stdout) == found  # the same seed, the same numbers


def test_the_table(folder: Path) -> None:
    done = run(folder, "evaluate", "kinder.json", "--from", "r.jsonl")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[0] == "kinder.json: 600 of 600 episodes used"
    assert lines[1].split() == ["value", "95%", "interval"]
    assert [line.split("  ")[0].strip() for line in lines[2:10]] == ["DR", "WDR", "WPDIS", "PDIS", "WIS", "IS", "DM", "as logged"]
    assert lines[2].endswith("this one decides") and "no interval" in lines[8]
    assert [line[:22].strip() for line in lines[10:]] == ["effective sample size", "largest weight", "no overlap", "not in the log"]
    one = run(folder, "evaluate", "kinder.json", "--from", "r.jsonl", "--estimator", "wpdis", "--level", "0.9").stdout.splitlines()
    model = run(folder, "evaluate", "kinder.json", "--from", "r.jsonl", "--estimator", "dm").stdout.splitlines()
    assert [line.split()[0] for line in model[2:5]] == ["DR", "DM", "as"]  # never the model alone
    assert one[1].split()[1] == "90%" and [line.split()[0] for line in one[2:4]] == ["WPDIS", "as"]


def test_guaranteed_bounds_take_their_range_from_recipe_and_table(folder: Path) -> None:
    done = run(folder, "evaluate", "script", "--from", "r.jsonl", "--bound", "bernstein", "--json")
    found = json.loads(done.stdout)["estimates"]
    assert set(found) == {"is", "logged"}
    assert -3.0 <= found["is"]["low"] < exact_value(call_model(), script()) < found["is"]["high"] <= 1.0
    narrower = json.loads(run(folder, "evaluate", "script", "--from", "r.jsonl", "--bound", "bernstein", "--range=-2:1", "--json").stdout)[
        "estimates"
    ]
    assert narrower["logged"]["high"] - narrower["logged"]["low"] < found["logged"]["high"] - found["logged"]["low"]


def test_too_little_overlap_prints_no_number(folder: Path) -> None:
    done = run(folder, "evaluate", "constant:EMPATHIZE", "--from", "r.jsonl")
    assert done.returncode == 1
    assert "refused: too little overlap: the 600 episodes are worth" in done.stdout and "DR" not in done.stdout
    as_json = json.loads(run(folder, "evaluate", "constant:EMPATHIZE", "--from", "r.jsonl", "--json").stdout)
    assert "too little overlap" in as_json["refused"] and "estimates" not in as_json
    assert run(folder, "evaluate", "script", "--from", "r.jsonl", "--min-ess", "400").returncode == 1


def test_episodes_that_cannot_be_used_are_counted(folder: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()[:200]]
    del lines[3]["turns"][0]["action_prob"]
    lines[5]["turns"][0]["state"]["fsm"] = "ELSEWHERE"
    lines[7]["outcome"] = None
    for turn in lines[7]["turns"]:
        turn["terms"], turn["reward"] = {}, 0.0
    lines[7]["episode"] |= {"terms": {}, "reward": 0.0}
    lines[7].pop("violation", None)
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run(tmp_path, "evaluate", "script", "--from", "r.jsonl", "--min-ess", "5")
    told = done.stdout.splitlines()[0]
    assert told.startswith("script: 197 of 200 episodes used; left out: "), done.stdout + done.stderr
    for reason in (
        "an action's probability was not logged 1",
        "how it ended was not recorded 1",
        "a state that the policy does not know 1",
    ):
        assert reason in told
    for line in lines:
        for turn in line["turns"]:
            turn.pop("action_prob", None)
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    none = run(tmp_path, "evaluate", "script", "--from", "r.jsonl")
    assert none.returncode == 1 and "refused: no episode can be used" in none.stdout


def test_judge_error_widens_the_interval_and_says_what_it_needs(folder: Path) -> None:
    asked = ("evaluate", "script", "--min-ess", "2", "--json", "--from")
    alone = json.loads(run(folder, *asked, "mapped.jsonl").stdout)
    done = run(folder, *asked, "mapped.jsonl", "--judge-error")
    joint = json.loads(done.stdout)
    assert joint["judge_error"] and joint["estimates"]["dr"]["value"] == alone["estimates"]["dr"]["value"]
    widths = [one["estimates"]["logged"]["high"] - one["estimates"]["logged"]["low"] for one in (alone, joint)]
    assert widths[1] > widths[0] * 1.005
    assert "no map of " in done.stderr  # the critical criteria and the episode's have none
    plain = run(folder, *asked, "plain.jsonl", "--judge-error")
    assert plain.returncode == 2 and "made without a calibration" in plain.stderr and "`judge calibrate`" in plain.stderr
    lost = run(folder, *asked, "mapped.jsonl", "--judge-error", "--ledger", "other.db", "--allow-uncleared")
    assert lost.returncode == 2 and "has no replicates of the calibration 2026-11-21@" in lost.stderr


def test_a_judge_without_leave_is_refused(folder: Path, tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.db") as ledger:
        write(tmp_path / "r.jsonl", score(calls(40, 0.5), JUDGE, ledger))
    done = run(tmp_path, "evaluate", "script", "--from", "r.jsonl", "--ledger", "l.db")
    assert done.returncode == 2 and "no leave to produce rewards" in done.stderr and "--allow-uncleared" in done.stderr
    assert run(tmp_path, "evaluate", "script", "--from", "r.jsonl", "--ledger", "l.db", "--allow-uncleared").returncode in (0, 1)


def test_in_an_environment(folder: Path) -> None:
    done = run(folder, "evaluate", "script", "--env", "debt_call", "--n", "1500", "--seed", "3", "--json")
    found = json.loads(done.stdout)
    assert found["return"]["low"] < exact_value(call_model(), script()) < found["return"]["high"]
    assert (found["episodes"], found["truncated"]) == (1500, 0)
    told = run(folder, "evaluate", "uniform", "--env", "debt_call", "--n", "300", "--discount", "0.9").stdout.splitlines()
    assert told[0].startswith("uniform in debt_call: mean return -") and told[1].startswith("300 episodes of ")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("evaluate", "script"), "name either an environment with --env or rewards files with --from"),
        (("evaluate", "script", "--env", "debt_call", "--from", "r.jsonl"), "name either an environment"),
        (("evaluate", "script", "--from", "r.jsonl", "--n", "50"), "--n is for --env"),
        (("evaluate", "script", "r.jsonl", "--env", "debt_call"), "r.jsonl stands alone: files are for --from"),
        (("evaluate", "script", "--from", "r.jsonl", "--bound", "bernstein", "--range", "1:0"), "--range '1:0' is not two rising numbers"),
        (("evaluate", "script", "--from", "r.jsonl", "--bound", "bernstein", "--estimator", "dr"), "there is no DR with --bound bernstein"),
        (("evaluate", "nobody", "--from", "r.jsonl"), "unknown policy 'nobody'"),
        (("evaluate", "script", "--from", "r.jsonl", "--judge-error"), "asks no judge: there is no judge error"),
        (("deploy-check", "--candidate", "script", "--baseline", "logged", "--env", "debt_call"), "--baseline logged is for --from"),
        (("deploy-check", "--candidate", "logged", "--baseline", "script", "--from", "r.jsonl"), "--candidate logged is who acted already"),
    ],
)
def test_what_does_not_go_together(folder: Path, args: tuple[str, ...], told: str) -> None:
    done = run(folder, *args)
    assert done.returncode == 2 and told in done.stderr, done.stdout + done.stderr


def test_leave_for_a_better_policy_on_the_log(folder: Path) -> None:
    done = run(folder, "deploy-check", "--candidate", "script", "--baseline", "logged", "--from", "r.jsonl")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[0] == "600 of 600 episodes used" and lines[-1] == "deploy: the candidate is better by more than 0"
    assert [line.split()[0] for line in lines[1:4]] == ["candidate", "baseline", "difference"] and "95% lower bound" in lines[1]
    far = run(folder, "deploy-check", "--candidate", "script", "--baseline", "logged", "--from", "r.jsonl", "--margin", "0.6")
    assert far.returncode == 1 and "do not deploy: the difference is not shown; if it is what it seems, about " in far.stdout
    sure = run(folder, "deploy-check", "--candidate", "script", "--baseline", "logged", "--from", "r.jsonl", "--bound", "bernstein")
    assert sure.returncode == 1 and "bounds that hold for any log" in sure.stdout


def test_no_leave_for_a_worse_one_or_one_that_the_log_hardly_knows(folder: Path) -> None:
    worse = run(folder, "deploy-check", "--candidate", "kinder.json", "--baseline", "script", "--from", "r.jsonl", "--json")
    found = json.loads(worse.stdout)
    assert worse.returncode == 1 and not found["deploy"] and "does not even seem to be better" in found["why"]
    assert found["found"]["difference"] < 0 and found["used"] == 600
    unknown = run(folder, "deploy-check", "--candidate", "constant:EMPATHIZE", "--baseline", "logged", "--from", "r.jsonl")
    assert unknown.returncode == 1 and "refused: constant:EMPATHIZE: too little overlap" in unknown.stdout


def test_leave_in_an_environment_is_by_pairs(folder: Path) -> None:
    done = run(folder, "deploy-check", "--candidate", "script", "--baseline", "kinder.json", "--env", "debt_call", "--n", "800")
    assert done.returncode == 0 and done.stdout.splitlines()[2].endswith("on the same 800 episodes")
    same = run(folder, "deploy-check", "--candidate", "script", "--baseline", "script", "--env", "debt_call", "--n", "200", "--json")
    found = json.loads(same.stdout)["found"]
    assert same.returncode == 1 and (found["difference"], found["difference_low"]) == (0, 0)  # the very same callers: no chance is left


def rewritten(folder: Path, tmp_path: Path, change: Callable[[int, dict[str, Any]], None]) -> None:
    """Write the scored calls to r.jsonl, each changed."""
    records = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
    for number, record in enumerate(records):
        change(number, record)
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


CHECK = ("deploy-check", "--candidate", "script", "--baseline", "logged", "--from", "r.jsonl")


def test_episodes_that_only_the_estimate_loses_count_for_coverage(folder: Path, tmp_path: Path) -> None:
    rewritten(folder, tmp_path, lambda number, record: number % 3 or record["turns"][0].pop("action_prob"))
    for asked in (("evaluate", "script", "--from", "r.jsonl"), CHECK):
        done = run(tmp_path, *asked)
        assert done.returncode == 1
        assert "refused: 400 of 600 episodes can be used, where --min-coverage asks for 90%" in done.stdout
    assert run(tmp_path, *CHECK, "--min-coverage", "0.6").returncode == 0


def test_logged_probabilities_that_cannot_be_are_no_ground_to_deploy_on(folder: Path, tmp_path: Path) -> None:
    def certain(_: int, record: dict[str, Any]) -> None:
        for turn in record["turns"]:
            turn["action_prob"] = 1.0

    rewritten(folder, tmp_path, certain)
    done = run(tmp_path, *CHECK, "--min-ess", "1")
    assert done.returncode == 1
    assert "refused: script: what was ever done in a state was done 0." in done.stdout
    assert "probabilities off" in run(tmp_path, "evaluate", "script", "--from", "r.jsonl", "--min-ess", "1").stdout


def test_what_a_policy_has_learned_from_is_known_by_its_episodes(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "r.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "seen.jsonl").write_text("".join(lines[:500]))
    assert run(tmp_path, "train", "--from", "seen.jsonl", "--passes", "2", "--min-count", "60").returncode == 0
    (tmp_path / "r.jsonl").write_text("".join(reversed(lines)))
    check = ("deploy-check", "--candidate", "policy/policy.json", "--baseline", "logged", "--from")
    for file, told in (("r.jsonl", "about 83% of these episodes"), ("seen.jsonl", "seen.jsonl")):
        done = run(tmp_path, *check, file)
        assert done.returncode == 1 and f"policy/policy.json has learned from {told}: take calls that it has not seen" in done.stdout
        assert "has learned from" not in run(tmp_path, *check, file, "--allow-seen").stdout
    (tmp_path / "new.jsonl").write_text("".join(lines[500:]))
    assert "has learned from" not in run(tmp_path, *check, "new.jsonl", "--min-ess", "5").stdout


def test_a_difference_that_rests_on_a_few_episodes_is_not_shown(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "r.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "r.jsonl").write_text("".join(lines))
    probs = make_behaviour("script", "debt_call", SPACES, 0.35).probs.copy()
    probs[::40] = 0.25  # as who acted, but in a few states
    save_policy(TablePolicy(SPACES, probs), tmp_path / "alike.json", {})
    done = run(tmp_path, "deploy-check", "--candidate", "alike.json", "--baseline", "logged", "--from", "r.jsonl")
    assert done.returncode == 1
    assert "that tell them apart (effective sample size of the difference), 30 are asked for" in done.stdout
    same = run(tmp_path, *CHECK[:2], "script", "--baseline", "script", "--from", "r.jsonl")
    assert same.returncode == 1 and "the two weigh every episode alike" in same.stdout


def test_what_was_never_tried_is_no_ground_to_deploy_on(folder: Path, tmp_path: Path) -> None:
    def rare(_: int, record: dict[str, Any]) -> None:
        for turn in record["turns"]:
            turn["action_prob"] = 0.9  # nine in ten times, as it were; the rest never turned up
            turn["action"] = "PROCEED"

    rewritten(folder, tmp_path, rare)
    save_policy(TablePolicy(SPACES, np.tile([0.9, 0.1, 0.0, 0.0], (SPACES.observations or 0, 1))), tmp_path / "other.json", {})
    done = run(tmp_path, "deploy-check", "--candidate", "other.json", "--baseline", "script", "--from", "r.jsonl", "--min-ess", "1")
    assert done.returncode == 1
    assert "was never tried there" in done.stdout


def test_a_range_that_the_log_breaks_is_told(folder: Path) -> None:
    done = run(folder, "evaluate", "script", "--from", "r.jsonl", "--bound", "bernstein", "--range=0:0.1")
    assert done.returncode == 2 and "--range 0:0.1 does not hold the log's own returns, -" in done.stderr


def test_ids_that_come_again_are_told(folder: Path, tmp_path: Path) -> None:
    text = (folder / "r.jsonl").read_text()
    (tmp_path / "r.jsonl").write_text(text)
    (tmp_path / "again.jsonl").write_text(text + "\n")
    done = run(tmp_path, "evaluate", "script", "--from", "r.jsonl", "again.jsonl")
    assert "600 of 600 episodes used; 600 records repeat an id and are not used" in done.stdout
