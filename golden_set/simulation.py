"""Simulated judges with a known drift, to see how often the gate is right; `python -m golden_set.simulation` prints its operating figures.

Ratings are whole levels of a 1-5 scale. A rating is a latent opinion of the turn plus noise, rounded: part of the noise is shared by
the turns of a dialogue (they show the same words), part is the turn's own, and a small part is shared by the whole run. None of it
comes from a real judge; `docs/golden-set.md` says which figures are assumptions.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from golden_set.decision import Decision
from golden_set.equivalence import ALPHA, decide, shift
from golden_set.sequential import Look, looks
from golden_set.sheet import FloatArray

MARGIN = 0.15
TURNS = 5
BASELINE = 10  # runs of it
TOGETHER = 50  # simulated judges drawn at a time
ONCE = (Look(60, 0, ALPHA),)


@dataclass(frozen=True, slots=True)
class Noise:
    """How a judge's ratings vary from run to run, as standard deviations in levels.

    `shared` is the part of the variance that all turns of a dialogue have in common.
    """

    rating: float = 0.4
    shared: float = 0.1
    run: float = 0.01


def opinions(rng: np.random.Generator, episodes: int, turns: int = TURNS) -> FloatArray:
    """Return latent opinions of turns, shape (episodes, turns): good and bad dialogues, better and worse turns in them."""
    return np.asarray(np.clip(rng.normal(3, 0.8, (episodes, 1)) + rng.normal(0, 0.6, (episodes, turns)), 1.2, 4.8))


def expected(latent: FloatArray, noise: Noise) -> FloatArray:
    """Return the mean rating that latent opinions lead to after rounding."""
    sd = np.hypot(noise.rating, noise.run)
    return np.asarray(1.0 + sum(stats.norm.sf((edge - latent) / sd) for edge in (1.5, 2.5, 3.5, 4.5)))


def latent_drift(latent: FloatArray, wanted: float, noise: Noise) -> float:
    """Return by how much all opinions must move for the mean rating to move by `wanted`: rounding and the ends of the scale eat some."""
    before = expected(latent, noise).mean()
    return float(optimize.brentq(lambda by: expected(latent + by, noise).mean() - before - wanted, -2, 2))


def rated(rng: np.random.Generator, latent: FloatArray, noise: Noise, runs: int) -> FloatArray:
    """Return ratings, whole levels, shape (runs, *latent.shape).

    Args:
        latent: opinions, shape (judges, ..., episodes, turns); a run of a judge has one mood on all of it.
    """
    shape = (runs, *latent.shape)
    common = rng.normal(0, noise.rating * np.sqrt(noise.shared), (*shape[:-1], 1))
    own = rng.normal(0, noise.rating * np.sqrt(1 - noise.shared), shape)
    mood = rng.normal(0, noise.run, (runs, len(latent), *(1 for _ in latent.shape[1:])))
    return np.asarray(np.clip(np.rint(latent + common + own + mood), 1, 5))


@dataclass(frozen=True, slots=True)
class Rates:
    """How often a gate said what, and how many ratings of a dialogue it took on average."""

    passed: float
    failed: float
    undecided: float
    asked: float

    def __str__(self) -> str:
        return f"PASS {self.passed:.3f}  FAIL {self.failed:.3f}  UNDECIDED {self.undecided:.3f}  asked {self.asked:5.1f}"


def operating(
    drift: float,
    plan: Iterable[Look],
    *,
    sims: int,
    seed: int,
    criteria: int = 1,
    noise: Noise | None = None,
    unit: Callable[[FloatArray], FloatArray] | None = None,
) -> Rates:
    """Return how the gate's drift test decides when the mean of every criterion has moved by `drift`.

    Args:
        plan: the looks; the last one says how many episodes there are.
        criteria: how many there are; all must pass, and each moved one fails at its share of the level.
        unit: what of the differences (episodes, turns) counts as one observation; by default the episode's mean.
    """
    noise, looked, mean_of = noise or Noise(), tuple(plan), unit or (lambda turns: turns.mean(1))
    rng = np.random.default_rng(seed)
    episodes, runs = looked[-1].episodes, looked[-1].run + 1
    said, asked = dict.fromkeys(Decision, 0), 0
    latent = opinions(rng, 4000)
    moved_by = latent_drift(latent, drift, noise) if drift else 0.0
    for begin in range(0, sims, TOGETHER):
        here = latent[rng.integers(0, len(latent), (min(TOGETHER, sims - begin), criteria, episodes))]
        base = rated(rng, here, noise, BASELINE).mean(0)
        now = rated(rng, here + moved_by, noise, runs)
        for one in range(len(here)):
            decision, calls = _one(now[:, one], base[one], looked, mean_of)
            said[decision] += 1
            asked += calls
    return Rates(said[Decision.PASS] / sims, said[Decision.FAIL] / sims, said[Decision.UNDECIDED] / sims, asked / sims)


def _one(now: FloatArray, base: FloatArray, plan: tuple[Look, ...], mean_of: Callable[[FloatArray], FloatArray]) -> tuple[Decision, int]:
    """Return one gate's decision, and how many ratings of a dialogue it took. `now` has the shape (runs, criteria, episodes, turns)."""
    _, criteria, episodes, _ = now.shape
    decision, asked = Decision.UNDECIDED, 0
    for look in plan:
        differences = now[: look.run + 1, :, : look.episodes].mean(0) - base[:, : look.episodes]
        asked = look.episodes + look.run * episodes
        found = [_decided(mean_of(one), look.level, criteria) for one in differences]
        if Decision.FAIL in found:
            return Decision.FAIL, asked
        if all(one is Decision.PASS for one in found):
            return Decision.PASS, asked
    return decision, asked


def _decided(differences: FloatArray, level: float, criteria: int) -> Decision:
    decision = decide(shift(differences, level), MARGIN)
    if decision is Decision.FAIL and criteria > 1:
        return decide(shift(differences, level / criteria), MARGIN)
    return decision


def main() -> None:
    """Print the operating figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sims", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    plans = {
        "60 episodes, one look": ONCE,
        "60 episodes, looks on the way": looks(60, 1, ALPHA),
        "62 episodes, looks on the way, up to 3 runs": looks(62, 3, ALPHA),
        "62 episodes, looks after whole runs, up to 3": looks(62, 3, ALPHA, often=False),
    }
    sys.stdout.write(f"margin {MARGIN}, {TURNS} turns an episode, baseline of {BASELINE} runs, {Noise()}, {given.sims} simulations\n")
    for criteria in (1, 7):
        for name, plan in plans.items():
            sys.stdout.write(f"\n{name}; {criteria} criteria, all of which move\n")
            for drift in (0.0, 0.05, 0.10, MARGIN, 0.20, 0.30, 0.50):
                count = given.sims if criteria == 1 else given.sims // 4
                sys.stdout.write(f"  drift {drift:.2f}  {operating(drift, plan, sims=count, seed=given.seed, criteria=criteria)}\n")
                sys.stdout.flush()
    naive = operating(MARGIN, ONCE, sims=given.sims, seed=given.seed, unit=np.ravel)
    sys.stdout.write(f"\nthe defect: turns as independent observations, drift {MARGIN}  {naive}\n")


if __name__ == "__main__":
    main()
