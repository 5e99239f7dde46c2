"""Agreement with people: kappa against scikit-learn's and Lin's by hand, bounds against a slow bootstrap, ceilings, ranks, pairs."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from golden_set.agreement import DRAWS, Agreement, agreement, averaged, ceiling, kappa, minus, moments, off, ranks, weights
from golden_set.case import GoldenCase
from golden_set.sheet import Column, FloatArray, Sheet, handling_of, labels_as_marks
from judge import Rubric
from judge.rubric import Criterion

Make = Callable[..., tuple[GoldenCase, ...]]
LISTENS = Criterion(name="listens", question="?", levels=("1", "2", "3", "4", "5"))
pairs = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=40)


def kappa_of(x: FloatArray, y: FloatArray) -> float:
    return float(kappa(moments(x, y, np.zeros(len(x), dtype=np.int64), 1).sum(0)))


def column(values: list[list[float | None]], human: list[float], episode: list[int]) -> Column:
    """Return runs by items; None where a run failed."""
    rated = np.array([[value is not None for value in row] for row in values])
    filled = np.array([[value or 0.0 for value in row] for row in values])
    names = tuple(f"c{k}" for k in range(max(episode) + 1))
    places = tuple((names[at], str(item)) for item, at in enumerate(episode))
    return Column(LISTENS, names, places, np.array(episode), np.array(human, dtype=float), filled, rated)


def clustered(seed: int = 0, episodes: int = 25, turns: int = 4) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a judge's integer ratings, labels, and each item's episode; an episode's turns share quality and the judge's error."""
    rng = np.random.default_rng(seed)
    human = np.clip(np.repeat(rng.integers(1, 6, episodes), turns) + rng.integers(-1, 2, episodes * turns), 1, 5)
    shared = np.repeat(rng.normal(0, 1.2, episodes), turns)
    judged = np.clip(np.round(human + shared + rng.normal(0, 0.3, len(human))), 1, 5)
    return judged, human.astype(float), np.repeat(np.arange(episodes), turns)


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_kappa_is_scikit_learns_on_whole_ratings(given_: list[tuple[int, int]]) -> None:
    x, y = np.array(given_, dtype=float).T
    assume(np.ptp(x) > 0 or np.ptp(y) > 0)
    assert kappa_of(x, y) == pytest.approx(cohen_kappa_score(x, y, weights="quadratic", labels=[1, 2, 3, 4, 5]), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 5), st.floats(1, 5)), min_size=2, max_size=30))
def test_kappa_is_lins_concordance_between_levels_too(given_: list[tuple[float, float]]) -> None:
    x, y = np.array(given_).T
    assume(np.ptp(x) > 0.01 and np.ptp(y) > 0.01)
    covariance = np.cov(x, y, bias=True)
    lin = 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (x.mean() - y.mean()) ** 2)
    assert kappa_of(x, y) == pytest.approx(lin, abs=1e-7)


def test_kappa_by_hand_and_where_it_is_not_defined() -> None:
    # x 1, 2, 3 and y 1, 2, 4: means 2 and 7/3; variances 2/3 and 14/9; covariance 1; 2 / (2/3 + 14/9 + 1/9) = 6/7.
    assert kappa_of(np.array([1.0, 2, 3]), np.array([1.0, 2, 4])) == pytest.approx(6 / 7)
    assert np.isnan(kappa_of(np.full(9, 3.0), np.full(9, 3.0)))
    assert kappa_of(np.full(9, 3.0), np.full(9, 4.0)) == 0.0  # alike only as far as chance has it


def test_every_bootstrap_sample_is_the_kappa_of_whole_episodes_drawn() -> None:
    judged, human, episode = clustered()
    found = agreement(column([judged.tolist()], human.tolist(), episode.tolist()))
    assert found.value == pytest.approx(cohen_kappa_score(judged, human, weights="quadratic"))
    assert found.draws.shape == (DRAWS,)
    for times, drawn in zip(weights(25)[:60], found.draws[:60], strict=True):
        items = np.concatenate([np.flatnonzero(episode == at) for at in np.repeat(np.arange(25), times.astype(int))])
        assert len(items) == 100
        assert drawn == pytest.approx(cohen_kappa_score(judged[items], human[items], weights="quadratic", labels=[1, 2, 3, 4, 5]), abs=1e-9)


def test_bounds_are_those_of_a_slow_bootstrap_of_episodes_and_wider_than_of_turns() -> None:
    judged, human, episode = clustered()
    low, high = agreement(column([judged.tolist()], human.tolist(), episode.tolist())).bound(0.05)
    rng = np.random.default_rng(99)
    by_episode, by_turn = [], []
    for _ in range(2000):
        picked = (4 * rng.integers(0, 25, 25)[:, None] + np.arange(4)).ravel()
        by_episode.append(kappa_of(judged[picked], human[picked]))
        alone = rng.integers(0, 100, 100)
        by_turn.append(kappa_of(judged[alone], human[alone]))
    assert (low, high) == (
        pytest.approx(np.quantile(by_episode, 0.05), abs=0.02),
        pytest.approx(np.quantile(by_episode, 0.95), abs=0.02),
    )
    assert low is not None and high is not None
    assert high - low > 1.3 * np.ptp(np.quantile(by_turn, [0.05, 0.95]))


def test_several_runs_are_the_mean_of_each_runs_kappa_not_the_kappa_of_their_mean() -> None:
    _, human, episode = clustered()
    rng = np.random.default_rng(4)
    runs = [np.clip(np.round(human + rng.normal(0, 1.2, len(human))), 1, 5) for _ in range(5)]
    found = agreement(column([run.tolist() for run in runs], human.tolist(), episode.tolist()))
    each = [cohen_kappa_score(run, human, weights="quadratic") for run in runs]
    assert found.value == pytest.approx(np.mean(each))
    assert kappa_of(np.mean(runs, axis=0), human) > np.mean(each) + 0.05


def test_a_run_that_failed_on_a_case_is_left_out_there() -> None:
    human = [1, 2, 3, 4, 5, 2]
    found = agreement(column([[1, 2, 3, 4, 5, 2], [1, 2, 3, 5, None, None]], human, [0, 0, 1, 1, 2, 2]))
    assert found.value == pytest.approx((1 + kappa_of(np.array([1.0, 2, 3, 5]), np.array([1.0, 2, 3, 4]))) / 2)


def test_a_criterion_that_never_varies_has_no_agreement_and_no_bounds() -> None:
    found = agreement(column([[1, 1, 1, 1]], [1, 1, 1, 1], [0, 0, 1, 1]))
    assert (found.value, found.bound(0.05)) == (None, (None, None))
    assert minus(found, found).value is None
    assert averaged([found]).bound(0.05) == (None, None)


def test_means_and_differences_are_taken_sample_by_sample() -> None:
    one, two = Agreement(0.6, np.array([0.5, 0.7])), Agreement(0.8, np.array([0.8, 0.6]))
    both, less = averaged([one, Agreement(None, np.empty(0)), two]), minus(two, one)
    assert (both.value, both.draws.tolist()) == (pytest.approx(0.7), [pytest.approx(0.65), pytest.approx(0.65)])
    assert (less.value, less.draws.tolist()) == (pytest.approx(0.2), [pytest.approx(0.3), pytest.approx(-0.1)])


def test_the_ceiling_is_how_people_agree_with_each_other(make_cases: Make) -> None:
    rng = np.random.default_rng(1)
    cases, said = [], {name: [] for name in "abc"}  # type: dict[str, list[float]]
    for case in make_cases(12, rounds=2):
        turns = []
        for turn in case.turns:
            labels = {}
            if turn.labels:
                base = turn.labels["listens"][0]
                listens = [base, int(np.clip(base + rng.integers(-1, 2), 1, 5)), int(rng.integers(1, 6))]
                labels = {"listens": listens, "honest": [1, 1, 1]}
                for name, value in zip("abc", listens, strict=True):
                    said[name].append(value)
            turns.append({"role": turn.role, "text": turn.text, "labels": labels})
        whole = case.model_dump(exclude={"turns", "labels", "labelled_by"})
        cases.append(
            GoldenCase.model_validate(whole | {"turns": turns, "labels": {"well": [3, None, None]}, "labelled_by": ["a", "b", "c"]})
        )
    expected = np.mean([cohen_kappa_score(said[x], said[y], weights="quadratic") for x, y in ("ab", "ac", "bc")])
    assert ceiling(cases, "listens", episode=False) == pytest.approx(expected)
    assert ceiling(cases, "honest", episode=False) is None  # which nobody varies
    assert ceiling(cases, "well", episode=True) is None  # which one alone labelled
    assert ceiling(make_cases(4), "listens", episode=False) is None


def test_bias_and_error_are_over_what_was_rated() -> None:
    # Off by +1, 0, -1 in the first run and +3 in the second: bias 3/4, error 5/4.
    assert off(column([[2, 2, 2], [4, None, None]], [1, 2, 3], [0, 1, 2])) == (0.75, 1.25)


def test_ranks_and_contrast_pairs(make_cases: Make, rubric: Rubric) -> None:
    cases = make_cases(12, pairs=3)
    sheet = Sheet({case.id: [labels_as_marks(case)] for case in cases})
    found = ranks(cases, sheet, rubric, 0.05)
    assert found.spearman == pytest.approx(1.0)
    assert (found.pairs.hits, found.pairs.count, found.wrong) == (3, 3, ())
    swapped = Sheet(dict(sheet.marks))
    swapped.marks["c002"], swapped.marks["c003"] = sheet.marks["c003"], sheet.marks["c002"]
    swapped.marks["c004"] = sheet.marks["c005"]  # rated alike: not in the right order either
    found = ranks(cases, swapped, rubric, 0.05)
    assert (found.pairs.hits, found.pairs.count, found.wrong) == (1, 3, ("p1", "p2"))
    judged = [handling_of(swapped, case.id, rubric) for case in cases]
    human = [handling_of(sheet, case.id, rubric) for case in cases]
    rho = stats.spearmanr(judged, human).statistic
    assert found.spearman == pytest.approx(rho)
    # Fieller, Hartley and Pearson: the standard error of atanh(rho) is sqrt(1.06 / (n - 3)).
    reach = 1.96 * np.sqrt(1.06 / 9)
    assert (found.low, found.high) == (pytest.approx(np.tanh(np.arctanh(rho) - reach)), pytest.approx(np.tanh(np.arctanh(rho) + reach)))


def test_a_judge_that_rates_all_alike_has_no_ranks_and_no_pair_right(make_cases: Make, rubric: Rubric) -> None:
    cases = make_cases(12, pairs=6, violations=0)
    same = labels_as_marks(cases[0])
    found = ranks(cases, Sheet({case.id: [same] for case in cases}), rubric, 0.05)
    assert (found.spearman, found.low, found.high, found.pairs.hits) == (None, None, None, 0)
    assert len(found.wrong) == found.pairs.count > 0
