"""The policy's part of an actor-critic loss, - advantage * log p - coefficient * entropy, and its gradient by the network's outputs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from policies.distributions import HALF_LOG_2PI, Gaussian
from policies.experience import Floats
from policies.network import Array


class PolicyGradient(NamedTuple):
    """Of n steps, in the mean.

    Attributes:
        by_output: (outputs, rows) gradient of the loss.
        by_log_std: (k,) gradient of the loss; empty for a softmax.
        entropy: of the distributions.
    """

    by_output: Array
    by_log_std: Array
    entropy: float


def softmax_gradient(
    logs: Array, probs: Array, weights: Floats, times: NDArray[np.intp] | int, n: int, coefficient: float
) -> PolicyGradient:
    """Return the gradient where outputs are those of a softmax.

    Args:
        logs: (actions, rows) log probabilities.
        probs: (actions, rows).
        weights: (actions, rows) advantages, summed over the steps in which the action was taken at the row.
        times: (rows,) how many steps each row stands for.
        n: how many steps there are.
        coefficient: of the entropy.
    """
    entropies = -(probs * logs).sum(0)
    # By the outputs, advantage * log p changes as the advantage * (1 where taken - p), and the entropy as -p (log p + entropy).
    by_output = (logs + entropies) * (coefficient * times)
    by_output += weights.sum(0)
    by_output *= probs
    by_output -= weights
    by_output /= n
    return PolicyGradient(by_output, np.empty(0), float((times * entropies).sum()) / n)


def gaussian_gradient(found: Gaussian, log_std: Array, advantages: Floats, coefficient: float) -> PolicyGradient:
    """Return the gradient where outputs are means; the entropy is the Gaussian's, as before it is clipped.

    Args:
        found: of the n actions taken.
        log_std: (k,).
        advantages: (n,).
        coefficient: of the entropy.
    """
    weights = advantages / -len(advantages)
    entropy = float(log_std.sum()) + len(log_std) * (0.5 + HALF_LOG_2PI)
    return PolicyGradient(found.by_mean * weights, found.by_log_std @ weights - coefficient, entropy)
