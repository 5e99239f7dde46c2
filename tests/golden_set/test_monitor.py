"""The monitor's statistics: against sums worked by hand, against their law, and the figures that it must reach on made-up nights."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from golden_set.level import Noise, learn
from golden_set.monitor import DESIGN, Monitor, e_bh
from golden_set.simulation_nights import INTOLERANT, NOISY, ONE_RUN, Baseline, Truth, simulate

SPAN = np.array([[4.0]])


def noise(item: float = 0.0015, night: float = 0.0, nights: int = 14) -> Noise:
    """Return a noise whose nights showed just this variance."""
    one = np.ones((1, 1))
    return Noise(item * one, (item + night) * (nights - 1) * one, (nights - 1) * one, night * one)


def test_evidence_by_hand() -> None:
    # One bet, 2; s = 0.04 (item 0.0016, no night effect), tolerance max(0.03, 0.75 * 0.04) = 0.03.
    # Night 1, x = 0.11: z+ = (0.11 - 0.03)/0.04 = 2, z- = -3.5; M+ = e^(2*2-2) = e^2, M- = e^(-7-2) = e^-9.
    # Night 2, x = 0.03: z+ = 0, z- = -1.5;              M+ = (e^2 + 1) e^-2,        M- = (e^-9 + 1) e^-5.
    monitor = Monitor(noise(0.0016), SPAN, replace(DESIGN, bets=(2.0,)))
    monitor.night(np.array([[0.11]]))
    assert monitor.amounts[0, 0] == pytest.approx((math.exp(2) + math.exp(-9)) / 2)
    monitor.night(np.array([[0.03]]))
    assert monitor.amounts[0, 0] == pytest.approx(((math.exp(2) + 1) * math.exp(-2) + (math.exp(-9) + 1) * math.exp(-5)) / 2)


def test_fresh_runs_by_hand() -> None:
    # Five runs: s^2 = 0.0016/5 + night. The nights showed 0.0016; its upper 80 % bound is 13 * 0.0016 / chi2(13; 0.2), pooled with an
    # assumed 0.0016 that counts for six nights. No "+ 1": the factor alone.
    monitor = Monitor(noise(0.0016), SPAN, replace(DESIGN, bets=(2.0,)))
    monitor.night(np.array([[0.11]]))
    up = monitor.evidence[0, 0, 0, 0]
    monitor.again(np.array([[0.10]]))
    night = (6 * 0.0016 + 13 * (13 * 0.0016 / stats.chi2.ppf(0.2, 13))) / 19 - 0.0016
    score = (0.10 - 0.03) / math.sqrt(0.0016 / 5 + night)
    assert monitor.evidence[0, 0, 0, 0] == pytest.approx(up * math.exp(2 * score - 2))


def test_cusum_by_hand() -> None:
    # s = 0.04, tolerance 0.03, slack 0.5. x = 0.11: z = 2, S = 1.5; again: 3; x = 0.03: z = 0, S = 2.5; x = -0.5: back to 0.
    monitor = Monitor(noise(0.0016), SPAN)
    for shift, expected in ((0.11, 1.5), (0.11, 3.0), (0.03, 2.5), (-0.5, 0.0)):
        before = monitor.noise
        monitor.night(np.array([[shift]]))
        monitor.noise = before  # what later nights teach about the noise is another test's
        assert monitor.cusum[0, 0, 0] == pytest.approx(expected)


def test_nothing_said_changes_nothing_and_a_restart_forgets() -> None:
    monitor = Monitor(noise(), SPAN)
    monitor.night(np.array([[0.2]]))
    before = monitor.evidence.copy()
    monitor.night(np.array([[np.nan]]))
    monitor.again(np.array([[np.nan]]))
    assert (monitor.evidence == before).all()
    monitor.restart(np.array([True]))
    assert not monitor.evidence.any() and not monitor.cusum.any()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bet", DESIGN.bets)
def test_a_bet_is_fair_at_the_tolerance_and_loses_within_it(bet: float, sign: int) -> None:
    monitor = Monitor(noise(0.0016), SPAN, replace(DESIGN, bets=(bet,)))
    sd = np.array([[0.04]])

    def mean_factor(drift: float) -> float:
        def weighed(x: float) -> float:
            return float(monitor.factors(np.array([[x]]), sd)[0 if sign > 0 else 1, 0, 0, 0] * stats.norm.pdf(x, drift, 0.04))

        return integrate.quad(weighed, drift - 0.5, drift + 0.5, points=[drift], limit=200)[0]

    assert mean_factor(sign * 0.03) == pytest.approx(1, abs=1e-6)
    assert mean_factor(0.0) < 1


def test_a_wild_shift_stays_finite() -> None:
    monitor = Monitor(noise(0.0, 1e-4), SPAN)
    for _ in range(3):
        monitor.night(np.array([[4.0]]))
    assert np.isfinite(monitor.evidence).all() and monitor.alarmed.all()


def test_the_noise_is_the_two_parts_of_the_variance() -> None:
    # Two hundred nights of fifty episodes: ratings vary by 0.4, nights by 0.05. Against the plain formulas of textbooks.
    rng = np.random.default_rng(5)
    opinions = rng.normal(3, 1, 50)
    values = opinions + rng.normal(0, 0.4, (200, 50)) + rng.normal(0, 0.05, (200, 1))
    level = learn(values, np.ones(200), 1e-8)
    assert level.noise.item == pytest.approx(values.var(0, ddof=1).sum() / 50**2)
    assert level.noise.squares / level.noise.degrees == pytest.approx(values.mean(1).var(ddof=1))
    assert level.means == pytest.approx(values.mean(0))
    assert math.sqrt(float(level.noise.night())) == pytest.approx(0.05, abs=0.008)
    assert float(level.noise.sd()) == pytest.approx(math.sqrt(0.4**2 / 50 + 0.05**2), rel=0.1)


def test_runs_of_one_day_share_its_night_effect() -> None:
    # A baseline of 1000 runs of one day is as good as a day without rating noise: it weighs 1/night, a night 1/(item + night).
    rng = np.random.default_rng(6)
    nights = 3 + rng.normal(0, 0.4, (14, 40))
    level = learn(np.concatenate([np.full((1, 40), 4.0), nights]), np.array([1000, *[1] * 14]), 0.01**2)
    item, night = float(level.noise.item), float(level.noise.night())
    day, single = 1 / (item / 1000 + night), 1 / (item + night)
    assert level.means == pytest.approx((day * 4.0 + single * nights.sum(0)) / (day + 14 * single))


def test_an_episode_without_an_answer_is_no_drift() -> None:
    opinions = np.array([1.0, 1.0, 5.0, 5.0])
    values = np.tile(opinions, (14, 1))
    values[3, 0] = np.nan  # nor does a gap in the burn-in matter
    level = learn(values, np.ones(14), 1e-4)
    shift, share = level.shift(np.array([np.nan, 1.0, 5.0, 5.0]))
    assert float(shift) == pytest.approx(0) and float(share) == 0.75
    assert np.isnan(level.shift(np.full(4, np.nan))[0])
    assert float(level.noise.sd()) == pytest.approx(0.01)  # a judge that never varies: the assumed night effect is all there is


def test_later_nights_teach_the_noise() -> None:
    # One difference of 0.2: squares grow by 2/3 * 0.2^2 / 2, degrees by 2/3. A shift that lasts is one such difference only.
    start = noise()
    after = start.after(np.array([[0.2]]))
    assert after.squares - start.squares == pytest.approx(2 / 3 * 0.02)
    assert after.degrees - start.degrees == pytest.approx(2 / 3)
    assert start.after(np.array([[np.nan]])) == start


@pytest.mark.parametrize(
    ("evidence", "named"),
    [
        ([], []),
        ([9.0], [False]),  # one must reach 1/0.1 = 10
        ([10.0], [True]),
        ([40.0, 1.0, 1.0, 1.0], [True, False, False, False]),  # of four, the first must reach 40
        ([39.0, 1.0, 1.0, 1.0], [False] * 4),
        ([1.0, 21.0, 20.0, 0.0], [False, True, True, False]),  # two of four: 20 each
    ],
)
def test_e_bh_by_hand(evidence: list[float], named: list[bool]) -> None:
    assert e_bh(np.array(evidence), 0.1).tolist() == named


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_e_bh_is_benjamini_and_hochberg_on_inverse_e_values(evidence: list[float]) -> None:
    e = np.array(evidence)
    p = np.minimum(1.0, 1 / np.maximum(e, 1e-12))
    adjusted = stats.false_discovery_control(p)
    clear = np.abs(adjusted - 0.1) > 1e-9  # rounding decides at the very limit
    assert (e_bh(e, 0.1) == (adjusted <= 0.1))[clear].all()


# What must be true (issue 4). Each is short of the long version, which is `python -m golden_set.simulation_nights`.


def test_at_most_one_false_alarm_in_10000_nights() -> None:
    # 800 first years are 292,000 nights. The design alarms about 0.04 times in 10,000; one that only just broke the limit of 1 would
    # give 29 alarms here, and fewer than 12 of those have a probability of 0.0002. So: fewer than 12, which is 0.4 in 10,000.
    found = simulate(800, 365, seed=1)
    assert found.alarms < 0.4
    assert found.suspicions < 20  # each costs five runs: in 10,000 nights, one per cent more to pay


def test_the_family_of_eight_criteria_keeps_the_same_promise() -> None:
    assert simulate(60, 365, seed=2, criteria=8).alarms <= 1


@pytest.mark.parametrize(
    ("told", "truth"),
    [
        ("twice the night effect that is assumed", Truth(night=0.02)),
        ("turns of an episode that agree in their error", Truth(icc=0.5)),
        ("few episodes, so that the level is known badly", Truth(episodes=15)),
        ("yes or no, mostly yes", Truth(low=0, high=1, centre=0.9, spread=0.25, noise=0.1, night=0.0025)),
    ],
)
def test_false_alarms_stay_rare_where_the_nights_are_worse(told: str, truth: Truth) -> None:
    assert simulate(150, 365, seed=3, truth=truth).alarms <= 1, told


def test_without_a_baseline_the_burn_in_is_enough() -> None:
    assert simulate(150, 365, seed=4, baseline=Baseline(runs=1)).alarms <= 1


@pytest.mark.parametrize(("drift", "nights", "least"), [(0.1, 7, 0.7), (-0.1, 7, 0.7), (0.2, 3, 0.95), (0.4, 1, 0.95)])
def test_drift_is_found_in_time(drift: float, nights: int, least: float) -> None:
    found = simulate(1500, nights, seed=5, drift=drift).within(nights)
    assert found - 3 * math.sqrt(found * (1 - found) / 1500) >= least  # also where chance was kind


@pytest.mark.parametrize(("drift", "nights", "least"), [(0.1, 7, 0.7), (0.2, 3, 0.95)])
def test_one_run_a_night_and_never_more_is_enough(drift: float, nights: int, least: float) -> None:
    assert simulate(3000, nights, seed=8, drift=drift, design=ONE_RUN).within(nights) >= least


def test_one_drifting_criterion_of_eight_is_found_in_time() -> None:
    assert simulate(300, 7, seed=6, drift=0.1, criteria=8, drifting=1).within(7) >= 0.75


def test_a_noisy_baseline_without_a_tolerance_is_seen_to_fail() -> None:
    assert simulate(30, 365, seed=7, baseline=NOISY, design=INTOLERANT).alarms > 50
