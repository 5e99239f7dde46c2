"""Who is meant: the values of a dialogue's `meta` that name or identify a person, found by their keys, so that they can be masked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class Word(StrEnum):
    """What stands in the place of personal data."""

    NAME = "[NAME]"
    PHONE = "[PHONE]"
    EMAIL = "[EMAIL]"
    CARD = "[CARD]"
    IBAN = "[IBAN]"
    SSN = "[SSN]"
    ADDRESS = "[ADDRESS]"
    NUMBER = "[NUMBER]"
    URL = "[URL]"


# A key that contains one of these (case, `_` and `-` do not count) identifies a person; the first that fits says what its value is.
KEYS: Mapping[Word, tuple[str, ...]] = {
    Word.EMAIL: ("email",),
    Word.PHONE: ("phone", "mobile", "msisdn", "fax"),
    Word.IBAN: ("iban",),
    Word.CARD: ("card",),
    Word.SSN: ("ssn", "socialsecurity", "taxid", "nationalid", "passport", "licence", "license"),
    Word.ADDRESS: ("address", "street", "postcode", "postalcode", "zipcode"),
    Word.NUMBER: ("account", "acct", "dob", "birth"),
    Word.NAME: ("name", "customer", "borrower", "debtor", "client", "caller", "contact", "person", "patient", "user", "member"),
}
# ... unless one of its words says that it is about something else: campaign_name, accountStatus, customer_segment.
OTHER = frozenset(
    "campaign policy product company model file host bot plan segment type status state tier language locale channel count balance amount "
    "due rate score limit currency version consent verified".split()
)
# Values that name nobody.
NOBODY = frozenset("yes no true false none null unknown other new old active inactive male female test".split()) | {"n/a", "na"}
LONGEST_NAME = 5  # words; what is longer is a note, of which single words say nothing
SHORTEST_PART = 3  # letters
SHORTEST_NUMBER = 4  # digits
# Parts of names that are never masked alone.
JOINING = frozenset("and the von van der den del des dos las los ben bin mrs miss for inc ltd llc".split())


@dataclass(frozen=True, slots=True)
class Named:
    """A value that identifies a person, and the word that takes its place. Of a person's name, single parts count, too."""

    value: str
    word: Word = Word.NAME

    @property
    def spoken(self) -> tuple[str, ...]:
        """The forms in which it may be said: the whole, and its parts."""
        whole = self.value.strip()
        if self.word is Word.ADDRESS:
            parts = [part.strip() for part in whole.split(",")]
        elif self.word is Word.NAME and len(whole.split()) <= LONGEST_NAME:
            parts = re.split(r"[\s,;]+", whole)
        else:
            parts = []
        long = [part for part in parts if sum(c.isalpha() for c in part) >= SHORTEST_PART and part.strip(".").casefold() not in JOINING]
        return tuple(dict.fromkeys((whole, *long)))

    @property
    def digits(self) -> str:
        """The value as a number: its digits, where there are enough of them and no letters; empty otherwise."""
        digits = "".join(c for c in self.value if c.isdecimal())
        return digits if len(digits) >= SHORTEST_NUMBER and not any(c.isalpha() for c in self.value) else ""


def names_in(meta: Mapping[str, JsonValue]) -> tuple[Named, ...]:
    """Return the values of `meta`, also nested ones, whose keys say that they identify a person; each once."""
    return tuple(dict.fromkeys(_below(meta, None)))


def _below(value: JsonValue | Mapping[str, JsonValue], word: Word | None) -> Iterator[Named]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not _words(key) & OTHER:
                yield from _below(inner, _word_of(key) or word)
            elif isinstance(inner, dict | list):  # `policy: {holder_name: …}`: what is inside speaks for itself
                yield from _below(inner, None)
    elif isinstance(value, list):
        for inner in value:
            yield from _below(inner, word)
    elif word is not None:
        if isinstance(value, str) and value.strip().casefold() not in NOBODY and any(c.isalnum() for c in value):
            named = Named(value.strip(), word)
            plain_number = named.digits and word in (Word.NAME, Word.ADDRESS)
            yield Named(named.value, Word.NUMBER) if plain_number else named
        elif isinstance(value, int) and not isinstance(value, bool) and value >= 10 ** (SHORTEST_NUMBER - 1):
            yield Named(str(value), Word.NUMBER if word in (Word.NAME, Word.ADDRESS) else word)


def _words(key: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W_A-Za-z]+", key)}


def _word_of(key: str) -> Word | None:
    plain = re.sub(r"[\W_]", "", key).casefold()
    return next((word for word, signs in KEYS.items() if any(sign in plain for sign in signs)), None)
