"""Schedules: what they are at a step or a visit, their texts, and many small steps taken as one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from policies.schedules import EXACT, Constant, Exponential, Linear, Visits, schedule

ONE = np.array([1])


@pytest.mark.parametrize(
    ("given_", "made"),
    [
        (0.1, Constant(0.1)),
        ("0.1", Constant(0.1)),
        ("constant:0.25", Constant(0.25)),
        (" 1e-2 ", Constant(0.01)),
        (1, Constant(1.0)),
        ("linear:1:0.05:20000", Linear(1.0, 0.05, 20_000.0)),
        ("exponential:1:0.1:500", Exponential(1.0, 0.1, 500.0)),
        ("visits:0.8:0.005", Visits(0.8, 0.005)),
        ("visits:1", Visits(1.0, 0.0)),
    ],
)
def test_a_text_or_number_is_a_schedule_and_back(given_, made) -> None:
    assert schedule(given_) == made
    assert schedule(str(made)) == made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("visit:1", "did you mean 'visits'"),
        ("half", "write a number"),
        ("linear:1:0.5", "linear:START:END:STEPS"),
        ("linear:1:x:10", "numbers are expected"),
        ("visits:0.8:0.1:3", "visits:POWER:FLOOR"),
        ("1.5", "from 0 to 1"),
        ("-0.1", "from 0 to 1"),
        ("nan", "write a number"),
        ("linear:1:-1:10", "from 0 to 1"),
        ("linear:1:0:0", "above 0"),
        ("visits:0:0.1", "power must be above 0"),
    ],
)
def test_what_is_no_schedule_is_said(text, told) -> None:
    with pytest.raises(UsageProblem, match=told):
        schedule(text)


@pytest.mark.parametrize(
    ("text", "step", "visits", "value"),
    [
        ("0.3", 1000, 5, 0.3),
        ("linear:1:0:100", 0, 1, 1.0),
        ("linear:1:0:100", 25, 1, 0.75),
        ("linear:1:0.2:100", 900, 1, 0.2),
        ("exponential:1:0:10", 20, 1, 0.25),
        ("exponential:0.9:0.1:10", 10, 1, 0.5),
        ("visits:0.5:0.1", 0, 16, 0.25),
        ("visits:0.5:0.1", 0, 10_000, 0.1),
        ("visits:1", 0, 0, 1.0),
    ],
)
def test_what_it_is(text, step, visits, value) -> None:
    assert schedule(text).at(step, np.array([visits]))[0] == pytest.approx(value, abs=1e-12)


@given(
    st.sampled_from(["0.3", "1", "linear:1:0:100", "exponential:1:0.1:7", "visits:1", "visits:0.8:0.005", "visits:0.6:0.2"]),
    st.integers(0, 900),
    st.integers(0, 60),
)
def test_together_is_one_by_one(text, before, times) -> None:
    """Steps of the sizes at visits before+1 .. before+times towards one target leave the product of (1 - size) of the old value."""
    made, step = schedule(text), 30
    left = np.prod([1 - made.at(step, np.array([before + k]))[0] for k in range(1, times + 1)])
    assert made.together(step, np.array([before]), np.array([times]))[0] == pytest.approx(1 - left, abs=1e-12)


@pytest.mark.parametrize(("before", "times"), [(0, 7), (1, 1), (10, 300), (EXACT - 2, 5), (2_000_000, 1000)])
def test_steps_of_one_in_k_are_the_mean_of_all(before, times) -> None:
    """The product of (1 - 1/k) over the visits before+1 .. before+times is before / (before + times)."""
    found = schedule("visits:1").together(0, np.array([before]), np.array([times]))[0]
    assert found == pytest.approx(times / (before + times), rel=1e-6)
