"""Logged states as numbers: every index there and back, growth keeps old places, and what cannot be counted is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.encoding import Encoding, Field, text_of
from dialogue.errors import InputProblem, UsageProblem

FSM = Field("fsm", values=("OPENING", "VERIFY", "CLOSED"))
TURN = Field("turn", edges=(4, 7))
SMALL = Encoding((FSM, TURN))

names = st.sampled_from("abcdefgh")
categories = st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True).map(tuple)
rising = st.lists(st.integers(-50, 50), min_size=1, max_size=4, unique=True).map(lambda edges: tuple(float(edge) for edge in sorted(edges)))


@st.composite
def encodings(draw: st.DrawFn) -> Encoding:
    named = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    return Encoding(tuple(draw(st.builds(Field, st.just(name), values=categories) | st.builds(Field, st.just(name), edges=rising))
                          for name in named))  # fmt: skip


def a_state(encoding: Encoding, index: int) -> dict[str, object]:
    """A state with this index, made from the encoding's fields alone."""
    state: dict[str, object] = {}
    for field in reversed(encoding.fields):
        index, digit = divmod(index, field.size)
        state[field.name] = field.values[digit] if not field.edges else (field.edges[0] - 1 if digit == 0 else field.edges[digit - 1])
    return state


@given(encodings(), st.data())
def test_every_observation_is_the_index_of_its_state(encoding: Encoding, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, encoding.size - 1))
    state = a_state(encoding, index)
    assert encoding.index(state) == index
    labels = encoding.labels(index)
    assert list(labels) == [field.name for field in encoding.fields]
    assert all(labels[field.name] == field.labels[field.at(state[field.name])] for field in encoding.fields)


@given(encodings())
def test_features_are_one_hot_field_by_field_and_all_differ(encoding: Encoding) -> None:
    features = encoding.features
    assert features.shape == (encoding.size, encoding.width)
    assert (features.sum(1) == len(encoding.fields)).all()
    assert set(np.unique(features)) <= {0.0, 1.0}
    assert len(np.unique(features, axis=0)) == encoding.size


@given(encodings())
def test_as_data_and_back(encoding: Encoding) -> None:
    assert Encoding.from_data(encoding.as_data()) == encoding


@given(encodings(), st.data())
def test_growing_keeps_every_state_and_moves_it_to_its_new_place(encoding: Encoding, data: st.DataObject) -> None:
    new = {field.name: data.draw(st.text(max_size=3)) for field in encoding.fields if not field.edges}
    grown = encoding.grown([new])
    moved = encoding.moved_to(grown)
    for index in range(encoding.size):
        assert grown.index(a_state(encoding, index)) == moved[index]
    assert len(set(moved.tolist())) == encoding.size
    assert grown.grown([new]) == grown


@pytest.mark.parametrize(
    ("turn", "bucket", "label"), [(1, 0, "< 4"), (3.9, 0, "< 4"), (4, 1, "4 to < 7"), (6, 1, "4 to < 7"), (7, 2, ">= 7"), (99, 2, ">= 7")]
)
def test_a_number_falls_into_the_bucket_after_the_last_edge_it_reaches(turn: float, bucket: int, label: str) -> None:
    assert (TURN.at(turn), TURN.labels[bucket]) == (bucket, label)


def test_the_last_field_runs_fastest() -> None:
    # 3 stages x 3 buckets: VERIFY is stage 1, turn 7 is bucket 2: 1 x 3 + 2
    assert SMALL.index({"fsm": "VERIFY", "turn": 7, "else": None}) == 5
    assert (SMALL.size, SMALL.width) == (9, 6)


def test_other_json_values_are_categories_as_json_writes_them() -> None:
    assert [text_of(value) for value in ("x", True, None, 3, [1, "a"])] == ["x", "true", "null", "3", '[1, "a"]']
    assert Field("done", values=("false", "true")).at(True) == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"turn": 1}, "the state has no 'fsm'; expected the fields fsm, turn"),
        ({"fsm": "VERFY", "turn": 1}, "state 'fsm' is 'VERFY' (did you mean 'VERIFY'?); expected one of OPENING, VERIFY, CLOSED"),
        ({"fsm": "VERIFY", "turn": "1"}, "state 'turn' is '1'; expected a number"),
        ({"fsm": "VERIFY", "turn": True}, "state 'turn' is True; expected a number"),
    ],
)
def test_what_cannot_be_counted_is_said(state: dict[str, object], said: str) -> None:
    with pytest.raises(InputProblem) as problem:
        SMALL.index(state)
    assert str(problem.value) == said


def test_more_observations_than_a_table_should_have_are_refused() -> None:
    wide = Encoding((Field("a", values=("x",)), Field("b", values=("x",))))
    with pytest.raises(UsageProblem, match=r"a \(1002\), b \(1001\) make 1,003,002 observations; at most 1,000,000: name fewer fields"):
        wide.grown([{"a": number, "b": min(number, 999)} for number in range(1001)])
