"""`judge golden check` as a process: exit statuses, what is printed and written, leave given and taken back; over the wire and replayed."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from golden_set.accept import rate_runs
from golden_set.baseline import dump, make_baseline
from golden_set.case import load_cases
from golden_set.gate import load_gate
from judge import Ledger, LocalJudge, load_rubric, make_judge
from judge.calibration import Calibration, Curve
from judge.pooling import Repeats
from tests import warm
from tests.provider import Provider

Json = dict[str, Any]
Golden = Callable[..., CompletedProcess[str]]
RUBRIC = load_rubric("collections")
BASELINE = Path("golden_set/baselines/collections.openai.json")
OPENAI = ("--judge", "openai:model-1", "--gate", "regression")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, labelled: list[Json]) -> str:
    """The file that `judge golden accept` writes for the embedded judge on thirty cases."""
    path = tmp_path_factory.mktemp("embedded") / "cases.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in labelled))
    cases, judge = load_cases(path, RUBRIC), LocalJudge(RUBRIC)
    with Ledger(":memory:") as ledger:
        heard = rate_runs(cases, judge, ledger, load_gate("default"), runs=10, day=date(2026, 1, 1))
    return dump(make_baseline(judge.id, heard.sheet, cases, RUBRIC, day=date(2026, 1, 1), by="me", note=""))


@pytest.fixture(scope="module")
def asked_before(provider_process: Provider, tmp_path_factory: pytest.TempPathFactory, labelled: list[Json]) -> str:
    """The file that `judge golden accept` writes for the provider's model on thirty cases."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in labelled))
    provider_process.restart()
    done = warm.run(folder, provider_process.environ, ["golden", "accept", "--judge", "openai:model-1", "--cases", "cases.jsonl"])
    assert done.returncode == 0, done.stderr
    return (folder / BASELINE).read_text()


def place(folder: Path, text: str) -> None:
    (folder / BASELINE).parent.mkdir(parents=True, exist_ok=True)
    for provider in ("openai", "local"):
        (folder / BASELINE).with_name(f"collections.{provider}.json").write_text(text)


def cleared(folder: Path, name: str = "judge-ledger.db") -> bool:
    with Ledger(folder / name) as ledger:
        return ledger.cleared(LocalJudge(RUBRIC).id)


def found(report: Json, name: str) -> Json:
    return dict(next(each for each in report["findings"] if each["name"] == name))


def alike(report: Json) -> Json:
    """Return a report without what the asking cost."""
    return {key: value for key, value in report.items() if key != "usage"}


# The embedded judge


def test_a_pass_gives_leave_and_a_fail_takes_it_back(golden: Golden, folder: Path, embedded: str) -> None:
    place(folder, embedded)
    unchanged = golden("check", "--cases", "cases.jsonl", "--gate", "regression")
    assert (unchanged.returncode, cleared(folder)) == (0, False), unchanged.stdout + unchanged.stderr  # which gives no leave
    done = golden("check", "--cases", "cases.jsonl", "--repeats", "1", "--report", "out")
    assert (done.returncode, cleared(folder)) == (0, True), done.stdout + done.stderr
    assert "\nPASS: 30 ratings of dialogues asked for, of 30 at most\ncleared: local/cues-1 on collections@" in done.stdout
    assert "baseline of 2026-01-01 by me: 10 runs, 30 cases compared" in done.stdout
    assert "report: out/golden-check.json" in done.stdout
    report = json.loads((folder / "out/golden-check.json").read_text(), parse_constant=pytest.fail)
    assert (report["kind"], report["decision"], report["cleared"], report["cases"], report["asked"]) == (
        "golden-check",
        "PASS",
        True,
        30,
        30,
    )
    with Ledger(folder / "judge-ledger.db") as ledger:
        (evidence,) = ledger._db.conn.execute("select evidence from clearances").fetchone()
    assert json.loads(evidence) == {
        "check": "golden-check",
        "judge": "local",
        "gate": f"default@{load_gate('default').hash[:12]}",
        "cases": report["cases_hash"],
        "baseline": "2026-01-01",
        "day": report["day"],
    }

    undecided = golden("check", "--cases", "few.jsonl", "--repeats", "1")  # too few to tell, which is no reason to take anything back
    assert (undecided.returncode, cleared(folder)) == (3, True), undecided.stdout

    other = json.loads(embedded)
    for case in list(other["cases"].values()):
        case["ratings"]["episode"]["handled_well"] += 0.5
    place(folder, json.dumps(other))
    failed = golden("check", "--cases", "cases.jsonl", "--repeats", "1", "--report", "out")
    assert (failed.returncode, cleared(folder)) == (1, False)
    report = json.loads((folder / "out/golden-check.json").read_text(), parse_constant=pytest.fail)
    assert (report["decision"], report["cleared"]) == ("FAIL", False)
    assert found(report, "drift")["told"] == "moved: handled_well (episode)"
    assert "its clearance in judge-ledger.db is void: local/cues-1 on collections@" in failed.stdout
    assert "handled_well (episode): moved by -0.50 [-0.50, -0.50], margin 0.15" in failed.stdout
    assert f"  {report['drift'][-1]['moved'][0]['case']} -0.50; the episode: " in failed.stdout


def test_only_a_judge_that_is_no_longer_what_it_was_loses_its_calibration(golden: Golden, folder: Path, embedded: str) -> None:
    """And the means of its ratings theirs. Another judge's baseline says nothing of whether this one moved."""
    local = LocalJudge(RUBRIC).id
    mean = Repeats(3, 3).of(local)
    curve = Curve(judged=(1, 5), human=(2, 4), labels=40, episodes=10, before=1.0, after=0.5, reliability=0.5)
    with Ledger(folder / "judge-ledger.db") as ledger:
        for who in (local, mean):
            ledger.calibrate(Calibration(judge=who, turn={}, episode={"handled_well": curve}, fitted_on=date(2026, 1, 1), audits=("a",)))
    moved = json.loads(embedded)
    for case in moved["cases"].values():
        case["ratings"]["episode"]["handled_well"] += 0.5
    others = moved | {"judge": moved["judge"] | {"model": "cues-0"}}
    void = "is void: the judge is not the one that people corrected"
    for baseline, held in ((embedded, True), (json.dumps(others), True), (json.dumps(moved), False)):
        place(folder, baseline)
        done = golden("check", "--cases", "cases.jsonl", "--repeats", "1")
        assert done.returncode == (0 if baseline == embedded else 1), done.stdout
        with Ledger(folder / "judge-ledger.db") as ledger:
            assert [ledger.calibration(who) is not None for who in (local, mean)] == [held, held]
        assert (void in done.stdout) is not held


def test_without_a_baseline_it_is_undecided_and_says_what_to_do(golden: Golden, folder: Path) -> None:
    done = golden("check", "--cases", "few.jsonl", "--gate", "regression", "--ledger", "mine.db")
    assert (done.returncode, (folder / "mine.db").exists(), cleared(folder, "mine.db")) == (3, True, False)
    assert "UNDECIDED drift" in done.stdout and "run `judge golden accept`" in done.stdout
    assert not (folder / "golden_set").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--gate", "defalt"], "unknown gate 'defalt' (did you mean 'default'?); shipped: default, regression"),
        (["--gate", "mine.toml"], "mine.toml:2: unknown key 'marign' (did you mean 'margin'?)"),
        (["--cases", "nowhere.jsonl"], "cannot read the golden cases nowhere.jsonl"),
        (["--cases", "broken.jsonl"], "broken.jsonl:2: not a line of JSON"),
        (["--cases", "few.jsonl", "--rubric", "sales"], "no golden case in few.jsonl is about the rubric 'sales'"),
        (["--baseline", "mine"], "no baseline golden_set/baselines/mine.json; there are collections.local, collections.openai in"),
        (["--baseline", "few.jsonl/x.json"], "no baseline few.jsonl/x.json"),
        (["--judge", "opennai:model-1"], "unknown judge 'opennai' (did you mean 'openai'?)"),
        (["--judge", "replay:nowhere.jsonl"], "cannot read the recording nowhere.jsonl"),
        (["--rubric", "colections"], "unknown rubric 'colections' (did you mean 'collections'?)"),
        (["--report", "few.jsonl", "--repeats", "1"], "cannot write to few.jsonl"),
        (["--repeats", "0"], "Invalid value for '--repeats': Input should be greater than or equal to 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_status_2(golden: Golden, folder: Path, embedded: str, args: list[str], says: str) -> None:
    place(folder, embedded)
    (folder / "mine.toml").write_text('name = "mine"\nmarign = 1\nclears = false\n')
    (folder / "broken.jsonl").write_text((folder / "few.jsonl").read_text().split("\n")[0] + "\n{oops\n")
    cases = [] if "--cases" in args else ["--cases", "few.jsonl"]
    done = golden("check", *cases, *args)
    assert done.returncode == 2, done.stdout
    assert says in " ".join(done.stderr.replace("│", " ").split()), done.stderr
    assert "PASS" not in done.stdout


@pytest.mark.parametrize(("command", "day"), [("check", "tomorrow"), ("check", "2026-13-01"), ("accept", "1.3.2026")])
def test_a_day_that_is_none_is_wrong_usage(golden: Golden, folder: Path, command: str, day: str) -> None:
    done = golden(command, "--cases", "few.jsonl", "--day", day)
    assert (done.returncode, day in done.stderr) == (2, True)


def test_githubs_summary_is_added_to(golden: Golden, folder: Path, embedded: str) -> None:
    place(folder, embedded)
    (folder / "summary.md").write_text("before\n")
    done = golden("check", "--cases", "few.jsonl", "--gate", "regression", "--repeats", "1", GITHUB_STEP_SUMMARY="summary.md")
    assert done.returncode == 0
    assert (folder / "summary.md").read_text().startswith("before\n")
    assert not list(folder.glob("**/golden-check*"))  # no folder was named


def test_what_is_asked_for_comes_from_settings_too(golden: Golden, folder: Path, embedded: str) -> None:
    place(folder, embedded)
    (folder / "judge.toml").write_text('rubric = "support"\n')
    wrong = golden("check", "--cases", "few.jsonl", "--gate", "regression")
    assert (wrong.returncode, "about the rubric 'support'" in wrong.stderr) == (2, True)
    assert golden("check", "--cases", "few.jsonl", "--gate", "regression", JUDGE_RUBRIC="collections").returncode == 0


# Over the wire


def test_a_plan_asks_nothing(golden: Golden, folder: Path, provider: Provider) -> None:
    args = ("check", "--judge", "openai:gpt-6-luna", "--cases", "few.jsonl", "--plan")
    told, counted = golden(*args, **provider.environ), golden(*args, "--json", "--repeats", "2", **provider.environ)
    assert (told.returncode, counted.returncode, provider.asked()) == (0, 0, 0)
    assert told.stdout.startswith("12 dialogues, 3 times at most: 36 requests, ") and "; $0.0" in told.stdout
    plan = json.loads(counted.stdout)
    assert (plan["dialogues"], plan["runs"], plan["total"]["requests"]) == (12, 2, 24)
    accept = golden("accept", *args[1:], **provider.environ)
    assert (accept.returncode, provider.asked(), (folder / BASELINE).exists()) == (0, 0, False)
    assert accept.stdout.startswith("12 dialogues, 10 times at most: 120 requests, ")


def test_the_same_day_asks_nothing_again_another_day_asks_afresh_and_a_clear_answer_stops_early(
    golden: Golden, folder: Path, provider: Provider, asked_before: str
) -> None:
    place(folder, asked_before)
    args = ("check", *OPENAI, "--cases", "cases.jsonl", "--json")
    first = golden(*args, "--day", "2026-03-01", **provider.environ)
    assert first.returncode == 0, first.stdout + first.stderr
    report, asked = json.loads(first.stdout), provider.asked()
    assert report["asked"] == asked < 30  # unchanged to the last number
    assert report["planned"] == 90
    again = golden(*args, "--day", "2026-03-01", **provider.environ)
    assert (again.stdout, provider.asked()) == (first.stdout, asked)
    other = json.loads(golden(*args, "--day", "2026-03-02", **provider.environ).stdout)
    assert provider.asked() == asked + other["asked"]
    whole = json.loads(golden(*args, "--day", "2026-03-01", "--all", **provider.environ).stdout)
    assert (whole["asked"], provider.asked()) == (30, other["asked"] + 30)  # what was rated that day is not asked again
    provider.set(seed=5)  # a model that says other things
    broken = golden(*args, "--day", "2026-03-03", **provider.environ)
    report = json.loads(broken.stdout)
    assert (broken.returncode, report["decision"], report["reached"]) == (1, "FAIL", True)
    assert (report["asked"], provider.asked()) == (10, other["asked"] + 40)


def test_a_recording_gives_the_same_report_without_the_network(golden: Golden, folder: Path, provider: Provider, asked_before: str) -> None:
    place(folder, asked_before)
    provider.set(noise=0.02)
    args = ("--cases", "few.jsonl", "--gate", "regression", "--day", "2026-03-01", "--repeats", "2", "--json")
    live = golden("check", "--judge", f"compatible:model-1@{provider.url}/v1", *args, "--record", "rec.jsonl", **provider.environ)
    asked = provider.asked()
    assert asked >= 12 and live.returncode in (0, 1, 3), live.stderr
    replayed = golden("check", "--judge", "replay:rec.jsonl", *args, "--ledger", "new.db")
    assert replayed.returncode == live.returncode, replayed.stderr
    assert alike(json.loads(replayed.stdout)) == alike(json.loads(live.stdout))
    assert provider.asked() == asked


def test_a_recording_of_a_check_that_stopped_early_gives_the_same_report(
    golden: Golden, folder: Path, provider: Provider, asked_before: str
) -> None:
    place(folder, asked_before)
    args = ("--cases", "cases.jsonl", "--gate", "regression", "--day", "2026-03-01", "--json")
    live = golden("check", "--judge", "openai:model-1", *args, "--record", "rec.jsonl", **provider.environ)
    assert json.loads(live.stdout)["asked"] < 30
    replayed = golden("check", "--judge", "replay:rec.jsonl", *args, "--ledger", "new.db")
    assert replayed.returncode == live.returncode, replayed.stderr
    assert alike(json.loads(replayed.stdout)) == alike(json.loads(live.stdout))


def test_a_provider_that_is_down_is_status_4_and_decides_nothing(
    golden: Golden, folder: Path, provider: Provider, asked_before: str
) -> None:
    place(folder, asked_before)
    args = ("check", "--cases", "few.jsonl", "--gate", "regression")
    down = golden(*args, "--judge", "compatible:model-1@http://127.0.0.1:9/v1", COMPATIBLE_API_KEY="x", JUDGE_MAX_RETRIES="0")
    assert (down.returncode, "the judge failed too often: 12 unreachable" in down.stdout) == (4, True), down.stdout
    provider.set(server_error=1.0)
    failing = golden(*args, "--judge", "openai:model-1", "--json", JUDGE_MAX_RETRIES="0", **provider.environ)
    report = json.loads(failing.stdout)
    assert (failing.returncode, report["reached"], report["failures"], report["cleared"]) == (4, False, {"server_error": 12}, False)
    provider.set(server_error=0.0)
    spent = golden(*args, "--judge", "openai:model-1", "--max-requests", "5", **provider.environ)
    assert (spent.returncode, "7 not_asked" in spent.stdout) == (4, True), spent.stdout
    assert golden(*args, "--judge", "openai:model-1", **provider.environ).returncode == 0  # the rest is asked now


def test_another_model_than_the_one_asked_is_status_1(golden: Golden, folder: Path, provider: Provider, asked_before: str) -> None:
    place(folder, asked_before)
    provider.set(wrong_model=1.0)
    done = golden("check", *OPENAI, "--cases", "few.jsonl", **provider.environ)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "openai answers as 'someone-else-1', not as 'model-1'" in done.stdout
    assert any(line.split()[:4] == ["FAIL", "the", "model", "asked"] for line in done.stdout.splitlines())
    # One at a time, so that the first answer is the model's own.
    provider.set(wrong_model=0.0, script=["ok", "wrong_model"])
    later = golden("check", *OPENAI, "--cases", "few.jsonl", "--json", JUDGE_CONCURRENCY="1", **provider.environ)
    report = json.loads(later.stdout)
    assert (later.returncode, report["failures"], report["reached"]) == (1, {"wrong_model": 1}, True)


def test_another_model_takes_the_leave_back(golden: Golden, folder: Path, provider: Provider, asked_before: str) -> None:
    place(folder, asked_before)
    asked = make_judge("openai:model-1", RUBRIC).id
    with Ledger(folder / "judge-ledger.db") as ledger:
        ledger.clear(asked, "a check")
    provider.set(wrong_model=1.0)
    done = golden("check", *OPENAI, "--cases", "few.jsonl", **provider.environ)
    assert (done.returncode, "failed too often" in done.stdout) == (1, False)
    with Ledger(folder / "judge-ledger.db") as ledger:
        assert not ledger.cleared(asked)


def test_answers_that_are_none_are_status_1(golden: Golden, folder: Path, provider: Provider, asked_before: str) -> None:
    place(folder, asked_before)
    provider.set(script=["refusal", "truncated"])
    some = golden("check", *OPENAI, "--cases", "few.jsonl", "--json", **provider.environ)
    report = json.loads(some.stdout)
    assert (some.returncode, report["failures"], found(report, "valid answers")["decision"]) == (1, {"refused": 1, "truncated": 1}, "FAIL")
    assert report["drift"][0]["episodes"] == 10


def test_a_judge_all_of_whose_answers_are_malformed_is_status_1(
    golden: Golden, folder: Path, provider: Provider, asked_before: str
) -> None:
    place(folder, asked_before)
    provider.set(invalid_json=1.0)
    assert golden("check", *OPENAI, "--cases", "few.jsonl", **provider.environ).returncode == 1


def test_a_few_cases_decide_nothing_and_take_no_leave_back(golden: Golden, folder: Path, labelled: list[Json]) -> None:
    (folder / "one.jsonl").write_text(json.dumps(labelled[0]) + "\n")
    with Ledger(folder / "judge-ledger.db") as ledger:
        ledger.clear(LocalJudge(RUBRIC).id, "a check")
    done = golden("check", "--cases", "one.jsonl")
    assert (done.returncode, cleared(folder)) == (3, True)
    assert "too few dialogues to tell" in done.stdout
