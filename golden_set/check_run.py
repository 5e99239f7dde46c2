"""Runs a golden check: asks for part after part of the cases, and stops as soon as the answer is clear."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from golden_set.asking import Heard, ask_cases
from golden_set.case import GoldenCase
from golden_set.check import FEWEST, Answered, Question, evaluate
from golden_set.check_report import reached
from golden_set.decision import Decision
from golden_set.findings import LookDone
from golden_set.sequential import looks
from golden_set.series import Purpose, series_of
from judge.contract import Connecting, Judge
from judge.ledger import Ledger
from judge.line import AnotherModel
from judge.panel import members_of

ORDER = 20_260_101  # seed


@dataclass
class Ran:
    """A check that has ended."""

    heard: Heard
    answered: Answered
    looked: list[LookDone]
    planned: int


def run_check(question: Question, ledger: Ledger, *, runs: int, often: bool) -> Ran:
    """Return what the judge said and what follows from it.

    Args:
        runs: how often each case is rated at most; a second run is asked only if the first leaves it UNDECIDED.
        often: whether to look after every few cases, too, and to stop there.

    Raises:
        Problem: nothing can be rated at all.
    """
    series = series_of(Purpose.CHECK, question.day)
    cases = shuffled(question.cases)
    plan = looks(len(cases), runs, question.gate.alpha, often=often)
    heard, looked, asked = Heard(), [], 0
    done = Answered()
    for look in plan:
        part = cases[asked : look.episodes] if look.run == 0 else cases
        asked = look.episodes
        try:
            ask_cases(part, question.judge, ledger, heard, series=series, run=look.run)
        except AnotherModel as error:
            heard.renamed = str(error)
        done = evaluate(question, heard, look.level)
        looked.append(LookDone(episodes=look.episodes, run=look.run, level=look.level, decision=done.decision))
        if done.decision is not Decision.UNDECIDED or not reached(question, heard):
            break
        if look.episodes == len(cases) and done.compared < FEWEST:
            break  # nothing to compare with: further runs would tell no more
    return Ran(heard, done, looked, len(cases) * runs)


def shuffled(cases: Sequence[GoldenCase]) -> list[GoldenCase]:
    """Return the cases in random order, every beginning of it with the bands in about equal shares.

    The same order every day: a recording of a check that stopped early has the answers that a replay will want.
    """
    rng = np.random.default_rng(ORDER)
    bands: dict[str, list[GoldenCase]] = {}
    for case in cases:
        bands.setdefault(case.band or "", []).append(case)
    placed = []
    for members in bands.values():
        order = rng.permutation(len(members))
        placed += [((at + rng.random()) / len(members), members[int(which)].id, members[int(which)]) for at, which in enumerate(order)]
    return [case for _, _, case in sorted(placed, key=lambda item: item[:2])]


def is_free(judge: Judge) -> bool:
    """Say whether asking costs nothing: the judge is in this process.

    A recording costs nothing either, but has only what was asked for: it is looked at as often as the run that made it.
    """
    return not any(isinstance(member, Connecting) for member in members_of(judge))
