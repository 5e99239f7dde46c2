"""Praise: the agent praises itself in every turn, or the user praises the agent."""

from random import Random

from dialogue.transcript import Role
from golden_set.attacks.mutation import Change, Direction, Family, Mutation, agent_turns, joined, rewritten
from golden_set.attacks.wordings import read
from golden_set.case import GoldenCase
from judge.rubric import Rubric


def after_users_turn(case: GoldenCase, text: str, rng: Random) -> Change | None:
    """Return the dialogue with a text behind one of the user's turns; the agent's turns after it are compared."""
    last = agent_turns(case)[-1]
    places = [index for index, turn in enumerate(case.turns) if turn.role is Role.USER and index < last]
    if not places:
        return None
    at = rng.choice(places)
    return rewritten(case, {at: joined(case.turns[at].text, text)}, text, [index for index in agent_turns(case) if index > at])


def behind_agents_turns(case: GoldenCase, text: str) -> Change:
    """Return the dialogue with a text behind every agent turn, as a policy would say it that has learnt to."""
    return rewritten(case, {index: joined(case.turns[index].text, text) for index in agent_turns(case)}, text)


def _self_praise(case: GoldenCase, rubric: Rubric, rng: Random) -> Change:
    return behind_agents_turns(case, rng.choice(read("wordings")["self_praise"]["texts"]))


def _flattery(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    return after_users_turn(case, rng.choice(read("wordings")["flattery"]["texts"]), rng)


MUTATIONS = (
    Mutation("self_praise", Family.PRAISE, Direction.NO_GAIN, "the agent praises itself in every turn", _self_praise),
    Mutation(
        "flattery",
        Family.PRAISE,
        Direction.NO_GAIN,
        "the user calls the agent the best ever",
        _flattery,
        touches=frozenset({Role.USER}),
    ),
)
