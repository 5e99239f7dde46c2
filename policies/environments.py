"""Environments by name: entry points of the group `judge.environments`, or `gym:ID`; what they simulate is theirs."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

from dialogue.environments.contract import BatchEnv
from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.installed import installed
from policies.options import typed

GROUP = "judge.environments"
GYM = EntryPoint("gym", "policies.gym_batch:make_gym", GROUP)  # loaded only where it is named: gymnasium takes its time


def make_env(name: str, n: int, options: Mapping[str, Any] | None = None) -> BatchEnv:
    """Return n episodes of an environment, side by side.

    Args:
        name: an installed environment such as `debt_call`, or `gym:ID` for any that Gymnasium knows.
        n: how many episodes.
        options: of the environment, by name; texts are read as the types that its maker's signature says.

    Raises:
        UsageProblem: there is no such environment or option, or a value is not what it takes.
    """
    if n < 1:
        raise UsageProblem(f"{n} episodes side by side are too few; at least 1")
    kind, _, gym_id = name.partition(":")
    first: tuple[Any, ...] = (n,)
    if kind == "gym":
        if not gym_id:
            raise UsageProblem("'gym:' needs the id of an environment; write for example gym:FrozenLake-v1")
        maker, first = GYM.load(), (gym_id, n)
    else:
        maker = known(name).load()
    made: BatchEnv = maker(*first, **typed(maker, options or {}, f"the environment {name}", ("env_id", "n")))
    return made


def known(name: str) -> EntryPoint:
    """Return the entry point of an environment.

    Raises:
        UsageProblem: there is no such environment.
    """
    points = installed(GROUP)
    if name not in points:
        raise UsageProblem(
            f"unknown environment {name!r}{did_you_mean(name, points)}; installed: {listed(points)}; or gym:ID for one that Gymnasium knows"
        )
    return points[name]
