"""A log of scored calls as a source of experience: shuffled batches of episodes, file after file, day after day, resumed exactly."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Spaces, State
from dialogue.errors import UsageProblem, listed
from dialogue.seeds import child
from policies.columns import given_fields
from policies.contract import PASSES, Learner
from policies.learned_from import hash_of, packed
from policies.logged import Indices, Log, LogReader
from policies.saved import spaces_as_data, spaces_from_data
from policies.source import Batch
from rewards.admission import Admission, Allowed

CORRECTED = {
    "actor-critic": "V-trace with the logged probabilities",
    "a2c": "V-trace with the logged probabilities",
    "pessimistic": "pessimistic (SPIBB): where the log has tried an action too rarely, the behaviour policy is kept",
    "q": "the best next action is taken to follow, whoever acted: no probabilities are needed",
    "linear": "the best next action is taken to follow, whoever acted: no probabilities are needed",
}
Counts = NDArray[np.int64]
NUMBERS = ("seen", "sketch")  # of what was admitted, kept as arrays
NEEDS_PROBS = ("actor-critic", "a2c")


@dataclass(frozen=True, slots=True)
class LogFile:
    """A rewards file as it was read."""

    name: str
    sha256: str


class LoggedSource:
    """Batches of `learner.envs` episodes, shuffled anew for every pass, until all passes are done.

    A run is over a set of files. When it is finished, its state can be gone on from with other files: the policy then learns from those,
    with values and states that are new at the end of the encoding (`Learner.widen`). When it is not, the same files go on where it was
    stopped, bit for bit.

    Args:
        files: rewards files.
        seed: of the order.
        passes: over the files; None: as often as the learner wants (`passes` of its class), else 10.
        fields: as `--state`; None: what the states show.
        allowed: by the command line, of what law 3 forbids.
        ledger: where voided clearances are looked up, if the file is there.
        again: whether files may be learned from that were learned from before.
        new: whether the files are named anew; the same files of a run that is at its end then begin another. If not, it stays there.
        state: of an earlier run.

    Raises:
        UsageProblem: what law 3 forbids, files that are not as they were, or nothing to learn from.
        InputProblem: a line is not a record of a rewards file.

    Attributes:
        spaces: as the learner has them now.
        log: of the files of this run.
        epoch: the pass under way, from 0.
        at: how many episodes of the pass were given.
    """

    def __init__(
        self,
        files: Sequence[str | Path],
        *,
        seed: np.random.SeedSequence,
        passes: int | None = None,
        fields: str | None = None,
        allowed: Allowed | None = None,
        ledger: str | Path | None = None,
        again: bool = False,
        new: bool = True,
        state: State | None = None,
    ) -> None:
        if not files:
            raise UsageProblem("no rewards files to learn from; `judge score` writes them")
        if passes is not None and passes < 1:
            raise UsageProblem(f"{passes} passes over the log are too few; at least 1")
        self.files = [_hashed(file) for file in files]
        self._paths, self._seed = list(files), seed
        self._passes, self._fields = passes, fields
        self._allowed, self._ledger, self._again, self._new = allowed or Allowed(), ledger, again, new
        self._wanted: int | None = None  # passes, as the learner last said
        self._told = False  # that there is no more
        self._read(None, [], None, None) if state is None else self.restore(state)

    def _read(self, known: Spaces | None, done: list[LogFile], admitted: State | None, tried: Counts | None) -> None:
        """Read the files and begin the first pass.

        Args:
            known: the spaces that the learner has; None: it is new.
            done: files of earlier runs.
            admitted: what was admitted in earlier runs.
            tried: how often each action was tried in each observation of `known` in earlier runs.
        """
        names: dict[str, str] = {}
        for file, path in zip(self.files, self._paths, strict=True):
            if first := names.get(file.sha256):
                raise UsageProblem(f"{first} and {path} hold the same; name each file once")
            names[file.sha256] = str(path)
        if not self._again and (old := [names[file.sha256] for file in done if file.sha256 in names]):
            raise UsageProblem(f"{listed(old)} was learned from before; name new files only, or allow it with --again")
        self.before, self.done, self._admitted, self._tried = known, done, admitted, tried
        self.admission = Admission(self._allowed)
        if admitted is not None:
            self.admission.restore(admitted | {name: admitted[name].tolist() for name in NUMBERS}, again=self._again)
        reader = LogReader(self.admission, known, given_fields(self._fields) if self._fields and known is None else None)
        reader.read(self._paths)
        self.law = self.admission.close(self._ledger)
        self.log: Log = reader.log()
        self._see_enough()
        self._tried_in_all = self._count()
        self._rewind()

    def _see_enough(self) -> None:
        log, least = self.log, self._allowed.min_coverage
        if log.episodes < least * (log.episodes + log.unseen):
            raise UsageProblem(
                f"{log.unseen:,} of {log.episodes + log.unseen:,} episodes have one turn, and how it ended was not recorded, so they "
                f"teach nothing; --min-coverage asks for {least:.0%}: record the outcomes, or lower --min-coverage"
            )

    def _rewind(self) -> None:
        """Begin the first pass."""
        begun = len(self.done)
        seed = child(self._seed, begun) if begun else self._seed
        self.widened = self.before is None
        self.spaces = self.before or self.log.spaces
        self.epoch = self.at = 0
        self._wanted, self._told = None, False
        self._rng = np.random.default_rng(seed)
        self._order: Indices = self._rng.permutation(self.log.episodes)

    @property
    def repeated(self) -> bool:
        """Whether one of the files was learned from in an earlier run."""
        return not {file.sha256 for file in self.files}.isdisjoint(file.sha256 for file in self.done)

    def tried(self) -> Counts:
        """Return how often each action was tried in each observation, in the logs of all runs: (observations, actions).

        An episode counts once, however often it is gone through. Files that come again count nothing: of them it is not known any more
        which episodes were met before.
        """
        if not self.widened:
            assert self._tried is not None  # noqa: S101 - what is widened was there
            return self._tried
        return self._tried_in_all

    def _count(self) -> Counts:
        found, encoding = self.log.tried * (not self.repeated), self.log.spaces.encoding
        if self._tried is not None and self.before and self.before.encoding and encoding:
            found[self.before.encoding.moved_to(encoding)] += self._tried
        return found

    def passes_for(self, learner: Learner) -> int:
        """Return how often the log is gone through."""
        return self._passes or int(getattr(learner, "passes", PASSES))

    def next(self, learner: Learner) -> Batch | None:
        """Return the next `learner.envs` episodes, padded to the longest of them; None when all passes are done."""
        if not self.widened:
            self._widen(learner)
        self._wanted = self.passes_for(learner)
        if self.epoch >= self._wanted:
            self._told = True
            return None
        chosen = self._order[self.at : self.at + learner.envs]
        self.at += len(chosen)
        if self.at >= self.log.episodes:
            self.epoch, self.at = self.epoch + 1, 0
            self._order = self._rng.permutation(self.log.episodes)
        return Batch(self.log.rollout(chosen), self.log.returns(chosen))

    def _widen(self, learner: Learner) -> None:
        old, new = self.spaces.encoding, self.log.spaces.encoding
        if old is not None and new is not None and old != new:
            learner.widen(self.log.spaces, old.moved_to(new))
        self.spaces, self.widened = self.log.spaces, True

    @property
    def finished(self) -> bool:
        """Whether all passes over these files are done."""
        return self._wanted is not None and self.epoch >= self._wanted

    def correction(self, learner: Learner) -> str:
        """Return in words how it is made up for that another policy acted.

        Raises:
            UsageProblem: the learner corrects by probabilities, and some were not logged.
        """
        missing, steps, name = self.log.without_prob, self.log.steps, learner.name
        once = getattr(learner, "passes", None) == 1
        if once and (self._passes or 1) > 1:
            raise UsageProblem(f"learner {name} counts, and should see every episode once, not {self._passes} times; leave --passes out")
        if once and self.repeated:
            raise UsageProblem(f"learner {name} counts, and should see every episode once; leave --again out, or take another learner")
        if name in NEEDS_PROBS and missing:
            raise UsageProblem(
                f"{missing:,} of {steps:,} logged turns have no action_prob, by which learner {name} corrects; "
                "take --learner pessimistic, which needs none, or log it"
            )
        told = CORRECTED.get(name, f"as learner {name} does")
        if name == "pessimistic":
            told += f"; action_prob is missing on {missing:,} of {steps:,} turns" if missing else "; the logged probabilities are not used"
        return told

    def doubt(self, learner: Learner) -> str | None:
        """Return in words why the logged probabilities cannot be right, where the learner needs them; None where they may be."""
        found = self.log.fit
        if learner.name not in NEEDS_PROBS or found is None or not found.off:
            return None
        return f"{found}: V-trace by them learns something else; --learner pessimistic needs none"

    def manifest(self, learner: Learner) -> dict[str, Any]:
        """Return what was learned from, as JSON values: no path of a folder, no date."""
        log = self.log
        return {
            "files": [asdict(file) for file in (*self.done, *self.files)],
            "ids": packed(self.admission.sketch()),
            "passes": self.passes_for(learner),
            "correction": self.correction(learner),
            "episodes": log.episodes,
            "turns": log.steps,
            "turns_without_prob": log.without_prob,
            "unseen": log.unseen,
            "notes": [*log.notes, *([doubt] if (doubt := self.doubt(learner)) else [])],
            "law3": self.law,
        }

    def state(self) -> State:
        """Return the cursor, the order, its generator, and what files and spaces they belong to."""
        admitted = self.admission.state()
        return {
            "files": [asdict(file) for file in self.files],
            "done": [asdict(file) for file in self.done],
            "before": spaces_as_data(self.before) if self.before else None,
            "spaces": spaces_as_data(self.log.spaces),
            "widened": self.widened,
            "admitted_before": self._admitted,
            "tried_before": self._tried,
            "tried": self.tried(),
            "admitted": admitted | {name: np.array(admitted[name], np.uint64) for name in NUMBERS},
            "epoch": self.epoch,
            "at": self.at,
            "finished": self.finished,
            "told": self._told,
            "again": self._again,
            "wanted": self._wanted,
            "order": self._order,
            "rng": deepcopy(self._rng),
        }

    def restore(self, state: State) -> None:
        """Go on from there: with the same files where it was stopped, with other ones after a run that was finished.

        Raises:
            UsageProblem: the run was not finished, and the files are others; or they were learned from before.
        """
        files = [LogFile(**file) for file in state["files"]]
        done = [LogFile(**file) for file in state["done"]]
        same = [file.sha256 for file in files] == [file.sha256 for file in self.files]
        goes_on = same and not (state["told"] and self._new)  # of a run that was stopped after its last batch, the end is still to come
        if not state["finished"] and not same:
            raise UsageProblem(
                f"the run over {listed(file.name for file in files)} was stopped half-way, and these files hold something else; "
                "go on with the same files, unchanged and in the same order"
            )
        begins, admitted, tried = state["before"], state["admitted_before"], state["tried_before"]
        if not goes_on:
            begins, admitted, tried, done = state["spaces"], state["admitted"], state["tried"], [*done, *files]
        else:
            self._again = self._again or state["again"]  # it was allowed when the run began
        known = spaces_from_data(begins) if begins else None
        if not hasattr(self, "log") or (self.before, self.done) != (known, done):
            self._read(known, done, admitted, tried)
        self._rewind()
        if not goes_on:
            return
        self.widened = state["widened"]
        self.spaces = self.log.spaces if self.widened else self.spaces
        self.epoch, self.at, self._wanted = state["epoch"], state["at"], state["wanted"]
        self._order, self._rng = state["order"], deepcopy(state["rng"])


def offline_learner(log: Log) -> str:
    """Return the learner for a log of which the command line says nothing: by whether all probabilities were logged, and may be right."""
    fit = log.fit
    return "pessimistic" if fit is None or fit.off else "actor-critic"


def _hashed(path: str | Path) -> LogFile:
    try:
        return LogFile(Path(path).name, hash_of(path))
    except OSError as error:
        raise UsageProblem(f"cannot read {path}: {error.strerror}; name a rewards file (it is read more than once: no pipe)") from error
