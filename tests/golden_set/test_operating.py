"""How often the gate is right, by seeded simulation; `python -m golden_set.simulation` is the long form."""

import numpy as np
import pytest

from golden_set.equivalence import ALPHA
from golden_set.sequential import looks
from golden_set.simulation import MARGIN, ONCE, Noise, expected, latent_drift, operating, opinions, rated

SIMS = 10_000


def test_the_gate_errs_at_the_margin_no_more_often_than_it_says() -> None:
    found = operating(MARGIN, ONCE, sims=SIMS, seed=2)
    assert found.passed <= 0.06
    assert found.failed <= 0.06


def test_turns_taken_as_independent_fail_the_same_test() -> None:
    """The guard against somebody who drops the clusters: the error of the naive test is visibly above what is allowed."""
    naive = operating(MARGIN, ONCE, sims=3000, seed=2, unit=np.ravel)
    assert naive.passed > 0.07


def test_an_unchanged_judge_passes_with_sixty_episodes() -> None:
    assert operating(0.0, ONCE, sims=600, seed=3).passed >= 0.95


@pytest.mark.parametrize("often", [True, False])
def test_looking_often_costs_no_error(often: bool) -> None:
    found = operating(MARGIN, looks(60, 3, ALPHA, often=often), sims=4000, seed=4)
    assert found.passed <= 0.06 + 0.004  # one standard error of the simulation
    assert found.failed <= 0.06 + 0.004


def test_looking_on_the_way_saves_ratings_at_the_same_errors() -> None:
    fixed = 60
    unchanged = operating(0.0, looks(60, 3, ALPHA), sims=600, seed=5)
    broken = operating(0.5, looks(60, 3, ALPHA), sims=300, seed=5)
    assert unchanged.passed >= 0.95 and unchanged.asked <= 0.7 * fixed
    assert broken.failed >= 0.99 and broken.asked <= 0.3 * fixed


def test_seven_criteria_pass_together_and_one_that_moved_fails() -> None:
    unchanged = operating(0.0, looks(60, 3, ALPHA), sims=100, seed=6, criteria=7)
    assert unchanged.passed >= 0.95 and unchanged.failed == 0
    assert operating(0.3, looks(60, 3, ALPHA), sims=60, seed=6, criteria=7).failed == 1.0


def test_the_simulated_judge_drifts_by_what_is_said() -> None:
    rng, noise = np.random.default_rng(7), Noise()
    latent = opinions(rng, 3000)
    by = latent_drift(latent, MARGIN, noise)
    assert expected(latent + by, noise).mean() - expected(latent, noise).mean() == pytest.approx(MARGIN, abs=1e-9)
    # Means of ratings are what the formula says: four standard errors of 3,000 x 5 turns in each of 2 runs, and the runs' own.
    assert rated(rng, latent[None], noise, 2).mean() == pytest.approx(
        expected(latent, noise).mean(), abs=4 * (0.5 / np.sqrt(30_000) + 0.01)
    )
    assert set(np.unique(rated(rng, latent[None], noise, 1))) == {1.0, 2.0, 3.0, 4.0, 5.0}
