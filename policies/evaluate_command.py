"""`judge evaluate`: what a policy earns, measured in an environment or estimated from scored calls that another one acted in."""

import json
import os
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from dialogue.errors import UsageProblem
from judge.settings import load_settings
from policies.behaviour import make_behaviour
from policies.environments import make_env
from policies.ope.acting import act_out
from policies.ope.bootstrap import DRAWS, Kind, bootstrap
from policies.ope.evaluation import ESTIMATORS, LOGGED, Estimate, Evaluator, estimates, guaranteed
from policies.ope.overlap import too_little
from policies.ope.questions import Answers, Question, range_of
from policies.ope.ratios import Ratios
from policies.ope.telling import NAMES, about, coverage_told, overlap_told, percent, refuse
from policies.options import pairs_of
from rewards.admission import Allowed

EPISODES = 2000


class Chosen(StrEnum):
    """Which estimators are printed."""

    ALL = "all"
    DR = "dr"
    WDR = "wdr"
    WPDIS = "wpdis"
    PDIS = "pdis"
    WIS = "wis"
    IS = "is"
    DM = "dm"


class Bound(StrEnum):
    """How intervals are made."""

    BOOTSTRAP = Kind.SYMMETRIC
    PERCENTILE = Kind.PERCENTILE
    BCA = Kind.BCA
    BERNSTEIN = "bernstein"


def evaluate_command(
    policy: Annotated[str, typer.Argument(help="A policy file, or uniform, script or constant:ACTION.")],
    more_files: Annotated[list[str] | None, typer.Argument(metavar="FILE…", help="More rewards files, after --from.")] = None,
    env: Annotated[str | None, typer.Option(help="Measure in debt_call, sales_call or gym:ID.", show_default=False)] = None,
    n: Annotated[int | None, typer.Option(min=10, help=f"With --env: episodes.  [default: {EPISODES:,}]", show_default=False)] = None,
    env_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An option of the environment; can be repeated.", show_default=False)
    ] = None,
    from_: Annotated[
        list[str] | None, typer.Option("--from", metavar="FILE…", help="Estimate from rewards files of `judge score`.", show_default=False)
    ] = None,
    estimator: Annotated[Chosen, typer.Option(help="One, or all of them.")] = Chosen.ALL,
    bound: Annotated[Bound, typer.Option(help="bernstein holds for any log, and is wide.")] = Bound.BOOTSTRAP,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the interval.")] = 0.95,
    clip: Annotated[
        float | None, typer.Option(min=1, help="Cut products of probability ratios here: less chance, some bias.", show_default=False)
    ] = None,
    discount: Annotated[float, typer.Option(min=0, max=1, help="Of a step.")] = 1.0,
    min_ess: Annotated[
        float | None, typer.Option(min=1, help="Refuse below this effective sample size.  [default: 30, and 1 % of the episodes]")
    ] = None,
    judge_error: Annotated[bool, typer.Option("--judge-error", help="Put the judge's calibration error into the interval.")] = False,
    range_: Annotated[
        str | None, typer.Option("--range", metavar="LOW:HIGH", help="For bernstein: of a return.  [default: by recipe and outcome table]")
    ] = None,
    rubric: Annotated[str | None, typer.Option(help="File of the rewards' rubric, if not shipped.", show_default=False)] = None,
    recipe: Annotated[str | None, typer.Option(help="File of the rewards' recipe, if not shipped.", show_default=False)] = None,
    outcomes: Annotated[str | None, typer.Option(help="File of the rewards' outcome table, if not shipped.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    draws: Annotated[int, typer.Option(min=200, max=1_000_000, help="Of the bootstrap.")] = DRAWS,
    allow_uncleared: Annotated[
        bool, typer.Option("--allow-uncleared", help="Use rewards of judges without a golden check passed.")
    ] = False,
    allow_mixed_judges: Annotated[bool, typer.Option("--allow-mixed-judges", help="Use rewards of several judges at once.")] = False,
    allow_mixed_recipes: Annotated[
        bool, typer.Option("--allow-mixed-recipes", help="Use several recipes, outcome tables or calibrations at once.")
    ] = False,
    min_coverage: Annotated[float, typer.Option(min=0, max=1, help="Share of the episodes that must be usable.")] = 0.9,
    ledger: Annotated[str | None, typer.Option(help="Where clearances and replicates are looked up.  [default: judge-ledger.db]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a policy earns, with an interval.

    From rewards files DR decides, with WPDIS beside it; DM, the model alone, is biased where states hide something. Too little overlap
    between the policy and the one that acted is refused: no number is printed then.

    Exit status: 0 told, 1 refused, 2 usage.
    """
    files = (*(from_ or ()), *(more_files or ()))
    if (env is None) == (not from_):
        raise UsageProblem("name either an environment with --env or rewards files with --from")
    if env is not None:
        if more_files or judge_error:
            raise UsageProblem(f"{'--judge-error is' if judge_error else f'{files[0]} stands alone: files are'} for --from, not for --env")
        _measure(policy, env, n or EPISODES, pairs_of(env_set or (), "--env-set"), level, discount, seed, draws, as_json=as_json)
        return
    if n is not None or env_set:
        raise UsageProblem(f"{'--n' if n is not None else '--env-set'} is for --env; rewards files hold what they hold")
    where = load_settings(Path.cwd(), os.environ, {"ledger": ledger}).ledger
    allowed = Allowed(allow_uncleared, allow_mixed_judges, allow_mixed_recipes, min_coverage)
    made_with = {"rubric": rubric, "recipe": recipe, "outcomes": outcomes}
    answers = Answers(Question(files, allowed, discount, clip, judge_error, made_with, where), (policy,))
    if why := answers.thin:
        refuse(why, answers, as_json=as_json)
    evaluator = answers.evaluators()[policy]
    if why := too_little(evaluator.overlap, min_ess):
        refuse(f"{why}; collect calls with a policy nearer to it, or with more chance in it", answers, evaluator, as_json=as_json)
    if bound is Bound.BERNSTEIN:
        if judge_error:
            raise UsageProblem("--judge-error needs draws; use it with --bound bootstrap")
        found = guaranteed(evaluator, *(range_of(range_, evaluator.log.returns) if range_ else answers.range()), level)
    else:
        found = estimates(evaluator, level, Kind(bound), worlds=answers.worlds(), seed=seed, draws=draws)
    if estimator is not Chosen.ALL and estimator not in found:
        raise UsageProblem(
            f"there is no {NAMES[estimator]} {'with --bound bernstein' if bound is Bound.BERNSTEIN else 'for these actions'}"
        )
    beside = (Chosen.DR,) if estimator is Chosen.DM else ()  # a model alone tells nothing of how far it is off
    shown = ESTIMATORS if estimator is Chosen.ALL else (*beside, estimator)
    wanted = [name for name in (*shown, LOGGED) if name in found]
    _tell(policy, answers, evaluator, {name: found[name] for name in wanted}, level, bound, as_json=as_json)


def _tell(
    policy: str, answers: Answers, evaluator: Evaluator, found: dict[str, Estimate], level: float, bound: str, *, as_json: bool
) -> None:
    if as_json:
        rows = {name: asdict(one) for name, one in found.items()}
        head = {"policy": policy, "level": level, "bound": bound, "discount": answers.question.discount, "clip": answers.question.clip}
        head |= {"judge_error": answers.question.judge_error}
        print(json.dumps(head | {"estimates": rows, "overlap": asdict(evaluator.overlap), **about(answers)}))
        return
    print(f"{policy}: {coverage_told(answers)}")
    asked = f"{percent(level)} interval" + (", judge error included" if answers.question.judge_error else "")
    print(f"{'':10} {'value':>8}  {asked}")
    notes = {"dr": "this one decides", "dm": "no interval: the model alone is biased where states hide something", LOGGED: "who acted"}
    for name, one in found.items():
        between = "" if one.low is None or one.high is None else f"{one.low:+.4f} to {one.high:+.4f}"
        print(f"{NAMES[name]:10} {one.value:+8.4f}  {between:20} {notes.get(name, '')}".rstrip())
    for name, told in overlap_told(evaluator.overlap):
        print(f"{name:22} {told}")
    if known := answers.seen[policy]:
        print(f"{'learned from':22} {known}: flattered, since it chose what went well there; evaluate on other calls")
    for warning in answers.manifest["warnings"]:
        print(f"judge: {warning}", file=sys.stderr)


def _measure(
    spec: str, env: str, n: int, options: dict[str, str], level: float, discount: float, seed: int, draws: int, *, as_json: bool
) -> None:
    """Act n episodes and print the mean return."""
    made = make_env(env, n, options)
    rollout = act_out(made, make_behaviour(spec, env, made.spaces), np.random.SeedSequence(seed))
    returns = (discount ** np.arange(len(rollout.rewards))[:, None] * rollout.rewards).sum(0)
    one = bootstrap({"return": Ratios.mean(returns)}, np.random.default_rng(seed), draws)["return"]
    low, high = one.interval(level)
    steps, cut = rollout.steps / n, int(rollout.truncated.sum())
    if as_json:
        found = {"value": one.estimator.value, "low": low, "high": high, "error": one.error}
        told = {"policy": spec, "env": env, "episodes": n, "seed": seed, "level": level, "discount": discount}
        print(json.dumps(told | {"return": found, "steps": steps, "truncated": cut}))
        return
    print(f"{spec} in {env}: mean return {one.estimator.value:+.4f}, {percent(level)} interval {low:+.4f} to {high:+.4f}")
    print(f"{n:,} episodes of {steps:.1f} steps on average" + (f"; {cut:,} were cut off" if cut else ""))
