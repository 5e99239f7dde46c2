"""Personal data that shows by its form: links, addresses, numbers of accounts, cards, persons and phones, found in a plain text.

A plain text is in small letters and digits; where something was found before stands `FILL`, which is neither. Every function yields
where something begins and ends, and the word in its place; each reads a text once, however hostile.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate

from phonenumbers import NumberParseException, PhoneNumberMatcher, is_valid_number, parse

from golden_set.audit.identity import Word

Span = tuple[int, int, Word]
FILL = "\ue000"  # as many times as what was found is long

_LINK = re.compile(r"(?:(?<![a-z])[a-z]{2,8}://|(?<![a-z0-9])www\.)[^\s\ue000<>\"]+")
# Without a scheme: a host with a well-known ending, and a path or a query after it. Endings that are words (it, is, to) are left out.
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_BARE = re.compile(
    rf"(?<![\w@.-])(?:{_LABEL}\.){{1,8}}(?:com|org|net|edu|gov|io|ai|app|dev|info|biz|xyz|site|shop|online|link|page|tv|me|us|ly|gl|gg|cc|co|uk|"
    r"de|fr|es|nl|eu|ca|au|br|ru|cn|jp|ch|pl|be|(?:co|com)\.[a-z]{2})(?::\d{1,5})?(?:/|\?[\w-]{1,40}=)[^\s\ue000<>\"]+"
)
_HOST = re.compile(r"(?:[a-z]{2,8}://)?(?P<user>[^/?#@]*@)?(?P<host>[^/?#]*)(?P<rest>[/?#].+)?", re.DOTALL)
_LOCAL, _DOMAIN = re.compile(r"[^\s@<>()\[\],;:\"\ue000]+$"), re.compile(r"[^\W_](?:[\w.-]*[^\W_])?")
_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d\d(?:[ -]?[a-z0-9]){11,30}")
_SSN = re.compile(r"(?<!\d)(?<!\d[-. ])\d{3}([-. ])\d\d\1\d{4}(?![-.]?\d)(?! \d)")
_LOCAL_PHONE = re.compile(r"(?<![\d$€£¥₹.,])(?<!\d[- ])(?<![$€£¥₹] )(?:\(\d{3}\) ?)?\d{3}-\d{4}(?![-.,]?\d)")
_ABROAD = re.compile(r"\+ ?\(?\d(?:[ \-./()]{0,2}\d){6,17}+(?![ \-./()]{0,3}\d)")
_CHAIN = re.compile(r"\d+(?:[ -]{1,3}\d+)*")
_STRICT = re.compile(r"(?<!\d)\d{4,}+([._/])\d{4,}+(?:\1\d{4,}+)*+(?:\1\d{1,3}(?!\d))?")  # groups with dots, underscores or slashes
_ROUND = re.compile(r"(?:19|20)\d\d|[1-9]\d*0")  # a year, or an amount without small change
_SLASHES = re.compile(r"(?:\d{1,4}[/:,]){4,}\d*")  # no phone number, and slow to see for one
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_WHEN = re.compile(
    rf"(?<!\d)(?<!\d[-/.])(?:{_YEAR}([-/.]){_MONTH}\1{_DAY}|(?:{_DAY}([-/.]){_MONTH}|{_MONTH}([-/.]){_DAY})(?:\2|\3)(?:{_YEAR}|\d\d))"
    r"(?:t(?=\d\d:))?(?![-/.]?\d)|(?<![\d:])\d{1,2}:\d\d(?::\d\d)?(?![\d:])"
)
_MONEY = r"\d{1,15}(?:[ ,.]\d{3}(?!\d)){0,5}(?:[.,]\d{1,2})?(?!\d)"
_SIGN, _COIN = "[$€£¥₹]", r"(?:usd|eur|gbp|cad|aud|dollars?|euros?|pounds?|bucks|cents?|percent)"
_AMOUNT = re.compile(
    rf"(?:{_SIGN} ?|\b(?:usd|eur|gbp|cad|aud) ){_MONEY}|(?<![\d.,])(?:{_MONEY} ?(?:[$€£¥₹%]|{_COIN}\b)|\d{{1,15}}[.,]\d\d(?![.,]?\d))"
)


def _hidden(seen: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda found: FILL * len(found[0]), seen)


def links(seen: str) -> Iterator[Span]:
    """Find what follows the host of a link, and user information before it."""
    for pattern in (_LINK, _BARE):
        for link in pattern.finditer(seen):
            parts = _HOST.match(link[0].rstrip(".,;:!?)]}'"))
            for part in ("user", "rest"):
                if parts and parts[part] and parts[part] != "/":
                    yield link.start() + parts.start(part), link.start() + parts.end(part), Word.URL


def emails(seen: str) -> Iterator[Span]:
    """Find addresses: anything@anything with a dot in its host, or a host that begins with a letter."""
    last = 0
    at = seen.find("@")
    while at >= 0:  # from each @ outwards, so that a long text is read once
        local = _LOCAL.search(seen, last, at) if at > last else None
        domain = _DOMAIN.match(seen, at + 1)
        if local and domain and ("." in domain[0] or domain[0][0].isalpha()):
            yield local.start(), domain.end(), Word.EMAIL
        last = at + 1
        at = seen.find("@", last)


def ibans(seen: str) -> Iterator[Span]:
    """Find international account numbers whose check digits are right."""
    for found in _IBAN.finditer(seen):
        text = found[0]
        for end in range(len(text), 14, -1):  # the longest that is one, since words may follow
            whole = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())
            plain = re.sub("[ -]", "", text[:end])
            if whole and len(plain) > 14 and text[end - 1].isalnum() and _mod97(plain) == 1:
                yield found.start(), found.start() + end, Word.IBAN
                break


def _mod97(iban: str) -> int:
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97


def social_numbers(seen: str) -> Iterator[Span]:
    """Find social security numbers: three, two and four digits."""
    for found in _SSN.finditer(seen):
        yield found.start(), found.end(), Word.SSN


def card_numbers(seen: str) -> Iterator[Span]:
    """Find card numbers, and the digits beside them."""
    untimed = _hidden(seen, _WHEN)
    for chain in (*filter(_no_list, _STRICT.finditer(untimed)), *_CHAIN.finditer(untimed)):
        cards = [(chain.start() + begin, chain.start() + end) for begin, end in _card_places(chain[0])]
        yield from ((begin, end, Word.CARD) for begin, end in cards)
        if cards:  # the rest of such a chain goes with it
            edges = [chain.start(), *(edge for card in cards for edge in card), chain.end()]
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                if rest := re.search(r"\d(?:.*\d)?", untimed[begin:end]):
                    yield begin + rest.start(), begin + rest.end(), Word.NUMBER
        elif chain.re is _STRICT and chain[1] != "/":
            yield chain.start(), chain.end(), Word.NUMBER


def _no_list(chain: re.Match[str]) -> bool:
    """Say whether groups of digits are no decimal number, and no years or amounts side by side (`2024/2025/2026`)."""
    groups = chain[0].split(chain[1])
    return len(groups) > 2 and not all(_ROUND.fullmatch(group) for group in groups)


def _card_places(chain: str) -> Iterator[tuple[int, int]]:
    """Find card numbers that begin and end with a group of digits: from the left, the longest first."""
    groups = [(found.start(), found.end()) for found in re.finditer(r"\d+", chain)]
    until = [0, *accumulate(end - begin for begin, end in groups)]  # digits before each group
    luhn = _Luhn("".join(chain[begin:end] for begin, end in groups))
    at = 0
    while at < len(groups):
        last = bisect_right(until, until[at] + 19) - 1
        first = bisect_left(until, until[at] + 13)
        end = next((end for end in range(last, first - 1, -1) if luhn.valid(until[at], until[end])), 0)
        if end:
            yield groups[at][0], groups[end - 1][1]
        at = end or at + 1


class _Luhn:
    """Tells whether the last digit of any part of some digits is its check digit, from sums that are made once."""

    def __init__(self, digits: str) -> None:
        twice = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
        self._sums = [[0, *accumulate(twice[int(d)] if at % 2 == odd else int(d) for at, d in enumerate(digits))] for odd in (0, 1)]

    def valid(self, begin: int, end: int) -> bool:
        """Say so of the digits from `begin` to before `end`: every second one from the right counts twice. Zeros are no number."""
        sums = self._sums[end % 2]
        total = sums[end] - sums[begin]
        return total > 0 and total % 10 == 0


def phones_abroad(seen: str) -> Iterator[Span]:
    """Find phone numbers that begin with + and a country code, where they are valid: such a number is no card, whatever its digits."""
    for found in _ABROAD.finditer(_hidden(seen, _WHEN)):
        try:
            number = parse(found[0], None)
        except NumberParseException:
            continue
        if is_valid_number(number):
            yield found.start(), found.end(), Word.PHONE


def phones(seen: str, region: str) -> Iterator[Span]:
    """Find phone numbers: those valid in a region, or with a country code anywhere; three and four digits with a dash."""
    untimed = _hidden(seen, _WHEN)
    for match in PhoneNumberMatcher(_hidden(_hidden(untimed, _AMOUNT), _SLASHES), region):
        yield match.start, match.end, Word.PHONE
    for found in _LOCAL_PHONE.finditer(untimed):
        yield found.start(), found.end(), Word.PHONE


def long_numbers(seen: str, least: int = 9) -> Iterator[Span]:
    """Find so many digits or more, in one or in groups, that are no amount, date or time."""
    for chain in _CHAIN.finditer(_hidden(_hidden(seen, _WHEN), _AMOUNT)):
        if sum(c.isdigit() for c in chain[0]) >= least:
            yield chain.start(), chain.end(), Word.NUMBER


def longest_numbers(seen: str) -> Iterator[Span]:
    """Find what is too long for two phone numbers in a row: a long text of digits is slow to search for them."""
    return long_numbers(seen, least=31)
