"""One night of the monitor: ask, compare, suspect, ask again, decide, and tell drift of the judge from drift of the data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from scipy import stats

from dialogue.errors import Problem, UsageProblem
from dialogue.transcript import Transcript
from golden_set.asking import Heard, ask, ask_cases
from golden_set.baseline import LEAST_RUNS, Baseline
from golden_set.case import GoldenCase
from golden_set.history import Alarm, Anchors, CaseMoved, Cause, Episodes, History, Night, Reference, Sample, Series, hash_of
from golden_set.monitor import DESIGN, Design
from golden_set.nightly import Scales, episodes_of, groups_of, means_of, samples_of, scales_of, shifts_of
from golden_set.series import Purpose, series_of
from golden_set.tracks import AnchorTrack, anchor_track, stream_track
from judge.contract import Judge
from judge.ledger import Ledger
from judge.line import AnotherModel
from judge.rubric import Rubric
from judge.verdict import JudgeFailure

FAILED = 0.10  # share of the cases beyond which a night does not count
ALPHA = 0.05  # of the test whether the second judge moved as well
NEVER = 1e-4  # levels that a judge that does not vary may be off by rounding
NAMED = 5  # cases that are named after an alarm


class Unreached(Problem):
    """The judge did not answer, or for too few cases: nothing was added to the history."""


@dataclass(frozen=True)
class Task:
    """What is watched, and on which day."""

    judge: Judge
    cases: tuple[GoldenCase, ...]
    day: date
    baseline: Baseline | None = None
    second: Judge | None = None
    stream: tuple[Transcript, ...] | None = None
    design: Design = DESIGN

    @property
    def rubric(self) -> Rubric:
        """The question."""
        return self.judge.rubric

    @property
    def scales(self) -> Scales:
        """The criteria that are followed."""
        return scales_of(self.rubric)

    def ordered(self, series: Series) -> list[GoldenCase]:
        """Return the cases in the order of the series."""
        known = {case.id: case for case in self.cases}
        return [known[name] for name in series.cases]


@dataclass
class Watched:
    """The history after the night, the number of its series, and what is to be said aloud."""

    history: History
    series: int
    fresh: bool = True  # False: the night was in the history already
    warnings: list[str] = field(default_factory=list)


def watch(task: Task, history: History, ledger: Ledger) -> Watched:
    """Watch for one night; void clearance and calibration if the judge moved on the anchors. The caller saves the history.

    A night that the history has is not asked again. A night that was cut off goes on with what the ledger has of it.

    Raises:
        Unreached: the judge failed for more than a tenth of the cases.
        UsageProblem: the history goes beyond the day.
    """
    done = _series(task, history)
    nights = done.history.of(done.series)
    if nights and nights[-1].day > task.day:
        raise UsageProblem(f"the history has the night of {nights[-1].day} already; a night before it ({task.day}) cannot be added")
    if nights and nights[-1].day == task.day:
        done.fresh = False
        return done
    night = _night(task, done, nights, ledger)
    done.history = done.history.add(night)
    return done


def _series(task: Task, history: History) -> Watched:
    """Return the history with a series for the judge and the cases, which it says loudly if it is a new one."""
    who, what = task.judge.id, hash_of(task.cases, task.rubric)
    found = history.find(who, what)
    baseline, unused = _reference(task)
    accepted_anew = found is not None and baseline is not None and baseline != history.series[found].baseline
    if found is not None and not accepted_anew:
        return Watched(history, found)
    series = Series(
        judge=who,
        cases_hash=what,
        cases=tuple(case.id for case in task.cases),
        begun=task.day,
        burn_in=task.design.burn_in,
        baseline=baseline,
    )
    done = Watched(history.begin(series), len(history.series), warnings=[unused] if unused else [])
    if accepted_anew and task.baseline:
        told = f"a baseline was accepted on {task.baseline.accepted_on}: a new series begins, and its burn-in; the old one is kept"
        done.warnings.insert(0, told)
    elif history.series:
        last = history.series[-1]
        why = "another judge" if last.judge != who else "other cases"
        was = f"{last.judge} ({last.judge.key})" if last.judge != who else f"cases {last.cases_hash}"
        done.warnings.insert(0, f"{why} than the history's (it was {was}): a new series begins, and its burn-in; the old one is kept")
    return done


def _reference(task: Task) -> tuple[Reference | None, str | None]:
    """Return the accepted baseline if it can serve, or why it cannot."""
    base = task.baseline
    if base is None:
        return None, None
    if base.judge != task.judge.id:
        return None, f"the accepted baseline is another judge's ({base.judge}, {base.judge.key}): the level is learned in the burn-in alone"
    if base.runs < LEAST_RUNS:
        return None, f"the accepted baseline has {base.runs} runs, fewer than {LEAST_RUNS}: the level is learned in the burn-in alone"
    episodes = episodes_of(base.sheet(task.cases, task.rubric), task.rubric, task.cases)
    return Reference(day=base.accepted_on, runs=base.runs, episodes=episodes), None


def _night(task: Task, done: Watched, nights: Sequence[Night], ledger: Ledger) -> Night:
    series = done.history.series[done.series]
    cases = task.ordered(series)
    heard = _heard(task, cases, task.judge, ledger, 1, Purpose.WATCH)
    _check(heard, len(cases), task.judge)
    track = anchor_track(series, nights, task.judge.id.key, task.scales, groups_of(cases), task.design)
    episodes = episodes_of(heard.sheet, task.rubric, cases)
    anchors = _anchors(task.judge, episodes, track, task.day)
    second, other = _second(task, series, cases, nights, ledger, done.warnings)
    stream = _stream(task, task.judge, ledger, done.warnings)
    second_stream = _stream(task, task.second, ledger, done.warnings) if task.second and second else None
    flow = stream_track(nights, task.scales, task.design)
    if flow and stream:
        flow.night(task.day, [stream[name] for name in task.scales.names])
    flowed = bool(flow and stream and flow.monitor.alarmed[0])
    alarm = None
    if track and (track.monitor.suspected[0] or flowed):
        again = _again(task, cases, task.judge, ledger)
        fresh = track.levels.moved(again)
        anchors = anchors.model_copy(update={"again": fresh})
        track.again(fresh)
        moved = bool(track.monitor.alarmed[0])
        if moved and other and second and task.second:
            try:
                second = second.model_copy(update={"again": other.levels.moved(_again(task, cases, task.second, ledger))})
            except Unreached as problem:
                done.warnings.append(f"the second judge: {problem}")
        if moved or flowed:
            cause = _cause(other, second) if moved else Cause.STREAM
            voided = moved and ledger.void(task.judge.id)
            # Where the second judge moved as well, the reading is at fault, and this judge is still the one that was calibrated.
            uncalibrated = cause in (Cause.JUDGE, Cause.UNTOLD) and bool(ledger.void_calibrations(task.judge.id))
            named = _cases(track, again, cases) if moved else ()
            alarm = Alarm(anchors=moved, stream=flowed, cause=cause, cases=named, voided=voided, uncalibrated=uncalibrated)
    elif flowed:
        alarm = Alarm(anchors=False, stream=True, cause=Cause.STREAM)
    failed = len(heard.failures)
    return Night(
        series=done.series,
        day=task.day,
        answered=len(cases) - failed,
        failed=failed,
        anchors=anchors,
        second=second,
        stream=stream,
        second_stream=second_stream,
        alarm=alarm,
    )


def _heard(task: Task, cases: Sequence[GoldenCase], judge: Judge, ledger: Ledger, runs: int, purpose: Purpose) -> Heard:
    heard = Heard()
    for run in range(runs):
        try:
            ask_cases(cases, judge, ledger, heard, series=series_of(purpose, task.day), run=run)
        except AnotherModel as error:  # the judge that was watched is gone: that is no drift of its ratings, and must not look like a typo
            raise Unreached(f"{judge.id} does not answer any more: {error}; nothing is added to the history") from error
    return heard


def _check(heard: Heard, asked: int, judge: Judge) -> None:
    """Raise Unreached where too many cases failed."""
    if len(heard.failures) > FAILED * asked:
        kinds = ", ".join(sorted({failure.kind.value for _, failure in heard.failures}))
        first = heard.failures[0][1].detail
        raise Unreached(
            f"{judge.id} failed for {len(heard.failures)} of {asked} ratings of cases ({kinds}; the first: {first}); at most "
            f"{FAILED:.0%} may fail; nothing is added to the history; run it again today: what was answered is in the ledger"
        )


def _anchors(judge: Judge, episodes: Episodes, track: AnchorTrack | None, day: date) -> Anchors:
    """Return a night's anchors: with every episode during the burn-in, with the shifts after it (taken in by the track)."""
    if track is None:
        return Anchors(judge=judge.id.key, means=means_of(episodes), episodes=episodes)
    moved = track.levels.moved(episodes)
    track.night(day, moved)
    return Anchors(judge=judge.id.key, means=means_of(episodes), moved=moved)


def _again(task: Task, cases: Sequence[GoldenCase], judge: Judge, ledger: Ledger) -> Episodes:
    """Return the fresh runs of the anchors."""
    heard = _heard(task, cases, judge, ledger, task.design.again, Purpose.CONFIRM)
    _check(heard, task.design.again * len(cases), judge)
    return episodes_of(heard.sheet, task.rubric, cases)


def _second(
    task: Task, series: Series, cases: Sequence[GoldenCase], nights: Sequence[Night], ledger: Ledger, warnings: list[str]
) -> tuple[Anchors | None, AnchorTrack | None]:
    """Return what the second judge said of the anchors, and its detectors. Where it fails, the night goes on without it."""
    judge = task.second
    if judge is None:
        return None, None
    track = anchor_track(series, nights, judge.id.key, task.scales, groups_of(cases), task.design, second=True)
    try:
        heard = _heard(task, cases, judge, ledger, 1, Purpose.WATCH)
        _check(heard, len(cases), judge)
    except Problem as problem:
        warnings.append(f"the second judge: {problem}")
        return None, None
    said = _anchors(judge, episodes_of(heard.sheet, task.rubric, cases), track, task.day)
    if said.moved:  # nothing is localised by the second judge: the file stays small
        said = said.model_copy(update={"moved": said.moved.model_copy(update={"slices": {}})})
    return said, track


def _stream(task: Task, judge: Judge, ledger: Ledger, warnings: list[str]) -> dict[str, Sample] | None:
    """Return the means over the day's production dialogues, where there are enough of them."""
    if task.stream is None:
        return None
    answers = ask(task.stream, judge, ledger, series=series_of(Purpose.WATCH, task.day), run=0)
    failed = sum(isinstance(answer, JudgeFailure) for answer in answers)
    if failed > FAILED * len(answers):
        warnings.append(f"the stream: {judge.id} failed for {failed} of {len(answers)} dialogues; the stream is left out tonight")
        return None
    found = samples_of(answers, task.rubric)
    if found is None:
        warnings.append(f"the stream has {len(answers)} dialogue(s) today, too few to tell anything; it is left out tonight")
    return found


def _cause(track: AnchorTrack | None, second: Anchors | None) -> Cause:
    """Return what moved the anchors: the judge alone, or something that the second judge saw too."""
    if track is None or second is None or second.again is None:
        return Cause.UNTOLD
    shift = np.abs(shifts_of(second.again.criteria, track.levels.scales))
    noise = track.levels.all.noise
    if max(noise.item.max(), noise.squares.max()) < NEVER**2:  # it never varied: any change is one
        return Cause.READING if (shift > NEVER).any() else Cause.JUDGE
    beyond = (shift - track.monitor.tolerance[0]) / track.monitor.fresh_sd(second.again.share)[0]
    return Cause.READING if (beyond >= stats.norm.isf(ALPHA / len(shift))).any() else Cause.JUDGE


def _cases(track: AnchorTrack, again: Episodes, cases: Sequence[GoldenCase]) -> tuple[CaseMoved, ...]:
    """Return the cases that moved most in the fresh runs, in the way that the criterion with the most evidence moved."""
    at = int(np.argmax(track.steps[-1].evidence))
    name = track.levels.scales.names[at]
    values = np.array([np.nan if value is None else value for value in again[name]], dtype=float)
    shift = values - track.levels.all.means[0, at]
    way = np.nan_to_num(shift) * np.sign(np.nansum(shift))
    most = [int(k) for k in np.argsort(-way)[:NAMED] if way[k] > 0]
    return tuple(CaseMoved(case=cases[k].id, criterion=name, shift=round(float(shift[k]), 3)) for k in most)
