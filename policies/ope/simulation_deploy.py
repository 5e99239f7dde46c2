"""How often `judge deploy-check` lets a policy pass that is no better, and one that is: `python -m policies.ope.simulation_deploy`."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dialogue.environments.call_model import call_model
from dialogue.environments.call_policies import constant, script, uniform
from dialogue.environments.call_words import Action
from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact_call import exact_call
from policies.ope.bootstrap import bootstrap
from policies.ope.comparison import finding, pair
from policies.ope.evaluation import LOGGED, Evaluator
from policies.ope.known_logs import KnownLog, best, debt, debt_of
from policies.ope.overlap import too_alike, too_little, too_unsure
from policies.table import TablePolicy

LEVEL = 0.95
DRAWS = 1000
EXPLORED = 0.4  # of the actor's actions are random
TOWARDS = 0.3  # of the candidate's come of elsewhere


@dataclass(frozen=True, slots=True)
class Checks:
    """Shares of checks.

    Attributes:
        passed: leave was given.
        refused: the log says too little for that.
    """

    passed: float
    refused: float


def equal() -> KnownLog:
    """Return a candidate that acts otherwise than the actor and is worth exactly as much: the best policy and a bad one, mixed."""
    call, spaces = exact_call(call_model()), make_debt_calls(1).spaces
    actor = (1 - EXPLORED) * script() + EXPLORED * uniform()

    def mixed(bad: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.asarray((1 - TOWARDS) * actor + TOWARDS * ((1 - bad) * best() + bad * constant(Action.OFFER_PLAN)))

    low, high, wanted = 0.0, 1.0, call.value(actor)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if call.value(mixed(middle)) > wanted else (low, middle)
    return debt_of(TablePolicy(spaces, actor), TablePolicy(spaces, mixed(low)))


def check(known: KnownLog, episodes: int, sims: int, seed: int = 0, draws: int = DRAWS) -> Checks:
    """Return how often a candidate passes against whoever acted."""
    passed = refused = 0
    for chance in np.random.SeedSequence(seed).spawn(sims):
        evaluator = Evaluator(known.log(episodes, chance), known.target)
        if too_little(evaluator.overlap) or too_unsure(evaluator.overlap) or too_alike(evaluator.log, None):
            refused += 1
            continue
        estimators = evaluator.estimators()
        found = finding(bootstrap(pair(estimators["dr"], estimators[LOGGED]), np.random.default_rng(chance), draws), LEVEL, 0.0)
        passed += found.difference_low > 0
    return Checks(passed / sims, refused / sims)


def lines(sims: int, sizes: Sequence[int]) -> Iterable[str]:
    """Yield the table."""
    yield f"{sims} logs of the debt call a line: how often the candidate passes at a one-sided level of {LEVEL:.0%}"
    for name, known in (("equal", equal()), ("better", debt(EXPLORED, TOWARDS))):
        for episodes in sizes:
            found = check(known, episodes, sims, seed=episodes)
            told = f"{name:7} {known.value - known.acted:+.3f}  {episodes:5} episodes"
            yield f"{told}  passes {found.passed:.3f}  refused {found.refused:.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m policies.ope.simulation_deploy", description=__doc__)
    parser.add_argument("--sims", type=int, default=2000, help="simulated logs a line (default 2000)")
    parser.add_argument("--episodes", type=int, nargs="+", default=[200, 500, 2000], help="of a log (default 200, 500 and 2000)")
    given = parser.parse_args(arguments)
    for line in lines(given.sims, given.episodes):
        print(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
