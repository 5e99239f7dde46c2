"""The range of returns from recipe and table alone: no episode leaves it, and it is not wider than it needs to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from judge.rubric import load_rubric
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict
from rewards.blend import blend
from rewards.bounds import outcome_bounds, return_bounds
from rewards.outcome import load_outcome_table
from rewards.provenance import outcomes_of, recipe_of, rubric_of
from rewards.recipe import OutcomeTerm, Place, RatingTerm, Recipe, ShapingTerm, Veto, load_recipe

RUBRIC = load_rubric("collections")
TABLE = load_outcome_table("collections")
JUDGE = JudgeId(provider="p", model="m", rubric="collections", rubric_hash=RUBRIC.hash, prompt_hash="q")
SHAPED = Recipe(
    name="shaped",
    about="x",
    outcome=OutcomeTerm(weight=2.0, place=Place.SPREAD),
    turns=RatingTerm(weight=0.4),
    shaping=ShapingTerm(weight=0.5, discount=0.9, initial=-0.5),
    veto=Veto(cap=-3.0),
)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    recipe=st.sampled_from([load_recipe("blend"), load_recipe("rlaif"), load_recipe("outcome"), SHAPED]),
    discount=st.sampled_from([1.0, 0.9]),
)
def test_no_episode_leaves_it(seed: int, recipe: Recipe, discount: float) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 9))
    signals = ("COMPLIANCE_VIOLATION",) if rng.random() < 0.2 else ()
    turns = tuple(Turn(role=Role.AGENT, text="x", signals=signals if k == count // 2 else ()) for k in range(count))
    call = Transcript(id="c", turns=turns, outcome=rng.choice(np.array([*TABLE.outcomes, None], dtype=object)))
    extreme = rng.random() < 0.5

    def rated(criteria: tuple[object, ...]) -> dict[str, Rating]:
        found = {}
        for one in criteria:
            scale = one.scale  # type: ignore[attr-defined]
            value = float(rng.choice([scale.low, scale.high])) if extreme else float(rng.uniform(scale.low, scale.high))
            found[one.name] = Rating(value=value, reason="so")  # type: ignore[attr-defined]
        return found

    verdict = Verdict(
        judge=JUDGE,
        turns=tuple(TurnRatings(turn=k, ratings=rated(RUBRIC.turn_criteria)) for k in range(count)),
        episode=rated(RUBRIC.episode),
    )
    if RUBRIC.state is None and recipe.shaping and recipe.shaping.weight:
        recipe = recipe.model_copy(update={"shaping": None})
    reward = blend(call, TABLE.outcome_of(call), verdict, RUBRIC, recipe)
    total = sum(discount**k * sum(terms.values()) for k, terms in enumerate(reward.turns))
    low, high = return_bounds(recipe, TABLE, discount, longest=8)
    assert low - 1e-9 <= total <= high + 1e-9


def test_of_the_shipped_recipes_by_hand() -> None:
    """Collections: endings from -2 to 1; a plan after 50 turns is worth .7 - 4 = -3.3. Blend adds .25 twice either way."""
    assert outcome_bounds(TABLE, 50) == pytest.approx((-3.3, 1.0)) and outcome_bounds(TABLE, 10) == (-2.0, 1.0)
    assert return_bounds(load_recipe("blend"), TABLE) == pytest.approx((-3.8, 1.5))
    assert return_bounds(load_recipe("outcome"), TABLE, longest=20) == pytest.approx((-2.0, 1.0))


def test_what_rewards_were_made_with_is_found_by_name_and_checked_by_hash() -> None:
    assert rubric_of(str(RUBRIC)) == RUBRIC and outcomes_of(str(TABLE)) == TABLE
    with pytest.raises(UsageProblem, match=r"made with --recipe blend@000, but blend is blend@\w{12}; name the file .* with --recipe"):
        recipe_of("blend@000")
    with pytest.raises(UsageProblem, match=r"made with --rubric mine@000: .*; name its file with --rubric"):
        rubric_of("mine@000")
