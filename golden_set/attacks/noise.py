"""Noise in what the user says: typing errors, and what speech recognition makes of it. The agent's ratings must stay."""

import re
from collections.abc import Callable
from random import Random

from dialogue.transcript import Role
from golden_set.attacks.mutation import Change, Direction, Family, Make, Mutation, agent_turns, rewritten
from golden_set.case import GoldenCase
from judge.rubric import Rubric

SHARE = 0.12  # of the longer words that are misspelt
HESITATIONS = ("uh", "um", "er")
_WORD = re.compile(r"[^\W\d_]{5,}")


def misspelt(text: str, rng: Random) -> str:
    """Return a text in which some longer words have two letters swapped, or lack one. Figures and short words stay."""

    def spoil(found: re.Match[str]) -> str:
        word = found[0]
        if rng.random() >= SHARE or word[0].isupper():  # names stay
            return word
        at = rng.randrange(1, len(word) - 2)
        if rng.random() < 0.5:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[:at] + word[at + 1 :]

    return _WORD.sub(spoil, text)


def transcribed(text: str, rng: Random) -> str:
    """Return a text as a recogniser writes it: small letters, hesitations, and of the marks only those inside words and figures."""
    words = [re.sub(r"^[\"“”(]+|[.,!;:\"“”)…]+$", "", word).lower() for word in text.split()]
    kept: list[str] = []
    for word in words:
        if not word:
            continue
        if kept and rng.random() < 0.05:
            kept.append(rng.choice(HESITATIONS))
        kept.append(word)
    return " ".join(kept)


def _users(change: Callable[[str, Random], str]) -> Make:
    def make(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
        texts = {index: change(turn.text, rng) for index, turn in enumerate(case.turns) if turn.role is Role.USER}
        changed = {index: text for index, text in texts.items() if text and text != case.turns[index].text}
        return rewritten(case, changed, next(iter(changed.values())), agent_turns(case)) if changed else None

    return make


USER = frozenset({Role.USER})
MUTATIONS = (
    Mutation("typing_errors", Family.NOISE, Direction.SAME, "typing errors in the user's turns", _users(misspelt), touches=USER),
    Mutation(
        "speech_recognition",
        Family.NOISE,
        Direction.SAME,
        "the user's turns as a recogniser writes them",
        _users(transcribed),
        touches=USER,
    ),
)
