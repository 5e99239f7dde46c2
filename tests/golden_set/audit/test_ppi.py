"""Estimates by people and judge: against PPI++'s own package, statsmodels and plain loops; laws; what is done where little is known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.proportion import proportion_confint

from golden_set.audit.ppi import FEWEST, Estimate, difference, estimate
from golden_set.sheet import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Audit:
    """A frame with what people would say of all of it, and which episodes they were asked about."""

    truth: FloatArray
    judge: FloatArray
    stratum: IntArray
    at: IntArray

    @property
    def numbers(self) -> tuple[FloatArray, FloatArray, IntArray, FloatArray, IntArray]:
        return self.truth[self.at], self.judge[self.at], self.stratum[self.at], self.judge, self.stratum

    def mean(self, domain: BoolArray | None = None, **kinds: bool) -> Estimate:
        found = estimate(*self.numbers, None if domain is None else domain[self.at], domain, **kinds)
        assert found is not None
        return found


def audit(seed: int, sizes: tuple[int, ...] = (60, 90, 50), asked: tuple[int, ...] = (8, 12, 5), noise: float = 0.7) -> Audit:
    rng = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    judge = rng.normal(stratum, 1.0)
    at = np.concatenate([rng.permutation(np.flatnonzero(stratum == h))[:n] for h, n in enumerate(asked)])
    return Audit(1 + 0.6 * judge + rng.normal(0, noise, len(judge)), judge, stratum, at)


def test_a_simple_random_sample_is_what_the_package_of_ppi_finds() -> None:
    """Numbers of ppi-python 0.2.3 (in a virtual environment of its own, Python 3.11) on the same data:
    `ppi_py.ppi_mean_pointestimate(y, f, f_unlabeled)` and `ppi_mean_ci(..., alpha=0.05)`; the same with `lam=0` for people alone.

    It fits lambda with the episode's own label, and takes variances with n instead of n - 1: hence the tolerances.
    """
    k = np.arange(300)
    judge = 3 + 1.1 * np.sin(1.7 * k) + 0.4 * np.cos(0.37 * k * k)
    human = 0.6 * judge + 0.9 + 0.5 * np.sin(2.3 * k * k + 1)
    value, low, high = 2.65252277, 2.5549125, 2.75013303
    alone, alone_low, alone_high = 2.69659974, 2.54974608, 2.8434534
    found = Audit(human, judge, np.zeros(300, dtype=np.int64), np.arange(60)).mean()
    se = (high - low) / 2 / stats.norm.ppf(0.975)
    assert found.value == pytest.approx(value, abs=0.05 * se)
    assert found.se == pytest.approx(se, rel=0.05)
    assert found.people.value == pytest.approx(alone, abs=1e-8)
    # Drawing without replacement and the process together: (1 - n/N) s²/n + s²/N = s²/n, theirs times n/(n - 1).
    assert found.people.se == pytest.approx((alone_high - alone_low) / 2 / stats.norm.ppf(0.975) * np.sqrt(60 / 59), abs=1e-8)
    assert found.gain == pytest.approx(((alone_high - alone_low) / (high - low)) ** 2, rel=0.1)
    assert (found.labelled, found.frame, found.covered) == (60, 300, 1.0)
    assert found.judge == pytest.approx(judge.mean())


@pytest.mark.parametrize("sizes, asked", [((200,), (30,)), ((60, 90, 50), (8, 12, 5)), ((40, 300), (10, 10))])
def test_lambda_is_a_regression_in_strata_without_the_episode_itself(sizes: tuple[int, ...], asked: tuple[int, ...]) -> None:
    """Each lambda is statsmodels' weighted slope on the other episodes with an intercept a stratum, times 1 - 1/t² of its t statistic."""
    given = audit(3, sizes, asked, noise=0.5)
    human, judge, stratum, frame_judge, _ = given.numbers
    size, count = np.array(sizes), np.array(asked)
    follow = []
    for out in range(len(human)):
        kept = np.arange(len(human)) != out
        left = count - (np.arange(len(count)) == stratum[out])
        weight = size**2 * (1 - count / size) / count / (left - 1)
        design = np.column_stack([judge, stratum[:, None] == np.arange(len(size))])
        fit = WLS(human[kept], design[kept].astype(float), weights=weight[stratum][kept]).fit()
        follow.append(max(fit.params[0], 0) * max(1 - 1 / fit.tvalues[0] ** 2, 0))
    rest = human - np.array(follow) * (judge - frame_judge.mean())
    means = np.array([rest[stratum == h].mean() for h in range(len(size))])
    found = given.mean()
    assert found.gain > 1.1
    assert found.value == pytest.approx(size @ means / size.sum(), abs=1e-9)
    assert found.tuning == pytest.approx((size / count)[stratum] @ follow / size.sum(), abs=1e-9)


def by_loops(given: Audit, domain: BoolArray) -> tuple[float, float, float]:
    """Return value, standard error and degrees of freedom for a domain, written out stratum by stratum."""
    human, judge, stratum, frame_judge, frame_stratum = given.numbers
    inside = domain[given.at].astype(float)
    size, count = np.bincount(frame_stratum), np.bincount(stratum)
    weight = (size / count)[stratum]

    def follow(out: int) -> float:
        kept = np.arange(len(human)) != out
        w = weight * inside * kept
        y, f = inside * (human - w @ human / w.sum()), inside * (judge - w @ judge / w.sum())
        total = np.zeros((2, 2))
        for h in range(len(size)):
            here = kept & (stratum == h)
            total += size[h] ** 2 * (1 - count[h] / size[h]) / count[h] * np.cov(y[here], f[here])
        (yy, yf), (_, ff) = total
        freedom = sum(inside[stratum == h].sum() * (1 - 1 / count[h]) for h in range(len(size))) - 2
        return float(max(yf, 0) / ff * max(0.0, 1 - (yy - yf**2 / ff) / (freedom * yf**2 / ff)))

    lam = np.array([follow(out) for out in range(len(human))])
    rest = human - lam * (judge - frame_judge[domain].mean())
    w = weight * inside
    value = w @ rest / w.sum()
    score = inside * (rest - value) / w.sum()
    strata = np.array([size[h] ** 2 * (1 - count[h] / size[h]) * score[stratum == h].var(ddof=1) / count[h] for h in range(len(size))])
    members = np.array([inside[stratum == h].sum() for h in range(len(size))])
    n, mean = inside.sum(), w @ human / w.sum()
    frame = w @ (human - mean) ** 2 / w.sum() * n / (n - 1) / domain.sum()
    variance = strata.sum() + frame
    return value, np.sqrt(variance), variance**2 / ((strata**2 / np.maximum(members - 1, 1)).sum() + frame**2 / (n - 1))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("part", [1.0, 0.6])
def test_domains_are_what_plain_loops_find(seed: int, part: float) -> None:
    given = audit(seed, (60, 90, 50), (12, 18, 8), noise=0.5)
    domain = np.random.default_rng(seed + 100).random(200) < part
    value, se, freedom = by_loops(given, domain)
    found = given.mean(domain)
    assert found.value == pytest.approx(value, abs=1e-9)
    assert found.se == pytest.approx(se, rel=1e-9)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, freedom) * se, rel=1e-6)
    assert found.gain == pytest.approx((found.people.width / (found.high - found.low)) ** 2)
    assert found.gain > 1.1


def test_a_value_worked_by_hand() -> None:
    """Two strata of 20 and 10 episodes, 4 of each labelled, a judge that is constant: people alone.

    Means 2.5 and 6.5: (20 * 2.5 + 10 * 6.5) / 30 = 115/30. Variances within are 5/3 both: (20² (1 - 4/20) 5/3 / 4 + 10² (1 - 4/10) 5/3 / 4)
    / 30² = (400/3 + 25) / 900 = 0.175926. Of the process: weights 5 and 2.5; sum of squares around 115/30:
    5 (4 (2.5 - 3.8333)² + 5) + 2.5 (4 (6.5 - 3.8333)² + 5) = 60.5556 + 83.6111 = 144.1667; over 30, times 8/7, over 30: 0.183069.
    """
    human = np.array([1, 2, 3, 4, 5, 6, 7, 8.0])
    found = estimate(human, np.ones(8), np.repeat([0, 1], 4), np.ones(30), np.repeat([0, 1], [20, 10]))
    assert found is not None
    assert (found.value, found.se) == (pytest.approx(115 / 30), pytest.approx(np.sqrt(0.175926 + 0.183069), rel=1e-5))
    assert (found.tuning, found.gain, tuple(found.people)) == (0, 1, (found.value, found.low, found.high, found.se))


seeds = st.integers(0, 10_000)


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(-5, 5))
def test_what_people_add_to_every_rating_is_added_to_the_mean(seed: int, more: float) -> None:
    one = audit(seed)
    a, b = one.mean(), replace(one, truth=one.truth + more).mean()
    assert (b.value, b.low, b.high) == (pytest.approx(a.value + more), pytest.approx(a.low + more), pytest.approx(a.high + more))
    assert b.tuning == pytest.approx(a.tuning)


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(0.1, 20), st.floats(-50, 50))
def test_the_scale_of_the_judge_does_not_matter(seed: int, times: float, more: float) -> None:
    one = audit(seed)
    a, b = one.mean(), replace(one, judge=one.judge * times + more).mean()
    assert (b.value, b.se, b.tuning * times) == (pytest.approx(a.value), pytest.approx(a.se), pytest.approx(a.tuning))


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_the_order_of_episodes_and_the_names_of_strata_do_not_matter(seed: int) -> None:
    one, rng = audit(seed), np.random.default_rng(seed)
    order = rng.permutation(len(one.judge))
    place = np.argsort(order)
    names = np.array([7, -3, 40])
    other = Audit(one.truth[order], one.judge[order], names[one.stratum[order]], rng.permutation(place[one.at]))
    a, b = one.mean(), other.mean()
    assert (b.value, b.low, b.high, b.tuning) == tuple(map(pytest.approx, (a.value, a.low, a.high, a.tuning)))


@settings(max_examples=40, deadline=None)
@given(seeds, st.booleans())
def test_a_perfect_judge_gives_the_mean_of_the_frame(seed: int, half: bool) -> None:
    one = audit(seed, asked=(12, 20, 10))
    domain = np.random.default_rng(seed).random(200) < (0.7 if half else 1)
    found = replace(one, truth=one.judge).mean(domain)
    assert found.value == pytest.approx(one.judge[domain].mean(), abs=1e-9)
    assert found.tuning == pytest.approx(1)
    assert found.se > 0  # of the process


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from([0.0, 0.3, 1.0, 5.0]))
def test_no_estimate_claims_to_be_worse_than_people_alone(seed: int, noise: float) -> None:
    found = audit(seed, noise=noise).mean()
    assert found.gain >= 1 and found.high - found.low <= found.people.width and found.tuning >= 0
    assert found.low <= found.value <= found.high


def test_a_judge_that_sees_the_opposite_is_not_followed() -> None:
    one = audit(1)
    assert one.mean().tuning > 0.3
    assert replace(one, judge=-one.judge).mean().tuning == 0


def test_a_census_knows_the_frame_and_still_not_the_process() -> None:
    one = audit(2)
    every = replace(one, at=np.arange(200))
    found = every.mean()
    assert found.value == pytest.approx(one.truth.mean())
    assert found.se == pytest.approx(stats.sem(one.truth))
    assert found.tuning == 0


def test_too_few_labels_tell_nothing() -> None:
    one = audit(2, asked=(3, 3, FEWEST - 7))
    assert estimate(*one.numbers) is None
    more = audit(2, asked=(3, 3, FEWEST - 6))
    assert more.mean().labelled == FEWEST
    domain = more.stratum < 2
    assert estimate(*more.numbers, domain[more.at], domain) is None


def test_a_stratum_without_an_answer_goes_to_the_one_the_judge_rates_most_alike() -> None:
    """Strata of 100, 60 and 40 with judge's means 1, 5 and 4: the last is unanswered, so the second stands for 100 episodes."""
    stratum = np.repeat([0, 1, 2], [100, 60, 40])
    judge = np.array([1.0, 5.0, 4.0])[stratum]
    at = np.r_[0:5, 100:105]
    human = np.array([2.0, 3, 2, 3, 2, 8, 9, 8, 9, 8])
    found = estimate(human, judge[at], stratum[at], judge, stratum)
    assert found is not None
    assert found.value == pytest.approx((100 * 2.4 + 100 * 8.4) / 200)
    assert found.covered == 0.8
    less = np.repeat([0, 1, 2], [100, 59, 41])
    assert estimate(human, judge[at], less[at], judge, less) is None
    inside = less < 2  # strata without an answer do not matter to a domain that has nothing in them
    covered = estimate(human, judge[at], less[at], judge, less, inside[at], inside)
    assert covered is not None and covered.covered == 1


def test_a_single_answer_counts_with_its_distance_from_the_mean() -> None:
    """Ten labelled of 100 and one of 10: weights 10 each. Mean (10 * 10 * 2 + 10 * 5) / 110; the single one adds (1 - 1/10) 10² off²."""
    stratum = np.repeat([0, 1], [100, 10])
    human = np.array([1.0, 3] * 5 + [5])
    found = estimate(human, np.ones(11), np.repeat([0, 1], [10, 1]), np.ones(110), stratum)
    assert found is not None
    mean = 250 / 110
    drawn = 100**2 * 0.9 * (10 / 9) / 10 + 0.9 * 10**2 * (5 - mean) ** 2
    process = 10 * ((human - mean) ** 2).sum() / 110 * 11 / 10 / 110
    assert (found.value, found.se) == (pytest.approx(mean), pytest.approx(np.sqrt(drawn / 110**2 + process)))


@pytest.mark.parametrize(
    "changed, part",
    [
        ({"human": np.ones(3)}, "labelled"),
        ({"frame_stratum": np.zeros(4, dtype=np.int64)}, "of the frame"),
        ({"stratum": np.full(10, 9)}, "strata that the frame does not have"),
        ({"frame_judge": np.ones(5), "frame_stratum": np.zeros(5, dtype=np.int64)}, "more than it has"),
        ({"domain": np.ones(10, dtype=bool)}, "for neither"),
        ({"domain": np.ones(9, dtype=bool), "frame_domain": np.ones(50, dtype=bool)}, "a domain of 9"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, object], part: str) -> None:
    zeros = np.zeros(10, dtype=np.int64)
    fits = {"human": np.ones(10), "judge": np.ones(10), "stratum": zeros, "frame_judge": np.ones(50)}
    with pytest.raises(ValueError, match=part):
        estimate(**(fits | {"frame_stratum": np.zeros(50, dtype=np.int64)} | changed))  # type: ignore[arg-type]


def test_domains_in_strata_of_their_own_differ_independently() -> None:
    one = audit(4, (100, 120), (20, 25))
    pair = (one.stratum == 0, one.stratum == 1)
    found = difference(*one.numbers, (pair[0][one.at], pair[1][one.at]), pair)
    first, second = one.mean(pair[0]), one.mean(pair[1])
    assert found is not None
    assert (found.value, found.se) == (pytest.approx(first.value - second.value), pytest.approx(np.hypot(first.se, second.se)))


def test_a_domain_does_not_differ_from_itself_and_little_from_most_of_itself() -> None:
    one = audit(5, (200,), (60,))
    whole, most = np.ones(200, dtype=bool), np.arange(200) % 10 > 0
    same = difference(*one.numbers, (whole[one.at], whole[one.at]), (whole, whole))
    assert same is not None and (same.value, same.low, same.high) == (0, 0, 0)
    near = difference(*one.numbers, (whole[one.at], most[one.at]), (whole, most))
    assert near is not None and near.se < 0.4 * one.mean().se  # correlated: a tenth of the episodes sets them apart
    few = np.arange(200) < 3
    assert difference(*one.numbers, (whole[one.at], few[one.at]), (whole, few)) is None


def flagged(hits: tuple[int, int], asked: tuple[int, int] = (40, 60), sizes: tuple[int, int] = (50, 950)) -> Audit:
    """Return an audit with two strata, flagged and not, and so many violations among the labels of each."""
    judge = np.repeat([1.0, 0.0], sizes)
    at = np.r_[0 : asked[0], sizes[0] : sizes[0] + asked[1]]
    truth = np.zeros(sum(sizes))
    truth[at[: hits[0]]] = 1
    truth[at[asked[0] : asked[0] + hits[1]]] = 1
    return Audit(truth, judge, (1 - judge).astype(np.int64), at)


def test_a_rare_share_worked_by_hand() -> None:
    """12 of 40 flagged ones and 1 of 60 others: 0.05 * 0.3 + 0.95 / 60. Arms are Jeffreys' of statsmodels, put together by squares,
    with the frame's own chance of flags, 1.96² (0.3 - 1/60)² 0.05 * 0.95 / 1000."""
    found = flagged((12, 1)).mean()
    value = 0.05 * 0.3 + 0.95 / 60
    (low1, high1), (low0, high0) = proportion_confint(12, 40, method="jeffreys"), proportion_confint(1, 60, method="jeffreys")
    chance = (stats.norm.ppf(0.975) * (0.3 - 1 / 60)) ** 2 * 0.05 * 0.95 / 1000
    assert found.value == pytest.approx(value)
    assert found.low == pytest.approx(value - np.sqrt((0.05 * (0.3 - low1)) ** 2 + (0.95 * (1 / 60 - low0)) ** 2 + chance))
    assert found.high == pytest.approx(value + np.sqrt((0.05 * (high1 - 0.3)) ** 2 + (0.95 * (high0 - 1 / 60)) ** 2 + chance))
    assert found.tuning == pytest.approx(0.3 - 1 / 60)
    assert found.gain == 1  # the draw knows all that the judge does


def test_where_nothing_was_missed_in_the_sample_something_may_be_missed_in_the_log() -> None:
    found = flagged((12, 0)).mean()
    assert found.value == pytest.approx(0.015)
    assert found.high > 0.015 + 0.9 * 0.95 * proportion_confint(0, 60, method="jeffreys")[1]
    nothing, all_of_it = flagged((0, 0)).mean(), flagged((40, 60)).mean()
    assert (nothing.value, nothing.low) == (0, 0) and 0 < nothing.high < 0.06
    assert (all_of_it.value, all_of_it.high) == (1, 1) and 0.94 < all_of_it.low < 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 60))
def test_a_share_stays_a_share(some: int, others: int) -> None:
    found = flagged((some, others)).mean()
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.se > 0


def test_a_flag_that_the_draw_did_not_know_helps() -> None:
    """A simple random sample of 200 in which the flag tells violations well: the share is post-stratified."""
    rng = np.random.default_rng(6)
    truth = (rng.random(2000) < 0.2).astype(float)
    judge = np.where(truth == 1, rng.random(2000) < 0.9, rng.random(2000) < 0.05).astype(float)
    one = Audit(truth, judge, np.zeros(2000, dtype=np.int64), rng.permutation(2000)[:200])
    found, human, flag = one.mean(), truth[one.at], judge[one.at] == 1
    part = judge.mean()
    assert found.value == pytest.approx(part * human[flag].mean() + (1 - part) * human[~flag].mean())
    assert found.gain > 2
    assert found.people.value == pytest.approx(human.mean())
    assert found.tuning == pytest.approx(human[flag].mean() - human[~flag].mean())


def test_ratings_from_0_to_1_are_a_share_only_where_told() -> None:
    rng = np.random.default_rng(7)
    judge = rng.random(500)
    one = Audit((rng.random(500) < judge).astype(float), judge, np.zeros(500, dtype=np.int64), np.arange(80))
    assert one.mean().value != pytest.approx(one.mean(share=True).value, abs=1e-6)
    part, flag = (judge >= 0.5).mean(), judge[:80] >= 0.5
    human = one.truth[:80]
    assert one.mean(share=True).value == pytest.approx(part * human[flag].mean() + (1 - part) * human[~flag].mean())


def test_two_shares_are_put_together_by_their_arms() -> None:
    one = flagged((12, 1))
    pair = (np.arange(1000) % 2 == 0, np.arange(1000) % 2 == 1)
    found = difference(*one.numbers, (pair[0][one.at], pair[1][one.at]), pair)
    first, second = one.mean(pair[0]), one.mean(pair[1])
    assert found is not None
    assert found.value == pytest.approx(first.value - second.value)
    assert found.low == pytest.approx(found.value - np.hypot(first.value - first.low, second.high - second.value))
    assert found.high == pytest.approx(found.value + np.hypot(first.high - first.value, second.value - second.low))
    itself = difference(*one.numbers, (pair[0][one.at], pair[0][one.at]), (pair[0], pair[0]))
    assert itself is not None and itself.value == 0
    assert itself.se < found.se
