"""Chat Completions, as OpenAI and every compatible server (vLLM, llama.cpp, Ollama, gateways) speak it."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from judge.chat import ChatReply, ChatRequest, Trouble
from judge.contract import Body, ChatModel, DeferredApi, Send, Terms
from judge.keys import find_key, need_key
from judge.models.openai_deferred import deferred
from judge.models.openai_sdk import connected
from judge.models.spec import ModelSpec, read_spec
from judge.models.wire import tokens_of
from judge.verdict import FailureKind, Usage

KEY = "COMPATIBLE_API_KEY"
NO_KEY = "none"  # what local servers get, which ask for no key
OPTIONS = ("temperature", "effort", "max_output_tokens", "logprobs", "echo")


def make_compatible(rest: str, terms: Terms) -> ChatModel:
    """Return the model of `--judge compatible:MODEL@http://host/v1`."""
    return ChatCompletions("compatible", read_spec("compatible", rest, OPTIONS, url=True), KEY)


class ChatCompletions:
    """The Chat Completions API. Servers without JSON schemas get the schema in words, and answers are checked in any case."""

    can_drop: Mapping[str, tuple[str, ...]] = {
        "cache marks": ("prompt_cache_options", "prompt_cache_breakpoint"),
        "cache key": ("prompt_cache_key",),
        "temperature": ("temperature",),
        "logprobs": ("logprobs",),
        "effort": ("reasoning_effort",),
        "schema": ("response_format", "json_schema", "schema"),
        "json": ("response_format", "json_object"),
    }

    def __init__(self, provider: str, spec: ModelSpec, key: str) -> None:
        self.provider, self._spec, self._key = provider, spec, key
        self.model, self.echo, self.sampling = spec.model, spec.echo or spec.model, spec.sampling
        self._vendor = provider == "openai"  # knows prompt caches; elsewhere plain texts are what every server takes

    def body(self, request: ChatRequest, without: Collection[str] = ()) -> Body:
        spec, marks = self._spec, self._vendor and "cache marks" not in without
        question = request.question_with_schema if "schema" in without else request.question
        if marks:
            parts = [_text(block, mark=kept) for block, kept in request.marked_blocks]
            system: Any = [_text(request.system, mark=True)]
            said: Any = [*parts, _text(question)]
        else:
            system, said = request.system, "".join((*request.blocks, question))
        messages: list[Body] = [{"role": "system", "content": system}, {"role": "user", "content": said}, *request.second_try]
        body: Body = {"model": spec.model, "messages": messages}
        if "schema" not in without:
            schema = {"name": "verdict", "schema": request.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif "json" not in without:
            body["response_format"] = {"type": "json_object"}
        if marks:
            body["prompt_cache_options"] = {"mode": "explicit"}
        if self._vendor and "cache key" not in without:
            body["prompt_cache_key"] = request.cache_key
        if spec.temperature is not None and "temperature" not in without:
            body["temperature"] = spec.temperature
        if spec.effort is not None and "effort" not in without:
            body["reasoning_effort"] = spec.effort
        if spec.max_output_tokens is not None:
            body["max_completion_tokens" if self._vendor else "max_tokens"] = spec.max_output_tokens
        if spec.logprobs and "logprobs" not in without:
            body |= {"logprobs": True, "top_logprobs": 20}
        return body

    def read(self, reply: Body) -> ChatReply:
        usage = self.usage(reply)
        choices = reply.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        message = choice.get("message") or {}
        text = message.get("content") or ""
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            raise Trouble(FailureKind.REFUSED, str(message.get("refusal") or "the answer was filtered"), usage=usage)
        if choice.get("finish_reason") == "length":
            raise Trouble(FailureKind.TRUNCATED, "the answer is incomplete: it reached the limit of tokens", usage=usage, raw=str(text))
        if not isinstance(text, str) or not text.strip():
            raise Trouble(FailureKind.EMPTY, "an answer without text", usage=usage)
        tokens = tokens_of((choice.get("logprobs") or {}).get("content"))
        return ChatReply(text, str(reply.get("model") or ""), usage, tokens)

    def usage(self, reply: Body) -> Usage:
        usage = reply.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        return Usage(
            input_tokens=usage.get("prompt_tokens") or 0,
            cached_tokens=details.get("cached_tokens") or 0,
            written_tokens=details.get("cache_write_tokens") or 0,
            output_tokens=usage.get("completion_tokens") or 0,
        )

    def connected(self, terms: Terms) -> AbstractAsyncContextManager[Send]:
        return connected(terms, "/chat/completions", self._key_of(terms), self._spec.url)

    def deferred(self, terms: Terms) -> AbstractAsyncContextManager[DeferredApi]:
        return deferred(terms, "/v1/chat/completions", self._key_of(terms), self._spec.url)

    def _key_of(self, terms: Terms) -> str:
        return need_key(self._key, terms.environ) if self._vendor else find_key(self._key, terms.environ) or NO_KEY


def _text(text: str, *, mark: bool = False) -> Body:
    part: Body = {"type": "text", "text": text}
    return part | {"prompt_cache_breakpoint": {"mode": "explicit"}} if mark else part
