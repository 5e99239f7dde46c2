"""GAE, V-trace, lambda- and n-step returns: published vectors, and loops that follow one episode at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.returns import gae, lambda_returns, n_step_returns, returns_to_go, vtrace


def column(*numbers):
    return np.array(numbers, float)[:, None]


def flags(length, *at):
    found = np.zeros((length, 1), bool)
    found[list(at)] = True
    return found


# peers-rl.md 4b. By hand, last step first: .71 = .5 + .9 * .9 - .6 at the truncation (t=4), where 1.83 = 1 + .9 * .7 + .2 of t=5 does
# not reach; t=3: 2 + .9 * .6 - .3 = 2.24, + .72 * .71 = 2.7512; t=2 terminated: -1 + .1 = -.9.
REWARDS, VALUES = column(1, 0, -1, 2, 0.5, 1), column(0.2, 0.4, -0.1, 0.3, 0.6, -0.2)
NEXT = column(0.4, -0.1, np.nan, 0.6, 0.9, 0.7)
ADVANTAGES = [0.34064, -1.138, -0.9, 2.7512, 0.71, 1.83]


def test_gae_vector():
    found = gae(REWARDS, VALUES, NEXT, flags(6, 2), flags(6, 4), 0.9, 0.8)
    assert found[:, 0] == pytest.approx(ADVANTAGES, abs=1e-12)


def test_gae_is_the_same_for_one_episode_and_beside_others():
    beside = [np.hstack([array, array]) for array in (REWARDS, VALUES, NEXT, flags(6, 2), flags(6, 4))]
    alone = gae(REWARDS, VALUES, NEXT, flags(6, 2), flags(6, 4), 0.9, 0.8)
    assert np.array_equal(gae(*beside, 0.9, 0.8), np.hstack([alone, alone]))


@pytest.mark.parametrize("trace", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("discount", [0.0, 0.4, 0.99, 1.0])
def test_gae_in_closed_form(discount, trace):
    """As SB3's test_gae: one reward, at the end, values 1: A_t = sum (gamma lambda)^k (gamma - 1) + (gamma lambda)^(T-1-t) (r - gamma)."""
    length, reward = 8, 3.0
    rewards, values = np.zeros((length, 1)), np.ones((length, 1))
    rewards[-1] = reward
    found = gae(rewards, values, values, flags(length, length - 1), flags(length), discount, trace)
    for t in range(length):
        left = length - 1 - t
        expected = sum((discount * trace) ** k * (discount - 1) for k in range(left)) + (discount * trace) ** left * (reward - 1)
        assert found[t, 0] == pytest.approx(expected, abs=1e-12)


# rlax/_src/vtrace_test.py: two sequences, discounts of their own at every step, lambda 1.
BEHAVIOUR = np.array([[[8.9, 0.7], [5.0, 1.0], [0.6, 0.1], [-0.9, -0.1]], [[0.3, -5.0], [1.0, -8.0], [0.3, 1.7], [4.7, 3.3]]])
TARGET = np.array([[[0.4, 0.5], [9.2, 8.8], [0.7, 4.4], [7.9, 1.4]], [[1.0, 0.9], [1.0, -1.0], [-4.3, 8.7], [0.8, 0.3]]])
TAKEN = np.array([[0, 1, 0, 0], [1, 0, 0, 1]])
V_REWARDS = np.array([[-1.3, -1.3, 2.3, 42.0], [1.3, 5.3, -3.3, -5.0]]).T
V_DISCOUNTS = np.array([[0.0, 0.89, 0.85, 0.99], [0.88, 1.0, 0.83, 0.95]]).T
V_VALUES = np.array([[2.1, 1.1, -3.1, 0.0], [3.1, 0.1, -1.1, 7.4]]).T
V_NEXT = np.vstack([V_VALUES[1:], [8.4, -1.2]])
NONE = np.zeros((4, 2), bool)


def ratios():
    def probs(logits):
        shares = np.exp(logits - logits.max(-1, keepdims=True))
        return np.take_along_axis(shares / shares.sum(-1, keepdims=True), TAKEN[..., None], -1)[..., 0]

    return (probs(TARGET) / probs(BEHAVIOUR)).T


def test_vtrace_vectors_of_rlax():
    found = vtrace(V_REWARDS, V_VALUES, V_NEXT, ratios(), NONE, NONE, V_DISCOUNTS)
    expected = np.array([[-1.6155143, -3.4973226, 1.8670533, 50.316002], [1.4662437, 3.6116405, -8.3327293e-5, -13.54]]).T
    assert found.errors == pytest.approx(expected, rel=1e-3)
    assert found.errors[:, 0] == pytest.approx([-1.6155143, -3.4973224, 1.8670535, 50.316], rel=1e-6)
    assert found.advantages == pytest.approx(expected, rel=1e-3)  # one clip for both, lambda 1: the advantage is the error
    assert np.array_equal(found.targets, found.errors + V_VALUES)


def test_a_termination_is_a_discount_of_zero():
    """The first sequence's first discount is 0: the same as terminating there, whatever the next value says."""
    discounts, nexts, ends = V_DISCOUNTS.copy(), V_NEXT.copy(), NONE.copy()
    discounts[0, 0], nexts[0, 0], ends[0, 0] = 0.9, np.nan, True
    found = vtrace(V_REWARDS, V_VALUES, nexts, ratios(), ends, NONE, discounts)
    assert found.errors == pytest.approx(vtrace(V_REWARDS, V_VALUES, V_NEXT, ratios(), NONE, NONE, V_DISCOUNTS).errors, abs=1e-12)


def test_the_advantage_at_lambda_goes_on_from_what_the_next_step_is_worth():
    """rlax's test_lambda_q_estimate: with pg_clip as rho_clip the advantage is the error, where lambda weights both."""
    found = vtrace(V_REWARDS, V_VALUES, V_NEXT, ratios(), NONE, NONE, V_DISCOUNTS, trace=0.8)
    assert found.advantages == pytest.approx(found.errors, abs=1e-9)


numbers = st.floats(-5, 5, allow_nan=False).map(lambda x: round(x, 3))


@st.composite
def experiences(draw):
    """Rollouts whose columns are episodes one after another, some cut off, some columns shorter than the rest."""
    steps, episodes = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = (steps, episodes)
    fate = rng.choice(3, size=shape, p=draw(st.sampled_from([(1, 0, 0), (0.6, 0.2, 0.2), (0.2, 0.5, 0.3)])))
    mask = np.ones(shape, bool)
    if draw(st.booleans()):
        mask = np.arange(steps)[:, None] < rng.integers(0, steps + 1, episodes)
    rewards, values, after = rng.normal(size=(3, *shape))
    for t in range(steps - 1):  # inside an episode, what came after is what is seen next
        inside = (fate[t] == 0) & mask[t + 1]
        after[t, inside] = values[t + 1, inside]
    for array in (rewards, values, after):
        array[~mask] = np.nan
    after[fate == 1] = np.nan
    ratio = np.where(mask, rng.lognormal(size=shape), np.nan)
    return rewards, values, after, fate == 1, fate == 2, mask, ratio


def episode_from(t, column, terminated, mask):
    """Return the steps from t to where its episode, its column or the rollout ends."""
    rows = []
    while t < len(mask) and mask[t, column]:
        rows.append(t)
        if terminated[t, column]:
            break
        t += 1
    return rows


def every_step(experience, worth):
    """Return `worth(rows, column)` of every step that was taken, and 0 elsewhere."""
    rewards, _, _, terminated, truncated, mask, _ = experience
    out = np.zeros_like(rewards)
    for t, n in zip(*np.nonzero(mask), strict=True):
        out[t, n] = worth(episode_from(t, n, terminated | truncated, mask), n)
    return out


def followed(experience, t, n):
    return 0.0 if experience[3][t, n] else experience[2][t, n]


@settings(max_examples=150, deadline=None)
@given(experiences(), st.sampled_from([0.0, 0.7, 1.0]), st.sampled_from([0.0, 0.6, 1.0]))
def test_gae_is_the_sum_of_discounted_errors(experience, discount, trace):
    rewards, values, after, terminated, truncated, mask, _ = experience

    def worth(rows, n):
        errors = [rewards[t, n] + discount * followed(experience, t, n) - values[t, n] for t in rows]
        return sum((discount * trace) ** k * error for k, error in enumerate(errors))

    assert gae(rewards, values, after, terminated, truncated, discount, trace, mask) == pytest.approx(
        every_step(experience, worth), abs=1e-9
    )


@settings(max_examples=150, deadline=None)
@given(experiences(), st.sampled_from([0.0, 0.7, 1.0]), st.sampled_from([1, 2, 3, 9, None]))
def test_n_step_returns_are_sums_of_rewards_and_a_value(experience, discount, n_steps):
    rewards, _, after, terminated, truncated, mask, _ = experience

    def worth(rows, n):
        rows = rows if n_steps is None else rows[:n_steps]
        sum_of = sum(discount**k * rewards[t, n] for k, t in enumerate(rows))
        return sum_of + discount ** len(rows) * followed(experience, rows[-1], n)

    found = n_step_returns(rewards, after, terminated, truncated, discount, n_steps, mask)
    assert found == pytest.approx(every_step(experience, worth), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(experiences(), st.sampled_from([0.0, 0.7, 1.0]), st.sampled_from([0.0, 0.6, 1.0]))
def test_lambda_returns_mix_n_step_returns(experience, discount, trace):
    rewards, _, after, terminated, truncated, mask, _ = experience

    def worth(rows, n):
        total, n_step = 0.0, 0.0
        for k, t in enumerate(rows):
            n_step += discount**k * rewards[t, n]
            share = trace**k * (1 - trace if k < len(rows) - 1 else 1)
            total += share * (n_step + discount ** (k + 1) * followed(experience, t, n))
        return total

    found = lambda_returns(rewards, after, terminated, truncated, discount, trace, mask)
    assert found == pytest.approx(every_step(experience, worth), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(experiences(), st.sampled_from([0.0, 0.7, 1.0]))
def test_returns_to_go_add_rewards_only(experience, discount):
    rewards, _, _, terminated, truncated, mask, _ = experience
    found = returns_to_go(rewards, terminated, truncated, discount, mask)
    assert found == pytest.approx(
        every_step(experience, lambda rows, n: sum(discount**k * rewards[t, n] for k, t in enumerate(rows))), abs=1e-9
    )


@settings(max_examples=150, deadline=None)
@given(experiences(), st.sampled_from([0.0, 0.7, 1.0]), st.sampled_from([0.0, 0.6, 1.0]), st.sampled_from([0.5, 1.0, 10.0]))
def test_vtrace_is_the_sum_of_the_paper(experience, discount, trace, clip):
    """Espeholt et al. 2018, equation 1, and the policy gradient below it."""
    rewards, values, after, terminated, truncated, mask, ratio = experience

    def error(rows, n):
        total, reach = 0.0, 1.0
        for t in rows:
            total += reach * min(clip, ratio[t, n]) * (rewards[t, n] + discount * followed(experience, t, n) - values[t, n])
            reach *= discount * trace * min(1.0, ratio[t, n])
        return total

    def advantage(rows, n):
        after_it = followed(experience, rows[0], n) + (trace * error(rows[1:], n) if len(rows) > 1 else 0.0)
        return min(2.0, ratio[rows[0], n]) * (rewards[rows[0], n] + discount * after_it - values[rows[0], n])

    found = vtrace(rewards, values, after, ratio, terminated, truncated, discount, trace, clip, 1.0, 2.0, mask)
    assert found.errors == pytest.approx(every_step(experience, error), abs=1e-9)
    assert found.advantages == pytest.approx(every_step(experience, advantage), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(experiences(), st.sampled_from([0.0, 0.7, 1.0]), st.sampled_from([0.0, 0.6, 1.0]))
def test_vtrace_without_a_difference_is_gae_and_without_overlap_nothing(experience, discount, trace):
    rewards, values, after, terminated, truncated, mask, _ = experience
    flat = rewards, values, after, np.ones_like(rewards), terminated, truncated, discount, trace
    found = vtrace(*flat, mask=mask)
    expected = gae(rewards, values, after, terminated, truncated, discount, trace, mask)
    assert found.errors == pytest.approx(expected, abs=1e-9)
    assert found.advantages == pytest.approx(expected, abs=1e-9)
    nothing = vtrace(rewards, values, after, np.zeros_like(rewards), terminated, truncated, discount, trace, mask=mask)
    assert not nothing.errors.any()
    assert not nothing.advantages.any()
