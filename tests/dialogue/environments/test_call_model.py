"""The debt call's tables: distributions, the call's own rules, what endings are worth, and persona files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.environments.alias_tables import alias_tables, chances
from dialogue.environments.call_model import PHASE_OF, call_model
from dialogue.environments.call_rules import call_rules
from dialogue.environments.call_words import (
    ACTIONS,
    EVENTS,
    FIRST_END,
    FSM,
    LAST_TURN,
    LEVELS,
    LIVE,
    OUTCOMES,
    Action,
    Event,
    Fsm,
    Outcome,
)
from dialogue.environments.persona import load_personas, shipped_personas
from dialogue.environments.reactions import PHASES
from dialogue.errors import UsageProblem
from dialogue.transcript import Role, Transcript, Turn
from rewards.outcome import load_outcome_table

SHIPPED = Path(__file__).parents[3] / "dialogue" / "environments" / "personas"
MODEL = call_model()
rows, slots = MODEL.probs.shape
row, slot = np.nonzero(MODEL.probs)  # everything that is possible
phase, code, action = np.unravel_index(row, (PHASES, MODEL.live, len(ACTIONS)))
after, event = MODEL.after[row, slot], MODEL.event[row, slot]
stage, next_stage = MODEL.fsm_of[code], MODEL.fsm_of[after]


def is_event(*events: Event) -> np.ndarray:
    return np.isin(event, [EVENTS.index(one) for one in events])


def test_every_row_is_a_distribution() -> None:
    assert rows == PHASES * MODEL.live * len(ACTIONS)
    assert (MODEL.probs >= 0).all()
    assert np.abs(MODEL.probs.sum(1) - 1).max() < 1e-12
    assert abs(MODEL.start_probs.sum() - 1) < 1e-12
    assert ((after >= 0) & (after < MODEL.codes)).all()


@given(st.lists(st.lists(st.integers(0, 1000), min_size=5, max_size=5).filter(any), min_size=1, max_size=4))
def test_alias_tables_draw_from_the_distributions_exactly(weights: list[list[int]]) -> None:
    probs = np.array(weights, float)
    probs /= probs.sum(1, keepdims=True)
    assert np.abs(chances(*alias_tables(probs)) - probs).max() < 1e-15


def test_the_calls_own_alias_tables_are_exact() -> None:
    assert np.abs(chances(*alias_tables(MODEL.probs)) - MODEL.probs).max() < 1e-15


def test_what_is_over_is_over_by_an_event_that_ends_and_the_outcome_goes_with_it() -> None:
    over = after >= MODEL.live
    assert ((event >= FIRST_END) == over).all()
    assert ((after[over] - MODEL.live) // LEVELS == event[over] - FIRST_END).all()
    assert OUTCOMES[EVENTS.index(Event.PAYS) - FIRST_END] is Outcome.PAYMENT_SECURED
    assert OUTCOMES[EVENTS.index(Event.COMMITS) - FIRST_END] is Outcome.PAYMENT_PLAN_AGREED
    assert len(EVENTS) - FIRST_END == len(OUTCOMES)


def test_the_persona_never_changes() -> None:
    on = after < MODEL.live
    situations = len(LIVE) * LEVELS * 2
    assert (code[on] // situations == after[on] // situations).all()


def test_stages_move_only_as_the_call_allows() -> None:
    moved = (after < MODEL.live) & (next_stage != stage)
    allowed = {
        (Fsm.OPENING, Fsm.VERIFY, Event.CONFIRMS),
        (Fsm.VERIFY, Fsm.DISCLOSURE, Event.CONFIRMS),
        (Fsm.DISCLOSURE, Fsm.NEGOTIATION, Event.CONFIRMS),
        (Fsm.NEGOTIATION, Fsm.COMMITMENT, Event.ACCEPTS_PLAN),
        (Fsm.COMMITMENT, Fsm.NEGOTIATION, Event.ACCEPTS_PART),
    }
    seen = {(FSM[a], FSM[b], EVENTS[c]) for a, b, c in zip(stage[moved], next_stage[moved], event[moved], strict=True)}
    assert seen == allowed


def test_a_plan_offered_before_the_disclosure_is_a_violation_and_nothing_else_is() -> None:
    early = (action == ACTIONS.index(Action.OFFER_PLAN)) & (stage < FSM.index(Fsm.NEGOTIATION))
    assert (is_event(Event.VIOLATION) == early).all()


def test_an_objection_comes_up_by_objecting_and_goes_by_explaining_or_calming() -> None:
    on = after < MODEL.live
    had, has = code % 2, after % 2
    assert (on & (has > had) == on & is_event(Event.OBJECTS)).all()
    gone = on & (has < had)
    assert set(event[gone]) == {EVENTS.index(Event.EXPLAINS), EVENTS.index(Event.CALMS)}


def test_every_event_can_happen() -> None:
    assert set(event) == set(range(len(EVENTS)))


def test_on_the_last_turn_every_call_ends_and_without_another_ending_by_hanging_up() -> None:
    last = phase == PHASES - 1
    assert (after[last] >= MODEL.live).all()
    assert (PHASE_OF == PHASES - 1).tolist() == [False] * (LAST_TURN - 1) + [True]
    # a cooperative customer on turn 20 who would have gone on with the call
    at = ((PHASES - 1) * MODEL.live + int(MODEL.start_codes[-1])) * len(ACTIONS)
    hangs_up = MODEL.probs[at][MODEL.event[at] == EVENTS.index(Event.HANGS_UP)].sum()
    assert hangs_up > 0.8


def test_the_default_worth_is_that_of_the_outcome_table_collections() -> None:
    table = load_outcome_table("collections")
    worth = call_rules().worth()
    assert {*table.outcomes, *table.catastrophic} == {str(outcome) for outcome in OUTCOMES}
    for turns in range(1, LAST_TURN + 1):
        said = tuple(Turn(role=Role.AGENT, text="Hello.") for _ in range(turns))
        for at, outcome in enumerate(OUTCOMES):
            found = table.outcome_of(Transcript(id="x", turns=said, outcome=str(outcome)))
            assert found is not None
            assert worth[at, turns] == pytest.approx(found.value, abs=1e-12)


def test_the_simulated_handling_rates_every_action_and_prefers_care_to_pressure() -> None:
    rated = MODEL.handling
    assert rated.shape == (MODEL.live, len(ACTIONS))
    assert (np.abs(rated) <= 1).all()
    upset = (MODEL.fsm_of[: MODEL.live] == FSM.index(Fsm.NEGOTIATION)) & (MODEL.level_of[: MODEL.live] < 4)
    assert (rated[upset, ACTIONS.index(Action.EMPATHIZE)] > rated[upset, ACTIONS.index(Action.PROCEED)]).all()


def test_starts_are_as_common_as_the_personas_and_their_moods() -> None:
    situations = len(LIVE) * LEVELS * 2
    shares = np.bincount(MODEL.start_codes // situations, MODEL.start_probs)
    total = sum(persona.share for persona in MODEL.personas)
    assert shares == pytest.approx([persona.share / total for persona in MODEL.personas])
    assert {persona.name for persona in MODEL.personas} == {"anxious", "busy", "cooperative", "hostile", "sceptical"}
    # hostile: mood very negative 1/10 (two levels alike), never tried before 1/10
    hostile = [persona.name for persona in MODEL.personas].index("hostile")
    at = (MODEL.start_codes == hostile * situations) & (MODEL.start_attempts == 0)
    assert MODEL.start_probs[at] == pytest.approx([MODEL.personas[hostile].share / total * 0.1 / 2 * 0.1])


def test_a_folder_of_ones_own_personas_and_a_single_file(tmp_path: Path) -> None:
    text = (SHIPPED / "busy.toml").read_text()
    (tmp_path / "b.toml").write_text(text.replace('"busy"', '"hurried"'))
    (tmp_path / "a.toml").write_text((SHIPPED / "anxious.toml").read_text())
    assert [persona.name for persona in load_personas(tmp_path)] == ["anxious", "hurried"]
    assert [persona.name for persona in call_model(tmp_path / "b.toml").personas] == ["hurried"]
    assert load_personas() is shipped_personas()
    assert call_model() is call_model()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("openness = 0.55", "openess = 0.55"), "unknown key 'openess' (did you mean 'openness'?)"),
        (("openness = 0.55", ""), "'openness' is missing"),
        (("openness = 0.55", "openness = 1.5"), "'openness' is 1.5: input should be less than or equal to 1"),
        (("negative = 0.1", "grumpy = 0.1"), "'mood.grumpy'"),
        (("patience = 7", "patience = 0"), "'patience' is 0"),
        (('name = "busy"', 'name = "Very Busy"'), "expected lower-case letters"),
    ],
)
def test_a_wrong_persona_file_is_said_with_file_and_line(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    text = (SHIPPED / "busy.toml").read_text()
    assert change[0] in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(*change))
    with pytest.raises(UsageProblem) as problem:
        load_personas(path)
    assert str(problem.value).startswith(f"{path}:")
    assert said in str(problem.value)


def test_a_mood_without_weight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((SHIPPED / "busy.toml").read_text().replace("negative = 0.1, neutral = 0.6, positive = 0.3", "neutral = 0.0"))
    with pytest.raises(UsageProblem, match="expected at least one number above 0"):
        load_personas(path)


def test_no_personas_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"no \.toml file there"):
        load_personas(tmp_path)
    with pytest.raises(UsageProblem, match="no personas at"):
        load_personas(tmp_path / "gone.toml")
    for name in "ab":
        (tmp_path / f"{name}.toml").write_text((SHIPPED / "busy.toml").read_text())
    with pytest.raises(UsageProblem, match=r"b\.toml: there is already a persona 'busy'"):
        load_personas(tmp_path)
