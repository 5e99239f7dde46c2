"""The generalizability study against an example worked by hand, statsmodels' analysis of variance, and worlds with known components."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from golden_set.simulation_variance import TYPICAL, World, ratings, recover
from golden_set.variance import BOTH, ITEM, PROMPT, RUN, Components, Span, Study

# Three items × two prompts × two runs, in the style of Shavelson and Webb. Means of the runs:
#          p1  p2  item
#   i1      1   3    2      grand mean 4; means of prompts 10/3 and 14/3
#   i2      3   5    4
#   i3      6   6    6      every run is 1/2 off its mean
# SS item   = 2·2·((2−4)² + (4−4)² + (6−4)²) = 32, 2 degrees of freedom: MS 16
# SS prompt = 3·2·((10/3−4)² + (14/3−4)²) = 6·8/9 = 16/3, 1 degree: MS 16/3
# Left of the cells: ∓1/3, ∓1/3, ±2/3: SS both = 2·(1/9+1/9+1/9+1/9+4/9+4/9) = 8/3, 2 degrees: MS 4/3
# SS run    = 12·(1/2)² = 3, 3·2·(2−1) = 6 degrees: MS 1/2
# σ²run = 1/2; σ²both = (4/3 − 1/2)/2 = 5/12; σ²prompt = (16/3 − 4/3)/(3·2) = 2/3; σ²item = (16 − 4/3)/(2·2) = 11/3
CELLS = np.array([[1.0, 3.0], [3.0, 5.0], [6.0, 6.0]])
BY_HAND = np.stack([CELLS - 0.5, CELLS + 0.5], axis=2)


def test_the_example_worked_by_hand() -> None:
    study = Study.of(BY_HAND, np.arange(3))
    assert study.squares == pytest.approx([16, 16 / 3, 4 / 3, 1 / 2])
    assert study.from_squares == pytest.approx([11 / 3, 2 / 3, 5 / 12, 1 / 2])
    assert study.estimates == pytest.approx(study.from_squares)
    found = study.components
    # In twelfths: 44, 8, 5 and 6. Φ = 44/(44+8+5+6); with two prompts 44/(44+4+2.5+3); with two runs of one 44/(44+8+5+3).
    assert found.phi() == pytest.approx(44 / 63)
    assert found.phi(2, 1) == pytest.approx(44 / 53.5)
    assert found.phi(1, 2) == pytest.approx(44 / 60)
    assert found.g() == pytest.approx(44 / 55)
    assert found.g(2, 2) == pytest.approx(44 / (44 + 2.5 + 1.5))


@pytest.mark.parametrize(("items", "prompts", "runs"), [(8, 3, 2), (12, 2, 4), (5, 6, 3)])
def test_mean_squares_are_those_of_an_independent_analysis_of_variance(items: int, prompts: int, runs: int) -> None:
    values = np.random.default_rng(items).normal(3, 1, (items, prompts, runs)) + np.arange(items)[:, None, None]
    frame = pd.DataFrame([(i, p, values[i, p, r]) for i, p, r in np.ndindex(*values.shape)], columns=["item", "prompt", "rating"])
    table = anova_lm(ols("rating ~ C(item) * C(prompt)", frame).fit())
    study = Study.of(values, np.arange(items))
    assert study.squares == pytest.approx(table["mean_sq"].to_numpy())


def test_leaving_an_episode_out_is_a_study_without_it() -> None:
    values, episode = ratings(World("", TYPICAL, episodes=6, turns=3, prompts=3), np.random.default_rng(1))
    study = Study.of(values, episode)
    for out in range(6):
        kept = episode != out
        without = Study.of(values[kept], np.unique(episode[kept], return_inverse=True)[1])
        assert study.left_out[out] == pytest.approx(without.squares)


# Known truth


@pytest.mark.parametrize(
    "world",
    [
        World("episodes", TYPICAL, turns=1),
        World("turns", TYPICAL),
        World("turns much alike", Components(0.5, 0.05, 0.2, 0.1), clustered=0.6),
    ],
    ids=lambda world: world.name,
)
def test_components_are_within_two_standard_errors_of_known_truth(world: World) -> None:
    found = recover(world, 400, seed=1, spans=False)
    truth = [world.truth.item, world.truth.prompt, world.truth.item_prompt, world.truth.residual]
    assert np.abs(found.mean - truth) / found.se == pytest.approx([0] * 4, abs=2)


@pytest.mark.parametrize(
    "world",
    [
        World("turns", TYPICAL),
        World("episodes", TYPICAL, turns=1),
        World("levels", TYPICAL, turns=1, levels=5),
        World("strong prompts", Components(0.5, 0.1, 0.1, 0.1)),
    ],
    ids=lambda world: world.name,
)
def test_the_interval_of_phi_holds_the_truth_as_often_as_it_says(world: World) -> None:
    assert recover(world, 400, seed=0).covered >= 0.93


def test_percentiles_of_a_bootstrap_of_episodes_do_not_see_that_prompts_are_few() -> None:
    found = recover(World("strong prompts", Components(0.5, 0.1, 0.1, 0.1)), 150, bootstraps=150)
    assert found.percentiles is not None
    assert found.percentiles < 0.85 < found.covered


def test_mean_squares_of_turns_alone_would_be_off() -> None:
    world = World("turns much alike", Components(0.5, 0.0, 0.2, 0.1), episodes=10, turns=8, clustered=0.9)
    studies = [Study.of(*ratings(world, np.random.default_rng(seed))) for seed in range(300)]
    assert np.mean([study.from_squares[PROMPT] for study in studies]) > 0.01  # what episodes and prompts share is taken for prompts'
    assert abs(np.mean([study.estimates[PROMPT] for study in studies])) < 0.005


# What does not vary


def test_a_deterministic_judge_that_reads_no_prompt_has_no_other_variance_than_the_items() -> None:
    values = np.repeat(np.repeat(np.random.default_rng(0).normal(3, 1, (40, 1, 1)), 4, axis=1), 2, axis=2)
    study = Study.of(values, np.repeat(np.arange(20), 2))
    found = study.components
    assert (found.prompt, found.item_prompt, found.residual) == (0, 0, 0)
    assert (found.g(), found.phi(), study.phi_span()) == (1, 1, Span(1, 1))
    assert [study.span(part) for part in (PROMPT, BOTH, RUN)] == [Span(0, 0)] * 3


def test_a_judge_that_always_says_the_same_tells_nothing() -> None:
    study = Study.of(np.full((20, 3, 2), 3.0), np.arange(20))
    assert study.components == Components(0, 0, 0, 0)
    assert (study.components.phi(), study.components.g(), study.phi_span(), study.supported) == (None, None, None, False)


def test_only_noise_has_a_phi_of_nothing() -> None:
    study = Study.of(np.random.default_rng(3).normal(3, 1, (60, 6, 2)), np.arange(60))
    span = study.phi_span()
    assert span is not None
    assert span.low < 0.01
    assert span.high < 0.4


def test_one_flip_in_a_deterministic_judge_is_no_trouble() -> None:
    values = np.repeat(np.repeat(np.random.default_rng(0).normal(3, 1, (40, 1, 1)), 4, axis=1), 2, axis=2)
    values[7, 1, 1] += 1
    span = Study.of(values, np.arange(40)).phi_span()
    assert span is not None
    assert 0.9 < span.low < span.high <= 1


def test_what_rests_on_a_few_episodes_is_not_supported() -> None:
    rare = np.zeros((60, 4, 2))
    rare[:2] = 1
    assert not Study.of(rare, np.arange(60)).supported
    half = np.zeros((60, 4, 2))
    half[:30] = 1
    assert Study.of(half, np.arange(60)).support == pytest.approx(60)


@pytest.mark.parametrize(("items", "prompts", "runs"), [(1, 2, 2), (4, 1, 2), (4, 2, 1), (0, 2, 2)])
def test_a_study_needs_two_of_each(items: int, prompts: int, runs: int) -> None:
    with pytest.raises(ValueError, match="a study needs two of each"):
        Study.of(np.zeros((items, prompts, runs)), np.arange(items))


# Laws

shapes = st.tuples(st.integers(4, 12), st.integers(2, 4), st.integers(2, 3), st.integers(0, 10_000))


@settings(max_examples=30, deadline=None)
@given(shapes, st.floats(0.1, 10), st.floats(-100, 100))
def test_a_shift_of_everything_changes_nothing_and_a_factor_its_square(
    shape: tuple[int, int, int, int], factor: float, shift: float
) -> None:
    *size, seed = shape
    values = np.random.default_rng(seed).normal(0, 1, size)
    one = Study.of(values, np.arange(size[0])).estimates
    other = Study.of(factor * values + shift, np.arange(size[0])).estimates
    assert other == pytest.approx(factor**2 * one, rel=1e-6, abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(shapes, st.integers(0, 100))
def test_the_order_of_items_prompts_and_runs_does_not_matter(shape: tuple[int, int, int, int], order: int) -> None:
    *size, seed = shape
    values = np.random.default_rng(seed).normal(0, 1, size)
    episode = np.repeat(np.arange(size[0] // 2 + 1), 2)[: size[0]]
    rng = np.random.default_rng(order)
    items, prompts, runs = (rng.permutation(count) for count in size)
    one = Study.of(values, episode)
    other = Study.of(values[items][:, prompts][:, :, runs], episode[items])
    assert other.estimates == pytest.approx(one.estimates)


@given(st.tuples(*[st.floats(0, 10)] * 4), st.integers(1, 5), st.integers(1, 5))
def test_more_prompts_and_more_runs_never_hurt(variances: tuple[float, float, float, float], prompts: int, runs: int) -> None:
    found = Components(*variances)
    phi = found.phi(prompts, runs)
    if phi is None:
        assert found.total == 0
        return
    assert 0 <= phi <= (found.g(prompts, runs) or 0) + 1e-12
    assert (found.phi(prompts + 1, runs) or 0) >= phi - 1e-12
    assert (found.phi(prompts, runs + 1) or 0) >= phi - 1e-12
    assert (found.phi(prompts * runs, 1) or 0) >= phi - 1e-12  # for as many ratings, prompts buy no less than repeats


def test_the_parts_are_named_in_the_order_of_the_arrays() -> None:
    assert (ITEM, PROMPT, BOTH, RUN) == (0, 1, 2, 3)
