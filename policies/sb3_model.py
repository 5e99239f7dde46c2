"""What policies.learners.sb3 needs to know of Stable-Baselines3's insides: their state as arrays, their generators, their networks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from dialogue.environments.contract import Actions, Observations, Spaces, State, Step
from dialogue.errors import UsageProblem
from policies.network_policy import NetworkPolicy

COUNTERS = ("num_timesteps", "_n_updates", "_n_calls", "_current_progress_remaining", "exploration_rate")
REPLAYED = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


@contextmanager
def chance_of(state: State) -> Iterator[None]:
    """Let PyTorch and NumPy's global generator draw from `state`, which moves on; the global ones are left as they were.

    PyTorch has one thread meanwhile: on small networks more are slower.

    Args:
        state: empty, or what this made of it before.
    """
    threads, torch_before, numpy_before = torch.get_num_threads(), torch.get_rng_state(), np.random.get_state(legacy=False)
    if state:
        torch.set_rng_state(torch.from_numpy(state["torch"]))
        np.random.set_state(state["numpy"])
    torch.set_num_threads(1)
    try:
        yield
    finally:
        state.update(torch=torch.get_rng_state().numpy(), numpy=np.random.get_state(legacy=False))
        torch.set_rng_state(torch_before)
        np.random.set_state(numpy_before)
        torch.set_num_threads(threads)


def model_state(model: Any) -> State:
    """Return views of weights, optimiser and counters, and of the transitions of a DQN."""
    optimiser = model.policy.optimizer.state_dict()["state"]
    replay = getattr(model, "replay_buffer", None)
    return {
        "weights": {name: value.numpy() for name, value in model.policy.state_dict().items()},
        "optimiser": {str(at): {name: torch.as_tensor(value).numpy() for name, value in parts.items()} for at, parts in optimiser.items()},
        "counters": {name: getattr(model, name) for name in COUNTERS if hasattr(model, name)},
        "replay": replay and {"at": replay.pos, "full": replay.full, **{name: getattr(replay, name)[: replay.size()] for name in REPLAYED}},
    }


def restore_model(model: Any, state: State) -> None:
    """Take over copies of what `model_state` gave of a model made alike."""
    model.policy.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state["weights"].items()})
    optimiser = model.policy.optimizer.state_dict()
    optimiser["state"] = {
        int(at): {name: torch.from_numpy(np.array(value)) for name, value in parts.items()} for at, parts in state["optimiser"].items()
    }
    model.policy.optimizer.load_state_dict(optimiser)
    for name, value in state["counters"].items():
        setattr(model, name, value)
    kept = state["replay"]
    if kept is not None:
        model.replay_buffer.pos, model.replay_buffer.full = kept["at"], kept["full"]
        for name in REPLAYED:
            getattr(model.replay_buffer, name)[: len(kept[name])] = kept[name]


def network_of(model: Any, spaces: Spaces) -> NetworkPolicy:
    """Return the policy network with copies of its weights; of a DQN the greedy one.

    Raises:
        UsageProblem: hidden layers are neither tanh nor ReLU.
    """
    greedy = hasattr(model, "q_net")
    modules = list(model.q_net.q_net) if greedy else [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
    kinds = {torch.nn.Tanh: "tanh", torch.nn.ReLU: "relu"}
    used = {kinds.get(type(module), "") for module in modules if not isinstance(module, torch.nn.Linear)}
    if len(used) != 1 or "" in used:
        raise UsageProblem("a network policy is served with tanh or ReLU layers only; leave policy_kwargs' activation_fn at one of these")
    linear = [module for module in modules if isinstance(module, torch.nn.Linear)]
    pairs = [(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()) for layer in linear]
    log_std = model.policy.log_std.detach().numpy().copy() if spaces.continuous else np.empty(0, np.float32)
    return NetworkPolicy(spaces, tuple(pairs[:-1]), pairs[-1], log_std, sampled=not greedy, activation=used.pop())


class Unused:
    """An environment of which SB3 wants to know the spaces when a model is made; the model is never let loose on it."""

    def __init__(self, spaces: Spaces, n: int) -> None:
        self.spaces, self.n = spaces, n
        self.observations: Observations = np.empty(0)

    def reset(self, seed: np.random.SeedSequence) -> Observations:
        raise NotImplementedError

    def step(self, actions: Actions) -> Step:
        raise NotImplementedError

    def state(self) -> State:
        raise NotImplementedError

    def restore(self, state: State) -> None:
        raise NotImplementedError
