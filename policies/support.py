"""What a log can vouch for: a policy learned from it keeps to the behaviour policy where an action was tried too rarely."""

from dataclasses import dataclass, replace

import numpy as np

from policies.experience import Floats
from policies.table import TablePolicy

LEAST = 3  # tries of an action in an observation from which on it is believed; the best of 3, 10, 20 and 50 on logs of 100 to 3,000 calls


@dataclass(frozen=True, slots=True)
class Supported:
    """The policy, and how many of the cells of the observations that the log met keep the behaviour's probability."""

    policy: TablePolicy
    kept: int
    cells: int


def supported(policy: TablePolicy, least: float = LEAST) -> Supported:
    """Return the policy with the behaviour's probability where an action was tried less than `least` times.

    What is left goes to the other actions as the policy has it; observations never met get the behaviour's shares of actions overall. An
    action that nobody tried is then never taken there, however it compares to what was tried and failed. The projection of Πb-SPIBB
    (Laroche, Trichelair and Tachet des Combes 2019) of any policy, with the behaviour policy as counted.

    Args:
        policy: with counts of the log's steps.
        least: in the same counts.
    """
    assert policy.counts is not None  # noqa: S101 - callers see to it
    counts = policy.counts
    visits = counts.sum(1, keepdims=True)
    if not visits.any():
        return Supported(policy, 0, 0)
    behaviour: Floats = np.where(visits > 0, counts / np.maximum(visits, 1), counts.sum(0) / counts.sum())
    thin = counts < least
    held = np.where(thin, behaviour, 0.0)
    wanted = np.where(thin, 0.0, policy.probs)
    sums = wanted.sum(1, keepdims=True)
    shares = np.where(sums > 0, wanted / np.where(sums > 0, sums, 1.0), 0.0)
    probs = held + (1 - held.sum(1, keepdims=True)) * shares
    lost = (sums[:, 0] == 0) & ~thin.all(1)  # what the policy wanted is all too thin, and what is not it does not want
    probs[lost] = behaviour[lost]
    probs /= probs.sum(1, keepdims=True)
    met = visits[:, 0] > 0
    return Supported(replace(policy, probs=probs), int(thin[met].sum()), int(met.sum()) * counts.shape[1])
