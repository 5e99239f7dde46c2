"""Simulated audits of judges that are known, to see what calibration makes of them; `python -m golden_set.audit.simulation_calibration`.

People rate whole levels of a 1-5 scale, about five turns a dialogue; turns of a dialogue resemble each other. The judge's opinion
correlates with theirs as told, and part of its error is shared by the turns of a dialogue. None of it comes from a real judge.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from golden_set.audit.calibration import LEVEL, Fit, Shape, fit
from golden_set.audit.conformal import FEWEST
from golden_set.audit.monotone import HALF, Labelled, effective, fit_knots
from golden_set.sheet import FloatArray
from judge.rubric import Scale

SCALE = Scale(1, 5)
FRESH = 2000  # dialogues on which a fitted map is tried
TINY = 0.02  # levels of RMSE by which a judge that is perfect already may be made worse
BETWEEN, WITHIN = 0.8, 0.6  # standard deviations of people's opinions of dialogues, and of the turns of one
PERSON = 0.25  # of a person's rating around the opinion
SHARED = 0.3  # of the variance of the judge's error, by the turns of a dialogue
MOST = 0.93  # the correlation that a judge of people's very opinions has, more or less: ratings are rounded and people waver


class Kind(StrEnum):
    """How the judge puts its opinion into a rating."""

    LINEAR = "linear"  # whole levels, as wide apart as people's
    NARROW = "narrow"  # whole levels, less than half as wide
    CEILING = "ceiling"  # whole levels, squeezed at the top of the scale
    PERFECT = "perfect"  # what people say on average where its opinion is that: nothing to mend


@dataclass(frozen=True, slots=True)
class World:
    """A judge: the correlation of its opinion with people's ratings, how it rates, and by how many levels too high."""

    correlation: float
    kind: Kind = Kind.LINEAR
    bias: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind:8} corr {self.correlation:.1f} bias {self.bias:+.1f}"


def audit(rng: np.random.Generator, world: World, episodes: int, turns: int = 5) -> Labelled:
    """Return labels of so many dialogues, of 3 to 7 turns each where `turns` is 5; all weigh the same."""
    spread = turns // 2
    long = rng.integers(turns - spread, turns + spread + 1, episodes)
    episode = np.repeat(np.arange(episodes), long)
    opinion = rng.normal(0, BETWEEN, episodes)[episode] + rng.normal(0, WITHIN, len(episode))
    human = np.clip(np.rint(3 + opinion + rng.normal(0, PERSON, len(episode))), 1, 5)
    along = min(1.0, world.correlation / MOST)
    error = np.sqrt(SHARED) * rng.normal(size=episodes)[episode] + np.sqrt(1 - SHARED) * rng.normal(size=len(episode))
    judge = _put(along * opinion + np.sqrt(1 - along**2) * error, along, world)
    return Labelled(judge, human, np.ones(len(episode)), episode)


def _put(opinion: FloatArray, along: float, world: World) -> FloatArray:
    if world.kind is Kind.PERFECT:
        return np.asarray(np.clip(3 + along * opinion, 1, 5))
    level = 5.3 - np.exp(0.55 - 0.6 * opinion) if world.kind is Kind.CEILING else 3 + (0.4 if world.kind is Kind.NARROW else 1.0) * opinion
    return np.asarray(np.clip(np.rint(level + world.bias), 1, 5))


def error(said: FloatArray, human: FloatArray) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((said - human) ** 2)))


@dataclass(frozen=True, slots=True)
class Tried:
    """One fit, tried on fresh dialogues: errors of raw and of mapped ratings, how far the map rises, and the band's coverage."""

    fitted: Fit
    raw: float
    mapped: float
    rise: float
    covered: float | None


def try_out(world: World, episodes: int, *, sims: int, seed: int, turns: int = 5) -> list[Tried]:
    """Fit so many simulated audits of a judge and try every map on the same fresh dialogues."""
    rng = np.random.default_rng(seed)
    fresh = audit(rng, world, FRESH, turns)
    raw, tried = error(fresh.judge, fresh.human), []
    for _ in range(sims):
        fitted = fit(audit(rng, world, episodes, turns), SCALE)
        curve = fitted.curve
        if curve is None:
            tried.append(Tried(fitted, raw, raw, 4.0, None))
            continue
        said = np.interp(fresh.judge, curve.judged, curve.human)
        covered = None if curve.band is None else float(np.mean(np.abs(fresh.human - said) <= curve.band))
        tried.append(Tried(fitted, raw, error(said, fresh.human), curve.human[-1] - curve.human[0], covered))
    return tried


def worse(tried: Sequence[Tried], beyond: float = 1e-9) -> float:
    """Return how often mapping made the error on fresh dialogues larger, by more than `beyond`."""
    return float(np.mean([one.mapped > one.raw + beyond for one in tried]))


def shapes(tried: Sequence[Tried]) -> dict[Shape, float]:
    """Return how often each shape was chosen."""
    return {shape: float(np.mean([one.fitted.shape is shape for one in tried])) for shape in Shape}


def blends(world: World, labels: int, *, sims: int, seed: int) -> dict[str, float]:
    """Return the mean error on fresh ratings of linear, isotonic and blended maps, neither chosen nor drawn towards flat, and of the
    blend that is drawn. One rating a dialogue.
    """
    rng = np.random.default_rng(seed)
    fresh = audit(rng, world, 5 * FRESH, 1)
    ways = {"linear": (0.0, 1.0), "isotonic": (1.0, 1.0), "blend": (None, 1.0), "drawn": (None, None)}
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(sims):
        rows = audit(rng, world, labels, 1)
        for way, (blend, shrink) in ways.items():
            found[way].append(error(fit_knots(rows, SCALE, blend=blend, shrink=shrink).at(fresh.judge), fresh.human))
    return {"raw": error(fresh.judge, fresh.human)} | {way: float(np.mean(errors)) for way, errors in found.items()}


def counts(world: World, episodes: int, *, sims: int, seed: int) -> dict[str, float]:
    """Return the mean error on fresh dialogues of about five turns, of blends that take for n the number of labels, what they are worth,
    and the number of dialogues.
    """
    rng = np.random.default_rng(seed)
    fresh = audit(rng, world, FRESH)
    found: dict[str, list[float]] = {}
    for _ in range(sims):
        rows = audit(rng, world, episodes)
        for name, n in (("labels", len(rows.judge)), ("worth", effective(rows)), ("dialogues", episodes)):
            found.setdefault(name, []).append(error(fit_knots(rows, SCALE, blend=n / (n + HALF), shrink=1).at(fresh.judge), fresh.human))
    return {name: float(np.mean(errors)) for name, errors in found.items()}


CORRELATIONS = (0.0, 0.3, 0.5, 0.7, 0.9)
WORLDS = (
    *(World(corr, kind, bias) for kind in (Kind.LINEAR, Kind.NARROW, Kind.CEILING) for bias in (0.0, 0.6) for corr in CORRELATIONS),
    *(World(corr, Kind.PERFECT) for corr in (0.5, 0.7, 0.9)),
)
LABELS = (30, 100, 250, 1000)
TWO = (World(0.6, Kind.LINEAR, 0.6), World(0.7, Kind.CEILING, 0.6))  # where a line is right, and where it is not


def figures(sims: int) -> Iterable[str]:
    """Yield the lines that the module prints."""
    yield f"{sims} simulated audits a line, tried on {FRESH} fresh dialogues"
    yield f"judge                      episodes  raw   after  worse  >{TINY}  none  flat  as is curve  band covers"
    for world in WORLDS:
        for episodes in (30, 60, 200):
            yield _line(world, episodes, try_out(world, episodes, sims=sims, seed=episodes))
    yield f"\nRMSE by map; labels of one turn a dialogue\n{'judge':27}labels   raw linear isotonic blend drawn"
    for world in TWO:
        for labels in LABELS:
            found = blends(world, labels, sims=max(20, sims // 5), seed=labels)
            yield f"{world!s:27}{labels:6} " + " ".join(f"{value:6.3f}" for value in found.values())
    yield f"\nRMSE by what n of the blend counts\n{'judge':27}dialogues  labels  worth dialogues"
    for world in TWO:
        for episodes in (20, 60, 200):
            told = counts(world, episodes, sims=max(20, sims // 5), seed=episodes)
            yield f"{world!s:27}{episodes:9} " + " ".join(f"{value:7.4f}" for value in told.values())


def _line(world: World, episodes: int, tried: Sequence[Tried]) -> str:
    chosen = shapes(tried)
    covered = [one.covered for one in tried if one.covered is not None]
    told = f"{np.mean(covered):.3f} ({LEVEL})" if covered else f"fewer than {FEWEST} labels"
    after = np.mean([one.mapped for one in tried])
    parts = " ".join(f"{chosen[shape]:5.3f}" for shape in Shape)
    return f"{world!s:27}{episodes:5}   {tried[0].raw:5.3f} {after:5.3f}  {worse(tried):5.3f} {worse(tried, TINY):5.3f} {parts}  {told}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m golden_set.audit.simulation_calibration", description=__doc__)
    parser.add_argument("--sims", type=int, default=500, help="simulated audits a line (default 500)")
    for line in figures(parser.parse_args(arguments).sims):
        print(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
