"""Fits the map from a judge's ratings to people's, of one criterion and of all: nothing, flat or a curve, as the labels allow.

What is chosen, in this order (figures: `python -m golden_set.audit.simulation_calibration`):
  nothing  fewer than 30 labels or 15 episodes, or ratings of the judge that do not differ enough to learn from; ratings stay
  flat     the test by episodes does not show that people's ratings rise with the judge's, or neither the map nor the judge's own
           ratings predict dialogues that the map was not fitted on any better than people's mean does
  as it is the judge's own ratings, where they predict better than that mean, and the map not better than they by more than `ERRORS`
           standard errors
  a curve  else: see golden_set.audit.monotone
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from golden_set.audit.conformal import FEWEST, half_width
from golden_set.audit.evidence import Evidence, Pairs
from golden_set.audit.findings import CalibrationRow
from golden_set.audit.monotone import KNOTS, Knots, Labelled, association, fit_knots, flat_knots, kept_rise
from golden_set.sheet import FloatArray, IntArray
from judge.calibration import Calibration, Curve
from judge.rubric import Criterion, Rubric, Scale, StateCriterion

LABELS, EPISODES = 30, 15  # fewer on a criterion, and no curve is fitted
ERRORS = 2.0  # standard errors by which a map must be better than the judge's own ratings
FOLDS = 10
SEED = 20_260_102
LEVEL = 0.9  # of the bands


class Shape(StrEnum):
    """What was chosen."""

    NONE = "none"
    FLAT = "flat"
    AS_IS = "as it is"
    CURVE = "curve"


@dataclass(frozen=True, slots=True)
class Fit:
    """What the labels of one criterion allow. `curve` is None where nothing is fitted; `why` then says why, and else of flat ones and
    those without a band.
    """

    shape: Shape
    curve: Curve | None
    why: str
    before: float | None = None
    bias: float | None = None  # judge minus people, in levels


def fit(rows: Labelled, scale: Scale, level: float = LEVEL) -> Fit:
    """Return the map of one criterion.

    Args:
        level: of its band.
    """
    labels, episodes = len(rows.judge), rows.episodes
    if not labels:
        return Fit(Shape.NONE, None, "nobody rated it")
    before = float(np.sqrt(rows.mean((rows.judge - rows.human) ** 2)))
    bias = rows.mean(rows.judge - rows.human)
    if missing := too_few(labels, episodes):
        return Fit(Shape.NONE, None, missing, before, bias)
    t = association(rows)
    if np.isnan(t):
        return Fit(Shape.NONE, None, "the judge's ratings hardly differ: nothing to learn from", before, bias)
    fold = _folds(episodes)[rows.episode]
    sums, weights = (np.bincount(fold, rows.weight * side) for side in (rows.human, np.ones_like(rows.human)))
    by_mean = rows.human - ((sums.sum() - sums) / (weights.sum() - weights))[fold]
    if not kept_rise(t, episodes):
        told = f"t = {t:.1f} over {episodes} episodes"
        shape, why, off = Shape.FLAT, f"flat: people's ratings do not rise with the judge's ({told})", by_mean
    else:
        shape, why, off = _chosen(rows, rows.human - _out_of_fold(rows, fold, scale), by_mean)
    knots = {
        Shape.CURVE: lambda: fit_knots(rows, scale),
        Shape.FLAT: lambda: flat_knots(rows, scale),
        Shape.AS_IS: lambda: Knots(*(np.array([scale.low, scale.high], dtype=float),) * 2),
    }[shape]()
    after, varied = rows.mean(off**2), rows.mean((rows.human - rows.level) ** 2)
    band = half_width(off, rows.episode, rows.weight, level)
    if band is None:
        less = f"of {labels} labels, {FEWEST} are needed" if labels < FEWEST else f"of {episodes} episodes, too few"
        why = f"{why}; no band ({less})".removeprefix("; ")
    curve = Curve(
        judged=tuple(knots.judged.tolist()),
        human=tuple(knots.human.tolist()),
        labels=labels,
        episodes=episodes,
        before=before,
        after=float(np.sqrt(after)),
        reliability=0.0 if shape is Shape.FLAT or varied == 0 else max(0.0, 1 - after / varied),
        band=band,
    )
    return Fit(shape, curve, why, before, bias)


def _chosen(rows: Labelled, by_map: FloatArray, by_mean: FloatArray) -> tuple[Shape, str, FloatArray]:
    """Return the shape that errors out of fold speak for, why, and its errors; of a judge that was shown to tell something."""
    raw = rows.human - rows.judge
    tells, tells_raw = (rows.mean(by_mean**2 - off**2) > 0 for off in (by_map, raw))
    if not tells and not tells_raw:
        return Shape.FLAT, "flat: people's mean predicts other dialogues as well", by_mean
    gain, error = rows.mean_error(raw**2 - by_map**2)
    if tells_raw and gain <= ERRORS * error:
        return Shape.AS_IS, "as it is: no map is clearly nearer to people", raw
    return Shape.CURVE, "", by_map


def too_few(labels: int, episodes: int) -> str:
    """Return what is missing for a curve; nothing where there is enough."""
    if labels < LABELS:
        return f"{labels} labels: {LABELS - labels} more are needed"
    return f"{episodes} episodes: {EPISODES - episodes} more are needed" if episodes < EPISODES else ""


def fit_all(evidences: Sequence[Evidence], rubric: Rubric, level: float, day: date) -> tuple[Calibration, tuple[CalibrationRow, ...]]:
    """Return the calibration of one judge from all its audits, and what to tell of every criterion of the rubric.

    Args:
        evidences: one or more audits of the same judge; their labels are pooled.

    Raises:
        ValueError: no audit, or audits of different judges.
    """
    judges = {evidence.sample.judge for evidence in evidences}
    if len(judges) != 1:
        raise ValueError(f"audits of {len(judges)} judges; expected one or more audits of one judge")
    found = pooled(evidences)
    rows: list[CalibrationRow] = []
    curves: tuple[dict[str, Curve], dict[str, Curve]] = ({}, {})
    asked = [(c, False) for c in rubric.turn_criteria] + [(c, True) for c in rubric.episode]
    for criterion, whole in asked:
        name = f"{criterion.name} (episode)" if whole else criterion.name
        labelled = found.get(name, Labelled(*(np.empty(0),) * 3, np.empty(0, dtype=np.int64)))
        fitted = fit(labelled, criterion.scale, level)
        if fitted.curve:
            curves[whole][criterion.name] = fitted.curve
        rows.append(_row(name, criterion, labelled, fitted))
    calibration = Calibration(
        judge=judges.pop(),
        turn=curves[0],
        episode=curves[1],
        level=level,
        fitted_on=day,
        audits=tuple(evidence.sample.name for evidence in evidences),
    )
    return calibration, tuple(rows)


def pooled(evidences: Sequence[Evidence]) -> dict[str, Labelled]:
    """Return the labels of several audits by criterion, as `gathered`; an episode that is in two audits is one episode."""
    found = {}
    for name, (judge, human, weight, texts) in gathered(evidences).items():
        _, episode = np.unique(texts, return_inverse=True)
        found[name] = Labelled(judge, human, weight, episode)
    return found


def gathered(evidences: Sequence[Evidence]) -> dict[str, tuple[FloatArray, FloatArray, FloatArray, list[str]]]:
    """Return the ratings of judge and people of several audits by criterion, with the weight and the text's hash of each place.

    Weights are rescaled so that every audit counts as many episodes as were answered in it, whatever the size of its log.
    """
    parts: dict[str, list[tuple[Pairs, list[str], float]]] = {}
    for evidence in evidences:
        answered = [item for items in evidence.answered.values() for item in items]
        scale = len(answered) / sum(map(evidence.weight, answered)) if answered else 1.0
        for name, pairs in evidence.pairs().items():
            texts = [evidence.items[item].framed.content_hash for item, _ in pairs.places]
            parts.setdefault(name, []).append((pairs, texts, scale))
    found = {}
    for name, audits in parts.items():
        judge, human = (np.concatenate([getattr(pairs, side) for pairs, _, _ in audits]) for side in ("judge", "human"))
        weight = np.concatenate([pairs.weight * scale for pairs, _, scale in audits])
        found[name] = (judge, human, weight, [text for _, texts, _ in audits for text in texts])
    return found


def _folds(episodes: int) -> IntArray:
    """Return the fold of each episode: as many of each as can be, at random but always the same."""
    return np.asarray(np.random.default_rng(SEED).permutation(episodes) % min(FOLDS, episodes))


def _out_of_fold(rows: Labelled, fold: IntArray, scale: Scale) -> FloatArray:
    """Return what maps that were fitted without a place's fold say of it. `fold` has the shape (places,)."""
    said = np.empty_like(rows.judge)
    for one in np.unique(fold):
        away = fold == one
        said[away] = fit_knots(rows.among(~away), scale).at(rows.judge[away])
    return said


def _row(name: str, criterion: Criterion | StateCriterion, rows: Labelled, fitted: Fit) -> CalibrationRow:
    curve, scale = fitted.curve, criterion.scale
    return CalibrationRow(
        criterion=name,
        low=scale.low,
        high=scale.high,
        labels=len(rows.judge),
        episodes=rows.episodes,
        judged=curve.judged if curve else (),
        human=curve.human if curve else (),
        fitted=curve is not None,
        why=fitted.why,
        before=fitted.before,
        after=curve.after if curve else None,
        bias_before=fitted.bias,
        reliability=curve.reliability if curve else None,
        band=curve.band if curve else None,
        points=points(rows),
    )


def points(rows: Labelled) -> tuple[tuple[float, float, float], ...]:
    """Return (judge's rating, people's mean, weight) of each distinct rating; of `KNOTS` groups of them where they are more."""
    distinct, at = np.unique(rows.judge, return_inverse=True)
    group = at * min(len(distinct), KNOTS) // max(len(distinct), 1)
    weight = np.bincount(group, rows.weight)
    judge, human = (np.bincount(group, rows.weight * side) / weight for side in (rows.judge, rows.human))
    return tuple(zip(judge.tolist(), human.tolist(), weight.tolist(), strict=True))
