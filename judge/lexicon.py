"""Phrases by family, found in one pass over a turn's words; what they mean is `cues.py`'s business."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

WILD_PREFIX = 3  # letters that a `word*` entry must have, and by which it is indexed
NEGATORS = frozenset(
    (
        "not",
        "no",
        "never",
        "nobody",
        "none",
        "without",
        "nor",
        "can't",
        "won't",
        "don't",
        "isn't",
        "doesn't",
        "aren't",
        "wouldn't",
        "didn't",
    )
)
NEGATION_REACH = 4  # words before a phrase in which a negator turns it round

Phrase = tuple[tuple[str, ...], str]  # the words after the first, and the family


class Lexicon:
    """Families of phrases, indexed by their first word.

    Args:
        families: phrases by family; words are lower-case, `word*` matches a beginning, `_` any word.
    """

    def __init__(self, families: Mapping[str, Sequence[str]]) -> None:
        self.families = tuple(families)
        self._exact: dict[str, list[Phrase]] = {}
        self._begins: dict[str, list[tuple[str, Phrase]]] = {}
        for family, phrases in families.items():
            for phrase in phrases:
                first, *rest = phrase.split()
                entry: Phrase = (tuple(rest), family)
                if first.endswith("*"):
                    self._begins.setdefault(first[:WILD_PREFIX], []).append((first[:-1], entry))
                else:
                    self._exact.setdefault(first, []).append(entry)

    def find(self, words: Sequence[str]) -> Iterator[tuple[str, int, int, bool]]:
        """Yield (family, first word, word after the last, negated) for every phrase in `words`."""
        for at, word in enumerate(words):
            for rest, family in self._exact.get(word, ()):
                if not rest or _follows(words, at + 1, rest):
                    yield family, at, at + 1 + len(rest), _negated(words, at)
            for beginning, (rest, family) in self._begins.get(word[:WILD_PREFIX], ()):
                if word.startswith(beginning) and _follows(words, at + 1, rest):
                    yield family, at, at + 1 + len(rest), _negated(words, at)


def _follows(words: Sequence[str], start: int, expected: tuple[str, ...]) -> bool:
    if start + len(expected) > len(words):
        return False
    for offset, want in enumerate(expected):
        word = words[start + offset]
        if word != want and want != "_" and not (want.endswith("*") and word.startswith(want[:-1])):
            return False
    return True


def _negated(words: Sequence[str], at: int) -> bool:
    return any(word in NEGATORS for word in words[max(0, at - NEGATION_REACH) : at])


@cache
def lexicons() -> tuple[Lexicon, Lexicon]:
    """Return the shipped lexicons: for what the user says, and for what the agent says."""
    loaded = tomllib.loads(files("judge").joinpath("lexicon.toml").read_text(encoding="utf-8"))
    return Lexicon(loaded["user"]), Lexicon(loaded["agent"])
