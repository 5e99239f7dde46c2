"""Show, check or list rubrics."""

import json
import sys
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from judge.rubric import Criterion, Rubric, StateCriterion, load_rubric, shipped_rubrics

rubric = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@rubric.command("list")
def list_rubrics() -> None:
    """List the shipped rubrics."""
    for name in shipped_rubrics():
        print(f"{name:22} {load_rubric(name).about}")


@rubric.command()
def show(
    name: Annotated[str, typer.Argument(help="A shipped rubric or a path to a .toml file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the rubric as JSON.")] = False,
) -> None:
    """Show a rubric: questions, weights, levels."""
    shown = load_rubric(name)
    if as_json:
        print(json.dumps(shown.model_dump(mode="json") | {"hash": shown.hash}, indent=2))
        return
    print(f"{shown}\n{shown.about}\nThe judge is {'' if shown.sees_outcome else 'not '}shown the outcome.")
    for title, criteria in (
        ("Each agent turn", shown.turn),
        ("The episode", shown.episode),
        ("The state after each agent turn", _state(shown)),
    ):
        if criteria:
            print(f"\n{title}")
            for criterion in criteria:
                _show(criterion)


@rubric.command()
def check(files: Annotated[list[str], typer.Argument(help="Rubric files (.toml) or shipped names.")]) -> None:
    """Check rubric files; exit status 2 if one is wrong."""
    wrong = False
    for file in files:
        try:
            good = load_rubric(file)
        except UsageProblem as problem:
            wrong = True
            print(problem, file=sys.stderr)
        else:
            print(f"{file}: ok, {good}: {len(good.turn)} turn, {len(good.episode)} episode, {len(_state(good))} state criteria")
    if wrong:
        raise typer.Exit(2)


def _state(shown: Rubric) -> tuple[StateCriterion, ...]:
    return (shown.state,) if shown.state else ()


def _show(criterion: Criterion | StateCriterion) -> None:
    weight = f"  (weight {criterion.weight:g}{', critical' if criterion.critical else ''})" if isinstance(criterion, Criterion) else ""
    print(f"  {criterion.name}{weight}\n    {criterion.question}")
    for value, sentence in enumerate(criterion.levels, start=criterion.scale.low):
        print(f"      {value}  {sentence}")
