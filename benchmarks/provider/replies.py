"""Puts an answer into a vendor's reply, field by field as the official clients read it; no HTTP."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

from plans import LETTER, NUMBER, Gap, peaked
from problems import Json

REFUSAL = "I can't help with that."

_run, _numbers = uuid4().hex[:16], count(1)


def new_id(prefix: str) -> str:
    """Return an identifier that no other run gave out."""
    return f"{prefix}_{_run}{next(_numbers):016x}"


@dataclass(slots=True)
class Usage:
    """Tokens of a request: all of the input, what of it was read from or written to the cache, and the output."""

    input: int
    read: int
    written: int
    output: int


@dataclass(slots=True)
class Answer:
    """What the model says: a text, which is JSON for decisions; `how` is the fault in its shape, where it has one."""

    model: str
    text: str
    usage: Usage
    how: str | None = None
    plan: Sequence[str | Gap] = ()  # what the text was made from, where it is as it was made
    pieces: Sequence[str] = ()  # the text of each part of the plan


def responses_reply(body: Json, answer: Answer, *, batch: bool = False) -> str:
    """Return a reply of /v1/responses."""
    now, cut = time.time(), answer.how == "truncated"
    content: Json = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
    if answer.how == "refusal":
        content = {"type": "refusal", "refusal": REFUSAL}
    elif "message.output_text.logprobs" in (body.get("include") or ()):
        content["logprobs"] = _logprobs(answer, body.get("top_logprobs") or 0)
    status = "incomplete" if cut else "completed"
    text = body.get("text") or {}
    reply = {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(now),
        "completed_at": None if cut else int(now),
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": answer.model,
        "output": [{"id": new_id("msg"), "type": "message", "status": status, "role": "assistant", "content": [content]}],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "safety_identifier": None,
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, "verbosity": "medium", **text},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": openai_usage(answer.usage),
        "user": None,
    }
    return json.dumps(reply)


def chat_reply(body: Json, answer: Answer, *, batch: bool = False) -> str:
    """Return a reply of /v1/chat/completions."""
    refused, usage = answer.how == "refusal", answer.usage
    message: Json = {
        "role": "assistant",
        "content": None if refused else answer.text,
        "refusal": REFUSAL if refused else None,
        "annotations": [],
    }
    logprobs = {"content": _logprobs(answer, body.get("top_logprobs") or 0), "refusal": None} if body.get("logprobs") else None
    finish = "length" if answer.how == "truncated" else "stop"
    reply = {
        "id": new_id("chatcmpl"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "logprobs": logprobs, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": usage.input,
            "completion_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.read, "cache_write_tokens": usage.written, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_provider",
    }
    return json.dumps(reply)


def decisions_reply(body: Json, answer: Answer, *, batch: bool = False) -> str:
    """Return a reply of /v1/decisions."""
    return f'{{"model":{json.dumps(answer.model)},"answers":{answer.text},"usage":{json.dumps(openai_usage(answer.usage))}}}'


def messages_reply(body: Json, answer: Answer, *, batch: bool = False) -> str:
    """Return a reply of /v1/messages."""
    refused, usage = answer.how == "refusal", answer.usage
    hour = '"ttl":"1h"' in json.dumps([body.get("system"), body.get("messages")], separators=(",", ":")) if usage.written else False
    reply = {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [] if refused else [{"type": "text", "text": answer.text}],
        "stop_reason": "refusal" if refused else "max_tokens" if answer.how == "truncated" else "end_turn",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": None} if refused else None,
        "usage": {
            "input_tokens": usage.input - usage.read - usage.written,
            "cache_creation_input_tokens": usage.written,
            "cache_read_input_tokens": usage.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 0 if hour else usage.written,
                "ephemeral_1h_input_tokens": usage.written if hour else 0,
            },
            "output_tokens": usage.output,
            "service_tier": "batch" if batch else "standard",
        },
    }
    return json.dumps(reply)


REPLIES = {
    "/v1/responses": responses_reply,
    "/v1/chat/completions": chat_reply,
    "/v1/decisions": decisions_reply,
    "/v1/messages": messages_reply,
}


def openai_usage(usage: Usage) -> Json:
    """Return usage as /v1/responses, /v1/decisions and batches word it."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.read, "cache_write_tokens": usage.written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output,
    }


def _logprobs(answer: Answer, top: int) -> list[Json]:
    """Return the text's tokens: a number or letter in a gap with all that could stand there, anything else as certain."""
    tokens = []
    for text, gap in zip(answer.pieces or [answer.text], answer.plan or [""], strict=True):
        if isinstance(gap, Gap) and len(gap.options) > 1 and (NUMBER.fullmatch(text) or LETTER.fullmatch(text)):
            at = gap.options.index(text)
            shares = peaked(len(gap.options), at, gap.place)
            chances = sorted(((share, option) for option, share in zip(gap.options, shares, strict=True)), reverse=True)
            found = [_token(option, math.log(share) if share else -9999.0) for share, option in chances]
            tokens.append({**found[0], "top_logprobs": found[:top]})
            continue
        end = 0
        for number in NUMBER.finditer(text):
            tokens += [_certain(part, top) for part in (text[end : number.start()], number[0]) if part]
            end = number.end()
        if end < len(text):
            tokens.append(_certain(text[end:], top))
    return tokens


def _token(text: str, logprob: float) -> Json:
    return {"token": text, "bytes": list(text.encode("utf-8", "surrogatepass")), "logprob": logprob}


def _certain(text: str, top: int) -> Json:
    token: dict[str, Any] = _token(text, 0.0)
    return {**token, "top_logprobs": [token] if top else []}
