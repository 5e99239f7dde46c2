"""`--judge replay:FILE`: the judge of a recording, whose answers come from the recording only."""

from dataclasses import replace
from pathlib import Path

from dialogue.errors import UsageProblem
from judge.contract import Judge, Terms
from judge.judges import make_judge
from judge.recording import load
from judge.rubric import Rubric


def make_replay(rubric: Rubric, rest: str, terms: Terms) -> Judge:
    """Return the recorded judge. It has the recorded judge's identity: its verdicts are that judge's.

    Raises:
        UsageProblem: no file is named, or it is no recording.
    """
    if not rest:
        raise UsageProblem("--judge replay: which file? Expected replay:FILE, as --record FILE has made it")
    spec, _ = load(Path(rest))
    return make_judge(spec, rubric, replace(terms, replay=Path(rest), record=None))
