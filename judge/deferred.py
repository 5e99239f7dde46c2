"""Asking at half price, later: what is missing goes to the providers' Batch APIs, answers come back into the ledger in any process."""

import asyncio
import fcntl
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from dialogue.errors import UsageProblem
from dialogue.installed import installed
from dialogue.transcript import Transcript
from judge.chat import Trouble
from judge.contract import MODELS, Body, DeferredApi, Deferring, Judge, ModelMaker, Terms
from judge.gate import Gate
from judge.ledger import Ledger, StoredBatch
from judge.line import BATCHED, Call
from judge.llm import LLMJudge
from judge.panel import members_of
from judge.pooling import Repeats
from judge.unrated import unrated
from judge.verdict import FailureKind, Usage
from judge.view import TooLong

MOST_REQUESTS = 10_000  # in one batch; both vendors take more, but a batch is held in memory
MOST_BYTES = 64 * 2**20
STORED = 500  # answers in one transaction
Found = TypeVar("Found")


@dataclass(slots=True)
class Submitted:
    """What a submission came to."""

    batches: int = 0
    requests: int = 0
    rated: int = 0  # transcripts whose verdicts are there already
    under_way: int = 0  # requests that an earlier batch asks, or has answered
    too_long: int = 0  # transcripts that no request holds
    stopped: str | None = None  # why not everything was submitted


@dataclass(slots=True)
class Collected:
    """How one batch stands, and what was collected of it."""

    batch: StoredBatch
    told: str
    ended: bool
    answers: int = 0
    without: Counter[str] = field(default_factory=Counter)  # why there is no answer


def _asked(judge: Judge) -> tuple[LLMJudge, ...]:
    """Return the judges that are asked, each of which must have a Batch API.

    Raises:
        UsageProblem: one has none.
    """
    found = []
    for member in members_of(judge):
        if not isinstance(member, LLMJudge) or not isinstance(member.form.model, Deferring) or member.terms.replay:
            raise UsageProblem(f"--batch: {member.id.provider}/{member.id.model} has no Batch API; leave --batch out")
        found.append(member)
    return tuple(found)


async def submit(transcripts: Iterable[Transcript], judge: Judge, ledger: Ledger, repeats: Repeats) -> Submitted:
    """Submit every request that is neither answered nor under way, to each member's provider.

    Raises:
        UsageProblem: a judge has no Batch API, a provider does not take the batch, or another process submits with this ledger.
    """
    members, done = _asked(judge), Submitted()
    async with AsyncExitStack() as stack:
        if not stack.enter_context(_alone(ledger)):
            raise UsageProblem(f"another process is submitting with the ledger {ledger.path}; wait for its end")
        posts = {}
        for member in members:
            api = await stack.enter_async_context(_api(member.form.model, member.terms))
            posts[member.id.key] = _Post(member, api, ledger)
            await _find_lost(ledger, api, member.spec, member.terms)
        pending = ledger.pending_calls()
        for part in unrated(transcripts, members, ledger, repeats):
            done.rated += part.distinct - part.unrated
            for transcript, member, repeat in part.missing:
                try:
                    calls = [member.call(question, repeat) for step in member.questions(transcript) for question in step]
                except TooLong:
                    done.too_long += 1
                    continue
                for call in calls:
                    if call.key in pending or ledger.reply(call.key) is not None:
                        done.under_way += 1
                    elif _affordable(call, member, done):
                        pending[call.key] = ""
                        await posts[member.id.key].add(call, done)
                if done.stopped:
                    break
            if done.stopped:
                break
        for post in posts.values():
            await post.send(done)
    return done


def _affordable(call: Call, member: LLMJudge, done: Submitted) -> bool:
    """Say whether a call fits into the budget, and set its price aside; the first that does not stops the submission."""
    if done.stopped is None:
        usage = Usage(input_tokens=call.tokens, output_tokens=call.output)
        try:
            member.terms.meter.promise(member.price.of(usage, batch=True) if member.price else None)
        except Trouble as spent:
            done.stopped = spent.detail
    return done.stopped is None


@contextmanager
def _alone(ledger: Ledger) -> Iterator[bool]:
    """Hold the right to submit with this ledger, so that no batch under way is taken for a lost one; say whether it was free."""
    with ledger.path.with_name(f"{ledger.path.name}.submit").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


class Undecided(Exception):
    """Whether a batch arrived cannot be said yet."""


class _Post:
    """Gathers one member's calls and sends them as batches."""

    def __init__(self, member: LLMJudge, api: DeferredApi, ledger: Ledger) -> None:
        self.spec, self.api = member.spec, api
        self._member, self._ledger = member, ledger
        self._calls: list[tuple[str, Body]] = []
        self._bytes = 0

    async def add(self, call: Call, done: Submitted) -> None:
        size = len(call.content)
        if self._calls and (len(self._calls) >= MOST_REQUESTS or self._bytes + size > MOST_BYTES):
            await self.send(done)
        self._calls.append((call.key, call.body(())))
        self._bytes += size

    async def send(self, done: Submitted) -> None:
        """Send what was gathered. It is in the ledger before it is sent, so that a crash between the two pays nothing twice."""
        if not self._calls:
            return
        calls, self._calls, self._bytes = self._calls, [], 0
        name = f"judge-{secrets.token_hex(8)}"
        batch = StoredBatch(name, self.spec, None, len(calls), "submitting", datetime.now(UTC))
        self._ledger.begin_batch(batch, [key for key, _ in calls])
        try:
            remote = await self._submitted(batch, calls)
        except Trouble as trouble:
            if trouble.again or trouble.kind is FailureKind.PENDING:  # it may have arrived: the next run looks for it
                told = "; whether it arrived is not known: `judge batch collect` finds out, and nothing is paid twice"
            else:
                self._ledger.end_batch(name, "refused")
                told = ""
            raise UsageProblem(f"{self.spec} did not take a batch of {len(calls):,} requests: {trouble.detail}{told}") from None
        self._ledger.open_batch(name, remote)
        done.batches += 1
        done.requests += len(calls)

    async def _submitted(self, batch: StoredBatch, calls: Sequence[tuple[str, Body]]) -> str:
        """Submit; where the answer is lost on the way, look whether the batch was made before it is sent again."""
        retries = self._member.terms.max_retries
        for attempt in range(retries + 1):
            try:
                return await self.api.submit(batch.name, calls)
            except Trouble as trouble:
                if not trouble.again or attempt == retries:
                    raise
                await asyncio.sleep(Gate.delay(attempt, trouble.after))
            try:
                remote = await self.api.find(batch.name, {key for key, _ in calls}, batch.at, _remotes(self._ledger))
            except Trouble as trouble:
                raise Trouble(trouble.kind, trouble.detail, again=True) from None
            if remote:
                return remote
        raise AssertionError("unreachable")


async def collect(ledger: Ledger, terms: Terms, *, cancel: bool = False) -> list[Collected]:
    """Ask how every open batch stands, and bring the answers of those that have ended into the ledger.

    Calls that a batch leaves without an answer (expired, failed) are free to be asked again. A provider that does not answer, or
    does not know the batch, is told in the batch's `told`; the other batches go on.

    Args:
        cancel: have the open ones ended first.
    """
    return await _each(ledger, terms, lambda batch, api: _collect(batch, api, ledger, terms, cancel=cancel), search=True)


async def status(ledger: Ledger, terms: Terms) -> list[Collected]:
    """Return how every open batch stands; nothing is changed. Errors as in `collect`."""
    return await _each(ledger, terms, lambda batch, api: _look(batch, api, terms), search=False)


async def _each(
    ledger: Ledger, terms: Terms, work: Callable[[StoredBatch, DeferredApi], Awaitable[Collected]], *, search: bool
) -> list[Collected]:
    """Do something with every batch under way, one connection a judge; a problem of one is told with it."""
    found = []
    for spec in dict.fromkeys(batch.judge for batch in ledger.batches("open", "submitting")):
        try:
            name, _, rest = spec.partition(":")
            maker: ModelMaker = installed(MODELS)[name].load()
            async with _api(maker(rest, terms), terms) as api:
                if search:
                    with _alone(ledger) as alone:
                        found += await _find_lost(ledger, api, spec, terms) if alone else []
                for batch in ledger.batches("open", "submitting"):
                    if batch.judge == spec:
                        try:
                            found.append(await work(batch, api))
                        except UsageProblem as problem:
                            found.append(Collected(batch, str(problem), ended=False))
        except UsageProblem as problem:
            told = [one.batch.name for one in found]
            open_ones = [batch for batch in ledger.batches("open", "submitting") if batch.judge == spec and batch.name not in told]
            found += [Collected(batch, str(problem), ended=False) for batch in open_ones]
    return found


async def _look(batch: StoredBatch, api: DeferredApi, terms: Terms) -> Collected:
    remote = batch.remote
    if remote is None:
        return Collected(batch, "its submission was cut off, or is under way; `judge batch collect` looks for it", ended=False)
    stands = await _patiently(terms, batch.judge, lambda: api.look(remote))
    return Collected(batch, stands.told, stands.ended)


async def _collect(batch: StoredBatch, api: DeferredApi, ledger: Ledger, terms: Terms, *, cancel: bool) -> Collected:
    remote = batch.remote
    if remote is None:
        return Collected(batch, "whether it arrived is not known yet, or another process is submitting it", ended=False)
    if cancel:
        await _patiently(terms, batch.judge, lambda: api.cancel(remote))
    stands = await _patiently(terms, batch.judge, lambda: api.look(remote))
    done = Collected(batch, stands.told, stands.ended)
    if not stands.ended:
        return done
    asked = ledger.calls_of(batch.name)
    done = await _patiently(terms, batch.judge, lambda: _download(done, asked, api, ledger))
    ledger.end_batch(batch.name, "collected")
    return done


async def _download(done: Collected, asked: set[str], api: DeferredApi, ledger: Ledger) -> Collected:
    """Bring a batch's answers into the ledger; from the beginning where an earlier try was cut off: what is stored stays the same."""
    done.answers, done.without = 0, Counter()
    part: dict[str, Body] = {}
    open_calls = set(asked)
    async for key, reply, why in api.answers(done.batch.remote or ""):
        if key not in open_calls:
            continue  # not one of ours, or told twice
        open_calls.discard(key)
        if reply is None:
            done.without[why] += 1
            continue
        part[key] = reply | {BATCHED: True}
        done.answers += 1
        if len(part) >= STORED:
            ledger.record((), keep=part)
            part = {}
    ledger.record((), keep=part)
    if open_calls:
        done.without["not in the provider's results"] += len(open_calls)
    return done


async def _find_lost(ledger: Ledger, api: DeferredApi, spec: str, terms: Terms) -> list[Collected]:
    """Find the batches whose submission was cut off between the provider and the ledger; return those that never arrived."""
    lost = []
    for batch in ledger.batches("submitting"):
        if batch.judge != spec:
            continue
        keys = ledger.calls_of(batch.name)
        try:
            find = partial(api.find, batch.name, keys, batch.at, _remotes(ledger))
            remote = await _patiently(terms, spec, find)
        except Undecided:
            continue
        if remote:
            ledger.open_batch(batch.name, remote)
        else:
            ledger.end_batch(batch.name, "lost")
            lost.append(Collected(batch, "lost: it never reached the provider; its requests can be asked again", ended=True))
    return lost


def _remotes(ledger: Ledger) -> set[str]:
    return {batch.remote for batch in ledger.batches() if batch.remote}


def _api(model: object, terms: Terms) -> AbstractAsyncContextManager[DeferredApi]:
    if not isinstance(model, Deferring):
        raise UsageProblem(f"{model!r} has no Batch API")
    return model.deferred(terms)


async def _patiently(terms: Terms, who: str, ask: Callable[[], Awaitable[Found]]) -> Found:
    """Return what a provider says, asking again while that may help.

    Raises:
        UsageProblem: it does not answer.
    """
    for attempt in range(terms.max_retries + 1):
        try:
            return await ask()
        except Trouble as trouble:
            if trouble.kind is FailureKind.PENDING:
                raise Undecided from None
            if not trouble.again or attempt == terms.max_retries:
                raise UsageProblem(f"{who}: {trouble.detail}; what was collected is kept: run the same command again") from None
            await asyncio.sleep(Gate.delay(attempt, trouble.after))
    raise AssertionError("unreachable")
