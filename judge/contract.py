"""What a stranger may implement: `Judge` and `ChatModel`; ours enter by the same entry-point groups, `judge.judges` and `judge.models`."""

import os
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from dialogue.transcript import Transcript
from judge.chat import ChatReply, ChatRequest
from judge.meter import Meter
from judge.prices import PriceTable, load_prices
from judge.rubric import Rubric
from judge.verdict import JudgeFailure, JudgeId, Usage, Verdict

JUDGES = "judge.judges"
MODELS = "judge.models"
Body = dict[str, Any]


class Judge(Protocol):
    """Rates transcripts on one rubric. The same `id` must mean the same way of judging."""

    id: JudgeId
    rubric: Rubric

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        """Return ratings for every agent turn and the episode, or say why there are none. Need not catch its own bugs.

        Args:
            repeat: which of several independent ratings of the same transcript it is.
        """


class Replies(Protocol):
    """Where answers that were paid for are found again, by the key of what was asked."""

    def reply(self, key: str) -> Body | None:
        """Return the answer to the call `key`, or None where there is none yet."""

    def keep(self, key: str, reply: Body) -> None:
        """Remember an answer until the verdict that it is part of is there."""

    def forget(self, keys: Iterable[str]) -> None:
        """Forget answers: their verdict is there, or they were of no use."""


class Connected(Judge, Protocol):
    """A judge whose connections are open."""

    width: int  # how many transcripts it rates side by side when it is busy

    def stop(self) -> None:
        """Send nothing new; what is in flight comes home."""


@runtime_checkable
class Connecting(Protocol):
    """A judge that needs a connection: the engine opens it once for a whole run."""

    def connected(self, replies: Replies) -> AbstractAsyncContextManager[Connected]:
        """Give the judge with its connections open; answers already in `replies` are not asked for again."""


@dataclass(frozen=True)
class Terms:
    """How a provider is asked: limits that change cost and time, never a rating."""

    concurrency: int = 32  # requests in flight, at most
    timeout: float = 120.0  # seconds for one request
    max_retries: int = 6  # of one request
    rpm: float | None = None  # requests a minute, at most
    tpm: float | None = None  # tokens a minute, at most
    replay: Path | None = None  # answers come from this recording only
    record: Path | None = None  # answers are written to this recording
    meter: Meter = field(default_factory=Meter)
    prices: PriceTable = field(default_factory=load_prices)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


class JudgeMaker(Protocol):
    """What an entry point of `judge.judges` names: makes a judge from what follows the colon in `--judge name:rest`."""

    def __call__(self, rubric: Rubric, rest: str, terms: Terms, /) -> Judge: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer's JSON, and for how many seconds the provider's headers say that it takes no further request."""

    reply: Body
    wait: float = 0.0


class Send(Protocol):
    """Posts one body (JSON, encoded) and returns the answer; raises `Trouble`."""

    async def __call__(self, content: bytes, /) -> Sent: ...


class ChatModel(Protocol):
    """One provider's API: bodies and answers are translated by pure functions, only `connected` touches the network."""

    provider: str
    model: str  # as asked
    echo: str  # as every answer must name it; it stands in the JudgeId
    sampling: str  # what of the sampling was asked for, as it stands in the JudgeId
    can_drop: Mapping[str, tuple[str, ...]]  # what a body can do without, each with signs of it in a refusal, in order

    def body(self, request: ChatRequest, without: Collection[str] = (), /) -> Body:
        """Return the request as the provider's JSON, without those of `can_drop` that the server refused."""

    def read(self, reply: Body, /) -> ChatReply:
        """Return what the provider's JSON says.

        Raises:
            Trouble: it is a refusal, empty, cut short, or not an answer at all.
        """

    def usage(self, reply: Body, /) -> Usage:
        """Return the tokens that an answer counts, whatever it says; cost and requests are left to the caller."""

    def connected(self, terms: Terms, /) -> AbstractAsyncContextManager[Send]:
        """Open one pool of connections.

        Raises:
            UsageProblem: there is no key.
        """


@dataclass(frozen=True, slots=True)
class Deferred:
    """How a batch at a provider stands: whether it has ended, and in words."""

    ended: bool
    told: str


class DeferredApi(Protocol):
    """A provider's Batch API, connected. Every method raises `Trouble` where the provider does not answer."""

    async def submit(self, name: str, calls: Sequence[tuple[str, Body]]) -> str:
        """Have the calls (key and body) answered later; return the provider's name of the batch."""

    async def find(self, name: str, keys: Set[str], since: datetime, known: Set[str]) -> str | None:
        """Return the provider's name of a batch whose submission was cut off before it was known, or None if there is none.

        Args:
            keys: of its calls.
            since: when it was submitted.
            known: provider's names that belong to other batches.

        Raises:
            Trouble: of kind `pending`, where that cannot be said before a batch that might be it has ended.
        """

    async def look(self, remote: str) -> Deferred:
        """Return how a batch stands."""

    def answers(self, remote: str) -> AsyncIterator[tuple[str, Body | None, str]]:
        """Yield key, answer (None where there is none) and, then, why not."""

    async def cancel(self, remote: str) -> None:
        """Have a batch ended; what is answered stays."""


@runtime_checkable
class Deferring(Protocol):
    """A chat model whose provider has a Batch API."""

    def deferred(self, terms: Terms, /) -> AbstractAsyncContextManager[DeferredApi]:
        """Open a connection to it."""


class ModelMaker(Protocol):
    """What an entry point of `judge.models` names: makes a model from what follows the colon in `--judge name:rest`."""

    def __call__(self, rest: str, terms: Terms, /) -> ChatModel: ...
