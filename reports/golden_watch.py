"""The pages of `judge golden watch`: Markdown for a summary, HTML for people, with every night's path."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from golden_set.watch_report import Path as Track
from golden_set.watch_report import WatchReport
from reports.conclusion import Conclusion, day_of, named, opening
from reports.numerals import large, number, sentence, signed
from reports.page import write_pages
from reports.quoting import in_markdown, told_in_markdown
from reports.timeline import Limit, Line, linear, logarithmic, timeline

FOLLOW = "Nothing. Keep the history file: commit it or cache it, so that the next night knows it."


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `golden-watch.md` and `golden-watch.html`; return their paths."""
    found = WatchReport.model_validate(report)
    return write_pages(
        folder,
        found.kind,
        "\n".join(_summary(found)) + "\n",
        report=found,
        conclusion=conclude(found),
        together=_evidence(found, found.anchors, found.together, "all criteria together"),
        stream_together=_evidence(found, found.stream, found.stream_together, "the production stream, all criteria together"),
        anchors=[(track, shifts(found, track)) for track in found.anchors],
        stream=[(track, shifts(found, track)) for track in found.stream],
    )


def conclude(report: WatchReport) -> Conclusion:
    """Return what the night comes to."""
    asked = f"{named(report.judge)} rated {report.answered} of {report.cases} golden dialogues on {day_of(report.day)}"
    nights = f"night {report.nights} since {day_of(report.begun)}"
    if report.alarm:
        voided = " Its clearance is void: it may not produce rewards." if report.alarm.voided else ""
        voided += " Its calibration is void." if report.alarm.uncalibrated else ""
        cause = report.alarm.cause.value
        why = report.told.removeprefix("ALARM: ").removeprefix(f"{cause}: ")
        steps = tuple(sentence(step) + "." for step in report.todo) or (FOLLOW,)
        return Conclusion("ALARM", f"Alarm: {cause}", f"{asked} ({nights}), and the monitor raised an alarm: {why}.{voided}", steps)
    if report.burn_in < report.limits.burn_in:
        learned = f"{report.burn_in} of {report.limits.burn_in} nights of its burn-in are done"
        told = f"{asked} ({nights}). The monitor still learns how much nights differ and cannot raise an alarm yet: {learned}."
        return Conclusion("LEARNING", "Burn-in: no alarm is possible yet", told, (FOLLOW,))
    if report.amber or report.suspected:
        told = f"{asked} ({nights}). There is no alarm, but something stirred: {report.told}."
        steps = ("Look at the criteria named below; no more is to be done. If it goes on, the monitor will raise an alarm.", FOLLOW)
        return Conclusion("AMBER", "Amber: no alarm, but look", told, steps)
    return Conclusion("QUIET", "No drift", f"{asked} ({nights}), as it did before: {report.told}.", (FOLLOW,))


def shifts(report: WatchReport, track: Track) -> Markup | None:
    """Return a criterion's shift night by night, within its tolerance, beside the second judge's; None before there is any."""
    if not any(value is not None for value in (*track.shift, *track.again, *track.second)):
        return None
    lower = [None if value is None else -value for value in track.tolerance]
    known = [*track.shift, *track.again, *track.second, *track.tolerance]
    lines = [
        Line("edge", track.tolerance),
        Line("edge", lower),
        Line("other", track.second),
        Line("main", track.shift),
        Line("dots", track.again),
    ]
    name = f"{track.criterion}: shift from its level, night by night; last {signed(track.shift[-1])}"
    rise = linear(known, (track.high - track.low) * 0.02, signed)
    return timeline([str(day) for day in track.days], lines, rise, name=name, marks=_alarms(report))


def _evidence(report: WatchReport, tracks: tuple[Track, ...], together: tuple[float | None, ...], what: str) -> Markup | None:
    if not tracks or not any(value is not None for value in together):
        return None
    limits = [Limit(report.limits.alarm, f"alarm {number(report.limits.alarm, 0)}")]
    name = f"Evidence of drift in {what}, night by night; last {large(together[-1])}"
    days = [str(day) for day in tracks[0].days]
    rise = logarithmic(together, report.limits.alarm)
    return timeline(days, [Line("main", together)], rise, name=name, limits=limits, marks=_alarms(report))


def _alarms(report: WatchReport) -> list[str]:
    return [str(day) for day in report.alarms_before] + ([str(report.day)] if report.alarm else [])


def _summary(report: WatchReport) -> Iterator[str]:
    warnings = (f"> **Warning:** {told_in_markdown(warning)}\n" for warning in report.warnings)
    yield from opening("Golden watch", conclude(report), warnings)
    yield "\n| criterion | mean | shift | tolerance | fresh runs | evidence | second judge |\n|---|--:|--:|--:|--:|--:|--:|"
    for track in report.anchors:
        cells = (number(track.mean[-1]), signed(track.shift[-1], 3), number(track.tolerance[-1], 3), signed(track.again[-1], 3))
        yield f"| {in_markdown(track.criterion)} | {' | '.join(cells)} | {large(track.evidence[-1])} | {signed(track.second[-1], 3)} |"
    cases = [(one.case, one.criterion, one.shift) for one in report.alarm.cases] if report.alarm else []
    slices = [(one.slice, one.criterion, one.shift) for one in report.slices]
    for what, rows in (("Cases", cases), ("Slices", slices)):
        if rows:
            told = [f"{in_markdown(name)} ({in_markdown(criterion)} {signed(shift)})" for name, criterion, shift in rows]
            yield f"\n{what} that moved: {'; '.join(told)}"
    yield f"\n{in_markdown(str(report.judge))} · night {report.nights} · cases {in_markdown(report.cases_hash[:12])}"
