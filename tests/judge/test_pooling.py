"""Several verdicts into one: means, medians, the strictest, spreads by the law of total variance, and when more are worth asking for."""

import math
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.pooling import Reducer, Repeats, pooled, undecided
from judge.rubric import Criterion, Rubric
from judge.verdict import JudgeId, Rating, TurnRatings, Usage, Verdict

RUBRIC = Rubric(
    name="calls",
    about="How calls are handled.",
    turn=(
        Criterion(name="listens", question="?", levels=("1", "2", "3", "4", "5")),
        Criterion(name="honest", question="?", critical=True, levels=("no", "yes")),
    ),
    episode=(Criterion(name="well", question="?", levels=("1", "2", "3", "4", "5")),),
)
JUDGE = JudgeId(provider="p", model="m", rubric="calls", rubric_hash="r", prompt_hash="h")
POOL = JUDGE.model_copy(update={"model": "pool"})

Said = tuple[float, float | None]
levels = st.floats(1, 5)
said = st.tuples(levels, st.none() | st.floats(0, 2))
weighted = st.lists(st.tuples(said, st.floats(0.01, 100)), min_size=1, max_size=7)
reducers = st.sampled_from(list(Reducer))


def verdict(
    value: float = 3,
    spread: float | None = None,
    *,
    honest: Said = (1, 0),
    well: Said = (5, 0),
    reason: str = "so",
    usage: Usage | None = None,
) -> Verdict:
    """Return a verdict of one turn."""
    listens = Rating(value=value, spread=spread, reason=reason, quote=f"words of {reason}", quote_turn=1)
    turn = TurnRatings(turn=1, ratings={"listens": listens, "honest": Rating(value=honest[0], spread=honest[1], reason="h")})
    episode = {"well": Rating(value=well[0], spread=well[1], reason="w")}
    return Verdict(judge=JUDGE, turns=(turn,), episode=episode, usage=usage or Usage())


def rating(
    ratings: Sequence[Said], weights: Sequence[float] | None = None, reducer: Reducer = Reducer.MEAN, names: Sequence[str] | None = None
) -> Rating:
    """Return what such ratings become; the reason of the k-th is `k`."""
    verdicts = [verdict(value, spread, reason=str(k)) for k, (value, spread) in enumerate(ratings)]
    return pooled(verdicts, POOL, reducer=reducer, weights=weights, names=names).turns[0].ratings["listens"]


def of(*values: float) -> list[Said]:
    return [(value, None) for value in values]


# Values


@pytest.mark.parametrize(
    ("reducer", "values", "weights", "expected"),
    [
        (Reducer.MEAN, [1, 2, 4], None, 7 / 3),
        (Reducer.MEAN, [1, 2, 4], [1, 1, 2], 11 / 4),  # 1 + 2 + 8 over 4
        (Reducer.MEAN, [5, 1], [3, 1], 4.0),  # 15 + 1 over 4
        (Reducer.MEAN, [0.1, 0.1, 0.1], None, 0.1),
        (Reducer.MEDIAN, [5, 1, 2], None, 2),
        (Reducer.MEDIAN, [5, 1, 2, 4], None, 3),  # 2 and 4 in the middle
        (Reducer.MEDIAN, [5, 1, 1, 1], None, 1),
        (Reducer.MEDIAN, [4, 2], None, 3),
        (Reducer.MEDIAN, [4, 2], [1, 2], 2),  # 2 has two thirds
        (Reducer.MEDIAN, [1, 2, 5], [1, 1, 3], 5),  # 5 has three fifths
        (Reducer.MEDIAN, [1, 2, 5], [1, 1, 2], 3.5),  # half of the weight lies up to 2, half from 5
        (Reducer.MEDIAN, [1, 2, 5], [0.1, 0.1, 0.2], 3.5),  # the same, in weights that floats do not sum exactly
        (Reducer.MEDIAN, [5, 2, 1], [10, 1, 1], 5),
        (Reducer.MEDIAN, [1, 5, 3], [0.3, 0.3, 0.3], 3),
        (Reducer.STRICTEST, [3, 2, 5], None, 2),
        (Reducer.STRICTEST, [3, 2, 5], [1, 0.001, 1], 2),  # however little it weighs
        (Reducer.STRICTEST, [4], None, 4),
    ],
)
def test_values_by_hand(reducer: Reducer, values: list[float], weights: list[float] | None, expected: float) -> None:
    assert rating(of(*values), weights, reducer).value == pytest.approx(expected, abs=1e-12)


@given(weighted, reducers)
def test_a_pooled_value_lies_between_the_lowest_and_the_highest(ratings: list[tuple[Said, float]], reducer: Reducer) -> None:
    values, weights = [one[0] for one, _ in ratings], [weight for _, weight in ratings]
    assert min(values) <= rating([one for one, _ in ratings], weights, reducer).value <= max(values)


@given(weighted, reducers, st.randoms())
def test_the_order_of_the_verdicts_changes_neither_value_nor_spread(ratings: list[tuple[Said, float]], reducer: Reducer, random) -> None:  # type: ignore[no-untyped-def]
    other = list(ratings)
    random.shuffle(other)
    one, two = (rating([said for said, _ in them], [weight for _, weight in them], reducer) for them in (ratings, other))
    assert one.value == pytest.approx(two.value, abs=1e-9)
    assert (one.spread is None) == (two.spread is None)
    assert one.spread is None or one.spread == pytest.approx(two.spread, abs=1e-6)


@given(weighted, reducers, st.sampled_from([0.125, 4.0, 1024.0]))
def test_only_the_proportions_of_the_weights_count(ratings: list[tuple[Said, float]], reducer: Reducer, factor: float) -> None:
    given_, weights = [said for said, _ in ratings], [weight for _, weight in ratings]
    assert rating(given_, weights, reducer) == rating(given_, [weight * factor for weight in weights], reducer)


@given(st.lists(levels, min_size=1, max_size=6))
def test_without_weights_all_weigh_the_same(values: list[float]) -> None:
    for reducer in Reducer:
        assert rating(of(*values), None, reducer) == rating(of(*values), [1.0] * len(values), reducer)


# Spreads


@pytest.mark.parametrize(
    ("ratings", "weights", "spread"),
    [
        ([(3, None)], None, None),  # one that says nothing of its own
        ([(3, 0.7)], None, 0.7),
        ([(3, 0.0)], None, 0.0),
        ([(3, None), (3, None)], None, 0.0),
        # Mean 3, squares 1 + 1 over 2, times 2/1 (a sample): 2.
        ([(2, None), (4, None)], None, math.sqrt(2)),
        # 1, 2, 4.5: mean 2.5, squares 2.25 + 0.25 + 4 = 6.5 over 2: 3.25.
        ([(1, None), (2, None), (4.5, None)], None, math.sqrt(3.25)),
        # Within: (0.6² + 0.8²) / 2 = 0.5; between: 0. Together 0.5.
        ([(3, 0.6), (3, 0.8)], None, math.sqrt(0.5)),
        # Within: (1² + 0²) / 2 = 0.5, none counts as 0; between: 2.
        ([(2, 1.0), (4, None)], None, math.sqrt(2.5)),
        # Weights 3 and 1: mean (6 + 4) / 4 = 2.5; between (3 × 0.25 + 2.25) / 4 = 0.75, times 2: 1.5; within (3 + 4) / 4 = 1.75.
        ([(2, 1.0), (4, 2.0)], [3, 1], math.sqrt(3.25)),
    ],
)
def test_spreads_by_the_law_of_total_variance(ratings: list[Said], weights: list[float] | None, spread: float | None) -> None:
    found = rating(ratings, weights).spread
    assert found == (spread if spread is None else pytest.approx(spread))
    assert [rating(ratings, weights, reducer).spread for reducer in Reducer] == [found] * 3


@given(st.lists(st.tuples(levels, st.floats(0, 2)), min_size=2, max_size=6))
def test_a_spread_is_never_less_than_what_the_ratings_have_of_their_own(ratings: list[tuple[float, float]]) -> None:
    own = math.sqrt(sum(spread**2 for _, spread in ratings) / len(ratings))
    spread = rating(ratings).spread
    assert spread is not None
    assert spread >= own - 1e-9
    assert rating([(ratings[0][0], spread) for _, spread in ratings]).spread == pytest.approx(own, abs=1e-6)


# Reasons, usage, the rest


def test_reason_and_quote_are_those_of_the_rating_nearest_to_the_value_the_first_of_equals() -> None:
    assert rating(of(1, 3, 4)).quote == "words of 1"  # 8/3 is nearest to 3
    assert rating(of(1, 3, 4), None, Reducer.STRICTEST).quote == "words of 0"
    assert rating(of(2, 4)).reason == "0"
    assert rating(of(4, 2, 2)).reason == "1"
    assert rating(of(1, 3, 4), names=["a/x", "b/y", "c/z"]).reason == "b/y: 1"
    assert rating(of(1, 3, 4), names=["a/x", "b/y", "c/z"]).quote_turn == 1


def test_one_verdict_alone_keeps_everything_but_the_judge() -> None:
    one = verdict(4, 0.5, usage=Usage(requests=1, cost_usd=0.25))
    assert pooled([one], POOL) == one.model_copy(update={"judge": POOL})


def test_every_turn_criterion_and_the_episode_are_pooled() -> None:
    verdicts = [verdict(k, honest=(k % 2, 0), well=(1 + k, 0)) for k in (1, 2)]
    two = [one.model_copy(update={"turns": (*one.turns, one.turns[0].model_copy(update={"turn": 3}))}) for one in verdicts]
    found = pooled(two, POOL)
    assert [turn.turn for turn in found.turns] == [1, 3]
    assert [{name: rating.value for name, rating in turn.ratings.items()} for turn in found.turns] == [{"listens": 1.5, "honest": 0.5}] * 2
    assert found.episode["well"].value == 2.5
    assert found.judge == POOL


def test_verdicts_on_different_turns_are_not_mixed() -> None:
    with pytest.raises(ValueError):
        pooled([verdict(), verdict().model_copy(update={"turns": ()})], POOL)


@pytest.mark.parametrize(("costs", "total"), [([0.25, 0.5], 0.75), ([0.25, None], None), ([None, None], None), ([0.0, 0.0], 0.0)])
def test_usage_is_summed_and_an_unknown_price_stays_unknown(costs: list[float | None], total: float | None) -> None:
    usages = [Usage(requests=1, input_tokens=100, cached_tokens=20, written_tokens=30, output_tokens=7, cost_usd=cost) for cost in costs]
    summed = pooled([verdict(usage=usage) for usage in usages], POOL).usage
    assert summed == Usage(requests=2, input_tokens=200, cached_tokens=40, written_tokens=60, output_tokens=14, cost_usd=total)


# Repeats


@pytest.mark.parametrize(
    ("repeats", "sampling"),
    [
        (Repeats(), "deterministic"),
        (Repeats(1, 1), "deterministic"),
        (Repeats(3, 3), "deterministic; mean of 3"),
        (Repeats(2, 5), "deterministic; mean of 2 to 5"),
        (Repeats(1, 2), "deterministic; mean of 1 to 2"),
    ],
)
def test_rating_more_than_once_is_another_judge(repeats: Repeats, sampling: str) -> None:
    assert repeats.of(JUDGE) == JUDGE.model_copy(update={"sampling": sampling})
    assert (repeats.of(JUDGE).key == JUDGE.key) is (repeats.most == 1)


def test_which_repeats_and_which_series_they_are_makes_no_other_judge() -> None:
    assert Repeats(2, 3, first=4, series=7).of(JUDGE) == Repeats(2, 3).of(JUDGE)
    assert Repeats(first=4, series=7).of(JUDGE) == JUDGE


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 999), st.integers(0, 999))
def test_repeats_of_two_series_are_never_kept_under_one_number(one: int, other: int, repeat: int, again: int) -> None:
    kept = Repeats(series=one).kept_as(repeat), Repeats(series=other).kept_as(again)
    assert (kept[0] == kept[1]) == ((one, repeat) == (other, again))
    assert 0 <= kept[0] < 2**63  # what a ledger's column holds
    assert Repeats().kept_as(repeat) == repeat  # those of plain scoring are kept as ever


# Whether more are worth asking for


@pytest.mark.parametrize(
    ("honest", "well", "open_"),
    [
        # A critical criterion is violated below half a level above its lowest: 0.5.
        ((1, 0.0), (5, 0.0), False),
        ((1, 0.5), (5, 0.0), False),  # exactly one spread away
        ((1, 0.51), (5, 0.0), True),
        ((0, 0.51), (5, 0.0), True),
        ((0, 0.49), (5, 0.0), False),
        ((0.5, 0.01), (5, 0.0), True),
        ((0.5, 0.0), (5, 0.0), False),  # nothing would move it
        ((1, None), (5, 0.0), True),
        # An episode criterion is decided at the middle of its scale: 3.
        ((1, 0.0), (4, 1.0), False),
        ((1, 0.0), (4, 1.01), True),
        ((1, 0.0), (2, 1.0), False),
        ((1, 0.0), (2, 1.01), True),
        ((1, 0.0), (3, 0.2), True),
        ((1, 0.0), (5, None), True),
    ],
)
def test_a_decision_within_one_spread_is_open(honest: Said, well: Said, open_: bool) -> None:
    assert undecided(verdict(3, 2.0, honest=honest, well=well), RUBRIC) is open_


@pytest.mark.parametrize("spread", [None, 0.0, 9.0])
def test_a_criterion_on_which_no_decision_hangs_leaves_nothing_open(spread: float | None) -> None:
    assert not undecided(verdict(3, spread), RUBRIC)


def test_one_open_turn_among_many_is_enough() -> None:
    sure, unsure = verdict(), verdict(honest=(1, 0.9))
    for turns in permutations([*sure.turns, *sure.turns, *unsure.turns]):
        assert undecided(sure.model_copy(update={"turns": turns}), RUBRIC)


def test_a_critical_criterion_on_a_longer_scale_is_decided_half_a_level_above_the_lowest() -> None:
    critical = RUBRIC.turn[0].model_copy(update={"critical": True})
    rubric = RUBRIC.model_copy(update={"turn": (critical, RUBRIC.turn[1])})
    assert [undecided(verdict(2, spread), rubric) for spread in (0.5, 0.51)] == [False, True]
    assert [undecided(verdict(1, spread), rubric) for spread in (0.5, 0.51)] == [False, True]
