"""The contract of a learner as a test class: inherit it, say which learner and which kind of spaces, and the tests are yours."""

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.checkpoint import opened, sealed
from policies.contract import Learner
from policies.experience import Rollout
from policies.parameters import Span
from policies.table import TablePolicy
from tests.policies.toy_calls import ENCODING, ToyCalls, collected

T, N = 5, 4
PARTS = ("observations", "actions", "probs", "rewards", "next_observations", "terminated", "truncated")


def same(left: Any, right: Any) -> bool:
    """Whether two states are equal bit for bit."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, np.random.Generator):
        return same(left.bit_generator.state, right.bit_generator.state)
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    return bool(left == right or (left != left and right != right))


def stored(learner: Learner) -> dict[str, Any]:
    """Return the learner's state after a way through a checkpoint file."""
    found: dict[str, Any] = opened(sealed({"learner": learner.state()}), Path("checkpoint"))["learner"]
    return found


class LearnerContract:
    """`learner` makes one with its defaults; `kind` is one of toy_calls.KINDS.

    A learner that does not learn from logs (`logs`) or cannot grow (`widens`) must refuse to.
    """

    kind = "table"
    logs = True
    widens = True
    rounding = 0.0  # of probabilities that are computed anew in another batch; tables look them up, exactly

    def learner(self) -> Learner:
        raise NotImplementedError

    # what the tests need

    def made(self, seed: int = 3) -> tuple[Learner, ToyCalls]:
        learner = self.learner().set_params(steps=T, envs=N)
        env = ToyCalls(N, self.kind)
        env.reset(np.random.SeedSequence(7))
        return learner.begin(env.spaces, np.random.SeedSequence(seed)), env

    def trained(self, updates: int = 12) -> tuple[Learner, ToyCalls]:
        learner, env = self.made()
        for _ in range(updates):
            learner.partial_fit(collected(env, learner))
        return learner, env

    def again(self, learner: Learner) -> Learner:
        """Return another learner in the same state, made as a resumed training makes it."""
        made = clone(learner).begin(ToyCalls(N, self.kind).spaces, np.random.SeedSequence(99))
        return made.restore(stored(learner))

    def logged(self, learner: Learner, env: ToyCalls) -> Rollout:
        """Return steps as a log gives them: another policy acted, with known probabilities; its own, where it takes no others."""
        return replace(collected(env, learner), on_policy=not self.logs)

    # the contract

    def test_parameters_are_those_of_init(self) -> None:
        learner = self.learner()
        assert set(learner.get_params()) >= {"steps", "envs"}
        assert clone(learner).get_params() == learner.get_params()
        assert repr(learner).startswith(f"{type(learner).__name__}(")
        assert learner.set_params(steps=learner.steps + 1).get_params()["steps"] == learner.steps
        with pytest.raises(UsageProblem, match="step"):
            learner.set_params(stepz=3)

    def test_begin_takes_all_chance_from_the_seed(self) -> None:
        (one, env), (two, other), (third, last) = self.made(), self.made(), self.made(seed=4)
        taken = [[collected(e, lrn) for _ in range(4)] for lrn, e in ((one, env), (two, other), (third, last))]
        assert all(same(getattr(a, part), getattr(b, part)) for a, b in zip(taken[0], taken[1], strict=True) for part in PARTS)
        assert not all(same(a.actions, b.actions) for a, b in zip(taken[0], taken[2], strict=True))
        for rollout in taken[0]:
            one.partial_fit(rollout), two.partial_fit(rollout)
        assert same(one.state(), two.state())
        assert same(self.made()[0].state(), self.trained()[0].begin(env.spaces, np.random.SeedSequence(3)).state())

    def test_probabilities_are_those_of_the_actions(self) -> None:
        learner, env = self.trained()
        seen = env.observations
        for one in seen[:3]:
            many = np.repeat(np.asarray(one)[None], 4000, axis=0)
            actions, probs = learner.act(many)
            assert probs.shape == (4000,)
            assert np.isfinite(probs).all()
            assert (probs > 0).all()
            if env.spaces.continuous:
                assert actions.shape == (4000, len(env.spaces.actions))
                assert ((actions >= 0) & (actions <= 1)).all()
                continue
            found = {int(action): np.unique(probs[actions == action]) for action in np.unique(actions)}
            assert all(np.ptp(held) <= self.rounding for held in found.values())
            assert sum(held[0] for held in found.values()) <= 1 + 1e-6
            for action, held in found.items():
                chance = held[0]
                assert abs((actions == action).mean() - chance) <= 5 * np.sqrt(chance * (1 - chance) / 4000) + 1e-6

    def test_stopped_and_resumed_equals_never_stopped(self) -> None:
        learner, env = self.trained(4)
        resumed, other = self.again(learner), copy.deepcopy(env)
        for _ in range(4):
            learner.partial_fit(collected(env, learner))
            resumed.partial_fit(collected(other, resumed))
        assert same(learner.state(), resumed.state())
        seen = env.observations
        assert same(learner.policy().act(seen, np.random.default_rng(0)), resumed.policy().act(seen, np.random.default_rng(0)))

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda learner: pickle.loads(pickle.dumps(learner))], ids=["deepcopy", "pickle"])
    def test_a_copy_goes_on_as_the_original(self, copied: Callable[[Learner], Learner]) -> None:
        assert copied(self.learner()).get_params() == self.learner().get_params()
        learner, env = self.trained(4)
        rollout = collected(env, learner)  # copied when it has acted, before it learned from that
        other, elsewhere = copied(learner), copy.deepcopy(env)
        ends = []
        for one, surroundings in ((learner, env), (other, elsewhere)):  # one after the other: nothing may be shared
            told, taken = [one.partial_fit(rollout)], []
            for _ in range(3):
                taken.append(collected(surroundings, one))
                told.append(one.partial_fit(taken[-1]))
            ends.append((told, [getattr(part, name) for part in taken for name in PARTS], one.state(), one.policy().as_data()))
        assert same(*ends)
        assert not same(learner.state(), self.trained(4)[0].state())

    def test_a_seed_stays_as_it_is(self) -> None:
        seed, spaces = np.random.SeedSequence(5), ToyCalls(N, self.kind).spaces
        one, two, fresh = (self.learner().begin(spaces, given) for given in (seed, seed, np.random.SeedSequence(5)))
        assert same(one.state(), two.state())
        assert same(one.state(), fresh.state())
        assert seed.n_children_spawned == 0

    def test_numbers_and_words_that_may_not_be_are_refused(self) -> None:
        allowed, spaces = self.learner().allowed, ToyCalls(N, self.kind).spaces
        assert {"steps", "envs"} <= allowed.keys() <= self.learner().get_params().keys()
        for name, span in allowed.items():
            beyond = [value for value in (span.low - 1, 2 * span.high) if value not in span] if isinstance(span, Span) else ["nonsense"]
            for value in (*beyond, np.nan):
                with pytest.raises(UsageProblem, match=rf"^{name} of learner {self.learner().name}\S* is .*; it may be"):
                    self.learner().set_params(**{name: value}).begin(spaces, np.random.SeedSequence(0))

    def test_steps_seen_before_widening_are_counted_where_they_were(self) -> None:
        learner, env = self.made()
        if env.spaces.observations is None or not self.widens:
            return
        rollouts = []
        for last in (False, True):  # episodes that go on from the one into the other
            rollout, ends = collected(env, learner), np.zeros((T, N), bool)
            ends[-1] = last
            rollouts.append(replace(rollout, terminated=ends, truncated=np.zeros((T, N), bool)))
        wider = ENCODING.grown([{"stage": "closed", "mood": "furious"}])
        moved = ENCODING.moved_to(wider)
        learner.partial_fit(rollouts[0])
        learner.widen(Spaces(env.spaces.actions, observations=wider.size, width=wider.width, encoding=wider), moved)
        seen = [moved[part] for part in (rollouts[1].observations, rollouts[1].next_observations)]
        learner.partial_fit(replace(rollouts[1], observations=seen[0], next_observations=seen[1]))
        policy = learner.policy()
        assert isinstance(policy, TablePolicy)
        expected = np.zeros(policy.probs.shape)
        for rollout in rollouts:
            np.add.at(expected, (moved[rollout.observations], rollout.actions), 1)
        assert policy.counts is not None
        assert policy.counts.tolist() == expected.tolist()

    def test_more_observations_leave_the_old_ones_as_they_were(self) -> None:
        learner, env = self.trained()
        if env.spaces.observations is None:
            assert self.kind != "table"  # vectors have no rows to be more of
            return
        wider = ENCODING.grown([{"stage": "closed", "mood": "furious"}])
        spaces = Spaces(env.spaces.actions, observations=wider.size, width=wider.width, encoding=wider)
        moved = ENCODING.moved_to(wider)
        before = learner.policy()
        if not self.widens:
            with pytest.raises(UsageProblem):
                learner.widen(spaces, moved)
            return
        learner.widen(spaces, moved)
        after = learner.policy()
        assert after.spaces == spaces
        everything, actions = np.arange(ENCODING.size), np.arange(len(spaces.actions))
        old = before.probs_of(everything[:, None], actions[None, :])
        new = after.probs_of(moved[:, None], actions[None, :])
        np.testing.assert_allclose(new, old, rtol=0, atol=self.rounding)
        seen = np.arange(wider.size).repeat(2)
        _, probs = learner.act(seen)
        assert (probs > 0).all()
        rows = after.probs_of(np.arange(wider.size)[:, None], actions[None, :])
        np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)
        env.reset(np.random.SeedSequence(8))
        rollout = collected(env, self.made()[0])
        learner.partial_fit(replace(rollout, observations=moved[rollout.observations], next_observations=moved[rollout.next_observations]))

    @pytest.mark.parametrize("on_policy", [True, False])
    def test_steps_not_taken_change_nothing(self, on_policy: bool) -> None:
        learner, env = self.trained()
        rollout = self.logged(learner, env)
        mask = np.arange(T)[:, None] < np.array([[T, 3, 1, 4]])
        ends = np.zeros((T, N), bool)
        ends[mask.sum(0) - 1, np.arange(N)] = True
        clean = replace(rollout, mask=mask, terminated=ends, truncated=np.zeros((T, N), bool), on_policy=on_policy)
        rubbish = {}
        for part in ("observations", "actions", "probs", "rewards", "next_observations"):
            value = getattr(clean, part).copy()
            value[~mask] = np.nan if value.dtype.kind == "f" else 1_000_003
            rubbish[part] = value
        rubbish["next_observations"][ends] = rubbish["next_observations"][1, 2]  # after a termination: never looked at
        flags = {"terminated": ends | ~mask, "truncated": ~mask}
        if not self.logs:
            with pytest.raises(UsageProblem, match="log"):
                learner.partial_fit(clean)
            return
        one, two = self.again(learner), self.again(learner)
        told = one.partial_fit(clean), two.partial_fit(replace(clean, **rubbish, **flags))
        assert same(one.state(), two.state())
        assert told[0].keys() == told[1].keys()
        assert all(np.isfinite(value) for value in told[1].values())
        assert not same(one.state(), learner.state())

    def test_what_follows_counts_after_a_cut_and_not_after_an_end(self) -> None:
        learner, env = self.trained(30)
        rollout = self.logged(learner, env)
        none = np.zeros((T, N), bool)
        last = none.copy()
        last[-1] = True
        ended = replace(rollout, terminated=last, truncated=none)
        cut = replace(rollout, terminated=none, truncated=last)
        other = rollout.next_observations.copy()
        other[-1] = ENCODING.size - 1 - other[-1] if self.kind == "table" else 1 - other[-1]

        def after(given: Rollout) -> dict[str, Any]:
            fresh = self.again(learner)
            fresh.partial_fit(given)
            return fresh.state()

        assert same(after(ended), after(replace(ended, next_observations=other)))
        assert not same(after(ended), after(cut))
        assert not same(after(cut), after(replace(cut, next_observations=other)))

    def test_what_is_handed_over_is_not_written_to(self) -> None:
        learner, env = self.trained()
        for on_policy in (True, False) if self.logs else (True,):
            rollout = replace(collected(env, learner), on_policy=on_policy, mask=None if on_policy else np.ones((T, N), bool))
            kept = {part: getattr(rollout, part).copy() for part in PARTS}
            for part in PARTS:
                getattr(rollout, part).setflags(write=False)
            policy = learner.policy()
            probs = policy.act(env.observations, np.random.default_rng(1))
            learner.partial_fit(rollout)
            assert all(same(getattr(rollout, part), kept[part]) for part in PARTS)
            assert same(policy.act(env.observations, np.random.default_rng(1)), probs)  # what was served does not learn on

    def test_a_policy_says_how_it_acts(self) -> None:
        learner, env = self.trained()
        policy = learner.policy()
        seen = env.observations
        actions, probs = policy.act(seen, np.random.default_rng(2))
        assert probs.shape == (N,)
        np.testing.assert_allclose(policy.probs_of(seen, actions), probs, rtol=1e-6)
        json.dumps(policy.as_data(), allow_nan=False)
        greedy = policy.greedy()
        assert greedy.spaces == policy.spaces
        if not env.spaces.continuous and env.spaces.observations is not None:
            assert isinstance(policy, TablePolicy)
            assert policy.probs.shape == (env.spaces.observations, len(env.spaces.actions))
            np.testing.assert_allclose(policy.probs.sum(1), 1, atol=1e-6)
            assert (policy.probs >= 0).all()
            copied = TablePolicy.from_data(policy.spaces, json.loads(json.dumps(policy.as_data())))
            assert same([copied.probs, copied.values, copied.counts], [policy.probs, policy.values, policy.counts])
