"""The judge against its baseline beyond means: does it order dialogues as it did, and agree with the labels as much as it did?"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from golden_set.agreement import Agreement, averaged, minus, weights
from golden_set.decision import Decision
from golden_set.findings import Finding
from golden_set.gate import Gate
from golden_set.sheet import FloatArray, Sheet, handling_of
from judge.rubric import Rubric

RANK_DRAWS = 400  # of the bootstrap of tau, which has no sums to make it fast


def rank(now: Sheet, old: Sheet, ids: Sequence[str], rubric: Rubric, gate: Gate, level: float) -> list[Finding]:
    """Return whether the judge still orders dialogues as it did: Kendall's tau-b of their handling against the baseline's mean.

    A single run is noisier than a mean of ten. So no more is asked than what the baseline's own runs reach against each other's mean,
    less 0.05, where that is below the gate's figure.
    """
    if gate.rank is None:
        return []
    then = np.array([handling_of(old, case, rubric) for case in ids])
    here = np.array([handling_of(now, case, rubric) for case in ids])
    floor = min(gate.rank, _own_rank(old, ids, rubric) - 0.05)
    if np.ptp(then) == 0 or np.ptp(here) == 0:
        return [Finding(name="rank", decision=Decision.FAIL, told="all dialogues are rated alike", asked=f"at least {floor:.2f}")]
    tau = float(stats.kendalltau(then, here).statistic)
    low, high = np.nanquantile(drawn_taus(then, here, weights(len(ids))[:RANK_DRAWS]), [level, 1 - level])
    # Draws repeat dialogues, whose ties only lower tau: PASS is by the figure, FAIL needs the whole interval.
    decision = Decision.PASS if tau >= floor else Decision.FAIL if high < floor else Decision.UNDECIDED
    told = f"tau-b of {len(ids)} dialogues against the baseline"
    return [Finding(name="rank", decision=decision, told=told, figure=tau, low=float(low), high=float(high), asked=f"at least {floor:.2f}")]


def drawn_taus(one: FloatArray, other: FloatArray, draws: FloatArray) -> FloatArray:
    """Return Kendall's tau-b of two orders in bootstrap samples, NaN where one of them is all ties; shape (draws,).

    Args:
        one, other: shape (cases,).
        draws: how often each case is drawn, shape (draws, cases); copies of a case are tied.
    """
    first, second = (np.sign(values[:, None] - values) for values in (one, other))
    # Sums over ordered pairs, so twice what they are over pairs: whole numbers, and even ones.
    agree, untied, untied_other = (((draws @ signs) * draws).sum(1) / 2 for signs in (first * second, first**2, second**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.clip(agree / np.sqrt(untied) / np.sqrt(untied_other), -1, 1))


def _own_rank(old: Sheet, ids: Sequence[str], rubric: Rubric) -> float:
    """Return the mean tau-b of each of the baseline's runs against the mean of the others."""
    runs = min(len(old.marks[case]) for case in ids)
    if runs < 2:
        return 1.0
    by_run = np.array([[handling_of(Sheet({c: [old.marks[c][run]]}), c, rubric) for c in ids] for run in range(runs)])
    taus = [stats.kendalltau(by_run[run], np.delete(by_run, run, 0).mean(0)).statistic for run in range(runs)]
    return float(np.nanmean(taus)) if np.isfinite(taus).any() else 1.0


def agreement_kept(now: Mapping[str, Agreement], before: Mapping[str, Agreement], gate: Gate, level: float) -> list[Finding]:
    """Return whether agreement with the labels was lost against the baseline: non-inferiority of the mean over criteria.

    Of the mean, since asking it of every criterion would need several times as many cases for the same power.

    Args:
        now: the agreement by criterion, on the same cases as `before`.
    """
    if gate.kappa_loss is None:
        return []
    change = averaged([minus(now[name], before[name]) for name in now])
    low, high = change.bound(level)
    if low is None or high is None:
        return [Finding(name="agreement kept", decision=Decision.UNDECIDED, told="no criterion varies enough to tell")]
    allowed = -gate.kappa_loss
    decision = Decision.PASS if low > allowed else Decision.FAIL if high < allowed else Decision.UNDECIDED
    told = "change of the mean kappa with the labels since the baseline"
    asked = f"no loss of {gate.kappa_loss:.2f} or more"
    return [Finding(name="agreement kept", decision=decision, told=told, figure=change.value, low=low, high=high, asked=asked)]
