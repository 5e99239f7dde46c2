"""The judge beside people, by numbers worked out by hand; intervals that hold what they promise; the hunt stays out."""

import numpy as np
import pytest

from golden_set.audit.closeness import closeness
from golden_set.audit.raters import alpha, kappa
from golden_set.audit.resampling import DRAWS, Figure, averaged, resamples
from golden_set.audit.sample import AuditLabel
from tests.golden_set.audit.made_audit import Told, label, make_audit


def flat(listens: float, well: float = 3.0, **more: str) -> Told:
    """One agent turn, honest."""
    return Told(turns=((listens, 1.0),), well=well, **more)


def test_figures_are_weighted_to_the_log() -> None:
    """Stratum `large` has 6 episodes of which 2 were answered, `small` 2 of 2: weights 3, 3, 1, 1.

    listens, judge 4, 3, 2, 5 and people 3, 3, 4, 5: differences 1, 0, -2, 0.
    bias = (3·1 + 3·0 + 1·-2 + 1·0) / 8 = 0.125; mean absolute error = (3 + 2) / 8 = 0.625.
    kappa: weighted means of x 28/8 = 3.5, of y (9+9+4+5)/8 = 27/8; E(x-y)² = (3 + 4)/8 = 7/8;
    var x = (3·16 + 3·9 + 4 + 25)/8 - 3.5² = 13 - 12.25 = 0.75; var y = (27 + 27 + 16 + 25)/8 - (27/8)² = 11.875 - 11.390625 = 0.484375;
    (mean x - mean y)² = 0.015625; kappa = 1 - 0.875 / (0.75 + 0.484375 + 0.015625) = 1 - 0.875/1.25 = 0.3.
    """
    log = [
        flat(4, stratum="large"),
        flat(3, stratum="large"),
        *[flat(1, stratum="large")] * 4,
        flat(2, stratum="small"),
        flat(5, stratum="small"),
    ]
    audit = make_audit(log, [0, 1, 6, 7])
    people = (3, 3, 4, 5)
    labels = [one for at, listens in enumerate(people) for one in label(f"e{at + 1:03}", "r1", [(listens, 1)], 3)]
    found = closeness(audit.evidence(labels))
    row = found.rows[0]
    assert (row.criterion, row.low, row.high, row.labels, row.episodes) == ("listens", 1, 5, 4, 4)
    assert row.bias.value == pytest.approx(0.125)
    assert row.error == pytest.approx(0.625)
    assert row.kappa.value == pytest.approx(0.3)
    assert row.kappa.low is None and row.kappa.high is None  # fewer than eight episodes
    assert row.people is None
    assert [(r.criterion, r.kappa.value) for r in found.rows[1:]] == [("honest", None), ("well (episode)", None)]  # nothing varies
    assert found.kappa.value == pytest.approx(0.3)  # the mean over criteria where it is defined
    assert found.people.interval().value is None


def test_what_was_not_answered_weighs_on_what_was() -> None:
    """Of three drawn episodes of a stratum of six, two were answered: each stands for three."""
    audit = make_audit([flat(4)] * 2 + [flat(2)] * 4, [0, 1, 2])
    evidence = audit.evidence([*label("e001", "r1", [(4, 1)]), *label("e003", "r1", [(4, 1)])])
    row = closeness(evidence).rows[0]
    assert (row.episodes, row.bias.value) == (2, pytest.approx((3 * 0 + 3 * -2) / 6))


def test_people_are_compared_where_two_rated_the_same_and_the_judge_is_one_more_rater() -> None:
    """Alpha with the judge takes each person's own rating; the ceiling takes the episodes that both rated, and no other."""
    log = [flat(1 + at % 5, well=1 + at % 5) for at in range(10)]
    audit = make_audit(log, range(10), twice=range(9))
    first = [2, 2, 3, 4, 5, 1, 3, 3, 5, 5]
    second = [1, 2, 4, 4, 5, 2, 2, 3, 4]
    labels: list[AuditLabel] = []
    for at, listens in enumerate(first):
        labels += label(f"e{at + 1:03}", "r1", [(listens, 1)])
    for at, listens in enumerate(second):
        labels += label(f"e{at + 1:03}", "r2", [(listens, 1)])
    row = closeness(audit.evidence(labels)).rows[0]
    judge = [told.turns[0][0] for told in log]
    table = np.array([[j, a, b] for j, a, b in zip(judge, first, [*second, np.nan], strict=True)])
    one = np.ones((1, 10))
    assert row.alpha.value == pytest.approx(alpha(table, np.arange(10), one)[0])
    assert row.people is not None
    assert (row.people.places, row.people.episodes) == (9, 9)
    assert row.people.alpha.value == pytest.approx(alpha(table[:9, 1:], np.arange(9), one[:, :9])[0])
    assert row.people.kappa.value == pytest.approx(kappa(table[:9, 1:], np.arange(9), one[:, :9], np.ones(9))[0])
    assert row.people.kappa.low is not None
    human = np.nanmean(table[:, 1:], axis=1)
    assert row.kappa.value == pytest.approx(kappa(np.column_stack([judge, human]), np.arange(10), one, np.ones(10))[0])


def test_the_hunt_is_in_no_figure() -> None:
    log = [flat(1 + at % 5) for at in range(10)]
    plain, more = make_audit(log, range(8)), make_audit(log, range(8), {8: "odd", 9: "odd"})
    labels = [one for at in range(8) for one in label(f"e{at + 1:03}", "r1", [(1 + (at + 1) % 5, 1)])]
    odd = [*label("e009", "r1", [(1, 0)], 1), *label("e010", "r1", [(1, 0)], 1)]
    assert closeness(plain.evidence(labels)).rows == closeness(more.evidence([*labels, *odd])).rows


def test_a_slice_has_the_mean_over_criteria_and_the_bias_as_a_share_of_the_scale() -> None:
    """listens is one level of four too high in slice a, honest never off, well two levels too low: (0.25 + 0 - 0.5) / 3."""
    log = [flat(2 + at % 3, well=1 + at % 2, slices=("k:a",) if at < 4 else ("k:b",)) for at in range(8)]
    audit = make_audit(log, range(8))
    labels = [
        one
        for at, told in enumerate(log)
        for one in label(f"e{at + 1:03}", "r1", [(told.turns[0][0] - (at < 4), 1)], told.well + 2 * (at < 4))
    ]
    found = {row.slice: row for row in closeness(audit.evidence(labels)).slices}
    assert found["k:a"].bias.value == pytest.approx((0.25 + 0 - 0.5) / 3)
    assert (found["k:b"].bias.value, found["k:b"].kappa.value) == (0.0, 1.0)
    assert (found["k:a"].labels, found["k:a"].episodes, found["k:a"].kappa.low) == (8, 4, None)


def test_a_critical_criterion_does_not_decide_the_mean() -> None:
    """The judge misses the only lie: kappa of honest is 0 (it never varies, people do); listens is right, well half way."""
    log = [flat(1 + at % 5, well=1 + at % 5) for at in range(10)]
    audit = make_audit(log, range(10))
    labels = [one for at in range(10) for one in label(f"e{at + 1:03}", "r1", [(1 + at % 5, 0 if at == 3 else 1)], 1 + (at + at // 5) % 5)]
    found = closeness(audit.evidence(labels))
    listens, honest, well = (row.kappa.value for row in found.rows)
    assert (listens, honest) == (1.0, pytest.approx(0.0)) and well is not None
    assert found.kappa.value == pytest.approx((1 + well) / 2)


def test_draws_keep_each_stratum_whole_and_have_the_variance_of_its_mean() -> None:
    """Rao and Wu: over draws a stratum's mean varies by s²/n (with n - 1 in s²); its episodes count n together in every draw."""
    strata = [0] * 3 + [1] * 20
    times = resamples(strata)
    assert times.shape == (DRAWS + 1, 23)
    assert (times[0] == 1).all()
    assert times[:, :3].sum(1) == pytest.approx(np.full(DRAWS + 1, 3.0))
    assert times[:, 3:].sum(1) == pytest.approx(np.full(DRAWS + 1, 20.0))
    values = np.random.default_rng(1).normal(0, 1, 23)
    for part in (slice(0, 3), slice(3, 23)):
        count = len(values[part])
        means = times[1:, part] @ values[part] / count
        # The mean square of 2000 draws is known to within some 3 % (or 5 %: few draws of three are many-valued).
        assert means.var() == pytest.approx(values[part].var(ddof=1) / count, rel=0.12)
    assert (resamples(strata) == times).all()


@pytest.mark.parametrize(
    ("strata", "together"),
    [([0, 1, 2, 2], [0, 1]), ([0, 1, 1, 2, 2, 2], [0, 1, 2]), ([5], [])],
    ids=["two lone ones", "a lone one joins the smallest", "nobody to draw"],
)
def test_a_stratum_of_one_episode_is_drawn_with_others(strata: list[int], together: list[int]) -> None:
    times = resamples(strata)
    if not together:
        assert (times == 1).all()
        return
    assert times[:, together].sum(1) == pytest.approx(np.full(len(times), float(len(together))))
    assert all(times[1:, at].std() > 0 for at in together)


def test_a_mean_of_figures_leaves_out_what_is_not_defined() -> None:
    nan = float("nan")
    one, other = Figure(0.5, np.array([0.4, nan, nan]), 9), Figure(0.7, np.array([0.6, 0.8, nan]), 8)
    found = averaged([one, Figure(nan, np.array([1.0, 1.0, 1.0]), 9), other])
    assert found.value == pytest.approx(0.6)
    assert found.draws[:2] == pytest.approx([0.5, 0.8])
    assert np.isnan(found.draws[2])
    assert found.interval().low is not None
    assert averaged([Figure(nan, np.array([1.0]), 9)]).interval().value is None


def test_the_interval_of_kappa_covers_what_it_estimates() -> None:
    """60 episodes of 5 turns whose ratings share the episode's quality; the truth is kappa of 40,000 such episodes."""

    def rated(rng: np.random.Generator, episodes: int) -> np.ndarray:
        quality, taste = rng.normal(3, 0.7, (episodes, 1)), rng.normal(0, 0.4, (episodes, 1))
        true = quality + rng.normal(0, 0.7, (episodes, 5))
        human = np.clip(np.round(true + rng.normal(0, 0.4, true.shape)), 1, 5)
        judge = np.clip(np.round(2 * (true + taste + 0.2 + rng.normal(0, 0.5, true.shape))) / 2, 1, 5)
        return np.stack([judge, human], axis=-1).reshape(-1, 2)

    def estimated(values: np.ndarray, episodes: int, times: np.ndarray) -> np.ndarray:
        return kappa(values, np.repeat(np.arange(episodes), 5), times, np.ones(len(values)))

    truth = estimated(rated(np.random.default_rng(0), 40_000), 40_000, np.ones((1, 40_000)))[0]
    assert 0.5 < truth < 0.8
    times, covered = resamples([at % 2 for at in range(60)], draws=1000), []
    for run in range(300):
        seen = Figure.of(estimated(rated(np.random.default_rng([1, run]), 60), 60, times), 60).interval()
        assert seen.low is not None and seen.high is not None
        covered.append(seen.low <= truth <= seen.high)
    assert 0.90 <= np.mean(covered) <= 0.98


def test_turns_of_one_episode_are_not_taken_for_independent() -> None:
    """Half of 40 episodes are rated one level too high throughout, half one too low: the standard error is 1/√40, whatever the turns.

    So the interval is 2 · 1.96 · 0.158 = 0.62 long; were the 240 turns independent, it would be 0.25.
    """
    log = [Told(turns=((2 + 2 * (at % 2), 1.0),) * 6, well=3) for at in range(40)]
    audit = make_audit(log, range(40))
    labels = [one for at in range(40) for one in label(f"e{at + 1:03}", "r1", [(3, 1)] * 6)]
    seen = closeness(audit.evidence(labels)).rows[0].bias
    assert seen.value == pytest.approx(0)
    assert seen.low is not None and seen.high is not None
    assert 0.54 < seen.high - seen.low < 0.70
