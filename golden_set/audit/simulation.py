"""Simulated audits with known truth, to see whether intervals hold and how many labels the judge saves.

`python -m golden_set.audit.simulation` prints the figures as tables. Ratings are whole levels of a 1-5 scale, several turns an episode.
People rate a latent quality that turns of an episode share in part; the judge sees half of its range, 0.6 levels too high, with noise
that the turns of an episode share and that is larger for bad episodes. How much noise is set so that the two agree as wanted (the
correlation of episode means). None of it comes from a real judge.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from golden_set.audit.ppi import estimate
from golden_set.audit.simulation_rare import rare_table, turns_table
from golden_set.sheet import BoolArray, FloatArray, IntArray

FRAME = 2000
TURNS = 5
BIAS = 0.6
COMPRESSED = 0.5
TOGETHER = 100  # simulated logs at a time


@dataclass(frozen=True)
class Log:
    """Simulated scored episodes: ratings of turns by people and judge, shape (runs, episodes, turns), and outcomes, (runs, episodes)."""

    human: NDArray[np.float32]
    judge: NDArray[np.float32]
    outcome: IntArray


def simulated(rng: np.random.Generator, runs: int, episodes: int, noise: float, turns: int = TURNS) -> Log:
    """Return logs whose judge has the given noise (standard deviation in levels); infinite noise is a judge that sees nothing."""
    shape, whole = (runs, episodes, turns), (runs, episodes, 1)

    def normal(size: tuple[int, ...]) -> NDArray[np.float32]:
        return rng.standard_normal(size, dtype=np.float32)

    good = 0.8 * normal(whole)
    seen = good + 0.6 * normal(shape)
    human = np.clip(np.rint(3.2 + seen + 0.3 * normal(shape)), 1, 5)
    outcome = np.digitize((good + normal(whole))[..., 0], (-0.8, 0.5))
    if np.isfinite(noise):
        seen = seen + np.float32(noise) * np.exp(-0.35 * good) * (0.8 * normal(whole) + 0.6 * normal(shape))
    else:
        seen = 0.8 * normal(whole) + 0.6 * normal(shape)
    judge = np.clip(np.rint(3.2 + BIAS + COMPRESSED * seen), 1, 5)
    return Log(human, judge, outcome)


@cache
def noise_for(correlation: float) -> float:
    """Return the noise with which episode means of judge and people correlate as wanted."""
    if correlation == 0:
        return float("inf")

    def off(noise: float) -> float:
        log = simulated(np.random.default_rng(11), 1, 40_000, noise)
        return float(np.corrcoef(log.human[0].mean(1), log.judge[0].mean(1))[0, 1]) - correlation

    return float(optimize.brentq(off, 0, 40, xtol=0.003))


@cache
def truth() -> float:
    """Return people's mean rating of the process, from 1.5 million episodes."""
    rng = np.random.default_rng(12)
    return float(np.mean([simulated(rng, 1, 50_000, 0.0).human.mean() for _ in range(30)]))


def bands(judge: FloatArray, outcome: IntArray) -> IntArray:
    """Return strata: thirds of the judge's ratings within outcomes. Both have the shape (episodes,)."""
    third = np.searchsorted(np.quantile(judge, (1 / 3, 2 / 3)), judge)
    return np.asarray(3 * outcome + third, dtype=np.int64)


def allocated(size: IntArray, count: int) -> IntArray:
    """Return how many of `count` episodes each stratum gets: in proportion to its size, two at least where it has them."""
    share = np.maximum(count * size / size.sum(), np.minimum(size, 2))
    given = np.floor(share).astype(np.int64)
    given[np.argsort(given - share, kind="stable")[: max(count - int(given.sum()), 0)]] += 1
    return np.asarray(np.minimum(given, size))


def drawn(order: IntArray, stratum: IntArray, counts: IntArray) -> IntArray:
    """Return the first episodes of a random order, so many of each stratum. Strata are numbered from 0."""
    sizes = np.bincount(stratum, minlength=len(counts))
    by_stratum = order[np.argsort(stratum[order].astype(np.int8), kind="stable")]
    rank = np.arange(len(stratum)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.asarray(by_stratum[rank < np.repeat(counts, sizes)])


@dataclass(frozen=True, slots=True)
class Plan:
    """A way to audit a simulated log.

    Attributes:
        labels: labelled episodes.
        stratified: by outcome and score band, else a simple random sample.
        half: whether the mean of a random half of the episodes is wanted, such as of one of two policies.
    """

    labels: int
    stratified: bool = True
    half: bool = False

    def __str__(self) -> str:
        return f"{self.labels:4d} {'strata' if self.stratified else 'simple'} {'half' if self.half else 'all '}"


@dataclass(frozen=True, slots=True)
class Rates:
    """How estimates did over many simulated audits.

    Attributes:
        coverage, people_coverage: how often the 95 % interval held the truth of the process.
        naive: the same if turns were independent.
        error, people_error: root mean squared errors of both and of people alone, against the mean of the frame.
        claimed: the gain as the estimates themselves state it, the median.
        bias: of both, in standard errors of a single estimate.
        tuning: the mean lambda.
    """

    coverage: float
    people_coverage: float
    naive: float
    error: float
    people_error: float
    claimed: float
    bias: float
    tuning: float

    @property
    def gain(self) -> float:
        """The mean squared error of people alone over that of both."""
        return (self.people_error / self.error) ** 2

    def __str__(self) -> str:
        return (
            f"{self.coverage:8.3f} {self.people_coverage:8.3f} {self.naive:8.3f} {self.gain:8.2f} {1 - 1 / self.gain:8.1%}"
            f" {self.claimed:8.2f} {self.bias:+8.3f} {self.tuning:8.2f}"
        )


COLUMNS = "coverage   people    naive     gain    saved  claimed  bias/se   lambda"


def audits(correlation: float, plans: Sequence[Plan], *, runs: int, seed: int, frame: int = FRAME) -> dict[Plan, Rates]:
    """Return how estimates of a mean rating do; every plan sees the same logs.

    Args:
        correlation: of judge and people, between episode means.
        frame: episodes of a log.
    """
    rng = np.random.default_rng(seed)
    rows: dict[Plan, list[tuple[float, ...]]] = {plan: [] for plan in plans}
    for begin in range(0, runs, TOGETHER):
        log = simulated(rng, min(TOGETHER, runs - begin), frame, noise_for(correlation))
        for turns, judged, outcome in zip(log.human, log.judge, log.outcome, strict=True):
            strata = bands(judged.mean(1), outcome)
            order, half = rng.permutation(frame), rng.random(frame) < 0.5
            means = turns.mean(1, dtype=float), judged.mean(1, dtype=float)
            for plan in plans:
                stratum = strata if plan.stratified else np.zeros_like(strata)
                rows[plan] += _audited(turns, judged, means, stratum, order, half | (not plan.half), plan.labels)
    return {plan: _rates(np.array(found)) for plan, found in rows.items()}


def _audited(
    turns: NDArray[np.float32],
    judged: NDArray[np.float32],
    means: tuple[FloatArray, FloatArray],
    stratum: IntArray,
    order: IntArray,
    inside: BoolArray,
    labels: int,
) -> list[tuple[float, ...]]:
    """Return one audit of one log, whose episodes have the `means` of turns by people and judge; nothing where it is not known."""
    human, judge = means
    at = drawn(order, stratum, allocated(np.bincount(stratum), labels))
    found = estimate(human[at], judge[at], stratum[at], judge, stratum, inside[at], inside, share=False)
    if found is None:
        return []
    rest = (turns[at[inside[at]]] - found.tuning * judged[at[inside[at]]]).ravel()
    held = (
        found.low <= truth() <= found.high,
        found.people.low <= truth() <= found.people.high,
        abs(found.value - truth()) <= 1.96 * rest.std(ddof=1) / np.sqrt(len(rest)),  # the defect: turns as independent observations
    )
    mean = float(human[inside].mean())
    return [(*map(float, held), found.value - mean, found.people.value - mean, found.gain, found.se, found.tuning)]


def _rates(rows: FloatArray) -> Rates:
    holds, people, naive, both_off, people_off, claimed, se, tuning = rows.T
    errors = np.sqrt(np.mean(both_off**2)), np.sqrt(np.mean(people_off**2))
    parts = (holds.mean(), people.mean(), naive.mean(), *errors, np.median(claimed), both_off.mean() / se.mean(), tuning.mean())
    return Rates(*map(float, parts))


def main() -> None:
    """Print the operating figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sims", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    plans = [Plan(n, stratified, half) for stratified, half in ((True, False), (True, True), (False, False)) for n in (40, 80, 120, 200)]
    sys.stdout.write(f"{FRAME} episodes of {TURNS} turns, {given.sims} simulations; truth {truth():.4f}\n")
    sys.stdout.write("gain: mean squared error of people alone over both; against simple: people of a simple random sample over both\n")
    for correlation in (0.0, 0.2, 0.5, 0.58, 0.7, 0.71, 0.86, 0.9):
        sys.stdout.write(f"\ncorrelation {correlation}\nplan             {COLUMNS}   against simple\n")
        some = [plan for plan in plans if correlation not in (0.58, 0.71, 0.86) or (plan.labels == 120 and not plan.half)]
        found = audits(correlation, some, runs=given.sims, seed=given.seed)
        for plan, rates in found.items():
            simple = "" if plan.half else f"{(found[Plan(plan.labels, False)].people_error / rates.error) ** 2:8.2f}"
            sys.stdout.write(f"{plan} {rates} {simple}\n")
        sys.stdout.flush()
    for table in (rare_table, turns_table):
        for line in table(given.sims, given.seed):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
