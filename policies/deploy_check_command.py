"""`judge deploy-check`: leave for a new policy only where it is shown to earn more than the one in use; otherwise why not."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from dialogue.errors import UsageProblem
from judge.settings import load_settings
from policies.behaviour import make_behaviour
from policies.environments import make_env
from policies.evaluate_command import EPISODES, Bound
from policies.experience import Floats
from policies.ope.acting import act_out
from policies.ope.bootstrap import DRAWS, Kind, bootstrap
from policies.ope.comparison import Finding, finding, guaranteed_finding, pair
from policies.ope.evaluation import LOGGED, Evaluator, best_of, drawn
from policies.ope.overlap import Overlap, too_alike, too_little, too_unsure
from policies.ope.questions import Answers, Question, range_of
from policies.ope.ratios import Ratios
from policies.ope.telling import about, coverage_told, overlap_told, percent, refuse
from policies.options import pairs_of
from rewards.admission import Allowed

NOT_SHOWN = 1  # exit status


def deploy_check_command(
    candidate: Annotated[str, typer.Option(help="A policy file, or uniform, script or constant:ACTION.")],
    baseline: Annotated[str, typer.Option(help="The same of the policy in use; logged: whoever acted in the rewards files.")],
    more_files: Annotated[list[str] | None, typer.Argument(metavar="FILE…", help="More rewards files, after --from.")] = None,
    env: Annotated[str | None, typer.Option(help="Compare in debt_call, sales_call or gym:ID.", show_default=False)] = None,
    n: Annotated[int | None, typer.Option(min=100, help=f"With --env: episodes each.  [default: {EPISODES:,}]", show_default=False)] = None,
    env_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An option of the environment; can be repeated.", show_default=False)
    ] = None,
    from_: Annotated[
        list[str] | None, typer.Option("--from", metavar="FILE…", help="Compare on rewards files of `judge score`.", show_default=False)
    ] = None,
    margin: Annotated[float, typer.Option(help="By how much the candidate must be better.")] = 0.0,
    bound: Annotated[Bound, typer.Option(help="bernstein holds for any log, and is wide.")] = Bound.BOOTSTRAP,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the one-sided bounds.")] = 0.95,
    clip: Annotated[float | None, typer.Option(min=1, help="Cut products of probability ratios here.", show_default=False)] = None,
    discount: Annotated[float, typer.Option(min=0, max=1, help="Of a step.")] = 1.0,
    min_ess: Annotated[
        float | None, typer.Option(min=1, help="Refuse below this effective sample size.  [default: 30, and 1 % of the episodes]")
    ] = None,
    judge_error: Annotated[bool, typer.Option("--judge-error", help="Put the judge's calibration error into the bounds.")] = False,
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
    allow_seen: Annotated[bool, typer.Option("--allow-seen", help="Use files that the candidate has learned from.")] = False,
    min_coverage: Annotated[float, typer.Option(min=0, max=1, help="Share of the episodes that must be usable.")] = 0.9,
    ledger: Annotated[str | None, typer.Option(help="Where clearances and replicates are looked up.  [default: judge-ledger.db]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Give leave to a policy that is shown to be better: the lower bound of the paired difference must exceed the margin.

    Exit status: 0 shown, 1 not shown or refused, with the reason, 2 usage.
    """
    files = (*(from_ or ()), *(more_files or ()))
    if (env is None) == (not from_):
        raise UsageProblem("name either an environment with --env or rewards files with --from")
    if env is not None:
        if more_files or judge_error or baseline == LOGGED:
            what = (
                "--judge-error is"
                if judge_error
                else "--baseline logged is"
                if baseline == LOGGED
                else f"{files[0]} stands alone: files are"
            )
            raise UsageProblem(f"{what} for --from, not for --env")
        if bound is Bound.BERNSTEIN:
            raise UsageProblem("--bound bernstein is for --from; in an environment more episodes are cheap: raise --n")
        returns = _acted(env, (candidate, baseline), n or EPISODES, pairs_of(env_set or (), "--env-set"), discount, seed)
        draws_of = bootstrap(pair(*map(Ratios.mean, returns)), np.random.default_rng(seed), draws)
        _tell(finding(draws_of, level, margin, Kind(bound), caution=1.0), (candidate, baseline), margin, level, {}, as_json=as_json)
        return
    if n is not None or env_set:
        raise UsageProblem(f"{'--n' if n is not None else '--env-set'} is for --env; rewards files hold what they hold")
    where = load_settings(Path.cwd(), os.environ, {"ledger": ledger}).ledger
    allowed = Allowed(allow_uncleared, allow_mixed_judges, allow_mixed_recipes, min_coverage)
    made_with = {"rubric": rubric, "recipe": recipe, "outcomes": outcomes}
    specs = tuple(dict.fromkeys(spec for spec in (candidate, baseline) if spec != LOGGED))
    if candidate == LOGGED:
        raise UsageProblem("--candidate logged is who acted already; name a policy")
    answers = Answers(Question(files, allowed, discount, clip, judge_error, made_with, where), specs)
    if why := answers.thin:
        refuse(why, answers, as_json=as_json)
    if (known := answers.seen[candidate]) and not allow_seen:
        refuse(f"{candidate} has learned from {known}: take calls that it has not seen, or --allow-seen", answers, as_json=as_json)
    evaluators = answers.evaluators()
    for spec, evaluator in evaluators.items():
        if why := too_little(evaluator.overlap, min_ess):
            refuse(
                f"{spec}: {why}; collect calls with a policy nearer to it, or with more chance in it", answers, evaluator, as_json=as_json
            )
    own, other = evaluators[candidate], evaluators.get(baseline)
    unsure = next((f"{spec}: {why}" for spec, one in evaluators.items() if (why := too_unsure(one.overlap))), None)
    if why := unsure or too_alike(own.log, other.log if other else None, min_ess):
        refuse(f"{why}; collect more calls, with more chance in what is done", answers, own, as_json=as_json)
    if bound is Bound.BERNSTEIN:
        if judge_error:
            raise UsageProblem("--judge-error needs draws; use it with --bound bootstrap")
        low, high = range_of(range_, own.log.returns) if range_ else answers.range()
        found = guaranteed_finding(own, other, low, high, level)
    else:
        made = partial(_estimators, evaluators, candidate, baseline)
        found = finding(drawn(made, answers.worlds(), seed, draws), level, margin, Kind(bound))
    for warning in answers.manifest["warnings"]:
        print(f"judge: {warning}", file=sys.stderr)
    if not as_json:
        print(coverage_told(answers))
    told = about(answers) | {"overlap": asdict(own.overlap)}
    _tell(found, (candidate, baseline), margin, level, told, own.overlap, as_json=as_json)


def _estimators(evaluators: Mapping[str, Evaluator], candidate: str, baseline: str, rewards: Floats | None) -> dict[str, Ratios]:
    own = evaluators[candidate].estimators(rewards)
    name = best_of(tuple(own))
    return pair(own[name], own[LOGGED] if baseline == LOGGED else evaluators[baseline].estimators(rewards)[name])


def _acted(env: str, specs: tuple[str, str], n: int, options: dict[str, str], discount: float, seed: int) -> list[Floats]:
    """Return the returns of both, (n,) each; the k-th episodes of both begin with the same caller."""
    returns = []
    for spec in specs:
        made = make_env(env, n, options)
        rewards = act_out(made, make_behaviour(spec, env, made.spaces), np.random.SeedSequence(seed)).rewards
        returns.append((discount ** np.arange(len(rewards))[:, None] * rewards).sum(0))
    return returns


def _tell(
    found: Finding, specs: tuple[str, str], margin: float, level: float, told: dict[str, Any], seen: Overlap | None = None, *, as_json: bool
) -> None:
    """Print the finding; end with status 1 where the difference is not shown."""
    candidate, baseline = specs
    shown = found.difference_low > margin
    why = "" if shown else _why(found, margin)
    if as_json:
        head = {"candidate": candidate, "baseline": baseline, "margin": margin, "level": level, "deploy": shown, "why": why or None}
        print(json.dumps(head | {"found": asdict(found)} | told))
    else:
        at = f"{percent(level)} lower bound"
        print(f"{'candidate':11} {found.candidate:+8.4f}  {at} {found.candidate_low:+.4f}  {candidate}")
        print(f"{'baseline':11} {found.baseline:+8.4f}  {'':{len(at)}} {'':7}  {baseline}")
        print(f"{'difference':11} {found.difference:+8.4f}  {at} {found.difference_low:+.4f}  on the same {found.episodes:,} episodes")
        for name, what in overlap_told(seen) if seen else ():
            print(f"{name:22} {what}")
        print(f"deploy: the candidate is better by more than {margin:g}" if shown else f"do not deploy: {why}")
    if not shown:
        raise typer.Exit(NOT_SHOWN)


def _why(found: Finding, margin: float) -> str:
    gain = found.difference - margin
    than = f"{margin:g} better" if margin else "better"
    if gain <= 0:
        return f"the candidate does not even seem to be {than}"
    if found.needed is not None:
        return f"the difference is not shown; if it is what it seems, about {found.needed:,} episodes would show it"
    if found.judged:
        return (
            "the difference is not shown, and more episodes alone will not: the judge's calibration is too uncertain; audit more dialogues"
        )
    return "the difference is not shown by bounds that hold for any log; more episodes, or --bound bootstrap"
