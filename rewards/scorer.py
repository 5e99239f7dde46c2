"""Scoring as one thing to hand on: judge, ledger, recipe and outcomes as the settings have them, for rooms that know nothing of judging."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from dialogue.transcript import Transcript
from judge.contract import Judge, Terms
from judge.judges import make_judge, repeats_of, terms_of
from judge.ledger import Ledger
from judge.pooling import Repeats
from judge.rubric import load_rubric
from judge.settings import Settings
from rewards.outcome import OutcomeTable, load_outcome_table, outcome_table_of
from rewards.recipe import Recipe, load_recipe
from rewards.record import RewardRecord
from rewards.scoring import score


@dataclass(frozen=True)
class Scorer:
    """What `judge score` would do with the same settings.

    Attributes:
        ledger: path of the file in which verdicts are kept and found again.
        calibrated: whether a calibration is used if it fits.
    """

    judge: Judge
    ledger: str
    recipe: Recipe
    outcomes: OutcomeTable
    repeats: Repeats
    terms: Terms
    calibrated: bool = True

    def score(self, transcripts: Iterable[Transcript]) -> Generator[RewardRecord, None, None]:
        """Yield one record for every transcript, in order.

        Raises:
            UsageProblem: the ledger cannot be used.
            InputProblem: an outcome that the table refuses.
        """
        with Ledger(self.ledger) as book:
            scored = score(
                transcripts,
                self.judge,
                book,
                recipe=self.recipe,
                outcomes=self.outcomes,
                repeats=self.repeats,
                calibrated=self.calibrated,
            )
            with closing(scored):
                yield from scored

    @property
    def cleared(self) -> bool:
        """Whether the judge has leave to produce rewards now; a recipe that asks no judge needs none."""
        if not self.recipe.needs_verdict:
            return True
        with Ledger(self.ledger) as book:
            return book.cleared(self.judge.id)

    @property
    def spent(self) -> dict[str, Any]:
        """What was asked and paid for in this process: requests, tokens, `cost_usd` (None: the price is not known), failed requests."""
        meter = self.terms.meter
        return meter.spent.model_dump() | {"failed_requests": meter.failed, "paid_before": meter.found}

    @property
    def manifest(self) -> dict[str, Any]:
        """Who scores and how, as JSON values."""
        return {
            "judge": self.repeats.of(self.judge.id).model_dump() if self.recipe.needs_verdict else None,
            "rubric": str(self.judge.rubric),
            "recipe": str(self.recipe),
            "outcomes": str(self.outcomes),
        }


def make_scorer(settings: Settings, environ: Mapping[str, str], *, calibrated: bool = True) -> Scorer:
    """Return the scorer that the settings name.

    Args:
        environ: where keys are found.
        calibrated: whether a calibration is used if it fits.

    Raises:
        UsageProblem: a judge, rubric, recipe or outcome table that does not exist, or does not fit.
    """
    rubric, recipe = load_rubric(settings.rubric), load_recipe(settings.recipe)
    outcomes = load_outcome_table(settings.outcomes or outcome_table_of(rubric.name))
    recipe.check(rubric)
    terms = terms_of(settings, environ)
    judge = make_judge(settings.judge, rubric, terms)
    return Scorer(judge, settings.ledger, recipe, outcomes, repeats_of(settings), terms, calibrated)
