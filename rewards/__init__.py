"""Verdict and outcome in, rewards out: outcome tables, recipes, the blend, the rewards file."""

from rewards.blend import Reward, blend
from rewards.outcome import Outcome, OutcomeTable, load_outcome_table
from rewards.recipe import Recipe, load_recipe
from rewards.record import RewardRecord, read_rewards
from rewards.score import score

__all__ = [
    "Outcome",
    "OutcomeTable",
    "Recipe",
    "Reward",
    "RewardRecord",
    "blend",
    "load_outcome_table",
    "load_recipe",
    "read_rewards",
    "score",
]
