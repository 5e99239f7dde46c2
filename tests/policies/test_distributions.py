"""Softmax and clipped Gaussian: against SciPy, against finite differences, and by counting samples."""

import numpy as np
import pytest
from scipy.special import log_softmax as scipy_log_softmax
from scipy.stats import norm

from policies.distributions import drawn, gaussian, gaussian_actions, gaussian_logs, log_softmax, log_tail, moved

MEANS = np.array([[0.1, -0.9, 1.4, 0.0, -40.0], [0.5, 0.2, -1.6, 0.0, 0.0]])  # (k, n)
LOG_STD = np.array([-0.3, 0.4])
ACTIONS = np.array([[0.3, 1.0], [0.0, 0.6], [1.0, 0.0], [1.2, -0.4], [1.0, 0.5]])  # (n, k): inside, at the edges, beyond, far off


def scipy_logs(means, log_std, actions):
    """A sample on [-1, 1] is twice the action less 1; inside, the density on [0, 1] is twice that on [-1, 1]."""
    spread, total = np.exp(log_std), np.zeros(len(actions))
    for n, action in enumerate(actions):
        for k, place in enumerate(action):
            law = norm(means[k, n], spread[k])
            if place == 1:
                total[n] += law.logsf(1)
            elif place == 0:
                total[n] += law.logcdf(-1)
            else:
                total[n] += law.logpdf(2 * place - 1) + np.log(2)
    return total


def test_log_softmax():
    outputs = np.random.default_rng(0).normal(size=(4, 7)) * 300
    assert log_softmax(outputs) == pytest.approx(scipy_log_softmax(outputs, axis=0), abs=1e-12)


def test_drawn_actions_have_their_probabilities():
    probs = np.array([0.5, 0.0, 0.2, 0.3])
    actions = drawn(np.repeat(probs[:, None], 40_000, axis=1).cumsum(0), np.random.default_rng(1))
    # 4 standard errors of a share of .5 over 40,000 draws are .01.
    assert np.bincount(actions, minlength=4) / 40_000 == pytest.approx(probs, abs=0.01)
    assert (actions != 1).all()


def test_densities_are_those_of_scipy():
    assert gaussian_logs(MEANS, LOG_STD, ACTIONS) == pytest.approx(scipy_logs(MEANS, LOG_STD, ACTIONS), rel=1e-10)
    assert np.array_equal(gaussian(MEANS, LOG_STD, ACTIONS).logs, gaussian_logs(MEANS, LOG_STD, ACTIONS))


def test_tails_are_those_of_scipy_however_far():
    z = np.array([-40.0, -5, -0.5, 0, 1, 8, 29.9, 30, 30.1, 37, 200, 1e4])
    assert log_tail(z) == pytest.approx(norm.logsf(z), rel=1e-9, abs=1e-300)


def test_derivatives_equal_finite_differences():
    found, step = gaussian(MEANS, LOG_STD, ACTIONS), 1e-6
    for k in (0, 1):
        up, down = MEANS.copy(), MEANS.copy()
        up[k] += step
        down[k] -= step
        slope = (scipy_logs(up, LOG_STD, ACTIONS) - scipy_logs(down, LOG_STD, ACTIONS)) / (2 * step)
        assert found.by_mean[k] == pytest.approx(slope, rel=1e-5, abs=1e-6)
        wide, narrow = LOG_STD.copy(), LOG_STD.copy()
        wide[k] += step
        narrow[k] -= step
        slope = (scipy_logs(MEANS, wide, ACTIONS) - scipy_logs(MEANS, narrow, ACTIONS)) / (2 * step)
        assert found.by_log_std[k] == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_the_density_sums_to_one_with_the_edges():
    means, log_std = np.full((1, 20_001), 0.7), np.array([-0.2])
    inside = np.exp(gaussian_logs(means, log_std, np.linspace(1e-9, 1 - 1e-9, 20_001)[:, None]))
    edges = np.exp(gaussian_logs(means[:, :2], log_std, np.array([[0.0], [1.0]])))
    assert np.trapezoid(inside, dx=1 / 20_000) + edges.sum() == pytest.approx(1, abs=1e-6)


def test_samples_fall_where_the_density_says():
    means, log_std = np.full((1, 50_000), -0.6), np.array([-0.5])
    actions = gaussian_actions(means, log_std, np.random.default_rng(5))
    assert actions.min() == 0
    assert actions.max() == 1
    law = norm(-0.6, np.exp(-0.5))
    # 4 standard errors of a share over 50,000 draws are below .009.
    assert (actions == 0).mean() == pytest.approx(law.cdf(-1), abs=0.009)
    assert (actions < 0.4).mean() == pytest.approx(law.cdf(-0.2), abs=0.009)


def test_the_score_is_zero_on_average():
    """Of any distribution the expected derivative of the log density is 0: edges included it is that of what is really done."""
    means, log_std = np.tile([[0.8], [-0.3]], 100_000), np.array([0.2, -0.4])
    found = gaussian(means, log_std, gaussian_actions(means, log_std, np.random.default_rng(2)))
    assert found.by_mean.mean(1) == pytest.approx([0, 0], abs=0.02)
    assert found.by_log_std.mean(1) == pytest.approx([0, 0], abs=0.02)


def test_moved_clips():
    assert moved(np.array([-3.0, -1.0, 0.0, 0.5, 7.0])).tolist() == [0, 0, 0.5, 0.75, 1]
