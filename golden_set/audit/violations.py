"""How many violations the judge finds and how many of its findings are right, by critical criterion, per dialogue and per turn.

People find a violation where the mean of their ratings is one. A dialogue counts where people rated every turn of it, since one that
they did not rate could be the one; a turn counts where anybody rated it.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np

from golden_set.audit.detection import Ratio, detection
from golden_set.audit.estimates import VIOLATION, Labelled
from golden_set.audit.evidence import Evidence
from golden_set.audit.findings import Interval, ViolationRow
from golden_set.audit.resampling import LEVEL
from golden_set.sheet import BoolArray, FloatArray, IntArray
from judge.rubric import Criterion


def violations(evidence: Evidence, found: Mapping[str, Labelled]) -> tuple[ViolationRow, ...]:
    """Return the rows of every critical criterion that was rated, weighted to the log.

    Args:
        found: what `labelled` returns.
    """
    rows, pairs = [], evidence.pairs()
    for criterion in (one for one in evidence.sample.rubric.turn if one.critical):
        if known := found.get(f"{VIOLATION}{criterion.name}"):
            counted = Counter(known.stratum.tolist())
            weight = np.array([evidence.sample.strata[at].size / counted[at] for at in known.stratum.tolist()])
            rows.append(_row(criterion, "episode", known.people > 0.5, known.judge > 0.5, np.arange(len(known.items)), weight))
        if turns := pairs.get(criterion.name):
            human, judge = (np.array([criterion.violated(value) for value in side.tolist()]) for side in (turns.human, turns.judge))
            rows.append(_row(criterion, "turn", human, judge, turns.episode, turns.weight))
    return tuple(rows)


def _row(
    criterion: Criterion, per: Literal["episode", "turn"], human: BoolArray, judge: BoolArray, episode: IntArray, weight: FloatArray
) -> ViolationRow:
    seen = detection(human, judge, episode, weight, LEVEL)
    return ViolationRow(
        criterion=criterion.name,
        per=per,
        labelled=len(human),
        by_people=seen.by_people,
        by_judge=seen.by_judge,
        by_both=seen.by_both,
        recall=_interval(seen.recall),
        precision=_interval(seen.precision),
    )


def _interval(ratio: Ratio | None) -> Interval:
    return Interval(value=ratio.value, low=ratio.low, high=ratio.high) if ratio else Interval()
