"""The words that attacks put in: read from the `*.toml` beside this file, by domain where that matters."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from judge.rubric import Rubric

ANY = "any"  # the domain of rubrics that have no wordings of their own
ABBREVIATED = ("mr", "mrs", "ms", "dr", "st", "no", "e.g", "i.e", "approx")
_END = re.compile(r"(?<=[.!?…])[\"”')]*\s+")


@cache
def read(name: str) -> dict[str, Any]:
    """Return what a file of wordings holds."""
    return tomllib.loads(files("golden_set.attacks").joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def for_domain(table: dict[str, list[str]], rubric: Rubric) -> list[str]:
    """Return the wordings for the rubric's domain, or those that fit any."""
    return table.get(rubric.name) or table[ANY]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; together, with a space between them, they are the text again but for its white space."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        words = text[start : match.start()].split()
        if words and words[-1].rstrip(".").casefold() in ABBREVIATED:
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found
