"""What an episode is worth under given ratings: an entry point of `judge.worth` tells, since rewards are no business of this room."""

from typing import Protocol

from dialogue.errors import UsageProblem
from dialogue.installed import installed
from dialogue.transcript import Transcript
from judge.rubric import Rubric
from judge.verdict import Verdict

GROUP = "judge.worth"


class Worth(Protocol):
    """The reward of an episode. `recipe` and `outcomes` name what it is made with, such as `blend@6db91aed97ce`."""

    recipe: str
    outcomes: str

    def of(self, transcript: Transcript, verdict: Verdict) -> float:
        """Return the episode's reward under a verdict.

        Raises:
            InputProblem: the outcome table does not know the outcome.
        """

    def of_outcome(self, transcript: Transcript) -> float | None:
        """Return what the outcome alone is worth; None where none was recorded."""


class WorthMaker(Protocol):
    """What the entry point names: takes the rubric, and recipe and outcome table as after `--recipe` and `--outcomes`."""

    def __call__(self, rubric: Rubric, recipe: str, outcomes: str | None, /) -> Worth: ...


def make_worth(rubric: Rubric, recipe: str, outcomes: str | None) -> Worth:
    """Return what tells rewards.

    Raises:
        UsageProblem: nothing of this kind is installed, or there is no such recipe or outcome table.
    """
    for point in installed(GROUP).values():
        maker: WorthMaker = point.load()
        return maker(rubric, recipe, outcomes)
    raise UsageProblem(f"nothing tells what an episode is worth: no entry point {GROUP!r} is installed; install judge-rewards whole")
