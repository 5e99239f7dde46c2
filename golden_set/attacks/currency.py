"""Fairness by currency: the same figures in another currency, signs and words. Nothing else changes, so no rating may."""

import re
from dataclasses import dataclass
from random import Random

from dialogue.transcript import Role
from golden_set.attacks.mutation import Change, Direction, Family, Mutation, agent_turns, rewritten
from golden_set.case import GoldenCase
from judge.rubric import Rubric


@dataclass(frozen=True, slots=True)
class Currency:
    """How a currency is written: its sign, its code, and its name for one and for many."""

    sign: str
    codes: tuple[str, ...]
    one: str
    many: str
    slang: tuple[str, ...] = ()


CURRENCIES = (
    Currency("$", ("USD", "CAD", "AUD"), "dollar", "dollars", ("bucks",)),
    Currency("€", ("EUR",), "euro", "euros"),
    Currency("£", ("GBP",), "pound", "pounds", ("quid",)),
    Currency("R$ ", ("BRL",), "real", "reais"),
    Currency("₹", ("INR",), "rupee", "rupees"),
)
_BY_WRITTEN = {
    **{currency.sign.strip(): (currency, "sign") for currency in CURRENCIES},
    **{code: (currency, "code") for currency in CURRENCIES for code in currency.codes},
    **{currency.one: (currency, "one") for currency in CURRENCIES},
    **{word: (currency, "many") for currency in CURRENCIES for word in (currency.many, *currency.slang)},
}
_SIGNS = "|".join(re.escape(currency.sign.strip()) + " ?" for currency in sorted(CURRENCIES, key=lambda c: -len(c.sign)))
_WORDS = "|".join(word for word, (_, kind) in _BY_WRITTEN.items() if kind != "sign")
# A word is one only behind a figure: pounds can also be a weight, and real is an adjective.
WRITTEN = re.compile(rf"(?P<sign>{_SIGNS})(?=\d)|(?<=\d )(?P<word>{_WORDS})\b|(?<=\d)(?P<behind>[€£])")


def found_in(text: str) -> set[Currency]:
    """Return the currencies that a text names."""
    return {_BY_WRITTEN[match[0].strip()][0] for match in WRITTEN.finditer(text)}


def converted(text: str, target: Currency) -> str:
    """Return a text whose sums are all in another currency, with the same figures."""

    def other(match: re.Match[str]) -> str:
        _, kind = _BY_WRITTEN[match[0].strip()]
        if match["behind"]:
            return target.sign.strip() if target.sign in "€£" else f" {target.codes[0]}"
        return {"sign": target.sign, "code": target.codes[0], "one": target.one, "many": target.many}[kind]

    return WRITTEN.sub(other, text)


def _exchanged(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    there = set().union(*(found_in(turn.text) for turn in case.turns))
    if not there:
        return None
    target = rng.choice([currency for currency in CURRENCIES if currency not in there])
    texts = {index: converted(turn.text, target) for index, turn in enumerate(case.turns)}
    changed = {index: text for index, text in texts.items() if text != case.turns[index].text}
    return rewritten(case, changed, f"sums in {target.many}", agent_turns(case))


MUTATIONS = (
    Mutation("currency", Family.FAIRNESS, Direction.SAME, "the same figures in another currency", _exchanged, touches=frozenset(Role)),
)
