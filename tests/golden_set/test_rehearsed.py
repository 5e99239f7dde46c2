"""The whole way over a recording, with no key and no network: what the project's CI does with a judge that is a language model."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from judge.ledger import Ledger
from judge.verdict import JudgeId
from tests import warm

HERE = Path(__file__).parent / "recordings"
Run = Callable[..., CompletedProcess[str]]
RECORDED = ("--judge", f"replay:{HERE / 'rehearsed.jsonl'}", "--baseline", str(HERE / "baseline.json"))


@pytest.fixture
def judge(tmp_path: Path) -> Run:
    """Run `judge ARGS…` in an empty folder, with no key and no setting."""
    return lambda *args: warm.run(tmp_path, {"PATH": os.environ["PATH"]}, list(args))


@pytest.mark.parametrize("day", ["2026-12-01", "2027-02-28"])
def test_the_recorded_judge_passes_on_any_day(judge: Run, tmp_path: Path, day: str) -> None:
    done = judge("golden", "check", *RECORDED, "--day", day, "--report", "report", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["decision"], found["cleared"]) == ("PASS", True)
    assert found["asked"] <= 62  # the recording has one run; it is clear before its end, or then
    with Ledger(tmp_path / "judge-ledger.db") as ledger:
        assert ledger.cleared(JudgeId.model_validate(found["judge"]))
    assert json.loads((tmp_path / "report/golden-check.json").read_text()) == found


def test_a_recording_of_a_judge_that_moved_fails(judge: Run, tmp_path: Path) -> None:
    """Every rating above the lowest is written down one level lower, as another model behind the same name might."""
    text = (HERE / "rehearsed.jsonl").read_text(encoding="utf-8")
    for level in range(2, 6):
        text = text.replace(f'respects_limit\\":{level}', f'respects_limit\\":{level - 1}')
    (tmp_path / "moved.jsonl").write_text(text, encoding="utf-8")
    done = judge("golden", "check", "--judge", "replay:moved.jsonl", *RECORDED[2:], "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["decision"], found["cleared"]) == (1, "FAIL", False)
    assert [row["criterion"] for row in found["drift"] if row["decision"] == "FAIL"] == ["respects_limit"]
    assert all(row["moved"][0]["item"]["text"] for row in found["drift"] if row["decision"] == "FAIL")


def test_the_embedded_judge_is_as_accepted_and_is_not_cleared(judge: Run) -> None:
    for rubric in ("collections", "support", "sales"):
        unchanged = judge("golden", "check", "--rubric", rubric, "--gate", "regression")
        assert unchanged.returncode == 0, unchanged.stdout
        assert "cleared" not in unchanged.stdout
    weak = judge("golden", "check")
    assert weak.returncode == 1
    assert "FAIL      agreement" in weak.stdout


def test_the_action_and_the_workflow_ask_for_what_there_is(root: Path, judge: Run) -> None:
    """Every option of the composite step is one of the command's, and the files that the example names exist."""
    action = (root / ".github/actions/golden-check/action.yml").read_text(encoding="utf-8")
    workflow = (root / ".github/workflows/golden.yml").read_text(encoding="utf-8")
    options = judge("golden", "check", "--help").stdout
    used = {
        word
        for line in action.splitlines()
        if "judge golden check" in line or "--report" in line
        for word in line.split()
        if word[:2] == "--"
    }
    assert used and all(option in options for option in used)
    for word in workflow.replace("replay:", " ").split():
        if word.startswith("tests/"):
            assert (root / word).is_file(), word
