"""How often another prompt turns a decision around, beside how often another run of the same prompt does: verdicts, advantages, ranks.

Two *raters* are two pairs of prompt and run. Raters with the same prompt differ by noise alone; what raters with different prompts
differ by more is the prompt. All intervals take episodes as the independent units.

Sources: share of same verdicts under paraphrase (JSS) after JudgeSense, 2025; standard errors of shares of pairs of episodes by
their projection on episodes (Hoeffding 1948). Where nothing turned around, the upper bound is Clopper and Pearson's, of episodes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from golden_set.sheet import BoolArray, FloatArray, IntArray

LEVEL = 0.95
LEAST_GROUP = 10  # turns that a baseline of advantages is a mean over, at least
SAME = 1e-9  # differences of floats that are none


@dataclass(frozen=True, slots=True)
class Frequency:
    """A share (or a difference of two) with its interval, over so many independent episodes; None where there is nothing to count."""

    value: float | None
    low: float | None
    high: float | None
    episodes: int


@dataclass(frozen=True, slots=True)
class Flips:
    """How often two raters decide otherwise: with two prompts, with one prompt in two runs, and by how much more with two."""

    prompts: Frequency
    runs: Frequency
    excess: Frequency


NOTHING = Frequency(None, None, None, 0)


def verdict_flips(verdicts: FloatArray | IntArray | BoolArray, episode: IntArray) -> Flips:
    """Return how often a verdict on an item differs between raters, as the mean over episodes of the share of their items.

    Args:
        verdicts: (items, prompts, runs); anything that can be equal.
        episode: of each item.
    """
    found = [(same, verdicts[:, p, r] != verdicts[:, q, s]) for same, (p, r), (q, s) in _raters(verdicts.shape[1], verdicts.shape[2])]
    return _flips(found, lambda differ: differ.astype(float), np.ones(len(verdicts)), _over_episodes(episode))


def advantages(units: FloatArray, places: IntArray) -> FloatArray:
    """Return by how much each turn is better than is usual at its place in a dialogue, for each prompt and run.

    What is usual is the mean of the same prompt and run over all turns at the place (first agent turn, second, …), as a learner's
    baseline would have it: a prompt that is stricter throughout changes no advantage. Late places with fewer than `LEAST_GROUP`
    turns are taken together with the place before.

    Args:
        units: mean ratings of turns on [-1, 1], (turns, prompts, runs).
        places: of each turn, from 0.
    """
    group = places.copy()
    for place in range(int(places.max(initial=0)), 0, -1):
        if 0 < (group == place).sum() < LEAST_GROUP:
            group[group == place] = place - 1
    better = np.empty_like(units)
    for place in np.unique(group):
        better[group == place] = units[group == place] - units[group == place].mean(0)
    return np.where(np.abs(better) < SAME, 0.0, better)


def sign_flips(advantage: FloatArray, episode: IntArray) -> Flips:
    """Return how often the sign of a turn's advantage is the opposite for another rater (an advantage of 0 has none)."""
    sign = np.sign(advantage)
    found = [(same, sign[:, p, r] * sign[:, q, s] < 0) for same, (p, r), (q, s) in _raters(*sign.shape[1:])]
    return _flips(found, lambda differ: differ.astype(float), np.ones(len(sign)), _over_episodes(episode))


def rank_flips(scores: FloatArray, counted: BoolArray) -> Flips:
    """Return how often two episodes stand in the opposite order for another rater (ties stand in none).

    Args:
        scores: (episodes, prompts, runs).
        counted: (episodes, episodes), symmetric: which pairs are looked at. The diagonal is not.
    """
    gaps = scores[:, None] - scores[None, :]
    sign = np.where(np.abs(gaps) < SAME, 0, np.sign(gaps)).astype(np.int8)
    pairs = counted & ~np.eye(len(scores), dtype=bool)
    found = [(same, sign[:, :, p, r] * sign[:, :, q, s] < 0) for same, (p, r), (q, s) in _raters(*scores.shape[1:])]
    return _flips(found, lambda turned: (turned & pairs).sum(1).astype(float), pairs.sum(1).astype(float), _over_pairs)


def _raters(prompts: int, runs: int) -> Iterator[tuple[bool, tuple[int, int], tuple[int, int]]]:
    """Yield pairs of raters, and whether they have the same prompt."""
    for one, other in combinations([(p, r) for p in range(prompts) for r in range(runs)], 2):
        yield one[0] == other[0], one, other


Summary = Callable[[FloatArray, FloatArray], Frequency]


def _flips(found: list[tuple[bool, BoolArray]], counts: Callable[[BoolArray], FloatArray], of: FloatArray, summed: Summary) -> Flips:
    """Return the flips: `counts` gives those of one pair of raters by row, `of` how many there can be."""
    totals = []
    for wanted in (False, True):
        rows = [counts(differ) for same, differ in found if same is wanted]
        totals.append(np.sum(rows, axis=0) / len(rows) if rows else None)
    prompts, runs = totals
    excess = prompts - runs if prompts is not None and runs is not None else None
    told = [NOTHING if total is None else summed(total, of) for total in (prompts, runs, excess)]
    return Flips(_share(told[0]), _share(told[1]), told[2])


def _share(found: Frequency) -> Frequency:
    """Return a share whose interval holds no impossible one; of what was never seen, what it may still be."""
    if found.value != 0 or not found.episodes:
        return replace(found, low=None if found.low is None else max(0.0, found.low))
    return Frequency(0.0, 0.0, 1 - float(((1 - LEVEL) / 2) ** (1 / found.episodes)), found.episodes)


def _over_episodes(episode: IntArray) -> Summary:
    def summed(flips: FloatArray, of: FloatArray) -> Frequency:
        count = int(episode.max()) + 1 if len(episode) else 0
        shares = np.bincount(episode, flips, count) / np.bincount(episode, of, count)
        return _with_span(float(shares.mean()), float(shares.var(ddof=1) / count) if count > 1 else None, count) if count else NOTHING

    return summed


def _over_pairs(flips: FloatArray, of: FloatArray) -> Frequency:
    """Return the share of pairs; each stands in two rows, that of either episode."""
    total, count = float(of.sum()), int((of > 0).sum())
    if not total:
        return NOTHING
    share = float(flips.sum()) / total
    by_episode = 2 * (flips - share * of) / total
    return _with_span(share, float((by_episode**2).sum()) * count / (count - 1), count)


def _with_span(value: float, variance: float | None, episodes: int) -> Frequency:
    if variance is None:
        return Frequency(value, None, None, episodes)
    reach = float(stats.t.isf((1 - LEVEL) / 2, episodes - 1) * np.sqrt(variance))
    return Frequency(value, max(-1.0, value - reach), min(1.0, value + reach), episodes)
