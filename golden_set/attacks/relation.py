"""How each relation is decided: by the bound of a mean over dialogues, in levels of a 1-5 scale, whatever the criterion's own scale.

A rating on [-1, 1] (worst to best level) times two is a difference in such levels. The allowances are those of the reference
(judge-reliability, section 1) but for the level of an empty reply: see `LOW`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from golden_set.attacks.mutation import Compared, Direction, Mutation, uncritical
from golden_set.decision import Decision
from golden_set.equivalence import ALPHA, Shift, decide
from golden_set.sheet import FloatArray
from judge.rubric import Criterion, Rubric
from judge.verdict import Rated, mean_unit

SAME = 0.15  # "=": how far the mean may move, either way
GAIN = 0.10  # "≤": how much it may rise
FALL = 0.50  # "<": how much it must fall
# "low": the highest mean. Said nothing, a turn still is "neutral" on what there was no call for (no limit stated, no objection
# raised), by the rubrics' own words; so the turns' bound lies above the 2.0 that holds for the episode.
LOW = {Compared.TURNS: 2.5, Compared.EPISODE: 2.0}


def compared_criteria(mutation: Mutation, compared: Compared, rubric: Rubric) -> tuple[Criterion, ...]:
    """Return the criteria whose ratings are compared; empty where the rubric has none.

    Faults, cuts and empty replies are no violations: of them, the critical criteria say nothing, and are left out.
    """
    if compared is Compared.EPISODE:
        return rubric.episode
    if compared is Compared.CRITICAL:
        return tuple(criterion for criterion in rubric.turn if criterion.critical)
    if named := tuple(criterion for criterion in rubric.turn if criterion.name in mutation.criteria):
        return named
    return uncritical(rubric) if mutation.direction in (Direction.DROP, Direction.LOW) else rubric.turn


def level(ratings: Mapping[str, Rated], criteria: Sequence[Criterion]) -> float:
    """Return the mean of ratings by their weights, as a level of a 1-5 scale."""
    return 3 + 2 * mean_unit(ratings, criteria)


def decided(direction: Direction, found: Shift, compared: Compared) -> Decision:
    """Return whether the relation holds.

    Args:
        direction: what is expected.
        found: the mean over dialogues of the change; for `low`, of the level itself.
        compared: of which ratings.
    """
    if direction is Direction.SAME:
        return decide(found, SAME)
    if direction is Direction.DROP:
        return _at_most(found, -FALL)
    return _at_most(found, LOW[compared] if direction is Direction.LOW else GAIN)


def _at_most(found: Shift, limit: float) -> Decision:
    if found.high <= limit:
        return Decision.PASS
    return Decision.FAIL if found.low > limit else Decision.UNDECIDED


def succeeded(direction: Direction, value: float, compared: Compared) -> bool:
    """Say whether a single attack did what it must not: the same limits, for one mutant."""
    if direction is Direction.SAME:
        return abs(value) > SAME
    return value > {Direction.NO_GAIN: GAIN, Direction.DROP: -FALL}.get(direction, LOW.get(compared, GAIN))


def below(ones: FloatArray, others: FloatArray) -> Decision:
    """Return whether the mean of one group of dialogues lies below that of another (Welch's t, one-sided at `ALPHA`)."""
    if len(ones) < 2 or len(others) < 2:
        return Decision.UNDECIDED
    if np.ptp(ones) == 0 and np.ptp(others) == 0:  # nothing varies, nothing is to be estimated
        return Decision.PASS if ones[0] < others[0] else Decision.FAIL
    low, high = CompareMeans(DescrStatsW(ones), DescrStatsW(others)).tconfint_diff(alpha=2 * ALPHA, usevar="unequal")
    if high < 0:
        return Decision.PASS
    return Decision.FAIL if low > 0 else Decision.UNDECIDED
