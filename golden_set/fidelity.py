"""The judge against the labels: agreement, order, contrast pairs, violations found and falsely called."""

from collections.abc import Mapping, Sequence

import numpy as np

from golden_set.agreement import Agreement, averaged, off
from golden_set.asking import Heard
from golden_set.bounds import Share, clustered_share
from golden_set.case import GoldenCase
from golden_set.decision import Decision
from golden_set.drift import quote
from golden_set.findings import Against, Finding, Quoted
from golden_set.gate import Gate
from golden_set.sheet import BoolArray, Column, FloatArray
from judge.rubric import Criterion

MISSED = 5  # violations quoted that the judge did not see


def is_critical(column: Column) -> bool:
    """Say whether a column is a critical criterion's: recall and false alarms say more of those than agreement does."""
    return isinstance(column.criterion, Criterion) and column.criterion.critical


def agrees(now: Mapping[str, Agreement], people: Mapping[str, float | None], gate: Gate, level: float, *, enough: bool) -> list[Finding]:
    """Return whether the judge agrees with the labels as far as is asked for, in the mean over criteria.

    Args:
        enough: whether there are enough dialogues for a bootstrap to tell chance from agreement.
    """
    names = [name for name in now if now[name].value is not None]
    whole = averaged([now[name] for name in names])
    low, high = whole.bound(level)
    ceilings = [found for name in names if (found := people[name]) is not None]
    told = "mean kappa with the labels" + (f"; labellers with each other {np.mean(ceilings):.2f}" if ceilings else "")
    floor = gate.kappa_floor
    if floor is None:
        return [Finding(name="agreement", decision=None, told=told, figure=whole.value, low=low, high=high)]
    if ceilings and gate.human_gap is not None:
        floor = max(floor, float(np.mean(ceilings)) - gate.human_gap)
    decision = Decision.UNDECIDED
    if not enough:
        told += "; too few dialogues to tell"
    elif low is None or high is None:
        told = "no criterion varies enough to tell"
    elif low >= floor:
        decision = Decision.PASS
    elif high < floor:
        decision = Decision.FAIL
    return [Finding(name="agreement", decision=decision, told=told, figure=whole.value, low=low, high=high, asked=f"at least {floor:.2f}")]


def ordered(rho: float | None, low: float | None, high: float | None, pairs: Share) -> list[Finding]:
    """Return how whole dialogues are ordered: reported, not asked for."""
    told = f"{pairs.hits} of {pairs.count} contrast pairs (same ending, other handling) in the right order"
    return [
        Finding(name="order of dialogues", decision=None, told="Spearman's rho with the labels", figure=rho, low=low, high=high),
        Finding(name="contrast pairs", decision=None, told=told, figure=pairs.value, low=pairs.low, high=pairs.high),
    ]


def violations(column: Column, gate: Gate, level: float) -> list[Finding]:
    """Return which share of labelled violations the judge sees, and how often it sees one that is none (by its mean over runs)."""
    labelled, told = _violated(column, column.human), _violated(column, column.mean)
    found = clustered_share(told[labelled].astype(int), column.episode[labelled], level)
    false = clustered_share(told[~labelled].astype(int), column.episode[~labelled], level)
    name, floor, limit = column.criterion.name, gate.recall, gate.false_alarms
    seen = None if floor is None else _within(found.low >= floor, found.high < floor)
    alarm = None if limit is None else _within(false.high <= limit, false.low > limit)
    return [
        _share_found(f"violations found ({name})", seen, found, "", f"at least {floor:.0%}, by the lower bound" if seen else ""),
        _share_found(f"false alarms ({name})", alarm, false, " clean turns", f"at most {limit:.0%}, by the upper bound" if alarm else ""),
    ]


def _within(holds: bool, fails: bool) -> Decision:
    return Decision.PASS if holds else Decision.FAIL if fails else Decision.UNDECIDED


def _share_found(name: str, decision: Decision | None, share: Share, of: str, asked: str) -> Finding:
    told = f"{share.hits} of {share.count}{of}; bounds count {share.effective:.0f} independent trials"
    return Finding(name=name, decision=decision, told=told, figure=share.value, low=share.low, high=share.high, asked=asked)


def _violated(column: Column, values: FloatArray) -> BoolArray:
    criterion = column.criterion
    return np.array([isinstance(criterion, Criterion) and criterion.violated(value) for value in values], dtype=bool)


def missed(column: Column, heard: Heard, cases: Sequence[GoldenCase]) -> list[tuple[str, Quoted]]:
    """Return the violations that the judge is surest were none, each with its case."""
    by_id = {case.id: case for case in cases}
    unseen = np.flatnonzero(_violated(column, column.human) & ~_violated(column, column.mean))
    surest = sorted(unseen, key=lambda at: -column.mean[at])[:MISSED]
    return [
        (column.places[at][0], quote(column, at, by_id[column.places[at][0]], heard, float(column.human[at]))) for at in map(int, surest)
    ]


def against_labels(
    name: str, column: Column, now: Agreement, before: Agreement | None, people: float | None, cases: Sequence[GoldenCase]
) -> Against:
    """Return one criterion against the labels, with 95 % bounds."""
    low, high = now.bound(0.025)
    bias, error = off(column)
    tolerance = np.array([case.tolerance for case in cases])[column.episode]
    return Against(
        criterion=name,
        kappa=now.value,
        low=low,
        high=high,
        baseline=before.value if before else None,
        people=people,
        bias=bias,
        error=error,
        off=int((np.abs(column.mean - column.human) > tolerance).sum()),
        items=len(column.human),
    )
