"""OpenAI's Responses API, and its Decisions API in its own words: requests and answers translated; the SDK only carries them."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from judge.chat import ChatReply, ChatRequest, Trouble
from judge.contract import Body, ChatModel, DeferredApi, Send, Terms
from judge.keys import need_key
from judge.models.compatible import ChatCompletions
from judge.models.openai_deferred import deferred
from judge.models.openai_sdk import connected
from judge.models.spec import ModelSpec, read_spec
from judge.models.wire import tokens_of
from judge.verdict import FailureKind, Usage

KEY = "OPENAI_API_KEY"
OPTIONS = ("temperature", "effort", "max_output_tokens", "logprobs", "api", "echo")
MARK = {"mode": "explicit"}


def make_openai(rest: str, terms: Terms) -> ChatModel:
    """Return the model of `--judge openai:MODEL`, by the Responses API, or by Chat Completions with `?api=chat`."""
    spec = read_spec("openai", rest, OPTIONS)
    return ChatCompletions("openai", spec, KEY) if spec.api == "chat" else Responses(spec)


class Responses:
    """The Responses API with a JSON schema, explicit marks for the prompt cache, and nothing stored at the provider."""

    provider = "openai"
    can_drop: Mapping[str, tuple[str, ...]] = {
        "cache marks": ("prompt_cache_options", "prompt_cache_breakpoint"),
        "cache key": ("prompt_cache_key",),
        "temperature": ("temperature",),
        "logprobs": ("logprobs",),
        "effort": ("reasoning",),
        "schema": ("text.format", "json_schema"),
    }

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self.model, self.echo, self.sampling = spec.model, spec.echo or spec.model, spec.sampling

    def body(self, request: ChatRequest, without: Collection[str] = ()) -> Body:
        spec, marks = self._spec, "cache marks" not in without
        parts = [_text(block, mark=marks and kept) for block, kept in request.marked_blocks]
        parts.append(_text(request.question_with_schema if "schema" in without else request.question))
        turns: list[Body] = [
            {"role": "developer", "content": [_text(request.system, mark=marks)]},
            {"role": "user", "content": parts},
            *request.second_try,
        ]
        body: Body = {"model": spec.model, "input": turns, "store": False}
        if "schema" not in without:
            body["text"] = {"format": {"type": "json_schema", "name": "verdict", "schema": request.schema, "strict": True}}
        if marks:
            body["prompt_cache_options"] = {"mode": "explicit"}
        if "cache key" not in without:
            body["prompt_cache_key"] = request.cache_key
        if spec.temperature is not None and "temperature" not in without:
            body["temperature"] = spec.temperature
        if spec.effort is not None and "effort" not in without:
            body["reasoning"] = {"effort": spec.effort}
        if spec.max_output_tokens is not None:
            body["max_output_tokens"] = spec.max_output_tokens
        if spec.logprobs and "logprobs" not in without:
            body |= {"include": ["message.output_text.logprobs"], "top_logprobs": 20}
        return body

    def read(self, reply: Body) -> ChatReply:
        usage = self.usage(reply)
        contents = [part for item in _items(reply.get("output")) if item.get("type") == "message" for part in _items(item.get("content"))]
        refusal = next((part.get("refusal") for part in contents if part.get("type") == "refusal"), None)
        if refusal is not None:
            raise Trouble(FailureKind.REFUSED, str(refusal) or "the model refused", usage=usage)
        said = [part for part in contents if part.get("type") == "output_text"]
        text = "".join(str(part.get("text", "")) for part in said)
        if reply.get("status") == "incomplete":
            why = (reply.get("incomplete_details") or {}).get("reason")
            kind = FailureKind.REFUSED if why == "content_filter" else FailureKind.TRUNCATED
            raise Trouble(kind, f"the answer is incomplete: {why}", usage=usage, raw=text)
        if reply.get("status") in ("failed", "cancelled"):
            message = (reply.get("error") or {}).get("message", "no reason given")
            raise Trouble(FailureKind.SERVER_ERROR, f"the answer {reply['status']}: {message}", usage=usage)
        if not text.strip():
            raise Trouble(FailureKind.EMPTY, "an answer without text", usage=usage)
        tokens = tuple(token for part in said for token in tokens_of(part.get("logprobs")))
        return ChatReply(text, str(reply.get("model") or ""), usage, tokens)

    def usage(self, reply: Body) -> Usage:
        return usage_of(reply)

    def connected(self, terms: Terms) -> AbstractAsyncContextManager[Send]:
        return connected(terms, "/responses", need_key(KEY, terms.environ))

    def deferred(self, terms: Terms) -> AbstractAsyncContextManager[DeferredApi]:
        return deferred(terms, "/v1/responses", need_key(KEY, terms.environ))


def usage_of(reply: Body) -> Usage:
    """Return the tokens that a Response, or a Decision, counts."""
    usage = reply.get("usage") or {}
    details = usage.get("input_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("input_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        written_tokens=details.get("cache_write_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
    )


def _text(text: str, *, mark: bool = False) -> Body:
    part: Body = {"type": "input_text", "text": text}
    return part | {"prompt_cache_breakpoint": MARK} if mark else part


def _items(value: Any) -> list[Body]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
