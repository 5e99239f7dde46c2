"""Rating many: in order, from the ledger where known, a failure is one transcript's affair, and nothing is asked twice."""

import asyncio
from collections.abc import Callable

import pytest

from dialogue import Transcript
from judge import JudgeFailure, Ledger, LocalJudge, Verdict, load_rubric
from judge.batch import AHEAD, CHUNK, rate_all
from judge.pooling import Repeats
from judge.unrated import unrated
from judge.verdict import FailureKind

RUBRIC = load_rubric("collections")
Said = Callable[..., Transcript]


class Scripted(LocalJudge):
    """The local judge, counting what it is asked; texts that begin with `!` make it misbehave."""

    def __init__(self) -> None:
        super().__init__(RUBRIC)
        self.asked: list[str] = []
        self.repeats: list[int] = []

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:  # type: ignore[override]
        self.asked.append(transcript.id)
        self.repeats.append(repeat)
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


def test_another_series_is_asked_afresh_and_the_same_one_is_not(said: Said) -> None:
    dialogues = [said("A: Hello.", id="one"), said("A: Bye.", id="two")]
    judge = Scripted()
    with Ledger(":memory:") as ledger:
        for series, asked in ((0, 2), (7, 2), (7, 0), (8, 2), (0, 0)):
            judge.asked.clear()
            rated = list(rate_all(dialogues, judge, ledger, repeats=Repeats(series=series)))
            assert [answer for _, answer in rated] == [judge.verdict(transcript) for transcript in dialogues]
            assert len(judge.asked) == asked, series
        assert set(judge.repeats) == {0}  # which series it is, is the ledger's business
        assert ledger.counts()["verdicts"] == 6


def test_repeats_are_numbered_from_the_first(said: Said) -> None:
    dialogue = said("A: Hello.")
    key = dialogue.content_hash(with_outcome=False)
    judge = Scripted()
    with Ledger(":memory:") as ledger:
        list(rate_all([dialogue], judge, ledger, repeats=Repeats(first=2, series=3)))
        assert judge.repeats == [2]
        assert [repeat for repeat in (0, 2, 3000, 3002) if ledger.verdicts(judge.id, [key], repeat)] == [3002]
        list(rate_all([dialogue], judge, ledger, repeats=Repeats(3, 3, first=1, series=3)))
        assert judge.repeats == [2, 1, 3]  # the one in the middle is known
        list(rate_all([dialogue], judge, ledger, repeats=Repeats(3, 3, first=1, series=3)))
        assert len(judge.repeats) == 3


def test_a_failure_of_a_series_is_asked_again_in_that_series(said: Said) -> None:
    judge = Scripted()
    with Ledger(":memory:") as ledger:
        for _ in range(2):
            ((_, answer),) = rate_all([said("A: !raise")], judge, ledger, repeats=Repeats(first=1, series=5))
            assert isinstance(answer, JudgeFailure)
        assert (judge.repeats, ledger.counts()) == ([1, 1], {"verdicts": 0, "failures": 1})


def test_what_is_unrated_is_told_by_series(said: Said) -> None:
    dialogues = [said("A: Hello.", id="one"), said("A: Bye.", id="two")]
    judge = Scripted()
    with Ledger(":memory:") as ledger:
        list(rate_all(dialogues[:1], judge, ledger, repeats=Repeats(first=1, series=4)))
        for repeats, missing in (
            (Repeats(), [("one", 0), ("two", 0)]),
            (Repeats(first=1, series=4), [("two", 1)]),
            (Repeats(2, 2, first=1, series=4), [("two", 1), ("one", 2), ("two", 2)]),
            (Repeats(first=1, series=5), [("one", 1), ("two", 1)]),
        ):
            (part,) = unrated(dialogues, [judge], ledger, repeats)
            assert [(transcript.id, repeat) for transcript, _, repeat in part.missing] == missing


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
