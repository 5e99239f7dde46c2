"""Any Gymnasium environment of discrete or box spaces as a batch of n copies; the copies are stepped one after another, in Python."""

import json
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit
from numpy.typing import NDArray

from dialogue.environments import gym_ids  # noqa: F401 - `gym:judge/DebtCall-v0`
from dialogue.environments.contract import Actions, Observations, Spaces, State, Step
from dialogue.errors import UsageProblem, did_you_mean
from dialogue.seeds import child

Env = gymnasium.Env[Any, Any]
PLAIN = (OrderEnforcing, PassiveEnvChecker, TimeLimit)  # wrappers that `gymnasium.make` puts around; what they hold are numbers and words


def make_gym(env_id: str, n: int, options: str = "", max_episode_steps: int | None = None) -> "GymBatch":
    """Return n copies of a registered environment.

    Args:
        env_id: as `gymnasium.make` takes it, such as `FrozenLake-v1`.
        n: how many.
        options: of the environment, as a JSON object such as `{"is_slippery": false}`.
        max_episode_steps: after how many steps an episode is cut off; None leaves what is registered.

    Raises:
        UsageProblem: there is no such environment, it does not take the options, or its spaces are neither discrete nor boxes.
    """
    try:
        given = json.loads(options) if options else {}
    except json.JSONDecodeError as error:
        raise UsageProblem(f"options of gym:{env_id} are no JSON ({error}): {options!r}; write for example {{}}") from error
    if not isinstance(given, dict):
        raise UsageProblem(f'options of gym:{env_id} are {options!r}; expected a JSON object such as {{"is_slippery": false}}')
    try:
        return GymBatch([gymnasium.make(env_id, max_episode_steps=max_episode_steps, **given) for _ in range(n)])
    except gymnasium.error.UnregisteredEnv as error:
        near = did_you_mean(env_id, gymnasium.registry)
        raise UsageProblem(f"Gymnasium knows no environment {env_id!r}{near}; `gymnasium.pprint_registry()` lists them") from error
    except (gymnasium.error.Error, TypeError, ImportError, LookupError, ValueError, AssertionError) as error:
        raise UsageProblem(f"gym:{env_id} cannot be made with options {given}: {error!r}") from error


class GymBatch:
    """n environments of Gymnasium's interface as a `BatchEnv`. Box actions run from 0 to 1 here and are scaled to the box there.

    `state` keeps the environments whole: as their own `get_state` gives it where they have that and `set_state`, and no wrapper is around
    them that may hold more than plain attributes (a normaliser does); else pickled, as an array of bytes. Pickles run code when they are
    opened: restore only checkpoints of your own.

    Args:
        envs: at least one; all of the same spaces.

    Raises:
        UsageProblem: spaces that are neither discrete nor (bounded, of actions) boxes.
    """

    def __init__(self, envs: Sequence[Env]) -> None:
        self.envs = list(envs)
        self.n = len(self.envs)
        first = self.envs[0]
        self._see, width, observations = _seeing(first.observation_space)
        self._do, names = _doing(first.action_space)
        continuous = isinstance(first.action_space, gym_spaces.Box)
        self.spaces = Spaces(names, continuous, observations, width)
        self._observations: Observations = np.zeros(0)

    @property
    def observations(self) -> Observations:
        """What is seen now, in every episode."""
        return self._observations

    def reset(self, seed: np.random.SeedSequence) -> Observations:
        """Begin all episodes anew, each copy with a seed of its own, spawned from this one."""
        seeds = (int(child(seed, place).generate_state(1, np.uint64)[0]) for place in range(self.n))
        self._observations = self._see([env.reset(seed=own)[0] for env, own in zip(self.envs, seeds, strict=True)])
        return self._observations

    def step(self, actions: Actions) -> Step:
        """Act in every episode; one that ends begins anew at once."""
        last, now = [], []
        rewards = np.empty(self.n)
        terminated, truncated = np.zeros(self.n, bool), np.zeros(self.n, bool)
        for place, (env, action) in enumerate(zip(self.envs, self._do(actions), strict=True)):
            seen, reward, terminated[place], truncated[place], _ = env.step(action)
            rewards[place] = float(reward)
            last.append(seen)
            now.append(env.reset()[0] if terminated[place] or truncated[place] else seen)
        self._observations = self._see(now)
        ended = terminated | truncated
        return Step(self._see(last) if ended.any() else self._observations, rewards, terminated, truncated & ~terminated)

    def state(self) -> State:
        """Return the environments and what is seen of them now.

        Raises:
            UsageProblem: an environment without `get_state` cannot be pickled.
        """
        return {"observations": self._observations, "envs": [_kept(env) for env in self.envs]}

    def restore(self, state: State) -> None:
        """Go on from there; pickled environments run code when they are opened, so restore only what you saved yourself."""
        self._observations = np.array(state["observations"])
        self.envs = [_opened(env, kept) for env, kept in zip(self.envs, state["envs"], strict=True)]


def _seeing(space: Any) -> tuple[Callable[[list[Any]], Observations], int, int | None]:
    """Return what turns a list of observations into an array, the feature width, and how many distinct observations there are."""
    if isinstance(space, gym_spaces.Discrete):
        start = int(space.start)
        return (lambda seen: np.array(seen, np.intp) - start), int(space.n), int(space.n)
    if isinstance(space, gym_spaces.Box):
        return (lambda seen: np.array(seen, float).reshape(len(seen), -1)), math.prod(space.shape), None
    raise UsageProblem(f"observations are {space}; discrete ones and boxes can be learned from: wrap the environment (FlattenObservation)")


def _doing(space: Any) -> tuple[Callable[[Actions], list[Any]], tuple[str, ...]]:
    """Return what turns an array of actions into the environment's own, and the names of the actions or of their places."""
    if isinstance(space, gym_spaces.Discrete):
        start = int(space.start)
        return (lambda actions: (actions + start).tolist()), tuple(str(start + place) for place in range(int(space.n)))
    if isinstance(space, gym_spaces.Box) and space.is_bounded():
        low, high = space.low.reshape(-1).astype(float), space.high.reshape(-1).astype(float)

        def scaled(actions: NDArray[Any]) -> list[Any]:
            shares = np.clip(actions, 0.0, 1.0)
            return list((low * (1 - shares) + high * shares).reshape(-1, *space.shape).astype(space.dtype))

        return scaled, tuple(str(place) for place in range(low.size))
    raise UsageProblem(f"actions are {space}; discrete ones and bounded boxes can be learned: wrap the environment")


def _wrappers(env: Env) -> Iterator[Env]:
    while isinstance(env, gymnasium.Wrapper):
        yield env
        env = env.env


def _keeps(env: Env) -> bool:
    own = all(callable(getattr(env.unwrapped, name, None)) for name in ("get_state", "set_state"))
    return own and all(type(wrapper) in PLAIN for wrapper in _wrappers(env))


def _kept(env: Env) -> State:
    if _keeps(env):
        plain = [{k: v for k, v in vars(wrapper).items() if isinstance(v, bool | int | float | str)} for wrapper in _wrappers(env)]
        own: Any = env.unwrapped
        return {"own": own.get_state(), "wrappers": plain}
    try:
        return {"pickle": np.frombuffer(pickle.dumps(env), np.uint8)}
    except Exception as error:  # pickle raises what the object raises
        raise UsageProblem(
            f"{env} can neither be pickled ({error}) nor has it get_state and set_state: training on it cannot be stopped and resumed"
        ) from error


def _opened(env: Env, kept: State) -> Env:
    if "pickle" in kept:
        opened: Env = pickle.loads(np.asarray(kept["pickle"], np.uint8).tobytes())  # noqa: S301  # the docstring of GymBatch says so
        return opened
    own: Any = env.unwrapped
    own.set_state(kept["own"])
    for wrapper, plain in zip(_wrappers(env), kept["wrappers"], strict=True):
        vars(wrapper).update(plain)
    return env
