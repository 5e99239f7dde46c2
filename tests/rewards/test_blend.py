"""The laws of the blend, as properties: parts sum to the whole, length earns nothing, shaping changes the return by -phi(s0)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.transcript import Role, Transcript, Turn
from judge.rubric import Criterion, Rubric, StateCriterion, load_rubric
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict
from rewards.blend import Reward, blend, placed, shaping
from rewards.outcome import Outcome
from rewards.recipe import OutcomeTerm, Place, RatingTerm, Recipe, ShapingTerm, Veto, load_recipe

RUBRIC = Rubric(
    name="small",
    about="A rubric for tests.",
    turn=(
        Criterion(name="kind", question="Kind?", weight=3, levels=("no", "half", "yes", "much", "very")),
        Criterion(name="lawful", question="Lawful?", weight=1, critical=True, levels=("no", "yes")),
    ),
    episode=(Criterion(name="overall", question="Well?", levels=("no", "half", "yes")),),
    state=StateCriterion(name="hope", question="Hope?", levels=("none", "some", "much")),
)
WHO = JudgeId(provider="test", model="m", rubric="small", rubric_hash=RUBRIC.hash, prompt_hash="p")
WEIGHT = st.floats(0, 5)
UNIT = st.floats(0, 1)


def verdict(rows: list[tuple[float, float, float]], overall: float) -> Verdict:
    """Return a verdict; each row is kind (1..5), lawful (0..1), hope (1..3)."""
    turns = tuple(
        TurnRatings(turn=2 * k, ratings={n: Rating(value=v, reason="") for n, v in zip(("kind", "lawful", "hope"), row, strict=True)})
        for k, row in enumerate(rows)
    )
    return Verdict(judge=WHO, turns=turns, episode={"overall": Rating(value=overall, reason="")})


def dialogue(count: int) -> Transcript:
    """Return a dialogue with `count` agent turns, at even indices."""
    return Transcript(id="d", turns=tuple(Turn(role=role, text="x") for _ in range(count) for role in (Role.AGENT, Role.USER)))


ROWS = st.lists(st.tuples(st.floats(1, 5), UNIT, st.floats(1, 3)), min_size=1, max_size=12)
VERDICTS = st.builds(verdict, ROWS, st.floats(1, 3))
OUTCOMES = st.none() | st.builds(lambda value: Outcome("X", value), st.floats(-3, 3))
RECIPES = st.builds(
    lambda o, place, discount, t, e, s, veto: Recipe(
        name="r", about="r", outcome=OutcomeTerm(weight=o, place=place, discount=discount), turns=RatingTerm(weight=t),
        episode=RatingTerm(weight=e), shaping=ShapingTerm(weight=s, initial=0.3), veto=Veto(cap=-2.0) if veto else None,
    ),
    st.floats(0.01, 5), st.sampled_from(Place), st.floats(0.1, 1), WEIGHT, WEIGHT, WEIGHT, st.booleans(),
)  # fmt: skip


@given(VERDICTS, OUTCOMES, RECIPES)
def test_a_reward_remembers_its_parts(rated: Verdict, outcome: Outcome | None, recipe: Recipe) -> None:
    """Law 2: the turns' rewards sum to the episode's, and each is the sum of its named terms."""
    reward = blend(dialogue(len(rated.turns)), outcome, rated, RUBRIC, recipe)
    assert len(reward.turns) == len(rated.turns)
    assert reward.total == pytest.approx(sum(sum(terms.values()) for terms in reward.turns), abs=1e-9)
    assert sum(reward.episode.values()) == pytest.approx(reward.total, abs=1e-9)


@given(VERDICTS, OUTCOMES, RECIPES)
def test_a_missing_verdict_never_changes_the_scale_of_the_outcome(rated: Verdict, outcome: Outcome | None, recipe: Recipe) -> None:
    """Law 1: without the judge the outcome term is what it was, and there is no total to average."""
    transcript = dialogue(len(rated.turns))
    with_judge, without = blend(transcript, outcome, rated, RUBRIC, recipe), blend(transcript, outcome, None, RUBRIC, recipe)
    assert without.episode.get("outcome") == with_judge.episode.get("outcome")
    assert set(without.episode) <= {"outcome", "veto"}
    assert without.complete is False or not recipe.needs_verdict
    assert (without.total is None) == (not without.complete)


@given(VERDICTS, OUTCOMES, RECIPES)
def test_a_missing_outcome_never_changes_the_scale_of_the_judge(rated: Verdict, outcome: Outcome | None, recipe: Recipe) -> None:
    transcript = dialogue(len(rated.turns))
    full, without = blend(transcript, outcome, rated, RUBRIC, recipe), blend(transcript, None, rated, RUBRIC, recipe)
    for name in ("turns", "episode", "shaping"):
        assert without.episode.get(name) == full.episode.get(name)
    assert "outcome" not in without.episode


@given(ROWS, st.floats(1, 3), st.integers(2, 6))
def test_length_earns_nothing(rows: list[tuple[float, float, float]], overall: float, times: int) -> None:
    """Law 4: the same handling, said in more turns, is worth the same under the default recipe."""
    recipe = load_recipe("blend")
    once = blend(dialogue(len(rows)), None, verdict(rows, overall), RUBRIC, recipe)
    longer = blend(dialogue(len(rows) * times), None, verdict(rows * times, overall), RUBRIC, recipe)
    assert longer.total == pytest.approx(once.total, abs=1e-9)


@given(ROWS, st.floats(1, 3), OUTCOMES, st.data())
def test_a_violation_cannot_be_bought_back(
    rows: list[tuple[float, float, float]], overall: float, outcome: Outcome | None, data: st.DataObject
) -> None:
    """Law 4: with one unlawful turn, no kindness lifts the episode above the cap or above its outcome alone."""
    at = data.draw(st.integers(0, len(rows) - 1))
    rows = [(kind, 0.2 if k == at else lawful, hope) for k, (kind, lawful, hope) in enumerate(rows)]
    reward = blend(dialogue(len(rows)), outcome, verdict(rows, overall), RUBRIC, load_recipe("blend"))
    assert reward.total is not None
    assert reward.total <= min(-2.0, outcome.value if outcome else 0.0) + 1e-9


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.floats(0.1, 1), st.floats(-1, 1), st.floats(0.01, 5))
def test_shaping_changes_the_return_by_minus_phi_of_the_start(
    potentials: list[float], discount: float, initial: float, weight: float
) -> None:
    """Law 5: sum over k of discount^k * F_k telescopes to -weight * phi(s0), whatever happened in between."""
    shaped = shaping(potentials, ShapingTerm(weight=weight, discount=discount, initial=initial))
    assert sum(discount**k * value for k, value in enumerate(shaped)) == pytest.approx(-weight * initial, abs=1e-9)


@given(VERDICTS, OUTCOMES, st.floats(0.1, 2))
def test_shaping_leaves_every_other_term_alone(rated: Verdict, outcome: Outcome | None, weight: float) -> None:
    plain = load_recipe("blend")
    shaped = plain.model_copy(update={"shaping": ShapingTerm(weight=weight)})
    transcript = dialogue(len(rated.turns))
    one, other = blend(transcript, outcome, rated, RUBRIC, plain), blend(transcript, outcome, rated, RUBRIC, shaped)
    for a, b in zip(one.turns, other.turns, strict=True):
        assert a == {name: value for name, value in b.items() if name != "shaping"}


@given(st.lists(st.tuples(st.floats(1, 4.5), st.floats(0.5, 1), st.floats(1, 3)), min_size=1, max_size=9), st.floats(0.1, 2))
def test_a_better_turn_is_worth_more(rows: list[tuple[float, float, float]], weight: float) -> None:
    better = [(rows[0][0] + 0.5, *rows[0][1:]), *rows[1:]]
    recipe = Recipe(name="r", about="r", turns=RatingTerm(weight=weight), veto=Veto(cap=-2.0))
    worse, improved = (blend(dialogue(len(rows)), None, verdict(each, 2), RUBRIC, recipe).total for each in (rows, better))
    assert worse is not None and improved is not None and improved > worse


@given(st.sampled_from(Place), st.floats(0.1, 1), st.integers(1, 30))
def test_the_shares_of_an_outcome_sum_to_one(place: Place, discount: float, count: int) -> None:
    shares = placed(OutcomeTerm(place=place, discount=discount), count)
    assert len(shares) == count
    assert sum(shares) == pytest.approx(1, abs=1e-12)
    assert all(a <= b + 1e-12 for a, b in pairwise(shares))  # later turns never get less


def test_the_sums_by_hand() -> None:
    # kind 5 of 1..5 -> 1, lawful 1 of 0..1 -> 1: turn mean 1. Second turn kind 1 -> -1, lawful 1 -> 1, weights 3 and 1: -0.5.
    # turns: .25 * 1 / 2 = .125 and .25 * -.5 / 2 = -.0625. episode: .25 * (2 of 1..3 -> 0) = 0. outcome: -.5 on the last turn.
    reward = blend(dialogue(2), Outcome("HANGUP", -0.5), verdict([(5, 1, 1), (1, 1, 1)], 2), RUBRIC, load_recipe("blend"))
    assert reward.turns == ({"turns": 0.125}, {"outcome": -0.5, "turns": -0.0625, "episode": 0.0})
    assert reward.total == pytest.approx(-0.4375)


def test_a_veto_stands_on_the_turn_of_the_violation() -> None:
    # kind 3 -> 0, lawful 0 -> -1: turn mean (3*0 + 1*-1)/4 = -.25, its share .25 * -.25 / 2 = -.03125; the first turn +.25*.25/2 = .03125.
    # The sum before the veto is 1 (outcome) + 0 = 1; the cap is -2, so the veto is -3, on the second turn.
    reward = blend(dialogue(2), Outcome("PAID", 1.0), verdict([(3, 1, 1), (3, 0, 1)], 2), RUBRIC, load_recipe("blend"))
    assert reward.turns[1]["veto"] == pytest.approx(-3.0)
    assert reward.total == pytest.approx(-2.0)


@pytest.mark.parametrize(("signalled", "answers"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_a_catastrophic_signal_is_answered_for_by_the_agents_turn_before_it(signalled: int, answers: int) -> None:
    outcome = Outcome("COMPLIANCE_VIOLATION", -2.0, catastrophic=True, turn=signalled)
    reward = blend(dialogue(2), outcome, verdict([(5, 1, 3), (5, 1, 3)], 3), RUBRIC, load_recipe("blend"))
    assert [k for k, terms in enumerate(reward.turns) if "veto" in terms] == [answers]
    assert reward.total == pytest.approx(-2.0)


def test_a_recipe_without_a_judge_is_complete_without_a_verdict() -> None:
    reward = blend(dialogue(3), Outcome("HANGUP", -0.5), None, RUBRIC, load_recipe("outcome"))
    assert reward == Reward(({}, {}, {"outcome": -0.5}), complete=True)


def test_shipped_rubrics_fit_the_shipped_recipes() -> None:
    for rubric in ("collections", "support", "sales", "conversation_quality"):
        for recipe in ("outcome", "rlaif", "blend"):
            load_recipe(recipe).check(load_rubric(rubric))
