"""The worst that an attack did, told so that a person sees why: where, what was put in, the level before and after, the judge's reason."""

from collections.abc import Mapping, Sequence

from golden_set.attacks.mutation import Compared, Direction
from golden_set.attacks.relation import compared_criteria, level
from golden_set.attacks.report import Example
from golden_set.attacks.trial import Trial, ratings_at
from golden_set.case import EPISODE
from judge.rubric import Criterion, Rubric
from judge.verdict import Rating

WORST = 3  # examples told of each attack
Ratings = Mapping[str, Rating]


def worst(trials: Sequence[Trial], rubric: Rubric) -> tuple[Example, ...]:
    """Return the attacks that succeeded most, at most one a dialogue."""
    told: dict[str, Example] = {}
    for one in sorted((one for one in trials if one.succeeded), key=lambda one: -_size(one, _largest(one))):
        if one.mutant.case not in told and len(told) < WORST:
            told[one.mutant.case] = example(one, rubric)
    return tuple(told.values())


def example(one: Trial, rubric: Rubric) -> Example:
    """Return where a successful attack shows most: the place, and the criterion there."""
    compared = _largest(one)
    criteria = compared_criteria(one.mutation, compared, rubric)
    down = one.mutation.direction is Direction.SAME and one.values[compared] < 0
    before: Ratings | None

    def rise(was: Ratings | None, now: Ratings, chosen: Sequence[Criterion]) -> float:
        start = 0.0 if was is None or one.mutation.direction is Direction.LOW else level(was, chosen)
        return (level(now, chosen) - start) * (-1 if down else 1)

    places: list[tuple[str, Ratings | None, Ratings]]
    if compared is Compared.EPISODE:
        places = [(EPISODE, one.before.episode, one.after.episode)]
    elif one.places:
        places = [(str(old), ratings_at(one.before, old), ratings_at(one.after, new)) for old, new in one.places]
    else:
        places = [(f"{new} of the mutant", None, ratings_at(one.after, new)) for new in one.mutant.after]
    place, before, after = max(places, key=lambda at: rise(at[1], at[2], criteria))
    criterion = max(criteria, key=lambda named: rise(before, after, [named]))
    return Example(
        case=one.mutant.case,
        place=place,
        put_in=one.mutant.put_in,
        before=None if before is None else level(before, criteria),
        after=level(after, criteria),
        criterion=criterion.name,
        reason=after[criterion.name].reason,
    )


def _size(one: Trial, compared: Compared) -> float:
    return abs(one.values[compared]) if one.mutation.direction is Direction.SAME else one.values[compared]


def _largest(one: Trial) -> Compared:
    return max(one.values, key=lambda compared: _size(one, compared))
