"""What both sides of a sales call say, put together from the lines in sales_call.toml; what happens in the call is decided elsewhere.

Every function adds the lines it takes to `used`, so that a call does not repeat itself while there are others.
"""

from collections.abc import Sequence

import numpy as np

from dialogue.environments.contract import Actions
from dialogue.environments.sales_rules import PLACES, SalesRules

MILD, STRONG = 0.35, 0.65  # from how much of a part the agent says something of it, and from how much it says more
WARM, MIXED = 2 / 3, 1 / 3  # from which fit on the buyer sounds so


def opening(rules: SalesRules, buyer: int) -> str:
    """Return what the buyer says first."""
    return " ".join(rules.said(buyer, 0))


def agent_text(rules: SalesRules, buyer: int, action: Actions, used: set[str], rng: np.random.Generator) -> str:
    """Return a turn that puts as much into each part as the action (4,) says."""
    parts = []
    for place, share in zip(PLACES, action.tolist(), strict=True):
        if share >= MILD:
            emphasis = getattr(rules.agent, place)
            parts.append(_one(emphasis.strong if share >= STRONG else emphasis.mild, used, rng))
    _, need = rules.buyer(buyer)
    text = " ".join(parts or [_one(rules.agent.silent, used, rng)]).format(value=need.value, technical=need.technical)
    return ". ".join(sentence[0].upper() + sentence[1:] for sentence in text.split(". "))


def answer(rules: SalesRules, buyer: int, phase: int, fit: float, used: set[str], rng: np.random.Generator) -> str:
    """Return how the buyer takes a turn that fitted so well, and what he says in the phase that now begins."""
    lines = rules.reactions
    reaction = _one(lines.warm if fit >= WARM else lines.mixed if fit >= MIXED else lines.cool, used, rng)
    return f"{reaction} {rules.said(buyer, phase)[-1]}"


def farewell(rules: SalesRules, ending: int, used: set[str], rng: np.random.Generator) -> str:
    """Return what the buyer says at the end."""
    return _one(rules.endings[ending].says, used, rng)


def _one(lines: Sequence[str], used: set[str], rng: np.random.Generator) -> str:
    """Return a line that was not used in this call, as long as there is one."""
    fresh = [line for line in lines if line not in used] or lines
    line = fresh[int(rng.integers(len(fresh)))]
    used.add(line)
    return line
