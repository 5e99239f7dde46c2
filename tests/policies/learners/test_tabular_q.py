"""Tabular Q-learning against value iteration, and its updates worked by hand."""

import numpy as np
import pytest

from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.experience import Rollout
from policies.learners.tabular_q import TabularQ
from tests.policies.known_mdps import KnownBatch, KnownMDP
from tests.policies.toy_calls import collected

SPACES = Spaces(("left", "right"), observations=4, width=4)


def learned(mdp: KnownMDP, limit: int, total: int, **params) -> TabularQ:
    learner = TabularQ(**params)
    env = KnownBatch(mdp, learner.envs, limit)
    env.reset(np.random.SeedSequence(0))
    learner.begin(env.spaces, np.random.SeedSequence(1))
    while learner.steps_ < total:
        learner.partial_fit(collected(env, learner))
    return learner


@pytest.mark.parametrize(
    ("env_id", "options", "gamma", "start"),
    [
        ("FrozenLake-v1", {}, 0.99, 0.5420259320),
        ("FrozenLake-v1", {}, 0.95, 0.1804715784),
        ("FrozenLake-v1", {"is_slippery": False}, 0.99, 0.9509900499),
        ("FrozenLake-v1", {"map_name": "8x8"}, 0.99, 0.4146403618),
        ("CliffWalking-v1", {}, 1.0, -13.0),
        ("CliffWalking-v1", {}, 0.99, -12.2478977001),
        ("Taxi-v4", {}, 1.0, 7.930),
        ("Taxi-v4", {}, 0.99, 6.327464),
    ],
)
def test_the_yardstick_is_the_known_one(env_id, options, gamma, start) -> None:
    mdp = KnownMDP(env_id, **options)
    assert mdp.starts @ mdp.best(gamma).max(1) == pytest.approx(start, abs=1e-6)


def test_frozen_lake_is_learned() -> None:
    """Slippery, so only falling steps (Robbins and Monro) come to rest: within .02 of V*(start) and .1 of every Q*; the policy is best."""
    mdp = KnownMDP("FrozenLake-v1")
    best = mdp.best(0.99)
    learner = learned(mdp, 100, 1_000_000, alpha="visits:0.6", gamma=0.99, epsilon=0.5)
    assert learner.values_.max(1)[0] == pytest.approx(0.5420259320, abs=0.02)
    assert np.abs(learner.values_ - best)[learner.counts_ > 100].max() < 0.1
    assert mdp.value(learner.policy().probs, 0.99) == pytest.approx(0.5420259320, rel=0.02)


def test_cliff_walking_is_learned() -> None:
    """Nothing is left to chance there, so a step size of 1 is right and the values become exact."""
    mdp = KnownMDP("CliffWalking-v1")
    learner = learned(mdp, 500, 150_000, alpha=1.0, epsilon=0.1, envs=64)
    assert learner.values_.max(1) @ mdp.starts == pytest.approx(-13, abs=1e-9)
    assert mdp.value(learner.policy().probs, 1.0) == pytest.approx(-13, abs=1e-9)


def test_taxi_is_learned_though_calls_are_cut_off() -> None:
    """Cut off after 25 steps, too few for many starts to arrive by chance: right only if a cut is not taken for an end."""
    mdp = KnownMDP("Taxi-v4")
    learner = learned(mdp, 25, 1_200_000, alpha=1.0, gamma=0.99, epsilon=0.2)
    assert learner.values_.max(1) @ mdp.starts == pytest.approx(6.327464, abs=0.01)
    assert mdp.value(learner.policy().probs, 0.99) == pytest.approx(6.327464, abs=0.01)


@pytest.mark.parametrize("n", [3, 0])
def test_longer_returns_stay_right_off_policy(n) -> None:
    """Acting wholly at random, the values still become those of the best policy, since returns end before a step that is not greedy."""
    mdp = KnownMDP("FrozenLake-v1", is_slippery=False)
    learner = learned(mdp, 100, 200_000, alpha="visits:0.6", gamma=0.9, epsilon=1.0, n=n, steps=8, envs=64)
    assert learner.values_.max(1)[0] == pytest.approx(0.9**5, abs=0.01)


def test_returns_that_are_not_cut_are_worth_what_was_done() -> None:
    """The same without the cut learns the value of acting at random, which is far lower."""
    mdp = KnownMDP("FrozenLake-v1", is_slippery=False)
    learner = learned(mdp, 100, 200_000, alpha="visits:1", gamma=0.9, epsilon=1.0, n=0, cut=False, steps=100, envs=64)
    assert learner.values_.max(1)[0] < 0.3


def rollout(observations, actions, rewards, after, terminated=None, truncated=None) -> Rollout:
    """One column."""
    column = [np.array(part)[:, None] for part in (observations, actions, rewards, after)]
    flags = [np.zeros(column[0].shape, bool) if part is None else np.array(part)[:, None] for part in (terminated, truncated)]
    return Rollout(column[0], column[1], np.full(column[0].shape, np.nan), column[2].astype(float), column[3], *flags)


def begun(**params) -> TabularQ:
    return TabularQ(**params).begin(SPACES, np.random.SeedSequence(0))


def test_one_step_by_hand() -> None:
    """Q = [[0, 0], [2, 4], ...]: r + gamma max Q(1, .) = 1 + .5 * 4 = 3, half the way from 0 is 1.5; terminated, 1 and .5; cut off, 1.5."""
    for flags, value in (({}, 1.5), ({"terminated": [True]}, 0.5), ({"truncated": [True]}, 1.5)):
        learner = begun(alpha=0.5, gamma=0.5)
        learner.values_[1] = 2, 4
        learner.partial_fit(rollout([0], [1], [1], [1], **flags))
        assert learner.values_[0].tolist() == [0, value]
        assert learner.counts_[0].tolist() == [0, 1]


def test_watkins_return_by_hand() -> None:
    """Steps 0-1-2-3-end, rewards 1, 2, 4, 8, gamma .5; Q(1) = [6, 0], Q(2) = [0, 3], Q(3) = [1, 0].

    Actions right, left (greedy in 1), left (not greedy in 2), left (greedy in 3), which terminates.
    In 3: 8. In 2: 4 + .5 * 8 = 8. In 1: cut before the step in 2: 2 + .5 * 3 = 3.5. In 0: 1 + .5 * 3.5 = 2.75.
    Two steps at most: in 0 1 + .5 * 2 + .25 * 3 = 2.75 as well, the cut comes first.
    Without the cut, all: 1 + .5 (2 + .5 (4 + .5 * 8)) = 4.
    """
    steps = rollout([0, 1, 2, 3], [1, 0, 0, 0], [1, 2, 4, 8], [1, 2, 3, 0], terminated=[False, False, False, True])
    for params, expected in (
        ({"n": 0}, [2.75, 3.5, 8, 8]),
        ({"n": 2}, [2.75, 3.5, 8, 8]),
        ({"n": 0, "cut": False}, [4, 6, 8, 8]),
        ({"n": 1}, [1 + 0.5 * 6, 2 + 0.5 * 3, 4 + 0.5 * 1, 8]),
    ):
        learner = begun(alpha=1.0, gamma=0.5, **params)
        learner.values_[1:] = [6, 0], [0, 3], [1, 0]
        learner.partial_fit(steps)
        assert learner.values_[[0, 1, 2, 3], [1, 0, 0, 0]].tolist() == expected


def test_a_cell_met_often_in_a_batch_counts_every_time() -> None:
    """Five endings worth 1, 2, 3, 4, 5 are their mean with steps of 1/k, however they come; of alpha .5, 1 - .5^5 of the way to it."""
    together = Rollout(
        *(np.zeros((1, 5), int), np.ones((1, 5), int), np.full((1, 5), np.nan), np.arange(1.0, 6)[None], np.zeros((1, 5), int)),
        terminated=np.ones((1, 5), bool),
        truncated=np.zeros((1, 5), bool),
    )
    learner = begun(alpha="visits:1")
    learner.partial_fit(together)
    assert learner.values_[0, 1] == pytest.approx(3)
    single = begun(alpha="visits:1")
    for reward in (5, 3, 1, 2, 4):
        single.partial_fit(rollout([0], [1], [reward], [0], terminated=[True]))
    assert single.values_[0, 1] == pytest.approx(3)
    assert single.counts_[0, 1] == learner.counts_[0, 1] == 5
    learner = begun(alpha=0.5)
    learner.partial_fit(together)
    assert learner.values_[0, 1] == pytest.approx(3 * (1 - 0.5**5))


def test_a_large_table_learns_as_a_small_one() -> None:
    """Above some size cells are sorted instead of counted through."""
    rng = np.random.default_rng(0)
    parts = rng.integers(0, 4, (3, 8)), rng.integers(0, 2, (3, 8)), np.ones((3, 8)), rng.normal(size=(3, 8)), rng.integers(0, 4, (3, 8))
    flags = rng.random((3, 8)) < 0.3, np.zeros((3, 8), bool)
    small, large = begun(), TabularQ().begin(Spaces(("left", "right"), observations=50_000, width=1), np.random.SeedSequence(0))
    for _ in range(3):
        small.partial_fit(Rollout(*parts, *flags)), large.partial_fit(Rollout(*parts, *flags))
    np.testing.assert_allclose(large.values_[:4], small.values_, atol=1e-12)
    np.testing.assert_allclose(large.probs_[:4], small.probs_, atol=1e-12)
    assert (large.counts_[:4] == small.counts_).all()


def test_a_high_start_makes_it_try_everything() -> None:
    """Greedy from the start: with 0 the first action that earns anything stays; from 10 both are tried until they are known."""
    for initial, tried in ((0.0, 1), (10.0, 2)):
        learner = TabularQ(alpha=0.1, epsilon=0.0, initial=initial).begin(SPACES, np.random.SeedSequence(5))
        for _ in range(200):
            (action,), _ = learner.act(np.zeros(1, int))
            learner.partial_fit(rollout([0], [action], [1 + action], [0], terminated=[True]))
        assert (learner.counts_[0] > 0).sum() == tried


def test_equal_actions_are_taken_equally_often() -> None:
    actions, probs = begun(epsilon=0.0).act(np.zeros(10_000, int))
    assert abs(actions.mean() - 0.5) < 0.025
    assert set(probs) == {0.5}


def test_epsilon_follows_its_schedule() -> None:
    learner = begun(epsilon="linear:1:0:10")
    learner.partial_fit(rollout([0], [1], [1], [0], terminated=[True]))
    for chance in (0.8, 1.0):
        learner.partial_fit(rollout([3] * 5, [0] * 5, [0] * 5, [0] * 5, terminated=[True] * 5))
        seen, probs = learner.act(np.zeros(1000, int))
        assert probs[seen == 1] == pytest.approx(chance)
        assert (seen == 1).mean() == pytest.approx(chance, abs=0.05)


def test_what_was_never_tried_is_not_served() -> None:
    """An untried action's 0 would beat a tried one's -1."""
    learner = begun()
    learner.partial_fit(rollout([0], [1], [-1], [0], terminated=[True]))
    assert learner.policy().probs[0].tolist() == [0, 1]
    assert learner.policy().probs[1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("spaces", "told"),
    [
        (Spaces(("a", "b"), width=3), "needs discrete observations"),
        (Spaces(("a", "b"), continuous=True, observations=3), "needs discrete actions"),
    ],
)
def test_what_does_not_fit_into_a_table_is_refused(spaces, told) -> None:
    with pytest.raises(UsageProblem, match=told):
        TabularQ().begin(spaces, np.random.SeedSequence(0))


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"alpha": "fast"}, "no schedule"),
        ({"epsilon": 1.5}, "schedule 1.5 leaves the range"),
        ({"n": -5}, "n of learner q is -5; it may be 0 or more"),
        ({"gamma": 2}, "gamma of learner q is 2; it may be 0 to 1"),
        ({"gamma": np.nan}, "gamma of learner q is nan; it may be 0 to 1"),
    ],
)
def test_wrong_parameters_are_told(params, told) -> None:
    with pytest.raises(UsageProblem, match=told):
        TabularQ(**params).begin(SPACES, np.random.SeedSequence(0))


def test_as_many_actions_as_you_like() -> None:
    """Beyond 128 actions a byte no longer counts them."""
    for width in (1, 128, 200):
        learner = TabularQ(epsilon=0.0).begin(Spaces(tuple(map(str, range(width))), observations=2, width=2), np.random.SeedSequence(0))
        actions, probs = learner.act(np.ones(20_000, int))
        assert set(actions.tolist()) == set(range(width))
        np.testing.assert_allclose(probs, 1 / width)
        learner.values_[1, width - 1] = 1
        learner.partial_fit(rollout([1], [0], [0], [1], terminated=[True]))
        assert set(learner.act(np.ones(100, int))[0].tolist()) == {width - 1 if width > 1 else 0}
