"""LinUCB: the paper's algorithm written naively beside it, its regret, its probabilities, and credit by returns."""

import copy
import pickle

import numpy as np
import pytest

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.experience import Rollout
from policies.learners.linucb import LinUCB
from policies.linear_policy import LinearPolicy

ACTIONS = ("a", "b", "c")
VECTORS = Spaces(ACTIONS, width=4)
ENCODING = Encoding((Field("stage", ("x", "y", "z")), Field("mood", ("bad", "good"))))
TABLE = Spaces(ACTIONS, observations=ENCODING.size, width=ENCODING.width, encoding=ENCODING)


def begun(spaces: Spaces = VECTORS, seed: int = 0, **params: object) -> LinUCB:
    return LinUCB(**params).begin(spaces, np.random.SeedSequence(seed))


class Naive:
    """Li et al. 2010, algorithm 1, to the letter: A and b are kept, and inverted each time."""

    def __init__(self, arms: int, width: int, alpha: float) -> None:
        self.a, self.b, self.alpha = np.stack([np.eye(width)] * arms), np.zeros((arms, width)), alpha

    def bounds(self, x: np.ndarray) -> np.ndarray:
        inverses = np.linalg.inv(self.a)
        return np.array([(inv @ b) @ x + self.alpha * np.sqrt(x @ inv @ x) for inv, b in zip(inverses, self.b, strict=True)])

    def update(self, x: np.ndarray, arm: int, reward: float) -> None:
        self.a[arm] += np.outer(x, x)
        self.b[arm] += reward * x


def test_it_decides_as_the_paper_does() -> None:
    rng = np.random.default_rng(0)
    learner, naive = begun(alpha=0.7, epsilon=0.0), Naive(3, 5, 0.7)
    theta = rng.standard_normal((3, 5))
    for _ in range(2000):
        x = rng.standard_normal(5)
        action, prob = learner.decide(x)
        bounds = naive.bounds(x)
        assert bounds[action] >= bounds.max() - 1e-9
        assert prob == pytest.approx(1 / (bounds >= bounds.max() - 1e-12).sum())
        reward = float(theta[action] @ x + 0.1 * rng.standard_normal())
        learner.update(x, action, reward)
        naive.update(x, action, reward)
    assert np.abs(learner.inverses - np.linalg.inv(naive.a)).max() < 1e-9
    assert np.abs(learner.weights - np.linalg.solve(naive.a, naive.b[..., None])[..., 0]).max() < 1e-9


def regret(epsilon: float, alpha: float, n: int = 1500) -> tuple[float, float]:
    """Return the regret of the first and of the last third of n decisions."""
    rng = np.random.default_rng(5)
    learner, theta = begun(alpha=alpha, epsilon=epsilon), rng.standard_normal((3, 5))
    lost = []
    for _ in range(n):
        x = rng.standard_normal(5)
        values = theta @ x
        action, _ = learner.decide(x)
        lost.append(float(values.max() - values[action]))
        learner.update(x, action, float(values[action] + 0.5 * rng.standard_normal()))
    return sum(lost[: n // 3]), sum(lost[-n // 3 :])


def test_regret_shrinks_where_that_of_chance_does_not() -> None:
    early, late = regret(0.0, 1.0)
    chance_early, chance_late = regret(1.0, 1.0)
    assert late < 0.25 * early
    assert early < 0.4 * chance_early
    assert chance_late > 0.8 * chance_early


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
@pytest.mark.parametrize("tied", [True, False])
def test_probabilities_are_how_often_it_does_so(epsilon: float, tied: bool) -> None:
    learner = begun(epsilon=epsilon)
    x = np.array([1.0, 0.5, -1, 0, 1])
    learner.update(x, 0, -3.0)
    if not tied:
        learner.update(x, 1, -1.0)
    # tied: b and c are alike, and better than a; else c alone is best
    expected = {True: [0, 0.5, 0.5], False: [0, 0, 1.0]}[tied]
    chances = (1 - epsilon) * np.array(expected) + epsilon / 3
    drawn = [learner.decide(x) for _ in range(4000)]
    assert np.allclose(np.bincount([action for action, _ in drawn], minlength=3) / 4000, chances, atol=0.04)
    assert all(prob == pytest.approx(chances[action]) for action, prob in drawn)
    actions, probs = learner.act(np.tile(x[:4], (4000, 1)))
    assert np.allclose(np.bincount(actions, minlength=3) / 4000, chances, atol=0.04)
    assert np.allclose(probs, chances[actions])


def rollout(spaces: Spaces, steps: int, n: int, seed: int, **parts: object) -> Rollout:
    rng = np.random.default_rng(seed)
    shape = (steps, n)
    seen = rng.integers(6, size=shape) if spaces.observations else rng.standard_normal((*shape, 4))
    given = {
        "observations": seen,
        "actions": rng.integers(3, size=shape),
        "probs": np.full(shape, np.nan),
        "rewards": rng.standard_normal(shape),
        "next_observations": seen,
        "terminated": rng.random(shape) < 0.3,
        "truncated": np.zeros(shape, bool),
    }
    return Rollout(**given | parts)


@pytest.mark.parametrize("spaces", [VECTORS, TABLE])
@pytest.mark.parametrize(("steps", "n"), [(1, 2), (1, 40)])  # 40 steps see six rows several times, 2 steps do not
def test_a_rollout_equals_one_at_a_time(spaces: Spaces, steps: int, n: int) -> None:
    learner, other = begun(spaces, credit="reward"), begun(spaces, credit="reward")
    for seed in range(30):
        given = rollout(spaces, steps, n, seed)
        learner.partial_fit(given)
        for seen, action, reward in zip(given.observations[0], given.actions[0], given.rewards[0], strict=True):
            x = ENCODING.features[seen] if spaces is TABLE else np.append(seen, 1.0)
            other.update(x, int(action), float(reward))
    assert np.allclose(learner.arms_, other.arms_, rtol=0, atol=1e-9)
    assert learner.counts_.sum() == 30 * n


def test_loss_is_the_squared_error_before_learning() -> None:
    given = rollout(VECTORS, 1, 10, 0)
    learner = begun(credit="reward")
    assert learner.partial_fit(given)["loss"] == pytest.approx(float((given.rewards**2).mean()))
    held = (np.append(given.observations[0], np.ones((10, 1)), 1) * learner.weights[given.actions[0]]).sum(1)
    assert learner.partial_fit(given)["loss"] == pytest.approx(float(((given.rewards[0] - held) ** 2).mean()))


def test_return_credit_waits_for_the_end() -> None:
    """An episode over two rollouts, gamma .5: rewards 1, 2 | 4 (end), 8: returns 1 + .5 * 2 + .25 * 4 = 3, 2 + .5 * 4 = 4, 4; 8 waits."""
    learner, other = begun(TABLE, gamma=0.5), begun(TABLE, credit="reward")
    no, column = np.zeros((2, 1), bool), np.array([[0], [1]])
    first = rollout(TABLE, 2, 1, 0, observations=column, actions=column, rewards=np.array([[1.0], [2.0]]), terminated=no)
    second = rollout(
        TABLE, 2, 1, 1, observations=column + 2, actions=column, rewards=np.array([[4.0], [8.0]]), terminated=np.array([[True], [False]])
    )
    assert learner.partial_fit(first) == {}
    assert not learner.counts_.any()
    learner.partial_fit(second)
    for row, action, earned in ((0, 0, 3.0), (1, 1, 4.0), (2, 0, 4.0)):
        other.update(ENCODING.features[row], action, earned)
    assert np.allclose(learner.arms_, other.arms_, atol=1e-12)
    assert learner.counts_[:3].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_a_cut_episode_goes_on_with_what_the_best_action_promises() -> None:
    learner = begun(TABLE, gamma=0.5, ridge=1e-9)
    for row in range(6):
        learner.update(ENCODING.features[row], 1, 10.0)
    learner.update(ENCODING.features[0], 2, -5.0)
    other = copy.deepcopy(learner)
    one = np.ones((1, 1), bool)
    given = rollout(
        TABLE, 1, 1, 0, observations=np.array([[4]]), actions=np.array([[0]]), rewards=np.array([[1.0]]),
        next_observations=np.array([[3]]), terminated=~one, truncated=one,
    )  # fmt: skip
    learner.partial_fit(given)
    other.update(ENCODING.features[4], 0, 1 + 0.5 * 10)
    assert np.allclose(learner.weights, other.weights, atol=1e-5)


def test_masked_steps_are_not_looked_at() -> None:
    mask = np.random.default_rng(9).random((3, 8)) < 0.6
    for spaces in (VECTORS, TABLE):
        given = rollout(spaces, 3, 8, 4, mask=mask, on_policy=False)
        dirty = np.where(mask, given.rewards, np.nan)
        one, two = begun(spaces), begun(spaces)
        one.partial_fit(given)
        two.partial_fit(rollout(spaces, 3, 8, 4, mask=mask, on_policy=False, rewards=dirty))
        assert np.array_equal(one.arms_, two.arms_)
        assert one.counts_.sum() == mask.sum()


def test_it_serves_the_best_estimate_of_what_was_tried() -> None:
    learner = begun(VECTORS)
    x = np.array([1.0, 0, 0, 0, 1])
    learner.update(x, 0, -1.0)
    learner.update(x, 2, -2.0)
    policy = learner.policy()
    assert isinstance(policy, LinearPolicy)
    assert policy.probs(x[None, :4]).tolist() == [[1.0, 0, 0]]  # b was never tried: its estimate of 0 is no reason to take it
    table = begun(TABLE)
    table.update(ENCODING.features[0], 1, -1.0)
    assert (table.policy().probs[:, 1] == 1).all()
    assert np.allclose(begun(TABLE).policy().probs, 1 / 3)


def test_a_copy_goes_on_for_itself() -> None:
    learner = begun()
    x = np.array([1.0, 0.5, -1, 0, 1])
    learner.update(x, 0, 1.0)
    for other in (copy.deepcopy(learner), pickle.loads(pickle.dumps(learner)), begun(seed=1).restore(copy.deepcopy(learner.state()))):
        before = learner.arms_.copy()
        other.update(x, 0, 5.0)
        assert np.array_equal(learner.arms_, before)
        assert learner.counts_.tolist() == [[1, 0, 0]]
        assert other.counts_.tolist() == [[2, 0, 0]]
        assert other.weights[0] @ x > 2 * (learner.weights[0] @ x)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"credit": "regret"}, "return or reward"),
        ({"epsilon": 1.5}, "epsilon of learner linucb is 1.5; it may be 0 to 1"),
        ({"gamma": 7}, "gamma of learner linucb is 7; it may be 0 to 1"),
        ({"alpha": -1}, "alpha"),
        ({"ridge": 0.0}, "ridge"),
    ],
)
def test_wrong_parameters_are_told(params: dict, message: str) -> None:
    with pytest.raises(UsageProblem, match=message):
        begun(**params)


def test_continuous_actions_are_refused() -> None:
    with pytest.raises(UsageProblem, match="take a2c"):
        begun(Spaces(("x", "y"), continuous=True, width=3))
