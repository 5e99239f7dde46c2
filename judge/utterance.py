"""One turn, taken apart: words, phrases, numbers, dates, questions; no judgement and no context yet."""

import re
import unicodedata
from collections.abc import Sequence

from judge.lexicon import Lexicon

MAX_CHARS = 100_000  # of one turn; what lies beyond is not read, and the rating's reason says so

QUOTED = 60  # characters of a long sentence quoted on either side, to the word

_TOKEN = re.compile(r"[^\W_]+(?:['.,:/\-][^\W_]+)*[%:]?|[$£€?!]")
_NUMBER = re.compile(r"(\d[\d,]*\.?\d*)(k?)")
_SHOUTED = re.compile(r"\b[A-Z]{4,}\b")
_ORDINAL = re.compile(r"\d{1,2}(st|nd|rd|th)")
_CLOCK = re.compile(r"\d{1,2}(:\d\d)?(am|pm)|\d{1,2}:\d\d")
_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
        "nineteen".split()
    )
}
_TENS = {word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000}
_DATES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat sun "
    "january february march april june july august september october november december jan feb mar apr jun jul aug sept oct nov dec "
    "today tonight tomorrow payday weekend noon midnight morning evening afternoon o'clock".split()
)
_STOP = frozenset(
    "a about above after again all also am an and any are aren't as at be because been before being below between both but by can "
    "can't cannot could couldn't did didn't do does doesn't doing don't down during each few for from further get gets getting go "
    "going gonna got had has have haven't having he he's her here hers him his how i i'd i'll i'm i've if in into is isn't it it's "
    "its just know let let's like ll made make many may me might more most much my need no nor not now of off oh ok okay on once "
    "one only or other our ours out over own please put re really said same say see shall she should so some such sure take tell "
    "than thank thanks that that's the their theirs them then there there's these they they're thing things think this those "
    "through time to too up us use ve very want was wasn't way we we'd we'll we're we've well were what what's when where which "
    "while who why will with won't would yeah yes you you'd you'll you're you've your yours".split()
)
_QUESTION_WORDS = frozenset(
    "what what's why how when where which who whose can could do does did is are will would should have has am was were may".split()
)


class Utterance:
    """A turn's text as the cues see it.

    Attributes:
        words: lower-case words; `starts` and `ends` give their places in `text`.
        stems: content words, crudely stemmed: what the turn is about.
        numbers: values of figures and number words, with the index of their first word.
        dates: days, months, clock times and ordinals, as said.
        hits: for each phrase family found, the word spans (first, after last), negated ones apart in `negated`.
    """

    __slots__ = ("dates", "ends", "exclaims", "hits", "negated", "numbers", "question", "shouts", "starts", "stems", "text", "words")

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = text[:MAX_CHARS]
        plain = self.text if self.text.isascii() else _plain(self.text)
        lowered = plain.lower()
        if len(lowered) != len(self.text):  # a letter that changes length in lower case: positions must stay true
            lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)
        words: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        for match in _TOKEN.finditer(lowered):
            words.append(match.group())
            self.starts.append(match.start())
            self.ends.append(match.end())
        self.words = words
        self.question = "?" in words or (bool(words) and words[0] in _QUESTION_WORDS and "!" not in words and "." not in plain[-2:])
        self.exclaims = words.count("!")
        self.shouts = len(_SHOUTED.findall(plain))
        self.hits: dict[str, list[tuple[int, int]]] = {}
        self.negated: dict[str, list[tuple[int, int]]] = {}
        for family, first, after, negated in lexicon.find(words):
            (self.negated if negated else self.hits).setdefault(family, []).append((first, after))
        self.stems = frozenset(_stem(word) for word in words if len(word) > 2 and word not in _STOP and not word[0].isdigit())
        self.numbers = _numbers(words)
        self.dates = frozenset(
            word for word in words if word in _DATES or (word[0].isdigit() and (_ORDINAL.fullmatch(word) or _CLOCK.fullmatch(word)))
        )

    def has(self, *families: str) -> bool:
        """Say whether any of the families occurs, not negated."""
        return any(family in self.hits for family in families)

    def mentions(self, family: str) -> bool:
        """Say whether the family occurs, negated or not."""
        return family in self.hits or family in self.negated

    def first_of(self, *families: str) -> str | None:
        """Return the first of the families that occurs, not negated."""
        return next((family for family in families if family in self.hits), None)

    def count(self, family: str) -> int:
        """Return how often a family occurs, not negated."""
        return len(self.hits.get(family, ()))

    @property
    def values(self) -> frozenset[float]:
        """The numbers said, without their places."""
        return frozenset(value for value, _ in self.numbers)

    @property
    def length(self) -> int:
        """Number of words, punctuation left out."""
        return sum(1 for word in self.words if word not in "$£€?!")

    def quote(self, span: tuple[int, int]) -> str:
        """Return the exact text around a span of words: its sentence, or a part of it when that is long."""
        start, end = self.starts[span[0]], self.ends[min(span[1], len(self.ends)) - 1]
        left = max((self.text.rfind(mark, 0, start) for mark in ".!?\n;"), default=-1) + 1
        rights = [at for at in (self.text.find(mark, end) for mark in ".!?\n;") if at >= 0]
        right = min(rights) + 1 if rights else len(self.text)
        if left < start - QUOTED:
            left = self.text.rfind(" ", start - QUOTED, start) + 1 or start
        if right > end + QUOTED:
            right = max(self.text.rfind(" ", end, end + QUOTED), end)
        return self.text[left:right].strip()


def _plain(text: str) -> str:
    """Return the text with look-alike forms folded one to one, so that positions stay true."""
    folded = []
    for character in text:
        if character in "\u2019\u2018\u02bc":
            folded.append("'")
        else:
            plain = unicodedata.normalize("NFKC", character)
            folded.append(plain if len(plain) == 1 else character)
    return "".join(folded)


def _stem(word: str) -> str:
    """Strip the commonest English endings, enough to match `payments` with `payment` and `booked` with `booking`."""
    word = word.split("'")[0]
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word[:-1] if word.endswith(("e", "y")) and len(word) > 4 else word


def _numbers(words: Sequence[str]) -> list[tuple[float, int]]:
    """Return (value, index of first word) for figures and for number words (`fifty`, `one fifty`, `two thousand`)."""
    found: list[tuple[float, int]] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word[0].isdigit():
            figure = _NUMBER.match(word)
            if figure and not _CLOCK.fullmatch(word) and not _ORDINAL.fullmatch(word):
                found.append((float(figure[1].replace(",", "").rstrip(".") or 0) * (1000 if figure[2] else 1), at))
            at += 1
            continue
        if word not in _UNITS and word not in _TENS and word.split("-")[0] not in _UNITS and word.split("-")[0] not in _TENS:
            at += 1
            continue
        value, after = _spelled(words, at)
        if value is not None and not (value == 1 and after == at + 1):  # a lone "one" is hardly ever a figure
            found.append((value, at))
        at = max(after, at + 1)
    return found


def _spelled(words: Sequence[str], start: int) -> tuple[float | None, int]:
    """Return the value of the number words from `start`, and the index after them."""
    parts: list[str] = []
    after = start
    while after < len(words):
        pieces = words[after].split("-")
        if not all(piece in _UNITS or piece in _TENS or piece in _SCALES for piece in pieces):
            break
        parts += pieces
        after += 1
    total, current = 0.0, 0.0
    for part in parts:
        if part in _SCALES:
            current = max(current, 1) * _SCALES[part]
            if _SCALES[part] == 1000:
                total, current = total + current, 0.0
        else:
            value = _UNITS.get(part, _TENS.get(part, 0))
            joins = current % 100 == 0 or (current % 10 == 0 and value < 10 and current >= 20)
            current = current + value if joins else current * 100 + value  # "one fifty", "eighteen sixty"
    return (total + current, after) if parts else (None, start + 1)
