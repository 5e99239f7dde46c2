"""Two multi-layer perceptrons, policy and value, in one flat vector, with gradients by hand; what the outputs mean is not said here.

As Stable-Baselines3's MlpPolicy: tanh layers, policy and value separate, orthogonal initialisation with gains sqrt(2), 0.01 for the
policy's outputs and 1 for the value. Both nets have the same hidden layers, so each of these is one array of shape (2, inputs, units),
net 0 the policy's and net 1 the value's, and one call of NumPy serves both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]  # float64 or float32
POLICY, VALUE = slice(0, 1), slice(1, 2)  # the nets, in a layer
BOTH = slice(0, 2)


@dataclass(frozen=True, slots=True)
class Weights:
    """Views into a flat vector: of the parameters, or of their gradient.

    Attributes:
        layers: of each hidden layer the weights (2, inputs, units) and the biases (2, 1, units).
        policy: weights (units, outputs) of the policy's outputs.
        policy_bias: (outputs,).
        value: weights (units,) of the value.
        value_bias: (1,).
        log_std: (stds,): of a Gaussian's spread, not of the nets.
    """

    layers: tuple[tuple[Array, Array], ...]
    policy: Array
    policy_bias: Array
    value: Array
    value_bias: Array
    log_std: Array


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in the vector each weight stands.

    Attributes:
        width: length of the features.
        outputs: of the policy.
        hidden: units of each hidden layer, of each net; at least one layer.
        stds: how many log standard deviations stand behind the weights.
    """

    width: int
    outputs: int
    hidden: tuple[int, ...] = (64, 64)
    stds: int = 0

    @property
    def size(self) -> int:
        """How many parameters there are."""
        widths = (self.width, *self.hidden)
        layers = sum(2 * (before + 1) * units for before, units in zip(widths, self.hidden, strict=False))
        return layers + (widths[-1] + 1) * (self.outputs + 1) + self.stds

    def cut(self, vector: Array) -> Weights:
        """Return views into a vector of length `size`."""
        at = 0

        def next_of(*shape: int) -> Array:
            nonlocal at
            begin, at = at, at + int(np.prod(shape))
            return vector[begin:at].reshape(shape)

        before, layers = self.width, []
        for units in self.hidden:
            layers.append((next_of(2, before, units), next_of(2, 1, units)))
            before = units
        heads = next_of(before, self.outputs), next_of(self.outputs), next_of(before), next_of(1)
        return Weights(tuple(layers), *heads, next_of(self.stds))

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Array:
        """Return parameters to begin with: weights orthogonal, biases and log standard deviations 0."""
        vector = np.zeros(self.size)
        weights = self.cut(vector)
        for layer, _ in weights.layers:
            for net in layer:
                net[...] = np.sqrt(2) * orthogonal(len(net), net.shape[1], rng)
        weights.policy[...] = 0.01 * orthogonal(len(weights.policy), self.outputs, rng)
        weights.value[...] = orthogonal(len(weights.value), 1, rng)[:, 0]
        return vector.astype(dtype)


def orthogonal(rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Return a random matrix whose columns, or whose rows where there are fewer, are orthonormal (Saxe et al. 2014)."""
    drawn = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diag(r))
    return q if rows >= columns else q.T


def forward(weights: Weights, features: Array, nets: slice = BOTH, out: Sequence[Array] | None = None) -> list[Array]:
    """Return the hidden activations, layer by layer, each of shape (nets, n, units).

    Args:
        weights: of the nets.
        features: (n, width).
        nets: POLICY, VALUE or BOTH.
        out: where to write them; new arrays, if None.
    """
    below, hidden = features, []
    for at, (weight, bias) in enumerate(weights.layers):
        units = np.matmul(below, weight[nets], out=None if out is None else out[at])
        units += bias[nets]
        hidden.append(np.tanh(units, out=units))
        below = units
    return hidden


def outputs_of(weights: Weights, last: Array) -> Array:
    """Return the policy's outputs (outputs, n) from its last activations (n, units)."""
    outputs: Array = weights.policy.T @ last.T
    outputs += weights.policy_bias[:, None]
    return outputs


def values_of(weights: Weights, last: Array) -> Array:
    """Return the values (n,) from the value net's last activations (n, units)."""
    values: Array = last @ weights.value
    values += weights.value_bias
    return values


def backward(weights: Weights, features: Array, hidden: Sequence[Array], by_output: Array, by_value: Array, into: Weights) -> None:
    """Write the gradient of a loss by every weight.

    Args:
        weights: of the nets.
        features: (n, width).
        hidden: what `forward` returned for BOTH.
        by_output: (outputs, n) gradient of the loss by the policy's outputs.
        by_value: (n,) gradient of the loss by the values.
        into: where to write it; `log_std` is left alone.
    """
    last = hidden[-1]
    np.matmul(last[0].T, by_output.T, out=into.policy)
    np.matmul(by_value, last[1], out=into.value)
    by_output.sum(1, out=into.policy_bias)
    into.value_bias[0] = by_value.sum()
    ones = np.ones((1, len(by_value)), last.dtype)
    above = np.empty_like(last)
    np.matmul(by_output.T, weights.policy.T, out=above[0])
    np.multiply(by_value[:, None], weights.value, out=above[1])
    for at in range(len(hidden) - 1, -1, -1):
        slope = hidden[at] * hidden[at]
        np.subtract(1, slope, out=slope)
        above *= slope
        below = hidden[at - 1].transpose(0, 2, 1) if at else features.T
        weight, bias = into.layers[at]
        np.matmul(below, above, out=weight)
        np.matmul(ones, above, out=bias)
        if at:
            above = np.matmul(above, weights.layers[at][0].transpose(0, 2, 1))
