"""Recipes: what ships, what they ask of a judge and a rubric, and wrong files."""

from pathlib import Path

import pytest

from dialogue.errors import UsageProblem
from judge.rubric import load_rubric
from rewards.recipe import Recipe, load_recipe, shipped_recipes

RECIPE = """\
name = "mine"
about = "Mine."

[outcome]
weight = 1.0
place = "discounted"
discount = 0.9

[turns]
weight = 0.5

[episode]
weight = 0.25

[shaping]
weight = 0.1
discount = 0.98
initial = 0.2

[veto]
cap = -2.5
"""


def load_text(text: str, folder: Path) -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path)


@pytest.mark.parametrize(
    ("name", "terms", "needs_verdict"),
    [
        ("outcome", {"outcome": {"weight": 1.0, "place": "terminal", "discount": 0.95}}, False),
        ("rlaif", {"turns": {"weight": 0.5}, "episode": {"weight": 0.5}, "veto": {"cap": -2.0}}, True),
        (
            "blend",
            {
                "outcome": {"weight": 1.0, "place": "terminal", "discount": 0.95},
                "turns": {"weight": 0.25},
                "episode": {"weight": 0.25},
                "shaping": {"weight": 0.0, "discount": 0.99, "initial": 0.0},
                "veto": {"cap": -2.0},
            },
            True,
        ),
    ],
)
def test_a_shipped_recipe(name: str, terms: dict[str, dict[str, float | str]], needs_verdict: bool) -> None:
    recipe = load_recipe(name)
    assert name in shipped_recipes()
    assert recipe.model_dump(mode="json", exclude={"name", "about"}, exclude_none=True) == terms
    assert recipe.needs_verdict is needs_verdict
    assert str(recipe) == f"{name}@{recipe.hash[:12]}"
    for rubric in ("collections", "conversation_quality", "sales", "support"):
        recipe.check(load_rubric(rubric))


@pytest.mark.parametrize(
    ("terms", "needed"),
    [
        ({}, False),
        ({"turns": {"weight": 0}, "episode": {"weight": 0}, "shaping": {"weight": 0}}, False),
        ({"turns": {"weight": 1}}, True),
        ({"episode": {"weight": 1}}, True),
        ({"shaping": {"weight": 1}}, True),
        ({"veto": {"cap": -2}}, True),
    ],
)
def test_a_verdict_is_asked_for_only_where_a_term_counts_it(terms: dict[str, dict[str, float]], needed: bool) -> None:
    assert Recipe.model_validate({"name": "mine", "about": "Mine.", "outcome": {}, **terms}).needs_verdict is needed


@pytest.mark.parametrize(
    ("lacking", "term", "words"),
    [
        ({"state": None}, "shaping", ["[shaping]", "rubric 'collections' has no [state] criterion", "shaping.weight = 0"]),
        ({"episode": ()}, "episode", ["rubric 'collections' has no [[episode]] criterion", "episode.weight = 0"]),
    ],
)
def test_a_rubric_that_cannot_give_what_is_asked_is_refused(lacking: dict[str, None], term: str, words: list[str]) -> None:
    rubric = load_rubric("collections").model_copy(update=lacking)
    values = {"name": "mine", "about": "Mine.", "outcome": {}}
    Recipe.model_validate(values).check(rubric)
    Recipe.model_validate(values | {term: {"weight": 0}}).check(rubric)
    with pytest.raises(UsageProblem) as problem:
        Recipe.model_validate(values | {term: {"weight": 0.1}}).check(rubric)
    assert all(word in str(problem.value) for word in words), problem.value


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("[turns]", "[turn]", 9, ["unknown key 'turn'", "did you mean 'turns'?", "allowed: name, about, outcome, turns"]),
        ('"discounted"', '"middle"', 6, ["'middle'", "'terminal', 'spread' or 'discounted'"]),
        ("discount = 0.9\n", "discount = 0\n", 7, ["is 0", "greater than 0"]),
        ("discount = 0.98", "discount = 1.01", 17, ["is 1.01", "less than or equal to 1"]),
        ("weight = 0.5", "weight = -0.5", 10, ["is -0.5"]),
        ("weight = 0.25", "wieght = 0.25", 13, ["did you mean 'weight'?"]),
        ("weight = 0.25", "", 12, ["episode.weight' is missing"]),
        ("initial = 0.2", "initial = 2", 18, ["is 2"]),
        ("cap = -2.5", "cap = nan", 21, ["is nan", "finite"]),
        ("cap = -2.5", 'cap = "low"', 21, ["'low'", "number"]),
        ("name = ", "nmae = ", 1, ["unknown key 'nmae'", "did you mean 'name'?"]),
        ("cap =", "cap", 21, ["not valid TOML"]),
    ],
)
def test_a_wrong_file_names_line_value_and_what_is_allowed(old: str, new: str, line: int, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as problem:
        load_text(RECIPE.replace(old, new), tmp_path)
    assert f"{tmp_path / 'recipe.toml'}:{line}: " in str(problem.value), problem.value
    assert all(word in str(problem.value) for word in words), problem.value


@pytest.mark.parametrize("terms", ["", "[turns]\nweight = 0\n", "[veto]\ncap = -1.0\n", "[shaping]\nweight = 1.0\n"])
def test_a_recipe_that_weighs_nothing_is_refused(terms: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"no term has a weight; give \[outcome\], \[turns\] or \[episode\]"):
        load_text(f'name = "mine"\nabout = "Mine."\n{terms}', tmp_path)


def test_an_unknown_recipe_gets_the_nearest_name() -> None:
    with pytest.raises(UsageProblem, match=r"unknown recipe 'blnd' \(did you mean 'blend'\?\); shipped: blend, outcome, rlaif"):
        load_recipe("blnd")


def test_comments_and_layout_do_not_change_the_hash_and_any_value_does(tmp_path: Path) -> None:
    same = "".join(f"\n  {line}  # noted\n" for line in RECIPE.splitlines())
    assert load_text(same, tmp_path).hash == load_text(RECIPE, tmp_path).hash
    values = ['"mine"', '"Mine."', "1.0", '"discounted"', "0.9\n", "0.5", "0.25", "0.1", "0.98", "0.2\n", "-2.5"]
    others = ['"yours"', '"Yours."', "1.1", '"spread"', "0.8\n", "0.6", "0.35", "0.3", "0.97", "0.4\n", "-2.6"]
    hashes = {load_text(RECIPE.replace(old, new), tmp_path).hash for old, new in zip(["", *values], ["", *others], strict=True)}
    assert len(hashes) == 1 + len(values)
