"""Fills a JSON schema: laid out once as fixed text with gaps, then filled as often as asked; no schema is validated."""

import json
import random
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from bounded import Bounded
from labels import Opinion
from problems import Json
from prompts import Prompt
from transcript import LAST, Shown

MAX_PIECES = 100_000
MAX_DEPTH = 64
MAX_PLANS = 2000
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
LETTER = re.compile(r'"[A-Z]"')

_TURN_NAME = re.compile(rf"{LAST}|[a-z]\d+")
_REASONS = tuple(
    json.dumps(reason)
    for reason in (
        "The reply takes up what was just said.",
        "The reply passes over what was asked.",
        "A concrete next step is offered.",
        "Nothing in the turn speaks for a higher rating.",
        "The tone stays calm and polite.",
        "The stated limit is not taken into account.",
        "It is adequate but generic.",
    )
)


@dataclass(frozen=True, slots=True)
class Gap:
    """A value to be chosen: one of `options` (as JSON), or, without any, words of the turn."""

    place: int  # hash of the path in the schema
    options: tuple[str, ...]
    turn: str | None
    name: str  # of the property


Plan = tuple[str | Gap, ...]


def lay_out(schema: Json) -> Plan:
    """Return the plan of a schema: properties in their order, one element per array."""
    pieces: list[str | Gap] = []
    _Layout(schema, pieces).add(schema, "", None, 0)
    merged: list[str | Gap] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)


class _Layout:
    def __init__(self, root: Json, pieces: list[str | Gap]) -> None:
        self._root, self._pieces = root, pieces

    def add(self, schema: Any, path: str, turn: str | None, depth: int) -> None:
        schema = self._resolved(schema)
        if depth > MAX_DEPTH or len(self._pieces) > MAX_PIECES:
            self._pieces.append("null")
        elif "const" in schema:
            self._pieces.append(json.dumps(schema["const"]))
        elif "enum" in schema:
            self._gap(path, tuple(json.dumps(value) for value in schema["enum"]), turn)
        elif "properties" in schema or _kind(schema) == "object":
            self._object(schema.get("properties", {}), path, turn, depth)
        elif _kind(schema) == "array":
            self._pieces.append("[")
            if "items" in schema:
                self.add(schema["items"], f"{path}[]", turn, depth + 1)
            self._pieces.append("]")
        else:
            self._scalar(_kind(schema), path, turn)

    def _object(self, properties: Json, path: str, turn: str | None, depth: int) -> None:
        self._pieces.append("{")
        for number, (name, schema) in enumerate(properties.items()):
            named = _TURN_NAME.fullmatch(name)
            self._pieces.append(f"{',' if number else ''}{json.dumps(name)}:")
            self.add(schema, f"{path}.{name}", name if named else turn, depth + 1)
        self._pieces.append("}")

    def _scalar(self, kind: str, path: str, turn: str | None) -> None:
        name = path.rpartition(".")[2]
        if kind in ("integer", "number"):
            self._pieces.append("3")
        elif kind == "boolean":
            self._gap(path, ("true", "false"), turn)
        elif kind == "null":
            self._pieces.append("null")
        elif name == "quote":
            self._gap(path, (), turn)
        elif name == "reason":
            self._gap(path, _REASONS, turn)
        else:
            self._pieces.append('"x"')

    def _gap(self, path: str, options: tuple[str, ...], turn: str | None) -> None:
        place = int.from_bytes(blake2b(path.encode(), digest_size=7).digest(), "big")
        self._pieces.append(Gap(place, options, turn, path.rpartition(".")[2]))

    def _resolved(self, schema: Any) -> Json:
        """Follow $ref, and take the first way of several that is not null."""
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict):
                return {}
            ways = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if isinstance(reference := schema.get("$ref"), str):
                schema = self._root
                for step in reference.removeprefix("#").split("/")[1:]:
                    schema = schema.get(step.replace("~1", "/").replace("~0", "~"), {})
            elif ways and "properties" not in schema:
                schema = next((way for way in ways if way != {"type": "null"}), {})
            else:
                return schema
        return {}


def _kind(schema: Json) -> str:
    kind = schema.get("type", "string")
    return str(next((each for each in kind if each != "null"), "null") if isinstance(kind, list) else kind)


def fill(plan: Plan, shown: Shown, seed: int, noise: float, rng: random.Random, opinion: Opinion | None = None) -> list[str]:
    """Return the text of each piece of a plan; the same transcript and seed give the same text, but for the noise.

    Args:
        opinion: what the model thinks of the dialogue, where it is to think.
    """
    filled = []
    digest = shown.digest
    for piece in plan:
        if isinstance(piece, str):
            filled.append(piece)
            continue
        draw = rng.getrandbits(60) if noise and rng.random() < noise else hash((seed, digest, piece.place))
        if opinion and piece.options and (chosen := opinion.choose(piece.turn, piece.name, piece.options)):
            filled.append(chosen)
        elif piece.options:
            filled.append(piece.options[draw % len(piece.options)])
        else:
            filled.append(json.dumps(first_words(shown.text(piece.turn), 3 + draw % 6)))
    return filled


def first_words(text: str, count: int) -> str:
    """Return the first words of a text exactly as they stand there."""
    words = text.split(None, count)
    return text[: len(text) - len(words[-1])].strip() if len(words) > count else text.strip()


def peaked(count: int, at: int, draw: int) -> tuple[float, ...]:
    """Return probabilities that come to 1, highest by far at one place and falling off to both sides."""
    return _peak(count, at, draw % 64)


@lru_cache(10_000)
def _peak(count: int, at: int, level: int) -> tuple[float, ...]:
    steepness = 0.08 + 0.3 * level / 64
    weights = [steepness ** abs(place - at) for place in range(count)]
    total = sum(weights)
    shares = [round(weight / total, 6) for weight in weights]
    shares[at] = round(shares[at] + 1 - sum(shares), 6)
    return tuple(shares)


class Plans:
    """The plans of the schemas seen lately, so that each is laid out once."""

    def __init__(self) -> None:
        self._known: Bounded[str, Plan] = Bounded(MAX_PLANS)

    def of(self, prompt: Prompt) -> Plan | None:
        """Return the plan for a request: of its schema, or of the last line of the user's text that is one."""
        if prompt.schema:
            return self._known.get(prompt.schema_text) or self._keep(prompt.schema_text, prompt.schema)
        lines = "\n".join([part.text for part in prompt.parts if part.role == "user"]).split("\n")
        for line in reversed(lines):
            if '"properties"' in line or '"$defs"' in line:
                if plan := self._known.get(line):
                    return plan
                try:
                    schema = json.loads(line)
                except ValueError:
                    continue
                if isinstance(schema, dict) and ("properties" in schema or "$defs" in schema):
                    return self._keep(line, schema)
        return None

    def _keep(self, text: str, schema: Json) -> Plan:
        plan = lay_out(schema)
        self._known.put(text, plan)
        return plan
