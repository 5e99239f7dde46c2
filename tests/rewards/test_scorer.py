"""Scoring as one thing to hand on: what `judge score` would write with the same settings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dialogue import Transcript, read_transcripts
from dialogue.errors import UsageProblem
from judge import Ledger, LocalJudge, load_rubric
from judge.settings import Settings
from rewards import load_recipe, score
from rewards.scorer import make_scorer

Said = Callable[..., Transcript]


def settings(tmp_path: Path, **given: str) -> Settings:
    return Settings.model_validate({"ledger": str(tmp_path / "ledger.db")} | given)


def test_it_writes_what_score_writes(root: Path, tmp_path: Path) -> None:
    transcripts = list(read_transcripts(root / "examples/collections.jsonl"))
    scorer = make_scorer(settings(tmp_path), {})
    assert list(scorer.score(transcripts)) == list(score(transcripts, LocalJudge(load_rubric("collections"))))
    with Ledger(tmp_path / "ledger.db") as book:
        assert book.counts()["verdicts"] == len(transcripts)  # so that nothing is paid for twice


def test_it_says_whether_it_may(tmp_path: Path, said: Said) -> None:
    scorer = make_scorer(settings(tmp_path), {})
    assert not scorer.cleared
    with Ledger(tmp_path / "ledger.db") as book:
        book.clear(scorer.judge.id, "test")
    assert scorer.cleared
    assert [record.cleared for record in scorer.score([said("A: Hello.")])] == [True]
    assert make_scorer(settings(tmp_path / "other", recipe="outcome"), {}).cleared  # asks nobody


def test_who_scores_is_in_the_manifest(tmp_path: Path) -> None:
    manifest = make_scorer(settings(tmp_path, recipe="rlaif"), {}).manifest
    assert manifest["recipe"] == str(load_recipe("rlaif"))
    assert manifest["judge"]["provider"] == "local"
    assert make_scorer(settings(tmp_path, recipe="outcome"), {}).manifest["judge"] is None


@pytest.mark.parametrize(("given", "told"), [({"judge": "nobody"}, "unknown judge"), ({"recipe": "blent"}, "did you mean 'blend'")])
def test_what_there_is_not(tmp_path: Path, given: dict[str, str], told: str) -> None:
    with pytest.raises(UsageProblem, match=told):
        make_scorer(settings(tmp_path, **given), {})
