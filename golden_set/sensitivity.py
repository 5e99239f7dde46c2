"""The study of prompt sensitivity: has a judge rate the same cases under several prompts and runs, and reports what moved."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from golden_set.asking import ask
from golden_set.case import GoldenCase
from golden_set.crossed import Answers, cross
from golden_set.decision import Decision, together
from golden_set.sensitivity_findings import (
    MOST_PROMPTS,
    MOST_RUNS,
    PHI,
    RANGE,
    SAME,
    compared,
    learning_findings,
    measure_found,
    recommended,
    verdict_findings,
)
from golden_set.sensitivity_report import Asked, MeasureFound, SensitivityReport
from golden_set.series import Purpose, series_of
from golden_set.wording import PLAIN, Arm, Prompt
from golden_set.workbench import Workbench
from judge.contract import Judge
from judge.llm import LLMJudge
from judge.local import LocalJudge
from judge.panel import members_of
from judge.structured import Structured
from judge.verdict import JudgeFailure, Usage

FAILED = 0.10  # share of cases that may fail


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be asked: `cases` under each of `prompts` (the plain one first), in so many runs."""

    cases: tuple[GoldenCase, ...]
    prompts: tuple[Prompt, ...]
    runs: int
    seed: int
    day: date
    skipped: Mapping[Arm, str]

    @property
    def series(self) -> int:
        """The series of ratings."""
        return series_of(Purpose.SENSITIVITY, self.day)


def choose(cases: Sequence[GoldenCase], count: int, seed: int) -> tuple[GoldenCase, ...]:
    """Return so many cases, at random and from each band in its proportion, in their order; all where there are no more."""
    if len(cases) <= count:
        return tuple(cases)
    rng = random.Random(seed)  # noqa: S311 (a choice of cases is no secret)
    bands: dict[str, list[int]] = {}
    for at, case in enumerate(cases):
        bands.setdefault(str(case.band), []).append(at)
    shares = {band: len(members) * count / len(cases) for band, members in sorted(bands.items())}
    taken = {band: int(share) for band, share in shares.items()}
    for band in sorted(shares, key=lambda band: taken[band] - shares[band])[: count - sum(taken.values())]:
        taken[band] += 1
    chosen = [at for band, number in taken.items() for at in rng.sample(bands[band], number)]
    return tuple(cases[at] for at in sorted(chosen))


def no_matter(judge: Judge, arm: Arm) -> str | None:
    """Return why an arm can change nothing for a judge, or None."""
    members = members_of(judge)
    if arm is Arm.PARAPHRASES:
        return None
    if any(isinstance(member, LocalJudge) for member in members):
        return "the local judge reads no prompt"
    if arm is Arm.UNIT and not all(isinstance(member, LLMJudge) for member in members):
        return "only a language model is shown a dialogue in one request or in several"
    chats = all(isinstance(member, LLMJudge) and isinstance(member.form, Structured) for member in members)
    if arm in (Arm.LEVEL_ORDER, Arm.LETTERS) and not chats:
        return "only chat models are shown levels in an order and with marks; decision models take ordered levels"
    return None


def run(plan: Plan, bench: Workbench) -> SensitivityReport:
    """Ask what is not in the ledger yet, and return the report.

    Raises:
        Problem: nothing can be rated at all.
    """
    transcripts = [case.transcript for case in plan.cases]
    answers: dict[str, Answers] = {}
    judges = {prompt.name: bench.judge if prompt.name == PLAIN else bench.make(prompt.rubric) for prompt in plan.prompts}
    for name, judge in judges.items():
        answers[name] = [ask(transcripts, judge, bench.ledger, series=plan.series, run=number) for number in range(plan.runs)]
    return report(plan, judges, answers)


def report(plan: Plan, judges: Mapping[str, Judge], answers: Mapping[str, Answers]) -> SensitivityReport:
    """Return what follows from answers: for each prompt and run, one a case."""
    judge = judges[PLAIN]
    rubric = judge.rubric
    prompts = tuple(_asked(prompt, judges[prompt.name], answers[prompt.name]) for prompt in plan.prompts)
    worded = {prompt.name: answers[prompt.name] for prompt in plan.prompts if prompt.arm in (None, Arm.PARAPHRASES)}
    crossed = cross(plan.cases, worded, rubric)
    pairs = {
        prompt: cross(plan.cases, {PLAIN: answers[PLAIN], prompt.name: answers[prompt.name]}, rubric)
        for prompt in plan.prompts
        if prompt.arm
    }
    lost = [crossed.lost] + [pair.lost for pair in pairs.values()]
    reached = max(lost) <= FAILED * len(plan.cases)
    usage = sum((asked.usage for asked in prompts), Usage())
    price = _price([asked for asked in prompts if asked.name in worded])
    studied = len(worded) > 1 and len(crossed.cases) > 1
    measures = tuple(measure_found(measure, list(worded), price) for measure in crossed.measures) if studied else ()
    decision, why = _decided(measures, asked=len(worded) > 1, reached=reached)
    seen = [crossed, *pairs.values()]
    still = any(one.cases for one in seen) and all(np.ptp(m.values, axis=2).max(initial=0) == 0 for one in seen for m in one.measures)
    return SensitivityReport(
        decision=decision,
        why=why,
        reached=reached,
        judge=judge.id,
        judge_key=judge.id.key,
        rubric=rubric.name,
        rubric_hash=rubric.hash,
        day=plan.day,
        seed=plan.seed,
        runs=plan.runs,
        cases=tuple(case.id for case in plan.cases),
        lost=crossed.lost,
        prompts=prompts,
        skipped={arm.value: told for arm, told in plan.skipped.items()},
        deterministic=still,
        notes=_notes(judge, measures, still=still),
        targets={"phi": PHI, "same": SAME, "range_of_five": RANGE, "failed": FAILED},
        measures=measures,
        recommended=recommended([measure.designs for measure in measures]),
        flips=verdict_findings(crossed) if studied else (),
        learning=learning_findings(crossed) if studied else (),
        compared=tuple(compared(prompt, judges[prompt.name], pair) for prompt, pair in pairs.items() if len(pair.cases) > 1),
        usage=usage,
    )


def _asked(prompt: Prompt, judge: Judge, answers: Answers) -> Asked:
    said = [answer for run in answers for answer in run]
    failures = [answer for answer in said if isinstance(answer, JudgeFailure)]
    return Asked(
        name=prompt.name,
        arm=prompt.arm,
        judge=judge.id,
        judge_key=judge.id.key,
        asked=len(said),
        failed=len(failures),
        failed_cases=sum(any(isinstance(answer, JudgeFailure) for answer in case) for case in zip(*answers, strict=True)),
        failures=dict(Counter(failure.kind.value for failure in failures).most_common()),
        usage=sum((answer.usage for answer in said), Usage()),
    )


def _price(prompts: Sequence[Asked]) -> float | None:
    """Return what one rating of a dialogue cost, in dollars, where that is known and not nothing."""
    cost = sum((asked.usage for asked in prompts), Usage()).cost_usd
    rated = sum(asked.asked - asked.failed for asked in prompts)
    return cost / rated if cost and rated else None


def _decided(measures: Sequence[MeasureFound], *, asked: bool, reached: bool) -> tuple[Decision, str]:
    if not asked:
        return Decision.UNDECIDED, "no paraphrases were asked; without them nothing says how far a rating depends on its wording"
    if not reached or not measures:
        return Decision.UNDECIDED, f"the judge failed on more than {FAILED:.0%} of the cases under some prompt"
    decision = together(measure.decision for measure in measures)
    if decision is Decision.PASS:
        return decision, f"one rating by one prompt has Φ of at least {PHI:.2f} on every measure"
    named = ", ".join(f"{measure.name} ({measure.of})" for measure in measures if measure.decision is decision)
    if decision is Decision.FAIL:
        return decision, f"Φ of one rating by one prompt lies below {PHI:.2f}: {named}"
    return decision, f"whether Φ of one rating by one prompt reaches {PHI:.2f} cannot be told: {named}"


def _notes(judge: Judge, measures: Sequence[MeasureFound], *, still: bool) -> tuple[str, ...]:
    notes = []
    if all(isinstance(member, LocalJudge) for member in members_of(judge)):
        notes.append("the local judge knows criteria by their names and reads no prompt: no shift under paraphrase is by construction")
    if still:
        notes.append("no run of a prompt ever differed from another: the judge is deterministic here, and runs beyond one buy nothing")
    if measures and recommended([measure.designs for measure in measures]) is None:
        notes.append(f"no design of up to {MOST_PROMPTS} prompts and {MOST_RUNS} runs reaches Φ {PHI:.2f} on every measure")
    return tuple(notes)
