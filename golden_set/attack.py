"""The study: golden dialogues and their mutants are rated, and each relation is decided by its own bound; the dialogue is the unit."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from golden_set.asking import ask
from golden_set.attacks.apology import violations
from golden_set.attacks.example import worst
from golden_set.attacks.length import correlation
from golden_set.attacks.mutation import Compared, Direction, Family, Mutant, Mutation, people_say, uncritical
from golden_set.attacks.relation import below, decided
from golden_set.attacks.report import AttackReport, AttackResult, Correlated, Measured, Rate
from golden_set.attacks.trial import Trial, by_dialogue, compares, level_of, sum_change, trial, units, vetoes
from golden_set.bounds import clustered_share
from golden_set.case import EPISODE, GoldenCase
from golden_set.decision import STATUS, UNREACHED, Decision, together
from golden_set.equivalence import Shift, shift
from golden_set.series import Purpose, series_of
from golden_set.sheet import FloatArray
from judge.contract import Judge
from judge.ledger import Ledger
from judge.rubric import Criterion, Rubric
from judge.verdict import JudgeFailure, JudgeId, Verdict

MOST_FAILED = 0.10  # of all answers; beyond it the judge was not reached well enough to say anything

# Told, but decides nothing: noise is no defect, and says how much of an attack's success is chance.
CONTROL = Mutation(
    "asked_again",
    Family.CONTROL,
    Direction.SAME,
    "nothing is changed: how far ratings move by themselves",
    lambda case, rubric, rng: None,
    gates=False,
)


def varies(judge: JudgeId) -> bool:
    """Say whether a judge may say something else when it is asked again."""
    return judge.sampling != str(JudgeId.model_fields["sampling"].default)


def unchanged(cases: Iterable[GoldenCase]) -> list[Mutant]:
    """Return dialogues as they are."""
    return [Mutant(case.id, case.transcript, "", case.transcript.agent_turns, case.transcript.agent_turns) for case in cases]


@dataclass
class Study:
    """Asks one judge about dialogues and their mutants."""

    judge: Judge
    ledger: Ledger
    cases: Sequence[GoldenCase]
    seeds: int
    day: date
    asked: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    originals: dict[str, Verdict] = field(default_factory=dict)

    @property
    def rubric(self) -> Rubric:
        """The question."""
        return self.judge.rubric

    def run(self, mutations: Iterable[Mutation], told: Callable[[str], None] = lambda name: None) -> AttackReport:
        """Return the report on attacks; `told` hears the name of each before it is asked. A judge out of reach is not asked on.

        Raises:
            Problem: nothing can be rated at all.
        """
        dialogues = unchanged(self.cases)
        for mutant, answer in zip(dialogues, self._ask(dialogues, run=0), strict=True):
            if isinstance(answer, Verdict):
                self.originals[mutant.case] = answer
        results: list[AttackResult] = []
        if not self.unreached:
            if varies(self.judge.id):
                results.append(self._result(CONTROL, dialogues, run=1))
            for mutation in mutations:
                told(mutation.name)
                results.append(self._result(mutation, mutation.mutants(self.cases, self.rubric, self.seeds)))
        return self._report(results)

    @property
    def unreached(self) -> bool:
        """Whether too many answers failed."""
        return sum(self.failures.values()) > MOST_FAILED * self.asked

    def _ask(self, mutants: Sequence[Mutant], run: int) -> list[Verdict | JudgeFailure]:
        series = series_of(Purpose.ATTACK, self.day)
        answers = ask([mutant.transcript for mutant in mutants], self.judge, self.ledger, series=series, run=run)
        self.asked += len(answers)
        self.failures.update(answer.kind.value for answer in answers if isinstance(answer, JudgeFailure))
        return answers

    def _result(self, mutation: Mutation, mutants: Sequence[Mutant], run: int = 0) -> AttackResult:
        wanted = [mutant for mutant in mutants if mutant.case in self.originals]
        answers = self._ask(wanted, run)
        trials = [
            trial(mutation, mutant, self.originals[mutant.case], answer, self.rubric)
            for mutant, answer in zip(wanted, answers, strict=True)
            if isinstance(answer, Verdict)
        ]
        measured = tuple(self._measured(mutation, compared, trials) for compared in compares(mutation, self.rubric))
        under = self._below_worst(mutation, trials)
        seen, lost = vetoes(trials, self.rubric)
        return AttackResult(
            name=mutation.name,
            family=mutation.family.value,
            direction=mutation.direction.value,
            about=mutation.about,
            gates=mutation.gates,
            dialogues=len({one.mutant.case for one in trials}),
            applies_not=len(self.cases) - len({mutant.case for mutant in mutants}),
            mutants=len(mutants),
            failed=len(answers) - len(trials),
            measured=measured,
            below_worst=under,
            decision=together([one.decision for one in measured] + ([under] if under else [])) if trials and measured else None,
            success=_success(trials),
            sum_change=sum_change(trials, self.rubric),
            vetoes_lost=lost,
            vetoes=seen,
            worst=worst(trials, self.rubric),
        )

    def _measured(self, mutation: Mutation, compared: Compared, trials: Sequence[Trial]) -> Measured:
        found = shift(by_dialogue(trials, compared))
        decision = decided(mutation.direction, found, compared) if found.episodes else Decision.UNDECIDED
        return Measured(compared=compared.value, dialogues=found.episodes, decision=decision, **_numbers(found))

    def worst_real(self, compared: Compared) -> FloatArray:
        """Return the judge's levels of the worst real dialogues: by people's labels the lowest quarter of those without a violation.

        A threat is worse than silence, so silence need not lie below it.
        """
        criteria = self.rubric.episode if compared is Compared.EPISODE else uncritical(self.rubric)
        rated = [case for case in self.cases if case.id in self.originals]
        civil = [case for case in rated if not violations(case, self.rubric)]
        pool = sorted(civil if len(civil) >= 4 else rated, key=lambda case: _by_people(case, compared, criteria))
        kept = pool[: max(2, len(pool) // 4)]
        return np.array([level_of(self.originals[case.id], compared, criteria, case.transcript.agent_turns) for case in kept])

    def _below_worst(self, mutation: Mutation, trials: Sequence[Trial]) -> Decision | None:
        if mutation.direction is not Direction.LOW or not trials:
            return None
        return together(below(by_dialogue(trials, compared), self.worst_real(compared)) for compared in compares(mutation, self.rubric))

    def _report(self, results: Sequence[AttackResult]) -> AttackReport:
        decision = together(result.decision for result in results if result.gates and result.decision)
        real = {compared: self.worst_real(compared) for compared in (Compared.TURNS, Compared.EPISODE)[: 2 if self.rubric.episode else 1]}
        return AttackReport(
            judge=self.judge.id,
            rubric=str(self.rubric),
            day=self.day,
            dialogues=len(self.cases),
            seeds=self.seeds,
            asked=self.asked,
            failed=sum(self.failures.values()),
            failures=dict(self.failures),
            decision=decision,
            status=UNREACHED if self.unreached else STATUS[decision],
            worst_real={compared.value: float(np.mean(levels)) if len(levels) else None for compared, levels in real.items()},
            attacks=tuple(results),
            recall={one.name: _recall(one.success) for one in results if one.family == Family.FAULT.value and one.dialogues},
            length=self._length(),
        )

    def _length(self) -> tuple[Correlated, ...]:
        by_turn = [units(verdict, self.rubric) for verdict in self.originals.values()]
        turns = [len(values) for values in by_turn]
        found = {
            "the sum of turn ratings": correlation([sum(values) for values in by_turn], turns),
            "the mean of turn ratings": correlation([sum(values) / len(values) for values in by_turn], turns),
        }
        return tuple(Correlated(of=name, value=one.value, low=one.low, high=one.high) for name, one in found.items())


def _by_people(case: GoldenCase, compared: Compared, criteria: Sequence[Criterion]) -> float:
    places = [EPISODE] if compared is Compared.EPISODE else [str(index) for index in case.transcript.agent_turns]
    return float(np.mean([people_say(case, criteria, place) for place in places]))


def _success(trials: Sequence[Trial]) -> Rate:
    dialogues = {name: at for at, name in enumerate(dict.fromkeys(one.mutant.case for one in trials))}
    hit = np.array([one.succeeded for one in trials], dtype=np.int64)
    return Rate.of(clustered_share(hit, np.array([dialogues[one.mutant.case] for one in trials], dtype=np.int64)))


def _recall(missed: Rate) -> Rate:
    """Return how often a fault was found: what is not found is the attack's success."""
    value = None if missed.value is None else 1 - missed.value
    return Rate(hits=missed.count - missed.hits, count=missed.count, value=value, low=1 - missed.high, high=1 - missed.low)


def _numbers(found: Shift) -> dict[str, float | None]:
    numbers = {"mean": found.mean, "low": found.low, "high": found.high}
    return {name: float(number) if np.isfinite(number) else None for name, number in numbers.items()}
