"""What an episode is worth under given ratings: the entry point of `judge.worth`, for rooms that do not know rewards."""

from dataclasses import dataclass

from dialogue.transcript import Transcript
from judge.rubric import Rubric
from judge.verdict import Verdict
from rewards.blend import blend
from rewards.outcome import OutcomeTable, load_outcome_table, outcome_table_of
from rewards.recipe import Recipe, load_recipe


@dataclass(frozen=True)
class BlendedWorth:
    """The reward that `judge score` would write, of an outcome table and a recipe."""

    rubric: Rubric
    mix: Recipe
    table: OutcomeTable

    @property
    def recipe(self) -> str:
        return str(self.mix)

    @property
    def outcomes(self) -> str:
        return str(self.table)

    def of(self, transcript: Transcript, verdict: Verdict) -> float:
        """Return the episode's reward under a verdict."""
        total = blend(transcript, self.table.outcome_of(transcript), verdict, self.rubric, self.mix).total
        assert total is not None  # noqa: S101 - only a missing verdict leaves a reward open
        return total

    def of_outcome(self, transcript: Transcript) -> float | None:
        """Return what the outcome alone is worth; None where none was recorded."""
        outcome = self.table.outcome_of(transcript)
        return outcome.value if outcome else None


def make_blended_worth(rubric: Rubric, recipe: str, outcomes: str | None) -> BlendedWorth:
    """Return the reward as a function of outcome and verdict; `outcomes` None is the table named like the rubric.

    Raises:
        UsageProblem: no such recipe or table, or the recipe asks for what the rubric does not have.
    """
    mix, table = load_recipe(recipe), load_outcome_table(outcomes or outcome_table_of(rubric.name))
    mix.check(rubric)
    return BlendedWorth(rubric, mix, table)
