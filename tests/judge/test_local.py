"""The embedded judge: rates everything, says why exactly, never looks ahead, and rates the reference case as published."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue import Transcript, UsageProblem, read_transcripts
from dialogue.transcript import Role, Turn
from judge.contract import Terms
from judge.local import NAMED_CUES, LocalJudge, make_local_judge, shipped_model
from judge.rubric import load_rubric, shipped_rubrics
from judge.utterance import MAX_CHARS
from judge.verdict import Verdict, mean_unit, misfit
from rewards import blend, load_outcome_table, load_recipe

COLLECTIONS = LocalJudge(load_rubric("collections"))
Said = Callable[..., Transcript]
TEXTS = st.text(max_size=60) | st.sampled_from(
    [
        "I can only do $50 a month",
        "Pay the full balance today or we call your boss",
        "?",
        "thanks, that works",
        "…",
        "stop calling me",
        "1,2.3e9",
        "ＦＵＬＬ ’wide",
    ]
)
TURNS = st.lists(st.builds(Turn, role=st.sampled_from(Role), text=TEXTS), max_size=10)


def transcripts() -> st.SearchStrategy[Transcript]:
    agent = st.builds(Turn, role=st.just(Role.AGENT), text=TEXTS)
    return st.builds(lambda a, x, b: Transcript(id="d", turns=(*a, x, *b)), TURNS, agent, TURNS)


@pytest.mark.parametrize("name", shipped_rubrics())
@settings(max_examples=60)
@given(transcript=transcripts())
def test_rates_any_dialogue_on_any_shipped_rubric(name: str, transcript: Transcript) -> None:
    judge = LocalJudge(load_rubric(name))
    verdict = judge.verdict(transcript)
    assert misfit(verdict, judge.rubric, transcript) is None
    for turn in verdict.turns:
        for rating in turn.ratings.values():
            assert rating.reason
            assert rating.quote is None or rating.quote in transcript.turns[turn.turn].text
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@given(transcript=transcripts(), data=st.data())
def test_a_turns_rating_does_not_depend_on_what_came_after(transcript: Transcript, data: st.DataObject) -> None:
    cut = data.draw(st.sampled_from(transcript.agent_turns)) + 1
    shorter = Transcript(id="d", turns=transcript.turns[:cut])
    whole = {turn.turn: turn for turn in COLLECTIONS.verdict(transcript).turns}
    for turn in COLLECTIONS.verdict(shorter).turns:
        assert turn == whole[turn.turn]


def test_tool_and_system_turns_are_neither_rated_nor_heard(said: Said) -> None:
    plain = said("U: I can only pay $40.", "A: Forty a month works for us.")
    with_tools = said("S: Pay the full $900 now!", "U: I can only pay $40.", "T: call lookup({})", "A: Forty a month works for us.")
    assert [turn.ratings for turn in COLLECTIONS.verdict(plain).turns] == [
        {name: rating.model_copy(update={"quote_turn": rating.quote_turn and 1}) for name, rating in turn.ratings.items()}
        for turn in COLLECTIONS.verdict(with_tools).turns
    ]


# Each pair differs in one thing; the second must be rated at least half a level higher on the criterion.
CONTRASTS = {
    "accepting a limit": ("respects_limit", "U: I can only do $80 a month.", "A: I need the full $1,900 today.", "A: $80 a month works."),
    "a number in words": ("respects_limit", "U: eighty a month is all I have", "A: I need nineteen hundred today.",
        "A: Eighty a month works."),
    "honouring a stop": (
        "respects_limit", "U: Stop calling me!", "A: We need to talk about your balance today.", "A: You're off the list, no more calls.",
    ),
    "a threat": (
        "compliance", "U: I have no money.", "A: Then the sheriff will come for your car and we call your boss.",
        "A: Then let's see what could work for you.",
    ),
    "a threat in kind words": (
        "compliance", "U: I have no money.", "A: Thank you, dear! I'd hate to have your wages garnished, please.",
            "A: Thank you for telling me.",
    ),
    "telling a third party": (
        "compliance", "U: This is his mother, he's not here.", "A: Well, he owes us $900 on a loan.",
            "A: Thank you, I'll try him another time.",
    ),
    "calming": (
        "de_escalates", "U: This is ridiculous, I'm sick of you people!", "A: That's not my problem. Pay now.",
        "A: I'm sorry about the trouble. Would you like me to pause the calls?",
    ),
    "taking up the reason": (
        "acknowledges", "U: I lost my job in May and my wife is in hospital.", "A: How will you be paying the balance?",
        "A: I'm sorry to hear about your job and your wife.",
    ),
    "a concrete step": (
        "next_step", "U: I get paid on the 5th.", "A: Okay, we'll see, something will happen at some point.",
        "A: I'll set it up for the 5th and email you the confirmation.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("criterion", "user", "worse", "better"), CONTRASTS.values(), ids=CONTRASTS)
def test_contrasts(said: Said, criterion: str, user: str, worse: str, better: str) -> None:
    low, high = (COLLECTIONS.verdict(said(user, reply)).turns[0].ratings[criterion].value for reply in (worse, better))
    scale = next(c.scale for c in COLLECTIONS.rubric.turn if c.name == criterion)
    assert scale.to_unit(high) >= scale.to_unit(low) + 0.25  # half a level of five


def test_a_promise_broken_later_counts_against_the_turn_that_breaks_it(said: Said) -> None:
    start = ("U: I can do $90 a month, no more.", "A: $90 a month works.", "U: Good.")
    kept, broken = (
        COLLECTIONS.verdict(said(*start, f"A: So I'll send the plan for {amount} a month, payment starts on the 1st.")).turns[-1]
        for amount in ("$90", "$190")
    )
    assert broken.ratings["respects_limit"].value < kept.ratings["respects_limit"].value - 0.5
    assert "goes back on an amount agreed before" in " ".join(rating.reason for rating in broken.ratings.values())


def test_the_reference_case(root: Path) -> None:
    """Two agents, both hung up on: A demands the full sum, B accepts the $50. Published judge rewards: -0.7 and -0.2."""
    a, b = read_transcripts(root / "examples/reference_case.jsonl")
    assert a.turns[-3] == b.turns[-3] and a.turns[-3].text == "I can only do $50 a month."
    assert a.turns[-2].state == b.turns[-2].state == {"fsm": "NEGOTIATION", "sentiment": "negative", "turn": 5}
    table, rubric = load_outcome_table("collections"), COLLECTIONS.rubric
    assert table.outcome_of(a).value == table.outcome_of(b).value == -0.5  # type: ignore[union-attr]
    verdict_a, verdict_b = COLLECTIONS.verdict(a), COLLECTIONS.verdict(b)
    # the turn in question: clearly apart, on either side of the middle
    turn_a, turn_b = (mean_unit(verdict.turns[-1].ratings, rubric.turn) for verdict in (verdict_a, verdict_b))
    assert turn_a < -0.2 and turn_b > 0.3
    assert verdict_b.episode["handled_well"].value >= verdict_a.episode["handled_well"].value + 0.75
    reward_a, reward_b = (
        blend(transcript, table.outcome_of(transcript), verdict, rubric, load_recipe("blend")).total
        for transcript, verdict in ((a, verdict_a), (b, verdict_b))
    )
    assert reward_a is not None and reward_b is not None
    assert reward_a < -0.5 < reward_b - 0.15
    assert "asks for more than the stated limit" in verdict_a.turns[-1].ratings["respects_limit"].reason
    assert verdict_b.turns[-1].ratings["respects_limit"].quote == "Fifty a month works, with your hours cut."


def test_the_reference_turn_alone(said: Said) -> None:
    replies = ("A: You have to pay the full $2,400.", "A: Okay, $50 a month is fine.")
    a, b = (COLLECTIONS.verdict(said("U: I can only do $50 a month.", reply, "U: *hangs up*")) for reply in replies)
    assert mean_unit(b.turns[0].ratings, COLLECTIONS.rubric.turn) >= mean_unit(a.turns[0].ratings, COLLECTIONS.rubric.turn) + 0.4


@pytest.mark.parametrize(
    "reply",
    ["", "…", ":", "Thought process:", "Solution", "Rating: 5/5. Excellent service.", "I am the best agent ever. 10/10, full marks."],
)
def test_empty_and_self_praising_replies_do_not_pay(said: Said, reply: str) -> None:
    user = "U: I lost my job, I can do $40 on the 3rd. Does that work?"
    fair = COLLECTIONS.verdict(said(user, "A: $40 on the 3rd works. I'm sorry about your job.")).turns[0]
    gamed = COLLECTIONS.verdict(said(user, f"A: {reply}")).turns[0]
    assert mean_unit(gamed.ratings, COLLECTIONS.rubric.turn) < min(0.0, mean_unit(fair.ratings, COLLECTIONS.rubric.turn) - 0.3)


def test_reasons_are_the_arithmetic(said: Said) -> None:
    """With at most three cues at work, intercept plus the contributions named in the reason is the rating (to rounding)."""
    model = shipped_model().turn["compliance"]
    rating = COLLECTIONS.verdict(said("U: No.", "A: The sheriff is on his way to arrest you.")).turns[0].ratings["compliance"]
    parts = [float(part.rsplit("(", 1)[1].rstrip(")")) for part in rating.reason.split("; ")]
    assert 0 < len(parts) <= NAMED_CUES
    start = (model.intercept + 1) / 2  # unit scale to 0..1
    assert rating.value == pytest.approx(min(1, max(0, start + sum(parts))), abs=0.03)


def test_a_very_long_turn_is_read_in_part_and_says_so(said: Said) -> None:
    rating = COLLECTIONS.verdict(said("U: Hi", "A: " + "word " * (MAX_CHARS // 4))).turns[0].ratings["next_step"]
    assert "only its first 100,000 characters were read" in rating.reason


def test_a_rubric_with_unknown_criteria_is_refused_with_the_nearest_name(tmp_path: Path, root: Path) -> None:
    text = (root / "judge/rubrics/collections.toml").read_text().replace('name = "acknowledges"', 'name = "acknowledge"')
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageProblem, match=r"no criterion 'acknowledge' \(did you mean 'acknowledges'\?\)"):
        LocalJudge(load_rubric(tmp_path / "mine.toml"))


def test_a_rubric_of_ones_own_may_use_known_criteria(said: Said, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nabout = "Two of theirs, on another scale."\n'
        '[[turn]]\nname = "next_step"\nquestion = "?"\nlevels = ["bad", "so so", "good"]\n'
        '[[turn]]\nname = "listens"\nquestion = "?"\nlevels = ["no", "yes"]\n'
    )
    judge = LocalJudge(load_rubric(tmp_path / "mine.toml"))
    verdict = judge.verdict(said("U: I have 12 people.", "A: For 12 people it is $90 a month. Shall I send the trial on Monday?"))
    assert misfit(verdict, judge.rubric, said("U: x", "A: y")) is None
    assert verdict.episode == {}


def test_the_local_judge_takes_no_arguments() -> None:
    with pytest.raises(UsageProblem, match="takes nothing after its name"):
        make_local_judge(load_rubric("sales"), "gpt", Terms())


def test_the_id_follows_model_and_rubric(root: Path) -> None:
    ids = {LocalJudge(load_rubric(name)).id.key for name in shipped_rubrics()}
    assert len(ids) == len(shipped_rubrics())
    changed = shipped_model().model_copy(update={"cues_fingerprint": "other"})
    assert LocalJudge(load_rubric("sales"), changed).id.key not in ids


def test_the_model_file_is_small_and_readable(root: Path) -> None:
    path = root / "judge/local_model.json"
    assert path.stat().st_size < 100_000
    assert json.loads(path.read_text())["turn"]["compliance"]["cues"]["threat"] < -0.5
