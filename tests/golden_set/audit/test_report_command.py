"""`judge audit report` prints what people found, as a person reads it, as JSON and as files; it refuses what it could not mean."""

import json
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from golden_set.audit.findings import AuditReport
from golden_set.audit.sample import AuditLabel
from judge.calibration import Calibration
from judge.ledger import Ledger
from tests import warm
from tests.golden_set.audit.made_audit import Audit, Told, label, make_audit, simulated


@pytest.fixture(scope="module")
def made() -> tuple[Audit, list[AuditLabel]]:
    audit, labels, _ = simulated(bias=0.5)
    return audit, labels


@pytest.fixture
def folder(tmp_path: Path, made: tuple[Audit, list[AuditLabel]]) -> Path:
    made[0].keep(tmp_path / "judge-ledger.db", made[1])
    return tmp_path


def run(folder: Path, *args: str | Path, **environ: str) -> CompletedProcess[str]:
    return warm.run(folder, {"HOME": str(folder), **environ}, ["audit", "report", *map(str, args)])


def test_it_prints_what_people_found(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "audit 2026-11 of mine/scripted-1 on calls@479c6369c8ba, drawn on 2026-11-21 from 400 scored dialogues"
    assert lines[1] == "60 of 60 drawn dialogues were rated, 60 of them in full; rated by two: 20 of 20"
    assert "  r1            60      420" in lines
    assert "PASS      people agree with each other" in done.stdout
    assert "FAIL      the judge is not biased" in done.stdout and "run `judge calibrate`" in done.stdout
    for head in (
        "criterion",
        "slice",
        "difference",
        "violations, weighted",
        "the worst disagreements (5 of 20 in the report)",
        "mean reward",
    ):
        assert any(head in line for line in lines), head
    assert any(line.startswith("  policy:v3 - policy:v2") for line in lines)
    assert any(line.startswith("  dialogues with a violation of honest: judge alone 7.5%") for line in lines)
    assert max(map(len, lines)) < 200


def test_json_is_the_report_and_nothing_else(folder: Path) -> None:
    done = run(folder, "--json")
    found = AuditReport.model_validate_json(done.stdout)
    assert (found.kind, found.sample.name, len(found.disagreements)) == ("audit-report", "2026-11", 20)
    assert found.calibration is None


def test_it_writes_the_data_and_changes_nothing_in_the_ledger(folder: Path) -> None:
    def held() -> bytes:
        return b"".join((folder / name).read_bytes() for name in ("judge-ledger.db",))

    before = held()
    done = run(folder, "--report", "out")
    assert done.returncode == 0, done.stderr
    assert AuditReport.model_validate(json.loads((folder / "out/audit-report.json").read_text(encoding="utf-8"))).raters
    assert "report: out/audit-report.json" in done.stdout
    assert held() == before


def test_people_and_judge_stand_side_by_side_and_hidden_characters_are_seen(tmp_path: Path) -> None:
    log = [Told(turns=((5, 1),), well=3), Told(turns=((3, 1),), well=3)]
    audit = make_audit(log, [0], {1: "odd\x1b[31m"})
    item = audit.items[0]
    turns = (item.shown.turns[0].model_copy(update={"text": "line one\n\u202eline two\x1b[2J" + " long" * 100}), *item.shown.turns[1:])
    audit.items[0] = item.model_copy(update={"shown": item.shown.model_copy(update={"turns": turns})})
    labels = [*label("e001", "r1", [(1, 1)], 3, note="cold\u200b"), *label("e002", "r1", [(3, 1)], 3)]
    audit.keep(tmp_path / "judge-ledger.db", labels)
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    quoted = done.stdout.split("the worst disagreements")[1]
    assert "e001 (call-0), turn 0: listens, 1 to 5" in quoted
    assert "    | Agent: line one\n    | ⟨U+202E⟩line two⟨U+001B⟩[2J long" in quoted
    assert "    judge  5     listening of 0 “says 0”\n    r1     1     cold⟨U+200B⟩\n" in quoted
    assert "1 of 1 odd dialogues were rated" in quoted
    assert "e002  odd⟨U+001B⟩[31m: judge and people say the same" in quoted
    assert "\x1b" not in done.stdout
    assert max(map(len, quoted.splitlines())) < 260


def test_nobody_has_rated_anything_yet(tmp_path: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    made[0].keep(tmp_path / "judge-ledger.db")
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "60 dialogues wait" in done.stderr and "judge audit read FILE --rater NAME" in done.stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--ledger", "other.db"), "no ledger other.db"),
        (("--audit", "2026-12"), "did you mean '2026-11'?"),
        (("--recipe", "blond"), "blond"),
        (("--report", "judge-ledger.db"), "cannot write to judge-ledger.db"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, args: tuple[str, ...], told: str) -> None:
    done = run(folder, *args)
    assert (done.returncode, told in done.stderr, done.stdout) == (2, True, ""), done.stderr
    assert not (folder / "other.db").exists()


@pytest.mark.parametrize(
    ("field", "was", "option", "told"),
    [
        ("recipe", "blend@000000000000", "--recipe", "was drawn with blend@000000000000, but 'blend' is blend@"),
        (
            "outcomes",
            "collections@000000000000",
            "--outcomes",
            "was drawn with collections@000000000000, but 'collections' is collections@",
        ),
        ("recipe", "gone@000000000000", "--recipe", "was drawn with the recipe gone@000000000000"),
    ],
)
def test_rewards_are_made_as_the_log_was_unless_another_recipe_is_named(
    tmp_path: Path, made: tuple[Audit, list[AuditLabel]], field: str, was: str, option: str, told: str
) -> None:
    audit = Audit(made[0].sample.model_copy(update={field: was}), made[0].frame, made[0].items)
    audit.keep(tmp_path / "judge-ledger.db", made[1])
    refused = run(tmp_path)
    assert (refused.returncode, told in refused.stderr, option in refused.stderr) == (2, True, True), refused.stderr
    done = run(tmp_path, option, "blend" if field == "recipe" else "collections", "--json")
    assert done.returncode == 0, done.stderr
    assert "the judge's own mean reward is left out" in done.stderr
    rewards = [row for row in AuditReport.model_validate_json(done.stdout).estimates if row.of == "reward"]
    assert rewards and all(row.judge is None for row in rewards)


def test_the_calibration_that_holds_is_named(folder: Path, made: tuple[Audit, list[AuditLabel]]) -> None:
    held = Calibration(judge=made[0].sample.judge, turn={}, episode={}, fitted_on=date(2026, 11, 20), audits=("2026-10",))
    with Ledger(folder / "judge-ledger.db") as ledger:
        ledger.calibrate(held)
    done = run(folder)
    assert f"calibration {held.id} holds: figures here are the judge's own ratings, before it" in done.stdout
