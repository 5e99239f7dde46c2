"""Policies that a command line names: uniform, the hand-written script, always one action, or a policy file; and a floor under them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from dialogue.environments import call_policies
from dialogue.environments.contract import Actions, Observations, Spaces
from dialogue.errors import UsageProblem, did_you_mean, listed
from policies.aligned import aligned
from policies.contract import Policy
from policies.experience import Floats
from policies.saved import load_policy
from policies.table import TablePolicy

SCRIPTS: Mapping[str, Callable[[], Floats]] = {"debt_call": call_policies.script}  # (observations without extra fields, actions)
KNOWN = ("uniform", "script", "constant:ACTION", "FILE.json")


@dataclass(frozen=True)
class BlindPolicy:
    """Does not look at what it observes: for spaces where no table can stand.

    Attributes:
        probs: (actions,) of each action; empty where actions are continuous.
        place: (k,) the action that is always taken where actions are continuous; empty: all alike.
    """

    kind: ClassVar[str] = "blind"
    spaces: Spaces
    probs: Floats
    place: Floats

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        """Return actions and their probabilities; for continuous ones the density, 1 for one that is always taken."""
        n = len(observations)
        if not self.spaces.continuous:
            actions = rng.choice(len(self.probs), n, p=self.probs)
            return actions, self.probs[actions]
        if self.place.size:
            return np.tile(self.place, (n, 1)), np.ones(n)
        return rng.random((n, len(self.spaces.actions))), np.ones(n)

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        """Return the probabilities (densities) of these actions."""
        if not self.spaces.continuous:
            found: Floats = self.probs[actions]
            return found
        if self.place.size:
            same: Floats = (actions == self.place).all(-1).astype(float)
            return same
        return ((actions >= 0) & (actions <= 1)).all(-1).astype(float)

    def greedy(self) -> Self:
        """Return the policy that takes the most probable action; ties are shared."""
        best = self.probs >= self.probs.max(initial=0) - 1e-12
        return replace(self, probs=best / max(best.sum(), 1))

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"probs": self.probs.tolist(), "place": self.place.tolist()}


@dataclass(frozen=True)
class FlooredPolicy:
    """Another policy of named actions that takes one at random with probability `floor`."""

    kind: ClassVar[str] = "floored"
    policy: Policy
    floor: float

    @property
    def spaces(self) -> Spaces:
        """What is seen and what can be done."""
        return self.policy.spaces

    def act(self, observations: Observations, rng: np.random.Generator) -> tuple[Actions, Floats]:
        """Return actions and their probabilities, both ways of coming to them taken together."""
        actions, _ = self.policy.act(observations, rng)
        n = len(actions)
        actions = np.where(rng.random(n) < self.floor, rng.integers(len(self.spaces.actions), size=n), actions)
        return actions, self.probs_of(observations, actions)

    def probs_of(self, observations: Observations, actions: Actions) -> Floats:
        """Return the probabilities of these actions."""
        return (1 - self.floor) * self.policy.probs_of(observations, actions) + self.floor / len(self.spaces.actions)

    def greedy(self) -> Self:
        """Return the policy that takes what this one holds best, and no other."""
        return replace(self, policy=self.policy.greedy(), floor=0.0)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"policy": self.policy.as_data(), "kind": self.policy.kind, "floor": self.floor}


def make_behaviour(spec: str, env: str, spaces: Spaces, floor: float = 0.0) -> Policy:
    """Return the policy that a command line names.

    Args:
        spec: `uniform`, `script`, `constant:ACTION` (an action's name; numbers from 0 to 1 with commas where actions are continuous), or
            the path of a policy file, ending in .json.
        env: the environment's name.
        spaces: of the environment.
        floor: with this probability an action is taken at random, so that every action has a probability that can be logged.

    Raises:
        UsageProblem: no such policy or action, a file of other spaces, or a floor that cannot be.
    """
    if not 0 <= floor <= 1:
        raise UsageProblem(f"--floor {floor:g} is no probability; give a number from 0 (none) to 1 (always at random), such as 0.05")
    if floor and spaces.continuous:
        raise UsageProblem(f"--floor {floor:g} is for actions with names; those of {env} are continuous, and uniform tries them all")
    policy = _named(spec, env, spaces)
    if not floor:
        return policy
    return policy.floored(floor) if isinstance(policy, TablePolicy) else FlooredPolicy(policy, floor)


def behaviour_name(spec: str, floor: float = 0.0) -> str:
    """Return a short name of what `make_behaviour` makes, the same only for the same policy: of a file its name and its content's hash.

    Raises:
        UsageProblem: the file cannot be read.
    """
    name = spec.replace(":", "-")
    if spec.endswith(".json"):
        try:
            name = f"{Path(spec).stem}-{sha256(Path(spec).read_bytes()).hexdigest()[:8]}"
        except OSError as error:
            raise UsageProblem(f"cannot read the policy {spec}: {error.strerror}; name a file that `judge train` wrote") from error
    return f"{name}+{floor:g}" if floor else name


def _named(spec: str, env: str, spaces: Spaces) -> Policy:
    kind, sign, rest = spec.partition(":")
    if spec.endswith(".json"):
        return _fitting(load_policy(spec), spec, env, spaces)
    if spec == "uniform":
        return _alike(spaces, np.full(len(spaces.actions), 1 / len(spaces.actions)))
    if spec == "script":
        return _script(env, spaces)
    if kind == "constant" and sign:
        return _constant(rest, env, spaces)
    near = did_you_mean(kind, ("uniform", "script", "constant"))
    raise UsageProblem(f"unknown policy {spec!r}{near}; known: {listed(KNOWN)}")


def _alike(spaces: Spaces, probs: Floats) -> Policy:
    """Return the policy with these probabilities whatever is observed."""
    if spaces.continuous:
        return BlindPolicy(spaces, np.zeros(0), np.zeros(0))
    if spaces.observations is None:
        return BlindPolicy(spaces, probs, np.zeros(0))
    return TablePolicy(spaces, np.tile(probs, (spaces.observations, 1)))


def _script(env: str, spaces: Spaces) -> Policy:
    if env not in SCRIPTS:
        raise UsageProblem(f"there is no script for {env}; scripts are for {listed(SCRIPTS)}; name another policy: {listed(KNOWN)}")
    probs = SCRIPTS[env]()
    observations = spaces.observations or 0
    return TablePolicy(spaces, np.repeat(probs, observations // len(probs), axis=0))  # further fields run fastest and do not count


def _constant(action: str, env: str, spaces: Spaces) -> Policy:
    if spaces.continuous:
        return BlindPolicy(spaces, np.zeros(0), _place(action, env, spaces))
    if action not in spaces.actions:
        raise UsageProblem(f"{env} has no action {action!r}{did_you_mean(action, spaces.actions)}; it has {listed(spaces.actions)}")
    return _alike(spaces, np.array([float(name == action) for name in spaces.actions]))


def _place(text: str, env: str, spaces: Spaces) -> Floats:
    try:
        place = np.array([float(part) for part in text.split(",")])
    except ValueError:
        place = np.zeros(0)
    if len(place) != len(spaces.actions) or not ((place >= 0) & (place <= 1)).all():
        example = ",".join(["0.5"] * len(spaces.actions))
        raise UsageProblem(
            f"constant:{text} is no action of {env}; give {len(spaces.actions)} numbers from 0 to 1 for {listed(spaces.actions)}, "
            f"such as constant:{example}"
        )
    return place


def _fitting(policy: Policy, path: str, env: str, spaces: Spaces) -> Policy:
    """Return the policy, if it is for these spaces."""
    have = policy.spaces
    by_states = isinstance(policy, TablePolicy) and have.encoding and spaces.encoding
    same = sorted(have.actions) == sorted(spaces.actions) if by_states else have.actions == spaces.actions
    if not same or have.continuous != spaces.continuous:
        raise UsageProblem(f"the policy {path} acts by {listed(have.actions)}, {env} by {listed(spaces.actions)}; train one for it")
    if isinstance(policy, TablePolicy) and by_states:
        return aligned(policy, spaces)
    if _seen(have) != _seen(spaces):
        raise UsageProblem(
            f"the policy {path} observes {_seen(have)}, {env} with these options {_seen(spaces)}; give the options it was trained with"
        )
    return policy


def _seen(spaces: Spaces) -> str:
    return f"vectors of {spaces.width}" if spaces.observations is None else f"{spaces.observations:,} distinct observations"
