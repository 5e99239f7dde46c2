"""Anthropic's Messages API with a JSON schema and marks for the prompt cache; the SDK only carries requests and answers."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager

from judge.chat import ChatReply, ChatRequest, Trouble
from judge.contract import Body, ChatModel, DeferredApi, Send, Terms
from judge.keys import need_key
from judge.models.anthropic_deferred import deferred
from judge.models.anthropic_sdk import connected
from judge.models.spec import ModelSpec, read_spec
from judge.verdict import FailureKind, Usage

KEY = "ANTHROPIC_API_KEY"
OPTIONS = ("effort", "max_output_tokens", "echo")  # the Messages API of SDK 2.x has no temperature
EFFORTS = ("low", "medium", "high", "xhigh", "max")
MOST_OUTPUT = 16_000  # tokens; the API wants a number, and models that think count their thoughts against it


def make_anthropic(rest: str, terms: Terms) -> ChatModel:
    """Return the model of `--judge anthropic:MODEL`."""
    return Messages(read_spec("anthropic", rest, OPTIONS, efforts=EFFORTS))


class Messages:
    """The Messages API."""

    provider = "anthropic"
    can_drop: Mapping[str, tuple[str, ...]] = {
        "effort": ("effort",),
        "schema": ("output_config", "output_format", "schema"),
        "output config": ("output_config",),
        "cache marks": ("cache_control",),
    }

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self.model, self.echo, self.sampling = spec.model, spec.echo or spec.model, spec.sampling

    def body(self, request: ChatRequest, without: Collection[str] = ()) -> Body:
        spec, marks = self._spec, "cache marks" not in without
        parts = [_text(block, mark=marks and kept) for block, kept in request.marked_blocks]
        parts.append(_text(request.question_with_schema if "schema" in without else request.question))
        messages: list[Body] = [{"role": "user", "content": parts}, *request.second_try]
        body: Body = {
            "model": spec.model,
            "max_tokens": spec.max_output_tokens or MOST_OUTPUT,
            "system": [_text(request.system, mark=marks)],
            "messages": messages,
        }
        config: Body = {}
        if "schema" not in without:
            config["format"] = {"type": "json_schema", "schema": request.schema}
        if spec.effort is not None and "effort" not in without:
            config["effort"] = spec.effort
        if config and "output config" not in without:
            body["output_config"] = config
        return body

    def read(self, reply: Body) -> ChatReply:
        usage = self.usage(reply)
        blocks = reply.get("content")
        said = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
        text = "".join(str(block.get("text", "")) for block in said if block.get("type") == "text")
        match reply.get("stop_reason"):
            case "refusal":
                why = (reply.get("stop_details") or {}).get("explanation") or "the model refused"
                raise Trouble(FailureKind.REFUSED, str(why), usage=usage)
            case "max_tokens":
                raise Trouble(FailureKind.TRUNCATED, "the answer is incomplete: it reached max_tokens", usage=usage, raw=text)
            case "model_context_window_exceeded":
                raise Trouble(FailureKind.TOO_LONG, "the transcript does not fit into the model's context", usage=usage)
        if not text.strip():
            raise Trouble(FailureKind.EMPTY, "an answer without text", usage=usage)
        return ChatReply(text, str(reply.get("model") or ""), usage)

    def usage(self, reply: Body) -> Usage:
        usage = reply.get("usage") or {}
        cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
        return Usage(
            input_tokens=(usage.get("input_tokens") or 0) + cached + written,  # Anthropic counts them apart
            cached_tokens=cached,
            written_tokens=written,
            output_tokens=usage.get("output_tokens") or 0,
        )

    def connected(self, terms: Terms) -> AbstractAsyncContextManager[Send]:
        return connected(terms, need_key(KEY, terms.environ))

    def deferred(self, terms: Terms) -> AbstractAsyncContextManager[DeferredApi]:
        return deferred(terms, need_key(KEY, terms.environ))


def _text(text: str, *, mark: bool = False) -> Body:
    part: Body = {"type": "text", "text": text}
    return part | {"cache_control": {"type": "ephemeral"}} if mark else part
