"""Transcript in, verdict out: rubrics, judges, the ledger.

The public names are loaded when first asked for, so that `judge --help` does not wait for a database.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from judge.contract import ChatModel, Judge, Terms
    from judge.judges import make_judge
    from judge.ledger import Ledger
    from judge.local import LocalJudge
    from judge.rubric import Criterion, Rubric, load_rubric
    from judge.verdict import JudgeFailure, JudgeId, Rating, Verdict

_HOMES = {
    "ChatModel": "contract",
    "Criterion": "rubric",
    "Judge": "contract",
    "JudgeFailure": "verdict",
    "JudgeId": "verdict",
    "Ledger": "ledger",
    "LocalJudge": "local",
    "Rating": "verdict",
    "Rubric": "rubric",
    "Terms": "contract",
    "Verdict": "verdict",
    "load_rubric": "rubric",
    "make_judge": "judges",
}

__all__ = [
    "ChatModel",
    "Criterion",
    "Judge",
    "JudgeFailure",
    "JudgeId",
    "Ledger",
    "LocalJudge",
    "Rating",
    "Rubric",
    "Terms",
    "Verdict",
    "load_rubric",
    "make_judge",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'judge' has no attribute {name!r}")
    return getattr(import_module(f"judge.{_HOMES[name]}"), name)
