"""`judge audit promote`: the worst disagreements as golden cases, in a file for people to review; nothing counts before they commit it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dialogue.errors import UsageProblem, did_you_mean, listed
from golden_set import options
from golden_set.audit import choices
from golden_set.audit.evidence import Evidence
from golden_set.audit.opening import opened, unanswered
from golden_set.audit.promote import Promotion, line, make_promotion, personal
from golden_set.case import GoldenCase, load_cases, shipped_cases
from judge.report_files import replace_whole
from judge.rubric import Rubric

NAMED = 5  # of those left out


def promote(
    audit: choices.Audit = None,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="How many cases at most.")] = 10,
    least: Annotated[float, typer.Option(min=0, max=1, help="The least difference, as a share of the scale.")] = 0.25,
    item: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", help="Take this one, such as e017, instead of the worst; may be given again.", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write.  [default: audit/NAME/promoted.jsonl]", show_default=False)] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file that is there.")] = False,
    cases: Annotated[
        Path | None,
        typer.Option(help="Golden cases that there are; what reads the same is left out.  [default: the shipped set]", show_default=False),
    ] = None,
    ledger: options.Ledger = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Make golden cases of the dialogues where judge and people differ most: a file to review and to commit.

    Exit status: 0 written, 1 nothing to promote, 2 usage.
    """
    with opened(ledger, audit) as work:
        evidence = work.evidence
        nothing = "" if evidence.said else unanswered(work)
    name = evidence.sample.name
    if item:
        _see_known(item, evidence)
    path = out or Path("audit") / name / "promoted.jsonl"
    if str(path) == "-":
        raise UsageProblem("--out is -, but cases are written to a file for people to review; name one")
    if path.is_dir():
        raise UsageProblem(f"cannot write {path}: it is a folder; name a file with --out")
    if path.exists() and not replace:
        raise UsageProblem(
            f"{path} is there already, perhaps with changes of a reviewer; write over it with --replace, or name another file with --out"
        )
    if nothing:
        print(f"judge: {nothing}", file=sys.stderr)
        raise typer.Exit(1)
    done = make_promotion(evidence, _known(cases, evidence.sample.rubric), count=n, least=least, chosen=item)
    if done.cases:
        replace_whole(path, "".join(line(case) for case in done.cases.values()))
    if as_json:
        print(json.dumps(_data(done, path, name), ensure_ascii=False))
    _notes(done, evidence)
    if not done.cases:
        if not as_json:
            print(f"nothing to promote: no dialogue with a full set of ratings that is new and differs by {least:.0%} of the scale")
        raise typer.Exit(1)
    if not as_json:
        _tell(done, evidence, path, cases)


def _see_known(items: list[str], evidence: Evidence) -> None:
    for item in items:
        if item not in evidence.items:
            raise UsageProblem(
                f"--item is {item!r}{did_you_mean(item, evidence.items)}; the audit {evidence.sample.name!r} has "
                f"{next(iter(evidence.items), 'nothing')} to {next(reversed(evidence.items), 'nothing')}"
            )


def _known(cases: Path | None, rubric: Rubric) -> tuple[GoldenCase, ...]:
    """Return the golden cases that there are; of a rubric that the shipped set does not know, none."""
    if cases:
        return load_cases(cases, rubric)
    try:
        return load_cases(shipped_cases(), rubric)
    except UsageProblem:
        return ()


def _data(done: Promotion, path: Path, audit: str) -> dict[str, object]:
    cases = [
        {"item": item, "id": case.id, "apart": worst.apart if (worst := done.worst[item]) else 0.0, "criterion": worst and worst.criterion}
        for item, case in done.cases.items()
    ]
    return {
        "kind": "audit-promotion",
        "audit": audit,
        "file": str(path) if cases else None,
        "cases": cases,
        "incomplete": done.incomplete,
        "known": done.known,
    }


def _notes(done: Promotion, evidence: Evidence) -> None:
    """Say on stderr what was left out, and what a reviewer must look at."""
    if done.incomplete:
        told = _few([f"{item} ({missing} missing)" for item, missing in done.incomplete.items()])
        print(f"judge: left out, since a golden case needs every rating: {told}", file=sys.stderr)
    if done.known:
        told = _few([f"{item} (reads as {case})" for item, case in done.known.items()])
        print(f"judge: left out, since they are golden cases already: {told}", file=sys.stderr)
    if seen := [item for item, case in done.cases.items() if personal(case)]:
        why = "" if evidence.sample.masked else ": the audit was drawn with --no-mask"
        print(f"judge: personal data seems to stand in {listed(seen)}{why}; take it out before you commit the file", file=sys.stderr)


def _few(told: list[str]) -> str:
    return listed(told[:NAMED]) + (f" and {len(told) - NAMED} more" if len(told) > NAMED else "")


def _tell(done: Promotion, evidence: Evidence, path: Path, cases: Path | None) -> None:
    for item, case in done.cases.items():
        worst = done.worst[item]
        if worst is None:
            print(f"  {case.id}: judge and people say the same")
            continue
        people = " and ".join(f"{one.rating:g}" for one in worst.people)
        where = "the episode" if worst.place == "episode" else f"turn {worst.place}"
        print(f"  {case.id}: {where}, {worst.criterion}: judge {worst.judge:.3g}, people {people}{', hunted' if worst.hunted else ''}")
    folder = cases or "a folder that you name with --cases (the shipped set is golden_set/cases)"
    print(f"written: {path}: {len(done.cases)} {'case' if len(done.cases) == 1 else 'cases'} for review")
    print(f"They count only once people have read them and committed them into {folder}.")
    print("A set that has grown needs a new baseline: `judge golden accept`.")
