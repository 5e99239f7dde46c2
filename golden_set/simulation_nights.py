"""Nights of a made-up judge, to measure the monitor on: rounded ratings, clustered by episode, with a night effect.

`python -m golden_set.simulation_nights` prints the monitor's operating figures as a table; it takes a few minutes.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from golden_set.level import learn
from golden_set.monitor import DESIGN, Design, Monitor
from golden_set.sheet import FloatArray

NEVER = 10**9


@dataclass(frozen=True)
class Truth:
    """How the made-up judge rates, in levels of its scale. Each item has an opinion that lasts, normal with `centre` and `spread`.

    A rating is the opinion, plus noise (of which `icc` is shared within an episode), plus the night's effect, plus drift, rounded and
    clipped to the scale. The noise is meant before rounding; after it, the standard deviation of a rating is 0.49 instead of 0.4.
    """

    episodes: int = 40
    turns: int = 5
    noise: float = 0.4
    icc: float = 0.1
    night: float = 0.01
    low: int = 1
    high: int = 5
    centre: float = 3.4
    spread: float = 0.9


@dataclass(frozen=True)
class Baseline:
    """What is known before the watch: runs, all made on one day, and whether the burn-in nights are pooled with them."""

    runs: int = 10
    pooled: bool = True


REFERENCE, TRUTH = Baseline(), Truth()
NOISY = Baseline(runs=3, pooled=False)  # with `INTOLERANT`, a monitor that must be seen to fail
INTOLERANT = replace(DESIGN, tolerance=0.0, noisy=0.0)
ONE_RUN = replace(DESIGN, again=0)  # no fresh runs on suspicion


@dataclass(frozen=True)
class Figures:
    """What came of it: alarms and suspicions per 10,000 nights of a watch, and each watch's first night of alarm after the drift."""

    alarms: float
    suspicions: float
    first: FloatArray

    def within(self, nights: int) -> float:
        """Return the share of watches that alarmed within so many nights of the drift."""
        return float((self.first <= nights).mean())


class Nights:
    """Makes nights of many independent series, side by side."""

    def __init__(self, truth: Truth, series: int, seed: int) -> None:
        self.truth, self.series = truth, series
        self._random = np.random.default_rng(seed)
        shape = (series, truth.episodes, truth.turns)
        self._opinions = np.clip(self._random.normal(truth.centre, truth.spread, shape), truth.low, truth.high).astype(np.float32)
        self._own = np.float32(truth.noise * np.sqrt(1 - truth.icc))
        self._shared = np.float32(truth.noise * np.sqrt(truth.icc))

    def effect(self) -> FloatArray:
        """Return tonight's effect on each series."""
        return np.asarray(self._random.normal(0, self.truth.night, self.series))

    def rated(self, moved: FloatArray, which: Iterable[int] | None = None, runs: int = 1) -> FloatArray:
        """Return the mean rating of each episode over runs, shape (series, episodes), the series' opinions moved so far."""
        chosen = slice(None) if which is None else np.fromiter(which, int)
        opinions = self._opinions[chosen] + np.asarray(moved, np.float32)[chosen, None, None]
        total = np.zeros(opinions.shape[:2])
        for _ in range(runs):
            said = self._random.standard_normal(opinions.shape, np.float32)
            said *= self._own
            said += self._shared * self._random.standard_normal((*opinions.shape[:2], 1), np.float32)
            said += opinions
            np.clip(np.rint(said, out=said), self.truth.low, self.truth.high, out=said)
            total += said.mean(2)
        return np.asarray(total / runs)


def simulate(
    watches: int,
    nights: int,
    *,
    seed: int,
    drift: float = 0.0,
    drifting: int | None = None,
    quiet: int = 0,
    criteria: int = 1,
    truth: Truth = TRUTH,
    baseline: Baseline = REFERENCE,
    design: Design = DESIGN,
) -> Figures:
    """Return what the monitor says of watches over drifting (or not) nights after its burn-in.

    Args:
        drift: in levels, from the first night after `quiet` ones on.
        drifting: how many of the criteria drift; all by default.
    """
    judge = Nights(truth, watches * criteria, seed)
    first_day = judge.rated(judge.effect(), runs=baseline.runs)
    burn_in = [judge.rated(judge.effect()) for _ in range(design.burn_in)]
    span = truth.high - truth.low
    shape = (watches, criteria, truth.episodes)
    values = np.stack([first_day, *burn_in]).reshape(-1, *shape)
    level = learn(values, np.array([baseline.runs, *[1] * design.burn_in]), (design.night * span) ** 2)
    if not baseline.pooled:
        level = replace(level, means=values[0])
    monitor = Monitor(level.noise, np.full(shape[:2], float(span)), design)
    drifts = np.zeros(shape[:2])
    drifts[:, : criteria if drifting is None else drifting] = drift
    alarms = suspicions = 0
    first = np.full(watches, float(NEVER))
    for night in range(quiet + nights):
        moved = judge.effect() + (drifts.ravel() if night >= quiet else 0.0)
        monitor.night(level.shift(judge.rated(moved).reshape(shape))[0])
        suspected = monitor.suspected
        if not suspected.any():
            continue
        suspicions += int(suspected.sum())
        if design.again:
            fresh = np.full((watches * criteria, truth.episodes), np.nan)
            which = np.flatnonzero(np.repeat(suspected, criteria))
            fresh[which] = judge.rated(moved, which, design.again)
            monitor.again(level.shift(fresh.reshape(shape))[0])
        alarmed = monitor.alarmed & suspected
        alarms += int(alarmed.sum())
        if night >= quiet:
            first = np.where(alarmed & (first == NEVER), night - quiet + 1.0, first)
        monitor.restart(alarmed)
    total = watches * (quiet + nights) / 10_000
    return Figures(alarms / total, suspicions / total, first)


@dataclass(frozen=True)
class Row:
    """A row of the table: what is simulated."""

    told: str
    watches: int
    nights: int
    drift: float = 0.0
    drifting: int | None = None
    quiet: int = 0
    criteria: int = 1
    truth: Truth = TRUTH
    baseline: Baseline = REFERENCE
    design: Design = DESIGN

    def simulate(self, seed: int) -> Figures:
        """Return its figures."""
        more = {name: getattr(self, name) for name in ("drift", "drifting", "quiet", "criteria", "truth", "baseline", "design")}
        return simulate(self.watches, self.nights, seed=seed, **more)


BINARY = Truth(low=0, high=1, centre=0.9, spread=0.25, noise=0.1, night=0.0025)
QUIET = (
    Row("one criterion, as specified", 200, 10_000),
    Row("the first year", 2000, 365),
    Row("no fresh runs on suspicion, first year", 2000, 365, design=ONE_RUN),
    Row("eight criteria as one watch", 200, 1000, criteria=8),
    Row("night SD 0 (assumed: 0.01)", 1000, 365, truth=Truth(night=0.0)),
    Row("night SD 0.02, first year", 1000, 365, truth=Truth(night=0.02)),
    Row("night SD 0.03, first year", 1000, 365, truth=Truth(night=0.03)),
    Row("ICC 0.5", 1000, 365, truth=Truth(icc=0.5)),
    Row("15 episodes only", 1000, 365, truth=Truth(episodes=15)),
    Row("a yes-or-no criterion, 90 % yes", 1000, 365, truth=BINARY),
    Row("baseline of 1 run, and the burn-in", 1000, 365, baseline=Baseline(runs=1)),
    Row("a shift of 0.03, never more", 1000, 365, drift=0.03),
    Row("3-run baseline, no tolerance", 300, 365, baseline=NOISY, design=INTOLERANT),
)
DRIFTING = (
    Row("one criterion", 4000, 14, 0.05),
    Row("one criterion", 4000, 14, 0.1),
    Row("one criterion", 4000, 14, 0.2),
    Row("one criterion", 4000, 14, 0.4),
    Row("one criterion, no fresh runs", 4000, 14, 0.1, design=ONE_RUN),
    Row("one criterion, no fresh runs", 4000, 14, 0.2, design=ONE_RUN),
    Row("one criterion, downwards", 4000, 14, -0.1),
    Row("one criterion, after 90 quiet nights", 4000, 14, 0.1, quiet=90),
    Row("one criterion, night SD 0.02", 4000, 14, 0.1, truth=Truth(night=0.02)),
    Row("one criterion, 400 items", 4000, 14, 0.1, truth=Truth(episodes=80)),
    Row("one criterion, noise 0.6", 4000, 14, 0.1, truth=Truth(noise=0.6)),
    Row("one of eight criteria", 1000, 14, 0.1, drifting=1, criteria=8),
    Row("one of eight criteria", 1000, 14, 0.2, drifting=1, criteria=8),
    Row("eight of eight criteria", 1000, 14, 0.1, criteria=8),
)


def main() -> None:
    """Print the operating figures."""
    console = Console()
    begun = time.perf_counter()
    quiet = Table("drift-free nights", "watches x nights", "alarms per 10,000", "re-runs per 10,000")
    for row in QUIET:
        found = row.simulate(1)
        quiet.add_row(row.told, f"{row.watches:,} x {row.nights:,}", f"{found.alarms:.2f}", f"{found.suspicions:.1f}")
    console.print(quiet)
    table = Table("drift", "of", "P(within 3 nights)", "P(within 7)", "P(within 14)", "median night")
    for row in DRIFTING:
        found = row.simulate(2)
        middle = float(np.median(found.first))
        shares = [f"{found.within(nights):.3f}" for nights in (3, 7, 14)]
        table.add_row(f"{row.drift:+.2f}", row.told, *shares, "-" if middle == NEVER else f"{middle:.0f}")
    console.print(table)
    console.print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
