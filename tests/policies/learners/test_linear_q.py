"""Linear Q: tabular Q-learning where features are one-hot, the least-squares fixed point where they are not, and divergence told."""

import numpy as np
import pytest

from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.experience import Rollout
from policies.learners.linear_q import LinearQ
from policies.learners.tabular_q import TabularQ
from policies.linear_policy import LinearPolicy

TABLE = Spaces(("a", "b"), observations=5, width=5)
ONE = np.ones((1, 1), bool)


def begun(spaces: Spaces = TABLE, **params: object) -> LinearQ:
    return LinearQ(**params).begin(spaces, np.random.SeedSequence(0))


def step(seen: object, action: object, reward: object, after: object, ended: object, cut: object = False) -> Rollout:
    """Return one step of one episode."""
    return Rollout(
        np.array([[seen]]), np.array([[action]]), np.ones((1, 1)), np.array([[reward]], float), np.array([[after]]),
        np.array([[ended]], bool), np.array([[cut]], bool),
    )  # fmt: skip


Taken = tuple[int, int, float, int, bool, bool]


def random_steps(n: int, seed: int = 0) -> list[Taken]:
    rng = np.random.default_rng(seed)
    seen, action, after = rng.integers(5, size=n), rng.integers(2, size=n), rng.integers(5, size=n)
    ended, cut = rng.random(n) < 0.2, rng.random(n) < 0.2
    return list(zip(seen.tolist(), action.tolist(), rng.normal(size=n).tolist(), after.tolist(), ended.tolist(), cut.tolist(), strict=True))


def test_with_one_hot_features_it_is_tabular_q_learning() -> None:
    """Watkins 1989 written down beside it: nothing comes after a termination, and a cut goes on."""
    learner, q = begun(alpha=0.3, gamma=0.9), np.zeros((5, 2))
    for seen, action, reward, after, ended, cut in random_steps(800):
        learner.partial_fit(step(seen, action, reward, after, ended, cut and not ended))
        q[seen, action] += 0.3 * (reward + (0 if ended else 0.9 * q[after].max()) - q[seen, action])
    assert np.abs(learner.weights_.T - q).max() < 1e-12
    assert np.abs(learner.policy().values - q).max() < 1e-12


@pytest.mark.parametrize("params", [{"n": 1}, {"n": 3}, {"n": 0}, {"alpha": 0.2, "n": 1}, {"alpha": "visits:1", "n": 2}])
def test_batches_with_one_hot_features_are_those_of_the_tabular_learner(params: dict) -> None:
    rng = np.random.default_rng(2)
    settings = {"gamma": 0.9, "alpha": "visits:0.8:0.005"} | params
    one, two = begun(**settings), TabularQ(**settings).begin(TABLE, np.random.SeedSequence(0))
    for _ in range(40):
        shape = (4, 7)
        ended = rng.random(shape) < 0.2
        mask = rng.random(shape) < 0.8
        given = Rollout(
            rng.integers(5, size=shape), rng.integers(2, size=shape), np.full(shape, np.nan), rng.normal(size=shape),
            rng.integers(5, size=shape), ended, ~ended & (rng.random(shape) < 0.1), mask, on_policy=False,
        )  # fmt: skip
        assert one.partial_fit(given)["loss"] == pytest.approx(two.partial_fit(given)["loss"])
    assert np.abs(one.weights_.T - two.values_).max() < 1e-12
    assert np.array_equal(one.counts_, two.counts_)


# Five states in a row and two features each; one action, so Q-learning is evaluation of a chain that goes on, or ends, by chance.
PHI = np.array([[1.0, 0.2], [0.6, 0.5], [0.3, 1.0], [0.9, -0.4], [0.1, 0.8]])
MOVES = np.array(
    [[0.1, 0.6, 0.2, 0.0, 0.0], [0.2, 0.1, 0.5, 0.1, 0], [0.0, 0.3, 0.1, 0.3, 0.2], [0.4, 0, 0.2, 0.1, 0.1], [0.3, 0.1, 0.1, 0.2, 0.2]]
)
EARNED = np.array([1.0, -0.5, 2.0, 0.3, -1.0])


def test_it_settles_where_least_squares_td_does() -> None:
    """The fixed point A w = b with A = sum d(s) x (x - gamma E x')', here with a 1 as third feature; d is how often states come."""
    rng = np.random.default_rng(3)
    spaces, gamma = Spaces(("go",), width=2), 0.9
    starts = np.full(5, 0.2)
    going = MOVES + np.outer(1 - MOVES.sum(1), starts)  # a call that ended begins anew
    visits = np.linalg.matrix_power(going.T, 200)[:, 0]
    x = np.column_stack([PHI, np.ones(5)])
    a = x.T @ (visits[:, None] * (x - gamma * MOVES @ x))
    fixed = np.linalg.solve(a, x.T @ (visits * EARNED))
    # a small constant step; 64 episodes side by side, 6,000 batches, the last 3,000 averaged (Polyak and Juditsky 1992)
    learner = begun(spaces, alpha=0.02, gamma=gamma)
    at, mean = rng.choice(5, size=64, p=visits), np.zeros(3)
    bounds, chain = MOVES.cumsum(1), starts.cumsum()
    for k in range(6000):
        drawn = rng.random(64)
        to = (bounds[at] <= drawn[:, None]).sum(1)
        ended = to == 5
        after = np.minimum(to, 4)
        noise = rng.normal(0, 0.2, 64)
        learner.partial_fit(
            Rollout(
                PHI[at][None], np.zeros((1, 64), int), np.ones((1, 64)), (EARNED[at] + noise)[None], PHI[after][None], ended[None],
                np.zeros((1, 64), bool),
            )
        )  # fmt: skip
        at = np.where(ended, (chain <= rng.random(64)[:, None]).sum(1), after)
        if k >= 3000:
            mean += learner.weights_[0] / 3000
    assert np.abs(mean - fixed).max() < 0.05, (mean, fixed)
    exact = np.linalg.solve(np.eye(5) - gamma * MOVES, EARNED)
    assert np.abs(x @ fixed - exact).max() > 0.2  # the features cannot hold the values: it is the fixed point, not the values


def test_scale_of_features_does_not_matter_to_the_step() -> None:
    """A single step of alpha .5 moves its own value half of the way, whether features are small or large."""
    for scale in (1e-3, 1.0, 1e3):
        learner = begun(Spaces(("a", "b"), width=2), alpha=0.5, gamma=0.0)
        seen = np.array([3.0, -4.0]) * scale
        learner.partial_fit(step(seen, 1, 8.0, seen, False))
        assert np.append(seen, 1) @ learner.weights_[1] == pytest.approx(4.0)
        assert not learner.weights_[0].any()


def test_divergence_is_noticed_and_told() -> None:
    """Tsitsiklis and Van Roy's example: values w and 2w, only the first is learned from, towards 2 * gamma * w: w grows for ever."""
    learner = begun(Spaces(("go",), width=1), alpha=1.0, gamma=1.0)
    learner.weights_ = np.array([[1.0, 0.0]])
    with pytest.raises(UsageProblem, match=r"grow without bound .* alpha=1.0 and gamma=1; take a smaller alpha") as told:
        for _ in range(500):
            learner.partial_fit(step(np.array([1.0]), 0, 0.0, np.array([3.0]), False))
    assert "\n" not in str(told.value)


def test_it_learns_a_task_of_vectors() -> None:
    """Value 1 for going to the side where the point is: linear Q on (x, 1) must find the sign of x."""
    rng = np.random.default_rng(1)
    learner = begun(Spaces(("left", "right"), width=1), envs=32)
    for _ in range(400):
        x = rng.uniform(-1, 1, (1, 32, 1))
        actions, probs = learner.act(x[0])
        rewards = np.where((x[0, :, 0] > 0) == (actions == 1), 1.0, 0.0)
        learner.partial_fit(Rollout(x, actions[None], probs[None], rewards[None], x, np.ones((1, 32), bool), np.zeros((1, 32), bool)))
    policy = learner.policy()
    assert isinstance(policy, LinearPolicy)
    points = np.linspace(-1, 1, 41)
    clear = np.abs(points) > 0.15
    assert np.array_equal(policy.probs(points[:, None])[clear, 1], (points[clear] > 0).astype(float))


def test_probabilities_follow_the_schedule() -> None:
    learner = begun(epsilon="linear:1:0.2:100", alpha=0.5)
    assert np.allclose(learner.probs_, 0.5)
    for _ in range(100):
        learner.partial_fit(step(0, 1, 1.0, 0, True))
    assert np.allclose(learner.probs_[0], [0.1, 0.9])
    assert np.allclose(learner.probs_[1], [0.5, 0.5])  # a tie is shared


def test_never_tried_actions_are_not_served() -> None:
    learner = begun()
    learner.partial_fit(step(3, 0, -1.0, 0, True))
    assert (learner.policy().probs[:, 0] == 1).all()
    assert np.allclose(begun().policy().probs, 0.5)


def test_nothing_is_learned_from_nothing() -> None:
    learner = begun()
    nothing = step(0, 0, 1.0, 0, True)
    assert learner.partial_fit(Rollout(*(getattr(nothing, name) for name in nothing.__slots__[:7]), mask=~ONE)) == {}
    assert not learner.weights_.any()


def test_continuous_actions_are_refused() -> None:
    with pytest.raises(UsageProblem, match="take a2c"):
        begun(Spaces(("x", "y"), continuous=True, width=3))
