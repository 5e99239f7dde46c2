"""One picture for each of the findings; the drawing itself is `picture`."""

import math

import numpy as np
from markupsafe import Markup

from dialogue.environments.call_words import Action
from reports.finding_bandit import BanditFinding
from reports.finding_judge import PUBLISHED, REWARDS, JudgeFinding
from reports.finding_log import OUTCOME
from reports.finding_shaping import NEAR, ShapingFinding
from reports.picture import BESIDE, SHAPES, Dot, Line, Panel, dots, legend, lines, picture, reaching
from reports.seeded import Estimate

TONES = tuple(SHAPES)
SHORT = {
    "PAYMENT_PLAN_AGREED": "plan agreed",
    "PAYMENT_SECURED": "paid",
    "CALLBACK_SCHEDULED": "callback",
    "ESCALATED": "escalated",
    "DNC_REQUESTED": "do not call",
    "HANGUP": "hung up",
    "COMPLIANCE_VIOLATION": "violation",
}


def draw_bandit(found: BanditFinding, best: float, *, alone: bool) -> Markup:
    """Return value against episodes, learner by learner."""
    drawn = [
        Line(tone, name, [_point(math.log10(mark), one) for mark, one in zip(found.marks, values, strict=True)], marked=True)
        for tone, (name, values) in zip(TONES, found.values.items(), strict=False)
    ]
    ends = [end for line in drawn for point in line.points for end in point[1:] if end is not None]
    panel = lines(
        "True value of what was learned",
        drawn,
        reaching([*ends, best]),
        [(math.log10(mark), f"{mark:,}") for mark in found.marks],
        below="episodes, logarithmic",
        limits=[(best, "best memoryless policy")],
        high=250,
    )
    keys = [(line.kind, SHAPES[line.kind], line.name) for line in drawn]
    return picture([legend(keys), panel], f"Bandits and Q-learning: value by episodes, {found.seeds} seeds, 95% intervals", alone=alone)


def draw_judge(found: JudgeFinding, *, alone: bool) -> Markup:
    """Return what both actions are worth under each reward, and how calls end after them."""
    one, other = Action.PROCEED, Action.EMPATHIZE
    rows: list[Dot] = []
    for name in REWARDS:
        rows.append(Dot("", name))
        for tone, at, action in ((TONES[1], 0, one), (TONES[0], 1, other)):
            beside = [("diamond", PUBLISHED[name][at])] if name in PUBLISHED else []
            beside += [("triangle", found.exact[name][action])] if name in found.exact else []
            rows.append(_dot(tone, action, found.worth[name][action], beside))
    for name, values in found.exact.items():
        if name != OUTCOME:
            rows.append(Dot("", name))
            rows += [Dot("", action, beside=[("triangle", values[action])]) for action in (one, other)]
    ends = [end for row in rows for end in (row.value, row.low, row.high, *(value for _, value in row.beside)) if end is not None]
    worth = dots("What the call earns from there on", rows, reaching(ends))
    shares: list[Dot] = []
    for ending in found.endings_apart:
        shares.append(Dot("", SHORT.get(ending, ending)))
        for tone, action in ((TONES[1], one), (TONES[0], other)):
            shares.append(_dot(tone, action, found.endings[action][ending], [("triangle", found.exact_endings[action][ending])]))
    ends = [end for row in shares for end in (row.value, row.low, row.high) if end is not None]
    endings = dots("How the call ends then (shares)", shares, reaching([0.0, *ends]))
    keys = [(TONES[1], "square", str(one)), (TONES[0], "disc", str(other)), (BESIDE, "diamond", "published"), (BESIDE, "triangle", "exact")]
    where = f"{found.state['fsm']}, {found.state['sentiment']}, turn {found.state['turn']}"
    return picture([legend(keys), worth, endings], f"PROCEED and EMPATHIZE in {where}: worth and endings, 95% intervals", alone=alone)


def draw_shaping(found: ShapingFinding, *, alone: bool) -> Markup:
    """Return value against episodes under each reward, learner by learner."""
    names = list(next(iter(found.arms.values())))
    tones = dict(zip(names, (TONES[5], TONES[2], TONES[0], TONES[3], TONES[1], TONES[4]), strict=True))
    panels: list[Panel] = [legend([(tone, "", name) for name, tone in tones.items()])]
    shown = sorted({round(at) for at in np.geomspace(1, len(found.looks), 40)})
    ticks = [look for look in (100, 300, 1000, 3000, 10_000) if look <= found.looks[-1]]
    ends = [one.value for arms in found.arms.values() for arm in arms.values() for one in arm.curve if one.value is not None]
    for learner, arms in found.arms.items():
        drawn = [
            Line(tone, name, [_point(math.log10(found.looks[at - 1]), arms[name].curve[at - 1]) for at in shown])
            for name, tone in tones.items()
        ]
        panels.append(
            lines(
                f"{learner}: true value of what was learned",
                drawn,
                reaching([*ends, found.best]),
                [(math.log10(tick), f"{tick:,}") for tick in [*ticks, *([] if found.looks[-1] == ticks[-1] else [found.looks[-1]])]],
                below="episodes, logarithmic",
                limits=[(NEAR * found.best, "95% of the best")],
                high=170,
            )
        )
    return picture(panels, f"Learning with shaped rewards: value by episodes, {found.seeds} seeds, 95% bands", alone=alone)


def _point(place: float, one: Estimate) -> tuple[float, float, float | None, float | None]:
    return place, one.value or 0.0, one.low, one.high


def _dot(tone: str, name: str, one: Estimate, beside: list[tuple[str, float]]) -> Dot:
    return Dot(tone, str(name), one.value, one.low, one.high, beside)
