"""Our own format: what goes in comes out, and what does not fit is refused in words that help."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue import Role, Transcript, Turn, read_transcripts

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FREE = st.dictionaries(st.text(max_size=5), VALUES, max_size=3)
TURNS = st.builds(
    Turn,
    role=st.sampled_from(Role),
    text=st.text(),
    state=st.none() | FREE,
    action=st.none() | st.text(),
    action_prob=st.none() | st.floats(0, 1, exclude_min=True),
    signals=st.lists(st.text(), max_size=3),
)
TRANSCRIPTS = st.builds(
    Transcript,
    id=st.text(min_size=1, max_size=512),
    turns=st.lists(TURNS, min_size=1, max_size=5).filter(lambda turns: any(turn.role is Role.AGENT for turn in turns)),
    outcome=st.none() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    meta=FREE,
)


@given(st.lists(TRANSCRIPTS, min_size=1, max_size=3, unique_by=lambda made: made.id), st.booleans())
@settings(deadline=None)
def test_what_is_written_is_read_back_equal(read, written, leave_out_defaults):
    lines = (made.model_dump_json(exclude_defaults=leave_out_defaults) for made in written)
    found, rejects = read("\n".join(lines), format="native")
    assert ([item.transcript for item in found], rejects) == (written, [])


def line(**changes: object) -> str:
    """Return a good dialogue's line with the changes; `...` takes a key away."""
    good = {"id": "a", "turns": [{"role": "user", "text": "hi"}, {"role": "agent", "text": "hello"}]}
    return json.dumps({key: value for key, value in (good | changes).items() if value is not ...})


def turn(**changes: object) -> str:
    return line(turns=[{"role": "agent", "text": "hello"} | changes])


def only_reject(read, text: str):
    found, (reject,) = read(text, format="native")
    assert (found, reject.line, reject.raw) == ([], 1, text)
    return reject


def test_a_full_line(tmp_path):
    said = {"role": "agent", "text": "hello", "state": {"debt": 3}, "action": "PROCEED", "action_prob": 1, "signals": ["VIOLATION"]}
    path = tmp_path / "log.jsonl"
    path.write_text(line(turns=[said], outcome="paid", meta={"bot": "v2"}))
    (made,) = read_transcripts(path)
    assert made == Transcript(
        id="a",
        turns=(Turn(role=Role.AGENT, text="hello", state={"debt": 3}, action="PROCEED", action_prob=1.0, signals=("VIOLATION",)),),
        outcome="paid",
        meta={"bot": "v2"},
    )


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        (line(id=...), "'id' is missing", "a value for 'id'"),
        (line(id=""), "'id' is ''", "a text of 1 to 512 characters"),
        (line(id="x" * 513), "'id' is 'xxxx", "a text of 1 to 512 characters"),
        (line(id=7), "'id' is 7", "a text of 1 to 512 characters"),
        (line(turns=...), "'turns' is missing", "a value for 'turns'"),
        (line(turns=[]), "the dialogue has no turns", "at least one agent turn"),
        (line(turns=[{"role": "user", "text": "hi"}]), "the dialogue has no agent turn", "whose role is 'agent': there is nothing to rate"),
        (turn(role="assistant"), "'turns[0].role' is 'assistant'", "one of user, agent, system, tool"),
        (turn(role="Agent"), "'turns[0].role' is 'Agent'", "one of user, agent, system, tool"),
        (turn(role=["agent"]), "'turns[0].role' is a JSON array", "one of user, agent, system, tool"),
        (turn(text=None), "'turns[0].text' is None", "a text"),
        (turn(text=5), "'turns[0].text' is 5", "a text"),
        (turn(action=1), "'turns[0].action' is 1", "a text"),
        (turn(signals="VIOLATION"), "'turns[0].signals' is 'VIOLATION'", "an array"),
        *(
            (turn(action_prob=value), f"'turns[0].action_prob' is {value!r}", "a number above 0 and at most 1")
            for value in (0, 0.0, -0.1, 1.0000001, 2, 10**400, "0.5", True)
        ),
        *((line(outcome=value), "'outcome' is ", "the name of an outcome, a number, or null") for value in (True, [], {}, 10**400)),
        (line(turns={}), "'turns' is a JSON object", "an array"),
        (line(turns=["hi"]), "'turns[0]' is 'hi'", "an object"),
        (line(meta=[]), "'meta' is a JSON array", "an object"),
        (turn(state=[]), "'turns[0].state' is a JSON array", "an object"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(read, text, reason, expected):
    reject = only_reject(read, text)
    assert reject.reason.startswith(reason[:60])
    assert expected in reject.expected
    assert not reject.expected.startswith("input should")  # pydantic's words about our classes, not about the file
    assert len(str(reject)) < 500  # however long the value


@pytest.mark.parametrize("value", [0, 1, -0.5, 1e300, "paid", "", None])
def test_an_outcome_is_a_name_a_number_or_nothing(read, value):
    ((found,), _) = read(line(outcome=value))
    assert found.transcript.outcome == value


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "nonsense",
        line() + line(),  # two objects on one line
        line().replace('"hi"', r'"\ud800"'),  # half a character: nothing downstream could encode it
        line().replace('"hi"', r'"\udc00"'),
        line(outcome=float("nan")),
        line(outcome=float("-inf")),
        line(meta={"a": float("inf")}),
        line(meta={"a": 1}).replace(": 1}", ": 1e999}"),  # JSON by its grammar, infinity by its value
        turn(state={"a": [float("nan")]}),
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        line(meta={"a": 1}).replace(": 1}", ": " + "[" * 100_000 + "]" * 100_000 + "}"),
    ],
    ids=lambda text: text[:50],
)
def test_what_is_no_sound_json_is_refused_and_kept(read, text):
    only_reject(read, text)


@pytest.mark.parametrize(
    ("text", "kind"), [("[]", "array"), ("5", "number"), ("1.5", "number"), ('"a"', "string"), ("true", "boolean"), ("null", "null")]
)
def test_a_line_that_is_no_object_says_what_it_is(read, text, kind):
    assert only_reject(read, text).reason == f"the line holds a JSON {kind}"


@pytest.mark.parametrize(
    ("text", "slip", "meant"),
    [
        (line(ouctome="paid"), "ouctome", "outcome"),  # or a whole log would be read as if nobody knew how it ended
        (line(Outcome="paid"), "Outcome", "outcome"),
        (line(metadata=..., mets={}), "mets", "meta"),
        (turn(action_probs=0.5), "action_probs", "action_prob"),
        (turn(actoin="PROCEED"), "actoin", "action"),
        (turn(signal=["VIOLATION"]), "signal", "signals"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_key_meant(read, text, slip, meant):
    reject = only_reject(read, text)
    assert reject.reason == f"unknown key {slip!r}"
    assert reject.expected.startswith(repr(meant))


@pytest.mark.parametrize(
    "extra",
    [
        {"weather": "fine"},
        {"customer_id": 7},
        {"outcome": "paid", "ouctome": "paid"},  # nothing is lost: the right key is there too
    ],
)
def test_other_unknown_keys_are_ignored_and_named(read, extra):
    ((found,), rejects) = read(line(**extra))
    assert rejects == []
    assert set(found.ignored) == set(extra) - {"outcome"}
