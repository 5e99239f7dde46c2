"""Rewards made again under other maps to people's scale, all episodes at once: what the error of a judge's calibration does to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialogue.errors import UsageProblem
from judge.ledger import Ledger
from judge.replicates import Maps, Replicates
from judge.rubric import Criterion, Rubric, StateCriterion
from rewards.blend import ViolationKind
from rewards.recipe import Recipe
from rewards.record import RatingRecord, RewardRecord

Floats = NDArray[np.float64]
MapTo = tuple[Sequence[float], Sequence[float]]  # the judge's ratings at the knots, and people's
Ints = NDArray[np.intp]
EXACT = 1e-9  # to which the rewards as they are come out again


@dataclass(frozen=True)
class Reblend:
    """Scored episodes as numbers, one place a turn, episode after episode: (M,) turns of N episodes.

    Attributes:
        rubric, recipe: what the rewards were made with.
        turns, whole: the judge's own ratings of turns (M, criteria) and of the episode (N, criteria), in the rubric's order.
        mapped, mapped_whole: the same as they counted.
        outcome: (M,) the outcome's term.
        logged: (N,) whether there is one.
        signal: (N,) the place of a violation that was logged with the dialogue, -1 without.
        lengths: (N,).
        rewards: (M,) as written.
    """

    rubric: Rubric
    recipe: Recipe
    turns: Floats
    whole: Floats
    mapped: Floats
    mapped_whole: Floats
    outcome: Floats
    logged: NDArray[np.bool_]
    signal: Ints
    lengths: Ints
    rewards: Floats

    @classmethod
    def of(cls, records: Sequence[RewardRecord], rubric: Rubric, recipe: Recipe) -> "Reblend":
        """Return the numbers of scored records.

        Raises:
            UsageProblem: the rewards do not come out again: the records were made with another rubric or recipe.
        """
        for record in records:
            for what, is_, given in (("rubric", record.rubric, str(rubric)), ("recipe", record.recipe, str(recipe))):
                if is_ != given:
                    raise UsageProblem(f"{record.id!r} was scored with the {what} {is_}, not {given}; name that one with --{what}")
        lengths = np.array([len(record.turns) for record in records], np.intp)
        starts = lengths.cumsum() - lengths
        rated = [[turn.ratings[c.name] for c in rubric.turn_criteria] for record in records for turn in record.turns]
        whole = [[record.episode.ratings[c.name] for c in rubric.episode] for record in records]
        made = cls(
            rubric,
            recipe,
            turns=_table(rated, len(rubric.turn_criteria)),
            whole=_table(whole, len(rubric.episode)),
            mapped=_table(rated, len(rubric.turn_criteria), counted=True),
            mapped_whole=_table(whole, len(rubric.episode), counted=True),
            outcome=np.array([turn.terms.get("outcome", 0.0) for record in records for turn in record.turns]),
            logged=np.array([any("outcome" in turn.terms for turn in record.turns) for record in records]),
            signal=np.array([_signal(record, int(start)) for record, start in zip(records, starts, strict=True)], np.intp),
            lengths=lengths,
            rewards=np.array([turn.reward or 0.0 for record in records for turn in record.turns]),
        )
        off = np.abs(made._blended(made.mapped, made.mapped_whole) - made.rewards)
        if off.max(initial=0.0) > EXACT:
            wrong = records[int(made.episode[off.argmax()])].id
            raise UsageProblem(f"the rewards of {wrong!r} do not come out again from its ratings: they were changed; score it again")
        return made

    @cached_property
    def episode(self) -> Ints:
        """The number of each turn's episode, (M,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def last(self) -> Ints:
        """The place of each episode's last turn, (N,)."""
        return np.asarray(self.lengths.cumsum() - 1)

    def under(self, turn: Mapping[str, MapTo], whole: Mapping[str, MapTo]) -> Floats:
        """Return the rewards of all turns, (M,), under maps by criterion; a criterion without one is as it is."""
        return self._blended(_moved(self.turns, self.rubric.turn_criteria, turn), _moved(self.whole, self.rubric.episode, whole))

    def _blended(self, rated: Floats, whole: Floats) -> Floats:
        """Return the rewards of ratings on people's scale; the same sums as `rewards.blend`, which tells what they mean."""
        recipe, rubric = self.recipe, self.rubric
        earned = self.outcome.copy()
        if recipe.turns and recipe.turns.weight:
            earned += recipe.turns.weight * _mean_unit(rated[:, : len(rubric.turn)], rubric.turn) / self.lengths[self.episode]
        if recipe.episode and recipe.episode.weight:
            earned[self.last] += recipe.episode.weight * _mean_unit(whole, rubric.episode)
        if recipe.veto:
            at = self._violations(rated)
            held = at >= 0
            outcome, total = (np.bincount(self.episode, terms, len(self.lengths)) for terms in (self.outcome, earned))
            limit = np.where(self.logged, np.minimum(recipe.veto.cap, outcome), recipe.veto.cap)
            earned[at[held]] += np.minimum(limit - total, 0.0)[held]
        if rubric.state and recipe.shaping and recipe.shaping.weight:
            phi = _unit(rated[:, len(rubric.turn)], rubric.state)
            first = np.concatenate(([0], self.last[:-1] + 1))
            after, before = phi.copy(), np.concatenate(([0.0], phi[:-1]))
            after[self.last], before[first] = 0.0, recipe.shaping.initial
            earned += recipe.shaping.weight * (recipe.shaping.discount * after - before)
        return earned

    def _violations(self, rated: Floats) -> Ints:
        """Return the place of each episode's violation, (N,); -1 where there is none."""
        critical = [at for at, criterion in enumerate(self.rubric.turn) if criterion.critical]
        bad = np.zeros(len(rated), bool)
        for at in critical:
            bad |= rated[:, at] < self.rubric.turn[at].scale.low + 0.5  # Criterion.violated
        places = np.flatnonzero(bad)
        first = np.full(len(self.lengths), -1)
        first[self.episode[places[::-1]]] = places[::-1]  # the last to be written is the first one
        return np.where(self.signal >= 0, self.signal, first)


@dataclass(frozen=True)
class JudgeError:
    """Rewards as they might have been had other dialogues been audited.

    Attributes:
        reblend: the episodes.
        replicates: of the calibration that made their rewards.
        unmapped: criteria that count in the reward and have no map: how far the judge is off there is not known.
    """

    reblend: Reblend
    replicates: Replicates
    unmapped: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return self.replicates.count

    def rewards(self) -> Iterator[Floats]:
        """Yield the rewards of all turns, (M,), of one replicate after another."""
        for at in range(self.count):
            yield self.reblend.under(_picked(self.replicates.turn, at), _picked(self.replicates.episode, at))


def judge_error(records: Sequence[RewardRecord], rubric: Rubric, recipe: Recipe, ledger: str | Path) -> JudgeError:
    """Return how far the rewards of scored records might be off, as far as the labels of the judge's calibration tell.

    Args:
        ledger: where `judge calibrate` keeps replicates.

    Raises:
        UsageProblem: the rewards were made without a calibration, or with several, or its replicates are not in the ledger; another
            rubric or recipe than theirs.
    """
    ids = {record.calibration for record in records}
    see_that_it_asks(recipe)
    if len(ids) > 1:
        raise UsageProblem(f"the rewards were made with {len(ids)} calibrations; score all with one (nothing is paid again)")
    name = next(iter(ids), None)
    if name is None:
        raise UsageProblem(
            "the rewards were made without a calibration, so nothing tells how far the judge is off: let people rate some dialogues "
            "(`judge audit draw`, `judge audit read`), fit the map with `judge calibrate`, and score again"
        )
    found = None
    if Path(ledger).exists():
        with Ledger(ledger) as book:
            found = book.replicates(name)
    if found is None:
        raise UsageProblem(
            f"{ledger} has no replicates of the calibration {name}; `judge calibrate --day {name.partition('@')[0]}` on the same audits "
            "makes them, or name the ledger that has them with --ledger"
        )
    counting = [(c, found.turn) for c in rubric.turn] + [(c, found.episode) for c in rubric.episode if recipe.episode]
    return JudgeError(Reblend.of(records, rubric, recipe), found, tuple(c.name for c, maps in counting if c.name not in maps))


def see_that_it_asks(recipe: Recipe) -> None:
    """See that a recipe asks a judge.

    Raises:
        UsageProblem: it does not.
    """
    if not recipe.needs_verdict:
        raise UsageProblem(f"the recipe {recipe} asks no judge: there is no judge error; leave --judge-error out")


def _picked(maps: Mapping[str, Maps], at: int) -> dict[str, MapTo]:
    return {name: (one.judged, one.human[at]) for name, one in maps.items()}


def _table(rows: Sequence[Sequence[RatingRecord]], width: int, *, counted: bool = False) -> Floats:
    return np.array([[one.counted if counted else one.value for one in row] for row in rows], float).reshape(len(rows), width)


def _signal(record: RewardRecord, start: int) -> int:
    """Return the place of a violation that a signal told of."""
    if record.violation is None or record.violation.kind is not ViolationKind.SIGNAL:
        return -1
    return start + [turn.turn for turn in record.turns].index(record.violation.turn)


def _moved(ratings: Floats, criteria: Sequence[Criterion | StateCriterion], maps: Mapping[str, MapTo]) -> Floats:
    moved = ratings.copy()
    for at, criterion in enumerate(criteria):
        if criterion.name in maps:
            moved[:, at] = np.interp(ratings[:, at], *maps[criterion.name])
    return moved


def _unit(ratings: Floats, criterion: Criterion | StateCriterion) -> Floats:
    scale = criterion.scale
    return np.asarray(2.0 * (ratings - scale.low) / (scale.high - scale.low) - 1.0)


def _mean_unit(ratings: Floats, criteria: Sequence[Criterion]) -> Floats:
    """Return the mean of ratings on [-1, 1] by the criteria's weights: `mean_unit` of many at once."""
    weights = np.array([criterion.weight for criterion in criteria])
    units = np.stack([_unit(ratings[:, at], criterion) for at, criterion in enumerate(criteria)], axis=1)
    return np.asarray(units @ weights / weights.sum())
