"""What the two commands say of a log in words: episodes used and left out, overlap, and why there is no number."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any, NoReturn

import typer

from dialogue.errors import listed
from policies.ope.evaluation import Evaluator
from policies.ope.overlap import Overlap
from policies.ope.questions import Answers

REFUSED = 1  # exit status
NAMES = {
    "dr": "DR",
    "wdr": "WDR",
    "wpdis": "WPDIS",
    "pdis": "PDIS",
    "wis": "WIS",
    "is": "IS",
    "dm": "DM",
    "logged": "as logged",
}


def percent(level: float) -> str:
    """Return a level as `95%`, with as many decimals as it has."""
    return f"{100 * level:.6g}%"


def coverage_told(answers: Answers) -> str:
    """Return how many episodes are used and which are not, in words."""
    coverage = answers.manifest["coverage"]
    reasons = Counter({name.replace("_", " "): count for name, count in coverage["left_out"].items()}) + answers.left_out
    told = f"{answers.used:,} of {coverage['episodes']:,} episodes used"
    told += f"; left out: {listed(f'{reason} {count:,}' for reason, count in reasons.most_common())}" if reasons else ""
    return told + (f"; {coverage['duplicates']:,} records repeat an id and are not used" if coverage["duplicates"] else "")


def overlap_told(found: Overlap) -> list[tuple[str, str]]:
    """Return what is told of overlap, name by name."""
    rows = [
        ("effective sample size", f"{found.ess:.1f} of {found.episodes:,} episodes"),
        ("largest weight", f"{found.largest:.1%} of all weight; mean weight {found.mean:.2f}"),
        ("no overlap", f"{found.never:.1%} of steps hold an action that the policy never takes"),
    ]
    if found.tail_missing:
        rows.append(("weights off", "their mean should be 1: the heaviest did not turn up, and IS, WIS and PDIS may be far off"))
    if found.fit is not None and found.fit.off:
        rows.append(("probabilities off", f"{found.fit}; no estimate that uses them can be trusted"))
    if found.unseen is not None and found.impossible is not None:
        told = f"{found.unseen:.1%} of what it does was never tried there, {found.impossible:.1%} could not have been"
        rows.append(("not in the log", told))
    return rows


def about(answers: Answers) -> dict[str, Any]:
    """Return what was used, as JSON values."""
    return {
        "used": answers.used,
        "left_out": dict(answers.left_out),
        "files": list(answers.question.files),
        "learned_from": {spec: asdict(known) for spec, known in answers.seen.items() if known},
        "admission": answers.manifest,
    }


def refuse(why: str, answers: Answers, evaluator: Evaluator | None = None, *, as_json: bool) -> NoReturn:
    """Say why there is no number, and end with status 1."""
    if as_json:
        print(json.dumps({"refused": why, "overlap": asdict(evaluator.overlap) if evaluator else None, **about(answers)}))
    else:
        print(coverage_told(answers))
        for name, told in overlap_told(evaluator.overlap) if evaluator else ():
            print(f"{name:22} {told}")
        print(f"refused: {why}")
    raise typer.Exit(REFUSED)
