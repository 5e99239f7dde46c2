"""The two nets: their gradient against finite differences and against PyTorch's, and how they begin."""

import numpy as np
import pytest
import torch

from policies.network import BOTH, POLICY, VALUE, Layout, backward, forward, orthogonal, outputs_of, values_of

LAYOUTS = [Layout(5, 3), Layout(4, 2, (7,)), Layout(6, 4, (8, 5, 3), stds=4)]


def both(layout, vector, features):
    weights = layout.cut(vector)
    hidden = forward(weights, features, BOTH)
    return outputs_of(weights, hidden[-1][0]), values_of(weights, hidden[-1][1])


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_the_vector_is_cut_without_gap_or_overlap(layout):
    weights = layout.cut(np.arange(layout.size))
    pieces = [array for pair in weights.layers for array in pair]
    pieces += [weights.policy, weights.policy_bias, weights.value, weights.value_bias, weights.log_std]
    assert np.array_equal(np.concatenate([piece.ravel() for piece in pieces]), np.arange(layout.size))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_gradient_equals_finite_differences(layout):
    rng = np.random.default_rng(3)
    vector, features = rng.normal(size=layout.size) * 0.5, rng.normal(size=(9, layout.width))
    by_output, by_value = rng.normal(size=(layout.outputs, 9)), rng.normal(size=9)

    def loss(vector):
        outputs, values = both(layout, vector, features)
        return (by_output * outputs).sum() + by_value @ values

    weights = layout.cut(vector)
    found = np.zeros(layout.size)
    backward(weights, features, forward(weights, features), by_output, by_value, layout.cut(found))
    step = 1e-6
    expected = np.array([(loss(vector + step * e) - loss(vector - step * e)) / (2 * step) for e in np.eye(layout.size)])
    assert found == pytest.approx(expected, abs=1e-7)


def test_outputs_are_those_of_torch():
    layout, rng = Layout(5, 3, (6, 4)), np.random.default_rng(0)
    vector, features = rng.normal(size=layout.size), rng.normal(size=(8, 5))
    weights, below = layout.cut(vector), torch.tensor(features)
    for weight, bias in weights.layers:
        below = torch.tanh(torch.nn.functional.linear(below, torch.tensor(weight[0].T.copy()), torch.tensor(bias[0, 0])))
    expected = torch.nn.functional.linear(below, torch.tensor(weights.policy.T.copy()), torch.tensor(weights.policy_bias))
    assert both(layout, vector, features)[0] == pytest.approx(expected.numpy().T, abs=1e-12)


def test_one_net_alone_gives_what_both_give_at_once():
    layout, rng = Layout(5, 3), np.random.default_rng(0)
    vector, features = rng.normal(size=layout.size), rng.normal(size=(8, 5))
    weights = layout.cut(vector)
    hidden = forward(weights, features)
    assert forward(weights, features, POLICY)[-1][0] == pytest.approx(hidden[-1][0], abs=1e-12)
    assert forward(weights, features, VALUE)[-1][0] == pytest.approx(hidden[-1][1], abs=1e-12)


def test_it_begins_orthogonal_with_the_gains_of_sb3():
    weights = Layout(15, 4, stds=2).cut(Layout(15, 4, stds=2).initial(np.random.default_rng(0)))
    (first, first_bias), (second, _) = weights.layers
    for net in (0, 1):
        assert first[net] @ first[net].T == pytest.approx(2 * np.eye(15), abs=1e-12)
        assert second[net].T @ second[net] == pytest.approx(2 * np.eye(64), abs=1e-12)
    assert weights.policy.T @ weights.policy == pytest.approx(1e-4 * np.eye(4), abs=1e-12)
    assert weights.value @ weights.value == pytest.approx(1)
    assert not np.concatenate([first_bias.ravel(), weights.policy_bias, weights.value_bias, weights.log_std]).any()


def test_orthogonal_matrices_point_everywhere():
    """Without the sign of R's diagonal, QR would give entries of one sign in the corner."""
    corners = [orthogonal(3, 3, np.random.default_rng(seed))[0, 0] for seed in range(200)]
    assert 70 < sum(corner > 0 for corner in corners) < 130
