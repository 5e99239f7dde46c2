"""What is asked of a chat model and what comes back, in no provider's words; no network, no prompt text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from judge.verdict import FailureKind, Usage


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question. What stays the same comes first: `system` for a rubric, `blocks` for a transcript, then `question`.

    A provider with a prompt cache is told to keep what ends with `system` and, where other requests will show the same
    transcript (`shared`), with each of the last two blocks: what the last request wrote, and what the next one will read.
    """

    system: str
    blocks: tuple[str, ...]
    question: str
    schema: Mapping[str, Any]  # JSON schema of the answer
    cache_key: str  # requests with the same key share a beginning
    shared: bool = False
    exchange: tuple[tuple[str, str], ...] = ()  # earlier answers, each with what was wrong with it

    @property
    def marked_blocks(self) -> list[tuple[str, bool]]:
        """The blocks, each with whether a prompt cache is to keep what ends with it."""
        return [(block, self.shared and at >= len(self.blocks) - 2) for at, block in enumerate(self.blocks)]

    @property
    def question_with_schema(self) -> str:
        """The question for a server that takes no schema: the schema stands in it."""
        schema = json.dumps(self.schema, separators=(",", ":"))
        return f"{self.question}Answer with one JSON object that fits this JSON schema, and nothing else:\n{schema}\n"

    @property
    def second_try(self) -> list[dict[str, Any]]:
        """The messages, in every provider's form, that show the model its earlier answers and what was wrong with them."""
        pairs = (({"role": "assistant", "content": answer}, {"role": "user", "content": wrong}) for answer, wrong in self.exchange)
        return [message for pair in pairs for message in pair]

    def again(self, answer: str, wrong: str) -> Self:
        """Return the request that shows the model its answer and what is wrong with it."""
        return replace(self, exchange=(*self.exchange, (answer, wrong)))


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an answer, with the log-probabilities of what could have stood there."""

    text: str
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a chat model answered: its text, the model's name as the provider echoes it, the usage."""

    text: str
    model: str
    usage: Usage
    tokens: tuple[Token, ...] = ()


class Trouble(Exception):
    """A request that brought no answer: why, and whether asking again can help.

    Args:
        again: the same request may well succeed later.
        after: seconds that the server asks to wait.
        throttled: the server says that it is asked too much.
        refused: the parameter (dotted) that the server does not take, where that is the reason.
        hopeless: no request of this run can succeed (a wrong key, an unknown model): the run stops.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        again: bool = False,
        after: float | None = None,
        throttled: bool = False,
        refused: str | None = None,
        hopeless: bool = False,
        usage: Usage | None = None,
        raw: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail
        self.again, self.after, self.throttled = again, after, throttled
        self.refused, self.hopeless = refused, hopeless
        self.usage, self.raw = usage or Usage(), raw
