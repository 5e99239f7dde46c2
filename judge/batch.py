"""Many transcripts, one judge, one ledger: what is known is read, what is missing is rated side by side and stored before it is told."""

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from itertools import islice
from types import TracebackType
from typing import Self

from dialogue.errors import Problem
from dialogue.transcript import Transcript
from judge.book import Book
from judge.contract import Connecting, Judge
from judge.gate import Stopped
from judge.ledger import Answer, Ledger
from judge.panel import Panel, members_of
from judge.pooling import Repeats, pooled, undecided
from judge.together import together
from judge.verdict import FailureKind, JudgeFailure, Verdict, misfit

CHUNK = 128  # transcripts looked up together
AHEAD = 1024  # transcripts known to the engine at a time: memory is flat, and a slow one does not hold up the others soon
SIDE_BY_SIDE = 256  # transcripts that are rated at a time by a judge that does not say its width
UNSTORED = (FailureKind.NOT_ASKED, FailureKind.PENDING)  # nothing happened that a ledger should know


def rate_all(
    transcripts: Iterable[Transcript], judge: Judge, ledger: Ledger, *, repeats: Repeats | None = None
) -> Generator[tuple[Transcript, Answer], None, None]:
    """Yield every transcript with its verdict or failure, in input order, holding at most `AHEAD` of them.

    Verdicts found in the ledger are not asked for again; failures are. Identical dialogues under way at the same time are rated
    once. Every answer is committed before it is yielded, so a process killed at any moment loses only the requests in flight.
    When the caller stops (Ctrl-C, `close()`), nothing new is asked, and what is in flight comes home into the ledger.

    The rating runs in a thread of its own, so that a slow caller holds up no answer, and notebooks (whose thread already runs
    an event loop) work alike. `transcripts` is read in the caller's thread.

    Args:
        repeats: how often each transcript is rated; once by default. The verdict is the mean, under a JudgeId that says so.

    Raises:
        Problem: nothing can be rated at all (no key, an unknown model).
    """
    stream = iter(transcripts)
    waiting: deque[tuple[Transcript, Future[Answer]]] = deque()
    more = True
    with _Engine(judge, ledger, repeats or Repeats()) as engine:
        while True:
            while more and len(waiting) <= engine.ahead - CHUNK and not (waiting and waiting[0][1].done()):
                chunk = list(islice(stream, CHUNK))
                more = len(chunk) == CHUNK
                waiting.extend(zip(chunk, engine.submit(chunk), strict=True))
            if not waiting:
                return
            transcript, future = waiting.popleft()
            yield transcript, future.result()


class _Engine:
    """The thread in which transcripts are rated."""

    def __init__(self, judge: Judge, ledger: Ledger, repeats: Repeats) -> None:
        self._judge, self._repeats = judge, repeats
        self._book = Book(ledger)
        self._members = members_of(judge)
        # A judge that waits for nobody gains nothing from being asked ahead: two busy threads would only contend for the interpreter.
        self.ahead = AHEAD if any(isinstance(member, Connecting) for member in self._members) else CHUNK
        self._thread = threading.Thread(target=self._run, name="judge", daemon=True)
        self._ready: Future[None] = Future()
        self._raters: dict[str, Judge] = {}
        self._queue: deque[tuple[Transcript, str, Future[Answer]]] = deque()
        self._under_way: dict[str, list[Future[Answer]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._failed: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._call(self._stop, kind is not None)
        try:
            self._thread.join()
        except KeyboardInterrupt:  # asked twice: now at once
            self._call(self._drop)
            self._thread.join()
            raise

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        """Have the thread call a function, unless it has ended already."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def submit(self, chunk: list[Transcript]) -> list["Future[Answer]"]:
        """Have transcripts rated; the answers come with the futures."""
        sees = self._judge.rubric.sees_outcome
        items = [(transcript, transcript.content_hash(with_outcome=sees), Future[Answer]()) for transcript in chunk]
        if not self._thread.is_alive():
            raise self._failed or RuntimeError("the engine has ended")
        if items:
            self._call(self._accept, items)
        return [future for _, _, future in items]

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            self._failed = error
        for key in list(self._under_way):  # nobody is to wait for ever
            self._settle(key, None, self._failed)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        async with AsyncExitStack() as stack:
            for member in self._members:
                opened = await stack.enter_async_context(member.connected(self._book)) if isinstance(member, Connecting) else member
                self._raters[member.id.key] = opened
            self._width = max(getattr(rater, "width", SIDE_BY_SIDE) for rater in self._raters.values())
            self._ready.set_result(None)
            await self._ended.wait()
            while self._tasks:
                await asyncio.wait(self._tasks)
            self._book.flush()

    def _stop(self, early: bool) -> None:
        """End: at once where all is done, else when what is in flight has come home."""
        self._stopping = True
        self._queue.clear()
        for rater in self._raters.values():
            if early and hasattr(rater, "stop"):
                rater.stop()
        flying = sum(getattr(rater, "in_flight", 0) for rater in self._raters.values())
        if early and flying and sys.stderr.isatty():
            print(f"judge: keeping the answers to {flying} requests in flight; Ctrl-C again drops them", file=sys.stderr)
        self._ended.set()

    def _drop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _accept(self, items: list[tuple[Transcript, str, "Future[Answer]"]]) -> None:
        """Answer what the ledger knows at once; queue the rest, each distinct dialogue once."""
        hashes = list(dict.fromkeys(key for _, key, _ in items))
        try:
            known = self._known(hashes)
        except Exception as error:
            for _, _, future in items:
                future.set_exception(error)
            return
        for transcript, key, future in items:
            if key in known:
                future.set_result(known[key])
            elif key in self._under_way:
                self._under_way[key].append(future)
            else:
                self._under_way[key] = [future]
                self._queue.append((transcript, key, future))
        self._pump()

    def _known(self, hashes: list[str]) -> dict[str, Answer]:
        """Return the verdicts that need no rating: each member's, each repeat's, and none undecided."""
        kept = [self._repeats.kept_as(self._repeats.first + number) for number in range(self._repeats.least)]
        rows = [[self._book.verdicts(member.id, hashes, repeat) for member in self._members] for repeat in kept]
        known: dict[str, Answer] = {}
        for key in hashes:
            if all(key in found for row in rows for found in row):
                answer = self._pooled([self._reduced([found[key] for found in row]) for row in rows])
                if not self._wants_more(answer, len(rows)):
                    known[key] = answer
        return known

    def _pump(self) -> None:
        while self._queue and len(self._tasks) < self._width and not self._stopping:
            transcript, key, _ = self._queue.popleft()
            task = asyncio.get_running_loop().create_task(self._rate(transcript, key))
            self._tasks.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._pump()

    async def _rate(self, transcript: Transcript, key: str) -> None:
        try:
            first = self._repeats.first
            answers = [await self._once(transcript, key, first + number) for number in range(self._repeats.least)]
            answer = self._pooled(answers)
            while self._wants_more(answer, len(answers)):
                answers.append(await self._once(transcript, key, first + len(answers)))
                answer = self._pooled(answers)
        except BaseException as error:
            self._settle(key, None, error)
            if not isinstance(error, Exception):
                raise
        else:
            self._settle(key, answer, None)

    def _settle(self, key: str, answer: Answer | None, error: BaseException | None) -> None:
        for future in self._under_way.pop(key):
            if answer is not None:
                future.set_result(answer)
            else:
                future.set_exception(error or Stopped())

    async def _once(self, transcript: Transcript, key: str, repeat: int) -> Answer:
        """Return one rating by every member, from the ledger where it is there."""
        return self._reduced(await together(self._member(member, transcript, key, repeat) for member in self._members))

    async def _member(self, member: Judge, transcript: Transcript, key: str, repeat: int) -> Answer:
        kept = self._repeats.kept_as(repeat)
        if (len(self._members) > 1 or self._repeats.most > 1) and (known := self._book.verdicts(member.id, [key], kept)):
            return known[key]
        answer = await _rate_one(transcript, self._raters[member.id.key], repeat)
        if isinstance(answer, JudgeFailure) and answer.kind in UNSTORED:
            return answer
        stored: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def settle(result: Answer | BaseException) -> None:
            if not stored.done():
                stored.set_exception(result) if isinstance(result, BaseException) else stored.set_result(result)

        self._book.record(key, kept, answer, settle)
        return await stored

    def _reduced(self, answers: list[Answer]) -> Answer:
        return self._judge.reduce(answers) if isinstance(self._judge, Panel) else answers[0]

    def _pooled(self, answers: list[Answer]) -> Answer:
        """Return the mean of repeats, or the first failure among them: a mean over fewer would be another judge's."""
        judge = self._repeats.of(self._judge.id)
        for answer in answers:
            if isinstance(answer, JudgeFailure):
                return answer.model_copy(update={"judge": judge})
        verdicts = [answer for answer in answers if isinstance(answer, Verdict)]
        return verdicts[0] if self._repeats.most == 1 else pooled(verdicts, judge)

    def _wants_more(self, answer: Answer, asked: int) -> bool:
        return asked < self._repeats.most and isinstance(answer, Verdict) and undecided(answer, self._judge.rubric)


async def _rate_one(transcript: Transcript, judge: Judge, repeat: int) -> Answer:
    """Return the judge's answer; a bug in the judge, or an answer that does not fit, is a failure of this transcript only."""
    try:
        answer = await judge.rate(transcript, repeat)
    except (Problem, Stopped):
        raise
    except Exception as error:
        return JudgeFailure(judge=judge.id, kind=FailureKind.CRASHED, detail=f"{type(error).__name__}: {error}")
    if isinstance(answer, Verdict) and (wrong := misfit(answer, judge.rubric, transcript)):
        return JudgeFailure(judge=judge.id, kind=FailureKind.MALFORMED, detail=wrong, raw=answer.model_dump_json(), usage=answer.usage)
    return answer
