"""A batched environment as a VecEnv, so that Stable-Baselines3's own `learn()` runs on it; the other way round is gym_batch."""

from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from dialogue.environments.contract import BatchEnv, Observations, Spaces
from dialogue.seeds import child


def gym_spaces(spaces: Spaces) -> tuple[gymnasium.Space[Any], gymnasium.Space[Any]]:
    """Return observation and action space: feature vectors, and action numbers or [-1, 1]^k, which stands for [0, 1]^k."""
    width = spaces.width if spaces.observations is None else spaces.features.shape[1]
    seen = gymnasium.spaces.Box(-np.inf, np.inf, (width,), np.float32)
    if spaces.continuous:
        return seen, gymnasium.spaces.Box(-1.0, 1.0, (len(spaces.actions),), np.float32)
    return seen, gymnasium.spaces.Discrete(len(spaces.actions))


def features_of(spaces: Spaces, observations: Observations) -> NDArray[np.float32]:
    """Return observations as Stable-Baselines3 sees them."""
    return np.asarray(observations if spaces.observations is None else spaces.features[observations], np.float32)


class BatchVecEnv(VecEnv):  # type: ignore[misc]  # mypy does not read stable_baselines3
    """N episodes of a BatchEnv. Discrete observations are shown as their feature vectors, which our own networks see too."""

    def __init__(self, env: BatchEnv, seed: np.random.SeedSequence) -> None:
        self.env = env
        super().__init__(env.n, *gym_spaces(env.spaces))
        self._seed, self._resets = seed, 0
        self._table = None if env.spaces.observations is None else features_of(env.spaces, np.arange(env.spaces.observations))
        self._actions: NDArray[Any] = np.empty(0)

    def reset(self) -> NDArray[np.float32]:
        """Begin all episodes anew, each time from another child of the seed."""
        self._resets += 1
        return self._shown(self.env.reset(child(self._seed, self._resets - 1)))

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take note of the actions."""
        self._actions = (actions + 1) / 2 if self.env.spaces.continuous else actions

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Act; where an episode ended, the last observation stands in its info."""
        step = self.env.step(self._actions)
        dones = step.terminated | step.truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = dones.nonzero()[0]
        if ended.size:
            last = self._shown(step.observations[ended])
            cut = (step.truncated & ~step.terminated)[ended].tolist()
            for at, seen, truncated in zip(ended.tolist(), last, cut, strict=True):
                infos[at] = {"terminal_observation": seen, "TimeLimit.truncated": truncated}
        return self._shown(self.env.observations), step.rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """Return what the environment has under that name, once for every episode."""
        return [getattr(self.env, attr_name, None)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        """Refuse: episodes have no attributes of their own."""
        raise NotImplementedError("the episodes of a batch have no attributes of their own")

    def env_method(self, method_name: str, *args: Any, indices: int | Iterable[int] | None = None, **kwargs: Any) -> list[Any]:
        """Refuse: episodes have no methods of their own."""
        raise NotImplementedError("the episodes of a batch have no methods of their own")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: int | Iterable[int] | None = None) -> list[bool]:
        """Return False for every episode."""
        return [False] * len(list(self._get_indices(indices)))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Leave the seed as it is: it was given when this was made."""
        return [None] * self.num_envs

    def _shown(self, observations: Observations) -> NDArray[np.float32]:
        return self._table[observations] if self._table is not None else np.asarray(observations, np.float32)
