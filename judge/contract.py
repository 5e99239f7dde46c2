"""The protocol that a judge implements; ours and a stranger's enter by the same entry-point group, `judge.judges`."""

from importlib.metadata import entry_points
from typing import Protocol

from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.transcript import Transcript
from judge.rubric import Rubric
from judge.verdict import JudgeFailure, JudgeId, Verdict

GROUP = "judge.judges"


class Judge(Protocol):
    """Rates transcripts on one rubric. The same `id` must mean the same way of judging."""

    id: JudgeId
    rubric: Rubric

    async def rate(self, transcript: Transcript) -> Verdict | JudgeFailure:
        """Return ratings for every agent turn and the episode, or say why there are none. Need not catch its own bugs."""


class JudgeMaker(Protocol):
    """What an entry point of `judge.judges` names: makes a judge from what follows the colon in `--judge name:rest`."""

    def __call__(self, rubric: Rubric, rest: str, /) -> Judge: ...


def make_judge(spec: str, rubric: Rubric) -> Judge:
    """Return the judge that `--judge spec` names (`local`, or `name:rest`).

    Raises:
        UsageProblem: no such judge is installed, or it refuses the rubric or the rest of the spec.
    """
    name, _, rest = spec.partition(":")
    makers = {point.name: point for point in entry_points(group=GROUP)}
    if name not in makers:
        raise UsageProblem(f"unknown judge {name!r}{did_you_mean(name, makers)}; installed: {listed(sorted(makers))}")
    maker: JudgeMaker = makers[name].load()
    return maker(rubric, rest)
