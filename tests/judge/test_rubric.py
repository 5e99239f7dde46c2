"""Rubrics: scales and their laws, what ships, identity, and wrong files."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from judge.rubric import Criterion, Rubric, Scale, load_rubric, shipped_rubrics

SHIPPED = ["collections", "conversation_quality", "sales", "support"]

RUBRIC = """\
name = "calls"
about = "How calls are handled."

[[turn]]
name = "listens"
question = "Does the agent listen?"
weight = 0.5
levels = ["No.", "Partly.", "Yes."]

[[turn]]
name = "honest"
question = "Is the agent honest?"
weight = 0.5
critical = true
levels = ["No.", "Yes."]

[[episode]]
name = "well"
question = "Was it handled well?"
levels = ["No.", "Yes."]

[state]
name = "hope"
question = "How promising is it now?"
levels = ["Lost.", "Open.", "Agreed."]
"""

scales = st.integers(2, 11).map(lambda n: Scale.of("x" * n))
units = st.floats(-1, 1)


def criterion(levels: int, *, critical: bool = False) -> Criterion:
    return Criterion(name="c", question="q", critical=critical, levels=tuple(f"level {k}" for k in range(levels)))


# Scales


@given(scales, units)
def test_unit_and_rating_are_inverse(scale: Scale, unit: float) -> None:
    rating = scale.from_unit(unit)
    assert scale.low <= rating <= scale.high
    assert scale.to_unit(rating) == pytest.approx(unit, abs=1e-12)
    assert scale.from_unit(scale.to_unit(rating)) == pytest.approx(rating, abs=1e-12)


@given(scales, units, units)
def test_unit_and_rating_rise_together(scale: Scale, one: float, other: float) -> None:
    low, high = sorted((scale.from_unit(one), scale.from_unit(other)))
    assert scale.from_unit(min(one, other)) == low
    assert scale.to_unit(low) <= scale.to_unit(high)


@given(scales)
def test_worst_is_minus_one_and_best_is_one(scale: Scale) -> None:
    assert (scale.to_unit(scale.low), scale.to_unit(scale.high)) == (-1, 1)
    assert (scale.from_unit(-1), scale.from_unit(1)) == (scale.low, scale.high)
    assert (scale.from_unit(-7), scale.from_unit(7)) == (scale.low, scale.high)


@pytest.mark.parametrize(("levels", "low", "high"), [(2, 0, 1), (3, 1, 3), (5, 1, 5), (11, 1, 11)])
def test_two_levels_count_from_zero_more_from_one(levels: int, low: int, high: int) -> None:
    scale = criterion(levels).scale
    assert scale == Scale.of("x" * levels)
    assert (scale.low, scale.high) == (low, high)
    for outside in (low - 0.01, high + 0.01, float("nan")):
        with pytest.raises(ValueError, match=f"outside {low}..{high}"):
            scale.to_unit(outside)


@pytest.mark.parametrize(
    ("levels", "rating", "violated"), [(2, 0, True), (2, 0.49, True), (2, 0.5, False), (5, 1.49, True), (5, 1.5, False), (5, 5, False)]
)
def test_only_a_critical_criterion_can_be_violated(levels: int, rating: float, violated: bool) -> None:
    assert criterion(levels, critical=True).violated(rating) is violated
    assert not criterion(levels).violated(rating)


# What ships


def test_the_four_rubrics_ship() -> None:
    assert list(shipped_rubrics()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_rubric_loads(name: str) -> None:
    rubric = load_rubric(name)
    assert rubric.name == name
    assert not rubric.sees_outcome
    assert sum(criterion.weight for criterion in rubric.turn) == pytest.approx(1.0)
    assert rubric.episode
    assert rubric.state
    assert rubric.turn_criteria == (*rubric.turn, rubric.state)
    assert load_rubric(shipped_rubrics()[name]) == rubric


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        (
            "conversation_quality",
            {"response_quality": 0.40, "personality_consistency": 0.25, "engagement": 0.20, "context_relevance": 0.15},
        ),
        ("collections", {"acknowledges": 0.20, "respects_limit": 0.25, "de_escalates": 0.20, "next_step": 0.15, "compliance": 0.20}),
    ],
)
def test_shipped_weights(name: str, weights: dict[str, float]) -> None:
    assert {criterion.name: criterion.weight for criterion in load_rubric(name).turn} == weights


@pytest.mark.parametrize(("name", "critical"), [("collections", ["compliance"]), ("sales", ["honest"]), ("support", [])])
def test_shipped_critical_criteria(name: str, critical: list[str]) -> None:
    assert [criterion.name for criterion in load_rubric(name).turn if criterion.critical] == critical


def test_an_unknown_rubric_gets_the_nearest_name() -> None:
    with pytest.raises(UsageProblem, match=r"unknown rubric 'colections' \(did you mean 'collections'\?\); shipped: collections, "):
        load_rubric("colections")


# Identity


def load_text(text: str, folder: Path) -> Rubric:
    path = folder / "rubric.toml"
    path.write_text(text, encoding="utf-8")
    return load_rubric(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_comments_and_layout_do_not_change_the_hash(name: str, tmp_path: Path) -> None:
    text = shipped_rubrics()[name].read_text(encoding="utf-8")
    other = "".join(f"\n  {line}  # noted\n# and noted again\n" for line in text.splitlines())
    assert load_text(other, tmp_path).hash == load_rubric(name).hash


def test_the_order_of_keys_and_a_default_written_out_do_not_change_the_hash(tmp_path: Path) -> None:
    lines = RUBRIC.splitlines(keepends=True)
    other = "".join(["sees_outcome = false\n", lines[1], lines[0], *lines[2:]])
    assert load_text(other, tmp_path).hash == load_text(RUBRIC, tmp_path).hash


def changed(values: Any) -> Iterator[Any]:
    """Yield the values once for every leaf, with that leaf changed."""
    if isinstance(values, dict | list):
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            for other in changed(value):
                yield {**values, key: other} if isinstance(values, dict) else [*values[:key], other, *values[key + 1 :]]
    elif isinstance(values, bool):
        yield not values
    else:
        yield f"{values}x" if isinstance(values, str) else values + 1


def test_any_value_changes_the_hash() -> None:
    values = tomllib.loads(RUBRIC)
    hashes = [Rubric.model_validate(other).hash for other in (values, *changed(values))]
    assert len(hashes) == 1 + 23
    assert len(set(hashes)) == len(hashes)
    assert str(Rubric.model_validate(values)) == f"calls@{hashes[0][:12]}"


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ('unit = "dialogue"', False),
        ('levels_shown = "worst_first"', False),
        ('marks = "numbers"', False),
        ('unit = "turn"', True),
        ('levels_shown = "best_first"', True),
        ('marks = "letters"', True),
    ],
)
def test_a_presentation_counts_where_it_was_chosen(line: str, changes: bool, tmp_path: Path) -> None:
    shown = load_text(f"{line}\n{RUBRIC}", tmp_path)
    assert (shown.hash != load_text(RUBRIC, tmp_path).hash) is changes


def test_the_hashes_of_shipped_rubrics_are_those_of_before_presentations_could_be_chosen() -> None:
    assert {name: load_rubric(name).hash[:16] for name in SHIPPED} == {
        "collections": "4e751537eceaf21e",
        "conversation_quality": "334ad1733812360c",
        "sales": "15be6946f113583d",
        "support": "f0ed7ad32946ff8c",
    }


@pytest.mark.parametrize(
    ("shown", "marks", "levels", "marked"),
    [
        ("worst_first", "numbers", 3, [(1, 1), (2, 2), (3, 3)]),
        ("best_first", "numbers", 3, [(3, 3), (2, 2), (1, 1)]),
        ("worst_first", "letters", 3, [("A", 1), ("B", 2), ("C", 3)]),
        ("best_first", "letters", 3, [("C", 3), ("B", 2), ("A", 1)]),
        ("worst_first", "letters", 2, [("A", 0), ("B", 1)]),
        ("best_first", "letters", 11, [(letter, 11 - at) for at, letter in enumerate("KJIHGFEDCBA")]),
    ],
)
def test_a_level_keeps_its_mark_wherever_it_is_shown(
    shown: str, marks: str, levels: int, marked: list[tuple[int | str, int]], tmp_path: Path
) -> None:
    rubric = load_text(f'levels_shown = "{shown}"\nmarks = "{marks}"\n{RUBRIC}', tmp_path)
    assert list(rubric.marked(Scale.of("x" * levels)).items()) == marked


# Wrong files


@pytest.mark.parametrize(
    ("replaced", "by", "line", "words"),
    [
        pytest.param(2, 'abuot = "x"', 2, ["unknown key 'abuot'", "did you mean 'about'?", "sees_outcome"], id="unknown key"),
        pytest.param(12, 'qestion = "x"', 12, ["qestion", "did you mean 'question'?", "levels"], id="unknown key, second turn"),
        pytest.param(23, 'nme = "hope"', 23, ["nme", "did you mean 'name'?", "allowed: name, question, levels"], id="unknown key, state"),
        pytest.param(2, "", 1, ["'about' is missing"], id="missing key"),
        pytest.param(11, "", 10, ["name' is missing"], id="missing key, second turn"),
        pytest.param(20, "", 17, ["levels' is missing"], id="missing key, episode"),
        pytest.param(13, "weight = 0", 13, ["is 0", "greater than 0"], id="weight 0"),
        pytest.param(13, "weight = -0.5", 13, ["is -0.5", "greater than 0"], id="weight below 0"),
        pytest.param(13, "weight = inf", 13, ["is inf"], id="weight without end"),
        pytest.param(13, 'weight = "heavy"', 13, ["'heavy'", "number"], id="weight as text"),
        pytest.param(13, 'weight = "0.5"', 13, ["'0.5'", "number"], id="weight in quotes"),
        pytest.param(15, 'levels = ["No."]', 15, ["at least 2"], id="one level"),
        pytest.param(15, 'levels = ["No.", "So so.", "No."]', 15, ["'No.'", "same sentence"], id="a level twice"),
        pytest.param(25, 'levels = ["Lost.", "Open.", "Lost."]', 25, ["'Lost.'", "same sentence"], id="a state level twice"),
        pytest.param(15, 'levels = "high"', 15, ["'high'"], id="levels as text"),
        pytest.param(15, 'levels = ["No.", 7]', 15, ["is 7", "a text in quotes"], id="a number among the levels"),
        pytest.param(12, "question = 3", 12, ["is 3", "a text in quotes"], id="question as number"),
        pytest.param(12, "question = 2026-01-01", 12, ["2026", "a text in quotes"], id="question as date"),
        pytest.param(14, 'critical = "perhaps"', 14, ["'perhaps'", "boolean"], id="critical as text"),
        pytest.param(11, 'name = "Honest Agent"', 11, ["'Honest Agent'", "lower-case letters"], id="name with a blank"),
        pytest.param(11, 'name = "listens"', 11, ["'listens'", "twice"], id="turn name twice"),
        pytest.param(23, 'name = "listens"', 23, ["'listens'", "twice"], id="state named like a turn criterion"),
        pytest.param(5, 'name = "quote"', 5, ["'quote'", "taken"], id="a turn criterion named like a field of the answer"),
        pytest.param(11, 'name = "reason"', 11, ["'reason'", "taken"], id="second turn criterion named like a field of the answer"),
        pytest.param(18, 'name = "reason"', 18, ["'reason'", "taken"], id="an episode criterion named like a field of the answer"),
        pytest.param(23, 'name = "quote"', 23, ["'quote'", "taken"], id="state named like a field of the answer"),
        pytest.param(18, 'name = "well"\ncritical = true', 19, ["episode", "critical", "turn criterion"], id="critical episode criterion"),
        pytest.param(11, "name = honest", 11, ["not valid TOML"], id="TOML syntax"),
        pytest.param(25, 'levels = ["Lost.", "Open."', 25, ["not valid TOML"], id="TOML not ended"),
    ],
)
def test_a_wrong_file_names_line_value_and_what_is_allowed(replaced: int, by: str, line: int, words: list[str], tmp_path: Path) -> None:
    lines = RUBRIC.splitlines()
    lines[replaced - 1] = by
    with pytest.raises(UsageProblem) as problem:
        load_text("\n".join(lines), tmp_path)
    said = [one for one in str(problem.value).splitlines() if one.startswith(f"{tmp_path / 'rubric.toml'}:{line}: ")]
    assert said, problem.value
    assert all(any(word in one for one in said) for word in words), problem.value


def test_a_turn_and_an_episode_criterion_may_share_a_name(tmp_path: Path) -> None:
    assert load_text(RUBRIC.replace('"well"', '"listens"'), tmp_path).episode[0].name == "listens"
