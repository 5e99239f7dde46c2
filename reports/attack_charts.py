"""The charts of attacks: what each changed against what may become of an honest rating, faults found, and length."""

from itertools import groupby

from markupsafe import Markup

from golden_set.attacks.mutation import Compared, Direction
from golden_set.attacks.relation import FALL, GAIN, LOW, SAME
from golden_set.attacks.report import AttackReport, AttackResult, Measured
from reports.chart import Axis, Bar, chart, spanning, symmetric
from reports.numerals import number, percent, signed

MEANING = {"=": "must not move", "≤": "must not rise", "<": "must fall", "low": "must be low"}
FAR = 1e9  # beyond every axis


def measured(attack: AttackResult) -> str:
    """Return what an attack changed, in words."""
    return "; ".join(f"{one.compared} {_figure(attack, one)}" for one in attack.measured) or "applies to none"


def charts(report: AttackReport) -> list[tuple[str, Markup]]:
    """Return a chart for each kind of attack: the change of ratings, or, of replies that say nothing, the level reached."""
    found = [(one.family, one) for one in report.attacks if one.measured and one.dialogues]
    bounds = [bound for _, one in found if one.direction != Direction.LOW for row in one.measured for bound in (row.low, row.high)]
    change = symmetric(bounds, 2 * FALL, signed)
    made = []
    for kind, members in groupby(found, key=lambda pair: (pair[0], pair[1].direction == Direction.LOW)):
        family, low = kind
        axis = Axis(1, 5, number) if low else change
        bars = [_bar(one, row) for _, one in members for row in one.measured]
        name = f"{family}: level of the ratings" if low else f"{family}: change of the ratings"
        made.append((name, chart(bars, axis, name=name, zero=None if low else 0)))
    return made


def _bar(attack: AttackResult, row: Measured) -> Bar:
    return Bar(
        label=f"{attack.name} · {row.compared}",
        point=row.mean,
        low=row.low,
        high=row.high,
        figure=_figure(attack, row),
        word=row.decision.value if attack.gates else "",
        band=_allowed(attack.direction, row.compared),
        note=f"{MEANING[attack.direction]}; {row.dialogues} dialogues",
    )


def _figure(attack: AttackResult, row: Measured) -> str:
    write = number if attack.direction == Direction.LOW else signed
    return f"{write(row.mean)} [{write(row.low)}, {write(row.high)}]"


def _allowed(direction: str, compared: str) -> tuple[float, float]:
    """Return where the interval must lie, as golden_set.attacks.relation decides it."""
    if direction == Direction.SAME:
        return -SAME, SAME
    if direction == Direction.LOW:
        return -FAR, LOW.get(Compared(compared), GAIN)
    return -FAR, -FALL if direction == Direction.DROP else GAIN


def recall_chart(report: AttackReport) -> Markup | None:
    """Return how many of the faults that were put in the judge found."""
    bars = [
        Bar(
            label=name,
            point=rate.value,
            low=rate.low,
            high=rate.high,
            figure=f"{rate.hits} of {rate.count} [{percent(rate.low)}, {percent(rate.high)}]",
        )
        for name, rate in report.recall.items()
    ]
    return chart(bars, Axis(0, 1, percent), name="Share of the faults put in that the judge found", zero=0) if bars else None


def length_chart(report: AttackReport) -> Markup | None:
    """Return the correlation of ratings with the number of turns."""
    bars = [
        Bar(
            label=one.of, point=one.value, low=one.low, high=one.high, figure=f"{signed(one.value)} [{signed(one.low)}, {signed(one.high)}]"
        )
        for one in report.length
    ]
    return chart(bars, spanning([], -1, 1, signed), name="Correlation with the number of agent turns", zero=0) if bars else None
