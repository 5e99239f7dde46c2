"""Estimators against exact enumeration of a small process, and the laws that hold of any log."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.experience import Floats, Rollout
from policies.ope.doubly_robust import Modelled, direct, doubly_robust, weighted_doubly_robust
from policies.ope.fitted_q import folds_of, tabular_values
from policies.ope.importance import as_logged, importance, per_decision, weighted_importance, weighted_per_decision
from policies.ope.ratios import Ratios
from policies.ope.small_mdp import SmallProcess
from policies.ope.trajectories import Trajectories, make_trajectories
from policies.table import TablePolicy

BY_WEIGHT: dict[str, Callable[[Trajectories], Ratios]] = {
    "IS": importance,
    "WIS": weighted_importance,
    "PDIS": per_decision,
    "WPDIS": weighted_per_decision,
}
Step = tuple[int, int, float, float]  # state, action, the actor's probability, reward


def every(process: SmallProcess, actor: TablePolicy) -> Iterator[tuple[float, list[Step]]]:
    """Yield every episode that can be, with its probability under `actor`."""
    states, actions = process.moves.shape[:2]

    def going_on(at: int, prob: float, steps: list[Step]) -> Iterator[tuple[float, list[Step]]]:
        for action in range(actions):
            does = float(actor.probs[at, action])
            goes = [*process.moves[at, action], 1 - process.moves[at, action].sum()]
            for to, leads in enumerate(goes):
                grown = [*steps, (at, action, does, float(process.rewards[at, action, to]))]
                if to == states or len(grown) == process.horizon:
                    yield prob * does * leads, grown
                else:
                    yield from going_on(to, prob * does * leads, grown)

    for at, begins in enumerate(process.start):
        yield from going_on(at, float(begins), [])


def rollout_of(episodes: list[list[Step]], extra: int = 0) -> Rollout:
    """Return a log of these episodes, filled up to the longest and `extra` steps more, with rubbish where nothing was done."""
    longest = max(map(len, episodes)) + extra
    shape = (longest, len(episodes))
    states, actions = np.zeros(shape, np.intp), np.zeros(shape, np.intp)
    probs, rewards = np.full(shape, np.nan), np.full(shape, 99.0)
    mask, terminated = np.zeros(shape, bool), np.zeros(shape, bool)
    for n, steps in enumerate(episodes):
        for t, (state, action, prob, reward) in enumerate(steps):
            states[t, n], actions[t, n], probs[t, n], rewards[t, n], mask[t, n] = state, action, prob, reward, True
        terminated[len(steps) - 1, n] = True
    return Rollout(states, actions, probs, rewards, states, terminated, np.zeros(shape, bool), mask, on_policy=False)


def any_model(log: Trajectories, rollout: Rollout, target: TablePolicy, seed: int) -> Modelled:
    """Return a model that is nonsense: a random value for every step, state and action."""
    table = np.random.default_rng(seed).normal(size=(log.horizon, *target.probs.shape)) * 3
    step = np.arange(log.horizon)[:, None]
    action = table[step, rollout.observations, rollout.actions]
    state = (table * target.probs).sum(2)[step, rollout.observations]
    return Modelled(np.where(log.mask, action, 0.0), np.where(log.mask, state, 0.0))


@pytest.mark.parametrize("discount", [1.0, 0.8])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_expectation_is_the_value_exactly(seed: int, discount: float) -> None:
    """Over every episode that can be, each as often as the actor makes it: the unbiased ones hit the exact value to 1e-12."""
    process = SmallProcess.random(seed, states=2, actions=2, horizon=4, ending=0.3)
    actor, target = process.policy(seed + 10), process.policy(seed + 20, 2.0)
    probs, episodes = (list(part) for part in zip(*every(process, actor), strict=True))
    assert sum(probs) == pytest.approx(1, abs=1e-12) and {len(steps) for steps in episodes} == {1, 2, 3, 4}
    rollout = rollout_of(episodes)
    log = make_trajectories(rollout, target, discount)
    value = process.value(target, discount)
    estimators = {name: estimator(log) for name, estimator in BY_WEIGHT.items()}
    for modelled_by in range(3):
        estimators[f"DR {modelled_by}"] = doubly_robust(log, any_model(log, rollout, target, modelled_by))
    estimators["DR fitted"] = doubly_robust(log, tabular_values(rollout, log, target, folds=1))
    for name in ("IS", "PDIS", "DR 0", "DR 1", "DR 2", "DR fitted"):
        assert estimators[name].numerators[:, 0] @ probs == pytest.approx(value, abs=1e-12), name
    assert as_logged(log).numerators[:, 0] @ probs == pytest.approx(process.value(actor, discount), abs=1e-12)
    # The weighted ones are consistent: a log in which every episode is as frequent as it is probable has the value itself.
    weights = np.array(probs)[:, None]
    for estimator in (estimators["WIS"], estimators["WPDIS"], weighted_doubly_robust(log, any_model(log, rollout, target, 7))):
        exact = ((weights * estimator.numerators).sum(0) / (weights * estimator.denominators).sum(0)).sum()
        assert exact == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("by_step", [False, True])
def test_cross_fitted_dr_of_whole_logs_is_unbiased(by_step: bool) -> None:
    """Over all logs of two episodes (each fitted on the other): the model is made of the log, and the expectation is exact all the same."""
    process = SmallProcess.random(4, states=2, actions=2, horizon=2, ending=0.3)
    process = SmallProcess(np.array([1.0, 0.0]), process.moves, process.rewards, 2)
    actor, target = process.policy(1), process.policy(2, 2.0)
    known = list(every(process, actor))
    total = naive = 0.0
    for (p, one), (q, two) in product(known, known):
        rollout = rollout_of([one, two])
        log = make_trajectories(rollout, target)
        total += p * q * doubly_robust(log, tabular_values(rollout, log, target, folds=2, by_step=by_step)).value
        naive += p * q * doubly_robust(log, tabular_values(rollout, log, target, folds=1, by_step=by_step)).value
    assert total == pytest.approx(process.value(target), abs=1e-12)
    assert abs(naive - process.value(target)) > 1e-3  # fitted on the episode that it judges: not unbiased, so the folds do matter


def test_a_model_never_sees_the_episodes_that_it_judges() -> None:
    process = SmallProcess.random(5)
    rollout, target = process.log(process.policy(1), 40, np.random.default_rng(0)), process.policy(2)
    log = make_trajectories(rollout, target)
    own = folds_of(40, 5) == 3
    changed = log.with_rewards(np.where(own, 50.0, log.rewards))
    before, after = tabular_values(rollout, log, target), tabular_values(rollout, changed, target)
    assert (before.action[:, own] == after.action[:, own]).all() and (before.state[:, own] == after.state[:, own]).all()
    assert not np.allclose(before.action[:, ~own], after.action[:, ~own])


def test_the_table_finds_the_exact_values_of_an_exact_log() -> None:
    """With a step in every row and every episode in the log as often as it is probable, FQE is backward induction itself."""
    process = SmallProcess.random(6, states=2, actions=2, horizon=3, ending=0.3)
    half = TablePolicy(process.spaces, np.full((2, 2), 0.5))
    target = process.policy(3, 2.0)
    probs, episodes = zip(*every(process, half), strict=True)
    times = np.round(np.array(probs) * 40_000).astype(int)
    rollout = rollout_of([steps for steps, often in zip(episodes, times, strict=True) for _ in range(often)])
    log = make_trajectories(rollout, target)
    modelled = tabular_values(rollout, log, target, folds=1, by_step=True, prior=0)
    assert direct(modelled).value == pytest.approx(process.value(target), abs=2e-3)  # the rounding of the log
    assert modelled.after[:-1][log.mask[1:]] == pytest.approx(modelled.state[1:][log.mask[1:]])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), episodes=st.integers(2, 30), discount=st.sampled_from([1.0, 0.9]), clip=st.sampled_from([None, 2.0]))
def test_laws_of_any_log(seed: int, episodes: int, discount: float, clip: float | None) -> None:
    rng = np.random.default_rng(seed)
    process = SmallProcess.random(seed, states=3, horizon=5)
    actor, target = process.policy(seed + 1), process.policy(seed + 2, 2.0)
    rollout = process.log(actor, episodes, rng)
    found = _all(rollout, target, discount, clip)
    log = make_trajectories(rollout, target, discount, clip)
    low, high = log.returns.min(), log.returns.max()
    assert low - 1e-9 <= found["WIS"] <= high + 1e-9
    # The order of episodes says nothing (DR's folds go by place, so its model is handed over).
    order = rng.permutation(episodes)
    shuffled = log.among(order)
    modelled = any_model(log, rollout, target, seed)
    moved = Modelled(modelled.action[:, order], modelled.state[:, order])
    for estimator in BY_WEIGHT.values():
        assert estimator(shuffled).value == pytest.approx(estimator(log).value, rel=1e-9, abs=1e-9)
    for robust in (doubly_robust, weighted_doubly_robust):
        assert robust(shuffled, moved).value == pytest.approx(robust(log, modelled).value, rel=1e-9, abs=1e-9)
    # More filling changes nothing.
    wider = Rollout(*(_filled(part) for part in _parts(rollout)), on_policy=False)
    assert _all(wider, target, discount, clip) == pytest.approx(found, rel=1e-9, abs=1e-9)
    # Rewards of another unit give values in that unit.
    scaled = Rollout(*(part * 3 if at == 3 else part for at, part in enumerate(_parts(rollout))), on_policy=False)
    assert _all(scaled, target, discount, clip) == pytest.approx({name: 3 * value for name, value in found.items()}, rel=1e-6, abs=1e-6)
    # The actor itself is worth what it earned.
    on_policy = _all(rollout, actor, discount, clip)
    for name in ("IS", "WIS", "PDIS", "WPDIS"):
        assert on_policy[name] == pytest.approx(log.returns.mean(), abs=1e-9)


def test_on_policy_dr_is_the_mean_return_but_for_the_model() -> None:
    """Target = actor and a model of constants: V(s₀) + Σ (r + V' - Q) telescopes to the return."""
    process = SmallProcess.random(8)
    actor = process.policy(1)
    rollout = process.log(actor, 50, np.random.default_rng(1))
    log = make_trajectories(rollout, actor)
    constant = np.where(log.mask, 2.5, 0.0)
    for robust in (doubly_robust, weighted_doubly_robust):
        assert robust(log, Modelled(constant, constant)).value == pytest.approx(log.returns.mean(), abs=1e-12)


def test_an_ended_episode_keeps_its_weight_in_later_denominators() -> None:
    """Two episodes; ratios 2 (ends after a step, reward 1) and 0.5, 3 (rewards 0, 4).

    WPDIS: step 0: 2·1 / (2 + .5) = .8; step 1: (.5·3)·4 / (2 + 1.5) = 1.714285…; in all 2.514285…
    With the ended one left out of step 1 it would be .8 + 4: what those earned that got so far.
    """
    log = Trajectories(np.array([[1.0, 0.0], [0.0, 4.0]]), np.array([[2.0, 0.5], [1.0, 3.0]]), np.array([[True, True], [False, True]]))
    assert weighted_per_decision(log).value == pytest.approx(0.8 + 6 / 3.5)
    assert per_decision(log).value == pytest.approx((2 + 6) / 2)
    assert weighted_importance(log).value == pytest.approx((2 * 1 + 1.5 * 4) / 3.5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"probs": np.nan}, "1 steps of the log have no probability above 0"),
        ({"probs": 0.0}, "1 steps of the log have no probability above 0"),
        ({"mask": False}, "is empty or has gaps"),
        ({"terminated": True}, "ends before its last step"),
    ],
)
def test_what_is_no_log_of_whole_episodes_is_refused(change: dict[str, float], told: str) -> None:
    process = SmallProcess.random(9, ending=0.0)
    rollout = process.log(process.policy(1), 3, np.random.default_rng(1))
    (name, value) = next(iter(change.items()))
    getattr(rollout, name)[1, 2] = value
    with pytest.raises(ValueError, match=told):
        make_trajectories(rollout, process.policy(2))


def _all(rollout: Rollout, target: TablePolicy, discount: float, clip: float | None) -> dict[str, float]:
    log = make_trajectories(rollout, target, discount, clip)
    modelled = tabular_values(rollout, log, target, folds=2)
    found = {name: estimator(log).value for name, estimator in BY_WEIGHT.items()}
    robust = {"DM": direct(modelled), "DR": doubly_robust(log, modelled), "WDR": weighted_doubly_robust(log, modelled)}
    return found | {name: estimator.value for name, estimator in robust.items()}


def _parts(rollout: Rollout) -> tuple[Floats, ...]:
    names = ("observations", "actions", "probs", "rewards", "next_observations", "terminated", "truncated", "mask")
    return tuple(getattr(rollout, name) for name in names)


def _filled(part: Floats) -> Floats:
    return np.concatenate([part, np.zeros_like(part[:2])])
