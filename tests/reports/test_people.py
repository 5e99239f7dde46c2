"""The report on human-rated dialogues: right sums on a made-up folder; on the real data where it is there."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from reports.people import Items, _cell, _spearman

REAL = Path(__file__).parents[3] / "shared/data"


def test_spearman_agrees_with_scipy_with_ties() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 5, 200), rng.integers(0, 5, 200)
    assert _spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert np.isnan(_spearman(np.ones(5), np.arange(5)))


def test_the_interval_is_clustered_by_dialogue() -> None:
    """Forty copies of each of ten dialogues carry no more than ten dialogues' worth of evidence."""
    rng = np.random.default_rng(0)
    few, many = Items(), Items()
    for cluster in range(10):
        human, judge = float(rng.integers(1, 6)), float(rng.random())
        few.add(cluster, human, judge, "a b", 0.0)
        for _ in range(40):
            many.add(cluster, human, judge, "a b", 0.0)

    def width(items: Items) -> float:
        low, high = _cell(items, "judge").split("[")[1].rstrip("]").split(", ")
        return float(high) - float(low)

    assert width(many) == pytest.approx(width(few), abs=0.1)


def test_reads_a_folder_and_prints_tables(tmp_path: Path) -> None:
    rows = []
    for k in range(30):
        good = k % 2
        reply = f"For {k} people it is ${k}0 on Monday, shall I book it?" if good else "ok"
        turns = [{"role": "user", "text": f"I need {k} seats on Monday"}, {"role": "agent", "text": reply, "human": [4 + good, 2 * good]}]
        rows.append({"id": str(k), "turns": turns, "human": [good], "outcome": float(good), "meta": {}})
    with gzip.open(tmp_path / "dialog_made.dev.jsonl.gz", "wt") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run([sys.executable, "-m", "reports.people", tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    turn, episode = (next(line for line in lines if f"| made | {level} | 30 |" in line) for level in ("turn", "episode"))
    assert float(turn.split("|")[4].split()[0]) > 0.8
    assert float(episode.split("|")[4].split()[0]) > 0.8
    assert any("| made | task's own | 30 |" in line for line in lines)


@pytest.mark.skipif(not REAL.is_dir(), reason="the human-rated dialogues (../shared/data) are not here")
def test_real_dialogues_are_read_rated_and_the_file_scored(tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "judge"
    real = REAL / "dialog_taubench.dev.jsonl.gz"
    done = subprocess.run([command, "score", real, "--rubric", "support"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "116 scored, 0 failed, 0 rejected" in done.stdout
    assert "keys not used" in done.stderr
