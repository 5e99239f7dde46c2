"""The bug hunt: episodes that look odd, picked and not drawn, so that no figure may rest on them."""

from collections.abc import Collection
from itertools import chain, zip_longest

import numpy as np
from scipy.stats import rankdata

from golden_set.audit.frame import Frame
from golden_set.sheet import FloatArray


def hunted(frame: Frame, count: int, *, without: Collection[int] = ()) -> dict[int, str]:
    """Return up to `count` episodes (their numbers in the frame) and what looks odd about each, in words.

    Two lists in turn: where the judge is least sure (the largest spread of a rating), and where it and the outcome disagree most
    (the difference of the episode's ranks by the judge's rating and by what the outcome alone is worth).

    Args:
        without: episodes that are looked at anyway.
    """
    unsure = [(at, why) for at, why in _unsure(frame) if at not in without]
    apart = [(at, why) for at, why in _apart(frame) if at not in without]
    found: dict[int, str] = {}
    read = {frame.rows[at].content_hash for at in without}
    for odd in chain.from_iterable(zip_longest(unsure, apart)):
        if odd and len(found) < count and (text := frame.rows[odd[0]].content_hash) not in read:  # nobody need read it twice
            found[odd[0]] = odd[1]
            read.add(text)
    return found


def _unsure(frame: Frame) -> list[tuple[int, str]]:
    order = sorted(range(len(frame.rows)), key=lambda at: (-frame.rows[at].spread, frame.rows[at].content_hash, frame.rows[at].id))
    return [
        (at, f"the judge is unsure: a rating has a spread of {frame.rows[at].spread:.0%} of its scale")
        for at in order
        if frame.rows[at].spread > 0
    ]


def _apart(frame: Frame) -> list[tuple[int, str]]:
    worth = {at: row.worth for at, row in enumerate(frame.rows) if row.worth is not None}
    if len(worth) < 2:
        return []
    places = list(worth)
    handled = _share_below(frame.handling[places])
    ended = _share_below(np.array(list(worth.values())))
    gap = dict(zip(places, (handled - ended).tolist(), strict=True))
    share = dict(zip(places, handled.tolist(), strict=True))
    order = sorted(places, key=lambda at: (-abs(gap[at]), frame.rows[at].content_hash, frame.rows[at].id))
    outcomes, told = frame.outcomes, []
    for at in order:
        good, ending = share[at], share[at] - gap[at]
        if abs(gap[at]) > 1e-9:
            judge = f"the judge ranks it above {good:.0%} of the log"
            told.append((at, f"judge and outcome disagree: {judge}, its outcome ({outcomes[at]}) above {ending:.0%}"))
    return told


def _share_below(values: FloatArray) -> FloatArray:
    """Return the share of values below each one, ties counting half. Shape (values,)."""
    return np.asarray((rankdata(values) - 0.5) / len(values))
