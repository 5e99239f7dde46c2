"""Learners by name: entry points of the group `judge.learners`, made with the parameters that their signatures name."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.installed import installed
from policies.contract import Learner
from policies.options import typed

GROUP = "judge.learners"
HELD = 100_000_000  # numbers of one rollout: 0.8 GB
PART = "algorithm"  # the parameter that stands after the colon, as in sb3:dqn


def default_learner(spaces: Spaces) -> str:
    """Return the learner for these spaces: a tabular actor-critic if it can be, since with hidden personas one-step Q settles lower."""
    return "actor-critic" if spaces.observations is not None and not spaces.continuous else "a2c"


def learner_class(name: str) -> type[Learner]:
    """Return the class of a learner.

    Raises:
        UsageProblem: there is no such learner, or it needs a package that is not installed.
    """
    points = installed(GROUP)
    kind, colon, _ = name.partition(":")
    if kind not in points:
        raise UsageProblem(f"unknown learner {name!r}{did_you_mean(kind, points)}; installed: {listed(points)}")
    point = points[kind]
    try:
        made: type[Learner] = point.load()
    except ModuleNotFoundError as error:
        wanted = f"'judge-rewards[{','.join(point.extras)}]'" if point.extras else error.name
        raise UsageProblem(f"learner {name} needs the package {error.name}, which is not installed: pip install {wanted}") from error
    if bool(colon) and PART not in signature(made).parameters:
        raise UsageProblem(f"learner {kind} has no parts, so {name!r} is none; write --learner {kind}")
    return made


def make_learner(name: str, given: Mapping[str, Any]) -> Learner:
    """Return a learner.

    Args:
        name: as installed, such as `q`, or with a part as in `sb3:dqn`.
        given: parameters by name; texts are read as the types that its signature says.

    Raises:
        UsageProblem: there is no such learner or parameter, or a value is not what it takes.
    """
    made = learner_class(name)
    part = name.partition(":")[2]
    fixed = {PART: part} if part else {}
    if part and given.get(PART, part) != part:
        raise UsageProblem(f"learner {name} has the {PART} {part!r} by its name, and {given[PART]!r} by --set; give it once")
    texts = {key: value for key, value in {**given, **fixed}.items() if isinstance(value, str)}
    params = {**given, **typed(made, texts, f"the learner {name}")}
    if unknown := params.keys() - signature(made).parameters.keys():
        raise UsageProblem(
            f"the learner {name} has no parameter {listed(sorted(unknown))}: it was another version's; use that, or train anew"
        )
    learner = made(**params)
    for counted in ("envs", "steps"):  # environments are made with them before the learner begins and sees for itself
        if (given := getattr(learner, counted)) < 1:
            raise UsageProblem(f"{counted} is {given}; at least 1")
    return learner


def see_fit(learner: Learner, name: str, spaces: Spaces, where: str) -> None:
    """See that a learner can do with these spaces.

    Raises:
        UsageProblem: it cannot.
    """
    if spaces.observations is None and not learner.vectors:
        raise UsageProblem(f"learner {name} needs discrete observations, those of {where} are vectors; take linear, linucb or a2c")
    if spaces.continuous and not learner.continuous:
        raise UsageProblem(f"learner {name} needs discrete actions, those of {where} are numbers; take a2c")


def see_held(learner: Learner, spaces: Spaces) -> None:
    """See that a rollout in an environment of these spaces can be held in memory.

    Raises:
        UsageProblem: it would be too large.
    """
    numbers = 5 + 2 * (1 if spaces.observations is not None else spaces.width)  # of a step, seen before and after it
    if (held := learner.steps * learner.envs) * numbers > HELD:
        raise UsageProblem(
            f"{learner.steps:,} steps in {learner.envs:,} environments make a rollout of {held:,}, which is held in memory at once; it "
            f"may be {HELD // numbers:,} here, so lower steps or envs (how long to train is said with --steps)"
        )
