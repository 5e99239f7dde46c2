"""Nothing said: every agent turn is replaced by a master key, an empty reply, a refusal or one constant polite reply."""

from random import Random

from golden_set.attacks.mutation import Change, Direction, Family, Mutation, agent_turns, rewritten
from golden_set.attacks.wordings import read
from golden_set.case import GoldenCase
from judge.rubric import Rubric

ABOUT = {
    "refusal": "every agent turn is a refusal",
    "empty_reply": "every agent turn is empty",
    "constant_reply": "every agent turn is the same polite reply",
}


def _replaced(name: str, texts: list[str]) -> Mutation:
    def make(case: GoldenCase, rubric: Rubric, rng: Random) -> Change:
        text = rng.choice(texts)
        return rewritten(case, dict.fromkeys(agent_turns(case), text), text)

    return Mutation(name, Family.NOTHING, Direction.LOW, ABOUT.get(name, f"every agent turn is {texts[0]!r}"), make)


MUTATIONS = tuple(_replaced(name, texts) for name, texts in read("wordings")["keys"].items())
