"""RMSprop and clipping against PyTorch's own."""

import numpy as np
import pytest
import torch

from policies.rmsprop import clipped, rmsprop


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-13), (np.float32, 1e-5)])
@pytest.mark.parametrize(("rate", "alpha", "eps"), [(7e-4, 0.99, 1e-5), (0.1, 0.9, 1e-8)])
def test_fifty_steps_equal_torch(dtype, tolerance, rate, alpha, eps):
    rng = np.random.default_rng(0)
    parameters = rng.normal(size=40).astype(dtype)
    theirs = torch.nn.Parameter(torch.tensor(parameters))
    optimiser = torch.optim.RMSprop([theirs], lr=rate, alpha=alpha, eps=eps)
    squares = np.zeros_like(parameters)
    for _ in range(50):
        gradient = (rng.normal(size=40) * rng.lognormal(sigma=3, size=40)).astype(dtype)
        theirs.grad = torch.tensor(gradient)
        norm = torch.nn.utils.clip_grad_norm_([theirs], 0.5)
        optimiser.step()
        assert clipped(gradient, 0.5) == pytest.approx(float(norm), rel=1e-5)
        rmsprop(parameters, squares, gradient, rate, alpha, eps)
    assert parameters == pytest.approx(theirs.detach().numpy(), abs=tolerance)
    assert squares == pytest.approx(optimiser.state[theirs]["square_avg"].numpy(), rel=1e-5)


def test_a_gradient_below_the_bound_is_left_alone():
    gradient = np.array([0.3, -0.4])
    assert clipped(gradient, 0.6) == pytest.approx(0.5)
    assert gradient.tolist() == [0.3, -0.4]


def test_a_longer_gradient_keeps_its_direction():
    gradient = np.array([3.0, -4.0])
    assert clipped(gradient, 0.5) == pytest.approx(5)
    assert gradient == pytest.approx([0.3, -0.4], abs=1e-6)
