"""Many transcripts, one judge, one ledger: what is known is read, what is missing is rated and stored before it is reported."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from dialogue.transcript import Transcript
from judge.contract import Judge
from judge.ledger import Answer, Ledger
from judge.verdict import FailureKind, JudgeFailure, Verdict, misfit

CHUNK = 128
Result = TypeVar("Result")


def rate_all(transcripts: Iterable[Transcript], judge: Judge, ledger: Ledger, *, repeat: int = 0) -> Iterator[tuple[Transcript, Answer]]:
    """Yield every transcript with its verdict or failure, in input order, holding at most `CHUNK` of them.

    Verdicts found in the ledger are not asked for again; failures are. Answers are committed chunk by chunk
    before they are yielded, so a process killed at any moment loses at most the chunk it was rating.
    """
    stream = iter(transcripts)
    while chunk := list(islice(stream, CHUNK)):
        keys = [transcript.content_hash(with_outcome=judge.rubric.sees_outcome) for transcript in chunk]
        answers: dict[str, Answer] = dict(ledger.verdicts(judge.id, list(dict.fromkeys(keys)), repeat))
        missing = {key: transcript for key, transcript in zip(keys, chunk, strict=True) if key not in answers}
        if missing:
            rated = _run(_rate(list(missing.values()), judge))
            fresh = dict(zip(missing, rated, strict=True))
            beaten = ledger.record(fresh.items(), repeat)
            answers |= fresh | (ledger.verdicts(judge.id, beaten, repeat) if beaten else {})
        for key, transcript in zip(keys, chunk, strict=True):
            yield transcript, answers[key]


async def _rate(transcripts: list[Transcript], judge: Judge) -> list[Answer]:
    return await asyncio.gather(*(_rate_one(transcript, judge) for transcript in transcripts))


async def _rate_one(transcript: Transcript, judge: Judge) -> Answer:
    """Return the judge's answer; a bug in the judge, or an answer that does not fit, is a failure of this transcript only."""
    try:
        answer = await judge.rate(transcript)
    except Exception as error:
        return JudgeFailure(judge=judge.id, kind=FailureKind.CRASHED, detail=f"{type(error).__name__}: {error}")
    if isinstance(answer, Verdict) and (wrong := misfit(answer, judge.rubric, transcript)):
        return JudgeFailure(judge=judge.id, kind=FailureKind.MALFORMED, detail=wrong, raw=answer.model_dump_json(), usage=answer.usage)
    return answer


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, also where a loop is already running (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
