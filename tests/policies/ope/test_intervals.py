"""Ratios, their bootstrap and the guaranteed bounds: against worked examples, brute force, scipy, and known values."""

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from policies.ope.bernstein import below_mean, mean_bounds, value_bounds
from policies.ope.bootstrap import Draws, Kind, bootstrap, joint_bootstrap, times_drawn
from policies.ope.evaluation import Evaluator, Worlds, estimates
from policies.ope.known_logs import CASES
from policies.ope.overlap import Overlap, effective, overlap, too_little
from policies.ope.ratios import Ratios, joined
from policies.ope.simulation import watch
from policies.ope.small_mdp import SmallProcess
from policies.ope.trajectories import Trajectories


def ratios(seed: int, n: int = 12, k: int = 3) -> Ratios:
    rng = np.random.default_rng(seed)
    return Ratios(rng.normal(size=(n, k)), rng.uniform(0.2, 3, (n, k)))


def test_a_sum_of_ratios_by_hand() -> None:
    """(1 + 3) / (1 + 1) + (2 + 0) / (4 + 1) = 2 + 0.4; drawn twice the second: 6 / 2 + 0 / 2 = 3."""
    one = Ratios(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[1.0, 4.0], [1.0, 1.0]]))
    assert one.value == pytest.approx(2.4)
    assert one.draws(np.array([[0.0, 2.0], [1.0, 1.0]])) == pytest.approx(np.array([3.0, 2.4]))
    assert one.without == pytest.approx(np.array([3.0, 1.5]))
    assert (one - one).value == pytest.approx(0) and joined([one, one]).value == pytest.approx(4.8)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 4))
def test_drawing_is_the_same_as_repeating_episodes(seed: int, k: int) -> None:
    one, rng = ratios(seed, k=k), np.random.default_rng(seed)
    times = rng.multinomial(12, np.full(12, 1 / 12), 5).astype(float)
    values, errors = one.draws_and_errors(times)
    for row, value, error in zip(times, values, errors, strict=True):
        at = np.repeat(np.arange(12), row.astype(int))
        again = Ratios(one.numerators[at], one.denominators[at])
        assert (again.value, again.error) == (pytest.approx(value), pytest.approx(error))
    assert one.draws(times) == pytest.approx(values)
    assert one.influences.sum() == pytest.approx(0, abs=1e-12)
    for at in range(12):  # the jackknife, by leaving out
        kept = np.delete(np.arange(12), at)
        assert Ratios(one.numerators[kept], one.denominators[kept]).value == pytest.approx(one.without[at])


def test_the_error_of_a_mean_is_the_textbook_one() -> None:
    values = np.random.default_rng(1).normal(size=50)
    assert Ratios.mean(values).error == pytest.approx(values.std(ddof=1) / sqrt(50))
    times = np.ones((1, 50))
    assert Ratios.mean(values).draws_and_errors(times)[1] == pytest.approx([values.std(ddof=1) / sqrt(50)])


def test_counts_are_those_of_draws_with_replacement() -> None:
    times = np.concatenate(list(times_drawn(40, 30_000, np.random.default_rng(2))))
    assert times.shape == (30_000, 40) and (times.sum(1) == 40).all()
    assert times.mean(0) == pytest.approx(np.ones(40), abs=0.03)
    assert times.var(0) == pytest.approx(np.full(40, 39 / 40), abs=0.04)


@pytest.mark.parametrize(("kind", "method"), [(Kind.PERCENTILE, "percentile"), (Kind.BCA, "BCa")])
def test_percentile_and_bca_are_scipys(kind: Kind, method: str) -> None:
    """On a skewed sample, where they differ; both rest on draws, of which there are many."""
    values = np.random.default_rng(3).exponential(size=60)
    ours = bootstrap({"mean": Ratios.mean(values)}, np.random.default_rng(4), 20_000)["mean"].interval(0.9, kind)
    theirs = stats.bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=20_000, method=method, random_state=np.random.default_rng(5)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.012)


def test_symmetric_bounds_of_normal_values_are_students() -> None:
    values = np.random.default_rng(6).normal(size=30)
    low, high = bootstrap({"mean": Ratios.mean(values)}, np.random.default_rng(7), 20_000)["mean"].interval(0.95)
    half = stats.t.ppf(0.975, 29) * values.std(ddof=1) / sqrt(30)
    assert (low + high) / 2 == pytest.approx(values.mean())
    assert high - values.mean() == pytest.approx(half, rel=0.08)


def test_worlds_that_do_not_differ_change_nothing_and_others_widen() -> None:
    values = np.random.default_rng(8).normal(size=80)
    one = {"mean": Ratios.mean(values)}
    alone = bootstrap(one, np.random.default_rng(9), 4000)["mean"]
    same = joint_bootstrap(one, [one] * 40, 40, np.random.default_rng(9), 4000)["mean"]
    assert same.judged == pytest.approx(0, abs=1e-12)
    assert same.interval(0.9) == pytest.approx(alone.interval(0.9), abs=0.02)
    shifts = np.random.default_rng(10).normal(0, 0.5, 400)
    wide = joint_bootstrap(one, [{"mean": Ratios.mean(values + by)} for by in shifts], 400, np.random.default_rng(9), 4000)["mean"]
    assert wide.judged == pytest.approx(0.5, rel=0.1)
    half = stats.norm.ppf(0.95) * sqrt(0.5**2 + values.var(ddof=1) / 80)  # two errors that do not depend on each other
    low, high = wide.interval(0.9)
    assert (high - low) / 2 == pytest.approx(half, rel=0.08)


def test_a_difference_of_the_same_has_no_width() -> None:
    one = ratios(11, 40)
    draws = bootstrap({"none": one - one}, np.random.default_rng(0), 300)["none"]
    assert draws.interval(0.9) == pytest.approx((0, 0), abs=1e-12)


def test_bernstein_by_hand() -> None:
    """n = 4, values 0, 1, 2, 1 of a range of 10: mean 1, variance 2/3; δ = .05: 1 - √(2·⅔·ln 40 / 4) - 7·10·ln 40 / 9."""
    told = log(2 / 0.05)
    assert below_mean(np.array([0.0, 1, 2, 1]), 10.0, 0.05) == pytest.approx(1 - sqrt(2 * (2 / 3) * told / 4) - 70 * told / 9)
    with pytest.raises(ValueError, match="expected two or more, 0 to 1"):
        below_mean(np.array([0.5, 1.5]), 1.0, 0.05)
    with pytest.raises(ValueError, match="expected two or more, 0 to 1"):
        below_mean(np.array([-0.5, 0.5]), 1.0, 0.05)


def test_bounds_of_a_mean_mirror_and_shift() -> None:
    values = np.random.default_rng(12).uniform(-2, 1, 5000)
    low, high = mean_bounds(values, -2, 1, 0.95)
    assert low < values.mean() < high
    assert mean_bounds(-values, -1, 2, 0.95) == pytest.approx((-high, -low))
    assert mean_bounds(values + 7, 5, 8, 0.95) == pytest.approx((low + 7, high + 7))


@pytest.mark.parametrize("clip", [None, 1.0, 3.0, 50.0])
def test_guaranteed_bounds_hold_however_weights_are_cut_and_returns_are_negative(clip: float | None) -> None:
    """All returns are negative and weights above 1 matter: without the shift, cutting would raise the lower bound above the value."""
    process = SmallProcess.random(13)
    process = SmallProcess(process.start, process.moves, process.rewards - 1.5, process.horizon)
    actor, target = process.policy(1, 0.5), process.policy(2)
    value, low = process.value(target), process.horizon * -2.5
    for seed in range(5):
        log_ = Evaluator(process.log(actor, 3000, np.random.default_rng(seed)), target).log
        bounds = value_bounds(log_.returns, log_.last, low, 0.0, 0.95, clip)
        assert low <= bounds.low < value < bounds.high <= 0.0
        if clip == 1.0:
            assert bounds.high - bounds.low > 0.3 * value / low  # wide, but not the whole range


def test_effective_sample_size() -> None:
    """(1 + 1 + 2)² / (1 + 1 + 4) = 16/6; equal weights count all; a single one counts one; none none."""
    weights = np.array([[1.0, 1, 2], [5, 5, 5], [0, 3, 0], [0, 0, 0], [1e200, 1e200, 0]])
    assert effective(weights) == pytest.approx([16 / 6, 3, 1, 0, 2])


def test_overlap_of_a_log_by_hand() -> None:
    """Ratios 2 and 0 in the first step; the second episode goes on by a ratio 3, which changes nothing."""
    trajectories = Trajectories(np.zeros((2, 2)), np.array([[2.0, 0.0], [1.0, 3.0]]), np.array([[True, True], [False, True]]))
    probs = np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]])
    tried = np.array([[3, 0], [4, 1], [0, 5]])
    logged = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 0.5]])  # only the first place's other action could not have been
    found = overlap(trajectories, probs, tried, logged)
    assert (found.ess, found.ess_by_step, found.largest, found.mean) == (1, (1, 1), 1, 1)
    assert found.never == pytest.approx(1 / 3)
    assert found.unseen == pytest.approx((0.5 + 0 + 0.2) / 3) and found.impossible == pytest.approx(0.5 / 3)
    assert "worth 1.0 of the policy's own" in (too_little(found) or "")
    assert "16.7% of what the policy does, the one that acted never could" in (too_little(found, least=1) or "")


@pytest.mark.parametrize(
    ("episodes", "ess", "least", "enough"),
    [
        (200, 29.9, None, False),
        (200, 30.0, None, True),
        (10_000, 99.0, None, False),
        (10_000, 100.0, None, True),
        (200, 12.0, 10.0, True),
    ],
)
def test_the_floor(episodes: int, ess: float, least: float | None, enough: bool) -> None:
    known = Overlap(episodes, ess, (ess,), largest=0.1, mean=1.0, never=0.0)
    assert (too_little(known, least) is None) == enough


def test_weights_whose_tail_did_not_turn_up_are_told() -> None:
    """200 weights, ESS 100: standard error mean · √(1/100 - 1/200) = .0707 · mean; .75 is 4.7 of them below 1, .9 is 1.6."""
    assert [Overlap(200, 100.0, (100.0,), 0.1, mean, 0.0).tail_missing for mean in (0.75, 0.9, 1.0)] == [True, False, False]


def test_intervals_cover() -> None:
    """The fast form of `python -m policies.ope.simulation`: 250 logs of 200 episodes of a small process.

    Of 250 intervals that cover with .95, between .912 and .980 do in 99.5 % of all runs (binomial); the seed is fixed.
    """
    found: dict[tuple[str, str], list[bool]] = {}
    for seen in watch(CASES["small, near"](), 200, 250, seed=5, draws=400):
        found.setdefault((seen.estimator, seen.bound), []).append(seen.covers)
    for estimator in ("dr", "wdr", "wpdis", "pdis", "wis", "is", "logged"):
        assert 0.912 <= np.mean(found[estimator, Kind.SYMMETRIC]) <= 0.98, estimator
    for estimator in ("is", "logged"):
        assert np.mean(found[estimator, "bernstein"]) >= 0.95


def test_estimates_of_worlds_use_other_rewards_and_the_same_model() -> None:
    process = SmallProcess.random(14)
    rollout = process.log(process.policy(1), 150, np.random.default_rng(1))
    evaluator = Evaluator(rollout, process.policy(2, 0.5))
    mask = rollout.mask
    assert mask is not None
    alone = estimates(evaluator, draws=500)
    moved = estimates(evaluator, worlds=Worlds(lambda: (np.where(mask, rollout.rewards + by, 0.0) for by in (-0.5, 0.5)), 2), draws=500)
    assert moved["dr"].value == alone["dr"].value
    assert (moved["dr"].high or 0) - (moved["dr"].low or 0) > 2 * ((alone["dr"].high or 0) - (alone["dr"].low or 0))
    assert alone["dm"].low is None and set(alone) == set(moved) == {"dr", "wdr", "wpdis", "pdis", "wis", "is", "logged", "dm"}


def test_draws_without_any_weight_have_no_value_and_are_left_out() -> None:
    one = Ratios(np.array([[1.0], [0.0], [0.0]]), np.array([[2.0], [0.0], [0.0]]))
    draws: Draws = bootstrap({"x": one}, np.random.default_rng(0), 1000)["x"]
    assert 600 < len(draws.values) < 800 and (draws.values == 0.5).all()  # 1 - (2/3)³ = .70 of them
