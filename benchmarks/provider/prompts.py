"""Reads a request's body, in any of the four wire formats, into one `Prompt`; images, tools and streaming are left out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from problems import Json, Problem

MAX_QUESTIONS = 400
MAX_ANTHROPIC_MARKS = 4


@dataclass(slots=True)
class Part:
    """A piece of the prompt; `marked` where the client wants everything up to its end cached."""

    role: str
    text: str
    marked: bool = False


@dataclass(slots=True)
class Prompt:
    """What a model is shown, in order. `schema` is what its answer has to look like, where the request says so."""

    path: str
    model: str
    parts: list[Part]
    schema: Json | None
    caching: Literal["implicit", "explicit", "lookback"]
    cache_key: str
    schema_text: str = field(init=False)

    def __post_init__(self) -> None:
        self.schema_text = compact(self.schema) if self.schema else ""

    @property
    def tokens(self) -> int:
        """How many tokens all of it is."""
        return tokens(sum(len(part.text) for part in self.parts) + len(self.schema_text))

    @property
    def text(self) -> str:
        """All text, in order."""
        return "\n".join([part.text for part in self.parts])


def tokens(characters: int) -> int:
    """Return how many tokens so many characters count as."""
    return -(-characters // 4)


def compact(value: Any) -> str:
    """Return JSON without blanks."""
    return _encode(value)


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def read_prompt(path: str, body: Json) -> Prompt:
    """Read a request to one of the four model endpoints.

    Raises:
        Problem: the vendor would not take this body.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Problem(400, "you must provide a model parameter", param="model")
    if body.get("stream"):
        raise Problem(400, "this server does not stream", param="stream")
    return _READERS[path](path, model, body)


def _responses(path: str, model: str, body: Json) -> Prompt:
    instructions = body.get("instructions")
    parts = [Part("system", instructions)] if isinstance(instructions, str) else []
    parts += _items(body, "input")
    schema = _schema(_object(_object(body, "text"), "format"), "schema")
    return _openai_prompt(path, model, body, parts, schema)


def _chat(path: str, model: str, body: Json) -> Prompt:
    if not isinstance(body.get("messages"), list):
        raise Problem(400, "Missing required parameter: 'messages'.", param="messages")
    schema = _schema(_object(_object(body, "response_format"), "json_schema"), "schema")
    return _openai_prompt(path, model, body, list(_items(body, "messages")), schema)


def _decisions(path: str, model: str, body: Json) -> Prompt:
    questions = body.get("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= MAX_QUESTIONS:
        raise Problem(400, f"Expected between 1 and {MAX_QUESTIONS} questions.", param="questions")
    for number, question in enumerate(questions):
        field = {"score": "levels", "choice": "choices", "predicate": "instructions"}.get(question.get("type", ""))
        if field is None or not question.get("instructions") or len(question.get(field, ())) < (1 if field == "instructions" else 2):
            raise Problem(400, f"Invalid question: 'questions[{number}]'.", param=f"questions[{number}]")
    parts = [*_items(body, "input"), Part("questions", compact(questions))]
    return _openai_prompt(path, model, body, parts, None)


def _messages(path: str, model: str, body: Json) -> Prompt:
    if not isinstance(body.get("max_tokens"), int):
        raise Problem(400, "max_tokens: Field required")
    if not isinstance(body.get("messages"), list):
        raise Problem(400, "messages: Field required")
    parts = [*_content("system", body.get("system") or [], "cache_control"), *_items(body, "messages", "cache_control")]
    if body.get("cache_control") and parts:
        parts[-1].marked = True
    if sum(part.marked for part in parts) > MAX_ANTHROPIC_MARKS:
        raise Problem(400, f"A maximum of {MAX_ANTHROPIC_MARKS} blocks with cache_control may be provided.")
    schema = _schema(_object(_object(body, "output_config"), "format"), "schema")
    return Prompt(path, model, parts, schema, "lookback", "")


_READERS = {"/v1/responses": _responses, "/v1/chat/completions": _chat, "/v1/decisions": _decisions, "/v1/messages": _messages}


def _openai_prompt(path: str, model: str, body: Json, parts: list[Part], schema: Json | None) -> Prompt:
    explicit = _object(body, "prompt_cache_options").get("mode") == "explicit"
    return Prompt(path, model, parts, schema, "explicit" if explicit else "implicit", str(body.get("prompt_cache_key") or ""))


def _items(body: Json, name: str, mark: str = "prompt_cache_breakpoint") -> Iterator[Part]:
    """Yield the parts of a list of messages, or of the plain text that may stand in its place."""
    items = body.get(name)
    if isinstance(items, str):
        yield Part("user", items)
        return
    if not isinstance(items, list):
        raise Problem(400, f"Missing required parameter: '{name}'.", param=name)
    for item in items:
        if not isinstance(item, dict):
            raise Problem(400, f"Invalid type for '{name}': expected objects.", param=name)
        yield from _content(str(item.get("role", "user")), item.get("content") or [], mark)


def _content(role: str, content: Any, mark: str) -> Iterator[Part]:
    if isinstance(content, str):
        yield Part(role, content)
        return
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise Problem(400, "Invalid type for 'content': expected text or parts.", param="content")
    for part in content:
        text = part["text"] if isinstance(part.get("text"), str) else compact(part.get("data", ""))
        yield Part(role, text, bool(part.get(mark)))


def _object(body: Json, name: str) -> Json:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _schema(holder: Json, name: str) -> Json | None:
    return _object(holder, name) or None
