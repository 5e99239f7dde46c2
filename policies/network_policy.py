"""The policy that a network is: over vectors, or over continuous actions, where no table can stand; frozen, without the value net."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np

from dialogue.environments.contract import Actions, Observations, Spaces
from dialogue.errors import listed
from policies.distributions import drawn, gaussian_actions, gaussian_logs, log_softmax, moved
from policies.experience import Floats
from policies.network import Array, Weights

ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {"tanh": np.tanh, "relu": lambda below: np.maximum(below, 0)}


@dataclass(frozen=True)
class NetworkPolicy:
    """A softmax over actions, or a clipped Gaussian over [0, 1]^k (see policies.distributions).

    Attributes:
        spaces: any.
        layers: of each hidden layer the weights (inputs, units) and the biases (units,).
        outputs: weights (units, outputs) and biases (outputs,) of what the distribution is made of.
        log_std: (k,) of a Gaussian; empty for a softmax.
        activation: of the hidden layers, `tanh` or `relu`.
        sampled: whether it draws its actions; otherwise it takes the most probable one, or the mean.
    """

    kind: ClassVar[str] = "network"
    spaces: Spaces
    layers: tuple[tuple[Array, Array], ...]
    outputs: tuple[Array, Array]
    log_std: Array
    sampled: bool = True
    activation: str = "tanh"

    @classmethod
    def of(cls, spaces: Spaces, weights: Weights) -> Self:
        """Return the policy whose net these weights hold, with copies of them."""
        layers = tuple((weight[0].copy(), bias[0, 0].copy()) for weight, bias in weights.layers)
        return cls(spaces, layers, (weights.policy.copy(), weights.policy_bias.copy()), weights.log_std.copy())

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        """Return actions and their probabilities; of continuous ones the density."""
        found = self._outputs(observations)
        if self.spaces.continuous:
            actions = gaussian_actions(found, self.log_std, rng) if self.sampled else moved(found.T)
            return actions, self._densities(found, actions)
        probs = self._probs(found)
        actions = drawn(probs.cumsum(0), rng)
        return actions, probs[actions, np.arange(len(actions))]

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        """Return the probabilities (densities) of these actions; leading shapes as given."""
        shape = np.shape(observations)[: np.ndim(observations) - (self.spaces.observations is None)]
        flat = np.reshape(observations, (-1,) if self.spaces.observations is not None else (-1, self.spaces.width))
        found = self._outputs(flat)
        if self.spaces.continuous:
            return self._densities(found, np.reshape(actions, found.shape[::-1])).reshape(shape)
        probs: Floats = self._probs(found)[np.reshape(actions, -1), np.arange(found.shape[1])].reshape(shape)
        return probs

    def greedy(self) -> Self:
        """Return the policy that takes the most probable action (ties are shared), or the mean."""
        return replace(self, sampled=False)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values: the weights one after another, as base64 of little-endian floats."""
        arrays = [array for pair in (*self.layers, self.outputs) for array in pair] + [self.log_std]
        flat = np.concatenate([array.ravel() for array in arrays])
        flat = flat.astype(flat.dtype.newbyteorder("<"))
        return {
            "hidden": [len(bias) for _, bias in self.layers],
            "activation": self.activation,
            "sampled": self.sampled,
            "dtype": flat.dtype.name,
            "weights": b64encode(flat.tobytes()).decode("ascii"),
        }

    @classmethod
    def from_data(cls, spaces: Spaces, data: dict[str, Any]) -> Self:
        """Return what `as_data` made JSON values of.

        Raises:
            ValueError: the activation is not known, or the weights are not as many as the spaces and layers need, or not finite.
        """
        activation = str(data["activation"])
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {activation!r}, not one of {listed(ACTIVATIONS)}")
        if data["dtype"] not in ("float64", "float32"):
            raise ValueError(f"dtype is {data['dtype']!r}, not float64 or float32")
        flat = np.frombuffer(b64decode(data["weights"]), np.dtype(data["dtype"]).newbyteorder("<")).astype(data["dtype"])
        if not np.isfinite(flat).all():
            raise ValueError("a weight is not finite")
        k = len(spaces.actions)
        sizes = [spaces.width or spaces.features.shape[1], *map(int, data["hidden"]), k]
        shapes: list[tuple[int, ...]] = []
        for before, units in pairwise(sizes):
            shapes += [(before, units), (units,)]
        shapes.append((k if spaces.continuous else 0,))
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        if ends[-1] != len(flat):
            raise ValueError(f"there are {len(flat)} weights, not {ends[-1]}")
        cut = [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]
        pairs = list(zip(cut[:-1:2], cut[1:-1:2], strict=True))
        return cls(spaces, tuple(pairs[:-1]), pairs[-1], cut[-1], bool(data["sampled"]), activation)

    def _outputs(self, observations: Observations) -> Array:
        """Return the outputs (outputs, n) for n observations."""
        features = observations if self.spaces.observations is None else self.spaces.features[observations]
        below = np.asarray(features, self.log_std.dtype)
        for weight, bias in self.layers:
            below = ACTIVATIONS[self.activation](below @ weight + bias)
        found: Array = self.outputs[0].T @ below.T + self.outputs[1][:, None]
        return found

    def _probs(self, outputs: Array) -> Floats:
        probs = np.exp(log_softmax(outputs.astype(np.float64)))
        if self.sampled:
            return probs
        best = probs >= probs.max(0) - 1e-12
        shared: Floats = best / best.sum(0)
        return shared

    def _densities(self, outputs: Array, actions: Actions) -> Floats:
        if self.sampled:
            return np.exp(gaussian_logs(outputs.astype(np.float64), self.log_std, actions))
        same: Floats = (actions == moved(outputs.T)).all(1).astype(np.float64)
        return same
