"""What a run came to: counts, means, and the calls at both ends."""

import json
from collections.abc import Iterable

import pytest

from dialogue.reader import Reject
from dialogue.transcript import Role, Transcript, Turn
from judge.rubric import Criterion, Rubric
from judge.verdict import FailureKind, JudgeFailure, JudgeId, Rating, TurnRatings, Verdict
from rewards.blend import blend
from rewards.outcome import load_outcome_table
from rewards.recipe import load_recipe
from rewards.record import RewardRecord, make_record
from rewards.summary import SHOWN, Summary

# One level up or down is 1 on the unit scale, so that handling can be read off: (mean of turns + episode) / 2.
RUBRIC = Rubric(
    name="calls",
    about="Calls.",
    turn=(
        Criterion(name="listens", question="?", levels=("no", "neutral", "yes")),
        Criterion(name="honest", question="?", levels=("no", "yes"), critical=True),
    ),
    episode=(Criterion(name="well", question="?", levels=("no", "neutral", "yes")),),
)
JUDGE = JudgeId(provider="p", model="m", rubric="calls", rubric_hash="r", prompt_hash="q")
OUTCOMES = load_outcome_table("collections")


def rating(value: float, reason: str = "because") -> Rating:
    return Rating(value=value, reason=reason, quote="a quote")


def record(
    id: str,
    turns: Iterable[tuple[float, float]] = ((2, 1),),
    well: float = 2,
    *,
    outcome: str | float | None = "HANGUP",
    recipe: str = "blend",
    failure: FailureKind | None = None,
) -> RewardRecord:
    """Return the record of a call whose agent turns were rated (listens, honest); turn indices are 1, 3, 5 …"""
    turns = list(turns)
    said = [Turn(role=role, text="…") for _ in turns for role in (Role.USER, Role.AGENT)]
    transcript = Transcript(id=id, turns=tuple(said), outcome=outcome)
    rated = tuple(
        TurnRatings(turn=2 * k + 1, ratings={"listens": rating(listens), "honest": rating(honest)})
        for k, (listens, honest) in enumerate(turns)
    )
    verdict = Verdict(judge=JUDGE, turns=rated, episode={"well": rating(well)}) if recipe != "outcome" and not failure else None
    answer = JudgeFailure(judge=JUDGE, kind=failure, detail="it broke") if failure else verdict
    reward = blend(transcript, OUTCOMES.outcome_of(transcript), verdict, RUBRIC, load_recipe(recipe))
    return make_record(transcript, answer, reward, rubric="r", recipe="r", outcomes="o", cleared=True)


def summary_of(*records: RewardRecord) -> Summary:
    summary = Summary(RUBRIC)
    for one in records:
        summary.add(one)
    return summary


@pytest.mark.parametrize(
    ("wells", "worst", "best"),
    [
        ({}, "", ""),
        ({"a": 2}, "a", ""),
        ({"a": 3, "b": 1}, "ba", ""),
        ({"a": 3, "b": 1, "c": 2.5, "d": 1.5}, "bdc", "a"),
        ({"a": 1.5, "b": 3, "c": 1, "d": 2, "e": 2.8, "f": 2.2, "g": 1.2}, "cga", "bef"),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 3, "f": 3, "g": 3, "h": 3}, "abc", "efg"),
        ({"a": 2, "b": 2, "c": 2, "d": 2, "e": 2, "f": 2, "g": 2}, "abc", "def"),
        ({"a": 2, "b": 2, "c": 1, "d": 2, "e": 2, "f": 2, "g": 3}, "cab", "gde"),
    ],
)
def test_worst_and_best_are_in_order_earlier_calls_win_ties_and_none_is_shown_twice(wells: dict[str, float], worst: str, best: str) -> None:
    summary = summary_of(*(record(call, well=well) for call, well in wells.items()))
    assert "".join(call.id for call in summary.worst) == worst
    assert "".join(call.id for call in summary.best) == best


def test_handling_leaves_outcome_and_veto_out() -> None:
    # Turn 1: listens +1, honest -1, mean 0. Turn 3: listens -1, honest +1, mean 0. Episode +1. Handling (0 + 1) / 2.
    ratings = [(3, 0), (1, 1)]
    summary = summary_of(record("good end", ratings, 3, outcome="PAYMENT_SECURED"), record("bad end", ratings, 3))
    assert [call.handling for call in summary.worst] == [0.5, 0.5]
    assert summary.violations == 2


@pytest.mark.parametrize(
    ("turns", "well", "turn", "why"),
    [
        ([(2, 1), (1, 1), (2, 1)], 1, 3, "listens 1.0 of 3: because"),  # the worst turn of a bad call
        ([(2, 1), (1, 0), (1, 0)], 1, 3, "violation: honest 0.0 of 1: because"),  # a violation says more than anything; the first of equals
        ([(2, 1), (3, 1), (3, 1)], 3, 3, "listens 3.0 of 3: because"),  # that a good turn was honest says little
    ],
)
def test_a_call_is_shown_by_the_turn_and_criterion_that_tell_most(
    turns: list[tuple[float, float]], well: float, turn: int, why: str
) -> None:
    [call] = summary_of(record("a", turns, well)).worst
    assert (call.turn, call.why, call.quote) == (turn, why, "a quote")


def test_a_violation_is_shown_also_of_a_call_that_was_handled_well_otherwise() -> None:
    [call] = summary_of(record("a", [(3, 1), (3, 0), (3, 1)], 3)).worst
    assert (call.turn, call.why) == (3, "violation: honest 0.0 of 1: because")


def test_a_logged_violation_is_the_ending_and_the_reason() -> None:
    """The logged payment does not hide why the call is worth -2, nor does the -2 count against payments."""
    summary = summary_of(record("a", [(3, 1)], 3, outcome="COMPLIANCE_VIOLATION"), record("b", [(3, 1)], 3, outcome="PAYMENT_SECURED"))
    call = next(call for call in (*summary.worst, *summary.best) if call.id == "a")
    assert (call.turn, call.why, call.outcome) == (1, "logged signal COMPLIANCE_VIOLATION", "COMPLIANCE_VIOLATION")
    assert set(summary.as_dict()["by_outcome"]) == {"COMPLIANCE_VIOLATION", "PAYMENT_SECURED"}


def test_means_are_means() -> None:
    # Turns weigh 0.25 and the episode 0.25. Call a: -0.5 + 0.25 * (0 + 1) / 2 + 0.25 * 1 = -0.125; b: 1 + 0.125 - 0.25 = 0.875.
    found = summary_of(record("a", well=3), record("b", well=1, outcome="PAYMENT_SECURED"), record("c", well=2, outcome=0.5)).as_dict()
    # c: half of the sum is worth 0.25, + 0.125 = 0.375. Mean (-0.125 + 0.875 + 0.375) / 3 = 0.375.
    assert found["mean_reward"] == pytest.approx(0.375)
    assert found["by_outcome"] == {
        "HANGUP": {"dialogues": 1, "mean_reward": pytest.approx(-0.125), "mean_handling": pytest.approx(0.75)},
        "PAYMENT_SECURED": {"dialogues": 1, "mean_reward": pytest.approx(0.875), "mean_handling": pytest.approx(-0.25)},
        "0.5": {"dialogues": 1, "mean_reward": pytest.approx(0.375), "mean_handling": pytest.approx(0.25)},
    }
    assert found["by_criterion"] == {"turn": {"listens": 2, "honest": 1}, "episode": {"well": 2}}


def test_a_failure_is_counted_and_never_averaged() -> None:
    scored = [record("a", well=3), record("b", well=1)]
    failed = [record("c", failure=FailureKind.CRASHED), record("d", failure=FailureKind.CRASHED), record("e", failure=FailureKind.TOO_LONG)]
    with_failures, without = summary_of(*scored, *failed).as_dict(), summary_of(*scored).as_dict()
    assert (with_failures.pop("scored"), with_failures.pop("failed"), with_failures.pop("agent_turns")) == (2, 3, 5)
    assert with_failures.pop("failures") == {"crashed": 2, "too_long": 1}
    assert with_failures == {key: value for key, value in without.items() if key in with_failures}


def test_only_failures_have_no_mean() -> None:
    found = summary_of(record("a", failure=FailureKind.MALFORMED)).as_dict()
    assert (found["mean_reward"], found["worst"], found["by_criterion"]) == (None, [], {"turn": {}, "episode": {}})
    assert found["by_outcome"] == {"HANGUP": {"dialogues": 0, "mean_reward": None, "mean_handling": None}}


def test_a_recipe_without_a_judge_has_rewards_and_no_handling() -> None:
    found = summary_of(record("a", recipe="outcome"), record("b", recipe="outcome", outcome="PAYMENT_SECURED")).as_dict()
    assert (found["scored"], found["mean_reward"], found["worst"], found["best"]) == (2, 0.25, [], [])
    assert found["by_outcome"]["HANGUP"]["mean_handling"] is None


def test_a_missing_outcome_is_counted() -> None:
    summary = summary_of(record("a", outcome=None), record("b"))
    assert summary.without_outcome == 1
    assert summary.by_outcome.keys() == {"(none)", "HANGUP"}


def test_rejects_are_counted_and_the_first_few_kept() -> None:
    summary = Summary(RUBRIC)
    rejects = [Reject("in.jsonl", line, "not JSON", "an object", "{") for line in range(1, SHOWN + 4)]
    for reject in rejects:
        summary.reject(reject)
    assert summary.as_dict()["rejected"] == len(rejects)
    assert summary.first_rejects == [str(reject) for reject in rejects[:SHOWN]]


def test_the_summary_is_plain_data() -> None:
    found = summary_of(record("a"), record("b", outcome=None), record("c", failure=FailureKind.CRASHED)).as_dict()
    assert json.loads(json.dumps(found)) == found
