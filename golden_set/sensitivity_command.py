"""`judge golden sensitivity`: how far do ratings depend on the wording and the look of the prompt? Its exit status is the answer."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem, did_you_mean, listed
from golden_set import options
from golden_set.decision import STATUS, UNREACHED
from golden_set.sensitivity import Plan, choose, no_matter, run
from golden_set.sensitivity_text import tell
from golden_set.wording import PLAIN, Arm, Prompt, paraphrases, presentations
from golden_set.workbench import Workbench, day_of, workbench
from judge.plan import plan as make_plan
from judge.pooling import Repeats
from judge.report_files import publish, see_writable
from judge.verdict import Usage

EPISODES, RUNS = 60, 2
ALL = ",".join(Arm)


def sensitivity_command(
    judge: options.Judge = None,
    rubric: options.Rubric = None,
    cases: options.Cases = None,
    episodes: Annotated[
        int, typer.Option(min=2, help="How many cases to ask about, chosen by band; all where there are fewer.")
    ] = EPISODES,
    runs: Annotated[int, typer.Option(min=2, max=20, help="How often each prompt rates each case.")] = RUNS,
    arms: Annotated[str, typer.Option(help="What to change: some of these, with commas between them.")] = ALL,
    paraphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--paraphrases", help="Your rubric in other words: a .toml file.  [default: those that ship for the rubric]", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the choice of cases, and of the shuffled order of criteria.")] = 0,
    report: options.Report = None,
    ledger: options.Ledger = None,
    record: options.Record = None,
    budget_usd: options.Budget = None,
    max_requests: options.Requests = None,
    plan: options.Plan = False,
    as_json: options.Json = False,
    day: options.Day = None,
) -> None:
    """Measure prompt sensitivity: paraphrases and other presentations of the rubric, what they move, and how many to average over.

    Exit status: 0 one rating by one prompt is reliable enough, 1 it is not, 2 usage, 3 undecided, 4 the judge could not be reached
    or failed too often.
    """
    chosen = chosen_arms(arms)
    see_writable(report)
    with workbench(
        judge=judge, rubric=rubric, cases=cases, ledger=ledger, record=record, budget_usd=budget_usd, max_requests=max_requests
    ) as bench:
        prompts, skipped = prompts_of(bench, chosen, paraphrase_file, seed)
        asked = Plan(
            choose(bench.cases, episodes, seed), prompts, runs, seed, day_of(day), skipped
        )  # fmt: skip
        if plan:
            print_plan(asked, bench, as_json=as_json)
            return
        found = run(asked, bench)
    written = publish(found.kind, found.model_dump(mode="json"), report, os.environ)
    if as_json:
        print(found.model_dump_json())
    else:
        tell(found, written)
    raise typer.Exit(STATUS[found.decision] if found.reached else UNREACHED)


def chosen_arms(text: str) -> tuple[Arm, ...]:
    """Return the arms that an option names.

    Raises:
        UsageProblem: one is unknown, or there is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [arm.value for arm in Arm]
    for name in names:
        if name not in known:
            raise UsageProblem(
                f"--arms: unknown arm {name!r}{did_you_mean(name, known)}; allowed: {listed(known)}, with commas between them"
            )
    if not names:
        raise UsageProblem(f"--arms names nothing; allowed: {listed(known)}, with commas between them")
    return tuple(arm for arm in Arm if arm in names)


def prompts_of(bench: Workbench, arms: Sequence[Arm], path: Path | None, seed: int) -> tuple[tuple[Prompt, ...], dict[Arm, str]]:
    """Return the prompts to ask, the rubric as it is first, and why some arms are not asked.

    Raises:
        UsageProblem: paraphrases are wanted, and there are none that fit.
    """
    prompts, skipped = [Prompt(PLAIN, None, bench.rubric)], {}
    for arm in arms:
        if why := no_matter(bench.judge, arm):
            skipped[arm] = why
            continue
        found = paraphrases(bench.rubric, path) if arm is Arm.PARAPHRASES else presentations(bench.rubric, arm, seed)
        taken = {prompt.name for prompt in prompts}
        prompts += [prompt if prompt.name not in taken else Prompt(f"{prompt.name} ({arm})", arm, prompt.rubric) for prompt in found]
        if not found:
            skipped[arm] = "the rubric has only one turn criterion"
    return tuple(prompts), skipped


def print_plan(asked: Plan, bench: Workbench, *, as_json: bool) -> None:
    """Print what would be asked that is not in the ledger yet; nothing is sent."""
    transcripts = [case.transcript for case in asked.cases]
    repeats = Repeats(asked.runs, asked.runs, series=asked.series)
    rows = []
    for prompt in asked.prompts:
        judge = bench.judge if prompt.name == PLAIN else bench.make(prompt.rubric)
        rows.append((prompt, make_plan(transcripts, judge, bench.ledger, repeats, bench.terms).total))
    total = sum((usage for _, usage in rows), Usage())
    if as_json:
        told = {
            "cases": len(transcripts),
            "runs": asked.runs,
            "prompts": [{"name": prompt.name, "arm": prompt.arm, **usage.model_dump()} for prompt, usage in rows],
            "skipped": asked.skipped,
            "total": total.model_dump(),
        }
        print(json.dumps(told, ensure_ascii=False))
        return
    print(f"{len(transcripts)} cases × {len(rows)} prompts × {asked.runs} runs")
    width = max(len(prompt.name) for prompt, _ in rows)
    for prompt, usage in rows:
        print(f"  {prompt.name:{width}}  {prompt.arm or 'as it is':15} {_told(usage)}")
    for arm, why in asked.skipped.items():
        print(f"  not asked: {arm} ({why})")
    print(f"in all {_told(total)}")


def _told(usage: Usage) -> str:
    if not usage.requests:
        return "nothing to ask a provider"
    price = "price not known: name a price table" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    tokens = f"{usage.input_tokens:,} input tokens ({usage.cached_tokens:,} cached), {usage.output_tokens:,} output tokens"
    return f"{usage.requests:,} requests, {tokens}; {price}"
