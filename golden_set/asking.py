"""Has a judge rate golden cases, one run at a time; keeps what it said and why it could not."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import track

from dialogue.transcript import Transcript
from golden_set.case import GoldenCase
from golden_set.sheet import Sheet, marks_of
from judge.batch import rate_all
from judge.contract import Judge
from judge.ledger import Ledger
from judge.pooling import Repeats
from judge.verdict import FailureKind, JudgeFailure, Verdict

# The judge answered, but not what was asked for.
UNFIT = (FailureKind.MALFORMED, FailureKind.EMPTY, FailureKind.TRUNCATED, FailureKind.REFUSED, FailureKind.CRASHED, FailureKind.TOO_LONG)


@dataclass
class Heard:
    """All that a judge said of golden cases so far: ratings, verdicts (for their reasons), and failures with their case."""

    sheet: Sheet = field(default_factory=Sheet)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    failures: list[tuple[str, JudgeFailure]] = field(default_factory=list)
    renamed: str | None = None  # what was said when the very first answer named another model

    @property
    def answers(self) -> int:
        """How many ratings of a case there are."""
        return sum(len(verdicts) for verdicts in self.verdicts.values())

    @property
    def unfit(self) -> int:
        """How many answers were none: not readable, or not what the rubric asks for."""
        return sum(failure.kind in UNFIT for _, failure in self.failures)

    @property
    def strangers(self) -> int:
        """How many answers another model gave than the one that was asked."""
        return sum(failure.kind is FailureKind.WRONG_MODEL for _, failure in self.failures)

    @property
    def unreached(self) -> int:
        """How many times no answer came at all."""
        return len(self.failures) - self.unfit - self.strangers

    def add(self, case: str, answer: Verdict | JudgeFailure) -> None:
        """Add what a judge said of a case."""
        if isinstance(answer, Verdict):
            self.sheet.add(case, marks_of(answer))
            self.verdicts.setdefault(case, []).append(answer)
        else:
            self.failures.append((case, answer))


def ask(transcripts: Sequence[Transcript], judge: Judge, ledger: Ledger, *, series: int, run: int) -> list[Verdict | JudgeFailure]:
    """Return the judge's answers to one run over transcripts, in order. What the ledger has of the run is not asked again.

    Raises:
        Problem: nothing can be rated at all.
    """
    with closing(rate_all(transcripts, judge, ledger, repeats=Repeats(first=run, series=series))) as rated:
        console = Console(stderr=True)
        told = track(rated, f"run {run + 1}", len(transcripts), console=console, transient=True, disable=not console.is_terminal)
        return [answer for _, answer in told]


def ask_cases(cases: Sequence[GoldenCase], judge: Judge, ledger: Ledger, heard: Heard, *, series: int, run: int) -> None:
    """Add one run over golden cases to `heard`."""
    answers = ask([case.transcript for case in cases], judge, ledger, series=series, run=run)
    for case, answer in zip(cases, answers, strict=True):
        heard.add(case.id, answer)
