"""Decisions that turn around: examples worked by hand, what noise alone does, and intervals that take episodes as the units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_set.flips import LEAST_GROUP, advantages, rank_flips, sign_flips, verdict_flips


def test_verdicts_by_hand() -> None:
    # Two episodes of two turns and one; two prompts with two runs: (p1r1, p1r2 | p2r1, p2r2).
    verdicts = np.array([[[1, 1], [0, 0]], [[1, 1], [1, 0]], [[0, 0], [0, 0]]])
    # By another prompt (4 pairs of raters): turn 1 always, turn 2 in 2 of 4, turn 3 never. Episodes: (1 + 1/2)/2 = 3/4 and 0: 3/8.
    # By another run (2 pairs): never, 1 of 2, never. Episodes: 1/4 and 0: 1/8.
    found = verdict_flips(verdicts, np.array([0, 0, 1]))
    assert (found.prompts.value, found.runs.value, found.excess.value) == pytest.approx((3 / 8, 1 / 8, 1 / 4))
    assert found.prompts.episodes == 2


def test_advantages_are_what_a_turn_is_better_than_usual_at_its_place() -> None:
    units = np.concatenate([np.full(LEAST_GROUP, 0.5), np.full(LEAST_GROUP, -0.5)])[:, None, None] + np.zeros((1, 2, 2))
    units[0] = 1.5
    units[:, 1] -= 0.3  # a stricter prompt
    places = np.repeat([0, 1], LEAST_GROUP)
    found = advantages(units, places)
    # At the first place the mean is (1.5 + 9 · 0.5) / 10 = 0.6; at the second every turn is usual.
    assert found[0] == pytest.approx(np.full((2, 2), 0.9))
    assert found[1] == pytest.approx(np.full((2, 2), -0.1))
    assert (found[LEAST_GROUP:] == 0).all()


def test_late_places_with_few_turns_are_taken_together() -> None:
    units = np.arange(12.0)[:, None, None]
    places = np.array([0] * 10 + [1, 2])
    found = advantages(units, places)  # all one group: less than ten at places 1 and 2
    assert found[:, 0, 0] == pytest.approx(units[:, 0, 0] - units.mean())


def test_signs_by_hand() -> None:
    advantage = np.array([[[0.2, 0.1], [-0.1, 0.3]], [[0.0, 0.4], [-0.4, -0.1]]])
    # Turn 1, other prompt: (.2,-.1) flips, (.2,.3) no, (.1,-.1) flips, (.1,.3) no: 1/2; other run: no, flips: 1/2.
    # Turn 2, other prompt: 0 has no sign: twice no, (.4,-.4) and (.4,-.1) flip: 1/2; other run: no, no: 0.
    found = sign_flips(advantage, np.array([0, 1]))
    assert (found.prompts.value, found.runs.value) == pytest.approx((1 / 2, 1 / 4))


def test_ranks_by_hand() -> None:
    # Three episodes; the second prompt puts the first two the other way round and ties the last two.
    scores = np.array([[[3.0], [1.0]], [[2.0], [2.0]], [[0.0], [2.0]]])
    everything = np.ones((3, 3), dtype=bool)
    # Pairs: (1, 2) turned; (1, 3): 3 > 0, then 1 < 2: turned; (2, 3): a tie is no order: not. 2 of 3.
    assert rank_flips(scores, everything).prompts.value == pytest.approx(2 / 3)
    some = np.zeros((3, 3), dtype=bool)
    some[1, 2] = some[2, 1] = True
    assert rank_flips(scores, some).prompts.value == 0
    assert rank_flips(scores, np.zeros((3, 3), dtype=bool)).prompts.value is None
    assert rank_flips(scores, everything).runs.value is None  # of one run nothing tells the noise


def test_noise_alone_turns_as_much_between_prompts_as_between_runs() -> None:
    rng = np.random.default_rng(5)
    episode = np.repeat(np.arange(80), 4)
    units = rng.normal(0, 1, (320, 1, 1)) + rng.normal(0, 0.7, (320, 4, 2))
    signs = sign_flips(units, episode)
    ranks = rank_flips(units.reshape(80, 4, 4, 2).mean(1), np.ones((80, 80), dtype=bool))
    for found in (signs, ranks, verdict_flips(np.round(units), episode)):
        assert found.prompts.value is not None
        assert found.prompts.value > 0.05
        assert found.excess.low is not None
        assert found.excess.high is not None
        assert found.excess.low < 0 < found.excess.high


def test_what_a_prompt_adds_is_found_beyond_the_noise() -> None:
    rng = np.random.default_rng(6)
    episode = np.repeat(np.arange(80), 4)
    units = rng.normal(0, 1, (320, 1, 1)) + rng.normal(0, 0.8, (320, 4, 1)) + rng.normal(0, 0.2, (320, 4, 2))
    for found in (sign_flips(units, episode), rank_flips(units.reshape(80, 4, 4, 2).mean(1), np.ones((80, 80), dtype=bool))):
        assert found.excess.low is not None
        assert found.excess.low > 0


def test_of_what_never_happened_something_is_still_possible() -> None:
    found = verdict_flips(np.zeros((40, 3, 2)), np.repeat(np.arange(20), 2))
    # Clopper and Pearson of 0 in 20 episodes: 1 − 0.025^(1/20) = 0.168.
    assert (found.prompts.value, found.prompts.low, found.prompts.high) == (0, 0, pytest.approx(0.168, abs=5e-4))


def test_the_interval_of_a_share_of_pairs_holds_it() -> None:
    # Two raters who agree by chance on bivariate normal scores with correlation ρ: P(turned) = arccos(ρ)/π, 1/4 for ρ = 1/√2.
    held = 0
    for seed in range(200):
        rng = np.random.default_rng([8, seed])
        one, other = rng.normal(size=(2, 60))
        scores = np.stack([one, (one + other) / np.sqrt(2)], 1)[:, :, None]
        found = rank_flips(scores, np.ones((60, 60), dtype=bool)).prompts
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.25 <= found.high
    assert held >= 183  # 95 % of 200 within 2.3 standard errors


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(2, 4), st.integers(1, 3), st.integers(0, 1000))
def test_a_monotone_change_of_scores_turns_no_order_and_a_shift_of_a_prompt_no_sign(
    episodes: int, prompts: int, runs: int, seed: int
) -> None:
    scores = np.repeat(np.random.default_rng(seed).normal(0, 1, (episodes, 1, runs)), prompts, axis=1)
    moved = np.exp(scores) * np.arange(1, prompts + 1)[None, :, None]
    assert rank_flips(moved[:, :, :1], np.ones((episodes, episodes), dtype=bool)).prompts.value == 0
    shifted = scores + np.arange(prompts)[None, :, None]
    assert sign_flips(advantages(shifted[:, :, :1], np.zeros(episodes, dtype=np.int64)), np.arange(episodes)).prompts.value == 0
