"""Whether an interval with the judge's error in it covers the value that people's ratings would give: `python -m reports.judge_error`.

A policy is evaluated on a log whose turns a judge rated. People rated a few episodes of it, and the judge's ratings are mapped to
theirs by the calibration that those labels give. The truth is what people would say of every turn of the target policy's own episodes.

What is not in the interval: a map is of the dialogues that were audited, the actor's. Where the same rating of the judge would mean
something else to people in the target's dialogues, the mean of mapped ratings is off by that, however many are audited. The noisier the
judge, the more: with JUDGED = 0.2 a map without any error of its own is off by 0.035 here, with 0.2 by 0.015.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from golden_set.audit.calibration import fit
from golden_set.audit.monotone import Labelled
from golden_set.audit.replicates import drawn_maps
from golden_set.audit.resampling import resamples
from judge.rubric import Scale
from policies.experience import Floats
from policies.ope.evaluation import Evaluator, Worlds, estimates
from policies.ope.small_mdp import SmallProcess

SCALE = Scale(1, 5)
LEVEL = 0.95
NOISE = 0.7  # of a person's rating around what the state and action deserve
JUDGED = 0.2  # of the judge's around what people say


@dataclass(frozen=True)
class Judged:
    """A small process in which every turn deserves a rating, and a judge that puts it higher and closer together than people do.

    Attributes:
        deserved: (S, A) what people say on average but for rounding.
        expected: (S, A) what they say on average, on [-1, 1]: the true reward.
    """

    process: SmallProcess
    deserved: Floats
    expected: Floats

    @classmethod
    def make(cls, seed: int) -> "Judged":
        """Return one of random states, actions and ratings."""
        process = SmallProcess.random(seed, states=5, horizon=6)
        deserved = np.random.default_rng(seed).uniform(1.8, 4.4, process.moves.shape[:2])
        draws = np.random.default_rng(0).normal(0, NOISE, 200_000)
        expected = np.array([[unit(_rounded(one + draws)).mean() for one in row] for row in deserved])
        rewards = np.repeat(expected[:, :, None], process.moves.shape[0] + 1, axis=2)
        return cls(replace(process, rewards=rewards), deserved, expected)


@dataclass(frozen=True, slots=True)
class Tried:
    """One log: whether each interval covers, and how wide it is."""

    naive: bool
    joint: bool
    naive_width: float
    joint_width: float


def try_out(audited: int, episodes: int = 1500, sims: int = 400, seed: int = 0, maps: int = 60, draws: int = 600) -> Iterable[Tried]:
    """Yield what DR's interval says with and without the judge's error, log after log.

    Args:
        audited: episodes that people rated, of `episodes`.
        maps: replicates of the calibration.
    """
    world = Judged.make(1)
    actor, target = world.process.policy(1, 0.4), world.process.policy(2, 0.6)
    truth = world.process.value(target)
    for chance in np.random.SeedSequence(seed).spawn(sims):
        rng = np.random.default_rng(chance)
        rollout = world.process.log(actor, episodes, rng)
        mask = rollout.mask
        assert mask is not None  # noqa: S101 - the process makes one
        human = _rounded(world.deserved[rollout.observations, rollout.actions] + rng.normal(0, NOISE, mask.shape))
        judge = np.clip(np.rint(2 * (2.0 + 0.6 * human + rng.normal(0, JUDGED, mask.shape))) / 2, SCALE.low, SCALE.high)
        chosen = np.sort(rng.choice(episodes, audited, replace=False))
        at, episode = np.nonzero(mask[:, chosen])
        rows = Labelled(judge[at, chosen[episode]], human[at, chosen[episode]], np.ones(len(at)), episode)
        curve = fit(rows, SCALE).curve
        told = judge if curve is None else np.interp(judge, curve.judged, curve.human)
        fitted = drawn_maps(rows, resamples([0] * audited, maps, seed)[1:], SCALE, flat=curve is not None and curve.flat)
        evaluator = Evaluator(replace(rollout, rewards=np.where(mask, unit(told), 0.0)), target)
        worlds = Worlds(lambda judge=judge, fitted=fitted: _worlds(judge, fitted.judged, fitted.human), maps)  # type: ignore[misc]
        naive = estimates(evaluator, LEVEL, draws=draws)["dr"]
        joint = estimates(evaluator, LEVEL, worlds=worlds, draws=draws)["dr"]
        bounds = [(one.low or 0.0, one.high or 0.0) for one in (naive, joint)]
        covers = [low <= truth <= high for low, high in bounds]
        yield Tried(covers[0], covers[1], bounds[0][1] - bounds[0][0], bounds[1][1] - bounds[1][0])


def _worlds(judge: Floats, judged: Sequence[float], human: Sequence[Sequence[float]]) -> Iterable[Floats]:
    return (unit(np.interp(judge, judged, one)) for one in human)


def _rounded(opinion: Floats) -> Floats:
    return np.asarray(np.clip(np.rint(opinion), SCALE.low, SCALE.high))


def unit(ratings: Floats) -> Floats:
    """Return ratings on [-1, 1]."""
    return np.asarray(2 * (ratings - SCALE.low) / (SCALE.high - SCALE.low) - 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m reports.judge_error", description=__doc__)
    parser.add_argument("--sims", type=int, default=1000, help="simulated logs a line (default 1000)")
    sims = parser.parse_args(arguments).sims
    print(f"{sims} logs of 1,500 episodes a line; DR, {LEVEL:.0%} intervals: how many cover, and median width")
    print("audited   episodes alone      with the judge's error")
    for audited in (20, 40, 80, 320):
        tried = list(try_out(audited, sims=sims, seed=audited))
        naive, joint = np.mean([one.naive for one in tried]), np.mean([one.joint for one in tried])
        widths = np.median([one.naive_width for one in tried]), np.median([one.joint_width for one in tried])
        print(f"{audited:7}   {naive:.3f} (width {widths[0]:.2f})   {joint:.3f} (width {widths[1]:.2f})")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
