"""Calibration and estimates on ratings by people: made-up files of the folder's form; where `../shared/data` is there, the real ones."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden_set.audit.calibration import Shape
from reports.halves import LABELLED, LOG, draw, halves, main
from reports.rated import Series, of_dialogues, of_judges

SHARED = Path(__file__).parent.parent.parent.parent / "shared/data"
Row = dict[str, Any]


def write(folder: Path, name: str, rows: list[Row]) -> None:
    with gzip.open(folder / f"{name}.dev.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def turns_of(judge: str, *, slope: float, shift: float, noise: float, dialogues: int = 60, each: int = 3) -> list[Row]:
    """Return rows of the form of `tdeval`: two people on 1-5, the judge a line in what is true of a turn."""
    rng = np.random.default_rng(7)
    rows = []
    for dialogue in range(dialogues):
        level = rng.normal(3, 0.8)
        for turn in range(each):
            true = level + rng.normal(0, 0.5)
            said = 3 + slope * (true - 3) + shift + rng.normal(0, noise)
            human = np.clip(true + rng.normal(0, 0.3, 2), 1, 5).round(1).tolist()
            rows.append({"item_id": f"d{dialogue}#{turn}", "judge": judge, "prompt_variant": "p", "dimension": "conv", "human": human})
            rows[-1] |= {"set": "made", "score": float(np.clip(said, 1, 5).round(2))}
    return rows


def series_of(folder: Path, rows: list[Row], source: str = "tdeval") -> Series:
    write(folder, f"judge_{source}", rows)
    (series,) = of_judges(folder)
    return series


def test_a_biased_judge_is_corrected_a_good_one_is_left_alone_and_one_of_noise_is_flat(tmp_path: Path) -> None:
    biased = list(halves(series_of(tmp_path, turns_of("j", slope=0.5, shift=1.0, noise=0.3)), 10))
    assert {split.shape for split in biased} == {Shape.CURVE}
    assert all(split.mapped < 0.75 * split.raw and split.bias > 0.9 and split.mapped_bias < 0.3 for split in biased)
    good = list(halves(series_of(tmp_path, turns_of("j", slope=1.0, shift=0.0, noise=0.05)), 10))
    assert {split.shape for split in good} == {Shape.AS_IS} and all(split.mapped == split.raw for split in good)
    noise = list(halves(series_of(tmp_path, turns_of("j", slope=0.0, shift=0.8, noise=0.8)), 10))
    assert sum(split.shape is Shape.FLAT for split in noise) >= 9
    assert all(split.mapped < split.raw for split in noise)


def test_bands_are_told_of_halves_with_a_hundred_labels_and_hold_what_they_promise(tmp_path: Path) -> None:
    few = list(halves(series_of(tmp_path, turns_of("j", slope=0.5, shift=1.0, noise=0.3, dialogues=60)), 5))
    assert {split.covered for split in few} == {None}  # 30 dialogues of 3 turns
    many = list(halves(series_of(tmp_path, turns_of("j", slope=0.5, shift=1.0, noise=0.3, dialogues=400)), 20))
    covered = [split.covered for split in many if split.covered is not None]
    assert len(covered) == 20 and 0.88 <= np.mean(covered) <= 0.93


def test_a_dialogue_is_never_in_both_halves() -> None:
    """Every dialogue has one judge's rating of its own and one human one: a map that saw a part of it would know the rest."""
    rng = np.random.default_rng(3)
    judged, human = rng.permutation(np.linspace(1, 5, 40)), rng.uniform(1, 5, 40)
    each = np.repeat(np.arange(40), 30)  # 1,200 ratings, but 40 dialogues that tell nothing of each other
    splits = list(halves(Series(("made", "j"), judged[each], human[each], each), 20))
    assert sum(split.shape is Shape.CURVE for split in splits) <= 2
    flat = [split.mapped for split in splits if split.shape is Shape.FLAT]
    assert min(flat) > 0.8  # the standard deviation of people is 1.15: nothing was known beforehand


def test_estimates_hold_the_mean_and_save_the_labels_that_the_correlation_promises(tmp_path: Path) -> None:
    series = series_of(tmp_path, turns_of("j", slope=0.7, shift=0.6, noise=0.5, dialogues=300))
    found = draw(series, 400)
    assert found.dialogues == 300 and found.off == pytest.approx(float((series.judge - series.human).mean()))
    # 400 intervals: a standard error of .011. n = 100 labels of 1,000: 1 - (1 - n / N) rho² of the variance remains.
    assert 0.915 <= found.people <= 0.985 and 0.915 <= found.both <= 0.985
    assert found.saving == pytest.approx((1 - LABELLED / LOG) * found.rho**2, abs=0.08) and found.saving > 0.3
    noise = draw(series_of(tmp_path, turns_of("j", slope=0.0, shift=0.0, noise=1.0, dialogues=300)), 400)
    assert abs(noise.saving) < 0.03 and 0.915 <= noise.both <= 0.985


def test_pairs_of_which_one_is_right_have_no_mean_to_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {
            "item_id": f"i{k}/{side}",
            "judge": "j",
            "prompt_variant": "p",
            "dimension": None,
            "score": 1.0 + (k + side) % 9,
            "human": side - 1,
        }
        for k in range(60)
        for side in (1, 2)
    ]
    series = series_of(tmp_path, rows, "llmbar_ratings")
    assert (series.dialogues, sorted(set(series.human))) == (60, [1.0, 5.0])  # 0 and 1 become the ends of the scale
    assert series.judge.min() == 1.0 and series.judge.max() == pytest.approx(1 + 4 * 8 / 9)  # 9 of 1-10
    monkeypatch.setattr("sys.argv", ["halves", str(tmp_path), "--splits", "2", "--logs", "5"])
    main()
    calibrated, estimated = capsys.readouterr().out.split("Means over logs")
    assert "| llmbar_ratings | j | 1 | 120 |" in calibrated and "llmbar" not in estimated


def test_scales_are_stretched_alike_and_what_lies_off_the_scale_is_no_rating(tmp_path: Path) -> None:
    row = {"judge": "gpt", "prompt_variant": "p", "score": None}
    write(
        tmp_path,
        "judge_topicalprompts",
        [
            row | {"item_id": "a", "dimension": "coherence", "samples": [1, 2, 3, 0, None], "human": 3},  # 0 is off 1-3
            row | {"item_id": "b", "dimension": "coherence", "samples": [0], "human": 3},
            row | {"item_id": "a", "dimension": "groundedness", "samples": [0, 1, 1, 0], "human": 1},
        ],
    )
    coherence, groundedness = of_judges(tmp_path)
    assert (coherence.judge.tolist(), coherence.human.tolist()) == ([3.0], [5.0])
    assert (groundedness.judge.tolist(), groundedness.human.tolist()) == ([3.0], [5.0])


def test_dialogues_that_people_rated_are_rated_by_the_embedded_judge(tmp_path: Path) -> None:
    rows = []
    for k in range(40):
        reply = f"For {k} people it is ${k}0 on Monday, shall I book it?" if k % 2 else "ok"
        turns = [
            {"role": "user", "text": f"I need {k} seats on Monday"},
            {"role": "agent", "text": reply, "human": [3 + k % 2, 2 + 2 * (k % 2)]},
        ]
        rows.append({"id": str(k), "turns": turns * 2, "human": [2 + k % 2] if k else [], "meta": {}})
    rows.append({"id": "mute", "turns": [{"role": "user", "text": "Hello?", "human": [1]}], "human": [1], "meta": {}})
    write(tmp_path, "dialog_made", rows)
    whole, single = of_dialogues(tmp_path)
    assert (whole.name, len(whole.human), whole.dialogues) == (("made", "embedded (episodes)"), 39, 39)
    assert (single.name, len(single.human), single.dialogues) == (("made", "embedded (turns)"), 80, 40)
    assert sorted(set(single.human)) == [2.5, 4.0] and sorted(set(whole.human)) == [2.0, 3.0]
    assert np.corrcoef(single.judge, single.human)[0, 1] > 0.8
    assert 1 <= single.judge.min() <= single.judge.max() <= 5
    write(tmp_path, "dialog_dices", [row | {"meta": {"set": "350"}, "human": [1, 0, 0, 0]} for row in rows[:2]])
    unsafe = next(series for series in of_dialogues(tmp_path) if series.name == ("dices/350", "embedded (episodes)"))
    assert unsafe.human.tolist() == [4.0, 4.0]  # a quarter of the raters call it unsafe: a quarter of the way down


def test_the_tables_are_printed_and_a_folder_without_files_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = turns_of("few", slope=1, shift=0, noise=0, dialogues=10)
    write(tmp_path, "judge_tdeval", turns_of("j", slope=0.5, shift=1.0, noise=0.3) + few)

    def printed(*args: str) -> list[str]:
        monkeypatch.setattr("sys.argv", ["halves", *args, "--splits", "3", "--logs", "20"])
        main()
        return capsys.readouterr().out.splitlines()

    lines = printed(str(tmp_path))
    assert lines[0] == "Series left out: 1 with fewer than 60 ratings or 30 dialogues."
    rows = [line for line in lines if line.startswith("| tdeval | j | 1 |")]
    assert len(rows) == 2 and rows[0].startswith("| tdeval | j | 1 | 180 | 1.") and rows[1].startswith("| tdeval | j | 1 | 60 | 0.")
    assert "| 100% |" in rows[0] and "- (under 100 labels)" in rows[0]
    assert [line.split(" | ")[2] for line in lines if line.startswith("| all |")] == ["1", "1"]
    assert any(line.startswith("| tdeval | j | made conv p | 180 |") for line in printed(str(tmp_path), "--all"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="of a known source with enough ratings"):
        printed(str(tmp_path / "empty"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the ratings by real people (../shared/data) are not here")
def test_real_judges_come_nearer_to_people_and_useless_ones_fall_silent() -> None:
    by_name = {
        series.name[:3]: series for series in of_judges(SHARED) if series.name[0] in ("gradingscale", "llmbar_ratings", "gpt4_dialogs")
    }
    useless = list(halves(by_name["llmbar_ratings", "ChatGPT", ""], 5))
    assert {split.shape for split in useless} == {Shape.FLAT}  # rho about 0; see the folder's README
    lenient = list(halves(by_name["gradingscale", "mistral", "overall 0-10"], 10))
    assert np.mean([split.mapped for split in lenient]) < 0.85 * np.mean([split.raw for split in lenient])
    found = draw(by_name["gpt4_dialogs", "gpt-4", "fed ovr"], 200)
    assert 0.90 <= found.both <= 0.99 and found.saving > 0.3
