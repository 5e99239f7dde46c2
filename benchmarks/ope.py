"""CPU time of off-policy evaluation on 2,000 debt calls: estimators, model, bootstrap, and a calibration's replicates."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded

import time
from collections.abc import Callable

import numpy as np

from policies.experience import Rollout
from policies.ope.bootstrap import bootstrap, joint_bootstrap
from policies.ope.evaluation import BY_WEIGHT, Evaluator
from policies.ope.fitted_q import tabular_values
from policies.ope.importance import weighted_per_decision
from policies.ope.known_logs import KnownLog, debt
from policies.ope.trajectories import make_trajectories

EPISODES, DRAWS, REPLICATES, TIMES = 2000, 2000, 200, 7


def seconds(work: Callable[[], object], times: int = TIMES) -> float:
    """Return the least CPU time of some runs, in seconds."""
    found = []
    for _ in range(times):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def _by_weight(rollout: Rollout, known: KnownLog) -> list[float]:
    log = make_trajectories(rollout, known.target)
    return [made(log).value for made in BY_WEIGHT.values()]


def main() -> None:
    """Print the figures."""
    known = debt(0.4, 0.3)
    rollout = known.log(EPISODES, np.random.SeedSequence(0))
    log = make_trajectories(rollout, known.target)
    evaluator = Evaluator(rollout, known.target)
    estimators = evaluator.estimators()
    turns = f"at most {log.horizon} turns ({int(log.mask.sum()):,} in all)"
    print(f"{EPISODES:,} debt calls of {turns}, one thread; least CPU time of {TIMES} runs")
    rows: dict[str, Callable[[], object]] = {
        "weights, IS, WIS, PDIS, WPDIS": lambda: _by_weight(rollout, known),
        "tabular FQE, 5 folds": lambda: tabular_values(rollout, log, known.target),
        "everything, DR and WDR included": lambda: Evaluator(rollout, known.target).estimators(),
        f"{DRAWS:,} draws of DR": lambda: bootstrap({"dr": estimators["dr"]}, np.random.default_rng(0), DRAWS),
        f"{DRAWS:,} draws of WPDIS": lambda: bootstrap({"wpdis": weighted_per_decision(log)}, np.random.default_rng(0), DRAWS),
        f"{DRAWS:,} draws of all seven": lambda: bootstrap(estimators, np.random.default_rng(0), DRAWS),
    }
    for name, work in rows.items():
        print(f"  {name:36} {1000 * seconds(work):8.1f} ms")
    worlds = [log.rewards + by for by in np.linspace(-0.1, 0.1, REPLICATES)]
    joint = seconds(
        lambda: joint_bootstrap(
            estimators, (evaluator.estimators(rewards) for rewards in worlds), REPLICATES, np.random.default_rng(0), DRAWS
        ),
        3,
    )
    print(f"  {f'the same with {REPLICATES} other rewards':36} {1000 * joint:8.1f} ms")


if __name__ == "__main__":
    main()
