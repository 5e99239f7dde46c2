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

ANY = "_"  # matches any one word
Phrase = tuple[tuple[str, ...], str]  # the words after the first, and the family


class Lexicon:
    """Families of phrases, indexed by how they begin.

    Args:
        families: phrases by family; words are lower-case, `word*` matches a beginning, `_` any word.
    """

    def __init__(self, families: Mapping[str, Sequence[str]]) -> None:
        self._words: dict[str, list[Phrase]] = {}  # phrases of one word
        self._pairs: dict[tuple[str, str], list[Phrase]] = {}  # longer ones, by their first two words
        self._begins: dict[str, list[tuple[str, Phrase]]] = {}  # those that start with `word*`, by its first letters
        for family, phrases in families.items():
            for phrase in phrases:
                first, *rest = phrase.split()
                if first.endswith("*"):
                    self._begins.setdefault(first[:WILD_PREFIX], []).append((first[:-1], (tuple(rest), family)))
                elif not rest:
                    self._words.setdefault(first, []).append(((), family))
                else:
                    second = ANY if rest[0] == "_" or rest[0].endswith("*") else rest[0]
                    self._pairs.setdefault((first, second), []).append((tuple(rest), family))

    def find(self, words: Sequence[str]) -> Iterator[tuple[str, int, int, bool]]:
        """Yield (family, first word, word after the last, negated) for every phrase in `words`."""
        for at, word in enumerate(words):
            after = words[at + 1] if at + 1 < len(words) else ""
            for _, family in self._words.get(word, ()):
                yield family, at, at + 1, _negated(words, at)
            for second in (after, ANY):
                for rest, family in self._pairs.get((word, second), ()):
                    if _follows(words, at + 1, rest):
                        yield family, at, at + 1 + len(rest), _negated(words, at)
            for beginning, (rest, family) in self._begins.get(word[:WILD_PREFIX], ()):
                if word.startswith(beginning) and _follows(words, at + 1, rest):
                    yield family, at, at + 1 + len(rest), _negated(words, at)


def _follows(words: Sequence[str], start: int, expected: tuple[str, ...]) -> bool:
    if start + len(expected) > len(words):
        return False
    for offset, want in enumerate(expected):
        word = words[start + offset]
        if word != want and want != ANY and not (want.endswith("*") and word.startswith(want[:-1])):
            return False
    return True


def _negated(words: Sequence[str], at: int) -> bool:
    return any(word in NEGATORS for word in words[max(0, at - NEGATION_REACH) : at])


@cache
def lexicons() -> tuple[Lexicon, Lexicon]:
    """Return the shipped lexicons: for what the user says, and for what the agent says."""
    loaded = tomllib.loads(files("judge").joinpath("lexicon.toml").read_text(encoding="utf-8"))
    return Lexicon(loaded["user"]), Lexicon(loaded["agent"])
