"""A policy from a log is kept to what the log has tried often enough."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dialogue.environments.contract import Spaces
from policies.support import supported
from policies.table import TablePolicy


def policy(probs: list[list[float]], counts: list[list[int]]) -> TablePolicy:
    return TablePolicy(Spaces(("A", "B", "C"), observations=len(probs)), np.array(probs), counts=np.array(counts))


def test_worked_by_hand() -> None:
    """Row 0: C was tried 2 times of 100 and keeps .02; the other .98 go to A and B as .3 to .1. Row 1: nothing is thick: the behaviour.

    Row 2 was never met: overall, 66 + 2 of 104 were A, 32 were B, 2 + 2 were C. Row 3: all that the policy wants was never tried.
    """
    found = supported(
        policy(
            [[0.3, 0.1, 0.6], [0.0, 0.0, 1.0], [0.2, 0.2, 0.6], [0.0, 0.0, 1.0]],
            [[66, 32, 2], [2, 0, 2], [0, 0, 0], [0, 0, 0]],
        ),
        least=10,
    )
    overall = np.array([68, 32, 4]) / 104
    assert np.allclose(found.policy.probs, [[0.735, 0.245, 0.02], [0.5, 0, 0.5], overall, overall])
    assert (found.kept, found.cells) == (1 + 3, 6)


def test_an_action_nobody_tried_is_not_taken_however_the_others_failed() -> None:
    found = supported(policy([[0.05, 0.05, 0.9]], [[500, 500, 0]]), 3)
    assert np.allclose(found.policy.probs, [[0.5, 0.5, 0.0]])


@given(
    arrays.arrays(float, (4, 3), elements=st.floats(0, 1)),
    arrays.arrays(np.int64, (4, 3), elements=st.integers(0, 30)),
    st.integers(0, 40),
)
def test_rows_are_probabilities_and_thin_cells_are_the_behaviours(wanted: np.ndarray, counts: np.ndarray, least: int) -> None:
    wanted = (wanted + 1e-6) / (wanted + 1e-6).sum(1, keepdims=True)
    found = supported(policy(wanted.tolist(), counts.tolist()), least).policy.probs
    assert np.allclose(found.sum(1), 1) and (found >= 0).all()
    for row, tried in enumerate(counts):
        thin = tried < least
        if tried.sum():
            assert np.allclose(found[row][thin], (tried / tried.sum())[thin])
    if least == 0 and counts.sum(1).all():
        assert np.allclose(found, wanted)
