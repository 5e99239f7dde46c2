"""Candidate against baseline: what passes, how many episodes are asked for, and that guaranteed bounds are what they say."""

import numpy as np
import pytest
from scipy import stats

from policies.ope.bootstrap import bootstrap
from policies.ope.comparison import CAUTION, finding, guaranteed_finding, pair
from policies.ope.evaluation import Evaluator
from policies.ope.known_logs import debt
from policies.ope.ratios import Ratios
from policies.ope.simulation_deploy import check, equal
from policies.ope.small_mdp import SmallProcess


def draws(gain: float, n: int = 400, seed: int = 0) -> dict[str, Ratios]:
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, 3, n)  # moves both, and their difference not at all
    own = rng.normal(0, 1, n)
    return pair(Ratios.mean(shared + gain + own - own.mean()), Ratios.mean(shared))


def test_the_difference_is_paired() -> None:
    found = finding(bootstrap(draws(0.2), np.random.default_rng(1), 3000), 0.95, 0.0, caution=1.0)
    assert found.difference == pytest.approx(0.2)
    assert found.difference_low == pytest.approx(0.2 - stats.norm.ppf(0.95) / 20, abs=0.01)  # 1 / √400, without the 3 that they share
    assert found.candidate_low < found.candidate - 3 * stats.norm.ppf(0.95) / 20
    careful = finding(bootstrap(draws(0.2), np.random.default_rng(1), 3000), 0.95, 0.0)
    assert careful.difference_low == pytest.approx(0.2 - stats.norm.ppf(1 - 0.05 * CAUTION) / 20, abs=0.01)


def test_how_many_episodes_would_show_it() -> None:
    """(z.95 + z.80)² · 1² / .05² = 2,473 of standard deviation 1; never, where the candidate is not even better by the margin."""
    many = finding(bootstrap(draws(0.05), np.random.default_rng(1), 300), 0.95, 0.0, caution=1.0).needed
    assert many == pytest.approx((stats.norm.ppf(0.95) + stats.norm.ppf(0.8)) ** 2 / 0.05**2, rel=0.1)
    assert finding(bootstrap(draws(0.05), np.random.default_rng(1), 300), 0.95, 0.06).needed is None
    fewer = finding(bootstrap(draws(0.15), np.random.default_rng(1), 300), 0.95, 0.1, caution=1.0).needed
    assert fewer == pytest.approx(many, rel=0.01)  # a gain of .05 above the margin


def test_a_candidate_that_is_no_better_rarely_passes_and_a_better_one_mostly() -> None:
    """The fast form of `python -m policies.ope.simulation_deploy`: 150 logs of 200 debt calls.

    Of checks that pass with .05, at most 14 of 150 do in 99 % of all runs (binomial); the seed is fixed.
    """
    same, better = equal(), debt(0.4, 0.3)
    assert same.value == pytest.approx(same.acted, abs=1e-9) and better.value > better.acted + 0.2
    assert np.abs(same.target.probs - same.actor.probs).max() > 0.1
    assert check(same, 200, 150, seed=3, draws=300).passed <= 14 / 150
    assert check(better, 200, 60, seed=4, draws=300).passed >= 0.6


def test_guaranteed_bounds_of_a_difference_are_those_of_its_sides() -> None:
    process = SmallProcess.random(2)
    actor, target = process.policy(1, 0.5), process.policy(2, 0.5)
    rollout = process.log(actor, 4000, np.random.default_rng(0))
    candidate, other = Evaluator(rollout, target), Evaluator(rollout, actor)
    found = guaranteed_finding(candidate, None, -8.0, 8.0, 0.95)
    assert found.difference == pytest.approx(found.candidate - found.baseline)
    assert found.difference_low < process.value(target) - process.value(actor) and found.candidate_low < process.value(target)
    by_weight = guaranteed_finding(candidate, other, -8.0, 8.0, 0.95)
    assert by_weight.baseline == pytest.approx(found.baseline)  # the actor's own weights are all 1
    assert by_weight.difference_low < process.value(target) - process.value(actor) and by_weight.needed is None
