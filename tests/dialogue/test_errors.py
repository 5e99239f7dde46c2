"""How problems are worded: one line, with the nearest miss."""

import pytest

from dialogue import InputProblem, Problem, UsageProblem
from dialogue.errors import did_you_mean, listed, nearest


@pytest.mark.parametrize(
    ("name", "expected"),
    [("nativ", "native"), ("NATIVE", "native"), ("Tau2", "tau2"), ("shareGTP", "ShareGPT"), ("xyzzy", None), ("", None)],
)
def test_nearest_ignores_case_and_gives_the_name_as_it_is_spelt(name, expected):
    assert nearest(name, ["native", "tau2", "ShareGPT"]) == expected


def test_nothing_is_near_where_nothing_is_allowed():
    assert nearest("native", []) is None


def test_did_you_mean_is_empty_without_a_near_name():
    assert did_you_mean("nativ", ["native"]) == " (did you mean 'native'?)"
    assert did_you_mean("xyzzy", ["native"]) == ""


def test_an_input_problem_says_what_is_wrong_and_what_would_be_right():
    problem = InputProblem("'id' is 7", "a text")
    assert (str(problem), problem.reason, problem.expected) == ("'id' is 7; expected a text", "'id' is 7", "a text")


def test_both_problems_are_caught_as_one():
    assert issubclass(InputProblem, Problem)
    assert issubclass(UsageProblem, Problem)


def test_listed():
    assert listed(["a", "b"]) == "a, b"
