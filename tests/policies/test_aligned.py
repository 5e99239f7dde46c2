"""A policy over fewer or other observations acts where there are more: by what it knows, else by its shares overall."""

import numpy as np
import pytest

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.aligned import aligned
from policies.table import TablePolicy

MOOD = Field("mood", ("good", "bad"))
TURN = Field("turn", edges=(4.0,))


def spaces(*fields: Field, actions: tuple[str, ...] = ("GO", "STAY")) -> Spaces:
    encoding = Encoding(fields)
    return Spaces(actions, observations=encoding.size, width=encoding.width, encoding=encoding)


def policy(*fields: Field) -> TablePolicy:
    size = Encoding(fields).size
    probs = np.linspace(0.1, 0.9, size)
    return TablePolicy(spaces(*fields), np.stack([probs, 1 - probs], 1), counts=np.full((size, 2), 5))


def test_the_same_states_act_the_same_in_another_order_with_more_values_and_actions_turned_round() -> None:
    mine = policy(MOOD, TURN)
    theirs = spaces(
        Field("turn", edges=(4.0, 7.0)), Field("mood", ("worse", "bad", "good")), Field("day", ("mon",)), actions=("STAY", "GO")
    )
    found = aligned(mine, theirs)
    assert theirs.encoding and mine.spaces.encoding
    for mood in ("good", "bad"):
        for turn in (1, 4, 6, 7, 30):
            here = mine.probs[mine.spaces.encoding.index({"mood": mood, "turn": turn})]
            there = found.probs[theirs.encoding.index({"mood": mood, "turn": turn, "day": "mon"})]
            assert there.tolist() == here[::-1].tolist()
    assert np.allclose(found.probs.sum(1), 1)


def test_a_value_never_met_acts_by_the_shares_overall_and_counts_nothing() -> None:
    mine = policy(MOOD)  # GO: .1 and .9, met as often: .5 overall
    found = aligned(mine, spaces(Field("mood", ("good", "bad", "worse"))))
    assert found.probs.tolist() == pytest.approx(np.array([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]]))
    assert found.counts is not None and found.counts[2].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        (spaces(MOOD), "looks at turn"),
        (spaces(MOOD, Field("turn", edges=(3.0, 5.0))), "cuts 'turn' at 4"),
        (spaces(MOOD, Field("turn", ("early", "late"))), "a number on one side"),
        (spaces(MOOD, TURN, actions=("GO", "RUN")), "acts by GO, STAY"),
        (Spaces(("GO", "STAY"), observations=4), "not known"),
    ],
)
def test_what_does_not_fit_is_refused(theirs: Spaces, says: str) -> None:
    with pytest.raises(UsageProblem, match=says):
        aligned(policy(MOOD, TURN), theirs)
