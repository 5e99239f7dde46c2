"""Learners over a table on the debt call, beside a plain dictionary Q-learning loop: `python benchmarks/tables.py`.

All run in one process, in turns, on one thread; clocks are CPU seconds and stand still while a policy is evaluated. Values are exact
(dialogue.environments.exact), of the greedy policy every 4,096 steps; a level counts as reached when it is held at two checks in a row,
and is a share of the best memoryless value found, measured from 0. The loop is the textbook's: a defaultdict of NumPy rows, np.argmax,
one plain Gymnasium environment.
"""

# ruff: noqa: E402 - NumPy counts its threads when it is imported

import os

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import argparse
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.debt_call import DebtCall
from dialogue.environments.exact import local_optima
from dialogue.environments.exact_call import ExactCall, exact_call
from policies.contract import Learner
from policies.learners.actor_critic import ActorCritic
from policies.learners.tabular_q import TabularQ
from policies.rollout import Rollouts

CHECK = 4096  # steps between two evaluations


def loop(steps: int, alpha: float = 0.1, gamma: float = 1.0, epsilon: float = 0.1) -> float:
    """Return the steps a CPU second of textbook Q-learning."""
    env, rng = DebtCall(), random.Random(0)
    actions = int(env.action_space.n)  # type: ignore[attr-defined]
    values: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(actions))
    seen, _ = env.reset(seed=0)
    began = time.process_time()
    for _ in range(steps):
        action = rng.randrange(actions) if rng.random() < epsilon else int(np.argmax(values[seen]))
        after, reward, terminated, truncated, _ = env.step(action)
        target = float(reward) if terminated else float(reward) + gamma * np.max(values[after])
        values[seen][action] += alpha * (target - values[seen][action])
        seen = env.reset()[0] if terminated or truncated else after
    return steps / (time.process_time() - began)


@dataclass
class Course:
    """One training: what was reached when."""

    steps: int = 0
    seconds: float = 0.0
    values: list[float] = field(default_factory=list)
    clocks: list[float] = field(default_factory=list)

    def when(self, level: float) -> tuple[int, float] | None:
        """Return the steps and CPU seconds at which the level was reached and held."""
        for place in range(len(self.values) - 1):
            if min(self.values[place : place + 2]) >= level:
                return (place + 1) * CHECK, self.clocks[place]
        return None


def train(learner: Learner, seed: int, steps: int, call: ExactCall | None, handling: float) -> Course:
    """Train, and evaluate every CHECK steps if there is a call to evaluate with."""
    chance, own = np.random.SeedSequence(seed).spawn(2)
    source = Rollouts(make_debt_calls(learner.envs, handling=handling), chance)
    learner.begin(source.spaces, own)
    course = Course()
    while course.steps < steps:
        began = time.process_time()
        target = course.steps + CHECK
        while course.steps < target:
            learner.partial_fit(source.next(learner).rollout)
            course.steps += learner.steps * learner.envs
        course.seconds += time.process_time() - began
        if call:
            course.values.append(call.value(learner.policy().greedy().probs))  # type: ignore[attr-defined]
            course.clocks.append(course.seconds)
    return course


def speed(rounds: int, handling: float) -> None:
    """Print steps a CPU second, in turns with the loop."""
    makers: list[tuple[str, Callable[[], Learner]]] = [
        *((f"q, N={n}", lambda n=n: TabularQ(envs=n)) for n in (64, 256, 1024)),
        *((f"actor-critic, N={n}", lambda n=n: ActorCritic(envs=n)) for n in (64, 256)),
    ]
    found: dict[str, list[float]] = {name: [] for name, _ in makers}
    loops = []
    for _ in range(rounds):
        loops.append(loop(30_000))
        for name, make in makers:
            course = train(make(), 0, 200_000, None, handling)
            found[name].append(course.steps / course.seconds)
    print(f"{'steps a CPU second':24}{'median':>12}{'x the loop (median of rounds)':>34}")
    print(f"{'dictionary loop':24}{statistics.median(loops):12,.0f}{'1.0':>34}")
    for name, speeds in found.items():
        ratio = statistics.median(speed / plain for speed, plain in zip(speeds, loops, strict=True))
        print(f"{name:24}{statistics.median(speeds):12,.0f}{ratio:34.1f}")


def quality(seeds: range, steps: int, handling: float, restarts: int) -> None:
    """Print how much of the best memoryless value is reached, and when."""
    options = make_debt_calls(1, handling=handling).options
    call = exact_call(options.model, options.worth, handling)
    optima = [value for value, _ in local_optima(call, restarts)]
    best = max(optima)
    agree = sum(value > best - 1e-9 for value in optima)
    chance = call.value(np.full((options.spaces.observations or 0, len(options.spaces.actions)), 0.25))
    print(f"\nhandling {handling:g}: at random {chance:.4f}, best memoryless found {best:.4f} ({agree} of {restarts} restarts), ", end="")
    print(f"seeing everything {call.upper_bound():.4f}")
    title = f"seeds {seeds.start}..{seeds.stop - 1}"
    print(f"{title:16}{'reached 95 %':>14}{'in .05 s':>10}{'steps':>9}{'CPU s':>9}{'max':>9}{'final / best':>24}")
    for make in (ActorCritic, TabularQ):
        courses = [train(make(), seed, steps, call, handling) for seed in seeds]
        reached = [found for course in courses if (found := course.when(0.95 * best))]
        clocks = [clock for _, clock in reached]
        shares = sorted(course.values[-1] / best for course in courses)
        told = f"{statistics.median(shares):.3f} ({shares[0]:.3f}..{shares[-1]:.3f})"
        when = (
            f"{statistics.median(step for step, _ in reached):9,.0f}{statistics.median(clocks):9.4f}{max(clocks):9.4f}"
            if reached
            else " " * 27
        )
        quick = f"{sum(clock <= 0.05 for clock in clocks)}/{len(courses)}"
        print(f"{make.name:16}{f'{len(reached)}/{len(courses)}':>14}{quick:>10}{when}{told:>24}")


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs=2, default=(100, 120), metavar=("FIRST", "END"))
    parser.add_argument("--steps", type=int, default=400_000)
    parser.add_argument("--handling", type=float, nargs="+", default=[0.0, 0.1])
    parser.add_argument("--restarts", type=int, default=32)
    given = parser.parse_args()
    speed(given.rounds, given.handling[0])
    for handling in given.handling:
        quality(range(*given.seeds), given.steps, handling, given.restarts)


if __name__ == "__main__":
    main()
