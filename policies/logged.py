"""Rewards files as rollouts: states become observations, episodes columns padded to the longest, with a mask; who acted stays as logged."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem, listed
from policies.columns import Columns
from policies.experience import Bools, Floats, Rollout
from policies.propensities import Fit, fit
from rewards.admission import Admission
from rewards.coverage import LeftOut
from rewards.record import RewardRecord, read_rewards
from rewards.transitions import ending_known

ACTIONS = ("PROCEED", "EMPATHIZE", "OFFER_PLAN", "ASK_CLARIFY")  # the debt call's, in its order
MOST_ACTIONS = 100
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Log:
    """Episodes, step after step.

    An episode whose end was not recorded is learned from up to its last state: what its last action came to is not known.

    Attributes:
        spaces: what is seen and done in it.
        observations: (steps,).
        actions: (steps,).
        probs: (steps,) as logged, NaN where nobody did.
        rewards: (steps,).
        starts: (episodes,) the first step of each.
        lengths: (episodes,) how many steps of it are learned from; an episode without any is left out.
        cut: (episodes,) whether the record breaks off: the last step learned from is truncated, the one after it shows the state.
        unseen: how many episodes have no step left, as their only turn is one whose end was not recorded.
        notes: what was left out of the states, in words.
    """

    spaces: Spaces
    observations: Indices
    actions: Indices
    probs: Floats
    rewards: Floats
    starts: Indices
    lengths: Indices
    cut: Bools
    unseen: int = 0
    notes: tuple[str, ...] = ()

    @property
    def episodes(self) -> int:
        """How many episodes there are to learn from."""
        return len(self.starts)

    @property
    def steps(self) -> int:
        """How many steps there are to learn from."""
        return int(self.lengths.sum())

    @property
    def without_prob(self) -> int:
        """How many of those steps have no logged probability."""
        return int(np.isnan(self.probs[self._inside]).sum())

    @property
    def tried(self) -> NDArray[np.int64]:
        """How often each action was tried in each observation: (observations, actions)."""
        shape = self.spaces.observations or 0, len(self.spaces.actions)
        cells = (self.observations * shape[1] + self.actions)[self._inside]
        return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)

    @cached_property
    def _inside(self) -> Bools:
        """Whether each step is learned from, (steps,)."""
        inside = np.zeros(len(self.probs) + 1, np.int64)
        np.add.at(inside, self.starts, 1)
        np.add.at(inside, self.starts + self.lengths, -1)
        return np.asarray(inside.cumsum()[:-1] > 0)

    @cached_property
    def fit(self) -> Fit | None:
        """Return whether the logged probabilities fit what was done; None where some were not logged."""
        if self.without_prob:
            return None
        known = np.flatnonzero(~np.isnan(self.probs))
        return fit(self.observations[known], self.actions[known], self.probs[known], len(self.spaces.actions))

    def rollout(self, episodes: Sequence[int] | Indices | None = None) -> Rollout:
        """Return episodes as columns, filled up to the longest with steps that the mask leaves out; all of them by default."""
        chosen = np.arange(self.episodes) if episodes is None else np.asarray(episodes, np.intp)
        starts, lengths, cut = self.starts[chosen], self.lengths[chosen], self.cut[chosen]
        time = np.arange(lengths.max(initial=1))[:, None]
        mask = time < lengths
        at = np.where(mask, starts + time, starts)
        last = time == lengths - 1
        after = np.where(mask & ~(last & ~cut), at + 1, at)
        return Rollout(
            observations=self.observations[at],
            actions=self.actions[at],
            probs=np.where(mask, self.probs[at], 1.0),
            rewards=np.where(mask, self.rewards[at], 0.0),
            next_observations=self.observations[after],
            terminated=last & ~cut,
            truncated=last & cut,
            mask=mask,
            on_policy=False,
        )

    def returns(self, episodes: Sequence[int] | Indices | None = None) -> Floats:
        """Return the undiscounted sums of rewards of those of the episodes that were seen to end."""
        chosen = np.arange(self.episodes) if episodes is None else np.asarray(episodes, np.intp)
        chosen = chosen[~self.cut[chosen]]
        sums = np.concatenate(([0.0], self.rewards.cumsum()))
        whole: Floats = sums[self.starts[chosen] + self.lengths[chosen]] - sums[self.starts[chosen]]
        return whole


@dataclass(slots=True)
class LogReader:
    """Takes in records, one after another, as flat arrays: about 60 bytes a turn, and nothing of the record itself.

    Attributes:
        admission: which records are used.
        known: the encoding in use, of an earlier log: it grows by what is new.
        fields: of `--state`; None: what the states show.
    """

    admission: Admission
    known: Spaces | None = None
    fields: tuple[Field, ...] | None = None
    columns: Columns = field(default_factory=Columns)
    _actions: dict[str, int] = field(default_factory=dict)
    _taken: "array[int]" = field(default_factory=lambda: array("i"))
    _probs: "array[float]" = field(default_factory=lambda: array("d"))
    _rewards: "array[float]" = field(default_factory=lambda: array("d"))
    _lengths: "array[int]" = field(default_factory=lambda: array("i"))
    _open: "array[int]" = field(default_factory=lambda: array("i"))  # the recipe's number where an end is not known, else -1
    _recipes: dict[str, int] = field(default_factory=dict)
    _duplicates: int = 0  # of earlier files
    _lacking: set[str] = field(default_factory=set)  # fields that some state has not
    _fields_met: set[str] = field(default_factory=set)  # in such states

    def __post_init__(self) -> None:
        self._duplicates = self.admission.coverage.duplicates
        if self.known:
            encoding = self.known.encoding
            assert encoding is not None  # noqa: S101 - a log's spaces have one
            self.fields = encoding.fields
            self._actions = {name: k for k, name in enumerate(self.known.actions)}
        self.columns = Columns(tuple(one.name for one in self.fields) if self.fields else None)

    def read(self, paths: Iterable[str | Path]) -> None:
        """Take in files.

        Raises:
            UsageProblem: a file cannot be read.
            InputProblem: a line is not a record of a rewards file.
        """
        for path in paths:
            for record in read_rewards(path):
                self.add(record)
        if not self._lengths and self._lacking:
            known = f"; the states have {listed(sorted(self._fields_met))}" if self._fields_met else ""
            raise UsageProblem(f"no episode has {listed(sorted(self._lacking))} in every state, which are to be seen{known}")

    def add(self, record: RewardRecord) -> None:
        """Take in a record, or have it counted as left out."""
        if not self.admission.admits(record, refused=self._refused(record)):
            return
        turns, actions = record.turns, self._actions
        self.columns.extend([turn.state or {} for turn in turns])
        self._taken.extend([actions.setdefault(turn.action or "", len(actions)) for turn in turns])
        self._probs.extend([np.nan if turn.action_prob is None else turn.action_prob for turn in turns])
        self._rewards.extend([turn.reward or 0.0 for turn in turns])
        self._lengths.append(len(record.turns))
        unknown = not ending_known(record)
        self._open.append(self._recipes.setdefault(record.recipe, len(self._recipes)) if unknown else -1)

    def _refused(self, record: RewardRecord) -> str | None:
        """Return why a record cannot be encoded: a state lacks a field, or has a text where a number is cut."""
        if not self.fields:
            return None
        for turn in record.turns:
            for one in self.fields:
                state = turn.state or {}
                value = state.get(one.name)
                if one.name not in state:
                    self._lacking.add(one.name)
                    self._fields_met.update(state)
                if one.name not in state or (one.edges and (isinstance(value, bool) or not isinstance(value, int | float))):
                    return LeftOut.UNKNOWN_STATE
        return None

    def log(self) -> Log:
        """Return what was taken in.

        Raises:
            UsageProblem: nothing was, the states make no encoding, or an action is none of the policy's.
        """
        if not self._lengths:
            raise UsageProblem(f"no episode can be learned from ({self.admission.coverage.told() or 'the rewards files are empty'})")
        spaces, notes = self._spaces()
        assert spaces.encoding is not None  # noqa: S101 - as made
        taken = np.array(self._taken, np.intp)
        if not self.known:
            order = np.array([spaces.actions.index(name) for name in self._actions], np.intp)
            taken = order[taken]
        full = np.array(self._lengths, np.intp)
        weighing = np.array([*map(self.admission.weighs_outcome, self._recipes), False])
        cut = weighing[np.array(self._open, np.intp)]
        starts, lengths = full.cumsum() - full, full - cut
        kept = lengths > 0
        if not kept.any():
            raise UsageProblem("no episode can be learned from: each has one turn, and how it ended was not recorded")
        alone = int((~kept).sum())
        unended = int((np.array(self._open) >= 0).sum() - cut.sum())
        if unended:
            notes.append(f"{unended:,} episodes have no outcome, which their recipe does not weigh: they are taken to have ended")
        if broken := int(cut.sum()) - alone:
            notes.append(f"{broken:,} episodes have no outcome, which their recipe weighs: they are learned from up to their last state")
        if alone:
            notes.append(f"{alone:,} episodes of one turn have no outcome, which their recipe weighs: nothing is learned from them")
        if again := self.admission.coverage.duplicates - self._duplicates:
            notes.append(f"{again:,} records have an id that came before: the first usable record of an id counts")
        return Log(
            spaces,
            self.columns.indices(spaces.encoding),
            taken,
            np.array(self._probs),
            np.array(self._rewards),
            starts[kept],
            lengths[kept],
            cut[kept],
            alone,
            tuple(notes),
        )

    def _spaces(self) -> tuple[Spaces, list[str]]:
        if self.known:
            encoding = self.columns.known_to(self.known.encoding or Encoding(()))
            new = list(self._actions)[len(self.known.actions) :]
            if new:
                raise UsageProblem(
                    f"the log has the actions {listed(new)}, which the policy does not know (it knows {listed(self.known.actions)}); "
                    "train anew on all files, or leave this one out"
                )
            return Spaces(self.known.actions, False, encoding.size, encoding.width, encoding), []
        fields, notes = self.columns.fields(self.fields)
        encoding = Encoding(fields)
        known = set(self._actions) <= set(ACTIONS)
        actions = tuple(sorted(self._actions, key=ACTIONS.index) if known else self._actions)
        if len(actions) > MOST_ACTIONS:
            raise UsageProblem(
                f"the log has {len(actions):,} different actions, such as {actions[0]!r}; expected at most {MOST_ACTIONS} names "
                "(actions that are numbers cannot be learned from a log)"
            )
        if len(actions) < 2:
            raise UsageProblem(f"every logged action is {actions[0]!r}: there is nothing to choose between; expected at least two actions")
        return Spaces(actions, False, encoding.size, encoding.width, encoding), notes
