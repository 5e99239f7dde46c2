"""The learning curve: right means and intervals, in bounded memory, the same however often it was saved in between."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.checkpoint import sealed
from policies.curve import BINS, CONFIDENT, Curve, margin

batches = st.lists(st.lists(st.floats(-1e6, 1e6), max_size=4), max_size=60)


@settings(max_examples=80, deadline=None)
@given(batches=batches, cut=st.integers(0, 60))
def test_bins_hold_what_went_in(batches: list[list[float]], cut: int) -> None:
    curve = Curve()
    for number, returns in enumerate(batches):
        curve.add(10 * (number + 1), np.array(returns), {"loss": float(number), "odd": 1.0} if number % 2 else {"loss": float(number)})
        if number == cut:
            state, curve = curve.state(), Curve()
            curve.restore(state)
    points, flat = curve.points(), [value for returns in batches for value in returns]
    assert sum(point.episodes for point in points) == len(flat)
    assert sum(point.batches for point in points) == len(batches)
    assert math.isclose(sum(point.episodes * point.mean for point in points), sum(flat), rel_tol=1e-9, abs_tol=1e-3)
    whole = curve.latest(1.0)
    if len(flat) > 1:
        assert math.isclose(
            margin(whole.squares, whole.episodes) or 0.0,
            CONFIDENT * np.std(flat, ddof=1) / math.sqrt(len(flat)),
            rel_tol=1e-6,
            abs_tol=1e-6,
        )
    if batches:
        assert points[-1].steps == 10 * len(batches)
        assert math.isclose(whole.told["loss"], (len(batches) - 1) / 2, abs_tol=1e-9)


def filled(count: int, saved_at: tuple[int, ...] = ()) -> Curve:
    rng, curve = np.random.default_rng(0), Curve()
    for number in range(count):
        metrics = {"loss": rng.random(), "nan": math.nan} | ({"late": 2.0} if number > 700 else {})
        curve.add(256 * (number + 1), rng.normal(size=rng.integers(0, 3)), metrics)
        if number in saved_at:
            state, curve = curve.state(), Curve()
            curve.restore(state)
    return curve


def test_memory_is_bounded_and_thinning_does_not_depend_on_stops() -> None:
    one = filled(5_000)
    other = filled(5_000, saved_at=(0, 3, 499, 500, 998, 999, 1000, 1001, 2_999, 4_444))
    assert sealed(one.state()) == sealed(other.state())
    assert len(one.points()) < BINS
    assert one.width == 8  # halved at 1,000, 2,000 and 4,000 batches
    assert {point.batches for point in one.bins} == {8}
    assert "nan" not in one.latest().told, "what is no number is left out, not counted"
    assert one.latest().told["late"] == 2.0
    assert one.points()[-1].steps == 256 * 5_000
    assert sorted(point.steps for point in one.points()) == [point.steps for point in one.points()]


def test_latest_is_the_last_share_of_the_steps_and_reaches_back_for_episodes() -> None:
    curve = Curve()
    for number in range(100):
        curve.add(number + 1, np.array([float(number)]), {})
    assert curve.latest(0.1).mean == 94.5  # 90 … 99
    assert curve.latest(0.1).episodes == 10
    for number in range(100, 1_000):
        curve.add(number + 1, np.empty(0), {})
    assert curve.latest(0.1).episodes == 2  # the last 100 steps ended none: it goes back to the last two that did, 98 and 99
    assert curve.latest(0.1).mean == 98.5
    assert Curve().latest().episodes == 0


@pytest.mark.parametrize("returns", [[], [1.0]])
def test_one_episode_has_no_interval(returns: list[float]) -> None:
    curve = Curve()
    curve.add(1, np.array(returns), {})
    point = curve.points()[0]
    assert margin(point.squares, point.episodes) is None


def test_the_same_episodes_again_do_not_narrow_an_interval() -> None:
    once, ten_times = margin(100.0, 50), margin(1_000.0, 500, of=50)
    assert once is not None and ten_times is not None
    assert math.isclose(ten_times, once, rel_tol=0.02)
