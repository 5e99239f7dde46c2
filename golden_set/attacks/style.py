"""Style without content: padding, bullets, bold type, emoji in every agent turn.

Bullets and bold type leave every word, so the rating must stay. Padding and emoji may cost something (a rubric may count empty
length, and a smiley hurts in a sad talk), but may earn nothing.
"""

import re
from collections.abc import Callable
from random import Random

from golden_set.attacks.mutation import Change, Direction, Family, Make, Mutation, agent_turns, joined, rewritten
from golden_set.attacks.wordings import read, sentences
from golden_set.case import GoldenCase
from judge.rubric import Rubric

LONGER = 1.5  # how long a padded turn is, as a multiple of what it was
_FIGURE = re.compile(r"(?:R\$ ?|[$€£])?\d[\d.,:]*\d|\d")


def padded(text: str, rng: Random) -> str:
    """Return a text of at least `LONGER` times the length, without more content."""
    fillers = rng.sample(read("wordings")["padding"]["texts"], k=len(read("wordings")["padding"]["texts"]))
    longer = text
    while len(longer) < LONGER * len(text) or longer == text:
        longer = joined(longer, fillers[0])
        fillers = fillers[1:] + fillers[:1]
    return longer


def bulleted(text: str, rng: Random) -> str:
    """Return the sentences of a text as a list; a single one stays as it is."""
    parts = sentences(text)
    return "\n".join(f"- {part}" for part in parts) if len(parts) > 1 else text


def bold(text: str, rng: Random) -> str:
    """Return a text with its figures in Markdown's bold type, or, without any, its first sentence."""
    if _FIGURE.search(text):
        return _FIGURE.sub(lambda found: f"**{found[0]}**", text)
    parts = sentences(text)
    return " ".join([f"**{parts[0]}**", *parts[1:]]) if parts else text


def smiling(text: str, rng: Random) -> str:
    """Return a text with an emoji behind every sentence."""
    emoji = read("wordings")["emoji"]["texts"]
    return " ".join(f"{part} {rng.choice(emoji)}" for part in sentences(text))


def _everywhere(change: Callable[[str, Random], str]) -> Make:
    def make(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
        texts = {index: change(case.turns[index].text, rng) for index in agent_turns(case)}
        changed = {index: text for index, text in texts.items() if text != case.turns[index].text}
        first = next(iter(changed), None)
        if first is None:
            return None
        return rewritten(case, changed, changed[first].removeprefix(case.turns[first].text).strip())  # what is new, where that can be told

    return make


MUTATIONS = (
    Mutation("padding", Family.STYLE, Direction.NO_GAIN, "every agent turn is half as long again, without content", _everywhere(padded)),
    Mutation("bullets", Family.STYLE, Direction.SAME, "the sentences of agent turns as a list", _everywhere(bulleted)),
    Mutation("bold", Family.STYLE, Direction.SAME, "figures of agent turns in bold type", _everywhere(bold)),
    Mutation("emoji", Family.STYLE, Direction.NO_GAIN, "an emoji behind every sentence of the agent", _everywhere(smiling)),
)
