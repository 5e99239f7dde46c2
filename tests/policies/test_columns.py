"""States as columns: which fields they make, and which observation each is."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.encoding import Encoding, Field
from dialogue.errors import UsageProblem
from policies.columns import SPILL, Columns, given_fields


def columns(states: list[dict[str, Any]], wanted: tuple[str, ...] | None = None) -> Columns:
    made = Columns(wanted)
    made.extend(states[: len(states) // 2])
    made.extend(states[len(states) // 2 :])
    return made


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (["b", "a", "b"], Field("x", ("b", "a"))),  # texts as they come
        ([True, False, True], Field("x", ("true", "false"))),
        ([None, "a"], Field("x", ("null", "a"))),
        ([2, 0, 1, 1], Field("x", edges=(1.0, 2.0))),  # few numbers: a bucket each
        (list(range(100)), Field("x", edges=(25.0, 50.0, 75.0))),  # many: quartiles
        (["a", 3, 1.5, 3], Field("x", ("a", "1.5", "3"))),  # texts and numbers: all are categories
    ],
)
def test_a_key_becomes_a_field(values: list[Any], field: Field) -> None:
    assert columns([{"x": value} for value in values]).fields() == ((field,), [])


def test_the_turn_is_cut_as_the_debt_call_cuts_it() -> None:
    (field,), _ = columns([{"turn": k} for k in range(1, 20)]).fields()
    assert field == Field("turn", edges=(4.0, 7.0, 11.0))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([5, 5], "'x' is left out: it is always 5"),
        ([[1], [2]], "'x' is left out: it holds lists or tables"),
        ([{"a": 1}, "b"], "'x' is left out: it holds lists or tables"),
        ([f"call {k}" for k in range(65)], "'x' is left out: it has 65 different values; name it with --state"),
    ],
)
def test_what_is_no_field_is_left_out_and_told(values: list[Any], told: str) -> None:
    fields, notes = columns([{"x": value, "y": "z"} for value in values]).fields()
    assert fields == (Field("y", ("z",)),)
    assert len(notes) == 1
    assert told in notes[0]


def test_a_key_that_is_not_always_there_is_left_out() -> None:
    fields, notes = columns([{"a": "1", "x": "p"}, {"a": "2"}]).fields()
    assert [field.name for field in fields] == ["a"]
    assert "not every state has it" in notes[0]


def test_nothing_to_see_is_refused() -> None:
    with pytest.raises(UsageProblem, match=r"nothing in the logged states tells them apart .*always 1.*--state"):
        columns([{"x": 1}, {"x": 1}]).fields()


def test_more_than_a_table_holds_is_refused() -> None:
    states = [{name: f"{name}{k}" for name in "abcd"} for k in range(60)]  # 60^4 = 12.96 million
    with pytest.raises(UsageProblem, match=r"a \(60\), b \(60\).* make 12,960,000 observations, at most 1,000,000; name fewer keys"):
        columns(states).fields()


@settings(deadline=None)  # a slow machine is no fault
@given(
    st.lists(
        st.fixed_dictionaries({"a": st.sampled_from(["x", "y", "z"]), "n": st.integers(-5, 300) | st.floats(-5, 300), "b": st.booleans()}),
        min_size=2,
        max_size=40,
    )
)
def test_the_observations_are_what_the_encoding_says(states: list[dict[str, Any]]) -> None:
    made = columns(states)
    fields, _ = made.fields()
    encoding = Encoding(fields)
    assert made.indices(encoding).tolist() == [encoding.index(state) for state in states]


def test_numbers_without_end_are_kept_as_numbers() -> None:
    """Beyond SPILL different values nothing is remembered by value any more; what comes out is the same."""
    rng = np.random.default_rng(0)
    states = [{"x": float(value), "a": "pq"[k % 2]} for k, value in enumerate(rng.random(SPILL + 500).tolist())]
    made = Columns()
    for at in range(0, len(states), 100):
        made.extend(states[at : at + 100])
    encoding = Encoding(made.fields()[0])
    assert made.indices(encoding).tolist() == [encoding.index(state) for state in states]
    assert len(made.columns["x"].known) < SPILL + 200
    edges = encoding.fields[0].edges
    np.testing.assert_allclose(edges, np.quantile([state["x"] for state in states], (0.25, 0.5, 0.75)), atol=0.001)


def test_given_fields_take_their_values_from_the_log() -> None:
    made = columns([{"fsm": "A", "turn": 1, "k": 3}, {"fsm": "B", "turn": 9, "k": 3}], ("turn", "fsm"))
    fields, notes = made.fields(given_fields("turn:5,fsm"))
    assert fields == (Field("turn", edges=(5.0,)), Field("fsm", ("A", "B")))
    assert notes == []
    assert made.indices(Encoding(fields)).tolist() == [0, 3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a name is missing"),
        ("fsm,,turn", "a name is missing"),
        ("fsm,fsm", "'fsm' is named twice"),
        ("turn:4:x", "the edges of 'turn' are 4, x, not numbers"),
        ("turn:4:4", "expected finite numbers, rising"),
        ("turn:4:inf", "expected finite numbers, rising"),
        ("turn:", "not numbers"),
    ],
)
def test_a_wrong_state_option_is_told(text: str, told: str) -> None:
    with pytest.raises(UsageProblem, match=f"{told}; write keys of the logged states|{told}.*--state fsm,sentiment,turn:4:7:11"):
        given_fields(text)


def test_a_field_that_no_state_has() -> None:
    with pytest.raises(UsageProblem, match="no logged state has 'fsn'"):
        columns([{"fsm": "A"}], ("fsn",)).fields(given_fields("fsn"))


def test_a_text_where_a_number_is_cut() -> None:
    made = columns([{"turn": "late"}, {"turn": 3}], ("turn",))
    with pytest.raises(UsageProblem, match="state 'turn' is 'late' in the log, where a number is expected; it is cut at 4"):
        made.indices(Encoding((Field("turn", edges=(4.0,)),)))
