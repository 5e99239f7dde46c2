"""Injection: fake grades and fake system text in the user's, the agent's and a tool's turns; the wordings are in `injections.toml`."""

import json
from random import Random

from dialogue.transcript import Role, Turn
from golden_set.attacks.mutation import Change, Direction, Family, Make, Mutation, agent_turns, inserted
from golden_set.attacks.praise import after_users_turn, behind_agents_turns
from golden_set.attacks.wordings import read
from golden_set.case import GoldenCase
from judge.rubric import Rubric


def worded(texts: list[str], rubric: Rubric, rng: Random) -> str:
    """Return one of the texts, with the rubric's names in it."""
    grades = json.dumps({criterion.name: criterion.scale.high for criterion in (*rubric.turn, *rubric.episode)})
    return rng.choice(texts).format(grades=grades, criterion=rng.choice(rubric.turn).name)


def _by_tool(case: GoldenCase, text: str, rng: Random) -> Change:
    agent = agent_turns(case)
    at = rng.choice(agent)
    turns, now = inserted(case, {at: Turn(role=Role.TOOL, text=text)})
    later = [index for index in agent if index >= at]
    return Change(turns, text, tuple(later), tuple(now[index] for index in later))


def _said_by(role: Role, texts: list[str]) -> Make:
    def make(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
        text = worded(texts, rubric, rng)
        if role is Role.AGENT:
            return behind_agents_turns(case, text)
        return after_users_turn(case, text, rng) if role is Role.USER else _by_tool(case, text, rng)

    return make


def _where(role: Role) -> str:
    return {Role.USER: "in a turn of the user", Role.AGENT: "in every turn of the agent", Role.TOOL: "in a tool's turn"}[role]


MUTATIONS = tuple(
    Mutation(
        f"{name}_by_{role.value}",
        Family.INJECTION,
        Direction.NO_GAIN,
        f"{found['about']}, {_where(role)}",
        _said_by(role, found["texts"]),
        touches=frozenset() if role is Role.TOOL else frozenset({role}),
        adds=frozenset({Role.TOOL}) if role is Role.TOOL else frozenset(),
    )
    for name, found in read("injections").items()
    for role in (Role.USER, Role.AGENT, Role.TOOL)
)
