"""Debt calls side by side: as the tables say, exactly resumable, and nothing handed out is written to again."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from dialogue.environments.call_model import ENCODING, call_model
from dialogue.environments.call_policies import script, uniform
from dialogue.environments.call_words import ACTIONS, FSM, LAST_TURN, OUTCOMES, Action, Fsm
from dialogue.environments.debt_batch import DebtCalls, make_debt_calls
from dialogue.environments.debt_options import EXTRAS
from dialogue.environments.exact_call import exact_call
from dialogue.errors import UsageProblem

CALLS = 20_000
OFFER_PLAN = ACTIONS.index(Action.OFFER_PLAN)


def sampled(probs: np.ndarray, observations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.minimum((probs.cumsum(1)[observations] <= rng.random(len(observations))[:, None]).sum(1), len(ACTIONS) - 1)


def first_calls(env: DebtCalls, probs: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of each first call, its outcome's worth, and its agent turns: the first of each column, so that no length is favoured."""
    rng = np.random.default_rng(seed)
    seen = env.reset(np.random.SeedSequence(seed))
    returns, last, turns = np.zeros(env.n), np.zeros(env.n), np.zeros(env.n, int)
    on = np.ones(env.n, bool)
    for turn in range(1, LAST_TURN + 1):
        step = env.step(sampled(probs, seen, rng))
        assert not step.truncated.any()
        returns += np.where(on, step.rewards, 0)
        ended = on & step.terminated
        last[ended], turns[ended] = step.rewards[ended], turn
        on &= ~step.terminated
        seen = env.observations
    assert not on.any()
    return returns, last, turns


@pytest.mark.parametrize(("name", "handling"), [("uniform", 0.0), ("script", 0.1)])
def test_returns_are_those_of_the_exact_computation(name: str, handling: float) -> None:
    probs = uniform() if name == "uniform" else 0.9 * script() + 0.1 * uniform()
    returns, _, _ = first_calls(make_debt_calls(CALLS, handling=handling), probs, 1)
    error = returns.std() / CALLS**0.5
    assert error < 0.01
    assert abs(returns.mean() - exact_call(call_model(), handling=handling).value(probs)) < 4 * error


def test_outcomes_and_lengths_are_those_of_the_exact_computation() -> None:
    probs = 0.9 * script() + 0.1 * uniform()
    worth = np.arange(1.0, len(OUTCOMES) + 1)[:, None] + np.zeros(LAST_TURN + 1)  # so that the reward tells which outcome it is
    _, last, turns = first_calls(make_debt_calls(CALLS, worth=worth), probs, 2)
    counted = np.zeros((len(OUTCOMES), LAST_TURN + 1))
    np.add.at(counted, (last.astype(int) - 1, turns), 1)
    expected = CALLS * exact_call(call_model()).outcomes(probs)
    often = expected >= 5
    assert often.sum() > 40
    observed = np.append(counted[often], counted[~often].sum())
    assert chisquare(observed, np.append(expected[often], expected[~often].sum()), sum_check=False).pvalue > 1e-3


def test_one_seed_gives_one_course_and_another_gives_another() -> None:
    env = make_debt_calls(64)
    first, again, other = (first_calls(env, script(), seed)[2].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(0, 150), st.booleans(), st.integers(0, 2**32 - 1))
def test_going_on_from_a_state_is_what_would_have_followed_bit_for_bit(n: int, steps: int, extras: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    env, other = make_debt_calls(n, extras=extras, handling=0.1), make_debt_calls(n, extras=extras, handling=0.1)
    env.reset(np.random.SeedSequence(seed))
    for _ in range(steps):
        env.step(rng.integers(len(ACTIONS), size=n))
    state = env.state()
    kept = pickle.dumps(state)
    actions = rng.integers(len(ACTIONS), size=(80, n))
    went_on = [env.step(action) for action in actions]
    assert pickle.dumps(state) == kept, "going on changed what was handed out"
    other.restore(pickle.loads(kept))
    for action, expected in zip(actions, went_on, strict=True):
        for ours, theirs in zip(other.step(action), expected, strict=True):
            assert ours.tobytes() == theirs.tobytes()
    assert other.observations.tobytes() == env.observations.tobytes()


def test_blocks_of_chance_run_out_and_a_state_across_them_goes_on() -> None:
    # 4,096 calls use up a block in 4 steps, so this stops in the middle of the third
    n = 4096
    env, other = make_debt_calls(n), make_debt_calls(n)
    env.reset(np.random.SeedSequence(5))
    actions = np.random.default_rng(0).integers(len(ACTIONS), size=(30, n))
    for action in actions[:10]:
        env.step(action)
    other.restore(env.state())
    for action in actions[10:]:
        assert env.step(action).rewards.tobytes() == other.step(action).rewards.tobytes()


@pytest.mark.parametrize("extras", [False, True])
def test_what_was_handed_out_is_never_written_to_again(extras: bool) -> None:
    env = make_debt_calls(50, extras=extras)
    rng = np.random.default_rng(0)
    given_out: list[tuple[np.ndarray, bytes]] = []
    for _ in range(40):
        step = env.step(rng.integers(len(ACTIONS), size=env.n))
        given_out += [(array, array.tobytes()) for array in (*step, env.observations)]
    assert all(array.tobytes() == then for array, then in given_out)
    with pytest.raises(ValueError, match="read-only"):
        step.truncated[0] = True


def test_an_ended_call_shows_how_it_ended_and_is_begun_anew() -> None:
    env = make_debt_calls(32)
    env.reset(np.random.SeedSequence(0))
    step = env.step(np.full(env.n, OFFER_PLAN))
    assert step.terminated.all()
    assert (step.rewards == -2).all()
    assert {ENCODING.labels(int(seen))["fsm"] for seen in step.observations} == {"CLOSED"}
    assert {ENCODING.labels(int(seen))["fsm"] for seen in env.observations} == {"OPENING"}
    assert {ENCODING.labels(int(seen))["turn"] for seen in env.observations} == {"< 4"}


def test_further_fields_change_what_is_seen_and_nothing_else() -> None:
    plain, extra = make_debt_calls(64), make_debt_calls(64, extras=True)
    rng = np.random.default_rng(3)
    seed = np.random.SeedSequence(3)
    assert (extra.reset(seed) // EXTRAS == plain.reset(np.random.SeedSequence(3))).all()
    assert extra.spaces.observations == ENCODING.size * EXTRAS == 120 * 3 * 3 * 3 * 2 * 2
    for _ in range(60):
        actions = rng.integers(len(ACTIONS), size=64)
        ours, theirs = extra.step(actions), plain.step(actions)
        assert (ours.observations // EXTRAS == theirs.observations).all()
        assert (ours.rewards == theirs.rewards).all()
        assert (extra.observations // EXTRAS == plain.observations).all()


def test_further_fields_count_what_happened_in_the_call() -> None:
    env = make_debt_calls(40, extras=True)
    env.reset(np.random.SeedSequence(4))
    rng = np.random.default_rng(4)
    encoding = env.spaces.encoding
    assert encoding is not None
    label = encoding.labels
    offers = [0] * env.n
    furthest = [0] * env.n
    tried = [label(int(seen))["prior_attempts"] for seen in env.observations]
    raised_often = False
    for _ in range(80):
        stages = [FSM.index(Fsm(label(int(seen))["fsm"])) for seen in env.observations]
        # mostly on to the negotiation, and offers from there on
        actions = np.where(np.array(stages) < 3, rng.choice([0, 1, 3], env.n), rng.integers(4, size=env.n))
        step = env.step(actions)
        for column in range(env.n):
            seen = label(int(step.observations[column]))
            offers[column] += int(actions[column] == OFFER_PLAN)
            stage = FSM.index(Fsm(seen["fsm"]))
            furthest[column] = max(furthest[column], stage if stage < 5 else stages[column])
            assert seen["prior_attempts"] == tried[column]
            assert seen["offers_made"] == ["< 1", "1 to < 2", ">= 2"][min(offers[column], 2)]
            assert seen["identity_verified"] == ("true" if furthest[column] >= 2 else "false")
            assert seen["disclosure_done"] == ("true" if furthest[column] >= 3 else "false")
            raised_often |= seen["objections_raised"] == ">= 2"
            if step.terminated[column]:
                now = label(int(env.observations[column]))
                offers[column], furthest[column], tried[column] = 0, 0, now["prior_attempts"]
                assert (now["objections_raised"], now["offers_made"], now["identity_verified"]) == ("< 1", "< 1", "false")
    assert raised_often
    assert set(tried) == {"< 1", "1 to < 2", ">= 2"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: make_debt_calls(0), "0 calls side by side; at least 1"),
        (lambda: make_debt_calls(2, handling=-1), "handling is -1; it must be a weight from 0"),
        (lambda: make_debt_calls(2, worth=np.zeros((7, 20))), r"worth has the shape \(7, 20\); it must be numbers of shape \(7, 21\)"),
        (lambda: make_debt_calls(2, worth=np.full((7, 21), np.nan)), "worth holds what is not a finite number"),
        (lambda: make_debt_calls(2, personas="nowhere"), "no personas at 'nowhere'"),
    ],
)
def test_wrong_options_are_said(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        make()


@pytest.mark.parametrize(("wrong", "told"), [(-1, "action -1; "), (4, "action 4; "), (-5, "action -5; "), (1.7, "action 1.7; ")])
def test_an_action_that_there_is_not_is_refused(wrong: float, told: str) -> None:
    env = make_debt_calls(3, extras=True)
    env.reset(np.random.SeedSequence(0))
    before = env.observations.tolist(), env.state()["used"]
    with pytest.raises(ValueError, match=f"^{told}0 to 3 stand for PROCEED, EMPATHIZE, OFFER_PLAN, ASK_CLARIFY$"):
        env.step(np.array([wrong, 0, 1]))
    assert (env.observations.tolist(), env.state()["used"]) == before
    env.step(np.array([3, 0, 1], np.int8))


def test_a_seed_stays_as_it_is() -> None:
    """Customers and callers draw from the seed's first two children, as `spawn` would give them."""
    env, seed = make_debt_calls(3), np.random.SeedSequence(9, spawn_key=(2,), pool_size=5)
    first, again = env.reset(seed).copy(), env.reset(seed)
    assert first.tolist() == again.tolist()
    assert seed.n_children_spawned == 0
    customers, callers = (np.random.default_rng(child) for child in seed.spawn(2))
    assert env.state()["rng"].bit_generator.state == customers.bit_generator.state
    assert env.state()["start_rng"].bit_generator.state == callers.bit_generator.state
