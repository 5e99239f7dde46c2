"""Ratings whose variance components are known, and what the study makes of them: `python -m golden_set.simulation_variance` prints it.

For each world: the mean of the estimated components beside the truth, and how often the interval of Φ holds the true Φ; beside it,
how often percentiles of a bootstrap of episodes do, which is why variance.py does not use them.
"""

import argparse
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from golden_set.sheet import FloatArray, IntArray
from golden_set.variance import ITEM, Components, Span, Study, episode_sums, mean_squares, variances

RESAMPLES = 1000
TRUTH_EPISODES, TRUTH_PROMPTS, TRUTH_TIMES = 3000, 30, 60  # where a truth is not known in closed form


@dataclass(frozen=True, slots=True)
class World:
    """How ratings come about. `clustered` is the share of each variance but the prompt's that the turns of an episode have in common.

    With `levels`, ratings are rounded to 1..levels; with `rare`, they are 0 below and 1 above this many standard deviations.
    """

    name: str
    truth: Components
    episodes: int = 60
    turns: int = 5
    prompts: int = 6
    runs: int = 2
    clustered: float = 0.3
    levels: int | None = None
    rare: float | None = None


TYPICAL = Components(0.64, 0.0225, 0.1225, 0.09)
WORLDS = (
    World("turns, typical", TYPICAL),
    World("episodes, typical", TYPICAL, turns=1),
    World("turns, levels 1-5", TYPICAL, levels=5),
    World("episodes, levels 1-5", TYPICAL, turns=1, levels=5),
    World("30 episodes", TYPICAL, episodes=30, turns=1),
    World("three prompts", TYPICAL, prompts=3),
    World("strong prompts", Components(0.5, 0.1, 0.1, 0.1)),
    World("hardly any noise", Components(0.64, 0.002, 0.02, 0.02), clustered=0.5),
    World("half of turns 1", Components(1.0, 0.02, 0.1, 0.1), rare=0.0),
    World("one turn in 10 is 1", Components(1.0, 0.02, 0.1, 0.1), rare=1.4),
    World("one turn in 30 is 1", Components(1.0, 0.02, 0.1, 0.1), rare=2.0),
)


def ratings(world: World, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
    """Return ratings (items, prompts, runs) and the episode of each item."""
    episode = np.repeat(np.arange(world.episodes), world.turns)

    def effect(variance: float, *shape: int) -> FloatArray:
        shared = rng.standard_normal((world.episodes, *shape))[episode]
        own = rng.standard_normal((len(episode), *shape))
        mixed = np.sqrt(world.clustered) * shared + np.sqrt(1 - world.clustered) * own
        return np.asarray(np.sqrt(variance) * mixed)

    truth, prompts, runs = world.truth, world.prompts, world.runs
    values = effect(truth.item)[:, None, None] + effect(truth.item_prompt, prompts)[:, :, None] + effect(truth.residual, prompts, runs)
    values = values + np.sqrt(truth.prompt) * rng.standard_normal(prompts)[None, :, None]
    if world.levels:
        values = np.clip(np.round(values + 0.6 + world.levels / 2), 1, world.levels)
    if world.rare is not None:
        values = (values > world.rare).astype(float)
    return values, episode


def true_components(world: World, seed: int = 0) -> Components:
    """Return the components; where ratings are levels, those of very many of them."""
    if not world.levels and world.rare is None:
        return world.truth
    large = replace(world, episodes=TRUTH_EPISODES, prompts=TRUTH_PROMPTS, turns=1)
    rng = np.random.default_rng([seed, 1])
    found = [Study.of(*ratings(large, rng)).estimates for _ in range(TRUTH_TIMES)]
    return Components(*np.maximum(np.mean(found, axis=0), 0.0).tolist())


def bootstrap_span(values: FloatArray, episode: IntArray, rng: np.random.Generator) -> Span:
    """Return the 2.5 and 97.5 % percentiles of Φ over resampled episodes: the method that is not used."""
    _, prompts, runs = values.shape
    episodes = int(episode.max()) + 1
    times = rng.multinomial(episodes, np.full(episodes, 1 / episodes), RESAMPLES).astype(float)  # how often each is drawn
    drawn = times @ episode_sums(values, episode, episodes)
    parts = np.maximum(variances(mean_squares(drawn, prompts, runs), drawn[:, 0], prompts, runs), 0.0)
    found = parts[:, ITEM] / parts.sum(1)
    low, high = np.quantile(found, [0.025, 0.975])
    return Span(float(low), float(high))


@dataclass(frozen=True, slots=True)
class Recovery:
    """What came of many studies: components in the order of `variance.ITEM`…, their mean's standard error, and coverage of Φ."""

    truth: Components
    mean: FloatArray
    se: FloatArray
    covered: float
    below: float  # share of intervals that lie wholly below the truth
    above: float
    percentiles: float | None  # coverage of percentiles of a bootstrap
    supported: float  # share of studies with enough support; the others never decide


def recover(world: World, times: int, seed: int = 0, *, prompts: int = 1, bootstraps: int = 0, spans: bool = True) -> Recovery:
    """Return how well a world's components and Φ (for so many prompts and one run) are found in `times` studies of it.

    Args:
        bootstraps: of how many of them percentiles of a bootstrap are taken as well.
        spans: whether intervals are of interest; without, nothing is covered.
    """
    truth = true_components(world)
    phi = truth.phi(prompts) or 0.0
    estimates, held, boot, supported = [], [], [], 0
    for number in range(times):
        rng = np.random.default_rng([seed, 2, number])
        values, episode = ratings(world, rng)
        study = Study.of(values, episode)
        estimates.append(study.estimates)
        span = (study.phi_span(prompts) if spans else None) or Span(0.0, 1.0)
        supported += study.supported
        held.append((span.low <= phi <= span.high, span.high < phi, span.low > phi))
        if number < bootstraps:
            drawn = bootstrap_span(values, episode, rng)
            boot.append(drawn.low <= phi <= drawn.high)
    covered, below, above = (float(share) for share in np.mean(held, axis=0))
    mean, se = np.mean(estimates, axis=0), np.std(estimates, axis=0, ddof=1) / np.sqrt(times)
    return Recovery(truth, mean, se, covered, below, above, float(np.mean(boot)) if boot else None, supported / times)


def main(argv: list[str] | None = None) -> None:
    """Print recovery and coverage for every world."""
    parser = argparse.ArgumentParser(prog="python -m golden_set.simulation_variance", description=__doc__)
    parser.add_argument("--times", type=int, default=2000, help="studies of each world")
    parser.add_argument("--bootstraps", type=int, default=200, help="of them, so many with a bootstrap as well")
    parser.add_argument("--seed", type=int, default=0)
    given: Any = parser.parse_args(argv)
    print(f"{given.times} studies of each world; z: (mean estimate - truth) / its standard error, of item, prompt, item×prompt, run")
    for world in WORLDS:
        found = recover(world, given.times, given.seed, bootstraps=given.bootstraps)
        truth = np.array([found.truth.item, found.truth.prompt, found.truth.item_prompt, found.truth.residual])
        z = " ".join(f"{value:+.1f}" for value in (found.mean - truth) / found.se)
        three = recover(world, given.times // 2, given.seed + 1, prompts=3).covered
        print(
            f"{world.name:22} Φ {found.truth.phi():.3f}  coverage {found.covered:.3f} (below {found.below:.3f}, above {found.above:.3f}), "
            f"of 3 prompts {three:.3f}, percentiles {found.percentiles or 0:.3f}; supported {found.supported:.0%}; z {z}",
            flush=True,
        )


if __name__ == "__main__":
    main()
