"""The linear policy: probabilities by hand, kept through JSON, and the checks of what is read."""

import json

import numpy as np
import pytest

from dialogue.environments.contract import Spaces
from policies.linear_policy import LinearPolicy

SPACES = Spaces(("wait", "ask", "offer"), width=2)
WEIGHTS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5]])  # values: x0, x1, and .5 always
SEEN = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (LinearPolicy(SPACES, WEIGHTS), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0]]),
        (LinearPolicy(SPACES, WEIGHTS, 0.3), [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.45, 0.45, 0.1]]),
        # the offer was never tried: it gets no share of the floor, and the best is among the others
        (
            LinearPolicy(SPACES, WEIGHTS, 0.2, taken=np.array([True, True, False])),
            [[0.9, 0.1, 0], [0.1, 0.9, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]],
        ),
        # softmax at temperature 1/ln 2: 2^value, so 2:1:sqrt(2), 1:4:sqrt(2), 1:1:sqrt(2), 2:2:sqrt(2)
        (
            LinearPolicy(SPACES, WEIGHTS, temperature=1 / np.log(2)),
            [np.array(row) / sum(row) for row in ([2, 1, 2**0.5], [1, 4, 2**0.5], [1, 1, 2**0.5], [2, 2, 2**0.5])],
        ),
    ],
)
def test_probabilities_by_hand(policy: LinearPolicy, expected: list) -> None:
    assert np.allclose(policy.probs(SEEN), expected)
    assert np.allclose(policy.probs_of(SEEN[:, None].repeat(3, 1), np.arange(3)[None].repeat(4, 0)), expected)
    actions, probs = policy.act(SEEN.repeat(3000, 0), np.random.default_rng(0))
    shares = [np.bincount(part, minlength=3) / 3000 for part in actions.reshape(4, 3000)]
    assert np.allclose(shares, expected, atol=0.045)
    assert np.allclose(probs, np.repeat(np.array(expected), 3000, 0)[np.arange(12_000), actions])
    assert np.allclose(policy.greedy().probs(SEEN).max(1) * (policy.greedy().probs(SEEN) > 0).sum(1), 1)
    kept = LinearPolicy.from_data(SPACES, json.loads(json.dumps(policy.as_data())))
    assert np.array_equal(kept.probs(SEEN), policy.probs(SEEN))


def test_a_floor_upon_a_floor() -> None:
    assert LinearPolicy(SPACES, WEIGHTS, 0.1).floored(0.2).floor == pytest.approx(0.28)  # 1 - .9 * .8
    assert (LinearPolicy(SPACES, WEIGHTS).floored(0.3).probs(SEEN) >= 0.1 - 1e-12).all()


def test_huge_values_do_not_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert np.allclose(LinearPolicy(SPACES, WEIGHTS * 1e6, temperature=1.0).probs(SEEN[:1]), [[1, 0, 0]])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("weights", [[1.0, 2.0]], r"shape \(1, 2\) are not \(3, 3\)"),
        ("weights", [[np.nan] * 3] * 3, "finite"),
        ("floor", 1.5, "floor is 1.5"),
        ("temperature", -1, "temperature -1"),
        ("taken", [True], "each of 3 actions"),
        ("taken", [False] * 3, "one at least true"),
    ],
)
def test_what_does_not_fit_is_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinearPolicy.from_data(SPACES, LinearPolicy(SPACES, WEIGHTS).as_data() | {key: value})
