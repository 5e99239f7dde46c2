"""Sales calls side by side: the rules by hand, ends, chance, stop and resume, and what is handed out stays as it is."""

import copy
from itertools import pairwise

import numpy as np
import pytest

from dialogue.environments.sales_batch import SalesCalls, make_sales_calls
from dialogue.environments.sales_rules import EMBEDDING, SalesRules, sales_rules
from rewards.outcome import load_outcome_table

RULES = sales_rules()


def begun(n: int = 6, seed: int = 1) -> SalesCalls:
    env = make_sales_calls(n)
    env.reset(np.random.SeedSequence(seed))
    return env


def buyers_of(env: SalesCalls) -> list[int]:
    """Return who is on the line, found by the embedding."""
    return [int((RULES.embeddings[:, 0] @ seen[:EMBEDDING]).argmax()) for seen in env.observations]


def test_endings_are_those_of_the_outcome_table() -> None:
    shipped = {name: ending.value for name, ending in load_outcome_table("sales").outcomes.items()}
    assert {rung.outcome: rung.value for rung in RULES.endings} == shipped


def test_256_dialogues_differ() -> None:
    rows = RULES.embeddings.reshape(-1, EMBEDDING)
    assert len(rows) == 256
    assert np.allclose((rows**2).sum(1), 1)
    same = rows @ rows.T - np.eye(256)
    assert same.max() < 0.97


def test_a_call_by_hand() -> None:
    """One half everywhere, then all: every term of every turn worked out from the rules' numbers alone."""
    env = begun()
    buyers = np.array(buyers_of(env))
    assert np.array_equal(env.observations[:, EMBEDDING:], np.zeros((6, 4)))
    half, all_in = np.full((6, 4), 0.5), np.ones((6, 4))
    # sharpness 4: fit = 1 - 4 * mean square; extremity .05 * (2a - 1)^2 is 0 at a half and .05 at 1;
    # variety .1 * .5^2 = .025 from a half to 1
    fits = [np.maximum(0, 1 - 4 * ((a - RULES.wanted[buyers, t]) ** 2).mean(1)) for t, a in enumerate((half, all_in, all_in, half))]
    for turn, (action, earned, change) in enumerate([(half, 0, 0), (all_in, 0.025 - 0.05, 0.25), (all_in, -0.05, 0.25)]):
        step = env.step(action)
        assert np.allclose(step.rewards, earned)
        assert not step.terminated.any()
        assert np.allclose(step.observations[:, :EMBEDDING], RULES.embeddings[buyers, turn + 1], atol=1e-7)
        told = np.column_stack(
            [np.full(6, (turn + 1) / 4), 2 * sum(fits[: turn + 1]) / (turn + 1) - 1, np.full(6, change / (turn + 1)), step.rewards]
        )
        assert np.allclose(step.observations[:, EMBEDDING:], told, atol=1e-6)
    last = env.step(half)
    assert last.terminated.all()
    assert not last.truncated.any()
    worth = -0.8 + 1.8 * np.mean(fits, 0)
    endings = last.rewards - 0.025
    for expected, got in zip(worth, endings, strict=True):
        low, high = next((low, high) for low, high in pairwise(RULES.rungs) if low <= expected <= high)
        assert min(abs(got - low), abs(got - high)) < 1e-12
    assert np.allclose(last.observations[:, EMBEDDING], 1)
    assert np.allclose(env.observations[:, EMBEDDING:], 0)


def test_endings_are_worth_what_the_fit_says_on_average() -> None:
    n = 40_000
    env = begun(n)
    buyers = np.array([0] * n)
    env.restore(env.state() | {"buyers": buyers})
    action = np.tile([0.55, 0.6, 0.45, 0.4], (n, 1))
    total = sum(env.step(action).rewards for _ in range(4))
    fits = np.maximum(0, 1 - 4 * ((action[0] - RULES.wanted[0]) ** 2).mean(1))
    expected = -0.8 + 1.8 * fits.mean() - 4 * 0.05 * ((2 * action[0] - 1) ** 2).mean()
    assert abs(total.mean() - expected) < 4 * total.std() / np.sqrt(n)
    assert len(np.unique(total.round(9))) == 2  # two neighbouring rungs, no more


def test_buyers_come_alike_often() -> None:
    env = begun(64_000)
    counts = np.bincount(env.state()["buyers"], minlength=64)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_actions_are_cut_to_what_is_allowed() -> None:
    one, two = begun(), begun()
    wild = np.array([[-3.0, 0.5, 1.0, 7.0]] * 6)
    assert np.array_equal(one.step(wild).rewards, two.step(np.clip(wild, 0, 1)).rewards)
    assert wild[0, 0] == -3


def test_stopped_and_resumed_equals_never_stopped() -> None:
    env = begun()
    actions = [np.random.default_rng(k).random((6, 4)) for k in range(30)]
    for until in range(9):  # stopped in every phase
        kept = copy.deepcopy(env.state())
        went = [env.step(action) for action in actions[: 11 + until]]
        other = make_sales_calls(6)
        other.restore(kept)
        assert np.array_equal(other.observations, kept["observations"])
        for step, action in zip(went, actions, strict=False):
            again = other.step(action)
            assert all(np.array_equal(one, two) for one, two in zip(step, again, strict=True))
        assert np.array_equal(env.observations, other.observations)


def test_the_same_seed_gives_the_same_calls_and_another_others() -> None:
    assert np.array_equal(begun().observations, begun().observations)
    assert not np.array_equal(begun().observations, begun(seed=2).observations)
    env = begun()
    env.step(np.ones((6, 4)))
    assert np.array_equal(env.reset(np.random.SeedSequence(1)), begun().observations)


def test_arrays_handed_out_are_never_written_to_again() -> None:
    env = begun()
    given = [env.observations]
    kept = [env.observations.copy()]
    for k in range(9):
        step = env.step(np.random.default_rng(k).random((6, 4)))
        given += [*step, env.observations]
        kept += [*(part.copy() for part in step), env.observations.copy()]
    assert all(np.array_equal(one, two) for one, two in zip(given, kept, strict=True))


@pytest.mark.parametrize(
    ("at", "key", "value", "message"),
    [
        ("needs", "says", ["one line"], "one for each of the 4 phases"),
        ("needs", "wants", [[0.5] * 4] * 3, "one for each of the 4 phases"),
        ("endings", "value", 9.0, "must be above"),
    ],
)
def test_mistakes_in_the_data_are_told(at: str, key: str, value: object, message: str) -> None:
    data = RULES.model_dump()
    data[at] = [dict(part) for part in data[at]]
    data[at][0][key] = value
    with pytest.raises(ValueError, match=message):
        SalesRules.model_validate(data)
