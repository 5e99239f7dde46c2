"""The frame: every episode of a log that has a verdict and could be drawn, as slim rows; and how many have none, or read alike."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from scipy.stats import rankdata

from dialogue.errors import InputProblem, UsageProblem, did_you_mean, listed
from dialogue.reader import Found, Reject
from dialogue.transcript import Transcript
from golden_set.audit.known import Known
from golden_set.audit.sample import Framed
from golden_set.audit.worth import Worth
from golden_set.sheet import FloatArray, IntArray
from judge.batch import CHUNK
from judge.rubric import Rubric
from judge.verdict import Verdict, handling, mean_unit

POLICY = "policy"  # the key of `meta` that slices are made of where nobody says otherwise
NONE = "none"  # the value of a key that an episode lacks
NAMED = 6  # distinct numbers up to which each outcome has a slice of its own
THIRDS = ("low", "middle", "high")
KEYS_TOLD = 200  # keys of meta that are remembered for messages


@dataclass(frozen=True, slots=True)
class Scored:
    """One episode of the frame, before its stratum is known. `values` and `means` are in the order of the frame's names."""

    id: str
    content_hash: str
    outcome: str | float | None  # as logged
    values: tuple[str, ...]  # of the keys of meta
    reward: float
    worth: float | None  # of the outcome alone
    handling: float
    spread: float
    means: tuple[float, ...]
    violated: tuple[str, ...]


@dataclass
class Frame:
    """What was found in the files.

    Attributes:
        means: the names of the judge's mean ratings.
        keys: the keys of `meta` that were looked at.
        slices: those of them that slices are made of.
    """

    means: tuple[str, ...]
    keys: tuple[str, ...]
    slices: tuple[str, ...] = ()
    rows: list[Scored] = field(default_factory=list)
    unscored: int = 0
    duplicates: int = 0

    @property
    def handling(self) -> FloatArray:
        """The judge's rating of every episode on [-1, 1]; shape (episodes,)."""
        return np.array([row.handling for row in self.rows])

    @property
    def bands(self) -> IntArray:
        """The third of the log that every episode is in by its rating, 0 to 2; shape (episodes,). Equal ratings share their band."""
        return thirds(self.handling)

    def column(self, key: str) -> list[str]:
        """Return what every episode has under a key of meta."""
        at = self.keys.index(key)
        return [row.values[at] for row in self.rows]

    @property
    def outcomes(self) -> list[str]:
        """How every episode ended, as logged; where there are more than six different numbers, in thirds by value."""
        numbers = sorted({row.outcome for row in self.rows if isinstance(row.outcome, float)})
        names = {number: f"{number:g}" for number in numbers}
        if len(numbers) > NAMED:
            logged = np.array([row.outcome for row in self.rows if isinstance(row.outcome, float)])
            third = dict(zip(logged.tolist(), thirds(logged).tolist(), strict=True))
            for band in range(len(THIRDS)):
                inside = [number for number in numbers if third[number] == band]
                names |= dict.fromkeys(inside, f"{inside[0]:g} to {inside[-1]:g}")
        return [names[row.outcome] if isinstance(row.outcome, float) else NONE if row.outcome is None else row.outcome for row in self.rows]

    def framed(self, strata: Sequence[str], among: Iterable[int] | None = None) -> Iterator[Framed]:
        """Yield the rows (all, or those of some numbers) as they are stored, given the name of every row's stratum."""
        columns, outcomes = [(key, self.keys.index(key)) for key in self.slices], self.outcomes
        for at in range(len(self.rows)) if among is None else among:
            row, outcome, stratum = self.rows[at], outcomes[at], strata[at]
            yield Framed(
                id=row.id,
                content_hash=row.content_hash,
                stratum=stratum,
                slices=(f"outcome:{outcome}", *(f"{key}:{row.values[at]}" for key, at in columns)),
                reward=row.reward,
                handling=row.handling,
                spread=row.spread,
                means=dict(zip(self.means, row.means, strict=True)),
                violated=row.violated,
            )


def thirds(values: FloatArray) -> IntArray:
    """Return the third that each of some values is in, 0 for the lowest: that of its mean rank, so that equal values share one.

    Shape (values,).
    """
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    halves = np.rint(2 * rankdata(values)).astype(np.int64) - 1  # twice the rank from 0, in the middle of its place: exact
    return np.asarray(3 * halves // (2 * len(values)), dtype=np.int64)


def make_frame(
    found: Iterable[Found],
    known: Known,
    worth: Worth,
    rubric: Rubric,
    on_reject: Callable[[Reject], None],
    *,
    slices: Sequence[str] = (),
    strata: Sequence[str] = (),
) -> Frame:
    """Return the frame of transcripts and the ledger's verdicts, reading both once.

    Args:
        slices: keys of `meta`; by default `policy`, if any episode has it.
        strata: further keys of `meta` that strata are made of.

    Raises:
        UsageProblem: no episode has a verdict, or none has one of the keys.
    """
    keys = tuple(dict.fromkeys([*(slices or (POLICY,)), *strata]))
    names = [criterion.name for criterion in rubric.turn_criteria]
    frame = Frame((*names, *(f"{criterion.name} (episode)" for criterion in rubric.episode)), keys)
    seen: set[bytes] = set()
    present: set[str] = set()
    first: list[str] = []
    stream = iter(found)
    while chunk := list(islice(stream, CHUNK)):
        kept: list[tuple[str, Transcript, float | None]] = []
        for item in chunk:
            try:
                value = worth.of_outcome(item.transcript)
            except InputProblem as problem:
                on_reject(item.reject(problem))
                continue
            key = item.transcript.content_hash(with_outcome=rubric.sees_outcome)
            kept.append((key, item.transcript, value))
            present.update(name for name in item.transcript.meta if len(present) < KEYS_TOLD or name in keys)
        hashes = list(dict.fromkeys(key for key, *_ in kept))
        first = first or hashes
        verdicts = known.verdicts(hashes)
        for key, transcript, value in kept:
            if key not in verdicts:
                frame.unscored += 1
                continue
            # Calls that read alike are as many episodes: they may have ended otherwise, and the log has them as often.
            frame.rows.append(_scored(key, transcript, verdicts[key], value, worth, rubric, keys))
            short = bytes.fromhex(key)[:16]
            frame.duplicates += short in seen
            seen.add(short)
    if not frame.rows:
        raise UsageProblem(_nothing(frame, known, first))
    for key in (*slices, *strata):
        if key not in present:
            raise UsageProblem(
                f"no episode has {key!r} in its meta{did_you_mean(key, present)}; there are: {listed(sorted(present)) or 'no keys'}"
            )
    frame.slices = tuple(dict.fromkeys(slices)) or ((POLICY,) if POLICY in present else ())
    return frame


def _nothing(frame: Frame, known: Known, first: Sequence[str]) -> str:
    if not frame.unscored:
        return "there is no episode to draw from in these files; name a file of scored transcripts"
    others = [other for other in known.others(first) if other != known.id]
    who = listed(f"{other} ({other.sampling})" for other in others)
    hint = f"; the ledger has verdicts by {who}: name that judge with --judge, --rubric and --repeats" if who else ""
    told = f"none of {frame.unscored:,} episodes has a verdict by {known.id} ({known.id.sampling}) in the ledger"
    return f"{told}: run `judge score` first, with the same judge, rubric, repeats and ledger{hint}"


def _scored(
    key: str, transcript: Transcript, verdict: Verdict, value: float | None, worth: Worth, rubric: Rubric, keys: Sequence[str]
) -> Scored:
    turns = verdict.turns
    units = [mean_unit(turn.ratings, rubric.turn) for turn in turns]
    means = [sum(turn.ratings[c.name].value for turn in turns) / len(turns) for c in rubric.turn_criteria]
    means += [verdict.episode[c.name].value for c in rubric.episode]
    spreads = [
        (rating.spread or 0.0) / (c.scale.high - c.scale.low)
        for criteria, ratings in [*((rubric.turn_criteria, turn.ratings) for turn in turns), (rubric.episode, verdict.episode)]
        for c in criteria
        for rating in [ratings[c.name]]
    ]
    violated = [sys.intern(c.name) for c in rubric.turn if c.critical and any(c.violated(turn.ratings[c.name].value) for turn in turns)]
    outcome = transcript.outcome
    return Scored(
        id=transcript.id,
        content_hash=key,
        outcome=sys.intern(outcome) if isinstance(outcome, str) else outcome,
        values=tuple(sys.intern(_told(transcript.meta.get(name), name)) for name in keys),
        reward=worth.of(transcript, verdict),
        worth=value,
        handling=handling(units, verdict.episode, rubric),
        spread=max(spreads),
        means=tuple(means),
        violated=tuple(violated),
    )


def _told(value: object, key: str) -> str:
    """Return a value of meta as it stands in the name of a slice."""
    if isinstance(value, dict | list):  # may hold anything, a person's name too
        raise UsageProblem(f"{key!r} in meta holds {json.dumps(value)[:40]}; slices and strata are made of plain values: name another key")
    return (NONE if value is None else value if isinstance(value, str) else json.dumps(value))[:128]
