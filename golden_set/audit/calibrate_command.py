"""`judge calibrate`: from people's labels to the map that `judge score` puts between the judge and the rewards."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json

from dialogue.errors import UsageProblem, did_you_mean, listed
from golden_set import options
from golden_set.audit.book import AuditBook
from golden_set.audit.calibration import EPISODES, LABELS, LEVEL, fit_all
from golden_set.audit.closeness import people_agree
from golden_set.audit.evidence import Evidence, make_evidence
from golden_set.audit.findings import CalibrationReport, CalibrationRow
from golden_set.audit.replicates import replicated
from golden_set.audit.sample import AuditSample
from golden_set.audit.trust import PEOPLE, at_least
from golden_set.decision import Decision
from golden_set.workbench import day_of
from judge.calibration import Calibration, Curve
from judge.judges import make_judge, repeats_of, terms_of
from judge.ledger import Ledger
from judge.report_files import publish, see_writable
from judge.rubric import load_rubric
from judge.settings import load_settings
from judge.verdict import JudgeId

NOTHING = 1  # exit status

Audits = Annotated[
    list[str] | None, typer.Option("--audit", help="Use this audit; several times for several.  [default: all of this judge]")
]
Often = Annotated[int | None, typer.Option(min=1, max=100, help="How often `judge score` rates each transcript.", show_default=False)]
Escalate = Annotated[int | None, typer.Option(min=1, max=100, help="Up to how often it does.", show_default=False)]


def calibrate(
    judge: options.Judge = None,
    rubric: options.Rubric = None,
    audit: Audits = None,
    repeats: Often = None,
    escalate: Escalate = None,
    ledger: options.Ledger = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fit and tell; keep nothing.")] = False,
    void: Annotated[bool, typer.Option("--void", help="Take the judge's calibration back; fit nothing.")] = False,
    report: options.Report = None,
    as_json: options.Json = False,
    day: Annotated[str | None, typer.Option(help="Date the calibration this day (YYYY-MM-DD).  [default: today]")] = None,
) -> None:
    """Fit the map from a judge's ratings to people's, of the labels that `judge audit read` took in.

    `judge score` uses it from then on. It fits this judge alone: another model, prompt, rubric or number of repeats needs an audit of
    its own. A criterion on which the judge tells nothing gets a flat map: its ratings then move no reward.

    Exit status: 0 fitted and kept (or taken back), 1 nothing to fit on (or to take back), 2 usage.
    """
    see_writable(report)
    on = day_of(day)
    if void and (audit or dry_run or report):
        raise UsageProblem("--void fits nothing and goes without --audit, --dry-run and --report; leave them out")
    given = {"judge": judge, "rubric": rubric, "ledger": ledger, "repeats": repeats, "escalate": escalate}
    settings = load_settings(Path.cwd(), os.environ, given)
    question = load_rubric(settings.rubric)
    made = repeats_of(settings).of(make_judge(settings.judge, question, terms_of(settings, os.environ)).id)
    with Ledger(settings.ledger) as kept:
        if void:
            _take_back(kept, made, as_json=as_json)
            return
        book = AuditBook(kept)
        samples = _samples(book, made, audit, kept.path)
        evidences = [make_evidence(sample, book.items(sample.name), book.labels(sample.name)) for sample in samples]
        calibration, rows = fit_all(evidences, question, LEVEL, on)
        found = _report(calibration, rows, kept=any(row.fitted for row in rows) and not dry_run)
        before = kept.calibration(made)
        if found.kept:
            kept.calibrate(calibration)
            kept.calibrate_replicates(replicated(evidences, question, calibration))
    pages = publish(found.kind, found.model_dump(mode="json"), report, os.environ)  # first: the reader of what follows may go away
    if as_json:
        print(found.model_dump_json())
    else:
        answered = sum(len(items) for evidence in evidences for items in evidence.answered.values())
        _tell(found, answered, settings.ledger, before)
        for path in pages:
            print(f"report: {path}")
    if not any(row.fitted for row in rows):
        raise typer.Exit(NOTHING)
    for evidence in evidences:
        _doubt(evidence)


def _doubt(evidence: Evidence) -> None:
    """Say on stderr where people's ratings are no good measure: nobody knows whether they agree, or they do not."""
    alpha, name = people_agree(evidence), evidence.sample.name
    seen = alpha.interval()
    if not alpha.episodes:
        print(f"judge: in the audit {name} no dialogue was rated by two people: nothing tells how far people agree", file=sys.stderr)
    elif at_least(seen, PEOPLE) is Decision.FAIL:
        told = f"people do not agree with each other (alpha {seen.value:.2f}, at least {PEOPLE:.2f} is wanted)"
        print(f"judge: in the audit {name} {told}: the map learns their differences; mend the rubric first", file=sys.stderr)


def _samples(book: AuditBook, judge: JudgeId, wanted: list[str] | None, path: Path) -> list[AuditSample]:
    """Return the audits to fit on.

    Raises:
        UsageProblem: there is none, none of this name, or none of this judge.
    """
    names = book.names()
    for name in wanted or ():
        if name not in names:
            raise UsageProblem(f"no audit {name!r} in {path}{did_you_mean(name, names)}; there are: {listed(names) or 'none'}")
    fitting = book.samples_of(judge)
    chosen = [book.sample(name) for name in dict.fromkeys(wanted)] if wanted else fitting
    others = [sample for sample in chosen if sample.judge != judge]
    if not names:
        raise UsageProblem(f"no audit in {path}: draw one with `judge audit draw`, or name another ledger with --ledger")
    if others or not chosen:
        near = min(others or [book.sample(name) for name in names], key=lambda sample: len(differing(sample.judge, judge)))
        raise UsageProblem(
            f"the audit {near.name!r} is of another judge: {'; '.join(differing(near.judge, judge))}. A map fits one judge alone: draw an "
            "audit of this one with `judge audit draw`, or name the judge, rubric and repeats of that audit"
        )
    return chosen


def differing(one: JudgeId, other: JudgeId) -> list[str]:
    """Return in words how `one` differs from `other`."""
    pairs = ((name, getattr(one, name), getattr(other, name)) for name in JudgeId.model_fields)
    return [f"{name} was {_short(name, old)}, is {_short(name, new)}" for name, old, new in pairs if old != new]


def _short(name: str, value: str) -> str:
    return value[:12] if name.endswith("hash") else repr(value)


def _take_back(ledger: Ledger, judge: JudgeId, *, as_json: bool) -> None:
    old = ledger.calibration(judge)
    ledger.void_calibration(judge)
    if as_json:
        print(to_json({"judge": str(judge), "judge_key": judge.key, "voided": old and old.id}).decode())
    elif old:
        print(f"calibration {old.id} of {judge} is void: `judge score` takes its ratings as they are from now on")
    else:
        print(f"no calibration of {judge} holds in {ledger.path}: nothing to take back")
    if not old:
        raise typer.Exit(NOTHING)


def _report(calibration: Calibration, rows: tuple[CalibrationRow, ...], *, kept: bool) -> CalibrationReport:
    return CalibrationReport(
        id=calibration.id,
        judge=str(calibration.judge),
        judge_key=calibration.judge.key,
        rubric=f"{calibration.judge.rubric}@{calibration.judge.rubric_hash[:12]}",
        fitted_on=calibration.fitted_on,
        audits=calibration.audits,
        level=calibration.level,
        rows=rows,
        kept=kept,
    )


def _tell(found: CalibrationReport, answered: int, ledger: str, before: Calibration | None) -> None:
    print(f"{found.judge}: {answered} dialogues of {listed(found.audits)}")
    head = ("criterion", "labels", "RMSE", "bias", "reliability", f"{found.level:.0%} band", "judge -> people")
    lines = [head, *map(_line, found.rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(6)]
    for line in lines:
        print("  " + "  ".join([*(f"{cell:{width}}" for cell, width in zip(line, widths, strict=False)), line[6]]).rstrip())
    if not any(row.fitted for row in found.rows):
        labels, episodes = (max(getattr(row, of) for row in found.rows) for of in ("labels", "episodes"))
        has, needs = f"{labels} labels of {episodes} dialogues", f"{LABELS} labels of {EPISODES} dialogues"
        least = f"the most that a criterion has is {has}; {needs} are needed"
        more = f"{max(0, LABELS - labels)} labels and {max(0, EPISODES - episodes)} dialogues more"
        enough = labels >= LABELS and episodes >= EPISODES
        print("nothing is fitted" + ("" if enough else f": {least}, {more}") + "; ratings stay as they are")
    elif found.kept:
        instead = f", instead of {before.id}" if before and before.id != found.id else ""
        print(f"calibration {found.id}{instead} (in {ledger}): `judge score` maps this judge's ratings by it from now on")
    else:
        print(f"calibration {found.id} is not kept (--dry-run)")


def _line(row: CalibrationRow) -> tuple[str, ...]:
    def signed(value: float | None) -> str:
        return "" if value is None else f"{round(value, 2) + 0.0:+.2f}"

    if not row.fitted or row.before is None or row.after is None:
        before = "" if row.before is None else f"{row.before:.2f}"
        return (row.criterion, str(row.labels), before, signed(row.bias_before), "", "", f"not fitted: {row.why}")
    band = "" if row.band is None else f"±{row.band:.2f}"
    told = (row.criterion, str(row.labels), f"{row.before:.2f} -> {row.after:.2f}", signed(row.bias_before))
    return (*told, f"{row.reliability or 0:.2f}", band, "; ".join(part for part in (_mapped(row), row.why) if part))


def _mapped(row: CalibrationRow) -> str:
    """Return what the levels of the judge are mapped to."""
    if row.human == row.judged:
        return ""  # `why` says so
    if row.human[0] == row.human[-1]:
        return f"all -> {row.human[0]:.2f}"
    curve = Curve(judged=row.judged, human=row.human, labels=row.labels, episodes=row.episodes, before=0, after=0, reliability=0)
    return " ".join(f"{level}->{curve.at(level):.1f}" for level in range(row.low, row.high + 1))
