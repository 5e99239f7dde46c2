"""Bands of calibrated ratings: by hand, and how often people's ratings lie within them."""

import numpy as np
import pytest

from golden_set.audit.conformal import half_width, interval
from golden_set.audit.simulation_calibration import Kind, World, try_out
from judge.calibration import Curve
from judge.rubric import Scale


def test_of_episodes_of_one_label_it_is_the_conformal_quantile() -> None:
    """Sizes 1..n: the smallest k with k / (n + 1) >= .9 is 91 of 100 (90.9) and 135 of 149 (135.0)."""
    for count, expected in ((100, 91), (149, 135)):
        off = np.random.default_rng(0).permutation(np.arange(1, count + 1)) * np.where(np.arange(count) % 2, 1.0, -1.0)
        assert half_width(off, np.arange(count), np.ones(count), 0.9) == expected


def test_long_episodes_do_not_dominate() -> None:
    """Nineteen episodes of one label are off by 1, one of 200 labels by 5: of 21 equal shares, 19 lie within 1 (90.5 %)."""
    off = np.array([1.0] * 19 + [5.0] * 200)
    episode = np.array([*range(19), *[19] * 200])
    assert half_width(off, episode, np.ones(219), 0.9) == 1
    assert half_width(off, episode, np.ones(219), 0.91) == 5


def test_weights_count() -> None:
    """110 episodes are off by 1 and 10 by 5. With a weight of 1 for all, 110 / 121 lie within 1; where the ten stand for ten times as
    many each, 110 of 110 + 100 + (110 + 1000) / 210 do.
    """
    off, episode = np.array([1.0] * 110 + [5.0] * 10), np.arange(120)
    assert half_width(off, episode, np.ones(120), 0.9) == 1
    assert half_width(off, episode, np.where(off > 1, 10.0, 1.0), 0.9) == 5
    assert half_width(off, episode, np.where(off > 1, 10.0, 1.0), 110 / (210 + 1110 / 210) - 1e-9) == 1


def test_too_little_makes_no_band() -> None:
    assert half_width(np.ones(99), np.arange(99), np.ones(99), 0.9) is None
    assert half_width(np.ones(100), np.arange(100) % 8, np.ones(100), 0.9) is None  # 8 of 9 episodes are less than 90 %
    assert half_width(np.ones(100), np.arange(100) % 9, np.ones(100), 0.9) == 1


@pytest.mark.parametrize(
    ("band", "rating", "expected"),
    [
        (1.0, 3.0, (2, 4)),  # the ends are levels
        (0.9, 3.0, (2, 4)),  # 2.1 and 3.9: nearly
        (0.5, 3.0, (2, 4)),  # 2.5 and 3.5: half-way goes outwards
        (0.4, 3.0, (3, 3)),  # 2.6 and 3.4: no level is lost inwards
        (1.2, 4.5, (3, 5)),  # 3.3 and 5.7: no further than the scale
        (9.0, 1.0, (1, 5)),
        (0.1, 2.5, (2, 3)),  # no level lies in the band: the nearest
    ],
)
def test_ends_move_to_levels(band: float, rating: float, expected: tuple[int, int]) -> None:
    curve = Curve(judged=(1, 5), human=(1, 5), labels=100, episodes=50, before=1, after=1, reliability=0.5, band=band)
    assert interval(curve, Scale(1, 5), rating) == expected


def test_an_interval_is_around_the_mapped_rating() -> None:
    curve = Curve(judged=(1, 5), human=(2, 2.4), labels=100, episodes=50, before=1, after=1, reliability=0.5, band=1.0)
    assert interval(curve, Scale(1, 5), 5) == (1, 3)
    assert interval(curve.model_copy(update={"band": None}), Scale(1, 5), 5) is None


def test_coverage() -> None:
    """About 100, 150, 200 and 300 labels, about five a dialogue. With 20 dialogues the one to come weighs a 21st: that errs upwards."""
    worlds = [(World(0.6, Kind.LINEAR, 0.6), 20), (World(0.5), 30), (World(0.8, Kind.CEILING), 40), (World(0.0), 40), (World(0.7), 60)]
    means = []
    for world, episodes in worlds:
        covered = [one.covered for one in try_out(world, episodes, sims=40, seed=5) if one.covered is not None]
        assert len(covered) > 10
        means.append(np.mean(covered))
    assert all(0.88 <= mean <= 0.97 for mean in means), means
    assert 0.88 <= np.mean(means) <= 0.95
