"""What a night's ratings are to the monitor: each episode's mean by criterion, and how far means moved, of all cases and of slices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from golden_set.case import EPISODE, GoldenCase
from golden_set.history import ByCriterion, Episodes, Moved, Sample
from golden_set.level import Level, learn
from golden_set.monitor import Design
from golden_set.sheet import BoolArray, FloatArray, Sheet, by_episode
from judge.rubric import Rubric
from judge.verdict import JudgeFailure, Verdict

LEAST_CASES = 5  # of a slice that is followed
PLACES = 5  # decimals that the history keeps
ROUGH = 3  # and of slices, which only localise


@dataclass(frozen=True)
class Scales:
    """The criteria that are followed, as the sheets name them, with the lowest and the highest level of each."""

    names: tuple[str, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]

    @property
    def span(self) -> FloatArray:
        """Levels from the lowest to the highest."""
        return np.asarray(np.array(self.high, float) - np.array(self.low, float))


def scales_of(rubric: Rubric) -> Scales:
    """Return the rubric's criteria: of the turns (the state's included), then of the episode."""
    both = [(c.name, c.scale) for c in rubric.turn_criteria] + [(f"{c.name} (episode)", c.scale) for c in rubric.episode]
    return Scales(tuple(name for name, _ in both), tuple(s.low for _, s in both), tuple(s.high for _, s in both))


def episodes_of(sheet: Sheet, rubric: Rubric, cases: Sequence[GoldenCase]) -> Episodes:
    """Return each case's mean rating over its turns and runs, by criterion; None for a case without an answer."""
    found: Episodes = {}
    for name, column in sheet.columns(rubric, cases).items():
        means: FloatArray = by_episode(column.mean, column.episode, len(column.cases)) if column.cases else np.zeros(0)
        known = dict(zip(column.cases, means, strict=True))
        found[name] = tuple(round(float(known[case.id]), PLACES) if case.id in known else None for case in cases)
    return found


def means_of(episodes: Episodes) -> ByCriterion:
    """Return the mean over the episodes that were answered."""
    return {name: round(float(np.nanmean(_array(values))), PLACES) for name, values in episodes.items()}


def samples_of(answers: Sequence[Verdict | JudgeFailure], rubric: Rubric) -> dict[str, Sample] | None:
    """Return the means over production dialogues, each dialogue one unit; None of fewer than two."""
    said = [answer for answer in answers if isinstance(answer, Verdict)]
    if len(said) < 2:
        return None
    rows = [
        {c.name: float(np.mean([turn.ratings[c.name].value for turn in verdict.turns])) for c in rubric.turn_criteria}
        | {f"{c.name} ({EPISODE})": verdict.episode[c.name].value for c in rubric.episode}
        for verdict in said
    ]
    values = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {
        name: Sample(mean=round(float(own.mean()), PLACES), variance=float(own.var(ddof=1) / len(own)), dialogues=len(own))
        for name, own in values.items()
    }


@dataclass(frozen=True)
class Groups:
    """The slices that are followed: at least `LEAST_CASES` cases, and not all; `member` has the shape (slices, cases)."""

    names: tuple[str, ...]
    member: BoolArray


def groups_of(cases: Sequence[GoldenCase]) -> Groups:
    """Return the slices of the cases."""
    names = sorted({name for case in cases for name in case.slices})
    member = np.array([[name in case.slices for case in cases] for name in names], dtype=bool).reshape(len(names), len(cases))
    kept = [at for at, row in enumerate(member) if LEAST_CASES <= row.sum() < len(cases)]
    return Groups(tuple(names[at] for at in kept), member[kept])


@dataclass(frozen=True)
class Levels:
    """The levels before the watch: of all cases, shape (1, criteria), and of the slices, shape (slices, criteria)."""

    scales: Scales
    groups: Groups
    all: Level
    slices: Level

    def moved(self, tonight: Episodes) -> Moved:
        """Return how far the means lie from their levels."""
        values = _table(tonight, self.scales)
        shift, share = self.all.shift(values[None])
        parts, _ = self.slices.shift(_parts(values, self.groups))
        return Moved(
            share=float(share.min()),
            criteria=_named(shift[0], self.scales),
            slices={name: tuple(_short(x, ROUGH) for x in part) for name, part in zip(self.groups.names, parts, strict=True)},
        )


def learn_levels(days: Sequence[tuple[int, Episodes]], scales: Scales, groups: Groups, design: Design) -> Levels:
    """Return the levels of days (number of runs, episodes): the baseline's and the burn-in's."""
    runs = np.array([count for count, _ in days])
    values = np.stack([_table(episodes, scales) for _, episodes in days])
    assumed = (design.night * scales.span) ** 2
    whole = learn(values[:, None], runs, assumed)
    return Levels(scales, groups, whole, learn(np.stack([_parts(day, groups) for day in values]), runs, assumed))


def shifts_of(named: Mapping[str, float], scales: Scales) -> FloatArray:
    """Return the shifts as an array in the order of the scales; NaN where there is none."""
    return np.array([named.get(name, np.nan) for name in scales.names])


def slice_shifts_of(moved: Moved, scales: Scales, groups: Groups) -> FloatArray:
    """Return the slices' shifts, shape (slices, criteria); NaN where there is none."""
    found = np.full((len(groups.names), len(scales.names)), np.nan)
    for at, name in enumerate(groups.names):
        if len(values := moved.slices.get(name, ())) == len(scales.names):
            found[at] = _array(values)
    return found


def _named(shift: FloatArray, scales: Scales) -> ByCriterion:
    return {name: x for name, x in zip(scales.names, map(_short, shift), strict=True) if x is not None}


def _short(shift: float, places: int = PLACES) -> float | None:
    return None if np.isnan(shift) else round(float(shift), places) + 0.0  # no minus zero


def _array(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _table(episodes: Episodes, scales: Scales) -> FloatArray:
    """Return the shape (criteria, cases)."""
    return np.stack([_array(episodes[name]) for name in scales.names])


def _parts(values: FloatArray, groups: Groups) -> FloatArray:
    """Return the shape (slices, criteria, cases), NaN for the cases outside of the slice."""
    return np.where(groups.member[:, None, :], values[None], np.nan)
