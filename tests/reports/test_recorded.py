"""The gate on real recorded judges: made-up files of their form, and, where `../shared/data` is there, the real ones."""

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from golden_set.decision import Decision
from reports.recorded import SOURCES, Change, changes, read, split_halves

SHARED = Path(__file__).parent.parent.parent.parent / "shared/data"


def write(folder: Path, source: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"judge_{source}.dev.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def rows(prompt: str, shift: float, first: float = 0.0) -> list[dict[str, Any]]:
    """Forty items on 1-3, five draws each; `first` is added to the first draw."""
    return [
        {
            "item_id": f"i{at}",
            "judge": "j",
            "prompt_variant": prompt,
            "dimension": "coherence",
            "samples": [1 + at % 3 + shift + (first if draw == 0 else 0) + 0.02 * ((at + draw) % 5 - 2) for draw in range(5)] + [None],
            "score": None,
            "human": 1 + at % 3,
        }
        for at in range(40)
    ]


def test_a_change_beyond_the_margin_is_flagged_and_one_within_it_is_not(tmp_path: Path) -> None:
    path = write(tmp_path, "topicalprompts", rows("a", 0.0) + rows("b", 0.0) + rows("c", 0.2))
    source = SOURCES["topicalprompts"]
    found = {change.told: change for change in changes(read(path, source), source)}
    assert {told: change.decision for told, change in found.items()} == {
        "coherence j: a -> b": Decision.PASS,
        "coherence j: a -> c": Decision.FAIL,
        "coherence j: b -> c": Decision.FAIL,
    }
    # 0.2 of the two levels between 1 and 3 is 0.4 of the four between 1 and 5.
    assert found["coherence j: a -> c"].found.mean == pytest.approx(0.4)
    assert found["coherence j: a -> c"].quality == ("0.00 -> 0.20", "1.00 -> 1.00")


def test_halves_of_one_version_pass_unless_a_draw_is_another_judges(tmp_path: Path) -> None:
    source = SOURCES["topicalprompts"]
    same = read(write(tmp_path, "topicalprompts", rows("a", 0.0)), source)
    assert set(split_halves(same, source, seed=1)) == {Decision.PASS}
    first = read(write(tmp_path, "topicalprompts", rows("a", 0.0, first=0.8)), source)
    assert Decision.PASS not in set(split_halves(first, source, seed=1))
    assert set(split_halves(first, source, seed=1, first=1)) == {Decision.PASS}


def test_the_tables_are_printed_and_a_folder_without_files_is_told(tmp_path: Path) -> None:
    write(tmp_path, "topicalprompts", rows("a", 0.0) + rows("c|d", 0.2))
    done = subprocess.run([sys.executable, "-m", "reports.recorded", str(tmp_path)], capture_output=True, text=True, check=True)
    assert "| topicalprompts | coherence j: a -> c d | 40 | +0.40 [+0.40, +0.40] | FAIL |" in done.stdout
    assert "| topicalprompts | 1 | 0 | 1 | 0 |" in done.stdout
    (tmp_path / "empty").mkdir()
    none = subprocess.run([sys.executable, "-m", "reports.recorded", str(tmp_path / "empty")], capture_output=True, text=True)
    assert (none.returncode, "no judge_*.dev.jsonl.gz" in none.stderr) == (1, True)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded judges of ../shared/data are not here")
def test_real_judges_that_did_not_change_are_not_called_changed_and_those_that_did_are() -> None:
    halves: Counter[Decision] = Counter()
    for name in ("topicalprompts", "gpt4_dialogs"):
        source = SOURCES[name]
        halves.update(split_halves(read(SHARED / f"judge_{name}.dev.jsonl.gz", source), source, seed=1))
    assert halves[Decision.FAIL] <= 0.05 * halves.total()  # all of them because of a first draw that truly differs; see the docs
    later: list[Change] = list(changes(read(SHARED / "judge_llmdrift.dev.jsonl.gz", SOURCES["llmdrift"]), SOURCES["llmdrift"]))
    prime = {change.told: change.decision for change in later if change.told.startswith("prime")}
    assert prime["prime prime: gpt-4-0314 -> gpt-4-0613"] is Decision.FAIL
    assert prime["prime prime: gpt-3.5-turbo-0301 -> gpt-3.5-turbo-0613"] is Decision.FAIL
    temperatures = [
        change.decision
        for change in changes(read(SHARED / "judge_gradingscale.dev.jsonl.gz", SOURCES["gradingscale"]), SOURCES["gradingscale"])
        if "t0.1 -> scale" in change.told and change.told.endswith("t0.4")
    ]
    assert len(temperatures) == 30 and Decision.FAIL not in temperatures
