"""Outcome tables: what ships, what endings are worth, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.errors import InputProblem, UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from rewards.outcome import NumericScale, Outcome, OutcomeTable, load_outcome_table, shipped_outcome_tables

COLLECTIONS = load_outcome_table("collections")
SUCCESSES = ["PAYMENT_SECURED", "PAYMENT_PLAN_AGREED"]

TABLE = """\
name = "shop"
about = "A shop."

[outcomes]
SOLD = { value = 1.0, success = true }
LEFT = { value = -0.5 }

[catastrophic]
FRAUD = -3.0

[length]
after = 2
per_turn = 0.25

[numeric]
from = [0.0, 10.0]
to = [-1.0, 1.0]
"""


def load_text(text: str, folder: Path) -> OutcomeTable:
    path = folder / "table.toml"
    path.write_text(text, encoding="utf-8")
    return load_outcome_table(path)


def call(outcome: str | float | None, agent: int = 1, user: int = 0, signals: dict[int, str] | None = None) -> Transcript:
    """Return a dialogue of `agent` and then `user` turns, with signals on turns by index."""
    roles = [Role.AGENT] * agent + [Role.USER] * user
    turns = [Turn(role=role, text="…", signals=(signals[at],) if at in (signals or {}) else ()) for at, role in enumerate(roles)]
    return Transcript(id="call", turns=tuple(turns), outcome=outcome)


# What ships


@pytest.mark.parametrize("name", ["collections", "conversation_quality", "sales", "support"])
def test_a_shipped_table_loads(name: str) -> None:
    table = load_outcome_table(name)
    assert name in shipped_outcome_tables()
    assert table.name == name
    assert table.catastrophic == {"COMPLIANCE_VIOLATION": -2.0}
    assert str(table) == f"{name}@{table.hash[:12]}"


def test_collections_has_the_values_agreed_on() -> None:
    assert {name: ending.value for name, ending in COLLECTIONS.outcomes.items()} == {
        "PAYMENT_SECURED": 1.0,
        "PAYMENT_PLAN_AGREED": 0.7,
        "CALLBACK_SCHEDULED": 0.3,
        "HANGUP": -0.5,
        "ESCALATED": -0.3,
        "DNC_REQUESTED": -0.8,
    }
    assert [name for name, ending in COLLECTIONS.outcomes.items() if ending.success] == SUCCESSES
    assert COLLECTIONS.length
    assert COLLECTIONS.length.model_dump() == {"after": 10, "per_turn": 0.1, "floor": None}


# Named endings


@given(st.sampled_from(SUCCESSES), st.integers(1, 60), st.integers(0, 20))
def test_a_success_loses_a_tenth_for_every_agent_turn_beyond_ten(name: str, agent: int, user: int) -> None:
    found = COLLECTIONS.outcome_of(call(name, agent, user))
    assert found
    assert found.value == pytest.approx(COLLECTIONS.outcomes[name].value - 0.1 * max(0, agent - 10))


@pytest.mark.parametrize("name", [name for name in COLLECTIONS.outcomes if name not in SUCCESSES])
def test_other_endings_are_worth_the_same_at_any_length(name: str) -> None:
    assert COLLECTIONS.outcome_of(call(name, 40)) == Outcome(name, COLLECTIONS.outcomes[name].value)


@pytest.mark.parametrize(("agent", "floor", "value"), [(2, 0.4, 1.0), (3, 0.4, 0.75), (9, 0.4, 0.4), (9, 2.0, 1.0), (9, -9.0, -0.75)])
def test_the_length_rule_stops_at_its_floor_and_never_adds(agent: int, floor: float, value: float, tmp_path: Path) -> None:
    # SOLD is 1.0 and loses 0.25 for each turn beyond 2: 3 turns 0.75, 9 turns 1 - 7/4 = -0.75.
    table = load_text(TABLE.replace("per_turn", f"floor = {floor}\nper_turn"), tmp_path)
    assert table.outcome_of(call("SOLD", agent)) == Outcome("SOLD", value)


def test_no_outcome_is_not_an_outcome_of_zero() -> None:
    assert COLLECTIONS.outcome_of(call(None)) is None


# Catastrophes


@given(
    st.none() | st.sampled_from([*COLLECTIONS.outcomes, *COLLECTIONS.catastrophic, "NEVER_HEARD_OF"]) | st.floats(-9, 9),
    st.integers(1, 20),
    st.integers(0, 20),
    st.data(),
)
def test_a_catastrophic_signal_wins_over_any_outcome(outcome: str | float | None, agent: int, user: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, agent + user - 1))
    found = COLLECTIONS.outcome_of(call(outcome, agent, user, {at: "COMPLIANCE_VIOLATION"}))
    assert found == Outcome("COMPLIANCE_VIOLATION", -2.0, catastrophic=True, turn=at)


def test_the_first_catastrophe_counts() -> None:
    found = COLLECTIONS.outcome_of(call("HANGUP", 4, signals={1: "LAUGHTER", 2: "COMPLIANCE_VIOLATION", 3: "COMPLIANCE_VIOLATION"}))
    assert found
    assert found.turn == 2


def test_a_catastrophe_logged_as_the_outcome_stands_on_the_last_agent_turn() -> None:
    found = COLLECTIONS.outcome_of(call("COMPLIANCE_VIOLATION", agent=3, user=2))
    assert found == Outcome("COMPLIANCE_VIOLATION", -2.0, catastrophic=True, turn=2)


def test_a_signal_that_means_nothing_here_is_left_alone() -> None:
    assert COLLECTIONS.outcome_of(call("HANGUP", signals={0: "LAUGHTER"})) == Outcome("HANGUP", -0.5)


# Numbers

ends = st.floats(-1000, 1000)


@given(st.floats(-1000, 1000), st.floats(0.001, 1000), ends, ends, st.floats(0, 1))
def test_numbers_map_linearly_and_hit_both_ends(low: float, width: float, at_low: float, at_high: float, share: float) -> None:
    high = low + width
    table = COLLECTIONS.model_copy(update={"numeric": NumericScale(source=(low, high), target=(at_low, at_high))})

    def worth(number: float) -> float:
        found = table.outcome_of(call(number))
        assert found
        return found.value

    number = min(high, low + share * width)
    exact = (number - low) / (high - low)
    assert worth(low) == pytest.approx(at_low)
    assert worth(high) == pytest.approx(at_high, abs=1e-9)
    assert worth(number) == pytest.approx((1 - exact) * at_low + exact * at_high, abs=1e-9)


@pytest.mark.parametrize(
    ("table", "number", "value"), [("collections", 0, -0.5), ("support", 1.0, 1.0), ("sales", 0.5, 0.25), ("conversation_quality", 3, 0.0)]
)
def test_shipped_scales(table: str, number: float, value: float) -> None:
    assert load_outcome_table(table).outcome_of(call(number)) == Outcome(f"{number:g}", value)


# What is refused


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        (call("HANG_UP"), ["unknown outcome 'HANG_UP'", "did you mean 'HANGUP'?", "CALLBACK_SCHEDULED", "outcome table 'collections'"]),
        (call("COMPLIANCE_VIOLATON"), ["did you mean 'COMPLIANCE_VIOLATION'?"]),
        (call("hangup"), ["did you mean 'HANGUP'?"]),
        (call(""), ["unknown outcome ''; expected one of PAYMENT_SECURED"]),
        (call(1.5), ["the outcome 1.5 is off the scale", "0 to 1"]),
        (call(-0.01), ["the outcome -0.01 is off the scale"]),
        (
            call("HANGUP", 2, signals={1: "compliance_violation"}),
            ["unknown signal 'compliance_violation' on turn 1", "'COMPLIANCE_VIOLATION'"],
        ),
        (call(None, signals={0: "COMPLIANCE_VIOLATIONS"}), ["unknown signal 'COMPLIANCE_VIOLATIONS' on turn 0"]),
    ],
)
def test_what_the_table_does_not_know_is_refused_with_the_nearest(transcript: Transcript, words: list[str]) -> None:
    with pytest.raises(InputProblem) as problem:
        COLLECTIONS.outcome_of(transcript)
    assert all(word in str(problem.value) for word in words), problem.value


def test_a_number_needs_a_scale(tmp_path: Path) -> None:
    table = load_text(TABLE.split("[numeric]")[0], tmp_path)
    with pytest.raises(InputProblem, match=r"the outcome is the number 0.5; expected a name: .* 'shop' has no \[numeric\] scale"):
        table.outcome_of(call(0.5))


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("value = -0.5", "valu = -0.5", 6, ["did you mean 'value'?"]),
        ("value = -0.5", 'value = "bad"', 6, ["'bad'", "number"]),
        ("value = -0.5", "value = nan", 6, ["nan"]),
        ("-3.0", "inf", 9, ["FRAUD", "inf", "finite"]),
        ("[catastrophic]", "[catastrofic]", 8, ["did you mean 'catastrophic'?"]),
        ("after = 2", "after = -2", 12, ["-2", "greater than or equal to 0"]),
        ("per_turn = 0.25\n", "", 11, ["per_turn' is missing"]),
        ("[0.0, 10.0]", "[10.0, 0.0]", 15, ["'from' must rise, not [10.0, 0.0]"]),
        ("from =", "form =", 16, ["did you mean 'from'?", "allowed: from, to"]),
        ("to = [-1.0", 'to = ["low"', 17, ["'low'", "number"]),
    ],
)
def test_a_wrong_file_names_line_value_and_what_is_allowed(old: str, new: str, line: int, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as problem:
        load_text(TABLE.replace(old, new), tmp_path)
    assert f"{tmp_path / 'table.toml'}:{line}: " in str(problem.value)
    assert all(word in str(problem.value) for word in words), problem.value


def test_an_unknown_table_gets_the_nearest_name() -> None:
    with pytest.raises(UsageProblem, match=r"unknown outcome table 'sale' \(did you mean 'sales'\?\)"):
        load_outcome_table("sale")


# Identity


def test_comments_and_layout_do_not_change_the_hash_and_any_value_does(tmp_path: Path) -> None:
    same = "".join(f"\n  {line}  # noted\n" for line in TABLE.splitlines())
    assert load_text(same, tmp_path).hash == load_text(TABLE, tmp_path).hash
    values = [
        '"shop"',
        '"A shop."',
        "SOLD",
        "1.0, success",
        "true",
        "LEFT",
        "-0.5",
        "FRAUD",
        "-3.0",
        "= 2\n",
        "0.25",
        "[0.0",
        "10.0",
        "[-1.0",
        "1.0]",
    ]
    others = [
        '"shop2"',
        '"Shop."',
        "BOUGHT",
        "1.1, success",
        "false",
        "WENT",
        "-0.6",
        "THEFT",
        "-4.0",
        "= 3\n",
        "0.5",
        "[0.5",
        "11.0",
        "[-1.5",
        "1.5]",
    ]
    hashes = {load_text(TABLE.replace(old, new), tmp_path).hash for old, new in zip(["", *values], ["", *others], strict=True)}
    assert len(hashes) == 1 + len(values)


def test_a_whole_number_success_is_subject_to_the_length_rule() -> None:
    """12 agent turns are 2 too many: 1.0 - 2 * 0.1. A part of the sum is no success, and keeps its worth."""
    turns = tuple(Turn(role=Role.AGENT, text="x") for _ in range(12))
    whole, part = (COLLECTIONS.outcome_of(Transcript(id="d", turns=turns, outcome=share)) for share in (1.0, 0.5))
    assert whole is not None and part is not None
    assert (whole.value, part.value) == (pytest.approx(0.8), pytest.approx(0.25))
