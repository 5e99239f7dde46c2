"""Outcome and verdict in, a reward that remembers its parts out: pure arithmetic, nothing is read or asked here.

Terms, by name, on each agent turn:
  outcome  weight * the outcome's value, placed by the recipe
  turns    weight * the turn's mean rating on [-1, 1] / number of agent turns
  episode  weight * the episode's mean rating on [-1, 1], on the last agent turn
  shaping  weight * (discount * phi(after) - phi(before)), phi after the last turn being 0
  veto     what is needed to hold a violation at the cap, on the turn of the violation; shaping comes on top (law 5)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dialogue.transcript import Transcript
from judge.rubric import Rubric
from judge.verdict import Verdict, mean_unit
from rewards.outcome import Outcome
from rewards.recipe import OutcomeTerm, Place, Recipe, ShapingTerm

Terms = dict[str, float]


class ViolationKind(StrEnum):
    """What told of a violation."""

    SIGNAL = "signal"  # logged with the dialogue (or as its outcome)
    RATING = "rating"  # a critical criterion, rated at its worst


@dataclass(frozen=True, slots=True)
class Violation:
    """The violation that decided an episode: which agent turn answers for it (counted from 0), and what told of it."""

    turn: int
    kind: ViolationKind
    name: str  # of the signal, or of the criterion


@dataclass(frozen=True, slots=True)
class Reward:
    """What each agent turn earned and the episode's total, as named terms.

    `turns[k]` belongs to the k-th agent turn. `complete` is False where the recipe wanted a verdict and
    there was none: the terms that are known keep their scale, and there is no total.
    """

    turns: tuple[Terms, ...]
    complete: bool = True
    violation: Violation | None = None

    @property
    def episode(self) -> Terms:
        """Sum of every term over the turns."""
        total: Terms = {}
        for terms in self.turns:
            for name, value in terms.items():
                total[name] = total.get(name, 0.0) + value
        return total

    @property
    def total(self) -> float | None:
        """The episode's reward, or None where it is not complete."""
        return sum(sum(terms.values()) for terms in self.turns) if self.complete else None


def blend(transcript: Transcript, outcome: Outcome | None, verdict: Verdict | None, rubric: Rubric, recipe: Recipe) -> Reward:
    """Return the reward of one episode.

    Args:
        outcome: None where nothing was recorded: there is then no outcome term, and the others are as always.
        verdict: None where the judge failed: there are then no judge terms, and the others are as always.
    """
    count = len(transcript.agent_turns)
    turns: list[Terms] = [{} for _ in range(count)]
    if recipe.outcome and recipe.outcome.weight and outcome:
        for terms, share in zip(turns, placed(recipe.outcome, count), strict=True):
            if share:
                terms["outcome"] = recipe.outcome.weight * outcome.value * share
    if verdict:
        if recipe.turns and recipe.turns.weight:
            for terms, rated in zip(turns, verdict.turns, strict=True):
                terms["turns"] = recipe.turns.weight * mean_unit(rated.ratings, rubric.turn) / count
        if recipe.episode and recipe.episode.weight:
            turns[-1]["episode"] = recipe.episode.weight * mean_unit(verdict.episode, rubric.episode)
    violation = find_violation(transcript, outcome, verdict if recipe.veto else None, rubric)
    if recipe.veto and violation:
        turns[violation.turn] |= _veto(turns, recipe.veto.cap)
    if verdict and rubric.state and recipe.shaping and recipe.shaping.weight:
        state = rubric.state
        potentials = [state.scale.to_unit(rated.ratings[state.name].value) for rated in verdict.turns]
        for terms, shaped in zip(turns, shaping(potentials, recipe.shaping), strict=True):
            terms["shaping"] = shaped
    return Reward(tuple(turns), verdict is not None or not recipe.needs_verdict, violation)


def placed(term: OutcomeTerm, count: int) -> list[float]:
    """Return each agent turn's share of the outcome; the shares sum to 1."""
    if term.place is Place.SPREAD:
        return [1.0 / count] * count
    if term.place is Place.DISCOUNTED:
        weights = [term.discount ** (count - 1 - k) for k in range(count)]
        return [weight / sum(weights) for weight in weights]
    return [0.0] * (count - 1) + [1.0]


def shaping(potentials: Sequence[float], term: ShapingTerm) -> list[float]:
    """Return the shaping rewards for potentials on [-1, 1] after each agent turn.

    The last potential is replaced by phi(terminal) = 0, so that the return from the start, discounted by
    the same factor, changes by exactly -weight * initial (Ng, Harada and Russell 1999).
    """
    before = [term.initial, *potentials[:-1]]
    after = [*potentials[:-1], 0.0]
    return [term.weight * (term.discount * b - a) for a, b in zip(before, after, strict=True)]


def find_violation(transcript: Transcript, outcome: Outcome | None, verdict: Verdict | None, rubric: Rubric) -> Violation | None:
    """Return the first violation: a catastrophic signal before anything else, then a critical criterion rated at its worst.

    A signal noticed on a turn of the other side belongs to the agent's turn before it.
    """
    if outcome and outcome.catastrophic and outcome.turn is not None:
        before = [k for k, index in enumerate(transcript.agent_turns) if index <= outcome.turn]
        return Violation(before[-1] if before else 0, ViolationKind.SIGNAL, outcome.name)
    critical = [criterion for criterion in rubric.turn if criterion.critical]
    for k, rated in enumerate(verdict.turns if verdict else ()):
        for criterion in critical:
            if criterion.violated(rated.ratings[criterion.name].value):
                return Violation(k, ViolationKind.RATING, criterion.name)
    return None


def _veto(turns: Sequence[Terms], cap: float) -> Terms:
    """Return the term that holds the episode at the cap and at what the outcome alone is worth; none if it is there already."""
    so_far = sum(sum(terms.values()) for terms in turns)
    outcomes = [terms["outcome"] for terms in turns if "outcome" in terms]
    limit = min(cap, sum(outcomes)) if outcomes else cap
    return {"veto": limit - so_far} if so_far > limit else {}
