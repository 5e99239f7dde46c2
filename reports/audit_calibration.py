"""The pages of `judge calibrate`: Markdown for a summary, HTML for people."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from golden_set.audit.findings import CalibrationReport, CalibrationRow
from reports.audit_table import percent_signed
from reports.conclusion import Conclusion, day_of, listed, opening
from reports.curve import curve, flat, kept, levels, reach
from reports.numerals import UNKNOWN, number, percent, signed, whole
from reports.page import write_pages
from reports.quoting import in_markdown, told_in_markdown

FITTED, PARTLY, NOT_FITTED = "FITTED", "PARTLY FITTED", "NOT FITTED"
_SHOWN = 6  # names in a sentence


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `audit-calibration.md` and `audit-calibration.html`; return their paths."""
    found = CalibrationReport.model_validate(report)
    return write_pages(
        folder,
        found.kind,
        "\n".join(_summary(found)) + "\n",
        report=found,
        conclusion=conclude(found),
        pictures=[(row, curve(row), levels(row), reach(row), effect(row)) for row in found.rows],
        effect=effect,
        nearer=nearer,
    )


def conclude(report: CalibrationReport) -> Conclusion:
    """Return what the calibration comes to."""
    fitted = [row for row in report.rows if row.fitted]
    still, moot = [row for row in fitted if not flat(row)], [row for row in fitted if flat(row)]
    left = [row for row in report.rows if not row.fitted]
    what = f"On {day_of(report.fitted_on)} the ratings of the judge {report.judge} were compared with people’s in {_audits(report.audits)}"
    if not fitted:
        few = "no criterion has what a map needs" if left else "there were no labels"
        sentence = f"{what}, but {few}. The ratings stay as they are."
        step = "Bring more labels: draw with `judge audit draw`, have them filled in, read them with `judge audit read`; then fit again."
        return Conclusion(NOT_FITTED, "No map was fitted", sentence, (step,))
    parts = []
    if still:
        parts.append(f"The judge’s ratings still move rewards on {_names(still)}.")
    if moot:
        nothing = f"{'they' if still else 'the judge’s ratings'} tell nothing about what people say"
        parts.append(f"On {_names(moot)} {nothing}: the map is flat there, and they stop moving rewards.")
    if same := [row for row in still if kept(row)]:
        parts.append(f"On {_names(same)} no map is clearly nearer to people than they are: there they are kept.")
    if left:
        parts.append(f"On {_names(left)} there is no map: ratings stay as they are, and move rewards as before.")
    closer = _closer(fitted)
    sentence = " ".join([f"{what}.", *parts, *([closer] if closer else [])])
    return Conclusion(PARTLY if left else FITTED, _headline(still, moot, left), sentence, tuple(_steps(report, moot, left)))


def effect(row: CalibrationRow) -> str:
    """Return in a few words what the map does to a criterion."""
    if not row.fitted:
        return "no map"
    if flat(row):
        return "flat: moves no reward"
    return "as it is" if kept(row) else "mapped"


def nearer(row: CalibrationRow) -> str:
    """Return by which share the error falls."""
    if row.before is None or row.after is None or row.before <= 0:
        return UNKNOWN
    return percent_signed(row.after / row.before - 1)


def _headline(still: Sequence[CalibrationRow], moot: Sequence[CalibrationRow], left: Sequence[CalibrationRow]) -> str:
    same = sum(kept(row) for row in still)
    as_is = "kept as it is" if same == 1 else "kept as they are"
    counted = {"mapped to the scale of people": len(still) - same, as_is: same, "flat": len(moot), "without a map": len(left)}
    told = [(count, what) for what, count in counted.items() if count]
    return _joined([f"{count if at else _criteria(count)} {what}" for at, (count, what) in enumerate(told)])


def _closer(fitted: Sequence[CalibrationRow]) -> str:
    """Return how much closer to people the mapped ratings are, over all criteria, as a share of the scale; weighted by labels."""
    known = [(row, row.before, row.after) for row in fitted if row.before is not None and row.after is not None]
    labels = sum(row.labels for row, _, _ in known)
    if not labels:
        return ""
    before, after = (
        math.sqrt(sum(row.labels * (errors[at] / (row.high - row.low)) ** 2 for row, *errors in known) / labels) for at in (0, 1)
    )
    first, then = percent(before), percent(after)
    moves = (
        f"{'falls' if after < before else 'rises'} from {first} of the scale to {then}"
        if first != then
        else f"stays at {then} of the scale"
    )
    return f"The typical error (RMSE) {moves}, on dialogues that a map was not fitted on."


def _steps(report: CalibrationReport, moot: Sequence[CalibrationRow], left: Sequence[CalibrationRow]) -> Iterator[str]:
    if report.kept:
        yield "Score again: `judge score` uses this calibration for this judge, and says so in every record."
    else:
        yield "It is not kept, so `judge score` does not use it: run `judge calibrate` without `--dry-run` if it should."
    if moot:
        yield "Mend the rubric or the judge where the map is flat: a calibration cannot make up what the judge does not see."
    if left:
        yield "Bring more labels where there is no map: `judge audit draw`, `judge audit read`, then `judge calibrate`."
    yield "Another model, prompt, rubric or number of repeats is another judge: it needs a calibration of its own."


def _summary(report: CalibrationReport) -> Iterator[str]:
    yield from opening("Calibration", conclude(report))
    if report.rows:
        yield "\n| criterion | map | labels | RMSE before | after | bias before | reliability | band |\n|---|---|--:|--:|--:|--:|--:|--:|"
    for row in report.rows:
        band = f"±{number(row.band)}" if row.band is not None else UNKNOWN
        figures = (whole(row.labels), number(row.before), number(row.after), signed(row.bias_before), number(row.reliability), band)
        yield f"| {' | '.join(in_markdown(cell) for cell in (row.criterion, effect(row), *figures))} |"
    for row in report.rows:
        if row.fitted:
            steps = ", ".join(f"{level} → {number(value)}" for level, value in levels(row))
            yield f"\n{in_markdown(row.criterion)}: {steps}" + (f" ({told_in_markdown(row.why)})" if row.why else "")
        elif row.why:
            yield f"\n{in_markdown(row.criterion)}: {told_in_markdown(row.why)}"
    kept = "kept" if report.kept else "not kept"
    parts = (report.judge, f"key {report.judge_key}", f"calibration {report.id}", kept, f"audits {', '.join(report.audits) or 'none'}")
    yield f"\n{' · '.join(in_markdown(part) for part in parts)}"


def _names(rows: Iterable[CalibrationRow]) -> str:
    names = [row.criterion for row in rows]
    kept = names if len(names) <= _SHOWN else [*names[: _SHOWN - 1], f"{len(names) - _SHOWN + 1} more"]
    return _joined(kept)


def _criteria(count: int) -> str:
    return "1 criterion" if count == 1 else f"{count} criteria"


def _audits(names: Sequence[str]) -> str:
    return "no audit" if not names else f"the {'audit' if len(names) == 1 else 'audits'} {_joined(names)}"


def _joined(names: Sequence[str]) -> str:
    return listed(names, ", ").replace(", and ", " and ")
