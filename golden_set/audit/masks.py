"""Masks personal data in what people are shown, by rules that can be stated; leaves amounts, dates, times and short numbers alone.

What is masked, in this order, each by a word in brackets:
  [URL]      in a link, what follows the host, and user information before it; the host stays. Without a scheme (`x.com/u/1`) a link is
             a host with a well-known ending and a path
  [EMAIL]    anything@anything with a dot in its host, or a host that begins with a letter
  [IBAN]     an international account number whose check digits are right (mod 97)
  values of `meta` that identify a person (golden_set.audit.identity says which): names wherever they stand as whole words, whatever
             their case, and the single parts of a name of three letters or more, also of one with dashes or apostrophes; numbers of four
             digits or more, however they are grouped
  [SSN]      three, two and four digits with dashes, dots or spaces between
  [CARD]     13 to 19 digits, in one or in groups with spaces or dashes between, or of four digits or more with dots, underscores or
             slashes, whose check digit is right (Luhn); what stands beside them in the same way (a security code) is a [NUMBER]
  [PHONE]    what Google's `phonenumbers` finds valid in a region, or with a country code anywhere (before all other numbers where it begins
             with +); three and four digits with a dash
  [NUMBER]   nine digits or more, in one or in groups with spaces or dashes between, that are no amount, date or time

Digits of all scripts, full-width letters, accents and other dashes and spaces are read as their plain forms; characters without width are
skipped over, so that none can hide a number. A name that is also an everyday word (`Will`, `May`, `Bill`) or has two letters is masked
alone only where it has a capital letter. Not found: numbers that are spelt out in words, names that are not in `meta`, look-alike letters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from phonenumbers import SUPPORTED_REGIONS

from dialogue.errors import UsageProblem, did_you_mean
from golden_set.audit.identity import SHORTEST_NUMBER, Named, Word
from golden_set.audit.patterns import (
    FILL,
    Span,
    card_numbers,
    emails,
    ibans,
    links,
    long_numbers,
    longest_numbers,
    phones,
    phones_abroad,
    social_numbers,
)

LONGEST_SEQUENCE = 12  # words of a name that are looked for as words; what is longer is looked for as it is written

# Names that are masked alone only where they are written with a capital letter.
EVERYDAY = frozenset(
    "will may mark bill rich grace hope faith joy april june august frank pat rob sue dean grant chase penny page miles young long day "
    "short white black brown green gray grey king price cash banks case love rose art drew gene ray summer dawn cook park best good self "
    "law little small strong sharp swift early late weeks month main hand field ford marsh rush call buck nick jack don jean wade lane "
    "earl bond bills church carry mercy christian said".split()
)

_TOKENS = re.compile("|".join(re.escape(word.casefold()) for word in Word))
_WORD = re.compile(r"[^\W_]+")


def check_region(region: str) -> str:
    """Return the region whose phone numbers are looked for, in capitals.

    Raises:
        UsageProblem: there is none of this name.
    """
    if region.upper() not in SUPPORTED_REGIONS:
        raise UsageProblem(
            f"--region is {region!r}{did_you_mean(region, SUPPORTED_REGIONS)}; expected two letters such as US, GB or DE (ISO 3166)"
        )
    return region.upper()


def mask(text: str, names: Iterable[Named] = (), *, region: str = "US") -> str:
    """Return a text with personal data masked; masking it again changes nothing."""
    return Mask(names, region).text(text)


class Mask:
    """Masks what identifies certain people, and what identifies anybody.

    Args:
        names: what identifies the people of a dialogue.
        region: where a phone number without a country code is one.
    """

    def __init__(self, names: Iterable[Named] = (), region: str = "US") -> None:
        self._region = region
        self._numbers: dict[str, Word] = {}
        self._sequences: dict[tuple[str, ...], Word] = {}
        self._literals: dict[str, Word] = {}
        for named in names:
            if digits := named.digits:
                self._numbers.setdefault(_flat(digits)[0], named.word)
                continue
            for form in named.spoken:
                self._learn(_flat(form)[0].strip(), named.word)
        self._lengths: dict[str, list[int]] = {}
        for words in self._sequences:
            lengths = self._lengths.setdefault(words[0], [])
            if len(words) not in lengths:
                lengths.append(len(words))
                lengths.sort(reverse=True)

    def _learn(self, form: str, word: Word) -> None:
        words = tuple(_WORD.findall(form))
        if any(_unspaced(c) for c in form) or len(words) > LONGEST_SEQUENCE:
            self._literals.setdefault(form, word)
        elif words and (len(words) > 1 or len(words[0]) > 1):
            self._sequences.setdefault(words, word)
            for number in re.findall(rf"\d{{{SHORTEST_NUMBER},}}", form):
                self._numbers.setdefault(number, Word.NUMBER)

    def text(self, text: str) -> str:
        """Return a text with personal data masked."""
        return _replaced(text, self.spans(text))

    def quote(self, quote: str, text: str) -> str:
        """Return a part of a text, masked as the text is: half a number is masked where the whole one is."""
        begin = text.find(quote)
        if begin < 0:
            return self.text(quote)
        end = begin + len(quote)
        inside = [(max(a, begin) - begin, min(b, end) - begin, word) for a, b, word in self.spans(text) if a < end and b > begin]
        return _replaced(quote, inside)

    def spans(self, text: str) -> list[Span]:
        """Return what is masked, in order: where it begins and ends, and the word in its place."""
        flat, at = _flat(text)
        seen = _TOKENS.sub(lambda found: FILL * len(found[0]), flat)
        capital = [text[place].isupper() for place in at]
        found: list[Span] = []
        while True:  # what was masked may have kept its neighbours from being seen for what they are
            before = len(found)
            for rule in (links, emails, ibans):
                seen = _filled(seen, at, found, rule(seen))
            seen = _filled(seen, at, found, self._names(seen, capital))
            for rule in (phones_abroad, self._known_numbers, social_numbers, card_numbers, longest_numbers, self._phones, long_numbers):
                seen = _filled(seen, at, found, rule(seen))
            if len(found) == before:
                return sorted((at[begin], at[end - 1] + 1, word) for begin, end, word in found)

    def _known_numbers(self, seen: str) -> Iterator[Span]:
        """Find the numbers of `meta`, however their digits are grouped."""
        places = [at for at, c in enumerate(seen) if c.isdigit()] if self._numbers else []
        digits = "".join(seen[at] for at in places)
        taken = -1
        for number, word in sorted(self._numbers.items(), key=lambda item: -len(item[0])):
            at = digits.find(number)
            while at >= 0:
                first, last = places[at], places[at + len(number) - 1]
                alone = not re.match(r"[.,]?\d", seen[last + 1 : last + 3]) and not re.search(r"\d[.,]?$", seen[max(0, first - 2) : first])
                if alone and all(
                    re.fullmatch(r"[ \-./()]{0,2}", seen[places[k] + 1 : places[k + 1]]) for k in range(at, at + len(number) - 1)
                ):
                    yield _opened(seen, first, last + 1, word), last + 1, word
                    taken = at + len(number)
                at = digits.find(number, max(at + 1, taken))
            taken = -1

    def _phones(self, seen: str) -> Iterator[Span]:
        return phones(seen, self._region)

    def _names(self, seen: str, capital: Sequence[bool]) -> Iterator[Span]:
        for literal, word in sorted(self._literals.items(), key=lambda item: -len(item[0])):
            at = seen.find(literal)
            while at >= 0:
                yield at, at + len(literal), word
                at = seen.find(literal, at + len(literal))
        words = [(found[0], found.start(), found.end()) for found in _WORD.finditer(seen)] if self._sequences else []
        at = 0
        while at < len(words):
            for length in self._lengths.get(words[at][0], ()):
                run = words[at : at + length]
                told = self._sequences.get(tuple(text for text, _, _ in run))
                apart = all(0 < b[1] - a[2] <= 3 and FILL not in seen[a[2] : b[1]] for a, b in pairwise(run))
                everyday = len(run) == 1 and (run[0][0] in EVERYDAY or len(run[0][0]) <= 2) and not capital[run[0][1]]
                if told and apart and not everyday:
                    yield run[0][1], run[-1][2], told
                    at += length
                    break
            else:
                at += 1


def _flat(text: str) -> tuple[str, Sequence[int]]:
    """Return a text in plain small letters and digits, without what has no width, and each character's place in the original."""
    if text.isascii():
        return re.sub(r"[^\x21-\x7e]", " ", text.lower()), range(len(text))
    made, at = [], []
    for place, original in enumerate(text):
        for c in original if original.isascii() else unicodedata.normalize("NFKD", original):
            kind = unicodedata.category(c)
            if kind in ("Cf", "Mn", "Me"):
                continue
            plain = str(unicodedata.digit(c)) if unicodedata.digit(c, None) is not None else c.casefold()
            plain = "-" if kind == "Pd" or c == "\N{MINUS SIGN}" else " " if c.isspace() or kind == "Cc" else plain
            made.append(plain)
            at += [place] * len(plain)
    return "".join(made), at


def _unspaced(c: str) -> bool:
    """Say whether a letter belongs to a script without spaces between words: Thai to Khmer, Chinese, Japanese."""
    return "\u0e00" <= c <= "\u0eff" or "\u1000" <= c <= "\u109f" or "\u1780" <= c <= "\u17ff" or "\u2e80" <= c <= "\u9fff"


def _filled(seen: str, at: Sequence[int], found: list[Span], more: Iterable[Span]) -> str:
    """Add spans to those found, except where they overlap, and return the text without them.

    A character of the original that is several plain ones (½) is masked whole.
    """
    pieces, last = [], 0
    for begin, end, word in sorted(more, key=lambda span: (span[0], -span[1])):
        while begin > 0 and at[begin - 1] == at[begin]:
            begin -= 1
        while end < len(at) and at[end] == at[end - 1]:
            end += 1
        if begin < last or FILL in seen[begin:end]:
            continue
        found.append((begin, end, word))
        pieces += [seen[last:begin], FILL * (end - begin)]
        last = end
    return "".join([*pieces, seen[last:]])


def _opened(seen: str, begin: int, end: int, word: Word) -> int:
    """Return where a number begins, with the bracket that is closed inside of it, and before a phone number the + and the country code."""
    if word is Word.PHONE and (before := re.search(r"\+ ?(?:\d{1,3}[ .-]{1,2})?\(?$", seen[max(0, begin - 9) : begin])):
        return begin - len(before[0])
    closed = seen.count(")", begin, end) > seen.count("(", begin, end)
    return begin - 1 if closed and seen[max(0, begin - 1) : begin] == "(" else begin


def _replaced(text: str, spans: Iterable[Span]) -> str:
    pieces, last = [], 0
    for begin, end, word in spans:
        pieces += [text[last:begin], word]
        last = max(last, end)
    return "".join([*pieces, text[last:]])
