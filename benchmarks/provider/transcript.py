"""Finds the transcript in a prompt, and takes the nonce of its fence out of any text; turns are only looked at for their text."""

import json
import re
from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b
from typing import Any

_WORD = "transcript "
_NONCE = re.compile(r"[0-9a-f]{32}(?=>)")
_NO_NONCE = "0" * 32

LAST = "turn"  # a property of this name is about the last turn of the agent


def without_nonce(text: str) -> str:
    """Return the text with every fence's nonce made zeros, wherever it stands: the same question is the same text."""
    for nonce in {nonce for nonce, _ in _fences(text)}:
        text = text.replace(nonce, _NO_NONCE)
    return text


class Shown:
    """The transcript that a prompt shows: all that stands between fences, or without a fence all lines that look like turns.

    Args:
        text: all of the prompt.
    """

    def __init__(self, text: str) -> None:
        inside = "".join(_fenced(text)).split("\n")
        lines = [line for line in inside if line] or text.split("\n")  # empty ones come from where the client cuts its prompt
        self._lines = [line for line in lines if line.startswith("{") and '"turn"' in line]
        told = without_nonce("\n".join(lines if any(inside) else self._lines) or text)
        self.digest = int.from_bytes(blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")

    def text(self, turn: str | None) -> str:
        """Return a turn's text, or the first agent turn's where there is no such turn."""
        texts, fallback = self._turns
        return texts.get(turn, fallback) if turn is not None else fallback

    @property
    def agent_texts(self) -> tuple[str, ...]:
        """What the agent says, turn by turn."""
        texts, _ = self._turns
        return tuple(text for name, text in texts.items() if name != LAST)

    @cached_property
    def _turns(self) -> tuple[dict[str, str], str]:
        turns = [turn for turn in _parsed(self._lines) if isinstance(turn, dict) and turn.get("turn")]
        texts = {str(turn["turn"]): str(turn.get("text") or "") for turn in turns}
        said = [texts[str(turn["turn"])] for turn in turns if turn.get("role") in ("agent", "assistant")]
        return texts | ({LAST: said[-1]} if said else {}), next(iter(said), "")


def _fences(text: str) -> Iterator[tuple[str, int]]:
    """Yield the nonce of each fence, opening or closing, and where the fence's line ends. (Several times as fast as one pattern.)"""
    at = text.find(_WORD)
    while at >= 0:
        nonce = _NONCE.match(text, at + len(_WORD))
        if nonce and text[at - 1] in "</":
            yield nonce[0], nonce.end() + 1
        at = text.find(_WORD, at + 1)


def _fenced(text: str) -> Iterator[str]:
    for nonce, begin in _fences(text):
        end = text.find(f"\n</{_WORD}{nonce}>", begin)
        if end > begin:
            yield text[begin + 1 : end + 1]


def _parsed(lines: list[str]) -> list[Any]:
    try:
        return list(json.loads(f"[{','.join(lines)}]"))
    except ValueError:  # one of them, at least, only looks like a turn
        return [turn for line in lines for turn in _attempt(line)]


def _attempt(line: str) -> list[Any]:
    try:
        return [json.loads(line)]
    except ValueError:
        return []
