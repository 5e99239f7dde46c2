"""Gates: those that ship, what their files may hold, margins on other scales."""

from pathlib import Path

import pytest

from dialogue.errors import UsageProblem
from golden_set.gate import Gate, load_gate, shipped_gates
from judge.rubric import Scale


def test_the_default_gate_gives_leave_and_the_other_says_unchanged() -> None:
    assert set(shipped_gates()) == {"default", "regression"}
    default, regression = load_gate("default"), load_gate("regression")
    assert (default.clears, regression.clears) == (True, False)
    assert (regression.kappa_floor, regression.recall, regression.false_alarms) == (None, None, None)
    assert default.kappa_floor and default.recall and default.false_alarms
    for name in ("alpha", "margin", "parse_valid", "reached", "kappa_loss", "rank"):
        assert getattr(default, name) == getattr(regression, name)
    assert (default.alpha, default.margin, default.parse_valid) == (0.05, 0.15, 0.995)
    assert default.hash != regression.hash


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("marign = 0.2", r"mine\.toml:3: unknown key 'marign' \(did you mean 'margin'\?\); allowed: name, clears, alpha"),
        ("margin = 0", r"mine\.toml:3: 'margin' is 0: input should be greater than 0"),
        ("margin = 5", r"'margin' is 5: input should be less than or equal to 4"),
        ("alpha = 0.5", r"'alpha' is 0\.5: input should be less than 0\.5"),
        ("recall = 95", r"'recall' is 95: input should be less than or equal to 1"),
        ("reached = nan", r"'reached' is nan: "),
        ('margin = "wide"', r"'margin' is 'wide': "),
        ("margin 0.2", r"mine\.toml:3: not valid TOML"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\nclears = true\n{text}\n')
    with pytest.raises(UsageProblem, match=says):
        load_gate(str(path))


def test_unknown_gates_and_missing_keys(tmp_path: Path) -> None:
    with pytest.raises(
        UsageProblem, match=r"unknown gate 'defalt' \(did you mean 'default'\?\); shipped: default, regression; or give a path"
    ):
        load_gate("defalt")
    with pytest.raises(UsageProblem, match=r"no gate file 'nowhere\.toml'; shipped: default, regression"):
        load_gate("nowhere.toml")
    (tmp_path / "mine.toml").write_text('name = "mine"\n')
    with pytest.raises(UsageProblem, match=r"'clears' is missing"):
        load_gate(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(("levels", "margin"), [(5, 0.15), (2, 0.0375), (3, 0.075), (11, 0.375)])
def test_the_margin_is_as_large_a_part_of_every_scale(levels: int, margin: float) -> None:
    assert Gate(name="g", clears=False).margin_on(Scale.of(["x"] * levels)) == pytest.approx(margin)


def test_the_hash_is_of_the_thresholds(tmp_path: Path) -> None:
    text = shipped_gates()["regression"].read_text()
    (tmp_path / "mine.toml").write_text("# with another remark\n" + text)
    assert load_gate(str(tmp_path / "mine.toml")).hash == load_gate("regression").hash
    (tmp_path / "mine.toml").write_text(text.replace("0.15", "0.20"))
    assert load_gate(str(tmp_path / "mine.toml")).hash != load_gate("regression").hash
