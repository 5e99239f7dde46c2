"""Means over all episodes of the log, by the judge alone, by people alone and by both: rewards, criteria, violations; their differences.

An episode counts for a figure where people gave every rating that it takes. That some did not answer everything is taken for chance.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import numpy as np

from golden_set.audit import ppi
from golden_set.audit.evidence import Evidence
from golden_set.audit.findings import DifferenceRow, EstimateRow, Interval
from golden_set.audit.resampling import LEVEL
from golden_set.audit.sample import AuditItem, Framed
from golden_set.audit.worth import Worth
from golden_set.case import EPISODE, agreed
from golden_set.sheet import BoolArray, FloatArray, IntArray
from judge.rubric import Criterion, Rubric
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict, handling, mean_unit

ALL, REWARD, HANDLING, VIOLATION = "all", "reward", "handling", "violation of "
FEW = 4  # values of a slice's key that are compared with each other
PEOPLE = "people"


@dataclass
class Frame:
    """All episodes that could be drawn, as numbers. A figure of which any episode has no number is not there.

    Attributes:
        stratum: of each episode, its number in the sample.
        judged: by figure, what the judge says of each episode.
        inside: by slice, whether each episode belongs to it.
    """

    stratum: IntArray
    judged: dict[str, FloatArray]
    inside: dict[str, BoolArray]


@dataclass(frozen=True)
class Labelled:
    """Of one figure: the labelled items, what people say of each, what the judge does, and the number of its stratum."""

    items: tuple[str, ...]
    people: FloatArray
    judge: FloatArray
    stratum: IntArray


def make_frame(evidence: Evidence, episodes: Iterable[Framed]) -> Frame:
    """Return the frame as numbers; it is read once, row by row."""
    rubric = evidence.sample.rubric
    strata: list[int] = []
    columns: dict[str, list[float]] = defaultdict(list)
    members: dict[str, list[int]] = defaultdict(list)
    for at, episode in enumerate(episodes):
        strata.append(evidence.numbers[episode.stratum])
        for name, value in _judged(episode, rubric).items():
            columns[name].append(value)
        for name in episode.slices:
            members[name].append(at)
    inside = {}
    for name, places in sorted(members.items()):
        inside[name] = np.zeros(len(strata), dtype=bool)
        inside[name][places] = True
    judged = {name: np.array(values, dtype=float) for name, values in columns.items() if len(values) == len(strata)}
    return Frame(np.array(strata, dtype=np.int64), judged, inside)


def _judged(episode: Framed, rubric: Rubric) -> dict[str, float]:
    """Return the judge's figures of an episode."""
    found = {} if episode.reward is None else {REWARD: episode.reward}
    found |= {HANDLING: episode.handling, **episode.means}
    return found | {f"{VIOLATION}{one.name}": float(one.name in episode.violated) for one in rubric.turn if one.critical}


def labelled(evidence: Evidence, worth: Worth | None) -> dict[str, Labelled]:
    """Return by figure what people say of the episodes that they rated in full, as far as the figure takes it."""
    rows: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for item in sorted(item for answered in evidence.answered.values() for item in answered):
        judged = _judged(evidence.items[item].framed, evidence.sample.rubric)
        for name, value in _by_people(evidence, item, worth).items():
            if name in judged:
                rows[name].append((item, value, judged[name]))
    made = {}
    for name, found in rows.items():
        items, people, judge = zip(*found, strict=True)
        strata = [evidence.stratum(item) for item in items]
        made[name] = Labelled(items, np.array(people, dtype=float), np.array(judge, dtype=float), np.array(strata, dtype=np.int64))
    return made


def _by_people(evidence: Evidence, item: str, worth: Worth | None) -> dict[str, float]:
    """Return the figures of an episode by people's mean ratings."""
    rubric, asked, said = evidence.sample.rubric, evidence.items[item], evidence.said[item]
    places = [str(at) for at in asked.shown.agent_turns]
    found = {}
    for one in rubric.turn_criteria:
        heard = [said[place][one.name] for place in places if said.get(place, {}).get(one.name)]
        if len(heard) < len(places):
            continue
        means = [agreed(ratings.values()) for ratings in heard]
        found[one.name] = fmean(means)
        if isinstance(one, Criterion) and one.critical:
            found[f"{VIOLATION}{one.name}"] = float(any(map(one.violated, means)))
    for one in rubric.episode:
        if ratings := said.get(EPISODE, {}).get(one.name):
            found[f"{one.name} (episode)"] = agreed(ratings.values())
    if evidence.complete(item):
        verdict = peoples_verdict(evidence, asked)
        found[HANDLING] = handling([mean_unit(turn.ratings, rubric.turn) for turn in verdict.turns], verdict.episode, rubric)
        if worth:
            found[REWARD] = worth.of(asked.shown, verdict)
    return found


def peoples_verdict(evidence: Evidence, asked: AuditItem) -> Verdict:
    """Return the mean of what people say of an episode, which must be complete, in the form of a verdict."""
    rubric, said = evidence.sample.rubric, evidence.said[asked.item]

    def ratings(place: str) -> dict[str, Rating]:
        return {name: Rating(value=agreed(heard.values()), reason="") for name, heard in said.get(place, {}).items()}

    who = JudgeId(provider=PEOPLE, model=PEOPLE, rubric=rubric.name, rubric_hash=rubric.hash, prompt_hash="")
    turns = tuple(TurnRatings(turn=at, ratings=ratings(str(at))) for at in asked.shown.agent_turns)
    return Verdict(judge=who, turns=turns, episode=ratings(EPISODE))


def estimates(evidence: Evidence, frame: Frame, found: Mapping[str, Labelled], *, judge_alone: bool = True) -> tuple[EstimateRow, ...]:
    """Return the means over the log, by figure: of all episodes, then of each slice with enough labels.

    Args:
        found: what `labelled` returns.
        judge_alone: False where the frame's rewards are made with another recipe than people's: they then only help to estimate.
    """
    rows = []
    for name in _figures(evidence, frame):
        known = found.get(name)
        shown = judge_alone or name != REWARD
        made = _estimate(frame, name, known)
        rows.append(_row(name, ALL, made, shown=shown) if made else _unknown(evidence, frame, name, known, shown=shown))
        for group, inside in frame.inside.items():
            if not inside.all() and (made := _estimate(frame, name, known, _members(evidence, known, group), inside)):
                rows.append(_row(name, group, made, shown=shown))
    return tuple(rows)


def slice_differences(evidence: Evidence, frame: Frame, found: Mapping[str, Labelled]) -> tuple[DifferenceRow, ...]:
    """Return how the slices of one key (`policy:v2`, `policy:v3`) differ, the later name minus the earlier, where the key has few."""
    keys: dict[str, list[str]] = defaultdict(list)
    for name in frame.inside:
        keys[name.partition(":")[0]].append(name)
    rows = []
    for figure in _figures(evidence, frame):
        known = found.get(figure)
        if known is None:
            continue
        for earlier, later in (pair for names in keys.values() if len(names) <= FEW for pair in combinations(names, 2)):
            inside = (_members(evidence, known, later), _members(evidence, known, earlier))
            told = ppi.difference(
                known.people, known.judge, known.stratum, frame.judged[figure], frame.stratum, inside,
                (frame.inside[later], frame.inside[earlier]), LEVEL, share=_share(figure),
            )  # fmt: skip
            if told:
                both = Interval(value=told.value, low=told.low, high=told.high)
                rows.append(DifferenceRow(of=figure, first=later, second=earlier, both=both))
    return tuple(rows)


def bias(frame: Frame, name: str, known: Labelled | None, level: float = LEVEL) -> Interval:
    """Return how far the judge is above people over the log: its mean minus PPI++'s of theirs; all None of too few labels."""
    if known is None or name not in frame.judged:
        return Interval()
    made = ppi.estimate(known.people, known.judge, known.stratum, frame.judged[name], frame.stratum, level=level, share=False)
    return Interval(value=made.judge - made.value, low=made.judge - made.high, high=made.judge - made.low) if made else Interval()


def _figures(evidence: Evidence, frame: Frame) -> list[str]:
    rubric = evidence.sample.rubric
    names = [REWARD, *(one.name for one in rubric.turn_criteria), *(f"{one.name} (episode)" for one in rubric.episode)]
    names += [f"{VIOLATION}{one.name}" for one in rubric.turn if one.critical]
    return [name for name in names if name in frame.judged]


def _share(name: str) -> bool | None:
    return True if name.startswith(VIOLATION) else None


def _members(evidence: Evidence, known: Labelled | None, group: str) -> BoolArray:
    return np.array([group in evidence.items[item].framed.slices for item in (known.items if known else ())], dtype=bool)


def _estimate(
    frame: Frame, name: str, known: Labelled | None, inside: BoolArray | None = None, frame_inside: BoolArray | None = None
) -> ppi.Estimate | None:
    if known is None:
        return None
    judged = frame.judged[name]
    return ppi.estimate(known.people, known.judge, known.stratum, judged, frame.stratum, inside, frame_inside, LEVEL, share=_share(name))


def _row(name: str, group: str, made: ppi.Estimate, *, shown: bool) -> EstimateRow:
    return EstimateRow(
        of=name,
        group=group,
        frame=made.frame,
        labelled=made.labelled,
        judge=made.judge if shown else None,
        people=Interval(value=made.people.value, low=made.people.low, high=made.people.high),
        both=Interval(value=made.value, low=made.low, high=made.high),
        gain=made.gain,
        tuning=made.tuning,
    )


def _unknown(evidence: Evidence, frame: Frame, name: str, known: Labelled | None, *, shown: bool) -> EstimateRow:
    """Return what is known of too few labels: the judge's mean, and people's without an interval."""
    people = None
    if known:
        people = float(np.average(known.people, weights=[evidence.weight(item) for item in known.items]))
    return EstimateRow(
        of=name,
        group=ALL,
        frame=len(frame.stratum),
        labelled=len(known.items) if known else 0,
        judge=float(frame.judged[name].mean()) if shown else None,
        people=Interval(value=people),
        both=Interval(),
        gain=None,
        tuning=None,
    )
