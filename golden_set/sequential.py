"""When to look, and how sure one must be at each look, so that looking often costs no more error than looking once.

Method: group-sequential testing with an error-spending function (Lan and DeMets 1983; its form is the one like Pocock's, since the
point is to stop early). Assumes that looks are planned by how much was asked, never by what was seen, and that the estimates have
independent increments, which means of ever more episodes have. Repeats of the same episodes bring less information than is
counted here where the change itself differs between episodes: looks then are more alike than assumed, and the error is smaller.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import integrate, optimize, stats

NODES = 801  # of the grid on which the distribution of a test that has not stopped is kept
REACH = 9.0  # standard deviations that it covers
FIRST, STEP = 10, 5  # episodes before the first look, and between looks
IN_FIRST_RUN = 0.8  # of the error may be spent on the first run: most judges are clear by its end, and few need a second one


@dataclass(frozen=True, slots=True)
class Look:
    """A planned look: after `episodes` of run number `run` (earlier runs are whole), with the level of each one-sided test then."""

    episodes: int
    run: int
    level: float


def spent(time: float, alpha: float) -> float:
    """Return how much of the error `alpha` may be spent up to a time between 0 and 1."""
    return alpha * math.log1p((math.e - 1) * min(1.0, time))


def levels(fractions: Sequence[float], alpha: float, times: Sequence[float] | None = None) -> list[float]:
    """Return the one-sided nominal level of each look, so that the chance that any of them errs is `alpha`.

    Args:
        fractions: of the information, increasing, in (0, 1].
        alpha: the error over all looks, for one side.
        times: how far the spending has gone at each look, increasing, in (0, 1]; by default the fractions themselves.

    The distribution of the test that has not stopped is carried from look to look on a grid (Armitage, McPherson and Rowe 1969).
    """
    found: list[float] = []
    density: np.ndarray = np.empty(0)
    grid: np.ndarray = np.empty(0)
    before = gone = 0.0
    for at, (fraction, time) in enumerate(zip(fractions, times or fractions, strict=True)):
        now = spent(time, alpha) - gone
        sd = math.sqrt(fraction)
        if at == 0:
            limit = float(stats.norm.isf(now)) * sd
        else:
            step = math.sqrt(fraction - before)

            def beyond(cut: float, grid: np.ndarray = grid, density: np.ndarray = density, step: float = step) -> float:
                return float(integrate.simpson(density * stats.norm.sf((cut - grid) / step), x=grid))

            limit = float(optimize.brentq(lambda cut, now=now: beyond(cut) - now, -REACH * sd, REACH * sd, xtol=1e-10))
        fresh = np.linspace(-REACH * sd, limit, NODES)
        if at == 0:
            density = stats.norm.pdf(fresh, scale=sd)
        else:
            density = integrate.simpson(density * stats.norm.pdf((fresh[:, None] - grid) / step) / step, x=grid, axis=1)
        grid, before, gone = fresh, fraction, spent(time, alpha)
        found.append(float(stats.norm.sf(limit / sd)))
    return found


@cache
def looks(episodes: int, runs: int, alpha: float, *, often: bool = True) -> tuple[Look, ...]:
    """Return the plan for so many episodes, each rated up to `runs` times: the first run part by part, then run by run.

    Args:
        often: False looks at whole runs only, which is for judges that cost nothing.
    """
    parts = [*range(FIRST, episodes - STEP + 1, STEP)] if often else []
    planned = [(n, 0) for n in parts] + [(episodes, run) for run in range(runs)]
    fractions = [(n + run * episodes) / (episodes * runs) for n, run in planned]
    share = IN_FIRST_RUN if runs > 1 else 1.0
    times = [share * n / episodes if run == 0 else share + (1 - share) * run / (runs - 1) for n, run in planned]
    return tuple(Look(n, run, level) for (n, run), level in zip(planned, levels(fractions, alpha, times), strict=True))
