"""Ridge regression as data comes: always the closed solution, one at a time or in blocks, for years."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.ridge import SMALL, Ridges, arms, widened


def closed(xs: np.ndarray, ys: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Return A^-1 and theta, solved at once."""
    a = ridge * np.eye(xs.shape[1]) + xs.T @ xs
    return np.linalg.inv(a), np.linalg.solve(a, xs.T @ ys)


@pytest.mark.parametrize("width", [1, 15, 40])
def test_one_at_a_time_is_the_closed_solution_after_thousands(width: int) -> None:
    rng = np.random.default_rng(0)
    xs, which = rng.standard_normal((6000, width)), rng.integers(3, size=6000)
    ys = xs @ rng.standard_normal(width) + rng.standard_normal(6000)
    held = arms(3, width, 0.5)
    work = Ridges(held)
    for x, arm, y in zip(xs, which, ys, strict=True):
        work.add(int(arm), x, float(y))
    for arm in range(3):
        inverse, theta = closed(xs[which == arm], ys[which == arm], 0.5)
        assert np.abs(held[arm, :-1, :-1] - inverse).max() < 1e-9
        assert np.abs(held[arm, -1, :-1] - theta).max() < 1e-9
        assert not held[arm, :, -1].any()


def test_it_does_not_drift_away() -> None:
    """100,000 of contexts that nearly lie in a plane: what rounding adds up to stays small."""
    rng = np.random.default_rng(1)
    base = rng.standard_normal((100_000, 2))
    xs = base @ rng.standard_normal((2, 6)) + 1e-3 * rng.standard_normal((100_000, 6))
    ys = base[:, 0] + 0.1 * rng.standard_normal(100_000)
    held = arms(1, 6, 1.0)
    work = Ridges(held)
    for x, y in zip(xs, ys.tolist(), strict=True):
        work.add(0, x, y)
    inverse, theta = closed(xs, ys, 1.0)
    assert np.abs(held[0, :-1, :-1] - inverse).max() < 1e-9
    assert np.abs(held[0, -1, :-1] - theta).max() < 1e-9


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_blocks_equal_one_at_a_time(width: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xs, which, ys = rng.standard_normal((n, width)), rng.integers(2, size=n), rng.standard_normal(n)
    one, many = arms(2, width, 1.0), arms(2, width, 1.0)
    single, block = Ridges(one), Ridges(many)
    for part in np.array_split(np.arange(n), 3):
        for k in part:
            single.add(int(which[k]), xs[k], float(ys[k]))
        times = (which[part] == np.arange(2)[:, None]).astype(float)
        block.add_block(times, times * ys[part], xs[part])
    assert np.allclose(one, many, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [5, 200])
def test_wide_blocks_equal_the_closed_solution(n: int) -> None:
    rng = np.random.default_rng(2)
    width = SMALL + 20
    xs, ys, which = rng.standard_normal((n, width)), rng.standard_normal(n), rng.integers(3, size=n)
    held = arms(3, width, 1.0)
    times = (which == np.arange(3)[:, None]).astype(float)
    Ridges(held).add_block(times, times * ys, xs)
    for arm in range(3):
        inverse, theta = closed(xs[which == arm], ys[which == arm], 1.0)
        assert np.abs(held[arm, :-1, :-1] - inverse).max() < 1e-9
        assert np.abs(held[arm, -1, :-1] - theta).max() < 1e-9


@pytest.mark.parametrize("width", [4, SMALL + 6])
def test_a_row_seen_often_counts_as_often(width: int) -> None:
    rng = np.random.default_rng(3)
    rows, times = rng.standard_normal((5, width)), np.array([[3.0, 0, 1, 7, 2]])
    sums = rng.standard_normal((1, 5)) * (times > 0)
    held = arms(1, width, 1.0)
    Ridges(held).add_block(times, sums, rows)
    often = times[0].astype(int)
    inverse, theta = closed(np.repeat(rows, often, 0), np.repeat(sums[0] / np.maximum(often, 1), often), 1.0)
    assert np.allclose(held[0, :-1, :-1], inverse, atol=1e-10)
    assert np.allclose(held[0, -1, :-1], theta, atol=1e-10)


def test_new_features_join_as_if_they_had_been_0_before() -> None:
    rng = np.random.default_rng(4)
    xs, ys = rng.standard_normal((50, 3)), rng.standard_normal(50)
    held = arms(1, 3, 2.0)
    Ridges(held).add_block(np.ones((1, 50)), ys[None], xs)
    wider = np.zeros((50, 5))
    wider[:, [4, 0, 2]] = xs
    inverse, theta = closed(wider, ys, 2.0)
    grown = widened(held, 5, [4, 0, 2], 2.0)
    assert np.allclose(grown[0, :-1, :-1], inverse, atol=1e-10)
    assert np.allclose(grown[0, -1, :-1], theta, atol=1e-10)
