"""The best sales call, against scipy's optimiser, against sampling, and its conditions."""

import numpy as np
import pytest
from scipy.optimize import minimize

from dialogue.environments.sales_batch import SalesCalls
from dialogue.environments.sales_optimum import best, best_constant, value_of
from dialogue.environments.sales_rules import SalesRules, sales_rules

RULES = sales_rules()


def with_reward(**changed: float) -> SalesRules:
    return RULES.model_copy(update={"reward": RULES.reward.model_copy(update=changed)})


def test_values_are_those_of_the_environment() -> None:
    n = 20_000
    env = SalesCalls(n, RULES)
    env.reset(np.random.SeedSequence(5))
    plan = np.random.default_rng(0).random((64, 4, 4)) * 0.5 + RULES.wanted * 0.5
    buyers = env.state()["buyers"]
    total = sum(env.step(plan[buyers, turn]).rewards for turn in range(4))
    expected = value_of(RULES, plan)[buyers]
    assert abs((total - expected).mean()) < 4 * (total - expected).std() / np.sqrt(n)


@pytest.mark.parametrize("rules", [RULES, with_reward(sharpness=9.0, variety=0.15, extremity=0.0), with_reward(extremity=0.2)])
def test_no_optimiser_finds_better(rules: SalesRules) -> None:
    found = best(rules)
    assert found.value == pytest.approx(float(value_of(rules, found.actions).mean()), abs=1e-12)
    rng = np.random.default_rng(1)
    for buyer in (0, 9, 22, 38, 63):
        one = rules.wanted[buyer : buyer + 1]

        def loss(flat: np.ndarray, rules: SalesRules = rules, buyer: int = buyer) -> float:
            actions = np.broadcast_to(flat.reshape(1, 4, 4), rules.wanted.shape)
            return -float(value_of(rules, actions)[buyer])

        for start in (one.reshape(-1), rng.random(16), rng.random(16)):
            other = minimize(loss, start, method="L-BFGS-B", bounds=[(0, 1)] * 16)
            assert -other.fun <= found.values[buyer] + 1e-9
        assert loss(found.actions[buyer].reshape(-1)) == pytest.approx(-found.values[buyer], abs=1e-12)
    near = np.clip(found.actions + 0.01 * rng.standard_normal((50, *found.actions.shape)), 0, 1)
    assert all((value_of(rules, actions) <= found.values + 1e-12).all() for actions in near)


def test_it_reaches_the_box_where_variety_pushes() -> None:
    assert ((best(with_reward(variety=0.15)).actions == 0) | (best(with_reward(variety=0.15)).actions == 1)).any()


def test_best_constant_is_better_than_its_neighbours_and_all_of_a_finer_grid() -> None:
    action, value = best_constant(RULES)
    assert value == pytest.approx(float(value_of(RULES, action).mean()), abs=1e-12)
    others = np.random.default_rng(2).random((3000, 4))
    near = np.clip(action + 1e-3 * np.random.default_rng(3).standard_normal((300, 4)), 0, 1)
    assert max(float(value_of(RULES, other).mean()) for other in (*others, *near)) <= value
    assert value < 0.4 * best(RULES).value  # it pays to listen


def test_weights_under_which_nothing_is_proved_are_refused() -> None:
    with pytest.raises(ValueError, match="variety and extremity"):
        best(with_reward(variety=0.4))
