"""Environments by name, and KEY=VALUE as typed options: what is known, what is refused, and how it is told."""

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from dialogue.errors import UsageProblem
from dialogue.installed import installed
from policies.environments import GROUP, make_env
from policies.options import pairs_of, typed


def test_the_installed_environments_are_made_by_name() -> None:
    assert list(installed(GROUP)) == ["debt_call", "sales_call"]
    debt = make_env("debt_call", 3)
    assert debt.n == 3 and debt.spaces.actions == ("PROCEED", "EMPATHIZE", "OFFER_PLAN", "ASK_CLARIFY")
    wide = make_env("debt_call", 2, {"extras": "true", "handling": "0.1"})
    assert wide.spaces.observations == debt.spaces.observations * 108  # 3 x 3 x 3 x 2 x 2 further fields
    assert make_env("sales_call", 2).spaces.continuous
    lake = make_env("gym:FrozenLake-v1", 2, {"options": '{"is_slippery": false}'})
    assert lake.spaces.observations == 16 and len(lake.spaces.actions) == 4
    assert lake.reset(np.random.SeedSequence(0)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "n", "options", "told"),
    [
        (
            "debtcall", 1, {},
            "unknown environment 'debtcall' (did you mean 'debt_call'?); installed: debt_call, sales_call; "
            "or gym:ID for one that Gymnasium knows",
        ),
        ("gym:", 1, {}, "'gym:' needs the id of an environment; write for example gym:FrozenLake-v1"),
        ("debt_call", 0, {}, "0 episodes side by side are too few; at least 1"),
        (
            "debt_call", 1, {"extra": "true"},
            "the environment debt_call has no option 'extra' (did you mean 'extras'?); it has personas, handling, extras",
        ),
        ("debt_call", 1, {"n": "4"}, "the environment debt_call has no option 'n'; it has personas, handling, extras"),
        ("debt_call", 1, {"extras": "maybe"}, "extras of the environment debt_call is 'maybe'; it takes true or false"),
        ("debt_call", 1, {"handling": "much"}, "handling of the environment debt_call is 'much'; it takes a number"),
        ("sales_call", 1, {"extras": "true"}, "the environment sales_call has no option 'extras'; it has none"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused(name: str, n: int, options: dict[str, str], told: str) -> None:
    with pytest.raises(UsageProblem) as refused:
        make_env(name, n, options)
    assert str(refused.value) == told


def made(
    count: int = 1,
    *,
    share: float | None = None,
    name: str = "",
    kind: Literal["short", "long"] = "short",
    sure: bool = False,
    place: str | Path | None = None,
    table: np.ndarray[Any, Any] | None = None,
) -> None:
    """A maker whose parameters are options."""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"count": "12", "share": "0.5"}, {"count": 12, "share": 0.5}),
        ({"share": "none"}, {"share": None}),
        ({"kind": "long", "sure": "yes", "name": "12"}, {"kind": "long", "sure": True, "name": "12"}),
        ({"sure": "off", "place": "a/b.toml"}, {"sure": False, "place": "a/b.toml"}),
        ({"count": 3, "share": 1}, {"count": 3, "share": 1}),  # from a program, values are what they are
    ],
)
def test_texts_become_what_the_signature_says(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = typed(made, given, "the maker")
    assert found == expected and {name: type(value) for name, value in found.items()} == {n: type(v) for n, v in expected.items()}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"count": "1.5"}, "count of the maker is '1.5'; it takes a whole number"),
        ({"share": "half"}, "share of the maker is 'half'; it takes a number or none"),
        ({"kind": "middle"}, "kind of the maker is 'middle'; it takes one of short, long"),
        ({"cuont": "1"}, "the maker has no option 'cuont' (did you mean 'count'?); it has count, share, name, kind, sure, place"),
        ({"table": "1,2"}, "the maker has no option 'table'; it has count, share, name, kind, sure, place"),  # no text is an array
    ],
)
def test_values_that_do_not_fit_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageProblem, match=re.escape(told)):
        typed(made, given, "the maker")


def test_pairs() -> None:
    assert pairs_of(["a=1", "long-name=x=y", " b = "]) == {"a": "1", "long_name": "x=y", "b": ""}
    for given, told in (
        (["a"], "--set 'a' is not KEY=VALUE; write a name, = and a value"),
        (["=1"], "--set '=1' is not KEY=VALUE; write a name, = and a value"),
        (["a=1", "a=2"], "--set a is given twice, as '1' and '2'; give it once"),
    ):
        with pytest.raises(UsageProblem) as refused:
            pairs_of(given)
        assert str(refused.value) == told
