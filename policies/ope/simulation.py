"""Whether intervals of off-policy estimates cover, and from which effective sample size on: `python -m policies.ope.simulation`."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from policies.ope.bootstrap import Kind, bootstrap
from policies.ope.evaluation import LOGGED, Evaluator, guaranteed
from policies.ope.known_logs import CASES, FAR, KnownLog
from policies.ope.overlap import too_little

LEVEL = 0.95
DRAWS = 1000
BINS = (0, 5, 10, 15, 20, 30, 50, 100, 10**9)


@dataclass(frozen=True, slots=True)
class Seen:
    """One interval of one log. `below` and `above` say whether the value lies outside a one-sided bound of the same level."""

    estimator: str
    bound: str
    covers: bool
    below: bool
    above: bool
    width: float
    ess: float
    refused: bool


def watch(known: KnownLog, episodes: int, sims: int, seed: int = 0, draws: int = DRAWS) -> Iterable[Seen]:
    """Yield what every interval says of the value, log after log."""
    for chance in np.random.SeedSequence(seed).spawn(sims):
        evaluator = Evaluator(known.log(episodes, chance), known.target)
        found = evaluator.overlap
        refused = too_little(found) is not None
        for name, one in bootstrap(evaluator.estimators(), np.random.default_rng(chance), draws).items():
            true = known.acted if name == LOGGED else known.value
            for kind in Kind:
                low, high = one.interval(LEVEL, kind)
                lowest, highest = one.interval(2 * LEVEL - 1, kind)
                yield Seen(name, kind, low <= true <= high, true < lowest, true > highest, high - low, found.ess, refused)
        lowest_highest = guaranteed(evaluator, known.low, known.high, 2 * LEVEL - 1)
        for name, bounded in guaranteed(evaluator, known.low, known.high, LEVEL).items():
            true = known.acted if name == LOGGED else known.value
            low, high, outer = bounded.low or 0.0, bounded.high or 0.0, lowest_highest[name]
            below, above = true < (outer.low or 0.0), true > (outer.high or 0.0)
            yield Seen(name, "bernstein", low <= true <= high, below, above, high - low, found.ess, refused)


def coverage(sims: int, sizes: Sequence[int]) -> Iterable[str]:
    """Yield the table of coverage, of logs that are not refused."""
    yield f"{sims} logs a line; 95 % intervals: how many cover; in brackets how many one-sided 95 % bounds miss, below / above"
    for name, make in CASES.items():
        for episodes in sizes:
            groups: dict[str, dict[str, list[Seen]]] = defaultdict(lambda: defaultdict(list))
            every: list[float] = []
            for seen in watch(make(), episodes, sims, seed=episodes):
                every += [seen.ess] if (seen.estimator, seen.bound) == (LOGGED, "bernstein") else []
                if not seen.refused:
                    groups[seen.estimator][seen.bound].append(seen)
            kept = len(groups[LOGGED]["bernstein"])
            effective = f"effective {np.mean(every):.0f} (least {np.min(every):.0f})"
            yield f"\n{name}, {episodes} episodes: {effective}, refused {1 - kept / sims:.3f}"
            for estimator, bounds in groups.items():
                yield f"  {estimator:6} " + "  ".join(f"{bound} {_told(rows)}" for bound, rows in bounds.items())


def floor(sims: int) -> Iterable[str]:
    """Yield coverage by effective sample size, all logs together, and of targets so far from the actor that most logs are refused."""
    for name, cases in (("CASES", CASES), ("FAR", FAR)):
        yield f"{name} of known_logs: coverage (symmetric bootstrap, 95 %) by effective sample size; {sims} logs of 200 episodes a case"
        groups: dict[tuple[str, int], list[Seen]] = defaultdict(list)
        for make in cases.values():
            for seen in watch(make(), 200, sims, seed=7):
                if seen.bound == Kind.SYMMETRIC and seen.estimator in ("dr", "wpdis", "is"):
                    groups[seen.estimator, int(np.searchsorted(BINS, seen.ess, "right")) - 1].append(seen)
        for (estimator, at), rows in sorted(groups.items()):
            yield f"  {estimator:6} {BINS[at]:4} to {BINS[at + 1] if at + 2 < len(BINS) else '':4} {len(rows):6} logs  covers {_told(rows)}"


def _told(rows: Sequence[Seen]) -> str:
    covers, below, above = (float(np.mean([getattr(row, name) for row in rows])) for name in ("covers", "below", "above"))
    return f"{covers:.3f} ({below:.3f} / {above:.3f}) width {np.median([row.width for row in rows]):.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m policies.ope.simulation", description=__doc__)
    parser.add_argument("--sims", type=int, default=2000, help="simulated logs a line (default 2000)")
    parser.add_argument("--episodes", type=int, nargs="+", default=[200, 1000], help="of a log (default 200 and 1000)")
    parser.add_argument("--floor", action="store_true", help="print coverage by effective sample size instead")
    given = parser.parse_args(arguments)
    for line in floor(given.sims) if given.floor else coverage(given.sims, given.episodes):
        print(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
