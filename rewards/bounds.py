"""Between which any episode's reward lies, from recipe and outcome table alone: what guaranteed bounds need to know beforehand."""

from typing import NamedTuple

from rewards.outcome import NumericScale, OutcomeTable
from rewards.recipe import Recipe

LONGEST = 50  # agent turns; a table may take from a success for every turn, without end


class Range(NamedTuple):
    """The least and the largest that can be."""

    low: float
    high: float


def return_bounds(recipe: Recipe, outcomes: OutcomeTable, discount: float = 1.0, longest: int = LONGEST) -> Range:
    """Return between which the sum of an episode's rewards lies, each discounted by so much a turn.

    Args:
        longest: no episode has more agent turns.
    """
    low = high = worst = 0.0
    if recipe.outcome and recipe.outcome.weight:
        ends = outcome_bounds(outcomes, longest)
        low, high = (recipe.outcome.weight * end for end in ends)
        worst = low
        if discount < 1:  # late endings count less, and a dialogue whose outcome was not recorded earns nothing for it
            low, high = min(low, 0.0), max(high, 0.0)
    for term in (recipe.turns, recipe.episode):
        if term:
            low, high = low - term.weight, high + term.weight
    if recipe.veto:
        held = min(recipe.veto.cap, worst)
        # The veto only ever takes: down to the cap, or to what the outcome alone is worth. Discounted, it may stand at another turn.
        low = min(low, held) if discount == 1 else low + min(held - high, 0.0)
    if recipe.shaping and recipe.shaping.weight:
        gone = (1 - recipe.shaping.discount * discount) if discount == 1 else 1 + recipe.shaping.discount
        spread = gone * (longest - 1)
        start = -recipe.shaping.initial
        low, high = low + recipe.shaping.weight * (start - spread), high + recipe.shaping.weight * (start + spread)
    return Range(low, high)


def outcome_bounds(outcomes: OutcomeTable, longest: int = LONGEST) -> Range:
    """Return the least and the largest value of any ending, 0 (no outcome recorded) included."""
    values = [0.0, *(ending.value for ending in outcomes.outcomes.values()), *outcomes.catastrophic.values()]
    successes = [ending.value for ending in outcomes.outcomes.values() if ending.success]
    if outcomes.numeric:
        values += outcomes.numeric.target
        successes += _numbers_of_success(outcomes.numeric)
    if outcomes.length:
        lost, floor = outcomes.length.per_turn * max(0, longest - outcomes.length.after), outcomes.length.floor
        values += [value - lost if floor is None else max(value - lost, min(value, floor)) for value in successes]
    return Range(min(values), max(values))


def _numbers_of_success(scale: NumericScale) -> tuple[float, ...]:
    """Return what the least and the largest number that is a success are worth."""
    if scale.success_from is None:
        return ()
    (low, high), (at_low, at_high) = scale.source, scale.target
    return (at_low + (scale.success_from - low) / (high - low) * (at_high - at_low), at_high)
