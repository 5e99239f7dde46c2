"""What calibration promises, on simulated judges that are known; the long tables are what the module prints."""

import numpy as np
import pytest

from golden_set.audit import simulation_calibration
from golden_set.audit.calibration import Shape
from golden_set.audit.simulation_calibration import TINY, TWO, Kind, World, audit, blends, counts, error, shapes, try_out, worse


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_judges_are_what_they_are_called(correlation: float) -> None:
    rows = audit(np.random.default_rng(0), World(correlation, Kind.PERFECT), 4000)
    found = np.corrcoef(rows.judge, rows.human)[0, 1] if correlation else 0.0
    assert found == pytest.approx(correlation, abs=0.03)
    away = audit(np.random.default_rng(0), World(correlation, Kind.LINEAR, 0.5), 4000)
    assert np.mean(away.judge - away.human) == pytest.approx(0.45, abs=0.06)  # the top of the scale eats some
    assert 4.9 < len(rows.judge) / rows.episodes < 5.1
    means = np.bincount(rows.episode, rows.human) / np.bincount(rows.episode)
    assert means.var() > 0.5 * rows.human.var()  # turns of a dialogue resemble each other: independent ones would have a fifth


@pytest.mark.parametrize(
    "world",
    [
        World(0.9),  # nearly nothing to mend
        World(0.5),
        World(0.0, bias=0.6),
        World(0.9, Kind.NARROW, 0.6),
        World(0.7, Kind.CEILING),
    ],
    ids=str,
)
@pytest.mark.parametrize("episodes", [30, 100])
def test_calibrated_ratings_are_no_worse_than_raw_ones(world: World, episodes: int) -> None:
    tried = try_out(world, episodes, sims=25, seed=3)
    assert worse(tried) == 0
    assert np.mean([one.mapped for one in tried]) <= tried[0].raw


@pytest.mark.parametrize("episodes", [30, 100])
def test_a_perfect_judge_is_left_alone(episodes: int) -> None:
    tried = try_out(World(0.8, Kind.PERFECT), episodes, sims=40, seed=4)
    assert worse(tried, TINY) == 0 and shapes(tried)[Shape.AS_IS] >= 0.95


@pytest.mark.parametrize("kind", [Kind.LINEAR, Kind.CEILING])
def test_noise_is_mapped_to_one_value(kind: Kind) -> None:
    tried = try_out(World(0.0, kind), 40, sims=100, seed=5)
    assert shapes(tried)[Shape.FLAT] >= 0.95
    assert max(one.rise for one in tried) < 0.6  # of 4 levels, where it passes the test by chance
    assert np.mean([one.rise for one in tried]) < 0.02


@pytest.mark.parametrize("world", TWO, ids=str)
@pytest.mark.parametrize("labels", [30, 100, 250, 1000])
def test_the_blend_is_near_the_better_of_its_parts(world: World, labels: int) -> None:
    found = blends(world, labels, sims=20, seed=6)
    assert found["blend"] <= min(found["linear"], found["isotonic"]) + 0.01
    assert found["blend"] < found["raw"] - 0.1


def test_where_a_line_is_right_it_is_the_better_and_where_not_not() -> None:
    line, steps = blends(TWO[0], 60, sims=15, seed=7), blends(TWO[1], 1000, sims=5, seed=7)
    assert line["linear"] < line["isotonic"]
    assert steps["isotonic"] < steps["linear"]


def test_what_labels_are_worth_is_never_far_from_the_better_count() -> None:
    for world in TWO:
        found = counts(world, 40, sims=15, seed=8)
        assert found["worth"] <= min(found.values()) + 0.003


def test_error_by_hand() -> None:
    assert error(np.array([1.0, 2.0]), np.array([4.0, 6.0])) == pytest.approx(np.sqrt((9 + 16) / 2))


def test_the_module_prints_its_tables(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(simulation_calibration, "WORLDS", (World(0.7), World(0.7, Kind.PERFECT)))
    monkeypatch.setattr(simulation_calibration, "LABELS", (30,))
    simulation_calibration.main(["--sims", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:33].split() for line in lines if line.startswith("perfect")] == [
        ["perfect", "corr", "0.7", "bias", "+0.0", str(episodes)] for episodes in (30, 60, 200)
    ]
    assert sum(line.startswith(("linear", "ceiling")) for line in lines) == 3 + 2 + 6
