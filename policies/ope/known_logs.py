"""Logs whose target's value is known exactly, by name: small random processes and the debt call; what simulations of intervals draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from dialogue.environments.call_model import call_model
from dialogue.environments.call_policies import script, uniform
from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact import best_memoryless
from dialogue.environments.exact_call import exact_call
from policies.experience import Rollout
from policies.ope.acting import act_out
from policies.ope.small_mdp import SmallProcess
from policies.table import TablePolicy


@dataclass(frozen=True)
class KnownLog:
    """Where logs come from, and what is true of them.

    Attributes:
        actor, target: who acted, who is evaluated.
        value, acted: what they are worth, exactly.
        low, high: between which every return lies.
        log: makes so many episodes.
    """

    actor: TablePolicy
    target: TablePolicy
    value: float
    acted: float
    low: float
    high: float
    log: Callable[[int, np.random.SeedSequence], Rollout]


def small(seed: int, sharpness: float, horizon: int) -> KnownLog:
    """Return a small random process whose target differs from the actor the more, the sharper it is."""
    process = SmallProcess.random(seed, horizon=horizon)
    actor, target = process.policy(1, 0.5), process.policy(2, sharpness)
    return KnownLog(
        actor,
        target,
        process.value(target),
        process.value(actor),
        -float(horizon),
        float(horizon),
        lambda episodes, chance: process.log(actor, episodes, np.random.default_rng(chance)),
    )


def debt(explored: float, towards: float) -> KnownLog:
    """Return the debt call: the script with a share of random actions has acted, the target goes some way towards the best policy."""
    spaces = make_debt_calls(1).spaces
    actor = TablePolicy(spaces, (1 - explored) * script() + explored * uniform())
    return debt_of(actor, TablePolicy(spaces, (1 - towards) * actor.probs + towards * best()))


def debt_of(actor: TablePolicy, target: TablePolicy) -> KnownLog:
    """Return the debt call with any two memoryless policies."""
    model = call_model()
    call, worth = exact_call(model), model.rules.worth()
    return KnownLog(
        actor,
        target,
        call.value(target.probs),
        call.value(actor.probs),
        min(float(worth.min()), 0.0),
        float(worth.max()),
        lambda episodes, chance: act_out(make_debt_calls(episodes), actor, chance),
    )


@cache
def best() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the best memoryless policy of the debt call that a few restarts find."""
    return best_memoryless(call_model(), restarts=4)[1]


CASES: Mapping[str, Callable[[], KnownLog]] = {
    "small, near": lambda: small(3, 0.5, 8),
    "small, far": lambda: small(3, 1.0, 8),
    "small, long": lambda: small(4, 0.8, 12),
    "debt call, near": lambda: debt(0.4, 0.3),
    "debt call, far": lambda: debt(0.4, 0.5),
}

FAR: Mapping[str, Callable[[], KnownLog]] = {
    "small, very far": lambda: small(3, 2.0, 8),
    "debt call, its best": lambda: debt(0.4, 1.0),
}
