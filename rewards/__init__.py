"""Verdict and outcome in, rewards out: outcome tables, recipes, the blend, the rewards file.

`score` is loaded when first asked for: it needs the ledger and the engine, which whoever only reads rewards should not wait for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from rewards.blend import Reward, blend
from rewards.outcome import Outcome, OutcomeTable, load_outcome_table
from rewards.recipe import Recipe, load_recipe
from rewards.record import RewardRecord, read_rewards

if TYPE_CHECKING:
    from rewards.scoring import score

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


def __getattr__(name: str) -> object:
    if name != "score":
        raise AttributeError(f"module 'rewards' has no attribute {name!r}")
    return getattr(import_module("rewards.scoring"), name)
