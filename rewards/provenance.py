"""The rubric, recipe and outcome table that rewards were made with, found again by the name and hash that the records carry."""

from collections.abc import Callable
from typing import TypeVar

from dialogue.errors import UsageProblem
from judge.rubric import Rubric, load_rubric
from rewards.outcome import OutcomeTable, load_outcome_table
from rewards.recipe import Recipe, load_recipe

Made = TypeVar("Made", Rubric, Recipe, OutcomeTable)


def rubric_of(said: str, given: str | None = None) -> Rubric:
    """Return the rubric that records name.

    Args:
        said: as the records have it, such as `collections@6db91aed97ce`.
        given: where to look for it; None: among the shipped ones.

    Raises:
        UsageProblem: what is found there has another name or content.
    """
    return _found("rubric", said, given, load_rubric)


def recipe_of(said: str, given: str | None = None) -> Recipe:
    """Return the recipe that records name; arguments and errors as `rubric_of`."""
    return _found("recipe", said, given, load_recipe)


def outcomes_of(said: str, given: str | None = None) -> OutcomeTable:
    """Return the outcome table that records name; arguments and errors as `rubric_of`."""
    return _found("outcomes", said, given, load_outcome_table)


def _found(what: str, said: str, given: str | None, load: Callable[[str], Made]) -> Made:
    name = given or said.partition("@")[0]
    try:
        found = load(name)
    except UsageProblem as problem:
        raise UsageProblem(f"the rewards were made with --{what} {said}: {problem}; name its file with --{what}") from problem
    if str(found) != said:
        raise UsageProblem(f"the rewards were made with --{what} {said}, but {name} is {found}; name the file that it was with --{what}")
    return found
