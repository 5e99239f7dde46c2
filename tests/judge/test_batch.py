"""Rating many: in order, from the ledger where known, a failure is one transcript's affair, and nothing is asked twice."""

import asyncio
from collections.abc import Callable

import pytest

from dialogue import Transcript
from judge import JudgeFailure, Ledger, LocalJudge, Verdict, load_rubric
from judge.batch import AHEAD, CHUNK, rate_all
from judge.pooling import Repeats
from judge.verdict import FailureKind

RUBRIC = load_rubric("collections")
Said = Callable[..., Transcript]


class Scripted(LocalJudge):
    """The local judge, counting what it is asked; texts that begin with `!` make it misbehave."""

    def __init__(self) -> None:
        super().__init__(RUBRIC)
        self.asked: list[str] = []

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:  # type: ignore[override]
        self.asked.append(transcript.id)
        await asyncio.sleep(0)
        text = transcript.turns[0].text
        verdict = self.verdict(transcript)
        if text == "!raise":
            raise KeyError("oops")
        if text == "!missing turn":
            return verdict.model_copy(update={"turns": ()})
        if text == "!out of range":
            turn = verdict.turns[0]
            ratings = turn.ratings | {"acknowledges": turn.ratings["acknowledges"].model_copy(update={"value": 7.0})}
            return verdict.model_copy(update={"turns": (turn.model_copy(update={"ratings": ratings}),)})
        if text == "!missing criterion":
            return verdict.model_copy(update={"episode": {}})
        return verdict


def test_answers_come_in_input_order_over_many_chunks(said: Said) -> None:
    judge = Scripted()
    dialogues = [said(f"A: call number {k}", id=str(k)) for k in range(2 * CHUNK + 3)]
    with Ledger(":memory:") as ledger:
        rated = list(rate_all(iter(dialogues), judge, ledger))
    assert [transcript.id for transcript, _ in rated] == [str(k) for k in range(2 * CHUNK + 3)]
    assert all(answer == judge.verdict(transcript) for transcript, answer in rated)


def test_no_more_than_a_window_is_taken_ahead(said: Said) -> None:
    taken = []

    def endless():  # type: ignore[no-untyped-def]
        for k in range(10**9):
            taken.append(k)
            yield said(f"A: {k}", id=str(k))

    with Ledger(":memory:") as ledger:
        next(rate_all(endless(), Scripted(), ledger))
    assert CHUNK <= len(taken) <= AHEAD


def test_a_second_run_asks_nothing_and_the_same_content_is_asked_once(said: Said) -> None:
    dialogues = [said("A: Hello.", id="one"), said("A: Hello.", id="same words"), said("A: Bye.", id="two")]
    judge = Scripted()
    with Ledger(":memory:") as ledger:
        first = list(rate_all(dialogues, judge, ledger))
        assert judge.asked == ["same words", "two"] or judge.asked == ["one", "two"]
        judge.asked.clear()
        assert list(rate_all(dialogues, judge, ledger)) == first
        assert judge.asked == []
        list(rate_all(dialogues, judge, ledger, repeats=Repeats(2, 2)))
        assert len(judge.asked) == 2


@pytest.mark.parametrize(
    ("text", "kind", "detail"),
    [
        ("!raise", FailureKind.CRASHED, "KeyError: 'oops'"),
        ("!missing turn", FailureKind.MALFORMED, "rated turns [], expected [0]"),
        ("!out of range", FailureKind.MALFORMED, "turn 0: acknowledges is 7.0, allowed 1 to 5"),
        ("!missing criterion", FailureKind.MALFORMED, "episode: rated [], expected ['handled_well']"),
    ],
)
def test_a_judge_that_cannot_say_is_a_failure_of_that_transcript_only_and_asked_again(
    said: Said, text: str, kind: FailureKind, detail: str
) -> None:
    judge = Scripted()
    dialogues = [said("A: Hello.", id="good"), said(f"A: {text}", id="bad"), said("A: Bye.", id="also good")]
    with Ledger(":memory:") as ledger:
        answers = [answer for _, answer in rate_all(dialogues, judge, ledger)]
        assert [type(answer) for answer in answers] == [Verdict, JudgeFailure, Verdict]
        assert isinstance(answers[1], JudgeFailure)
        assert (answers[1].kind, answers[1].detail) == (kind, detail)
        judge.asked.clear()
        list(rate_all(dialogues, judge, ledger))
        assert judge.asked == ["bad"]


def test_works_inside_a_running_loop_as_in_a_notebook(said: Said) -> None:
    async def cell() -> int:
        with Ledger(":memory:") as ledger:
            return len(list(rate_all([said("A: Hello.")], Scripted(), ledger)))

    assert asyncio.run(cell()) == 1


def test_the_outcome_counts_as_content_only_where_the_judge_sees_it(said: Said) -> None:
    sighted = LocalJudge(RUBRIC.model_copy(update={"sees_outcome": True}))
    dialogues = [said("A: Hello.", id="a", outcome="HANGUP"), said("A: Hello.", id="b", outcome="ESCALATED")]
    with Ledger(":memory:") as ledger:
        list(rate_all(dialogues, LocalJudge(RUBRIC), ledger))
        assert ledger.counts()["verdicts"] == 1
        list(rate_all(dialogues, sighted, ledger))
        assert ledger.counts()["verdicts"] == 1 + (2 if sighted.id != LocalJudge(RUBRIC).id else 1)
