"""From transcripts to records through the Python door."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dialogue import InputProblem, Transcript, read_transcripts
from judge import JudgeFailure, Ledger, LocalJudge, load_rubric
from judge.pooling import Repeats
from judge.verdict import FailureKind
from rewards import load_recipe, score
from rewards.recipe import Recipe, ShapingTerm
from rewards.record import Status

Said = Callable[..., Transcript]
JUDGE = LocalJudge(load_rubric("collections"))


class Dumb(LocalJudge):
    """Never has an answer."""

    async def rate(self, transcript: Transcript, repeat: int = 0) -> JudgeFailure:  # type: ignore[override]
        return JudgeFailure(judge=self.id, kind=FailureKind.MALFORMED, detail="not a word")


def test_a_record_says_everything(root: Path) -> None:
    transcripts = list(read_transcripts(root / "examples/collections.jsonl"))
    for transcript, record in zip(transcripts, score(transcripts, JUDGE), strict=True):
        assert record.id == transcript.id
        assert record.status is Status.SCORED
        assert record.judge == JUDGE.id
        assert record.rubric == str(JUDGE.rubric)
        assert record.recipe == str(load_recipe("blend"))
        assert record.cleared is False
        assert record.calibration is None
        assert [turn.turn for turn in record.turns] == list(transcript.agent_turns)
        assert [turn.action_prob for turn in record.turns] == [transcript.turns[index].action_prob for index in transcript.agent_turns]
        assert [turn.state for turn in record.turns] == [transcript.turns[index].state for index in transcript.agent_turns]
        # Law 2, on what is written: to 1e-9
        for part in (*record.turns, record.episode):
            assert part.reward == pytest.approx(sum(part.terms.values()), abs=1e-9)
        assert record.episode.reward == pytest.approx(sum(turn.reward or 0 for turn in record.turns), abs=1e-9)


def test_the_example_shows_that_two_hangups_are_not_alike(root: Path) -> None:
    records = {record.id: record for record in score(read_transcripts(root / "examples/collections.jsonl"), JUDGE)}
    assert records["call-1002"].outcome == records["call-1003"].outcome == "HANGUP"
    assert (records["call-1003"].episode.reward or 0) > (records["call-1002"].episode.reward or 0) + 0.15
    assert (records["call-1007"].episode.reward or 0) > (records["call-1006"].episode.reward or 0) + 0.15
    assert records["call-1004"].episode.reward == pytest.approx(-2.0, abs=0.6)  # secured by a threat: worse than any hangup
    assert records["call-1011"].episode.terms.keys() == {"turns", "episode"}  # no outcome was logged


def test_a_judge_failure_is_never_a_number(said: Said) -> None:
    """Law 1: no rating, no reward; the outcome's term stays what it is."""
    (record,) = score([said("A: Hello.", outcome="HANGUP")], Dumb(JUDGE.rubric))
    assert record.status is Status.FAILED
    assert record.episode.reward is None
    assert [turn.reward for turn in record.turns] == [None]
    assert record.episode.terms == {"outcome": -0.5}
    assert record.failure is not None
    assert record.failure.kind is FailureKind.MALFORMED
    assert '"reward":null' in record.to_json()


def test_a_recipe_that_needs_no_verdict_asks_no_judge(said: Said) -> None:
    (record,) = score([said("A: Hello.", outcome="HANGUP")], Dumb(JUDGE.rubric), recipe=load_recipe("outcome"))
    assert (record.status, record.episode.reward, record.judge) == (Status.SCORED, -0.5, None)


def test_clearance_comes_from_the_ledger(said: Said) -> None:
    with Ledger(":memory:") as ledger:
        (before,) = score([said("A: Hello.")], JUDGE, ledger)
        ledger.clear(JUDGE.id, "test")
        (after,) = score([said("A: Hello.")], JUDGE, ledger)
    assert (before.cleared, after.cleared) == (False, True)


def test_a_mean_of_a_cleared_judges_ratings_is_cleared(said: Said) -> None:
    with Ledger(":memory:") as ledger:
        ledger.clear(JUDGE.id, "test")
        (record,) = score([said("A: Hello.")], JUDGE, ledger, repeats=Repeats(3, 3))
        assert record.cleared
        ledger.void(JUDGE.id)
        (record,) = score([said("A: Hello.")], JUDGE, ledger, repeats=Repeats(3, 3))
        assert not record.cleared


def test_an_unknown_outcome_is_refused(said: Said) -> None:
    with pytest.raises(InputProblem, match=r"unknown outcome 'HANGUPS' \(did you mean 'HANGUP'\?\)"):
        list(score([said("A: Hello.", outcome="HANGUPS")], JUDGE))


def test_shaping_uses_the_state_criterion(said: Said) -> None:
    shaped = Recipe.model_validate(load_recipe("blend").model_dump() | {"shaping": ShapingTerm(weight=1.0, discount=1.0)})
    (record,) = score([said("A: Hello.", "U: I can do $30.", "A: $30 works.", "U: Thanks.", "A: Bye.")], JUDGE, recipe=shaped)
    assert sum(turn.terms["shaping"] for turn in record.turns) == pytest.approx(0.0, abs=1e-9)  # -phi(s0), and phi(s0) = 0
    assert any(abs(turn.terms["shaping"]) > 0.01 for turn in record.turns)


def test_the_length_of_a_dialogue_does_not_pay(said: Said) -> None:
    """Law 4 through the door: repeating a whole good exchange does not raise the judge's turn term."""
    exchange = ("U: I can do $30 on the 5th.", "A: $30 on the 5th works, I'll email the plan.")
    once, many = (record.episode.terms["turns"] for record in score([said(*exchange, id="1"), said(*exchange * 8, id="8")], JUDGE))
    assert many <= once + 1e-9
