"""The golden check: what a judge said of golden cases, put to every question of a gate."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from scipy import stats

from golden_set.agreement import agreement, ceiling, ranks
from golden_set.asking import Heard
from golden_set.baseline import Baseline, scales_of
from golden_set.case import EPISODE, GoldenCase
from golden_set.consistency import agreement_kept, rank
from golden_set.decision import Decision, together
from golden_set.drift import drift, slices
from golden_set.fidelity import against_labels, agrees, is_critical, missed, ordered, violations
from golden_set.findings import Against, Drift, Finding, Quoted, SliceShift
from golden_set.gate import Gate
from golden_set.sheet import Sheet, common
from judge.contract import Judge

FEWEST = 8  # dialogues that a comparison with a baseline, or a bootstrap, needs


@dataclass
class Question:
    """What is put to the judge's answers: its cases, its baseline (None: none was accepted yet), and the gate."""

    judge: Judge
    cases: Sequence[GoldenCase]
    gate: Gate
    baseline: Baseline | None
    day: date


@dataclass
class Answered:
    """One evaluation of what was heard so far."""

    findings: list[Finding] = field(default_factory=list)
    drift: tuple[Drift, ...] = ()
    against: tuple[Against, ...] = ()
    slices: tuple[SliceShift, ...] = ()
    missed: list[tuple[str, Quoted]] = field(default_factory=list)
    wrong_pairs: tuple[str, ...] = ()
    compared: int = 0

    @property
    def decision(self) -> Decision:
        """What the findings that the gate asks for say together."""
        return together(finding.decision for finding in self.findings if finding.decision)


def evaluate(question: Question, heard: Heard, level: float) -> Answered:
    """Return what can be said of the judge now.

    Args:
        heard: at least one run of some of the cases.
        level: the error of each decision at this look.
    """
    done = Answered()
    done.findings += _hygiene(question.gate, heard, level)
    rated = [case for case in question.cases if heard.sheet.marks.get(case.id)]
    if not rated:
        return done
    rubric = question.judge.rubric
    old = question.baseline.sheet(question.cases, rubric) if question.baseline else Sheet()
    both = common(rated, old)
    done.compared = len(both)
    columns = heard.sheet.columns(rubric, rated)
    now = {name: agreement(column) for name, column in columns.items()}
    people = {name: ceiling(rated, column.criterion.name, episode=column.places[0][1] == EPISODE) for name, column in columns.items()}
    averaged = [name for name, column in columns.items() if not is_critical(column)]
    before = {}
    if len(both) >= FEWEST:
        done.drift = drift(heard, old, both, rubric, question.gate, level)
        done.slices = slices(heard.sheet, old, both, rubric, question.gate, level)
        done.findings += _drifted(done)
        done.findings += rank(heard.sheet, old, [case.id for case in both], rubric, question.gate, level)
        before = {name: agreement(column) for name, column in old.columns(rubric, both).items()}
        then = now if len(both) == len(rated) else {name: agreement(c) for name, c in heard.sheet.columns(rubric, both).items()}
        done.findings += agreement_kept({n: then[n] for n in averaged}, {n: before[n] for n in averaged}, question.gate, level)
    else:
        done.findings.append(_no_baseline(question, len(both), len(rated)))
    done.against = tuple(against_labels(name, column, now[name], before.get(name), people[name], rated) for name, column in columns.items())
    done.findings += agrees({n: now[n] for n in averaged}, people, question.gate, level, enough=len(rated) >= FEWEST)
    order = ranks(rated, heard.sheet, rubric, level)
    done.wrong_pairs = order.wrong
    done.findings += ordered(order.spearman, order.low, order.high, order.pairs)
    for column in columns.values():
        if is_critical(column):
            done.findings += violations(column, question.gate, level)
            done.missed += missed(column, heard, rated)
    return done


def _hygiene(gate: Gate, heard: Heard, level: float) -> list[Finding]:
    """Return whether the answers were answers, and from the model that was asked.

    An answer that is none is an event; whether their rate is above what is allowed is an exact binomial test, so that one slip in
    sixty is no verdict, and three are.
    """
    answered = heard.answers + heard.unfit
    slips, allowed = heard.unfit, 1 - gate.parse_valid
    share = 1 - slips / answered if answered else None
    surprising = float(stats.binom.sf(slips - 1, answered, allowed)) <= level if slips else False
    valid = Decision.FAIL if surprising else Decision.PASS if answered and slips <= allowed * answered else Decision.UNDECIDED
    told = f"{slips} of {answered} answers were not what the rubric asks for"
    stranger = Decision.FAIL if heard.strangers or heard.renamed else Decision.PASS if answered else Decision.UNDECIDED
    named = heard.renamed or f"{heard.strangers} answers named another model"
    return [
        Finding(name="valid answers", decision=valid, told=told, figure=share, asked=f"at least {gate.parse_valid:.1%}"),
        Finding(name="the model asked", decision=stranger, told=named, asked="none other"),
    ]


def _no_baseline(question: Question, both: int, rated: int) -> Finding:
    told = "no baseline was accepted yet: run `judge golden accept`, and commit what it writes"
    if question.baseline:
        told = f"only {both} cases (of {FEWEST} needed) are as they were in the baseline: run `judge golden accept` anew"
        if rated < min(FEWEST, len(question.cases)):
            told = f"only {rated} cases were rated, of {FEWEST} needed"
        elif len(question.cases) < FEWEST:
            told = f"{len(question.cases)} cases; a comparison needs {FEWEST}: add cases"
        elif question.baseline.scales != scales_of(question.judge.rubric):
            told = "the baseline has other criteria or scales than the rubric: run `judge golden accept` anew"
    return Finding(name="drift", decision=Decision.UNDECIDED, told=told)


def _drifted(done: Answered) -> list[Finding]:
    decision = together(row.decision for row in done.drift)
    by_decision = {d: [row.criterion for row in done.drift if row.decision is d] for d in Decision}
    told = "no criterion moved by more than its margin"
    if by_decision[Decision.FAIL]:
        told = "moved: " + ", ".join(by_decision[Decision.FAIL])
    elif by_decision[Decision.UNDECIDED]:
        told = "cannot tell yet: " + ", ".join(by_decision[Decision.UNDECIDED])
    worst = max(done.drift, key=lambda row: abs(row.shift) / row.margin)
    asked = "every criterion within its margin, by both bounds"
    finding = Finding(name="drift", decision=decision, told=told, figure=worst.shift, low=worst.low, high=worst.high, asked=asked)
    moved = [row.slice for row in done.slices if row.moved]
    told = "moved: " + ", ".join(moved) if moved else f"none of {len(done.slices)} moved beyond the margin"
    return [finding, Finding(name="slices", decision=Decision.FAIL if moved else Decision.PASS, told=told, asked="none moves (Holm)")]
