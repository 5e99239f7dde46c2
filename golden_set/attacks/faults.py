"""Cross-turn faults of memory: a promise contradicted, a hardship forgotten, a question asked again. Each fits the dialogue at hand.

What is contradicted is found in the dialogue by rules; where they find nothing, the fault does not apply. It is put into a later turn
that people find at least neutral, so that there is something to lose.
"""

import re
from collections.abc import Iterator
from random import Random

from dialogue.transcript import Role
from golden_set.attacks.mutation import Change, Compared, Direction, Family, Make, Mutation, agent_turns, joined, rewritten, roomy
from golden_set.attacks.wordings import for_domain, read, sentences
from golden_set.case import GoldenCase
from judge.rubric import Rubric

_WORDS = r"(?:[^.;:!?,…—\n]|(?<=\d)[.,](?=\d))+"  # up to the next mark; the marks inside figures are none
_COMMITS = {  # how a turn commits the agent -> what of it a later turn can go back on
    "kept": re.compile(r"\b(?:I|we)(?:['’]ll| will|['’]m going to| am going to) +(?!not\b)(" + _WORDS + r")", re.IGNORECASE),
    "broken": re.compile(r"\b(?:I|we) (?:won['’]t|will not) +(" + _WORDS + r")", re.IGNORECASE),
    "done": re.compile(r"\b(?:I|we)['’]ve +(?:just +|now +|already +)?(\w+(?:ed|t|d|de|ne|en) " + _WORDS + r")", re.IGNORECASE),
    "given": re.compile(
        r"\byou(?:['’]ll)? +((?:get|keep) " + _WORDS + r")|\byou['’]ll +((?:have|hear|receive) " + _WORDS + r")", re.IGNORECASE
    ),
}
_CLAUSE_ENDS = re.compile(r" (?:and|but|so|while|if|when|until|unless|because|since|which|or|whatever|who)\b.*")
# What follows "I'll" without being a promise: manners of speech, and words that point at what stands in the turn.
_IDLE = re.compile(
    r"^(?:just|be|have to|need to|let you|say|admit|tell you|never|always|bet|try|think|look|see|miss|keep it|take down|do|rather|check|"
    r"hold|had|been|got|heard|noted|no|and|told|understood|understand|take (?:it|that) (?:as|that)|have you|"
    r"get (?:it|that|this|what|me)) ?\b"
)
_LOOSE = re.compile(r"\b(?:for|to|of|in|on|at|with|by|the|a)$")  # a clause that was cut off
_NO_QUESTION = re.compile(
    r"^(?:hi|hello|hey|good (?:morning|afternoon|evening|day))\b|\b(?:here|speaking|from)\b.*,|anything else|sound good|all right|alright|"
    r"is that ok|okay|right\?|shall I|may I|can I|will I|would you like",
    re.IGNORECASE,
)


def promises(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a turn commits the agent to: how it does (a key of the wordings), and the words behind "I'll", "I've" or "you'll"."""
    for sentence in sentences(text):
        if sentence.endswith("?"):
            continue
        for kind, pattern in _COMMITS.items():
            for found in pattern.finditer(sentence):
                said = _CLAUSE_ENDS.sub("", next(group for group in found.groups() if group)).strip()
                if 2 <= len(said.split()) <= 14 and not _IDLE.match(said) and not _LOOSE.search(said):
                    yield kind, said


def questions(text: str) -> Iterator[str]:
    """Yield a turn's questions of substance."""
    for sentence in sentences(text):
        if sentence.endswith("?") and len(sentence.split()) >= 4 and not _NO_QUESTION.search(sentence):
            yield sentence


def answers(text: str) -> bool:
    """Say whether a turn of the user tells something, and is not only a question in return."""
    told = [part for part in sentences(text) if not part.endswith("?")]
    return sum(len(part.split()) for part in told) >= 2


def later(case: GoldenCase, rubric: Rubric, after: int) -> list[int]:
    """Return the agent turns behind a turn in which something can be lost."""
    return [index for index in agent_turns(case) if index > after and roomy(case, rubric, index)]


def _promise(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    found = [
        (kind, said, at)
        for index in agent_turns(case)
        if roomy(case, rubric, index)  # going back on a threat is no fault
        for kind, said in promises(case.turns[index].text)
        for at in later(case, rubric, index)
    ]
    if not found:
        return None
    kind, said, at = rng.choice(found)
    text = rng.choice(for_domain(read("faults")["promise"][kind], rubric)).format(said=said)
    return rewritten(case, {at: joined(case.turns[at].text, text)}, text)


def _hardship(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    found = [
        (hardship, told, at)
        for index, turn in enumerate(case.turns)
        if turn.role is Role.USER
        for hardship in read("faults")["hardship"]
        if (told := re.search(hardship["pattern"], turn.text, re.IGNORECASE))
        for at in later(case, rubric, index)
    ]
    if not found:
        return None
    hardship, told, at = rng.choice(found)
    text = rng.choice(for_domain(hardship, rubric)).format(**{name: (said or "").lower() for name, said in told.groupdict().items()})
    return rewritten(case, {at: joined(case.turns[at].text, text)}, text)


def _question(case: GoldenCase, rubric: Rubric, rng: Random) -> Change | None:
    found = []
    for index in agent_turns(case):
        reply = case.turns[index + 1] if index + 1 < len(case.turns) else None
        if reply is None or reply.role is not Role.USER or not answers(reply.text):
            continue
        found += [(question, at) for question in questions(case.turns[index].text) for at in later(case, rubric, index)]
    if not found:
        return None
    question, at = rng.choice(found)
    text = rng.choice(for_domain(read("faults")["question"], rubric)).format(question=question)
    return rewritten(case, {at: text}, text)


def fault(name: str, about: str, make: Make) -> Mutation:
    """Return a cross-turn fault: the turn that has it must be rated lower."""
    return Mutation(name, Family.FAULT, Direction.DROP, about, make, compares=(Compared.TURNS,))


MUTATIONS = (
    fault("contradicted_promise", "a later turn goes back on what the agent promised", _promise),
    fault("forgotten_hardship", "a later turn supposes the opposite of what the user said of their situation", _hardship),
    fault("repeated_question", "a later turn only asks again what the user has answered", _question),
)
