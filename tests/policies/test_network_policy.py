"""The network policy: its probabilities, its best actions, and how it is written and read."""

import json

import numpy as np
import pytest

from dialogue.environments.contract import Spaces
from policies.network import Layout
from policies.network_policy import NetworkPolicy

VECTORS = Spaces(("warm", "firm", "brief"), width=6)
NUMBERS = Spaces(("engagement", "closing"), continuous=True, width=6)
ROWS_NUMBERS = Spaces(("engagement", "closing"), continuous=True, observations=5)


def made(spaces, dtype=np.float64):
    k = len(spaces.actions)
    layout = Layout(spaces.width or spaces.observations, k, (8, 8), k if spaces.continuous else 0)
    vector = np.random.default_rng(1).normal(size=layout.size).astype(dtype)
    return NetworkPolicy.of(spaces, layout.cut(vector))


def seen(spaces, n=30):
    rng = np.random.default_rng(2)
    return rng.normal(size=(n, spaces.width)) if spaces.observations is None else rng.integers(spaces.observations, size=n)


@pytest.mark.parametrize("spaces", [VECTORS, NUMBERS, ROWS_NUMBERS], ids=["names", "numbers", "numbers-rows"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_written_is_read(spaces, dtype):
    policy = made(spaces, dtype)
    read = NetworkPolicy.from_data(spaces, json.loads(json.dumps(policy.as_data())))
    actions, probs = policy.act(seen(spaces), np.random.default_rng(0))
    again, same = read.act(seen(spaces), np.random.default_rng(0))
    assert np.array_equal(actions, again)
    assert np.array_equal(probs, same)
    assert read.greedy().as_data() == policy.greedy().as_data()


@pytest.mark.parametrize("spaces", [VECTORS, NUMBERS, ROWS_NUMBERS], ids=["names", "numbers", "numbers-rows"])
def test_probabilities_are_those_it_acted_with(spaces):
    policy = made(spaces)
    observations = seen(spaces)
    actions, probs = policy.act(observations, np.random.default_rng(0))
    assert actions.shape == ((30, 2) if spaces.continuous else (30,))
    assert policy.probs_of(observations, actions) == pytest.approx(probs, rel=1e-12)
    by_time = observations.reshape(5, 6, *observations.shape[1:])
    assert policy.probs_of(by_time, actions.reshape(5, 6, *actions.shape[1:])) == pytest.approx(probs.reshape(5, 6), rel=1e-12)
    if spaces.continuous:
        assert actions.min() >= 0
        assert actions.max() <= 1


def test_greedy_takes_the_most_probable_action():
    policy, observations = made(VECTORS), seen(VECTORS)
    actions, probs = policy.greedy().act(observations, np.random.default_rng(0))
    all_probs = np.stack([policy.probs_of(observations, np.full(30, action)) for action in range(3)])
    assert all_probs.sum(0) == pytest.approx(np.ones(30))
    assert np.array_equal(actions, all_probs.argmax(0))
    assert (probs == 1).all()


def test_greedy_takes_the_mean():
    policy, observations = made(NUMBERS).greedy(), seen(NUMBERS)
    actions, probs = policy.act(observations, np.random.default_rng(0))
    assert np.array_equal(actions, policy.act(observations, np.random.default_rng(9))[0])
    assert (probs == 1).all()
    assert not policy.probs_of(observations, np.abs(actions - 0.1)).any()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hidden": [8]}, "weights, not"),
        ({"dtype": "object"}, "not float64 or float32"),
        ({"weights": "AAAA"}, "multiple of element size"),
    ],
)
def test_data_that_do_not_fit_are_refused(change, told):
    with pytest.raises(ValueError, match=told):
        NetworkPolicy.from_data(VECTORS, made(VECTORS).as_data() | change)


def test_weights_that_are_not_finite_are_refused():
    policy = made(VECTORS)
    policy.outputs[1][0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        NetworkPolicy.from_data(VECTORS, policy.as_data())
