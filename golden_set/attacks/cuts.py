"""Cuts: the agent's commitment is taken out of a turn, or the dialogue ends before it is resolved. What was good must fall."""

import re
from random import Random

from dialogue.transcript import Role, Turn
from golden_set.attacks.mutation import Change, Compared, Direction, Family, Mutation, agent_turns, people_say, rewritten, uncritical
from golden_set.attacks.wordings import sentences
from golden_set.case import EPISODE, GoldenCase
from judge.rubric import Rubric

STEP = ("next_step",)  # the criterion in which a commitment shows, where a rubric has it
GOOD = 4.0  # the level, by people's labels, from which something can be lost
COMMITS = re.compile(
    r"\b(?:I|we)(?:['’](?:ll|ve)| will| have| can)\b|\byou['’]ll (?:get|have|hear|receive)\b|"
    r"\b(?:done|booked|sent|cancelled|refunded|corrected)\b",
    re.IGNORECASE,
)
_STEPS = re.compile(
    r"\b(?:no more|will|today|tomorrow|tonight|now|form|link|letter|e-?mail|reminder)s?\b|"
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\?|\d",
    re.IGNORECASE,
)


def _uncommitted(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    criteria = tuple(c for c in rubric.turn if c.name in STEP) or uncritical(rubric)
    found = []
    for index in agent_turns(case):
        parts = sentences(case.turns[index].text)
        gone = [part for part in parts if COMMITS.search(part) or _STEPS.search(part)]
        kept = [part for part in parts if part not in gone]
        if kept and any(COMMITS.search(part) for part in gone) and people_say(case, criteria, str(index)) >= GOOD:
            found.append((index, " ".join(kept), " ".join(gone)))
    if not found:
        return None
    index, kept_text, gone_text = rng.choice(found)
    return rewritten(case, {index: kept_text}, f"without: {gone_text}")


def _truncated(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    """Cut in the middle, behind a turn of the user: something was said, and nothing came of it."""
    agent = agent_turns(case)
    if len(agent) < 3 or not rubric.episode or people_say(case, rubric.episode, EPISODE) < GOOD:
        return None
    stop = agent[len(agent) // 2]
    kept = case.turns[:stop]
    if kept[-1].role is not Role.USER:
        return None
    turns = tuple(Turn(role=turn.role, text=turn.text) for turn in kept)
    left = tuple(index for index in agent if index < stop)
    return Change(turns, f"cut before: {case.turns[stop].text}", left, left, ended=False) if left else None


MUTATIONS = (
    Mutation(
        "no_commitment",
        Family.CUT,
        Direction.DROP,
        "the agent's commitments, figures and questions are taken out of a turn",
        _uncommitted,
        compares=(Compared.TURNS,),
        criteria=STEP,
    ),
    Mutation(
        "unresolved",
        Family.CUT,
        Direction.DROP,
        "a well handled dialogue is cut in the middle, behind a turn of the user",
        _truncated,
        compares=(Compared.EPISODE,),
        touches=frozenset(),
    ),
)
