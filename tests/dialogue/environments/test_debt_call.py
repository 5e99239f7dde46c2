"""One debt call: Gymnasium's own check, the rules of the call whatever is done, and the same calls as in the batch and the tables."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from dialogue.environments.call_model import call_model
from dialogue.environments.call_policies import script, uniform
from dialogue.environments.call_words import ACTIONS, FSM, LAST_TURN, OUTCOMES, Action, Fsm
from dialogue.environments.debt_call import DebtCall
from dialogue.environments.exact_call import exact_call

PLAIN = DebtCall()
RICH = DebtCall(handling=0.1, extras=True)
PROCEED, EMPATHIZE, OFFER_PLAN = (ACTIONS.index(action) for action in (Action.PROCEED, Action.EMPATHIZE, Action.OFFER_PLAN))
actions = st.lists(st.sampled_from([PROCEED] * 5 + [EMPATHIZE, OFFER_PLAN, ACTIONS.index(Action.ASK_CLARIFY)]), min_size=LAST_TURN,
                   max_size=LAST_TURN)  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"handling": 0.1, "extras": True}])
def test_gymnasium_finds_nothing_to_say(options: dict[str, float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make("judge/DebtCall-v0", **options).unwrapped)


@settings(deadline=None)
@given(st.sampled_from([PLAIN, RICH]), actions, st.integers(0, 2**31))
def test_the_rules_of_the_call_hold_whatever_is_done(env: DebtCall, chosen: list[int], seed: int) -> None:
    encoding = env.spaces.encoding
    assert encoding is not None
    seen, info = env.reset(seed=seed)
    assert seen == encoding.index(info["state"])
    assert (info["state"]["fsm"], info["state"]["turn"]) == ("OPENING", 1)
    been = ["OPENING"]
    ended = False
    for turn, action in enumerate(chosen, start=1):
        before = info["state"]["fsm"]
        seen, reward, ended, truncated, info = env.step(action)
        state = info["state"]
        assert seen == encoding.index(state)
        assert state["turn"] == turn + 1
        assert not truncated
        assert reward == pytest.approx(sum(info["reward_terms"].values()), abs=1e-12)
        assert info["action"] == ACTIONS[action]
        early = action == OFFER_PLAN and before in ("OPENING", "VERIFY", "DISCLOSURE")
        assert (info["outcome"] == "COMPLIANCE_VIOLATION") == early == (info["event"] == "VIOLATION") == bool(info["signals"])
        if early:
            assert info["signals"] == ("COMPLIANCE_VIOLATION",)
            assert info["reward_terms"]["outcome"] == -2
        assert ended == (state["fsm"] == "CLOSED") == (info["outcome"] is not None)
        if ended:
            break
        assert info["reward_terms"]["outcome"] == 0
        been.append(state["fsm"])
    assert ended, "a call ends by its last turn"
    stages = [FSM.index(Fsm(stage)) for stage in dict.fromkeys(been)]
    assert stages == list(range(len(stages))), "no stage was skipped, the disclosure included"
    with pytest.raises(ValueError, match="call reset"):
        env.step(PROCEED)


def test_a_call_that_reaches_the_last_turn_ends_there_as_a_hangup() -> None:
    env, lasting = DebtCall(), 0
    env.reset(seed=0)
    for _ in range(300):
        env.reset()
        ended = False
        while not ended:
            _, reward, ended, _, info = env.step(EMPATHIZE)
        if info["state"]["turn"] == LAST_TURN + 1:
            lasting += 1
            assert info["outcome"] in {"HANGUP", "CALLBACK_SCHEDULED", "ESCALATED", "DNC_REQUESTED"}
            assert (reward == -0.5) == (info["outcome"] == "HANGUP") == (info["event"] == "HANGS_UP")
    assert lasting > 20


def test_single_calls_are_those_of_the_exact_computation() -> None:
    calls, env, rng = 3000, DebtCall(), np.random.default_rng(7)
    probs = 0.9 * script() + 0.1 * uniform()
    bounds = probs.cumsum(1)
    counted = np.zeros((len(OUTCOMES), LAST_TURN + 1))
    returns = np.zeros(calls)
    env.reset(seed=7)
    for call in range(calls):
        seen, _ = env.reset()
        ended = False
        while not ended:
            seen, reward, ended, _, info = env.step(min(int((bounds[seen] <= rng.random()).sum()), 3))
        returns[call] = reward
        counted[OUTCOMES.index(info["outcome"]), info["state"]["turn"] - 1] += 1
    exact = exact_call(call_model())
    assert abs(returns.mean() - exact.value(probs)) < 4 * returns.std() / calls**0.5
    expected = calls * exact.outcomes(probs)
    often = expected >= 5
    observed = np.append(counted[often], counted[~often].sum())
    assert chisquare(observed, np.append(expected[often], expected[~often].sum()), sum_check=False).pvalue > 1e-3


def test_a_seed_begins_the_chance_anew_and_without_one_it_goes_on() -> None:
    env = DebtCall()

    def course(seed: int | None) -> list[object]:
        _, info = env.reset(seed=seed)
        told: list[object] = [info["persona"], info["level"]]
        ended = False
        while not ended:
            _, _, ended, _, info = env.step(PROCEED)
            told.append((info["event"], info["level"]))
        return told

    first = [course(5), course(None), course(None)]
    again = [course(5), course(None), course(None)]
    assert first == again
    assert first[0] != first[1]


def test_info_says_what_writing_the_words_takes() -> None:
    _, info = PLAIN.reset(seed=1)
    assert set(info) == {"state", "persona", "objection", "level", "prior_attempts"}
    _, _, _, _, after = PLAIN.step(PROCEED)
    assert set(after) == {*info, "action", "event", "outcome", "signals", "reward_terms"}
    assert set(after["state"]) == {"fsm", "sentiment", "turn"}
    _, info = RICH.reset(seed=1)
    assert list(info["state"])[3:] == ["prior_attempts", "objections_raised", "offers_made", "identity_verified", "disclosure_done"]
    _, _, _, _, after = RICH.step(PROCEED)
    assert set(after["reward_terms"]) == {"outcome", "handling"}


@pytest.mark.parametrize("action", [-1, 4, 1.7, 1.0, float("nan"), np.array(1.7), "1"])
def test_an_action_that_there_is_not_is_refused(action: Any) -> None:
    PLAIN.reset(seed=1)
    with pytest.raises(ValueError, match="0 to 3 stand for PROCEED, EMPATHIZE, OFFER_PLAN, ASK_CLARIFY"):
        PLAIN.step(action)


@pytest.mark.parametrize("action", [np.int64(3), np.array(3), np.uint8(3), True])
def test_whole_numbers_of_any_kind_are_actions(action: Any) -> None:
    PLAIN.reset(seed=1)
    assert PLAIN.step(action)[4]["action"] == ACTIONS[int(action)]


def test_a_call_that_was_never_begun_is_refused() -> None:
    with pytest.raises(ValueError, match="call reset"):
        DebtCall().step(PROCEED)
