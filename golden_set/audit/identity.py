"""Who is meant: the values of a dialogue's `meta` that name or identify a person, found by their keys, so that they can be masked.

A key identifies a person where, whatever its case, and without `_` and `-`,
  it contains email, phone, mobile, msisdn, fax, iban, card, ssn, socialsecurity, taxid, nationalid, passport, licence, license, address,
             street, postcode, postalcode, zipcode, account, acct, dob, birth, name, customer, borrower, debtor, client, caller, contact,
             person, patient, user or member; or
  one of its words is mail, tel, cell, whatsapp, sin, nin, zip, postal, lead, guest, holder, payer, payee, owner, tenant, landlord, buyer,
             seller, subscriber, recipient, consumer, spouse, guarantor, cosigner, resident, employee, student, visitor, passenger,
             driver, prospect, claimant, applicant, insured, policyholder, beneficiary, guardian, alias or login;
unless one of its words says that it is about something else (`OTHER`): campaign_name, accountStatus, lead_source, customer_segment.
What stands inside of such a key (`{"guest": {"first": …}}`) identifies the person, too. A value that only says a role, or that nobody is
known (`the agent`, `test user`, `n/a`), names nobody, and a role beside a name (`Agent Lena`) is masked only together with it.
"""

import re
import unicodedata
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


# A key that contains one of these identifies a person; the first that fits, here or in `WHOLE`, says what its value is.
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
# ... or that has one of these among its words: inside of others they mean nothing (gzip, misleading, ownership).
WHOLE: Mapping[Word, frozenset[str]] = {
    Word.EMAIL: frozenset(["mail"]),
    Word.PHONE: frozenset(["tel", "cell", "whatsapp"]),
    Word.SSN: frozenset(["sin", "nin"]),
    Word.ADDRESS: frozenset(["zip", "postal"]),
    Word.NAME: frozenset(
        "lead guest holder payer payee owner tenant landlord buyer seller subscriber recipient consumer spouse guarantor cosigner resident "
        "employee student visitor passenger driver prospect claimant applicant insured policyholder beneficiary guardian alias "
        "login".split()
    ),
}
# ... unless one of its words says that it is about something else: campaign_name, accountStatus, customer_segment.
OTHER = frozenset(
    "campaign policy product company model file host bot plan segment type status state tier language locale channel count balance amount "
    "due rate score limit currency version consent verified scenario experiment variant template task dataset queue team department group "
    "cohort skill category reason source stage persona personality contacted time attempts method sentiment intent age gender "
    "tenure country since".split()
)
# Values that name nobody, ...
NOBODY = frozenset("yes no true false none null unknown other new old active inactive male female test".split()) | {"n/a", "na", "n.a."}
# ... and words of which alone such values are made, too: roles, and what is written where a name is not known.
ROLES = NOBODY | frozenset(
    "agent customer client caller user guest member patient borrower debtor lead contact person human speaker participant tester assistant "
    "bot robot system operator representative rep advisor consumer holder account admin service support team someone nobody anonymous "
    "name names number demo dummy sample example default placeholder blank empty missing undefined nil nan tbd redacted masked hidden "
    "withheld private not provided available given applicable known virtual hot warm cold".split()
)
ARTICLES = frozenset("the a an".split())
LONGEST_NAME = 5  # words; what is longer is a note, of which single words say nothing
SHORTEST_PART = 3  # letters
SHORTEST_NUMBER = 4  # digits
# Parts of names that are never masked alone.
JOINING = frozenset("and the von van der den del des dos las los ben bin mrs miss mister madam sir doctor prof for inc ltd llc".split())
_COMPOUND = re.compile(r"[^\W\d_]+(?:[-\u2010-\u2015\u2212'\u2018\u2019\u02bc\u00b4`][^\W\d_]+)+")


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
            parts = [form for part in re.split(r"[\s,;]+", whole) for form in _parted(part)]
        else:
            parts = []
        common = JOINING | ROLES
        long = [part for part in parts if sum(c.isalpha() for c in part) >= SHORTEST_PART and part.strip(".").casefold() not in common]
        return tuple(dict.fromkeys((whole, *long)))

    @property
    def digits(self) -> str:
        """The value as a number: its digits, where there are enough of them and no letters; empty otherwise."""
        digits = "".join(c for c in self.value if c.isdecimal())
        return digits if len(digits) >= SHORTEST_NUMBER and not any(c.isalpha() for c in self.value) else ""


def identifies(key: str) -> bool:
    """Say whether a key of `meta` is one whose values identify a person."""
    return not _words(key) & OTHER and _word_of(key) is not None


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
        if isinstance(value, str) and any(c.isalnum() for c in value) and not _nobody(value):
            named = Named(value.strip(), word)
            plain_number = named.digits and word in (Word.NAME, Word.ADDRESS)
            yield Named(named.value, Word.NUMBER) if plain_number else named
        elif isinstance(value, int) and not isinstance(value, bool) and value >= 10 ** (SHORTEST_NUMBER - 1):
            yield Named(str(value), Word.NUMBER if word in (Word.NAME, Word.ADDRESS) else word)


def _nobody(value: str) -> bool:
    """Say whether a value names nobody: `n/a`, `the customer`, `test user`."""
    plain = value.strip().casefold()
    words = set(re.findall(r"[^\W_]+", plain))
    return plain in NOBODY or (words <= ROLES | ARTICLES and not words <= ARTICLES)


def _parted(part: str) -> tuple[str, ...]:
    """Return a part of a name, and where it has dashes or apostrophes what stands between them, also joined: O'Neil, Neil, ONeil."""
    plain = unicodedata.normalize("NFC", part)
    pieces = re.findall(r"[^\W\d_]+", plain) if _COMPOUND.fullmatch(plain) else []
    return (part, *pieces, "".join(pieces)) if len(pieces) <= LONGEST_NAME else (part,)


def _words(key: str) -> set[str]:
    return {word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W_A-Za-z]+", key)}


def _word_of(key: str) -> Word | None:
    plain = re.sub(r"[\W_]", "", key).casefold()
    words = _words(key)
    return next((word for word, signs in KEYS.items() if any(sign in plain for sign in signs) or words & WHOLE.get(word, set())), None)
