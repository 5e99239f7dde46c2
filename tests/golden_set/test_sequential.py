"""When to look: levels against published boundaries and against simulation; the plan of looks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from golden_set.sequential import FIRST, STEP, levels, looks, spent


@pytest.mark.parametrize(
    ("fractions", "alpha", "boundaries"),
    [
        # Lan and DeMets 1983 with the spending function like Pocock's, five equal looks, one-sided 0.025 (ldbounds, gsDesign).
        ([0.2, 0.4, 0.6, 0.8, 1.0], 0.025, [2.438, 2.427, 2.410, 2.397, 2.386]),
        ([1.0], 0.025, [1.960]),
        ([1.0], 0.05, [1.645]),
    ],
)
def test_boundaries_that_are_published(fractions: list[float], alpha: float, boundaries: list[float]) -> None:
    assert stats.norm.isf(levels(fractions, alpha)) == pytest.approx(boundaries, abs=0.0011)


def test_two_looks_against_the_bivariate_normal() -> None:
    # The second boundary solves P(Z1 < b1, Z2 < b2) = 1 - alpha, where Z1 and Z2 have the correlation sqrt(1/2).
    one, two = stats.norm.isf(levels([0.5, 1.0], 0.05))
    inside = stats.multivariate_normal(cov=[[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]]).cdf([one, two])
    assert inside == pytest.approx(0.95, abs=2e-5)
    assert stats.norm.sf(one) == pytest.approx(spent(0.5, 0.05))


@pytest.mark.parametrize("often", [True, False])
def test_all_looks_together_err_as_often_as_they_may(often: bool) -> None:
    # Means of ever more normal episodes that did not move: the chance that any look's one-sided test errs is 0.05 (SE 0.09 %).
    plan = looks(60, 3, 0.05, often=often)
    information = np.array([look.episodes + 60 * look.run for look in plan], dtype=float)
    steps = np.sqrt(np.diff(information, prepend=0.0))
    walk = (np.random.default_rng(3).normal(size=(60_000, len(plan))) * steps).cumsum(1) / np.sqrt(information)
    assert (walk > stats.norm.isf([look.level for look in plan])).any(1).mean() == pytest.approx(0.05, abs=0.003)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.sampled_from([0.01, 0.025, 0.05, 0.1]))
def test_levels_spend_what_they_may(steps: list[int], alpha: float) -> None:
    fractions = np.cumsum(steps) / sum(steps)
    found = levels(list(fractions), alpha)
    shares = np.diff([spent(at, alpha) for at in fractions], prepend=0.0)
    assert spent(1.0, alpha) == pytest.approx(alpha)
    assert found[0] == pytest.approx(shares[0])
    assert all(share - 1e-9 <= level <= alpha + 1e-9 for share, level in zip(shares, found, strict=True))
    assert sum(found) >= alpha - 1e-7  # each look errs on its own; some err together


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 50), st.integers(1, 4), st.booleans())
def test_a_plan_looks_at_ever_more_and_ends_with_everything(episodes: int, runs: int, often: bool) -> None:
    plan = looks(episodes, runs, 0.05, often=often)
    asked = [look.episodes + look.run * episodes for look in plan]
    assert asked == sorted(set(asked))
    assert (plan[-1].episodes, plan[-1].run) == (episodes, runs - 1)
    assert [look.run for look in plan if look.episodes == episodes] == list(range(runs))
    parts = [look for look in plan if look.episodes < episodes]
    assert all(look.run == 0 and (look.episodes - FIRST) % STEP == 0 and look.episodes <= episodes - STEP for look in parts)
    assert bool(parts) == (often and episodes >= FIRST + STEP)
    assert all(0 < look.level <= 0.05 + 1e-9 for look in plan)


def test_one_look_costs_nothing() -> None:
    (look,) = looks(60, 1, 0.05, often=False)
    assert (look.episodes, look.run, look.level) == (60, 0, pytest.approx(0.05))
