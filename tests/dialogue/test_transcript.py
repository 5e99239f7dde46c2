"""What was said: which turns are rated, and what the content hash does and does not see."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dialogue import Role, Transcript, Turn

# A small world, so that two random transcripts are often equal or differ in one place only.
SAID = st.lists(st.tuples(st.sampled_from(Role), st.text("a,", max_size=2)), max_size=2)
OUTCOMES = st.sampled_from([None, "", "1.0", "paid", "null", 0.0, 1.0, 0.5])


@st.composite
def transcripts(draw):
    """Return (what is said, outcome, the transcript), with everything a judge is not shown drawn at random."""
    said, outcome = draw(SAID), draw(OUTCOMES)
    notes = {
        "state": st.none() | st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
        "action": st.none() | st.text(max_size=2),
        "action_prob": st.none() | st.floats(0, 1, exclude_min=True),
        "signals": st.lists(st.text(max_size=2), max_size=2),
    }
    turns = [Turn(role=role, text=text, **{key: draw(values) for key, values in notes.items()}) for role, text in said]
    return said, outcome, Transcript(id=draw(st.text(min_size=1)), turns=turns, outcome=outcome, meta=draw(st.just({}) | st.just({"a": 1})))


@given(transcripts(), transcripts())
def test_the_hash_differs_exactly_when_what_the_judge_sees_differs(one, other):
    (said, outcome, first), (other_said, other_outcome, second) = one, other
    blind = first.content_hash(with_outcome=False) == second.content_hash(with_outcome=False)
    assert blind == (said == other_said)
    seeing = first.content_hash(with_outcome=True) == second.content_hash(with_outcome=True)
    assert seeing == ((said, outcome) == (other_said, other_outcome))


@given(transcripts())
def test_seeing_no_outcome_is_not_the_same_as_not_being_shown_it(drawn):
    # A ledger holds both: a verdict of a judge that saw "no outcome" must not be found by one that may not look.
    transcript = drawn[-1]
    assert transcript.content_hash(with_outcome=True) != transcript.content_hash(with_outcome=False)


def test_the_hash_is_pinned():
    # Ledgers on disk are keyed by it: a change here makes everybody pay for every verdict again.
    transcript = Transcript(id="x", turns=[{"role": "user", "text": "é"}, {"role": "agent", "text": "b"}], outcome=1)
    for with_outcome, seen in ((False, rb'[["user","\u00e9"],["agent","b"]]'), (True, rb'[["user","\u00e9"],["agent","b"],1.0]')):
        assert transcript.content_hash(with_outcome=with_outcome) == hashlib.sha256(seen).hexdigest()


@given(transcripts())
def test_agent_turns_are_the_indices_of_the_agents_turns_in_order(drawn):
    said, _, transcript = drawn
    assert [i for i, (role, _) in enumerate(said) if role == "agent"] == list(transcript.agent_turns)


@pytest.mark.parametrize("change", [{"id": "b"}, {"turns": ()}, {"outcome": 1.0}])
def test_a_transcript_is_frozen(change):
    transcript = Transcript(id="a", turns=[{"role": "agent", "text": "hi"}])
    ((key, value),) = change.items()
    with pytest.raises(ValidationError):
        setattr(transcript, key, value)


def test_two_transcripts_do_not_share_their_meta():
    one, other = (Transcript(id=name, turns=()) for name in "ab")
    one.meta["seen"] = True
    assert other.meta == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_what_json_cannot_hold_is_refused_when_made_not_when_written(value):
    # Written as JSON it would silently become null.
    with pytest.raises(ValidationError):
        Transcript(id="a", turns=(), meta={"a": value})
    with pytest.raises(ValidationError):
        Turn(role=Role.AGENT, text="hi", state={"a": value})
