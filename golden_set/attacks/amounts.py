"""Lost amount: a figure that was named comes back wrong in a later agent turn."""

import re
from itertools import pairwise
from random import Random

from dialogue.transcript import Role
from golden_set.attacks.faults import fault, later
from golden_set.attacks.mutation import Change, joined, rewritten
from golden_set.attacks.wordings import for_domain, read
from golden_set.case import GoldenCase
from judge.rubric import Rubric

LAST_DAY = 31
_FIGURE = r"\d{1,3}(?:,\d{3})+(?:\.\d\d)?|\d+(?:[.,]\d\d)?"
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![\w.,-])", r"(?![\w-]|[.,:]\d)"
_PERIODS = r"(?:an?|per|every|each) (?:week|fortnight|month|year|seat|user|day)|monthly|weekly|/ ?mo"
_UNITS = rf"dollars?|bucks|euros?|pounds?|quid|naira|reais|{_PERIODS}"
MONEY = re.compile(
    rf"(?P<sign>R\$ ?|[$€£₦])(?P<figure>{_FIGURE}){_EDGE_AFTER}|{_EDGE_BEFORE}(?P<bare>{_FIGURE})(?= (?:{_UNITS})\b)", re.IGNORECASE
)


_ALONE = re.compile(rf"{_EDGE_BEFORE}(?<![:/#]){_FIGURE}{_EDGE_AFTER}(?![:/%])")


def money(text: str) -> list[tuple[str, str]]:
    """Return the sums that a text names: the figure, and as it is written with its sign."""
    return [(found["figure"] or found["bare"], found[0]) for found in MONEY.finditer(text)]


def names(text: str, figure: str) -> bool:
    """Say whether a text has a figure, as money or not."""
    return re.search(rf"(?<![\d.,:]){re.escape(figure)}(?!\d|[.,:]\d)", text) is not None


def figures_in(text: str) -> list[str]:
    """Return the figures of two digits or more that stand alone: sums, dates, sizes; not parts of codes or times."""
    return [found[0] for found in _ALONE.finditer(text) if sum(character.isdigit() for character in found[0]) > 1]


def wrong(figure: str, taken: str, rng: Random) -> str | None:
    """Return a figure of the same form, off by more than a slip of the pen, that does not stand in the text `taken`."""
    digits = [at for at, character in enumerate(figure) if character.isdigit()]
    found = []
    if figure.isdigit() and int(figure) <= LAST_DAY:  # it may be a day of a month, and stays one
        found = [str(day) for day in (int(figure) + 3, int(figure) - 3, int(figure) + 7) if 10 <= day <= LAST_DAY]
        free = [candidate for candidate in found if not names(taken, candidate)]
        return rng.choice(free) if free else None
    for step in (1, 2, 3, 4):
        first = figure[digits[0]]
        if int(first) + step <= 9:
            found.append(str(int(first) + step) + figure[1:])
    for one, other in pairwise(digits):
        if figure[one] != figure[other] and figure[other] != "0":
            swapped = list(figure)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            found.append("".join(swapped))
            break
    free = [candidate for candidate in found if not names(taken, candidate)]
    return rng.choice(free) if free else None


def _lost(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    said = "\n".join(turn.text for turn in case.turns)
    again, other_figures, recap = [], [], []
    for index, turn in enumerate(case.turns):
        if turn.role not in (Role.USER, Role.AGENT):
            continue
        for at in later(case, rubric, index):
            text = case.turns[at].text
            figures = [figure for figure, _ in money(text) if figure != "0"]
            again += [(at, figure) for figure in figures if names(turn.text, figure)]
            if turn.role is Role.USER:
                other_figures += [(at, figure) for figure in figures_in(text) if names(turn.text, figure)]
            if turn.role is Role.USER and not figures:
                recap += [(at, figure, written) for figure, written in money(turn.text) if figure != "0"]
    rng.shuffle(again)
    rng.shuffle(other_figures)
    rng.shuffle(recap)
    for at, figure in again + other_figures:  # sums first
        if other := wrong(figure, said, rng):
            text = re.sub(rf"(?<![\d.,:]){re.escape(figure)}(?!\d|[.,:]\d)", other, case.turns[at].text)
            return rewritten(case, {at: text}, f"{other} for {figure}: {text}")
    for at, figure, written in recap:
        if other := wrong(figure, said, rng):
            line = rng.choice(for_domain(read("faults")["amount"]["recap"], rubric)).format(amount=written.replace(figure, other))
            return rewritten(
                case, {at: joined(case.turns[at].text, line)}, f"{line} (it was {written}, said in turn {_first(case, figure)})"
            )
    return None


def _first(case: GoldenCase, figure: str) -> int:
    return next(index for index, turn in enumerate(case.turns) if names(turn.text, figure))


MUTATIONS = (fault("lost_amount", "a sum that was named comes back wrong", _lost),)
