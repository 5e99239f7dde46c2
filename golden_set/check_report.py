"""The report of a golden check that has ended."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from golden_set.asking import Heard
from golden_set.baseline import content_of
from golden_set.case import GoldenCase
from golden_set.check import Answered, Question
from golden_set.findings import CheckReport, LookDone, OldBaseline
from judge.rubric import Rubric
from judge.verdict import Usage

SHOWN = 3  # failures told in words


def make_report(
    question: Question, heard: Heard, done: Answered, looked: Sequence[LookDone], planned: int, *, cleared: bool
) -> CheckReport:
    """Return the report.

    Args:
        looked: what was said at each look.
        planned: how many ratings of a case would have been asked for in the end.
        cleared: whether leave to produce rewards was given.
    """
    judge, baseline = question.judge, question.baseline
    old = None
    if baseline:
        old = OldBaseline(
            judge=baseline.judge,
            accepted_on=baseline.accepted_on,
            accepted_by=baseline.accepted_by,
            runs=baseline.runs,
            cases=done.compared,
            same_judge=baseline.judge == judge.id,
        )
    usage = sum((verdict.usage for verdicts in heard.verdicts.values() for verdict in verdicts), Usage())
    return CheckReport(
        decision=done.decision,
        reached=reached(question, heard),
        cleared=cleared,
        judge=judge.id,
        judge_key=judge.id.key,
        rubric=judge.rubric.name,
        day=question.day,
        gate=question.gate,
        cases=len(question.cases),
        cases_hash=cases_hash(question.cases, judge.rubric),
        labelled_by=tuple(sorted({name for case in question.cases for name in case.labelled_by})),
        baseline=old,
        asked=heard.answers + len(heard.failures),
        planned=planned,
        usage=sum((failure.usage for _, failure in heard.failures), usage),
        findings=tuple(done.findings),
        drift=done.drift,
        against_labels=done.against,
        slices=done.slices,
        looks=tuple(looked),
        missed_violations=tuple(quoted for _, quoted in done.missed),
        missed_in=tuple(case for case, _ in done.missed),
        wrong_pairs=done.wrong_pairs,
        failures=dict(Counter(failure.kind.value for _, failure in heard.failures).most_common()),
        first_failures=tuple(f"{case}: {failure.detail}" for case, failure in heard.failures[:SHOWN]),
    )


def reached(question: Question, heard: Heard) -> bool:
    """Say whether enough of what was asked was answered at all."""
    if heard.renamed:
        return True  # by another model
    asked = heard.answers + len(heard.failures)
    return asked > 0 and heard.unreached <= (1 - question.gate.reached) * asked


def cases_hash(cases: Sequence[GoldenCase], rubric: Rubric) -> str:
    """Return the SHA-256 (hex) of the texts and labels of the cases."""
    digest = hashlib.sha256()
    for case in cases:
        digest.update(f"{case.id}\x00{content_of(case, rubric)}\x00{case.places!r}\x00".encode())
    return digest.hexdigest()
