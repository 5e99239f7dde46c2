"""Ratings of the same cases under several prompts and runs, as arrays (items, prompts, runs) by criterion and over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from golden_set.case import EPISODE, GoldenCase
from golden_set.sheet import FloatArray, IntArray, handled, marks_of
from judge.rubric import Criterion, Rubric, Scale, StateCriterion
from judge.verdict import JudgeFailure, Verdict

Answers = Sequence[Sequence[Verdict | JudgeFailure]]  # of one prompt: for each run, an answer a case
HANDLING, TURN_MEAN = "handling", "turn mean"
UNIT_LOW, UNIT_HIGH = -1.0, 1.0


@dataclass(frozen=True)
class Measure:
    """One thing that is rated. `values` has the shape (items, prompts, runs); `episode` is the index of each item's case."""

    name: str
    of_episode: bool  # items are episodes, not turns
    low: float
    high: float
    values: FloatArray
    episode: IntArray
    criterion: Criterion | StateCriterion | None = None


@dataclass(frozen=True)
class Crossed:
    """The measures of the cases that every prompt rated in every run: turn criteria and their mean, episode criteria, handling."""

    cases: tuple[GoldenCase, ...]
    places: IntArray  # of each turn: the how many-th agent turn of its dialogue, from 0
    turns: tuple[Measure, ...]
    episodes: tuple[Measure, ...]
    lost: int  # cases that a prompt could not rate in some run

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All measures."""
        return self.turns + self.episodes

    def measure(self, name: str, *, of_episode: bool) -> Measure:
        """Return a measure by its name."""
        return next(measure for measure in self.measures if (measure.name, measure.of_episode) == (name, of_episode))


def cross(cases: Sequence[GoldenCase], answers: Mapping[str, Answers], rubric: Rubric) -> Crossed:
    """Return what was said of the cases.

    Args:
        answers: by prompt; as many runs for each. The order of prompts is that of the arrays.
        rubric: with the criteria's scales and weights, which all prompts share.
    """
    grid = [runs for prompt in answers.values() for runs in prompt]
    prompts, runs = len(answers), len(grid) // max(1, len(answers))
    kept = [at for at in range(len(cases)) if all(isinstance(answer[at], Verdict) for answer in grid)]
    marks = [[marks_of(answer) for answer in (run[at] for run in grid) if isinstance(answer, Verdict)] for at in kept]
    places = [(at, place) for at, case in enumerate(kept) for place in cases[case].places if place != EPISODE]
    of_turn = np.array([at for at, _ in places], dtype=np.int64)
    of_case = np.arange(len(kept))

    def shaped(rows: list[list[float]]) -> FloatArray:
        return np.array(rows, dtype=float).reshape(len(rows), prompts, runs)

    turns = []
    for criterion in rubric.turn_criteria:
        values = shaped([[said[place][criterion.name] for said in marks[at]] for at, place in places])
        turns.append(Measure(criterion.name, False, criterion.scale.low, criterion.scale.high, values, of_turn, criterion))
    total = sum(criterion.weight for criterion in rubric.turn)
    mean = sum(
        (c.weight / total * _units(measure.values, c.scale) for c, measure in zip(rubric.turn, turns, strict=False)),
        np.zeros((len(places), prompts, runs)),
    )
    turns.append(Measure(TURN_MEAN, False, UNIT_LOW, UNIT_HIGH, mean, of_turn))
    episodes = []
    for criterion in rubric.episode:
        values = shaped([[said[EPISODE][criterion.name] for said in row] for row in marks])
        episodes.append(Measure(criterion.name, True, criterion.scale.low, criterion.scale.high, values, of_case, criterion))
    handling = shaped([[handled(said, rubric) for said in row] for row in marks])
    episodes.append(Measure(HANDLING, True, UNIT_LOW, UNIT_HIGH, handling, of_case))
    number = np.concatenate([np.arange(count) for count in np.bincount(of_turn, minlength=len(kept))]) if kept else of_turn
    return Crossed(
        tuple(cases[at] for at in kept), number.astype(np.int64), tuple(turns), tuple(episodes), lost=len(cases) - len(kept)
    )  # fmt: skip


def _units(values: FloatArray, scale: Scale) -> FloatArray:
    """Map ratings to [-1, 1]."""
    return 2.0 * (values - scale.low) / (scale.high - scale.low) - 1.0
