"""What an episode is worth under given ratings: the same number that `judge score` writes."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from dialogue import InputProblem, Transcript, UsageProblem, read_transcripts
from judge import LocalJudge, load_rubric
from rewards import load_outcome_table, load_recipe, score
from rewards.worth import make_blended_worth

JUDGE = LocalJudge(load_rubric("collections"))


@pytest.mark.parametrize("recipe", ["blend", "rlaif"])
def test_it_is_what_judge_score_writes(root: Path, recipe: str) -> None:
    worth = make_blended_worth(JUDGE.rubric, recipe, None)
    transcripts = list(read_transcripts(root / "examples/collections.jsonl"))
    for transcript, record in zip(transcripts, score(transcripts, JUDGE, recipe=load_recipe(recipe)), strict=True):
        assert worth.of(transcript, JUDGE.verdict(transcript)) == pytest.approx(record.episode.reward, abs=1e-9)
        assert (worth.recipe, worth.outcomes) == (record.recipe, record.outcomes)


def test_the_outcome_alone_and_none(said: Callable[..., Transcript]) -> None:
    worth = make_blended_worth(JUDGE.rubric, "blend", None)
    assert worth.of_outcome(said("A: Hello.", outcome="HANGUP")) == -0.5
    assert worth.of_outcome(said("A: Hello.")) is None


def test_the_table_is_the_one_named_like_the_rubric_or_as_told() -> None:
    assert make_blended_worth(load_rubric("sales"), "blend", None).outcomes == str(load_outcome_table("sales"))
    assert make_blended_worth(load_rubric("sales"), "blend", "collections").outcomes == str(load_outcome_table("collections"))


def test_what_does_not_exist_or_fit_is_refused(said: Callable[..., Transcript]) -> None:
    for recipe, outcomes in (("blended", None), ("blend", "colections")):
        with pytest.raises(UsageProblem, match="did you mean"):
            make_blended_worth(JUDGE.rubric, recipe, outcomes)
    with pytest.raises(InputProblem, match="unknown outcome"):
        make_blended_worth(JUDGE.rubric, "blend", None).of_outcome(said("A: Hello.", outcome="HANGUPP"))


def test_it_is_installed_for_rooms_that_do_not_know_rewards() -> None:
    (point,) = entry_points(group="judge.worth")
    assert point.load() is make_blended_worth
