"""Ratings of golden cases by several runs of one judge, as numbers by item: the form that every statistic here works on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden_set.case import EPISODE, GoldenCase, agreed
from judge.rubric import Criterion, Rubric, StateCriterion
from judge.verdict import Verdict, handling, mean_unit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Marks = dict[str, dict[str, float]]  # one verdict in numbers: place -> criterion -> rating


def marks_of(verdict: Verdict) -> Marks:
    """Return a verdict's ratings by place (the turn's index as text, or `episode`)."""
    turns = {str(turn.turn): {name: rating.value for name, rating in turn.ratings.items()} for turn in verdict.turns}
    return turns | {EPISODE: {name: rating.value for name, rating in verdict.episode.items()}}


@dataclass(frozen=True)
class Column:
    """One criterion over all items (agent turns, or episodes) of the cases that were rated.

    `values` and `rated` have the shape (runs, items): a run that failed on a case has `rated` False there and its value is never
    read. `episode` is the index of each item's case in `cases`; the case is the independent unit everywhere.
    """

    criterion: Criterion | StateCriterion
    cases: tuple[str, ...]
    places: tuple[tuple[str, str], ...]  # of each item: case id and place
    episode: IntArray
    human: FloatArray
    values: FloatArray
    rated: BoolArray

    @property
    def mean(self) -> FloatArray:
        """The mean rating of each item over the runs that rated it."""
        return np.asarray(np.where(self.rated, self.values, 0.0).sum(0) / self.rated.sum(0))


@dataclass
class Sheet:
    """The ratings of a judge: case id -> one `Marks` for each run that succeeded."""

    marks: dict[str, list[Marks]] = field(default_factory=dict)

    def add(self, case: str, marks: Marks) -> None:
        """Add a run of a case."""
        self.marks.setdefault(case, []).append(marks)

    @property
    def runs(self) -> int:
        """The most runs of any case."""
        return max((len(runs) for runs in self.marks.values()), default=0)

    def column(self, criterion: Criterion | StateCriterion, cases: Sequence[GoldenCase], *, episode: bool) -> Column:
        """Return the ratings of one criterion.

        Args:
            criterion: of the turns, or of the episode.
            cases: in the order wanted; those without a single run are left out.
            episode: whether it is one of the episode's criteria.
        """
        kept = [case for case in cases if self.marks.get(case.id)]
        name = criterion.name
        places, index, human = [], [], []
        for at, case in enumerate(kept):
            for place, labels in case.places.items():
                if (place == EPISODE) == episode:
                    places.append((case.id, place))
                    index.append(at)
                    human.append(agreed(labels[name]))
        values = np.zeros((self.runs, len(places)))
        rated = np.zeros((self.runs, len(places)), dtype=bool)
        for item, (case_id, place) in enumerate(places):
            for run, marks in enumerate(self.marks[case_id]):
                values[run, item], rated[run, item] = marks[place][name], True
        ids = tuple(case.id for case in kept)
        return Column(criterion, ids, tuple(places), np.array(index, dtype=np.int64), np.array(human, dtype=float), values, rated)

    def columns(self, rubric: Rubric, cases: Sequence[GoldenCase]) -> dict[str, Column]:
        """Return the ratings by criterion: the turns' (the state's included), then the episode's."""
        turns = {c.name: self.column(c, cases, episode=False) for c in rubric.turn_criteria}
        return turns | {f"{c.name} (episode)": self.column(c, cases, episode=True) for c in rubric.episode}


@dataclass(frozen=True)
class _Value:
    value: float


def handled(marks: Mapping[str, Mapping[str, float]], rubric: Rubric) -> float:
    """Return how a whole dialogue was handled on [-1, 1], as `judge score` sums it up."""
    units = [mean_unit({n: _Value(v) for n, v in ratings.items()}, rubric.turn) for place, ratings in marks.items() if place != EPISODE]
    return handling(units, {n: _Value(v) for n, v in marks[EPISODE].items()}, rubric)


def handling_of(sheet: Sheet, case: str, rubric: Rubric) -> float:
    """Return how the judge finds a case handled, on [-1, 1]: the mean over its runs."""
    return float(np.mean([handled(marks, rubric) for marks in sheet.marks[case]]))


def labels_as_marks(case: GoldenCase) -> Marks:
    """Return what people say of a case, in the form of a verdict."""
    return {place: {name: agreed(values) for name, values in labels.items()} for place, labels in case.places.items()}


def by_episode(items: FloatArray, episode: IntArray, count: int) -> FloatArray:
    """Return the mean of the items of each episode."""
    return np.asarray(np.bincount(episode, items, count) / np.bincount(episode, minlength=count))


def common(cases: Iterable[GoldenCase], *sheets: Sheet) -> list[GoldenCase]:
    """Return the cases that every sheet has ratings of."""
    return [case for case in cases if all(sheet.marks.get(case.id) for sheet in sheets)]
