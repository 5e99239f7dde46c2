"""Chat messages as OpenAI writes them, turned into turns; used by every format that carries such messages."""

import json
from collections.abc import Iterator
from typing import Any

from dialogue.errors import InputProblem, did_you_mean, listed
from dialogue.readers.jsonl import kind_of

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "agent",
    "tool": "tool",
    "function": "tool",
}


def turns_of(messages: object, key: str) -> list[dict[str, Any]]:
    """Return native turns for a list of messages.

    A tool call becomes a `tool` turn `call name(arguments)`: it is an act, not something said to the user.

    Raises:
        InputProblem: not a list of messages, an unknown role, or content that is neither text nor parts.
    """
    if not isinstance(messages, list):
        raise InputProblem(f"'{key}' is a JSON {kind_of(messages)}", "an array of messages")
    return [turn for number, message in enumerate(messages) for turn in _turns(message, f"{key}[{number}]")]


def _turns(message: object, where: str) -> Iterator[dict[str, Any]]:
    if not isinstance(message, dict):
        raise InputProblem(f"'{where}' is a JSON {kind_of(message)}", "an object with 'role' and 'content'")
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise InputProblem(f"'{where}.role' is {role!r}{did_you_mean(str(role), _ROLES)}", f"one of {listed(_ROLES)}")
    calls = message.get("tool_calls") or ([message["function_call"]] if message.get("function_call") else [])
    if not isinstance(calls, list):
        raise InputProblem(f"'{where}.tool_calls' is a JSON {kind_of(calls)}", "an array of calls")
    text = _text(message.get("content"), where) or _text(message.get("refusal"), where)
    if text or not calls:
        yield {"role": _ROLES[role], "text": text}
    for call in calls:
        yield {"role": "tool", "text": _call_text(call, where)}


def _text(content: object, where: str) -> str:
    """Return the words of a message's content; parts that are not words are named in brackets."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_part_text(part, where) for part in content)
    raise InputProblem(f"'{where}.content' is a JSON {kind_of(content)}", "a text, an array of parts, or null")


def _part_text(part: object, where: str) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise InputProblem(f"a part of '{where}.content' is a JSON {kind_of(part)}", "a text or an object with 'type'")
    for key in ("text", "refusal", "transcript"):
        if isinstance(part.get(key), str):
            return str(part[key])
    return f"[{part.get('type', 'part')}]"


def _call_text(call: object, where: str) -> str:
    """Return `call name(arguments)`; arguments come as JSON text (OpenAI) or as an object (tau2)."""
    if not isinstance(call, dict):
        raise InputProblem(f"'{where}.tool_calls' holds a JSON {kind_of(call)}", "an object with the function's name")
    function = call.get("function") if isinstance(call.get("function"), dict) else call
    arguments = function.get("arguments", "")  # type: ignore[union-attr]  # narrowed to dict just above
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return f"call {function.get('name', '?')}({arguments})"  # type: ignore[union-attr]
