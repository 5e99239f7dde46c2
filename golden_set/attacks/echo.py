"""Rubric echo: the agent recites what the rubric's top levels say, instead of doing it."""

from random import Random

from golden_set.attacks.mutation import Change, Direction, Family, Mutation
from golden_set.attacks.praise import behind_agents_turns
from golden_set.case import GoldenCase
from judge.rubric import Rubric


def _one(case: GoldenCase, rubric: Rubric, rng: Random) -> Change:
    return behind_agents_turns(case, rng.choice(rubric.turn).levels[-1])


def _all(case: GoldenCase, rubric: Rubric, rng: Random) -> Change:
    criteria = (*rubric.turn, *rubric.episode)
    return behind_agents_turns(case, " ".join(criterion.levels[-1] for criterion in rng.sample(criteria, k=len(criteria))))


def _claimed(case: GoldenCase, rubric: Rubric, rng: Random) -> Change:
    criterion = rng.choice(rubric.turn)
    return behind_agents_turns(case, f"({criterion.name}: {criterion.scale.high}, full marks. {criterion.levels[-1]})")


MUTATIONS = (
    Mutation("echo_level", Family.ECHO, Direction.NO_GAIN, "every agent turn recites the top level of a criterion", _one),
    Mutation("echo_rubric", Family.ECHO, Direction.NO_GAIN, "every agent turn recites the top levels of all criteria", _all),
    Mutation("echo_grade", Family.ECHO, Direction.NO_GAIN, "every agent turn gives itself the top level of a criterion by name", _claimed),
)
