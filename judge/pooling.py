"""Several verdicts on one transcript into one: the mean of repeats, the reducers of a panel; and whether more are worth asking for."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from judge.rubric import Criterion, Rubric
from judge.verdict import JudgeId, Rating, TurnRatings, Usage, Verdict

Numbers = Sequence[float]
SERIES = 1000  # more repeats than any series has


class Reducer(StrEnum):
    """How the ratings of one criterion become one."""

    MEAN = "mean"  # weighted
    MEDIAN = "median"  # the middle one, by weight; of two in the middle, their mean
    STRICTEST = "strictest"  # the lowest


def _mean(values: Numbers, weights: Numbers) -> float:
    return sum(w * v for v, w in zip(values, weights, strict=True)) / sum(weights)


def _median(values: Numbers, weights: Numbers) -> float:
    ordered = sorted(zip(values, weights, strict=True))
    half, below = sum(weights) / 2, 0.0
    for at, (value, weight) in enumerate(ordered):
        below += weight
        if math.isclose(below, half) and at + 1 < len(ordered):
            return (value + ordered[at + 1][0]) / 2
        if below > half:
            break
    return value


REDUCE: Mapping[Reducer, Callable[[Numbers, Numbers], float]] = {
    Reducer.MEAN: _mean,
    Reducer.MEDIAN: _median,
    Reducer.STRICTEST: lambda values, _: min(values),
}


def pooled(
    verdicts: Sequence[Verdict],
    judge: JudgeId,
    *,
    reducer: Reducer = Reducer.MEAN,
    weights: Numbers | None = None,
    names: Sequence[str] | None = None,
) -> Verdict:
    """Return one verdict of several on the same transcript.

    Each rating is the reducer's; its spread is the standard deviation of a rating drawn from them: what each says of its own
    spread, and how they differ among themselves (law of total variance). Reason and quote are those of the rating nearest to
    the value; `names` are put before the reasons.

    Args:
        weights: of the verdicts; equal by default. Positive.
    """
    weights = weights or [1.0] * len(verdicts)

    def pool(ratings: Sequence[Rating]) -> Rating:
        values = [rating.value for rating in ratings]
        value = min(max(REDUCE[reducer](values, weights), min(values)), max(values))  # floats: stay between them
        nearest = min(range(len(ratings)), key=lambda k: (abs(values[k] - value), k))
        reason = f"{names[nearest]}: {ratings[nearest].reason}" if names else ratings[nearest].reason
        return ratings[nearest].model_copy(update={"value": value, "spread": _spread(ratings, values, weights), "reason": reason})

    turns = tuple(
        TurnRatings(turn=same[0].turn, ratings={name: pool([turn.ratings[name] for turn in same]) for name in same[0].ratings})
        for same in zip(*(verdict.turns for verdict in verdicts), strict=True)
    )
    episode = {name: pool([verdict.episode[name] for verdict in verdicts]) for name in verdicts[0].episode}
    return Verdict(judge=judge, turns=turns, episode=episode, usage=sum((verdict.usage for verdict in verdicts), Usage()))


def _spread(ratings: Sequence[Rating], values: Numbers, weights: Numbers) -> float | None:
    """Return the standard deviation; None where one rating alone says nothing of its own."""
    n = len(ratings)
    own = [rating.spread for rating in ratings]
    if n == 1:
        return own[0]
    within = _mean([(spread or 0.0) ** 2 for spread in own], weights)
    mean = _mean(values, weights)
    between = _mean([(value - mean) ** 2 for value in values], weights) * n / (n - 1)
    return math.sqrt(within + between)


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a transcript is rated: `least` times, and up to `most` while a decision hangs on its spread.

    They are numbered from `first`. Who needs ratings that were not given before (a check for drift) asks for another `series`: the
    ledger keeps those apart.
    """

    least: int = 1
    most: int = 1
    first: int = 0
    series: int = 0

    def kept_as(self, repeat: int) -> int:
        """Return the number under which the ledger keeps a repeat."""
        return self.series * SERIES + repeat

    def of(self, judge: JudgeId) -> JudgeId:
        """Return the identity of the judge that rates so often and takes the mean."""
        if self.most == 1:
            return judge
        times = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        return judge.model_copy(update={"sampling": f"{judge.sampling}; mean of {times}"})


def undecided(verdict: Verdict, rubric: Rubric) -> bool:
    """Say whether a decision lies within one spread of a rating, so that another repeat could turn it.

    The decisions are: whether a critical criterion is violated (half a level above the lowest), and on which side of the middle
    of its scale an episode criterion falls. A rating whose spread is not known leaves its decision open.
    """
    critical = [criterion for criterion in rubric.turn if criterion.critical]
    ratings = [(turn.ratings[c.name], c.scale.low + 0.5) for turn in verdict.turns for c in critical]
    ratings += [(verdict.episode[c.name], _middle(c)) for c in rubric.episode]
    return any(rating.spread is None or abs(rating.value - at) < rating.spread for rating, at in ratings)


def _middle(criterion: Criterion) -> float:
    return (criterion.scale.low + criterion.scale.high) / 2
