"""What the nightly monitor reports: plain data from the history alone, enough to draw every path."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from golden_set.decision import STATUS, Decision
from golden_set.history import Alarm, Cause, Night
from golden_set.monitor import Design
from golden_set.nightly import Scales, groups_of, scales_of, shifts_of
from golden_set.sheet import FloatArray
from golden_set.tracks import AnchorTrack, Step, anchor_track, burn_in, samples_in, stream_track
from golden_set.watch import Task, Watched
from judge.verdict import JudgeId

Numbers = tuple[float | None, ...]  # one a night, in the order of `days`; None where there is none
ALARM = STATUS[Decision.FAIL]
RECALIBRATE = "recalibrate before its ratings are used again; the calibration so far is void"
TODO: dict[Cause, tuple[str, ...]] = {
    Cause.JUDGE: (
        "freeze the export of rewards: this judge no longer has leave to produce any",
        "run `judge golden check` to see how it stands against its baseline, and which cases moved",
        RECALIBRATE,
        "if the change is wanted, run `judge golden accept`, and commit the new baseline",
    ),
    Cause.UNTOLD: (
        "freeze the export of rewards: this judge no longer has leave to produce any",
        "see whether the code that reads dialogues changed since the burn-in; a second judge (--second) would have told",
        "run `judge golden check` to see how the judge stands against its baseline, and which cases moved",
        RECALIBRATE,
        "if the change is wanted, run `judge golden accept`, and commit the new baseline",
    ),
    Cause.READING: (
        "freeze the export of rewards: what judges are shown, or how it is read, is not what was accepted",
        "look for changes of the golden cases and of the code that reads and shows dialogues since the burn-in",
        "when that is mended, run `judge golden check`: a pass gives leave anew",
    ),
    Cause.STREAM: (
        "the judge stands: its clearance is kept",
        "look at today's dialogues: other callers, other topics, or a change of the agent",
        "if they stay like this, add cases like them to the golden set (`judge audit`), so that the judge is known on them too",
    ),
}


class Plain(BaseModel):
    """Frozen data."""

    model_config = ConfigDict(frozen=True)


class Path(Plain):
    """One criterion night by night. `shift` is from the level before the watch, in levels; `sd` is what a night's shift varies by."""

    criterion: str
    low: int
    high: int
    days: tuple[date, ...]
    mean: Numbers
    shift: Numbers
    sd: Numbers
    tolerance: Numbers
    evidence: Numbers
    cusum: Numbers
    again: Numbers  # the shift in the fresh runs, where there were some
    second: Numbers  # the second judge's shift


class SliceMoved(Plain):
    """A slice that moved; of those named, at most the design's share is wrong on average."""

    slice: str
    criterion: str
    shift: float


class Limits(Plain):
    """Where alarm, suspicion and amber are, and how long the burn-in takes."""

    alarm: float
    suspicion: float
    amber: float
    burn_in: int


class WatchReport(Plain):
    """One night, and the nights before it. `status` is the exit status that the night itself asks for."""

    kind: Literal["golden-watch"] = "golden-watch"
    judge: JudgeId
    second: str | None
    cases: int
    cases_hash: str
    day: date
    fresh: bool  # False: the night was in the history before
    begun: date
    baseline_runs: int
    nights: int
    burn_in: int  # nights of it that are done
    answered: int
    failed: int
    limits: Limits
    together: Numbers  # evidence over all criteria, by night (of `anchors[].days`)
    anchors: tuple[Path, ...]
    stream: tuple[Path, ...]
    stream_together: Numbers
    stream_burn_in: int
    suspected: bool
    alarm: Alarm | None
    slices: tuple[SliceMoved, ...]
    amber: tuple[str, ...]
    told: str
    todo: tuple[str, ...]
    warnings: tuple[str, ...]
    alarms_before: tuple[date, ...]
    status: int


def make_report(task: Task, done: Watched) -> WatchReport:
    """Return the report of the latest night of the series."""
    series, nights, scales, design = done.history.series[done.series], done.history.of(done.series), scales_of(task.rubric), task.design
    last = nights[-1]
    groups = groups_of(task.ordered(series))
    track = anchor_track(series, nights[:-1], task.judge.id.key, scales, groups, design)
    found: tuple[SliceMoved, ...] = ()
    if track and last.anchors.moved:  # the last night is taken in here, to see the detectors before they begin anew
        track.night(last.day, last.anchors.moved)
        if last.anchors.again:
            track.again(last.anchors.again)
            if last.alarm and last.alarm.anchors:
                found = tuple(SliceMoved(slice=s, criterion=c, shift=x) for s, c, x in track.localised(last.anchors.again))
    limits = Limits(alarm=design.alarm, suspicion=design.suspicion, amber=design.amber, burn_in=design.burn_in)
    amber = tuple(name for name, over in zip(scales.names, track.monitor.ambered[0], strict=True) if over) if track else ()
    learned = min(design.burn_in, len(burn_in(nights, task.judge.id.key)))
    stream, stream_together = _stream(nights, scales, design, last.second.judge if last.second else None)
    return WatchReport(
        judge=series.judge,
        second=str(task.second.id) if task.second else None,
        cases=len(series.cases),
        cases_hash=series.cases_hash,
        day=last.day,
        fresh=done.fresh,
        begun=series.begun,
        baseline_runs=series.baseline.runs if series.baseline else 0,
        nights=len(nights),
        burn_in=learned,
        answered=last.answered,
        failed=last.failed,
        limits=limits,
        together=_numbers(nights, track.steps if track else [], "together"),
        anchors=_anchors(nights, track, scales),
        stream=stream,
        stream_together=stream_together,
        stream_burn_in=min(design.burn_in, len(samples_in(nights, scales))),
        suspected=last.anchors.again is not None,
        alarm=last.alarm,
        slices=found,
        amber=amber,
        told=_told(last, track, scales, learned, design, amber),
        todo=TODO[last.alarm.cause] if last.alarm else (),
        warnings=tuple(done.warnings),
        alarms_before=tuple(night.day for night in nights[:-1] if night.alarm),
        status=ALARM if last.alarm else 0,
    )


def _told(last: Night, track: AnchorTrack | None, scales: Scales, learned: int, design: Design, amber: Sequence[str]) -> str:
    """Return the night in a sentence."""
    if last.alarm:
        if not last.alarm.anchors:
            return f"ALARM: {last.alarm.cause.value}: the production stream moved, the anchors did not"
        step = track.steps[-1] if track else None
        at = int(np.argmax(step.evidence)) if step else 0
        by = step.fresh[at] if step and step.fresh is not None else float("nan")
        moved = int(np.sum(np.abs(step.fresh) > step.tolerance)) if step and step.fresh is not None else 1
        others = f" (and {moved - 1} more of {len(scales.names)} criteria)" if moved > 1 else ""
        what = f"{scales.names[at]} moved by {by:+.2f} on the anchors{others}, borne out by {design.again} fresh runs"
        return f"ALARM: {last.alarm.cause.value}: {what}"
    if track is None:
        return f"burn-in {learned} of {design.burn_in}: cannot alarm yet"
    if last.anchors.again:
        return f"amber: a suspicion was withdrawn: {design.again} fresh runs of the anchors did not bear it out"
    if amber:
        return f"amber: the CUSUM of {', '.join(amber)} is over its limit; no alarm"
    return "no drift"


def _anchors(nights: Sequence[Night], track: AnchorTrack | None, scales: Scales) -> tuple[Path, ...]:
    steps = track.steps if track else []
    second = [shifts_of(n.second.moved.criteria, scales) if n.second and n.second.moved else None for n in nights]
    return tuple(
        _path(nights, steps, scales, at, tuple(night.anchors.means.get(name) for night in nights), tuple(_number(x, at) for x in second))
        for at, name in enumerate(scales.names)
    )


def _stream(nights: Sequence[Night], scales: Scales, design: Design, second: str | None) -> tuple[tuple[Path, ...], Numbers]:
    """Return the paths of the stream over the nights that have one."""
    own = [night for night, _ in samples_in(nights, scales)]
    if not own:
        return (), ()
    track = stream_track(own, scales, design)
    other = stream_track(own, scales, design, second) if second else None
    by_day = {step.day: step.shift for step in other.steps} if other else {}
    steps = track.steps if track else []
    paths = tuple(
        _path(
            own,
            steps,
            scales,
            at,
            tuple(night.stream[name].mean if night.stream else None for night in own),
            tuple(_number(by_day.get(night.day), at) for night in own),
        )
        for at, name in enumerate(scales.names)
    )
    return paths, _numbers(own, steps, "together")


def _path(nights: Sequence[Night], steps: Sequence[Step], scales: Scales, at: int, mean: Numbers, second: Numbers) -> Path:
    def along(name: str) -> Numbers:
        return _numbers(nights, steps, name, at)

    return Path(
        criterion=scales.names[at],
        low=scales.low[at],
        high=scales.high[at],
        days=tuple(night.day for night in nights),
        mean=mean,
        shift=along("shift"),
        sd=along("sd"),
        tolerance=along("tolerance"),
        evidence=along("evidence"),
        cusum=along("cusum"),
        again=along("fresh"),
        second=second,
    )


def _numbers(nights: Sequence[Night], steps: Sequence[Step], name: str, at: int = 0) -> Numbers:
    known = {step.day: _number(getattr(step, name), at) for step in steps}
    return tuple(known.get(night.day) for night in nights)


def _number(values: FloatArray | float | None, at: int) -> float | None:
    if values is None:
        return None
    value = float(values[at]) if isinstance(values, np.ndarray) else float(values)
    return float(f"{value:.6g}") if np.isfinite(value) else None
