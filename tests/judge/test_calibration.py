"""Curves and calibrations as data: what they say of a rating, what they refuse, and what they do to a verdict."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from judge.calibration import Calibration, Curve
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict

JUDGE = JudgeId(provider="mine", model="m", rubric="calls", rubric_hash="0", prompt_hash="1")


def curve(judged: tuple[float, ...], human: tuple[float, ...]) -> Curve:
    return Curve(judged=judged, human=human, labels=50, episodes=20, before=1.0, after=0.5, reliability=0.4)


BENT = curve((1, 3, 5), (1.5, 2.0, 4.0))
LEVEL = curve((1, 5), (3.2, 3.2))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.5), (2, 1.75), (3, 2.0), (4, 3.0), (4.5, 3.5), (5, 4.0), (0, 1.5), (9, 4.0)],  # straight between, flat beyond
)
def test_a_curve_is_straight_between_its_knots(value: float, expected: float) -> None:
    assert BENT.at(value) == pytest.approx(expected)


def test_flat() -> None:
    assert LEVEL.flat and not BENT.flat
    assert {LEVEL.at(value) for value in (1, 2.7, 5)} == {3.2}
    assert curve((3,), (2,)).at(5) == 2


@given(
    st.lists(st.tuples(st.floats(1, 5), st.floats(1, 5)), min_size=2, max_size=9, unique_by=lambda knot: knot[0]),
    st.floats(1, 5),
    st.floats(1, 5),
)
def test_it_never_falls_and_never_leaves_its_knots(knots: list[tuple[float, float]], one: float, other: float) -> None:
    made = curve(tuple(sorted(judged for judged, _ in knots)), tuple(sorted(human for _, human in knots)))
    low, high = made.at(min(one, other)), made.at(max(one, other))
    assert made.human[0] <= low <= high + 1e-12 and high <= made.human[-1]


@pytest.mark.parametrize(
    ("judged", "human", "told"),
    [
        ((1, 2), (1,), "2 ratings of the judge, but 1 of people"),
        ((2, 2), (1, 2), "must rise"),
        ((1, 2), (2, 1), "must not fall"),
        ((), (), "at least 1"),
        ((1, float("nan")), (1, 2), "finite"),
    ],
)
def test_what_is_no_curve_is_refused(judged: tuple[float, ...], human: tuple[float, ...], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        curve(judged, human)


def verdict() -> Verdict:
    ratings = {
        "listens": Rating(value=4, spread=1.0, reason="why", quote="so"),
        "calm": Rating(value=2, spread=0.5, reason="calmly"),
        "other": Rating(value=5, reason="as it is"),
    }
    return Verdict(judge=JUDGE, turns=(TurnRatings(turn=0, ratings=ratings),), episode={"listens": Rating(value=4, reason="whole")})


def calibration(judge: JudgeId = JUDGE) -> Calibration:
    return Calibration(judge=judge, turn={"listens": BENT, "calm": LEVEL}, episode={}, fitted_on=date(2026, 11, 21), audits=("2026-11",))


def test_a_verdict_is_mapped_criterion_by_criterion() -> None:
    mapped = calibration().apply(verdict())
    listens, calm, other = (mapped.turns[0].ratings[name] for name in ("listens", "calm", "other"))
    # 4 -> 3; the spread reaches from 3 (2.0) to 5 (4.0): half of that
    assert listens == Rating(value=3.0, spread=1.0, reason="why", quote="so")
    assert (calm.value, calm.spread, calm.reason) == (3.2, 0.0, "calmly")
    assert other == verdict().turns[0].ratings["other"]
    assert mapped.episode == verdict().episode  # a curve of the turns is none of the episode
    assert mapped.judge == JUDGE


def test_another_judge_is_refused() -> None:
    other = JUDGE.model_copy(update={"sampling": "deterministic; mean of 3"})
    with pytest.raises(ValueError, match="does not fit"):
        calibration(other).apply(verdict())


def test_its_name_is_the_day_and_its_content() -> None:
    one = calibration()
    assert one.id.startswith("2026-11-21@") and len(one.id) == len("2026-11-21@") + 12
    assert Calibration.model_validate_json(one.model_dump_json()).id == one.id
    assert one.model_copy(update={"audits": ("2026-12",)}).id != one.id
