"""The judge against its baseline: the shift of each criterion's mean and of each slice, and the cases that moved."""

from collections.abc import Mapping, Sequence

import numpy as np
from statsmodels.stats.multitest import multipletests

from golden_set.asking import Heard
from golden_set.case import EPISODE, GoldenCase
from golden_set.decision import Decision
from golden_set.equivalence import decide, p_moved, shift
from golden_set.findings import Drift, MovedCase, Quoted, SliceShift
from golden_set.gate import Gate
from golden_set.sheet import Column, FloatArray, Sheet, by_episode, handling_of
from judge.rubric import Rubric

NAMED = 5  # cases named for a criterion that moved, or may have
NEAREST = 2  # and for one that did not
FEWEST = 5  # episodes of a slice that is worth a word
QUOTED = 240  # characters of a turn
ON_FIVE = 2.0  # levels of a 1-5 scale in one unit of [-1, 1]


def drift(heard: Heard, baseline: Sheet, cases: Sequence[GoldenCase], rubric: Rubric, gate: Gate, level: float) -> tuple[Drift, ...]:
    """Return how every criterion moved since the baseline.

    Args:
        cases: that both have ratings of.
        level: of each one-sided bound of a PASS. A FAIL names the criterion that moved, so it is tested at `level` over the number
            of criteria (Bonferroni): a judge that did not move is called moved no more often with seven criteria than with one.
    """
    now, before = heard.sheet.columns(rubric, cases), baseline.columns(rubric, cases)
    return tuple(_of(name, now[name], before[name], heard, cases, gate, level, len(now)) for name in now)


def _of(
    name: str, now: Column, before: Column, heard: Heard, cases: Sequence[GoldenCase], gate: Gate, level: float, criteria: int
) -> Drift:
    differences = by_episode(now.mean - before.mean, now.episode, len(now.cases))
    margin = gate.margin_on(now.criterion.scale)
    found = shift(differences, level)
    decision = decide(found, margin)
    if decision is Decision.FAIL and decide(shift(differences, level / criteria), margin) is not Decision.FAIL:
        decision = Decision.UNDECIDED
    count = NEAREST if decision is Decision.PASS else NAMED
    furthest = np.argsort(-np.abs(differences), kind="stable")[:count]
    moved = tuple(_moved(int(at), differences, now, before, heard, cases, margin) for at in furthest if differences[at])
    return Drift(
        criterion=name,
        decision=decision,
        episodes=found.episodes,
        shift=found.mean,
        low=found.low,
        high=found.high,
        margin=margin,
        noise=noise(before),
        noise_now=noise(now),
        moved=moved,
    )


def noise(column: Column) -> float | None:
    """Return the standard deviation of a single rating around its item's mean, over items with several runs; None without any."""
    counts = column.rated.sum(0)
    several = counts > 1
    if not several.any():
        return None
    off = np.where(column.rated, column.values - column.mean, 0.0)[:, several]
    return float(np.sqrt((off**2).sum() / (counts[several] - 1).sum()))


def _moved(
    at: int, differences: FloatArray, now: Column, before: Column, heard: Heard, cases: Sequence[GoldenCase], margin: float
) -> MovedCase:
    case = next(case for case in cases if case.id == now.cases[at])
    items = np.flatnonzero(now.episode == at)
    item = int(items[np.argmax(np.abs(now.mean - before.mean)[items])])
    quoted = quote(now, item, case, heard, float(before.mean[item]))
    return MovedCase(case=case.id, shift=float(differences[at]), beyond=bool(abs(differences[at]) > margin), item=quoted)


def quote(column: Column, item: int, case: GoldenCase, heard: Heard, before: float) -> Quoted:
    """Return an item in words: the turn, and the reason that the last run gave for its rating."""
    place = column.places[item][1]
    verdict = heard.verdicts[case.id][-1]
    name = column.criterion.name
    if place == EPISODE:
        rating, turn, text = verdict.episode[name], None, verdict.episode[name].quote or ""
    else:
        turn = int(place)
        rating = next(turns.ratings[name] for turns in verdict.turns if turns.turn == turn)
        text = case.turns[turn].text
    return Quoted(
        turn=turn,
        text=text if len(text) <= QUOTED else text[:QUOTED] + "…",
        before=before,
        now=float(column.mean[item]),
        label=float(column.human[item]),
        reason=rating.reason,
    )


def slices(now: Sheet, before: Sheet, cases: Sequence[GoldenCase], rubric: Rubric, gate: Gate, level: float) -> tuple[SliceShift, ...]:
    """Return how the handling moved in every slice of the cases; Holm's correction holds over all of them."""
    differences = {case.id: ON_FIVE * (handling_of(now, case.id, rubric) - handling_of(before, case.id, rubric)) for case in cases}
    members: dict[str, list[float]] = {}
    for case in cases:
        for name in case.slices:
            members.setdefault(name, []).append(differences[case.id])
    groups: Mapping[str, FloatArray] = {name: np.array(found) for name, found in sorted(members.items()) if len(found) >= FEWEST}
    if not groups:
        return ()
    corrected = multipletests([p_moved(found, gate.margin) for found in groups.values()], alpha=level, method="holm")
    rows = []
    for (name, found), p, rejected in zip(groups.items(), corrected[1], corrected[0], strict=True):
        of = shift(found, level)
        rows.append(SliceShift(slice=name, episodes=of.episodes, shift=of.mean, low=of.low, high=of.high, p=float(p), moved=bool(rejected)))
    return tuple(rows)
