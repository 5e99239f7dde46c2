"""Scored episodes for off-policy evaluation: whole, with every probability logged, in states that the policies know; others are counted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dialogue.errors import UsageProblem
from policies.behaviour import SCRIPTS, make_behaviour
from policies.contract import Policy
from policies.environments import make_env
from policies.experience import Floats, Rollout
from policies.logged import Log, LogReader
from policies.saved import load_policy
from rewards.admission import Admission
from rewards.record import RewardRecord, read_rewards

Indices = NDArray[np.intp]
NO_PROB = "an action's probability was not logged"
NO_END = "how it ended was not recorded"
NO_STATE = "a state that the policy does not know"


@dataclass(frozen=True)
class Episodes:
    """The episodes of rewards files that can be used, as one policy sees them.

    Attributes:
        ids: of each, in the order of the files.
        starts: the place of its first turn among all turns that were read, (N,).
        rollout: one a column.
    """

    policy: Policy
    ids: tuple[str, ...]
    starts: Indices
    rollout: Rollout

    def among(self, ids: Iterable[str]) -> "Episodes":
        """Return those of these ids, in the order they have."""
        wanted = set(ids)
        at = np.array([k for k, name in enumerate(self.ids) if name in wanted], np.intp)
        cut = replace(self.rollout, **{name: getattr(self.rollout, name)[:, at] for name in _ARRAYS})
        return Episodes(self.policy, tuple(self.ids[k] for k in at), self.starts[at], cut)

    def rewards(self, turns: Floats) -> Floats:
        """Return rewards of all turns that were read as those of the episodes, (T, N)."""
        mask = self.rollout.mask
        assert mask is not None  # noqa: S101 - a log has one
        at = self.starts + np.arange(len(mask))[:, None]
        return np.where(mask, turns[np.where(mask, at, 0)], 0.0)


_ARRAYS = ("observations", "actions", "probs", "rewards", "next_observations", "terminated", "truncated", "mask")


@dataclass(frozen=True)
class Scored:
    """What rewards files hold for the evaluation of a policy.

    Attributes:
        episodes: None where not one can be used.
        left_out: how many episodes are not used, by reason; those that `admission` left out are counted there.
        records: all that were admitted, where they were asked for.
    """

    episodes: Episodes | None
    left_out: Counter[str]
    records: tuple[RewardRecord, ...]


def read_scored(paths: Sequence[str], spec: str, admission: Admission, *, keep: bool = False) -> Scored:
    """Return the episodes of rewards files as a policy sees them.

    Args:
        spec: a policy file, or `uniform`, `constant:ACTION` or `script`.
        admission: which records are used; the caller closes it.
        keep: whether to keep the records.

    Raises:
        UsageProblem: a file or the policy cannot be read or used, or the policy sees vectors, which a log of states does not hold.
        InputProblem: a line is not a record of a rewards file.
    """
    policy = _known(spec)
    reader = LogReader(admission, known=policy.spaces if policy else None)
    ids: list[str] = []
    begins: list[int] = []
    records: list[RewardRecord] = []
    for path in paths:
        for record in read_rewards(path):
            before = reader.columns.steps
            reader.add(record)
            if reader.columns.steps > before:
                ids.append(record.id)
                begins.append(before)
                records += [record] if keep else []
    if not ids:
        return Scored(None, Counter(), ())
    log = reader.log()
    made = policy or make_behaviour(spec, "the log", log.spaces)
    number = np.searchsorted(np.array(begins), log.starts)
    known, observations = _as_known(made, log)
    left_out = Counter({NO_END: int(log.cut.sum()) + log.unseen})
    whole = np.flatnonzero(~log.cut)
    if not len(whole):
        return Scored(None, left_out, tuple(records))
    rollout = log.rollout(whole)
    mask = rollout.mask
    assert mask is not None  # noqa: S101 - a log has one
    states = (known[rollout.observations] | ~mask).all(0)
    probs = (~np.isnan(rollout.probs) | ~mask).all(0)
    left_out.update({NO_STATE: int((~states).sum()), NO_PROB: int((states & ~probs).sum())})
    good = np.flatnonzero(states & probs)
    if not len(good):
        return Scored(None, +left_out, tuple(records))
    rollout = log.rollout(whole[good])
    fitted = replace(rollout, observations=observations[rollout.observations], next_observations=observations[rollout.next_observations])
    kept = Episodes(made, tuple(ids[k] for k in number[whole[good]]), log.starts[whole[good]], fitted)
    return Scored(kept, +left_out, tuple(records))


def _known(spec: str) -> Policy | None:
    """Return a policy that says itself what it sees; None of one that takes every log as it comes.

    Raises:
        UsageProblem: no such file, or a policy of vectors or of an environment without named states.
    """
    if spec == "script":
        name = next(iter(SCRIPTS))
        return make_behaviour(spec, name, make_env(name, 1).spaces)
    if not spec.endswith(".json"):
        return None
    policy = load_policy(spec)
    if policy.spaces.encoding is None:
        seen = "vectors" if policy.spaces.observations is None else "numbered states without names"
        raise UsageProblem(f"the policy {spec} observes {seen}, which logged states cannot be told as; evaluate it with --env")
    return policy


def _as_known(policy: Policy, log: Log) -> tuple[NDArray[np.bool_], Indices]:
    """Return whether the policy knows each observation of the log, and what it calls it (0 where it does not)."""
    size, own = log.spaces.encoding.size if log.spaces.encoding else 0, policy.spaces.encoding
    if own is None or log.spaces.encoding is None or own == log.spaces.encoding:
        return np.ones(size, bool), np.arange(size)
    moved = own.moved_to(log.spaces.encoding)
    known, at = np.zeros(size, bool), np.zeros(size, np.intp)
    known[moved], at[moved] = True, np.arange(len(moved))
    return known, at
