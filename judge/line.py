"""One line to one provider: sends calls through the gate, finds answers that were paid for before, counts, records, replays."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from dialogue.errors import UsageProblem
from judge.chat import Trouble
from judge.contract import Body, ChatModel, Replies, Send, Terms
from judge.gate import Gate, Stopped
from judge.prices import Price
from judge.recording import Recorder
from judge.verdict import FailureKind, Usage

NEUTRAL = b"-"
SHAPES = (AttributeError, KeyError, TypeError, ValueError)  # what reading JSON of an unexpected shape raises
BATCHED = "judge_batched"  # marks a kept answer that came at the Batch API's price
BYTES_PER_TOKEN = 4.0


class AnotherModel(UsageProblem):
    """The very first answer names another model than the one that was asked."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to be sent. `body` makes it without the parameters that the server turned out to refuse.

    `key` is the same whenever the same is asked: nonce and cache key do not count, which repeat it is does.
    """

    key: str
    body: Callable[[Collection[str]], Body]
    content: bytes  # the body with all parameters, encoded
    tokens: int  # of input, estimated
    output: int  # tokens of the answer, estimated


def make_call(body: Callable[[Collection[str]], Body], varying: Iterable[str], repeat: int, output: int) -> Call:
    """Return a call with its key; `varying` are texts in the body that make no other question of it."""
    content = fixed = _encoded(body(()))
    for text in varying:
        fixed = fixed.replace(text.encode(), NEUTRAL)
    digest = hashlib.sha256(f"{repeat}\x00".encode() + fixed)
    return Call(digest.hexdigest(), body, content, estimated_tokens(content), output)


def _encoded(body: Body) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, in an answer that is shown to its model again
        return json.dumps(body, separators=(",", ":")).encode()


def estimated_tokens(text: str | bytes) -> int:
    """Return about how many tokens a text has. No vendor's tokeniser is asked: a budget needs the size, not the digit."""
    return int(len(text.encode() if isinstance(text, str) else text) / BYTES_PER_TOKEN) + 1


_NAMES = {"schema": "a JSON schema (the schema stands in the prompt, answers are checked)", "json": "a JSON format"}


class Line:
    """Sends calls to one model. The same in a live run, in a replay, and where a batch has brought the answers."""

    def __init__(self, model: ChatModel, price: Price | None, terms: Terms, send: Send, replies: Replies) -> None:
        self.gate = Gate(terms)
        self.price = price
        self._model, self._terms, self._send, self._replies = model, terms, send, replies
        self._without: set[str] = set()
        self._recorder = Recorder(terms.record, model) if terms.record else None
        self._heard = False
        self._asked: dict[str, asyncio.Future[Body]] = {}

    async def ask(self, call: Call) -> tuple[Body, bool]:
        """Return the answer to a call, and whether it came by a batch.

        Raises:
            Trouble: there is none.
            UsageProblem: no call of this run can succeed.
        """
        if known := self._replies.reply(call.key):
            self._terms.meter.found += 1
            self._record(call.key, known)
            return known, bool(known.get(BATCHED))
        if under_way := self._asked.get(call.key):  # the same question about two dialogues: it is sent once
            reply = await asyncio.shield(under_way)
            self._terms.meter.found += 1
            return reply, False
        self._asked[call.key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._fetch(call)
        except BaseException as error:
            self._tell(call.key, error)
            raise
        self._tell(call.key, reply)
        self._replies.keep(call.key, reply)
        self._record(call.key, reply)
        return reply, False

    def _record(self, key: str, reply: Body) -> None:
        if self._recorder:
            self._recorder.write(key, reply)

    def _tell(self, key: str, answer: Body | BaseException) -> None:
        """Tell who else waits for the answer to a call what became of it."""
        waiting = self._asked.pop(key)
        if isinstance(answer, BaseException):
            waiting.set_exception(Stopped() if isinstance(answer, asyncio.CancelledError) else answer)
            waiting.exception()  # nobody may be waiting: that is no error of its own
        else:
            waiting.set_result(answer)

    async def _fetch(self, call: Call) -> Body:
        dollars = self.expected_price(call)
        meter = self._terms.meter
        without = self.without

        async def send() -> Any:
            nonlocal without
            meter.promise(dollars)
            usage, without = None, self.without
            try:
                sent = await self._send(_encoded(call.body(without)) if without else call.content)
                usage = self.usage(sent.reply)
            finally:
                meter.settle(dollars, usage)
            return sent

        while True:
            try:
                sent = await self.gate.run(send, call.tokens + call.output)
            except Trouble as trouble:
                if trouble.hopeless:
                    raise UsageProblem(f"{self._model.provider}: {trouble.detail}") from trouble
                if not self._can_go_without(trouble, without):
                    raise
            else:
                return dict(sent.reply)

    def expected_price(self, call: Call) -> float | None:
        """Return what a call will cost at most, in dollars, or None where the price is not known: as if all of it went to a cache."""
        usage = Usage(input_tokens=call.tokens, written_tokens=call.tokens, output_tokens=call.output)
        return self.price.of(usage) if self.price else None

    def usage(self, reply: Body, *, batched: bool = False) -> Usage:
        """Return what an answer cost; counts of another shape than the provider's count nothing."""
        try:
            usage = self._model.usage(reply)
        except SHAPES:
            usage = Usage()
        cost = self.price.of(usage, batch=batched) if self.price else None
        return usage.model_copy(update={"requests": 1, "cost_usd": cost})

    def check_echo(self, echoed: str) -> None:
        """See that the model asked has answered: an alias may point to another one tomorrow.

        Raises:
            AnotherModel: the first answer of the run came from another one.
            Trouble: a later one did.
        """
        asked = self._model.echo
        if echoed in ("", asked):
            self._heard = True
            return
        if not self._heard:
            raise AnotherModel(
                f"{self._model.provider} answers as {echoed!r}, not as {asked!r}: a name that points to another model can change what it "
                f"means overnight, and ratings with it; ask for {echoed!r}, or allow this echo with {asked}?echo={echoed}"
            )
        raise Trouble(FailureKind.WRONG_MODEL, f"asked {asked!r}, but {echoed!r} answered")

    def _can_go_without(self, trouble: Trouble, sent_without: Collection[str]) -> bool:
        """Learn from a refused parameter that the server does not take it; say whether there is one that was not left out yet."""
        if trouble.refused is None:
            return False
        for name, signs in self._model.can_drop.items():
            if name not in sent_without and any(sign in trouble.refused for sign in signs):
                if name not in self._without:  # else another request that was in flight has learnt it meanwhile
                    self._without.add(name)
                    who = f"{self._model.provider}/{self._model.model}"
                    self._terms.meter.notes.append(f"{who} does not take {_NAMES.get(name, name)}: asked without")
                return True
        return False

    @property
    def without(self) -> frozenset[str]:
        """The parameters that the server does not take."""
        return frozenset(self._without)
