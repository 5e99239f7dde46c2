"""The ledger: finds what it stored, keeps failures apart, survives kills and company."""

import json
import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dialogue import Transcript, UsageProblem
from judge import JudgeFailure, Ledger, LocalJudge, load_rubric
from judge.verdict import FailureKind

JUDGE = LocalJudge(load_rubric("collections"))
OTHER = LocalJudge(load_rubric("sales"))


def failure(detail: str = "no") -> JudgeFailure:
    return JudgeFailure(judge=JUDGE.id, kind=FailureKind.CRASHED, detail=detail)


def test_what_was_stored_is_found_by_transcript_judge_and_repeat(tmp_path: Path, said: Callable[..., Transcript]) -> None:
    verdict = JUDGE.verdict(said("A: Hello."))
    with Ledger(tmp_path / "deep" / "ledger.db") as ledger:
        assert ledger.record([("h1", 0, verdict)]) == []
    with Ledger(tmp_path / "deep" / "ledger.db") as ledger:
        assert ledger.verdicts(JUDGE.id, ["h1", "h2"]) == {"h1": verdict}
        assert ledger.verdicts(OTHER.id, ["h1"]) == {}
        assert ledger.verdicts(JUDGE.id, ["h1"], repeat=1) == {}
        assert ledger.counts() == {"verdicts": 1, "failures": 0}


def test_a_failure_is_kept_but_never_found_as_a_verdict_and_a_verdict_clears_it(said: Callable[..., Transcript]) -> None:
    with Ledger(":memory:") as ledger:
        ledger.record([("h", 0, failure("first"))])
        ledger.record([("h", 0, failure("second"))])
        assert ledger.verdicts(JUDGE.id, ["h"]) == {}
        assert ledger.counts() == {"verdicts": 0, "failures": 1}
        ledger.record([("h", 0, JUDGE.verdict(said("A: Hello.")))])
        assert ledger.counts() == {"verdicts": 1, "failures": 0}


def test_the_first_verdict_of_a_key_stays_and_the_late_one_is_told(said: Callable[..., Transcript]) -> None:
    first, second = JUDGE.verdict(said("A: Hello.")), JUDGE.verdict(said("A: Pay now!"))
    with Ledger(":memory:") as ledger:
        ledger.record([("h", 0, first)])
        assert ledger.record([("h", 0, second)]) == [("h", 0, JUDGE.id)]
        assert ledger.verdicts(JUDGE.id, ["h"]) == {"h": first}


def test_clearance(said: Callable[..., Transcript]) -> None:
    with Ledger(":memory:") as ledger:
        assert not ledger.cleared(JUDGE.id)
        ledger.clear(JUDGE.id, "golden check 2026-11-21")
        assert ledger.cleared(JUDGE.id)
        assert not ledger.cleared(OTHER.id)


def test_a_voided_clearance_is_none_until_it_is_given_anew() -> None:
    with Ledger(":memory:") as ledger:
        assert not ledger.void(JUDGE.id)  # there was none
        ledger.clear(JUDGE.id, "golden check 2026-11-21")
        ledger.clear(OTHER.id, "golden check 2026-11-21")
        assert ledger.void(JUDGE.id)
        assert not ledger.cleared(JUDGE.id)
        assert ledger.cleared(OTHER.id)
        assert not ledger.void(JUDGE.id)  # it is void already
        ledger.clear(JUDGE.id, "golden check 2026-11-22")
        assert ledger.cleared(JUDGE.id)
        kept = ledger._db.conn.execute("select evidence, voided_at is null from clearances where judge_key = ? order by id", [JUDGE.id.key])
        assert kept.fetchall() == [("golden check 2026-11-21", 0), ("golden check 2026-11-22", 1)]  # who was voided is not forgotten


def test_a_failed_transaction_leaves_nothing_half_done(said: Callable[..., Transcript]) -> None:
    with Ledger(":memory:") as ledger:

        def answers():  # type: ignore[no-untyped-def]
            yield "h1", 0, JUDGE.verdict(said("A: Hello."))
            raise RuntimeError("the judge's iterator broke")

        with pytest.raises(RuntimeError):
            ledger.record(answers())
        assert ledger.counts()["verdicts"] == 0
        ledger.record([("h2", 0, failure())])  # and the connection still works
        assert ledger.counts()["failures"] == 1


@pytest.mark.parametrize("content", [b"this is not a database, not at all, it is a text file of some length" * 20, None])
def test_a_path_that_cannot_be_a_ledger_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ledger.db"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UsageProblem, match=r"cannot use the ledger .*--ledger"):
        Ledger(path)


def write_many(path: str, start: int, count: int) -> None:
    verdict = JUDGE.verdict(Transcript.model_validate({"id": "d", "turns": [{"role": "agent", "text": "Hello."}]}))
    with Ledger(path) as ledger:
        for number in range(start, start + count):
            ledger.record([(f"h{number % 150}", 0, verdict), (f"h{number}", 0, failure())])


def test_processes_that_open_a_new_ledger_together_and_write_at_once_do_not_corrupt_it(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(path, 100 * k, 100)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    connection = sqlite3.connect(path)
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert connection.execute("select count(*) from verdicts").fetchone() == (150,)
    for (text,) in connection.execute("select verdict from verdicts"):
        json.loads(text)
