"""`--judge`: ours and a stranger's come through the same door."""

import asyncio
from pathlib import Path

import pytest

from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from judge.judges import make_judge
from judge.rubric import load_rubric
from judge.verdict import JudgeFailure

RUBRIC = load_rubric("collections")

STRANGER = """
from judge.verdict import FailureKind, JudgeFailure, JudgeId

class Mute:
    def __init__(self, rubric, rest, terms):
        self.rubric = rubric
        self.id = JudgeId(provider="mute", model=rest, rubric=rubric.name, rubric_hash=rubric.hash, prompt_hash="")

    async def rate(self, transcript, repeat=0):
        return JudgeFailure(judge=self.id, kind=FailureKind.TOO_LONG, detail=transcript.id)
"""


def test_the_local_judge_is_installed() -> None:
    judge = make_judge("local", RUBRIC)
    assert judge.rubric == RUBRIC
    assert (judge.id.provider, judge.id.rubric_hash) == ("local", RUBRIC.hash)
    assert judge.id == make_judge("local", RUBRIC).id


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("locl", "unknown judge 'locl' (did you mean 'local'?); installed: anthropic, compatible, local, openai"),
        ("oracle:delphi", "unknown judge 'oracle'; installed: anthropic, compatible, local, openai"),
        ("", "unknown judge ''; installed: anthropic, compatible, local, openai"),
        ("local:large", "the local judge takes nothing after its name, got 'local:large'"),
    ],
)
def test_a_judge_that_is_not_there_is_named_with_those_that_are(spec: str, words: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        make_judge(spec, RUBRIC)
    assert words in str(problem.value)


def test_a_strangers_judge_is_given_the_rubric_and_what_follows_the_colon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (info := tmp_path / "mute-1.0.dist-info").mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mute\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[judge.judges]\nmute = mute_judge:Mute\n")
    (tmp_path / "mute_judge.py").write_text(STRANGER)
    monkeypatch.syspath_prepend(tmp_path)

    judge = make_judge("mute:v1:beta", RUBRIC)
    answer = asyncio.run(judge.rate(Transcript(id="call", turns=(Turn(role=Role.AGENT, text="Hello."),))))
    assert isinstance(answer, JudgeFailure)
    assert (answer.judge.model, answer.detail) == ("v1:beta", "call")
