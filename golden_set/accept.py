"""Making a baseline: ten runs or more of a judge that answers as it should; what changes against the one before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from dialogue.errors import Problem
from golden_set.agreement import agreement
from golden_set.asking import Heard, ask_cases
from golden_set.baseline import Baseline
from golden_set.case import GoldenCase
from golden_set.drift import drift, noise
from golden_set.findings import Drift
from golden_set.gate import Gate
from golden_set.series import Purpose, series_of
from golden_set.sheet import common
from judge.contract import Judge
from judge.ledger import Ledger
from judge.line import AnotherModel

MISSING = 0.2  # of a case's runs that may have failed


class Dirty(Problem):
    """The judge is not fit to be a baseline."""


@dataclass(frozen=True, slots=True)
class Stance:
    """One criterion in the runs: its noise, and how single runs agree with the labels."""

    criterion: str
    noise: float | None
    kappa: float | None


def rate_runs(cases: Sequence[GoldenCase], judge: Judge, ledger: Ledger, gate: Gate, *, runs: int, day: date) -> Heard:
    """Return what the judge said in so many runs.

    Raises:
        Dirty: too many answers were none, came from another model, or did not come.
    """
    heard = Heard()
    for run in range(runs):
        try:
            ask_cases(cases, judge, ledger, heard, series=series_of(Purpose.ACCEPT, day), run=run)
        except AnotherModel as error:
            raise Dirty(str(error)) from error
        if heard.unreached > MISSING * (heard.answers + len(heard.failures)):
            break  # nobody is there: the runs to come would find the same
    told = "; ".join(f"{case}: {failure.kind.value}: {failure.detail}" for case, failure in heard.failures[:3])
    if heard.strangers:
        raise Dirty(f"{heard.strangers} answers came from another model ({told}); a baseline is one model's: pin it, then accept again")
    allowed = (1 - gate.parse_valid) * (heard.answers + heard.unfit)
    if heard.unfit > allowed:
        raise Dirty(
            f"{heard.unfit} of {heard.answers + heard.unfit} answers were not what the rubric asks for ({told}); at most {int(allowed)} "
            "may be: mend the prompt or choose another model, then accept again"
        )
    for case in cases:
        if len(heard.sheet.marks.get(case.id, ())) < (1 - MISSING) * runs:
            raise Dirty(f"the judge did not answer often enough ({told}); the same command goes on from what is in the ledger")
    return heard


def stances(heard: Heard, cases: Sequence[GoldenCase], judge: Judge) -> list[Stance]:
    """Return the noise and the agreement of every criterion."""
    columns = heard.sheet.columns(judge.rubric, cases)
    return [Stance(name, noise(column), agreement(column).value) for name, column in columns.items()]


def changes(heard: Heard, old: Baseline | None, cases: Sequence[GoldenCase], judge: Judge, gate: Gate) -> tuple[Drift, ...]:
    """Return how every criterion moved since the baseline before."""
    if old is None:
        return ()
    before = old.sheet(cases, judge.rubric)
    both = common(cases, heard.sheet, before)
    return drift(heard, before, both, judge.rubric, gate, gate.alpha) if len(both) > 1 else ()
