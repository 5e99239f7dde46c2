"""`judge calibrate`: what it keeps and takes back, what it prints, and what it refuses; as a process."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from golden_set.audit.findings import CalibrationReport
from golden_set.audit.sample import AuditLabel
from judge.calibration import Calibration
from judge.judges import make_judge
from judge.ledger import Ledger
from judge.pooling import Repeats
from judge.verdict import JudgeId
from tests import warm
from tests.golden_set.audit.made_audit import RUBRIC, Audit, simulated

JUDGE = make_judge("openai:model-1", RUBRIC).id
OPTIONS = ("--judge", "openai:model-1", "--rubric", "calls.toml", "--day", "2026-11-22")


@pytest.fixture(scope="module")
def made() -> tuple[Audit, list[AuditLabel]]:
    audit, labels, _ = simulated(bias=0.6, drawn=60)
    return audit, labels


def keep(folder: Path, made: tuple[Audit, list[AuditLabel]], *, judge: JudgeId = JUDGE, name: str = "2026-11", labels: int = 10**6) -> None:
    audit, said = made
    audit = Audit(audit.sample.model_copy(update={"judge": judge, "name": name}), audit.frame, audit.items)
    audit.keep(folder / "judge-ledger.db", said[:labels])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    blocks = [f'name = "{RUBRIC.name}"\nabout = "{RUBRIC.about}"']
    for table, criteria in (("turn", RUBRIC.turn), ("episode", RUBRIC.episode)):
        for one in criteria:
            told = f'[[{table}]]\nname = "{one.name}"\nquestion = "?"\nlevels = {json.dumps(one.levels)}'
            blocks.append(told + ("\ncritical = true" if one.critical else ""))
    (tmp_path / "calls.toml").write_text("\n\n".join(blocks))
    return tmp_path


def run(folder: Path, *args: str | Path, **environ: str) -> CompletedProcess[str]:
    return warm.run(folder, {"HOME": str(folder), **environ}, ["calibrate", *OPTIONS, *map(str, args)])


def held(folder: Path, judge: JudgeId = JUDGE) -> Calibration | None:
    with Ledger(folder / "judge-ledger.db") as ledger:
        return ledger.calibration(judge)


def test_it_fits_and_keeps(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    keep(folder, made)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    kept = held(folder)
    assert kept and set(kept.turn) >= {"listens"} and set(kept.episode) == {"well"}
    lines = done.stdout.splitlines()
    assert lines[0] == f"openai/model-1 on calls@{RUBRIC.hash[:12]}: 60 dialogues of 2026-11"
    assert lines[1].split() == ["criterion", "labels", "RMSE", "bias", "reliability", "90%", "band", "judge", "->", "people"]
    curve = kept.turn["listens"]
    listens = next(line for line in lines if line.startswith("  listens")).split()
    assert listens[1:6] == ["180", f"{curve.before:.2f}", "->", f"{curve.after:.2f}", "+0.55"]
    assert listens[8:] == [f"{level}->{curve.at(level):.1f}" for level in range(1, 6)]
    assert "no band (of 60 labels, 100 are needed)" in next(line for line in lines if line.startswith("  well (episode)"))
    assert lines[-1] == f"calibration {kept.id} (in judge-ledger.db): `judge score` maps this judge's ratings by it from now on"
    assert max(map(len, lines)) < 160


def test_replicates_are_kept_with_it(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    keep(folder, made)
    run(folder)
    kept = held(folder)
    with Ledger(folder / "judge-ledger.db") as ledger:
        found = ledger.replicates(kept.id) if kept else None
    assert kept and found and (found.count, set(found.turn), set(found.episode)) == (200, set(kept.turn), set(kept.episode))


def test_a_dry_run_keeps_nothing(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    keep(folder, made)
    done = run(folder, "--dry-run")
    assert done.returncode == 0 and done.stdout.rstrip().endswith("is not kept (--dry-run)")
    assert held(folder) is None


def test_void_takes_it_back(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    keep(folder, made)
    run(folder)
    kept = held(folder)
    assert kept
    done = run(folder, "--void")
    assert (done.returncode, held(folder)) == (0, None)
    assert done.stdout.startswith(f"calibration {kept.id} of openai/model-1 on calls@") and "is void" in done.stdout
    again = run(folder, "--void")
    assert again.returncode == 1 and "nothing to take back" in again.stdout
    assert json.loads(run(folder, "--void", "--json").stdout)["voided"] is None
    refused = run(folder, "--void", "--dry-run")
    assert refused.returncode == 2 and "--void fits nothing" in refused.stderr


def test_a_second_one_takes_the_place_of_the_first(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    keep(folder, made)
    keep(folder, made, name="2026-12")
    run(folder, "--audit", "2026-11")
    first = held(folder)
    done = run(folder)
    second = held(folder)
    assert first and second and (first.audits, second.audits) == (("2026-11",), ("2026-11", "2026-12"))
    assert f"calibration {second.id}, instead of {first.id} (in judge-ledger.db)" in done.stdout
    assert second.turn["listens"].episodes == 60  # the same dialogues in both


def test_too_few_labels(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    """The first 20 labels are of four dialogues, three turns and the whole each, some by two people: 16 places, of which 10 to 12 turns."""
    keep(folder, made, labels=20)
    done = run(folder)
    assert done.returncode == 1, done.stderr
    assert held(folder) is None
    assert "not fitted: " in done.stdout and "more are needed" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("nothing is fitted: the most that a criterion has is ")
    assert "30 labels of 15 dialogues are needed" in done.stdout.splitlines()[-1]


def test_json_is_the_report_and_the_report_is_written(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    keep(folder, made)
    done = run(folder, "--json", "--report", "out")
    found = CalibrationReport.model_validate_json(done.stdout)
    kept = held(folder)
    assert kept and (found.id, found.kept, found.audits, found.judge_key) == (kept.id, True, ("2026-11",), JUDGE.key)
    assert CalibrationReport.model_validate_json((folder / "out" / "audit-calibration.json").read_text()) == found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"prompt_hash": "0123456789abcdef"}, "prompt_hash was 0123456789ab, is "),
        ({"model": "model-0"}, "model was 'model-0', is 'model-1'"),
        ({"sampling": "hot"}, "sampling was 'hot', is "),
    ],
)
def test_a_new_judge_has_no_map(folder: Path, made: tuple[Audit, list[AuditLabel]], change: dict[str, str], told: str) -> None:
    keep(folder, made, judge=JUDGE.model_copy(update={**change, "rubric_hash": "1"}), name="far")
    keep(folder, made, judge=JUDGE.model_copy(update=change), name="near")
    for args in ((), ("--audit", "near")):
        done = run(folder, *args)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        assert "the audit 'near' is of another judge: " in done.stderr and told in done.stderr
        assert "draw an audit of this one" in done.stderr and "rubric_hash" not in done.stderr
    assert held(folder) is None


def test_a_mean_of_ratings_is_a_judge_of_its_own(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    mean = Repeats(3, 3).of(JUDGE)
    keep(folder, made, judge=mean)
    assert "mean of 3" in run(folder).stderr
    assert run(folder, "--repeats", "3").returncode == 0
    assert held(folder, mean) and not held(folder)
    assert run(folder, "--dry-run", JUDGE_REPEATS="3").returncode == 0


def test_names_are_checked(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    none = run(folder)
    assert none.returncode == 2 and "draw one with `judge audit draw`" in none.stderr
    keep(folder, made)
    done = run(folder, "--audit", "2026-1")
    assert done.returncode == 2 and "no audit '2026-1' in judge-ledger.db (did you mean '2026-11'?)" in done.stderr
    assert run(folder, "--day", "soon").returncode == 2


def test_help_says_what_it_means(folder: Path) -> None:
    told = run(folder, "--help", COLUMNS="200").stdout
    assert "flat map" in told and "Exit status" in told
