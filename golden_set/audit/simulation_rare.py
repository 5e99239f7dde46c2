"""Simulated audits of rare violations with known truth: shares of episodes, and the judge's recall and precision.

The judge sees a violation with probability `sensitivity` and none where there is none with probability `specificity`. A part of the
labels goes to episodes that it flags, the rest to the others. `python -m golden_set.audit.simulation` prints the figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from golden_set.audit.detection import detection
from golden_set.audit.ppi import estimate
from golden_set.sheet import IntArray

SPECIFICITY = 0.97


@dataclass(frozen=True, slots=True)
class RareRates:
    """How estimates of a share did over many simulated audits.

    Attributes:
        coverage, people_coverage: how often the 95 % interval held the truth of the process.
        length: of the interval, the mean.
        error: the root mean squared error of both, against the truth of the process.
        against: the same over that of people alone on a simple random sample of as many episodes.
        bias: of both.
        recall, precision: how often their intervals held the truth, where they are defined.
        recall_length: the mean length of recall's interval.
    """

    coverage: float
    people_coverage: float
    length: float
    error: float
    against: float
    bias: float
    recall: float
    recall_length: float
    precision: float

    def __str__(self) -> str:
        return (
            f"{self.coverage:8.3f} {self.people_coverage:8.3f} {self.length:8.4f} {self.error:8.4f} {self.against:8.2f} {self.bias:+8.4f}"
            f" {self.recall:8.3f} {self.recall_length:8.2f} {self.precision:9.3f}"
        )


COLUMNS = "coverage   people   length     rmse  /simple     bias   recall   length precision"


def rare(
    prevalence: float, part: float, *, runs: int, seed: int, labels: int = 200, sensitivity: float = 0.8, frame: int = 2000
) -> RareRates:
    """Return how estimates of the share of episodes with a violation do.

    Args:
        prevalence: the true share.
        part: of the labels, spent on episodes that the judge flags (all of these if there are fewer); 0 for a simple random sample.
        sensitivity: of the judge.
    """
    rng = np.random.default_rng(seed)
    rows = []
    right = prevalence * sensitivity
    precise = right / (right + (1 - prevalence) * (1 - SPECIFICITY))
    for _ in range(runs):
        human = rng.random(frame) < prevalence
        judge = rng.random(frame) < np.where(human, sensitivity, 1 - SPECIFICITY)
        order = rng.permutation(frame)
        stratum = judge.astype(np.int64) if part else np.zeros(frame, dtype=np.int64)
        at = _drawn(order, stratum, round(part * labels), labels)
        numbers = (human[at].astype(float), judge[at].astype(float), stratum[at], judge.astype(float), stratum)
        found = estimate(*numbers, share=True)
        if found is None:
            continue
        weight = np.bincount(stratum)[stratum[at]] / np.bincount(stratum[at])[stratum[at]]
        seen = detection(human[at], judge[at], np.arange(labels), weight)
        held = [
            np.nan if one is None else one.low <= true <= one.high for one, true in ((seen.recall, sensitivity), (seen.precision, precise))
        ]
        wide = np.nan if seen.recall is None else seen.recall.high - seen.recall.low
        rows.append(
            (
                found.low <= prevalence <= found.high,
                found.people.low <= prevalence <= found.people.high,
                found.high - found.low,
                found.value - prevalence,
                human[order[:labels]].mean() - prevalence,  # a simple random sample of the same size
                *held,
                wide,
            )
        )
    holds, people, length, off, simple, recall, precision, wide_ = np.array(rows, dtype=float).T
    error = np.sqrt(np.mean(off**2))
    against = error / np.sqrt(np.mean(simple**2))
    parts = (holds.mean(), people.mean(), length.mean(), error, against, off.mean())
    return RareRates(*map(float, (*parts, np.nanmean(recall), np.nanmean(wide_), np.nanmean(precision))))


def _drawn(order: IntArray, stratum: IntArray, flagged: int, labels: int) -> IntArray:
    """Return the first episodes of a random order: so many flagged ones if there are, and others up to `labels`."""
    first = order[stratum[order] == 1][:flagged]
    return np.concatenate([first, order[stratum[order] == 0][: labels - len(first)]])


def rare_table(runs: int, seed: int) -> Iterator[str]:
    """Yield the lines of a table of operating figures."""
    yield f"\nrare violations: 200 labels, specificity {SPECIFICITY}; part: of the labels where the judge flags\n"
    yield f"frame  prevalence sensitivity part  {COLUMNS}"
    for frame in (2000, 20_000):
        for prevalence, sensitivity in (
            (0.005, 0.8),
            (0.01, 0.8),
            (0.02, 0.8),
            (0.02, 0.5),
            (0.02, 0.95),
            (0.05, 0.8),
            (0.1, 0.8),
            (0.3, 0.8),
        ):
            for part in (0, 1 / 3, 1 / 2):
                found = rare(prevalence, part, runs=runs if frame == 2000 else runs // 4, seed=seed, sensitivity=sensitivity, frame=frame)
                yield f"{frame:5d}  {prevalence:10.3f} {sensitivity:11.2f} {part:4.2f}  {found}"


@dataclass(frozen=True, slots=True)
class TurnRates:
    """How often intervals of recall and precision per turn held the truth, and how often they would if turns were independent."""

    recall: float
    precision: float
    naive_recall: float
    naive_precision: float

    def __str__(self) -> str:
        return f"{self.recall:8.3f} {self.precision:10.3f} {self.naive_recall:13.3f} {self.naive_precision:10.3f}"


def turns(prevalence: float, *, runs: int, seed: int, labels: int = 120, per_episode: int = 8, frame: int = 2000) -> TurnRates:
    """Return how recall and precision per turn do where violations come several in an episode, and the judge sees all or few of them.

    A third of the labels goes to episodes in which the judge flags a turn. An episode has its own chances: of a violation (beta, mean
    `prevalence`, sum of shapes 2), of being seen (mean 0.7, sum 2) and of a false alarm (mean 0.03, sum 2).
    """
    rng = np.random.default_rng(seed)
    seen_rate, false_rate = 0.7, 0.03
    precise = prevalence * seen_rate / (prevalence * seen_rate + (1 - prevalence) * false_rate)
    rows = []
    for _ in range(runs):
        violating, seeing, alarming = (rng.beta(2 * mean, 2 - 2 * mean, (frame, 1)) for mean in (prevalence, seen_rate, false_rate))
        human = rng.random((frame, per_episode)) < violating
        judge = rng.random((frame, per_episode)) < np.where(human, seeing, alarming)
        stratum = np.atleast_1d(judge.any(axis=1)).astype(np.int64)
        at = _drawn(rng.permutation(frame), stratum, labels // 3, labels)
        weight = np.repeat(np.bincount(stratum)[stratum[at]] / np.bincount(stratum[at])[stratum[at]], per_episode)
        episodes = np.repeat(np.arange(labels), per_episode)
        held = []
        for unit in (episodes, np.arange(len(episodes))):
            found = detection(human[at].ravel(), judge[at].ravel(), unit, weight)
            pairs = ((found.recall, seen_rate), (found.precision, precise))
            held += [np.nan if one is None else float(one.low <= true <= one.high) for one, true in pairs]
        rows.append(held)
    return TurnRates(*map(float, np.nanmean(np.array(rows), axis=0)))


def turns_table(runs: int, seed: int) -> Iterator[str]:
    """Yield the lines of a table of operating figures."""
    yield "\nrecall and precision per turn: how often intervals hold, and if turns were independent"
    yield "prevalence    recall  precision  naive recall  precision"
    for prevalence in (0.02, 0.05, 0.1, 0.3):
        yield f"{prevalence:10.2f}  {turns(prevalence, runs=runs, seed=seed)}"
