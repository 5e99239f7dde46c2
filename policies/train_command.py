"""`judge train`: from an environment or rewards files to a policy and its learning curve; it can be stopped and goes on exactly."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem
from judge.settings import load_settings
from policies.options import pairs_of
from policies.run_folder import EVERY, RunFolder
from policies.stopping import Stopping
from policies.train_run import STEPS, Run, begin, resume
from policies.train_sources import Request
from policies.training import Ended


def train_command(
    more_files: Annotated[list[str] | None, typer.Argument(metavar="FILE…", help="More rewards files, after --from.")] = None,
    learner: Annotated[
        str | None,
        typer.Option(
            help="q, bandit, ucb1, thompson, linear, linucb, actor-critic, a2c, pessimistic, sb3:a2c, sb3:dqn or sb3:ppo."
            "  [default: actor-critic; a2c where observations or actions are numbers, pessimistic where probabilities were not logged]"
        ),
    ] = None,
    env: Annotated[str | None, typer.Option(help="Learn in debt_call, sales_call or gym:ID.", show_default=False)] = None,
    from_: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="FILE…", help="Learn from rewards files that `judge score` wrote.", show_default=False),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the learner; repeatable.", show_default=False),
    ] = None,
    env_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An option of the environment; repeatable.", show_default=False)
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=0, help=f"Steps in all, earlier runs included.  [default: {STEPS:,}; from files: all passes]")
    ] = None,
    more: Annotated[int | None, typer.Option(min=0, help="With --resume: so many steps more.", show_default=False)] = None,
    recipe: Annotated[
        str | None, typer.Option(help="With --env: rewards by this recipe, with a judge in the loop.  [default: the environment's own]")
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Who rates, as in `judge score`.  [default: local]", show_default=False)] = None,
    rubric: Annotated[str | None, typer.Option(help="Shipped rubric or path.  [default: collections]", show_default=False)] = None,
    outcomes: Annotated[str | None, typer.Option(help="Outcome table.  [default: the rubric's]", show_default=False)] = None,
    calls: Annotated[int | None, typer.Option(min=1, help="With a judge: calls between two updates.  [default: 64]")] = None,
    budget_usd: Annotated[float | None, typer.Option(min=0, help="Stop asking before the run has cost more.", show_default=False)] = None,
    passes: Annotated[
        int | None, typer.Option(min=1, help="Over the files.  [default: 10; 1 where counts decide]", show_default=False)
    ] = None,
    min_count: Annotated[
        int | None,
        typer.Option(min=0, help="Keep to who acted where the files have tried an action less often.  [default: 3]", show_default=False),
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="KEYS", help="Of the logged states, such as fsm,sentiment,turn:4:7.  [default: what they show]")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of all chance.  [default: 0]")] = None,
    envs: Annotated[int | None, typer.Option(min=1, help="Episodes side by side.  [default: the learner's]")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for policy, report and checkpoint.  [default: policy]")] = None,
    resume_: Annotated[Path | None, typer.Option("--resume", help="Go on with the training in this folder.", show_default=False)] = None,
    allow_uncleared: Annotated[bool, typer.Option("--allow-uncleared", help="Learn from judges without a golden check passed.")] = False,
    allow_mixed_judges: Annotated[bool, typer.Option("--allow-mixed-judges", help="Learn from several judges at once.")] = False,
    allow_mixed_recipes: Annotated[
        bool, typer.Option("--allow-mixed-recipes", help="Learn from several recipes, outcome tables or calibrations at once.")
    ] = False,
    min_coverage: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the episodes that must be usable.  [default: 0.9]", show_default=False)
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Learn from files that were learned from before.")] = False,
    ledger: Annotated[str | None, typer.Option(help="Where verdicts and clearances are.  [default: judge-ledger.db]")] = None,
    checkpoint_every: Annotated[float, typer.Option(min=0, help="Seconds between two checkpoints.")] = EVERY,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Train a policy in an environment, or on scored transcripts.

    Ctrl-C stops between two batches and keeps a checkpoint; `judge train --resume FOLDER` goes on, and the result is the same, to the
    bit, as if the training had never been stopped.
    """
    if more_files and not from_:
        raise UsageProblem(f"{more_files[0]} stands alone; name files after --from, environments after --env")
    if resume_ is not None and out is not None:
        raise UsageProblem(f"--resume {resume_} goes on in that folder, so --out {out} does not go with it; copy the folder to fork a run")
    if more is not None and (resume_ is None or steps is not None):
        raise UsageProblem(f"--more {more} is for --resume, instead of --steps; give --steps N alone")
    if resume_ is not None and not resume_.is_dir():
        raise UsageProblem(f"there is no folder {resume_} to go on in; name one that `judge train --out` wrote")
    permitted = {"uncleared": allow_uncleared, "mixed_judges": allow_mixed_judges, "mixed_recipes": allow_mixed_recipes}
    request = Request(
        learner,
        seed,
        env,
        pairs_of(set_ or (), "--set"),
        pairs_of(env_set or (), "--env-set"),
        envs,
        (*(from_ or ()), *(more_files or ())),
        passes,
        min_count,
        state,
        recipe,
        {"judge": judge, "rubric": rubric, "outcomes": outcomes},
        calls,
        permitted | {"min_coverage": min_coverage},
        again,
        lambda given: load_settings(Path.cwd(), os.environ, {"ledger": ledger, "budget_usd": budget_usd, **given}),
        os.environ,
    )
    folder = RunFolder(resume_ or out or Path("policy"), checkpoint_every)
    with Stopping() as stopping, folder:
        try:
            run: Run = begin(folder, request, steps) if resume_ is None else resume(folder, request, steps, more)
            run.go(stopping)
        except KeyboardInterrupt:
            print(f"judge: stopped at once; --resume {folder.path} goes on from the last checkpoint", file=sys.stderr)
            raise typer.Exit(130) from None
        run.tell(as_json=as_json)
    if run.ended is Ended.STOPPED:
        raise typer.Exit(130)
