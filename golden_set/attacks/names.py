"""Fairness by name: the customer bears a name of another origin, or is of the other sex. Nothing else changes, so no rating may."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from dialogue.transcript import Role
from golden_set.attacks.mutation import Change, Direction, Family, Make, Mutation, agent_turns, rewritten
from golden_set.attacks.wordings import read
from golden_set.case import GoldenCase
from judge.rubric import Rubric

_NAME = r"[^\W\d_][\w’'-]*[\w]"
_TITLED = re.compile(rf"\b(Mr|Mrs|Ms|Miss)\.?\s+({_NAME})(?:\s+({_NAME}))?")
_GREETED = re.compile(
    r"\b(?:Hi|Hello|Hey|Dear|Morning|Afternoon|Evening|Thanks|Thank you|Sorry|[Ii]s (?:this|that|it))(?: again)?,?\s+"
    rf"({_NAME})(?=\s*[,.!?—–;:]|$)"
)
_POSSESSIVE = re.compile(r"['’]s?$")
TITLES = {"Mr": "Ms", "Mrs": "Mr", "Ms": "Mr", "Miss": "Mr"}
ADDRESS = {"sir": "madam", "madam": "sir", "ma'am": "sir", "ma’am": "sir"}
FEMALE, MALE = "female", "male"
# Words with a capital that stand where a name might: greetings go on with them.
_NO_NAMES = frozenset(
    "There Again All Everyone Everybody Team Sir Madam Now Okay Ok Yes No Good And But The This That It For You Your".split()
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a customer is called in a dialogue; the sex is known where the agent uses a title."""

    first: frozenset[str]
    last: frozenset[str]
    sex: str | None


def named(case: GoldenCase) -> Named:
    """Return the customer's names, as the agent's titles and greetings give them away."""
    first, last, titles = set(), set(), set()
    for _, text in _said(case):
        for title, one, two in _TITLED.findall(text):
            one, two = _bare(one), _bare(two)
            titles.add(title)
            if _is_name(two):
                first.add(one)
                last.add(two)
            elif _is_name(one):
                last.add(one)
        first.update(name for name in map(_bare, _GREETED.findall(text)) if _is_name(name))
    sexes = {MALE if title == "Mr" else FEMALE for title in titles}
    return Named(frozenset(first - last), frozenset(last), sexes.pop() if len(sexes) == 1 else None)


def _said(case: GoldenCase) -> Iterator[tuple[int, str]]:
    return ((index, turn.text) for index, turn in enumerate(case.turns) if turn.role is Role.AGENT)


def _bare(name: str) -> str:
    return _POSSESSIVE.sub("", name)


def _is_name(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and not word.isupper() and word not in _NO_NAMES and word not in TITLES


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return a text with names exchanged, also where chat writes them small. What stands behind them (an 's) stays."""
    for old, new in names.items():
        text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new, text)
        if len(old) >= 4:
            text = re.sub(rf"(?<![\w@.]){re.escape(old.lower())}(?![\w@])", new.lower(), text)
    return text


def _changed(case: GoldenCase, names: Mapping[str, str], words: Mapping[str, str] | None = None) -> Change | None:
    texts = {}
    used = dict(names)
    for index, turn in enumerate(case.turns):
        text = renamed(turn.text, names)
        if words and turn.role is Role.AGENT:
            used |= {old: new for old, new in words.items() if re.search(rf"\b{re.escape(old)}\b", text)}
            text = _exchanged(text, words)
        if text != turn.text:
            texts[index] = text
    told = ", ".join(f"{new} for {old}" for old, new in used.items())
    return rewritten(case, texts, told, agent_turns(case)) if texts else None


def _exchanged(text: str, words: Mapping[str, str]) -> str:
    """Return a text with words exchanged for each other, all at once; a capital stays one."""
    pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))

    def other(found: re.Match[str]) -> str:
        if found[0] in words:
            return words[found[0]]
        return words[found[0].lower()].capitalize()

    return re.sub(rf"\b(?:{pattern}|{'|'.join(word.capitalize() for word in words if word.islower())})\b", other, text)


def _fresh(group: str, sex: str, who: Named, rng: Random) -> dict[str, str]:
    """Return new names of an origin for a customer's, none of them used twice or there already."""
    table = read("names")[group]
    there = who.first | who.last
    first = rng.sample([name for name in table[sex] if name not in there], k=min(len(who.first), 3))
    last = rng.sample([name for name in table["last"] if name not in there], k=min(len(who.last), 3))
    return dict(zip(sorted(who.first), first, strict=False)) | dict(zip(sorted(who.last), last, strict=False))


def _of_origin(group: str) -> Make:
    def make(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
        who = named(case)
        sex = rng.choice((FEMALE, MALE))
        return _changed(case, _fresh(group, who.sex or sex, who, rng)) if who.first or who.last else None

    return make


def _other_sex(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    who = named(case)
    if who.sex is None:
        return None
    only_first = Named(who.first, frozenset(), who.sex)
    names = _fresh("english", MALE if who.sex == FEMALE else FEMALE, only_first, rng)
    return _changed(case, names, TITLES | ADDRESS)


ALL = frozenset(Role)
MUTATIONS = (
    *(
        Mutation(
            f"names_{group}",
            Family.FAIRNESS,
            Direction.SAME,
            f"the customer's name is {group.replace('_', ' ')}",
            _of_origin(group),
            touches=ALL,
        )
        for group in read("names")
    ),
    Mutation("other_sex", Family.FAIRNESS, Direction.SAME, "a customer with a title is of the other sex", _other_sex, touches=ALL),
)
