"""Alpha, ICC, kappa and rho are those of the literature, of other packages, and of their definitions; drawing again is repeating."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from golden_set.audit.raters import alpha, by_pairs, icc, kappa, midranks, spearman
from golden_set.sheet import FloatArray

GAP = np.nan
# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), part C: 4 observers, 12 units.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, GAP, GAP, GAP],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, GAP, 3],
        [GAP, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, GAP],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, GAP],
    ]
).T
# Shrout and Fleiss 1979, table 2: 6 targets, 4 judges.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def half_levels() -> FloatArray:
    rng = np.random.default_rng(7)
    truth = rng.normal(3, 1, 40)
    values = np.clip(np.round((truth[:, None] + rng.normal(0, 0.8, (40, 3))) * 2) / 2, 1, 5)
    values[rng.random(values.shape) < 0.25] = GAP
    return np.asarray(values)


def three_raters() -> FloatArray:
    rng = np.random.default_rng(8)
    return np.asarray(np.round(rng.normal(3, 1, (30, 1)) + rng.normal(0, 0.7, (30, 3)) + [0, 0.3, -0.2], 2))


def each(values: FloatArray) -> tuple[FloatArray, np.ndarray, FloatArray]:
    """Every unit an episode of its own, the sample alone."""
    return values, np.arange(len(values)), np.ones((1, len(values)))


# Made with krippendorff 0.9.0 (GPL, in an environment of its own): alpha(reliability_data=values.T, level_of_measurement=...).
# Krippendorff 2011 prints 0.815 and 0.849 for his example.
@pytest.mark.parametrize(
    ("values", "ordinal", "expected"),
    [
        (KRIPPENDORFF, True, 0.8153875037548814),
        (KRIPPENDORFF, False, 0.8491071428571428),
        (half_levels(), True, 0.4129004720019839),
        (half_levels(), False, 0.4221471276319211),
    ],
    ids=["published, ordinal", "published, interval", "half levels, ordinal", "half levels, interval"],
)
def test_alpha_is_that_of_the_package_krippendorff(values: FloatArray, ordinal: bool, expected: float) -> None:
    assert alpha(*each(values), ordinal=ordinal) == pytest.approx(expected, abs=1e-12)


# Made with pingouin 0.7.0 (GPL, in an environment of its own): intraclass_corr, ICC(A,1) and ICC(A,k).
# Shrout and Fleiss print .29 and .62 for theirs.
@pytest.mark.parametrize(
    ("values", "single", "average"),
    [(SHROUT_FLEISS, 0.28976377952755916, 0.6200505475989893), (three_raters(), 0.7078553534445025, 0.8790647217308041)],
    ids=["published", "three raters"],
)
def test_icc_is_that_of_the_package_pingouin(values: FloatArray, single: float, average: float) -> None:
    assert icc(*each(values)) == (pytest.approx(single, abs=1e-12), pytest.approx(average, abs=1e-12))


def defined(values: FloatArray) -> float:
    """Return ordinal alpha by its definition: coincidences of levels, distances by sums over all levels between."""
    units = [row[np.isfinite(row)] for row in values]
    units = [unit for unit in units if len(unit) > 1]
    levels = sorted({float(v) for unit in units for v in unit})
    count = {level: sum(float((unit == level).sum()) for unit in units) for level in levels}
    total = sum(count.values())

    def distance(a: float, b: float) -> float:
        a, b = min(a, b), max(a, b)
        return (sum(count[g] for g in levels if a <= g <= b) - (count[a] + count[b]) / 2) ** 2

    observed = sum(
        distance(unit[i], unit[j]) / (len(unit) - 1) for unit in units for i in range(len(unit)) for j in range(len(unit)) if i != j
    )
    expected = sum(count[a] * count[b] * distance(a, b) for a in levels for b in levels) / (total - 1)
    return 1 - observed / expected


ratings = st.lists(st.lists(st.sampled_from([1.0, 1.5, 2.0, 3.25, 4.0, 5.0, GAP]), min_size=3, max_size=3), min_size=4, max_size=12).map(
    np.array
)


@settings(max_examples=60, deadline=None)
@given(ratings)
def test_alpha_is_what_its_definition_says(values: FloatArray) -> None:
    twice = values[np.isfinite(values).sum(1) > 1]
    if len(np.unique(twice[np.isfinite(twice)])) > 1:
        assert alpha(*each(values))[0] == pytest.approx(defined(values), abs=1e-9)
    else:
        assert np.isnan(alpha(*each(values))[0])


@settings(max_examples=40, deadline=None)
@given(ratings, st.integers(0, 2**16))
def test_an_episode_that_is_drawn_twice_is_there_twice(values: FloatArray, seed: int) -> None:
    """Units 0, 1, 2, … belong to episodes 0, 0, 1, 1, …; a draw of episodes gives what the repeated units give."""
    rng = np.random.default_rng(seed)
    episode = np.arange(len(values)) // 2
    times = rng.multinomial(episode.max() + 1, np.ones(episode.max() + 1) / (episode.max() + 1), 3).astype(float)
    full = np.where(np.isfinite(values), values, 2.0)[:, :2]
    for statistic, data in (
        (alpha, values),
        (lambda *given: icc(*given)[0], full),
        (lambda data, *given: spearman(data[:, 0], data[:, 1], *given), full),
        (lambda *given: kappa(*given, np.ones(len(given[0]))), full),
    ):
        drawn = statistic(data, episode, times)
        for row, found in zip(times, drawn, strict=True):
            again = np.repeat(data, row[episode].astype(int), axis=0)
            if np.isfinite(found):
                assert found == pytest.approx(statistic(*each(again))[0], abs=1e-9)


def test_a_weight_of_three_is_three_units() -> None:
    """Kappa and rho of weighted units are those of repeated ones; alpha, too, but for n - 1, which stays that of the sample."""
    rng = np.random.default_rng(3)
    x = rng.integers(1, 6, 50).astype(float)
    y = np.clip(x + rng.integers(-1, 2, 50), 1, 5)
    weight = rng.integers(1, 4, 50)
    both, repeated = np.column_stack([x, y]), np.repeat(np.column_stack([x, y]), weight, axis=0)
    _, episode, times = each(both)
    assert kappa(both, episode, times, 7.0 * weight) == pytest.approx(cohen_kappa_score(*repeated.T, weights="quadratic"), abs=1e-12)
    assert spearman(x, y, episode, times, 7.0 * weight) == pytest.approx(stats.spearmanr(*repeated.T).statistic, abs=1e-12)
    n, more = 2 * len(both), 2 * len(repeated)
    weighted, whole = alpha(both, episode, times, 7.0 * weight)[0], alpha(*each(repeated))[0]
    assert (1 - weighted) * n / (n - 1) == pytest.approx((1 - whole) * more / (more - 1), abs=1e-12)


def test_kappa_of_continuous_ratings_is_lins_concordance() -> None:
    """Lin 1989: 2 s_xy / (s_x² + s_y² + (mean x - mean y)²), with n in the denominators."""
    rng = np.random.default_rng(4)
    x = rng.normal(3, 1, 30)
    y = x + rng.normal(0.2, 0.5, 30)
    expected = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert kappa(*each(np.column_stack([x, y])), np.ones(30)) == pytest.approx(expected, abs=1e-12)


def test_raters_with_gaps_are_taken_two_at_a_time() -> None:
    """Raters 1 and 2 share four units and agree; 1 and 3 share two, where kappa is 1/3; 2 and 3 share none."""
    values = np.array([[1, 1, GAP], [2, 2, GAP], [3, 3, GAP], [4, 4, GAP], [1, GAP, 2], [2, GAP, 3]], dtype=float)
    # 1 and 3: (1, 2) and (2, 3): (x-y)² = 1 each; x against every y: (1-2)², (1-3)², (2-2)², (2-3)² = 1, 4, 0, 1, mean 1.5.
    expected = (4 * 1.0 + 2 * (1 - 1 / 1.5)) / 6
    weight = np.ones(6)
    assert by_pairs(*each(values), weight, kappa) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("same", [np.full((5, 2), 3.0), np.empty((0, 2))], ids=["nothing varies", "nothing there"])
def test_what_is_not_defined_has_no_number(same: FloatArray) -> None:
    given = (same, np.arange(len(same)), np.ones((2, len(same))))
    for rows in (alpha(*given), *icc(*given), kappa(*given, np.ones(len(same))), by_pairs(*given, np.ones(len(same)), kappa)):
        assert rows.shape == (2,)
        assert np.isnan(rows).all()


def test_units_that_one_person_rated_say_nothing() -> None:
    lone = np.vstack([KRIPPENDORFF, [[5, GAP, GAP, GAP]] * 3])
    assert alpha(*each(lone)) == pytest.approx(alpha(*each(KRIPPENDORFF)), abs=1e-12)


@pytest.mark.parametrize("values", [np.array([[1.0, GAP]]), np.array([[1.0]])], ids=["a gap", "one rater"])
def test_icc_refuses_what_it_cannot_take(values: FloatArray) -> None:
    with pytest.raises(ValueError, match="by_pairs"):
        icc(*each(values))


def test_midranks_are_scipys() -> None:
    values = np.array([1, 1, 2, 5, 5, 5, 9])
    _, at, count = np.unique(values, return_inverse=True, return_counts=True)
    assert midranks(count.astype(float))[at] + 0.5 == pytest.approx(stats.rankdata(values))
