"""The bandits: means by cell, credit, bounds and posterior by hand or against SciPy, and the best arm found."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.bandit import Bandit
from policies.contract import PASSES
from policies.experience import Rollout
from policies.learners.epsilon_greedy import EpsilonGreedy
from policies.learners.linucb import LinUCB
from policies.learners.thompson import Thompson
from policies.learners.ucb1 import UCB1
from tests.policies.toy_calls import ToyCalls, collected

SPACES = Spaces(("a", "b", "c"), observations=2, width=2)
WORTH = np.array([[0.1, 0.5, 0.3], [0.8, 0.2, 0.6]])  # chance of a reward of 1
ALL = (EpsilonGreedy, UCB1, Thompson)
PARTS = ("observations", "actions", "probs", "rewards", "next_observations", "terminated", "truncated")


def begun(learner: Bandit, seed: int = 0) -> Bandit:
    return learner.begin(SPACES, np.random.SeedSequence(seed))


def single(observations, actions, rewards, probs=None, on_policy=True) -> Rollout:
    """Episodes of one step, side by side."""
    seen, taken, earned = np.array([observations]), np.array([actions]), np.array([rewards], float)
    chance = np.full(seen.shape, np.nan) if probs is None else np.array([probs], float)
    ends = np.ones(seen.shape, bool)
    return Rollout(seen, taken, chance, earned, seen, ends, ~ends, on_policy=on_policy)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("credit", ["return", "reward"])
def test_means_are_the_means_of_all(kind, credit) -> None:
    learner = begun(kind(credit=credit))
    rng = np.random.default_rng(0)
    batches = [(rng.integers(0, 2, 40), rng.integers(0, 3, 40), rng.normal(size=40)) for _ in range(5)]
    for batch in batches:
        learner.partial_fit(single(*batch))
    seen, taken, earned = (np.concatenate(part) for part in zip(*batches, strict=True))
    for row in range(2):
        for action in range(3):
            cell = (seen == row) & (taken == action)
            assert learner.counts_[row, action] == cell.sum()
            assert learner.values_[row, action] == pytest.approx(earned[cell].mean())
            if kind is Thompson:
                assert learner.deviations_[row, action] == pytest.approx(earned[cell].var() * cell.sum())


@pytest.mark.parametrize("kind", ALL)
def test_the_best_arm_of_each_context_is_found(kind) -> None:
    learner = begun(kind(credit="reward"))
    rng = np.random.default_rng(1)
    earned = []
    for _ in range(150):
        seen = rng.integers(0, 2, 32)
        actions, _ = learner.act(seen)
        rewards = (rng.random(32) < WORTH[seen, actions]).astype(float)
        earned.append(rewards.mean())
        learner.partial_fit(single(seen, actions, rewards))
    policy = learner.policy()
    assert policy.probs.argmax(1).tolist() == [1, 0]
    assert np.mean(earned[-50:]) > 0.53  # the best is .65 on average, at random .417
    assert policy.counts.sum() == 150 * 32


@pytest.mark.parametrize("kind", ALL)
def test_without_context_there_is_one_row_for_all(kind) -> None:
    learner = begun(kind(context=False, credit="reward"))
    learner.partial_fit(single([0, 1, 1, 0], [2, 2, 0, 1], [1, 3, 0, 0]))
    assert learner.values_.tolist() == [[0, 0, 2]]
    policy = learner.policy()
    assert policy.probs.tolist() == [[0, 0, 1], [0, 0, 1]]
    assert policy.counts.tolist() == [[1, 1, 2], [1, 1, 2]]


def test_steps_wait_for_the_end_of_their_episode() -> None:
    """The same stream in rollouts of 2 and of 10 steps gives the same means: no step is lost, none learned before its time."""
    actor, env = EpsilonGreedy(steps=40, epsilon=1.0), ToyCalls(6)
    env.reset(np.random.SeedSequence(3))
    stream = collected(env, actor.begin(env.spaces, np.random.SeedSequence(4)))
    stream = replace(stream, terminated=stream.ends, truncated=np.zeros_like(stream.ends))  # a cut would go on from the means so far
    learners = []
    for steps in (2, 10):
        learner = EpsilonGreedy().begin(env.spaces, np.random.SeedSequence(5))
        for at in range(0, 40, steps):
            learner.partial_fit(Rollout(*(getattr(stream, part)[at : at + steps] for part in PARTS)))
        learners.append(learner)
    short, long = learners
    assert (short.counts_ == long.counts_).all()
    assert 200 < short.counts_.sum() < 240
    np.testing.assert_allclose(short.values_, long.values_)


def test_later_rewards_of_a_log_can_be_weighted() -> None:
    """One episode: a in 0, then b in 1, which earns 6; logged with .5 and .25. The bandit would act at random: b has 1/3.

    Not weighted, a in 0 is worth 6. Weighted, 6 * (1/3) / (1/4) = 8; b in 1 is worth 6 both ways.
    """
    seen, taken = np.array([[0], [1]]), np.array([[0], [1]])
    ends = np.array([[False], [True]])
    episode = Rollout(seen, taken, np.array([[0.5], [0.25]]), np.array([[0.0], [6.0]]), seen, ends, ends & False, on_policy=False)
    for weighted, worth in ((False, 6), (True, 8)):
        learner = begun(EpsilonGreedy(weighted=weighted, epsilon=1.0))
        learner.partial_fit(episode)
        assert learner.values_[0, 0] == pytest.approx(worth)
        assert learner.values_[1, 1] == pytest.approx(6)


def test_weighting_needs_probabilities() -> None:
    with pytest.raises(UsageProblem, match="2 of 2 logged steps have no probability"):
        begun(EpsilonGreedy(weighted=True)).partial_fit(single([0, 1], [0, 1], [1, 1], on_policy=False))


@pytest.mark.parametrize(
    ("learner", "told"),
    [
        (EpsilonGreedy(credit="turn"), "credit of learner bandit is 'turn'; it may be return or reward"),
        (EpsilonGreedy(longest=-3), "longest of learner bandit is -3; it may be 1 or more"),
        (EpsilonGreedy(epsilon="linear:5:0:100"), "schedule 'linear:5:0:100' leaves the range"),
        (EpsilonGreedy(alpha=-0.1), "schedule -0.1 leaves the range"),
        (UCB1(epsilon=5), "epsilon of learner ucb1 is 5; it may be 0 to 1"),
        (UCB1(spread=float("nan")), "spread of learner ucb1 is nan; it may be 0 or more"),
        (Thompson(draws=0), "draws of learner thompson is 0; it may be 1 or more"),
        (Thompson(mean=float("inf")), "mean of learner thompson is inf; it may be any finite number"),
        (Thompson(strength=-1), "strength of learner thompson is -1; it may be 1e-12 or more"),
    ],
)
def test_wrong_parameters_are_told(learner, told) -> None:
    with pytest.raises(UsageProblem) as problem:
        begun(learner)
    assert told in str(problem.value)


@pytest.mark.parametrize(
    ("learner", "passes"),
    [
        (EpsilonGreedy(), 1),
        (EpsilonGreedy(alpha="visits:1.0"), 1),
        (EpsilonGreedy(alpha=0.1), PASSES),
        (EpsilonGreedy(alpha="visits:0.8:0.005"), PASSES),
        (UCB1(), 1),
        (Thompson(), 1),
        (LinUCB(), 1),
    ],
)
def test_who_counts_sees_a_log_once(learner, passes) -> None:
    assert learner.passes == passes


def test_upper_bounds_by_hand() -> None:
    """In 0: means .5, .4 after 8 and 2 pulls, c untried, so c. Then c earns 0 once: bounds (n = 11, 2 ln 11 = 4.7958)
    .5 + sqrt(4.7958 / 8) = 1.274, .4 + sqrt(4.7958 / 2) = 1.949, 0 + sqrt(4.7958) = 2.190: c again, and after 3 more zeros
    (n = 14, 5.2781) 1.312, 2.024, 0 + sqrt(5.2781 / 4) = 1.149: b."""
    learner = begun(UCB1(epsilon=0.3))
    learner.partial_fit(single([0] * 10, [0] * 8 + [1] * 2, [1, 0] * 4 + [0.4, 0.4]))
    for best, zeros in ((2, 1), (2, 3), (1, 1)):
        expected = np.full(3, 0.1)
        expected[best] = 0.8
        np.testing.assert_allclose(learner.probs_[0], expected)
        learner.partial_fit(single([0] * zeros, [2] * zeros, [0] * zeros))
    np.testing.assert_allclose(learner.probs_[1], 1 / 3)  # untried, all alike


def test_the_spread_scales_the_bounds() -> None:
    """Means .9 and .1 after 50 pulls each: with rewards in a range of .1 nothing but a can be best, of 10 everything can."""
    for spread, best in ((0.1, 0), (10.0, 2)):
        learner = begun(UCB1(spread=spread, epsilon=0.0))
        learner.partial_fit(single([0] * 101, [0] * 50 + [1] * 50 + [2], [0.9] * 50 + [0.1] * 50 + [0.1]))
        assert learner.probs_[0, best] == 1


def test_the_posterior_is_normal_inverse_gamma() -> None:
    """Against the marginal of the mean by numerical integration over the variance, prior and likelihood as written down."""
    data = np.array([0.3, 1.1, -0.4, 0.9])
    mean, strength, spread = 0.2, 0.5, 1.5
    learner = begun(Thompson(mean=mean, strength=strength, spread=spread, credit="reward"))
    for part in (data[:1], data[1:]):
        learner.partial_fit(single([0] * len(part), [1] * len(part), part))
    location, scale, freedom = (part[0, 1] for part in learner.posterior(np.array([0])))
    mus, variances = np.linspace(-4, 5, 1201)[:, None], np.exp(np.linspace(-7, 9, 1601))[None, :]
    log = stats.norm.logpdf(mus, mean, np.sqrt(variances / strength)) + stats.invgamma.logpdf(variances, 1, scale=spread**2)
    log = log + sum(stats.norm.logpdf(x, mus, np.sqrt(variances)) for x in data)
    density = (np.exp(log) * variances).sum(1)  # times the variance: the grid is even in its logarithm
    density /= density.sum() * (mus[1, 0] - mus[0, 0])
    np.testing.assert_allclose(stats.t.pdf(mus[:, 0], freedom, location, scale), density, atol=2e-3)


def test_actions_are_taken_as_often_as_they_may_be_best() -> None:
    """Against P(b > a) by integrating over both Student t; 40,000 draws leave a standard error of .0025."""
    learner = Thompson(draws=40_000, epsilon=0.0, credit="reward").begin(
        Spaces(("a", "b"), observations=1, width=1), np.random.SeedSequence(2)
    )
    learner.partial_fit(single([0] * 9, [0] * 5 + [1] * 4, [0.5, 0.7, 0.2, 0.4, 0.9, 1.0, 0.3, 1.2, 0.8]))
    location, scale, freedom = (part[0] for part in learner.posterior(np.array([0])))
    grid = np.linspace(-8, 9, 40_001)
    below = stats.t.cdf(grid, freedom[0], location[0], scale[0])
    chance = np.trapezoid(below * stats.t.pdf(grid, freedom[1], location[1], scale[1]), grid)
    assert learner.probs_[0, 1] == pytest.approx(chance, abs=0.0125)


def test_the_logged_probability_is_the_one_acted_with() -> None:
    """Weighting by it is unbiased: over many actions the mean of 1{b} / p is 1, however few draws made the probability."""
    learner = begun(Thompson(draws=7, epsilon=0.3, credit="reward"))
    learner.partial_fit(single([0, 0, 0], [0, 1, 2], [0.4, 0.5, 0.6]))
    actions, probs = learner.act(np.zeros(50_000, int))
    for action in range(3):
        assert ((actions == action) / probs).mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("epsilon", ["visits:0.5:0.02", "linear:1:0:100"])
def test_epsilon_follows_its_schedule(epsilon) -> None:
    """After 16 steps in context 0: 1/sqrt(16) = .25 there; linearly 1 - 16 / 100 = .84 in every context."""
    learner = begun(EpsilonGreedy(epsilon=epsilon))
    learner.partial_fit(single([0] * 16, [0] * 16, [1] * 16))
    share = 0.25 if epsilon.startswith("visits") else 0.84
    assert learner.probs_[0, 0] == pytest.approx(1 - share * 2 / 3)
    _, probs = learner.act(np.zeros(100, int))
    assert set(np.round(probs, 9)) <= {round(1 - share * 2 / 3, 9), round(share / 3, 9)}
