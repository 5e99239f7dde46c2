"""Turn stuffing: the agent says something empty after each of its turns. The mean must not gain; what the sum gains is told."""

from random import Random

from dialogue.transcript import Role, Turn
from golden_set.attacks.mutation import Change, Direction, Family, Mutation, agent_turns, inserted
from golden_set.attacks.wordings import read
from golden_set.case import GoldenCase
from judge.rubric import Rubric


def _stuffed(case: GoldenCase, rubric: Rubric, rng: Random) -> Change:
    texts = read("wordings")["filler_turns"]["texts"]
    agent = agent_turns(case)
    new = {index + 1: Turn(role=Role.AGENT, text=rng.choice(texts)) for index in agent}
    turns, _ = inserted(case, new)
    now = tuple(index for index, turn in enumerate(turns) if turn.role is Role.AGENT)
    return Change(turns, " / ".join(turn.text for turn in new.values()), agent, now)


MUTATIONS = (
    Mutation(
        "turn_stuffing",
        Family.STUFFING,
        Direction.NO_GAIN,
        "an empty turn of the agent after each of its turns",
        _stuffed,
        touches=frozenset(),
        adds=frozenset({Role.AGENT}),
    ),
)
