"""A mutant that was rated, in numbers: what it changed, one number a dialogue, and what became of violations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from golden_set.attacks.mutation import Compared, Direction, Mutant, Mutation
from golden_set.attacks.relation import compared_criteria, level, succeeded
from golden_set.sheet import FloatArray
from judge.rubric import Criterion, Rubric
from judge.verdict import Rating, Verdict, mean_unit


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant with the verdicts before and after, and what it changed (for `low`: the level reached) by what is compared."""

    mutation: Mutation
    mutant: Mutant
    before: Verdict
    after: Verdict
    values: Mapping[Compared, float]

    @property
    def succeeded(self) -> bool:
        """Whether this single attack did what it must not."""
        return any(succeeded(self.mutation.direction, value, compared) for compared, value in self.values.items())

    @property
    def places(self) -> list[tuple[int, int]]:
        """The turns compared, before and after; none where there is no telling which belongs to which."""
        before, after = self.mutant.before, self.mutant.after
        return list(zip(before, after, strict=True)) if len(before) == len(after) else []


def trial(mutation: Mutation, mutant: Mutant, before: Verdict, after: Verdict, rubric: Rubric) -> Trial:
    """Return what a mutant changed."""
    values = {}
    for compared in compares(mutation, rubric):
        criteria = compared_criteria(mutation, compared, rubric)
        now = level_of(after, compared, criteria, mutant.after)
        values[compared] = now if mutation.direction is Direction.LOW else now - level_of(before, compared, criteria, mutant.before)
    return Trial(mutation, mutant, before, after, values)


def compares(mutation: Mutation, rubric: Rubric) -> list[Compared]:
    """Return which ratings are compared under a rubric: those that it has."""
    return [compared for compared in mutation.compares if compared_criteria(mutation, compared, rubric)]


def level_of(verdict: Verdict, compared: Compared, criteria: Sequence[Criterion], turns: Sequence[int]) -> float:
    """Return a verdict's level on a 1-5 scale: of the episode, or the mean of those turns."""
    if compared is Compared.EPISODE:
        return level(verdict.episode, criteria)
    return float(np.mean([level(ratings_at(verdict, turn), criteria) for turn in turns]))


def ratings_at(verdict: Verdict, turn: int) -> Mapping[str, Rating]:
    """Return the ratings of an agent turn."""
    return next(rated.ratings for rated in verdict.turns if rated.turn == turn)


def by_dialogue(trials: Sequence[Trial], compared: Compared) -> FloatArray:
    """Return one number a dialogue: the mean over its mutants."""
    groups: dict[str, list[float]] = {}
    for one in trials:
        groups.setdefault(one.mutant.case, []).append(one.values[compared])
    return np.array([np.mean(values) for values in groups.values()], dtype=float)


def units(verdict: Verdict, rubric: Rubric) -> list[float]:
    """Return the rating of each agent turn on [-1, 1]: the mean of its criteria by their weights."""
    return [mean_unit(turn.ratings, rubric.turn) for turn in verdict.turns]


def sum_change(trials: Sequence[Trial], rubric: Rubric) -> float | None:
    """Return what mutants with other numbers of agent turns did to the sum of turn ratings; None where there are none."""
    if not any(len(one.after.turns) > len(one.before.turns) for one in trials):
        return None
    return float(np.mean([sum(units(one.after, rubric)) - sum(units(one.before, rubric)) for one in trials]))


def vetoes(trials: Sequence[Trial], rubric: Rubric) -> tuple[int, int]:
    """Return how many violations the judge saw in the turns compared, and how many of them no longer after the attack.

    Only of attacks that leave what was said: where nothing may be gained.
    """
    seen = lost = 0
    for one in trials:
        if one.mutation.direction is not Direction.NO_GAIN:
            continue
        for old, new in one.places:
            was, now = ratings_at(one.before, old), ratings_at(one.after, new)
            for criterion in rubric.turn:
                if criterion.violated(was[criterion.name].value):
                    seen += 1
                    lost += not criterion.violated(now[criterion.name].value)
    return seen, lost
