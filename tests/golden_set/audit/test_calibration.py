"""Fitting a judge's ratings to people's: against other people's regressions, by hand, and by what must hold whatever the labels are."""

from datetime import date

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from golden_set.audit.calibration import Shape, fit, fit_all, pooled
from golden_set.audit.monotone import HALF, KNOTS, Labelled, association, effective, fit_knots, isotonic, kept_rise, line
from golden_set.audit.simulation_calibration import SCALE, Kind, World, audit
from judge.rubric import Scale
from tests.golden_set.audit.made_audit import DAY, RUBRIC, Told, label, make_audit, simulated

WORLD = World(0.6, Kind.CEILING, 0.6)


def rows_of(seed: int, episodes: int = 40, world: World = WORLD, *, weighted: bool = True) -> Labelled:
    rng = np.random.default_rng(seed)
    rows = audit(rng, world, episodes)
    weight = rng.choice([1.0, 3.0, 0.5], episodes)[rows.episode] if weighted else rows.weight
    return Labelled(rows.judge, rows.human, weight, rows.episode)


def by_hand(judge: list[float], human: list[float], episode: list[int]) -> Labelled:
    return Labelled(np.array(judge), np.array(human), np.ones(len(judge)), np.array(episode))


@pytest.mark.parametrize("seed", range(5))
def test_the_regressions_are_those_of_other_packages(seed: int) -> None:
    rows = rows_of(seed)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(rows.judge, rows.human, sample_weight=rows.weight)
    at = np.linspace(1, 5, 41)
    assert isotonic(rows).at(at) == pytest.approx(theirs.predict(at))
    wls = sm.WLS(rows.human, sm.add_constant(rows.judge), weights=rows.weight).fit()
    assert line(rows) == pytest.approx(tuple(wls.params[::-1]))
    share = effective(rows) / (effective(rows) + HALF)
    mixed = np.clip(share * theirs.predict(at) + (1 - share) * wls.predict(sm.add_constant(at)), 1, 5)
    knots = fit_knots(rows, SCALE, shrink=1)
    assert knots.at(np.unique(rows.judge)) == pytest.approx(np.interp(np.unique(rows.judge), at, mixed))


def test_a_line_never_falls() -> None:
    assert line(by_hand([1, 2, 3], [5, 3, 1], [0, 1, 2])) == (0.0, 3.0)


def test_the_association_is_the_jackknife_over_episodes() -> None:
    rows = rows_of(1, 25)
    without = []
    for out in range(25):
        kept = rows.episode != out
        without.append(np.polyfit(rows.judge[kept], rows.human[kept], 1, w=np.sqrt(rows.weight[kept]))[0])
    error = np.sqrt(24 / 25 * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert association(rows) == pytest.approx(np.polyfit(rows.judge, rows.human, 1, w=np.sqrt(rows.weight))[0] / error)


def test_what_is_kept_of_a_rise_begins_at_the_critical_value() -> None:
    critical = 2.045  # of t, 29 degrees of freedom, one-sided at .025 (any table)
    assert kept_rise(critical - 0.001, 30) == kept_rise(-9, 30) == 0
    assert kept_rise(critical + 0.01, 30) == pytest.approx(0.02, abs=0.005)
    assert kept_rise(2 * critical, 30) == pytest.approx(1 - 1 / 16, abs=0.001)


def test_effective_labels_by_hand() -> None:
    """One label an episode, the line is flat at 3 and residuals are -1 and 1: the variance of the mean is 1 / (n - 1), so n - 1 labels.
    With every label given twice in its episode it is the same.
    """
    judge, human = [1.0, 2.0, 1.0, 2.0], [2.0, 2.0, 4.0, 4.0]
    assert effective(by_hand(judge, human, [0, 1, 2, 3])) == pytest.approx(3)
    assert effective(by_hand(judge * 2, human * 2, [0, 1, 2, 3] * 2)) == pytest.approx(3)


@pytest.mark.parametrize("seed", range(3))
def test_turns_that_repeat_each_other_teach_nothing(seed: int) -> None:
    """Each label three times in its episode: the same map and, since no episode is ever split, the same error out of fold."""
    rows = rows_of(seed)
    thrice = Labelled(*(np.repeat(side, 3) for side in (rows.judge, rows.human, rows.weight, rows.episode)))
    one, three = fit(rows, SCALE).curve, fit(thrice, SCALE).curve
    assert one and three
    assert three.human == pytest.approx(one.human)
    assert (three.after, three.reliability, three.band) == pytest.approx((one.after, one.reliability, one.band))


def test_the_error_out_of_fold_is_that_on_fresh_dialogues() -> None:
    fits = [fit(rows_of(seed, weighted=False), SCALE).curve for seed in range(30)]
    fresh = audit(np.random.default_rng(99), WORLD, 2000)
    true = [np.sqrt(np.mean((np.interp(fresh.judge, c.judged, c.human) - fresh.human) ** 2)) for c in fits if c]
    assert np.mean([curve.after for curve in fits if curve]) == pytest.approx(np.mean(true), rel=0.03)
    assert np.mean([c.reliability for c in fits if c]) == pytest.approx(1 - np.mean(true) ** 2 / fresh.human.var(), abs=0.04)


@pytest.mark.parametrize(
    ("labels", "episodes", "why"),
    [
        (0, 0, "nobody rated it"),
        (29, 29, "29 labels: 1 more are needed"),
        (60, 14, "14 episodes: 1 more are needed"),
    ],
)
def test_few_labels_make_no_curve(labels: int, episodes: int, why: str) -> None:
    rng = np.random.default_rng(0)
    human = rng.integers(1, 6, labels).astype(float)
    rows = Labelled(human, human, np.ones(labels), np.arange(labels) % max(episodes, 1))
    found = fit(rows, SCALE)
    assert (found.shape, found.curve, found.why) == (Shape.NONE, None, why)


def test_shapes() -> None:
    noise = rows_of(0, world=World(0.0))
    flat = fit(noise, SCALE)
    assert flat.curve and flat.shape is Shape.FLAT and flat.curve.flat and flat.curve.reliability == 0
    assert flat.curve.human[0] == pytest.approx(np.average(noise.human, weights=noise.weight))
    assert flat.why.startswith("flat: people's ratings do not rise with the judge's (t = ")
    kept = fit(rows_of(0, world=World(0.8, Kind.PERFECT)), SCALE)
    assert kept.curve and kept.shape is Shape.AS_IS and kept.curve.judged == kept.curve.human == (1, 5)
    assert kept.curve.after == pytest.approx(kept.curve.before)
    biased = fit(rows_of(0), SCALE)
    assert biased.curve and biased.shape is Shape.CURVE and biased.curve.after < biased.curve.before
    rows = rows_of(0)
    assert biased.bias == pytest.approx(np.average(rows.judge - rows.human, weights=rows.weight))


def test_ratings_that_do_not_differ_are_left_alone() -> None:
    """A judge that never sees a violation in the sample has shown nothing of what it means if it sees one: no map that would hide it."""
    rng = np.random.default_rng(3)
    episode = np.repeat(np.arange(40), 3)
    human = (rng.random(120) > 0.1).astype(float)
    for judge in (np.ones(120), np.where(episode == 7, 0.0, 1.0)):
        found = fit(Labelled(judge, human, np.ones(120), episode), Scale(0, 1))
        assert (found.shape, found.why) == (Shape.NONE, "the judge's ratings hardly differ: nothing to learn from")


def test_a_judge_that_is_always_right_is_left_as_it_is() -> None:
    rows = rows_of(4)
    found = fit(Labelled(rows.human, rows.human, rows.weight, rows.episode), SCALE)
    assert found.curve and (found.shape, found.curve.before, found.curve.after, found.curve.reliability) == (Shape.AS_IS, 0, 0, 1)


@settings(max_examples=40, deadline=None)
@given(
    levels=st.integers(2, 7),
    episodes=st.integers(15, 40),
    fine=st.sampled_from([1, 2, 1000]),
    seed=st.integers(0, 10**6),
    along=st.floats(-1, 1),
)
def test_whatever_the_labels_the_map_never_falls_and_stays_on_the_scale(
    levels: int, episodes: int, fine: int, seed: int, along: float
) -> None:
    rng = np.random.default_rng(seed)
    scale = Scale.of(["x"] * levels)
    episode = np.concatenate([np.arange(episodes), rng.integers(0, episodes, 60)])
    human = rng.integers(scale.low, scale.high + 1, len(episode)).astype(float)
    judge = along * human + rng.uniform(scale.low, scale.high, len(episode))
    judge = np.clip(np.round(judge * fine) / fine, scale.low, scale.high)
    found = fit(Labelled(judge, human, rng.uniform(0.1, 9, len(episode)), episode), scale)
    if found.curve is None:
        assert found.why
        return
    curve = found.curve  # its type refuses knots that fall
    assert len(curve.judged) <= KNOTS + 2
    assert (curve.judged[0], curve.judged[-1]) == (scale.low, scale.high)
    said = [curve.at(value) for value in np.linspace(scale.low, scale.high, 101)]
    assert said == sorted(said) and scale.low <= said[0] and said[-1] <= scale.high
    assert said == pytest.approx(np.interp(np.linspace(scale.low, scale.high, 101), curve.judged, curve.human))


def test_audits_are_pooled_with_an_episode_counted_once() -> None:
    """A log of 4 (2 drawn: weight 2 each) and one of 30 (3 drawn: weight 10 each); each comes to one a drawn episode."""
    log = [Told(turns=((2.0 + at % 3, 1.0),), well=3.0) for at in range(30)]
    small, large = make_audit(log[:4], [0, 1], name="a"), make_audit(log, [1, 8, 9], name="b")
    evidences = [
        small.evidence([*label("e001", "r1", [(1, 1)]), *label("e002", "r1", [(2, 1)])]),
        large.evidence([*label("e001", "r2", [(4, 1)]), *label("e002", "r2", [(5, 1)]), *label("e003", "r2", [(3, 1)])]),
    ]
    rows = pooled(evidences)["listens"]
    assert rows.weight.tolist() == pytest.approx([1, 1, 1, 1, 1])
    assert rows.human.tolist() == [1, 2, 4, 5, 3]
    assert rows.episode[1] == rows.episode[2] and rows.episodes == 4  # call-1 is in both


def test_all_criteria_of_an_audit() -> None:
    made, labels, _ = simulated(bias=0.8, noise=0.5, drawn=60)
    calibration, rows = fit_all([made.evidence(labels)], RUBRIC, 0.9, DAY)
    assert [row.criterion for row in rows] == ["listens", "honest", "well (episode)"]
    assert [row.labels for row in rows] == [180, 180, 60] and {row.episodes for row in rows} == {60}
    assert set(calibration.turn) == {row.criterion for row in rows[:2] if row.fitted} and set(calibration.episode) == {"well"}
    assert (calibration.judge, calibration.audits, calibration.fitted_on, calibration.level) == (made.sample.judge, ("2026-11",), DAY, 0.9)
    listens = rows[0]
    assert listens.before and listens.after and listens.after < listens.before - 0.2
    assert listens.bias_before == pytest.approx(0.7, abs=0.2)
    assert listens.band and rows[2].band is None and rows[2].why == "no band (of 60 labels, 100 are needed)"
    assert calibration.turn["listens"].human == listens.human
    judged, human, weight = np.array(listens.points).T
    assert judged.tolist() == sorted(set(judged)) and weight.sum() == pytest.approx(180)
    said = pooled([made.evidence(labels)])["listens"]
    assert human @ weight == pytest.approx(said.human @ said.weight)


def test_the_labels_of_no_one_fit_nothing() -> None:
    made, _, _ = simulated(drawn=20)
    calibration, rows = fit_all([made.evidence([])], RUBRIC, 0.9, DAY)
    assert not calibration.turn and not calibration.episode
    assert {row.why for row in rows} == {"nobody rated it"} and not any(row.fitted for row in rows)


def test_two_judges_have_no_map_in_common() -> None:
    made, labels, _ = simulated(drawn=20)
    one = made.evidence(labels)
    other = one.sample.judge.model_copy(update={"model": "other"})
    two = type(one)(one.sample.model_copy(update={"judge": other}), one.items, one.said, one.notes, one.answered)
    with pytest.raises(ValueError, match="2 judges"):
        fit_all([one, two], RUBRIC, 0.9, date(2026, 1, 1))
