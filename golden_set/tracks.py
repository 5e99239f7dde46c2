"""The monitor run over a history: of the anchors (by the judge, or by the second one) and of the production stream, with its paths."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from golden_set.history import Anchors, Episodes, Moved, Night, Sample, Series
from golden_set.level import SURE, Noise
from golden_set.monitor import Design, Monitor, e_bh
from golden_set.nightly import Groups, Levels, Scales, learn_levels, shifts_of, slice_shifts_of
from golden_set.sheet import FloatArray


@dataclass(frozen=True)
class Step:
    """Where the detectors stood after a night (and its fresh runs); arrays by criterion."""

    day: date
    shift: FloatArray
    sd: FloatArray
    tolerance: FloatArray
    evidence: FloatArray
    together: float
    cusum: FloatArray
    fresh: FloatArray | None  # the shift in the fresh runs


@dataclass
class AnchorTrack:
    """The detectors of golden cases after a burn-in."""

    levels: Levels
    monitor: Monitor
    slices: Monitor
    steps: list[Step] = field(default_factory=list)
    nights: int = 0  # since the detectors began, or began anew

    def night(self, day: date, moved: Moved) -> None:
        """Take in a night."""
        scales, groups = self.levels.scales, self.levels.groups
        shift = shifts_of(moved.criteria, scales)
        sd = self.monitor.noise.sd(share=moved.share)
        self.monitor.night(shift[None], moved.share)
        self.slices.night(slice_shifts_of(moved, scales, groups))
        self.nights += 1
        self._note(day, shift, sd[0], None)

    def again(self, moved: Moved) -> None:
        """Take in the fresh runs of the night."""
        scales = self.levels.scales
        last = self.steps.pop()
        fresh = shifts_of(moved.criteria, scales)
        self.monitor.again(fresh[None], moved.share)
        self._note(last.day, last.shift, last.sd, fresh)

    def _note(self, day: date, shift: FloatArray, sd: FloatArray, fresh: FloatArray | None) -> None:
        monitor = self.monitor
        cusum = monitor.cusum.max(0)[0]
        self.steps.append(Step(day, shift, sd, monitor.tolerance[0], monitor.amounts[0], float(monitor.together[0]), cusum, fresh))

    def localised(self, fresh: Moved) -> list[tuple[str, str, float]]:
        """Return the slices that moved (slice, criterion, shift in the fresh runs), after an alarm; by e-BH.

        The e-value of a slice is the mean of two: its detector's evidence over the number of nights that it may have begun in, and
        the bet on the fresh runs alone, which were asked for because of the suspicion and so are untouched by it.
        """
        scales, groups = self.levels.scales, self.levels.groups
        shift = slice_shifts_of(fresh, scales, groups)
        bet = self.slices.factors(np.nan_to_num(shift), self.slices.fresh_sd()).mean((0, 1))
        evidence = (self.slices.amounts / max(1, self.nights) + np.where(np.isnan(shift), 0.0, bet)) / 2
        named = e_bh(evidence.ravel(), self.slices.design.localise).reshape(evidence.shape)
        found = [
            (group, name, float(shift[s, c])) for s, group in enumerate(groups.names) for c, name in enumerate(scales.names) if named[s, c]
        ]
        return sorted(found, key=lambda item: -abs(item[2]) if not np.isnan(item[2]) else 0.0)

    def end(self, alarm: bool) -> None:
        """Close the night."""
        if alarm:
            self.monitor.restart(np.array([True]))
            self.slices.restart(np.ones(len(self.levels.groups.names), bool))
            self.nights = 0


def burn_in(nights: Sequence[Night], judge: str, *, second: bool = False) -> list[Episodes]:
    """Return the burn-in of a judge (by its key), so far as there is one."""
    said = [night.second if second else night.anchors for night in nights]
    return [one.episodes for one in said if one and one.judge == judge and one.episodes is not None]


def anchor_track(
    series: Series, nights: Sequence[Night], judge: str, scales: Scales, groups: Groups, design: Design, *, second: bool = False
) -> AnchorTrack | None:
    """Return the detectors as the nights left them, or None while the burn-in lasts."""
    known = burn_in(nights, judge, second=second)[: design.burn_in]
    if len(known) < design.burn_in:
        return None
    days = [(1, episodes) for episodes in known]
    if series.baseline and not second:
        days.append((series.baseline.runs, series.baseline.episodes))
    levels = learn_levels(days, scales, groups, design)
    spans = np.broadcast_to(scales.span, (len(groups.names), len(scales.names)))
    track = AnchorTrack(levels, Monitor(levels.all.noise, scales.span[None], design), Monitor(levels.slices.noise, spans, design))
    for night in nights:
        said: Anchors | None = night.second if second else night.anchors
        if said is None or said.judge != judge or said.moved is None:
            continue
        track.night(night.day, said.moved)
        if said.again:
            track.again(said.again)
        track.end(bool(night.alarm and night.alarm.anchors))
    return track


@dataclass
class StreamTrack:
    """The detectors of the production stream after a burn-in. Its dialogues differ every night, so its level is that of their means."""

    level: FloatArray
    monitor: Monitor
    steps: list[Step] = field(default_factory=list)

    def night(self, day: date, samples: Sequence[Sample]) -> None:
        """Take in a night's dialogues (by criterion)."""
        shift = np.array([sample.mean for sample in samples]) - self.level
        sampling = np.array([sample.variance for sample in samples])
        sd = np.sqrt(sampling + self.monitor.noise.night(SURE)[0])
        self.monitor.night(shift[None], sd=sd[None])
        monitor = self.monitor
        cusum = monitor.cusum.max(0)[0]
        self.steps.append(Step(day, shift, sd, monitor.tolerance[0], monitor.amounts[0], float(monitor.together[0]), cusum, None))

    def end(self, alarm: bool) -> None:
        """Close the night."""
        if alarm:
            self.monitor.restart(np.array([True]))


def samples_in(nights: Sequence[Night], scales: Scales, second: str | None = None) -> list[tuple[Night, list[Sample]]]:
    """Return the nights that have a stream, with its samples by criterion.

    Args:
        second: the key of the second judge whose samples are meant, instead of the judge's.
    """
    said = [(night, night.stream if second is None else night.second_stream) for night in nights]
    theirs = [
        (night, samples) for night, samples in said if samples and (second is None or (night.second and night.second.judge == second))
    ]
    return [(night, [samples[name] for name in scales.names]) for night, samples in theirs]


def stream_track(nights: Sequence[Night], scales: Scales, design: Design, second: str | None = None) -> StreamTrack | None:
    """Return the detectors of the stream as the nights left them, or None while its own burn-in lasts."""
    known = samples_in(nights, scales, second)
    if len(known) < design.burn_in:
        return None
    means = np.array([[sample.mean for sample in samples] for _, samples in known[: design.burn_in]])
    variances = np.array([[sample.variance for sample in samples] for _, samples in known[: design.burn_in]])
    squares = ((means - means.mean(0)) ** 2).sum(0)
    degrees = np.full(squares.shape, design.burn_in - 1.0)
    noise = Noise(variances.mean(0)[None], squares[None], degrees[None], ((design.night * scales.span) ** 2)[None])
    track = StreamTrack(means.mean(0), Monitor(noise, scales.span[None], design))
    for night, samples in known[design.burn_in :]:
        track.night(night.day, samples)
        track.end(bool(night.alarm and night.alarm.stream))
    return track
