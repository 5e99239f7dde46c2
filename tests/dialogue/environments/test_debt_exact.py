"""Exact values of the debt call against a plain recomputation, and the problem that its numbers make: who gets how far, and why."""

from collections import defaultdict

import numpy as np
import pytest

from dialogue.environments.call_model import ENCODING, PHASE_OF, call_model
from dialogue.environments.call_policies import constant, script, uniform
from dialogue.environments.call_words import ACTIONS, LAST_TURN, LEVELS, OUTCOMES, Action, Outcome
from dialogue.environments.exact import best_memoryless, exact_value, local_optima
from dialogue.environments.exact_call import exact_call

MODEL = call_model()
CALL = exact_call(MODEL)
BEST, BEST_PROBS = best_memoryless(MODEL, restarts=2)
UPSET = {"fsm": "NEGOTIATION", "sentiment": "negative", "turn": 5}
PROCEED, EMPATHIZE = ACTIONS.index(Action.PROCEED), ACTIONS.index(Action.EMPATHIZE)


def plainly(probs: np.ndarray, discount: float, handling: float) -> float:
    """The expected return, by walking the tables turn by turn with dictionaries."""
    worth = MODEL.rules.worth()
    here = defaultdict(float)
    for code, chance in zip(MODEL.start_codes.tolist(), MODEL.start_probs.tolist(), strict=True):
        here[code] += chance
    total = 0.0
    for turn in range(LAST_TURN):
        there: dict[int, float] = defaultdict(float)
        for code, chance in here.items():
            for action in range(len(ACTIONS)):
                taken = chance * probs[MODEL.seen[turn, code], action]
                total += discount**turn * handling * taken * MODEL.handling[code, action]
                row = (int(PHASE_OF[turn]) * MODEL.live + code) * len(ACTIONS) + action
                for after, part in zip(MODEL.after[row].tolist(), (taken * MODEL.probs[row]).tolist(), strict=True):
                    if part == 0:
                        continue
                    if after < MODEL.live:
                        there[after] += part
                    else:
                        total += discount**turn * part * worth[(after - MODEL.live) // LEVELS, turn + 1]
        here = there
    assert not here
    return total


@pytest.mark.parametrize(("discount", "handling"), [(1.0, 0.0), (0.9, 0.1)])
def test_the_value_is_that_of_a_plain_recomputation(discount: float, handling: float) -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(len(ACTIONS)), ENCODING.size)
    probs = 0.3 * probs + 0.7 * script()  # so that calls grow long
    assert exact_value(MODEL, probs, discount, handling=handling) == pytest.approx(plainly(probs, discount, handling), abs=1e-12)


@pytest.mark.parametrize("discount", [1.0, 0.95])
def test_q_values_are_averages_over_whoever_is_met_there(discount: float) -> None:
    """Weighed by how often each observation is met and by the policy, they sum to the values of everybody at every turn."""
    probs = 0.8 * script() + 0.2 * uniform()
    reached = CALL.reached(probs)
    q = CALL.q_values(probs, discount)
    met = np.bincount(CALL.seen.ravel(), reached.ravel(), ENCODING.size)
    assert np.isnan(q[met == 0]).all()
    values = CALL.values(probs, discount)[:-1]
    assert np.nansum(met[:, None] * probs * q) == pytest.approx(float((reached * values).sum()), abs=1e-10)


def test_outcomes_are_a_distribution_and_give_the_value() -> None:
    for probs in (uniform(), script(), BEST_PROBS):
        found = CALL.outcomes(probs)
        assert found.sum() == pytest.approx(1, abs=1e-12)
        assert float((found * MODEL.rules.worth()).sum()) == pytest.approx(CALL.value(probs), abs=1e-12)
        assert found[:, 0].sum() == 0


def test_no_single_change_helps_the_best_memoryless_policy() -> None:
    assert CALL.value(BEST_PROBS) == pytest.approx(BEST, abs=1e-12)
    for observation in range(ENCODING.size):
        for action in range(len(ACTIONS)):
            changed = BEST_PROBS.copy()
            changed[observation] = np.eye(len(ACTIONS))[action]
            assert CALL.value(changed) <= BEST + 1e-10


def test_restarts_begin_differently_and_the_seed_decides() -> None:
    (first, probs), (second, _) = local_optima(CALL, 2, seed=3)
    again = local_optima(CALL, 1, seed=3)[0]
    assert (again[0], again[1].tolist()) == (first, probs.tolist())
    assert max(first, second) <= BEST + 0.01


def test_a_worth_of_ones_own_and_discounting_count() -> None:
    nothing = np.zeros((len(OUTCOMES), LAST_TURN + 1))
    assert exact_value(MODEL, script(), worth=nothing) == 0
    assert exact_value(MODEL, script(), worth=nothing + 1) == pytest.approx(1)
    # a violation on the first turn is not discounted
    assert exact_value(MODEL, constant(Action.OFFER_PLAN), discount=0.5) == pytest.approx(-2)


@pytest.mark.parametrize(
    ("handling", "best", "bound", "at_script", "at_uniform"),
    [(0.0, 0.4170, 0.4989, 0.2499, -1.6824), (0.1, 0.6014, 0.7562, 0.2886, -1.7717)],
)
def test_the_problem_is_as_documented(handling: float, best: float, bound: float, at_script: float, at_uniform: float) -> None:
    """Pressing on, asking, soothing alone do not get far; the script gets about half; what is hidden costs something."""
    call = exact_call(MODEL, handling=handling)
    found = max(value for value, _ in local_optima(call, 2))
    assert found == pytest.approx(best, abs=2e-3)
    assert call.upper_bound() == pytest.approx(bound, abs=2e-3)
    assert call.value(script()) == pytest.approx(at_script, abs=2e-3)
    assert call.value(uniform()) == pytest.approx(at_uniform, abs=2e-3)
    assert max(call.value(constant(action)) for action in Action) < 0.3 * found
    assert found < call.upper_bound()


@pytest.mark.parametrize("policy", ["uniform", "script"])
def test_how_an_upset_customer_is_met_late_hardly_shows_in_the_outcome_but_in_the_handling(policy: str) -> None:
    probs = uniform() if policy == "uniform" else 0.8 * script() + 0.2 * uniform()
    at = ENCODING.index(UPSET)
    by_outcome = CALL.q_values(probs)[at]
    assert abs(by_outcome[PROCEED] - by_outcome[EMPATHIZE]) < 0.11
    assert by_outcome[[PROCEED, EMPATHIZE]].max() < -0.2
    # a worth of 1 for hanging up and 0 else makes the value the chance of it
    only = np.zeros((len(OUTCOMES), LAST_TURN + 1))
    only[OUTCOMES.index(Outcome.HANGUP)] = 1
    hangs_up = exact_call(MODEL, only).q_values(probs)[at]
    assert hangs_up[[PROCEED, EMPATHIZE]].min() > 0.6
    with_handling = exact_call(MODEL, handling=0.1).q_values(probs)[at]
    assert with_handling[EMPATHIZE] - with_handling[PROCEED] > 0.2
