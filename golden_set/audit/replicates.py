"""A calibration fitted again and again on audited episodes drawn anew: how far its maps might be off; what becomes of that is rewards'."""

from collections.abc import Sequence

import numpy as np

from golden_set.audit.calibration import gathered
from golden_set.audit.evidence import Evidence
from golden_set.audit.monotone import Labelled, fit_knots, flat_knots, knots_at
from golden_set.audit.resampling import resamples
from golden_set.sheet import FloatArray, IntArray
from judge.calibration import Calibration
from judge.replicates import Maps, Replicates
from judge.rubric import Rubric, Scale

COUNT = 200
SEED = 20_261_123


def replicated(evidences: Sequence[Evidence], rubric: Rubric, calibration: Calibration, count: int = COUNT) -> Replicates:
    """Return the maps that other draws of the audited episodes would have given, all criteria of a draw from the same episodes.

    Episodes are drawn again within their strata (see `resampling`). A map that is flat is fitted flat again; every other one as a
    curve, also where the judge's own ratings were left as they are: that no map was clearly nearer to people does not show that the
    judge is right, only that the labels do not tell, and that is what replicates are for.

    Args:
        evidences: the audits that the calibration was fitted on.
    """
    rows = gathered(evidences)
    number: dict[str, int] = {}
    strata: list[int] = []
    known: dict[tuple[int, int], int] = {}
    for at, evidence in enumerate(evidences):
        for item in (item for items in evidence.answered.values() for item in items):
            text = evidence.items[item].framed.content_hash
            if text not in number:  # an episode that is in two audits is drawn once
                number[text] = len(number)
                strata.append(known.setdefault((at, evidence.stratum(item)), len(known)))
    times = resamples(strata, count, SEED)[1:]
    made: tuple[dict[str, Maps], dict[str, Maps]] = ({}, {})
    for whole, curves in enumerate((calibration.turn, calibration.episode)):
        for criterion in rubric.episode if whole else rubric.turn_criteria:
            if criterion.name in curves:
                judge, human, weight, texts = rows[f"{criterion.name} (episode)" if whole else criterion.name]
                episode = np.array([number[text] for text in texts])
                labelled = Labelled(judge, human, weight, episode)
                made[whole][criterion.name] = drawn_maps(labelled, times, criterion.scale, flat=curves[criterion.name].flat)
    return Replicates(calibration=calibration.id, turn=made[0], episode=made[1])


def drawn_maps(rows: Labelled, times: FloatArray, scale: Scale, *, flat: bool) -> Maps:
    """Return the maps of one criterion, one for each draw.

    Args:
        times: (draws, episodes) how often each episode counts.
        flat: whether the map itself is.
    """
    at = knots_at(rows.judge, scale)
    human = []
    for drawn in times:
        among = _drawn(rows, drawn)
        knots = flat_knots(among, scale) if flat or among.episodes < 2 else fit_knots(among, scale)
        human.append(tuple(knots.at(at).tolist()))
    return Maps(judged=tuple(at.tolist()), human=tuple(human))


def _drawn(rows: Labelled, drawn: FloatArray) -> Labelled:
    """Return the places of the episodes that were drawn, each counting as often; of all where none of them was."""
    often = drawn[rows.episode]
    kept = often > 0
    if not kept.any():
        often, kept = np.ones_like(often), np.ones_like(kept)
    episode: IntArray = np.unique(rows.episode[kept], return_inverse=True)[1]
    return Labelled(rows.judge[kept], rows.human[kept], (rows.weight * often)[kept], episode)
