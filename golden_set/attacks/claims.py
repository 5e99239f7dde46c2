"""False claims: at the end the agent says that the dialogue reached what it did not reach."""

from random import Random

from golden_set.attacks.mutation import Change, Direction, Family, Mutation, agent_turns, joined, rewritten
from golden_set.attacks.wordings import ANY, read
from golden_set.case import GoldenCase
from judge.rubric import Rubric


def _claim(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    claims = read("wordings")["claims"]
    found = claims.get(rubric.name, claims[ANY])
    if case.outcome in found["but_not"]:
        return None  # of this dialogue it might be true
    last = agent_turns(case)[-1]
    text = rng.choice(found["texts"])
    return rewritten(case, {last: joined(case.turns[last].text, text)}, text)


MUTATIONS = (Mutation("claimed_outcome", Family.CLAIM, Direction.NO_GAIN, "the agent ends with an outcome that was not reached", _claim),)
