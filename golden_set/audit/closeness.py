"""How close a judge comes to people, by criterion and by slice, and how close people come to each other: the ceiling for any judge.

Everything is weighted to the log, and every interval draws episodes again within their strata (golden_set.audit.resampling), the same
draws for all figures, so that means over criteria have intervals, too.

A mean of kappa or alpha leaves out critical criteria where there are others: where violations are rare, chance-corrected agreement hangs
on the few (Feinstein and Cicchetti 1990), and one such criterion would decide the mean. They have rows of their own, recall and precision.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from golden_set.audit.evidence import Evidence, Pairs
from golden_set.audit.findings import AgreementRow, People, SliceRow
from golden_set.audit.raters import alpha, by_pairs, icc, kappa, spearman
from golden_set.audit.resampling import Figure, averaged, resamples
from golden_set.sheet import BoolArray, FloatArray, IntArray
from judge.rubric import Criterion


@dataclass(frozen=True)
class Closeness:
    """The judge beside people, and two means over criteria: weighted kappa with people, and `people`, the ordinal alpha among them."""

    rows: tuple[AgreementRow, ...]
    slices: tuple[SliceRow, ...]
    kappa: Figure
    people: Figure


@dataclass(frozen=True, eq=False)  # the same only where it is the same one
class _Laid:
    """One criterion's pairs, its episodes as columns of the draws: those of all answered episodes."""

    pairs: Pairs
    episode: IntArray
    times: FloatArray

    @property
    def both(self) -> FloatArray:
        return np.stack([self.pairs.judge, self.pairs.human], axis=1)

    @property
    def critical(self) -> bool:
        return isinstance(self.pairs.criterion, Criterion) and self.pairs.criterion.critical

    def figure(self, rows: FloatArray, places: BoolArray | None = None) -> Figure:
        return Figure.of(rows, len(np.unique(self.episode if places is None else self.episode[places])))

    def kappa(self, places: BoolArray) -> Figure:
        return self.figure(kappa(self.both[places], self.episode[places], self.times, self.pairs.weight[places]), places)

    def bias(self, places: BoolArray) -> Figure:
        """The mean of judge minus people, in levels."""
        apart, weight, episode = self.pairs.judge - self.pairs.human, self.pairs.weight[places], self.episode[places]
        total, count = (np.bincount(episode, part, self.times.shape[1]) for part in (weight * apart[places], weight))
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.figure(np.asarray((self.times @ total) / (self.times @ count)), places)


def closeness(evidence: Evidence) -> Closeness:
    """Return how close the judge comes to people in an audit's labels; the hunt is not in it.

    Kappa, Spearman's rho, ICC, bias and error set the judge against the mean of the people who rated a place; alpha takes the judge
    for one more rater. Weights are `Pairs.weight`. A mean over criteria leaves out those where it is not defined, too (nothing varies).
    """
    laid = _lay(evidence)
    rows, kappas, alphas = [], [], []
    averaging = _averaging(laid)
    for one in laid:
        everywhere = np.ones(len(one.episode), dtype=bool)
        said = _by_rater(evidence, one.pairs)
        among, people_alpha = _people(evidence, one, said)
        agreed = one.kappa(everywhere)
        rows.append(_row(one, said, agreed, one.bias(everywhere), among))
        if one in averaging:
            kappas.append(agreed)
            alphas.append(people_alpha)
    return Closeness(tuple(rows), _slices(evidence, laid), averaged(kappas), averaged(alphas))


def people_agree(evidence: Evidence) -> Figure:
    """Return the ordinal alpha among people, the mean over criteria, as `closeness` has it; the judge is not looked at."""
    return averaged(_people(evidence, one, _by_rater(evidence, one.pairs))[1] for one in _averaging(_lay(evidence)))


def _lay(evidence: Evidence) -> list[_Laid]:
    """Return the pairs of every criterion beside the draws, which are the same for all."""
    items = sorted(item for answered in evidence.answered.values() for item in answered)
    column = {item: at for at, item in enumerate(items)}
    times = resamples(evidence.stratum(item) for item in items)
    return [_Laid(one, np.array([column[item] for item, _ in one.places], dtype=np.int64), times) for one in evidence.pairs().values()]


def _averaging(laid: Sequence[_Laid]) -> list[_Laid]:
    """Return the criteria that means of kappa and alpha are over."""
    return [one for one in laid if not one.critical] or list(laid)


def _row(one: _Laid, said: FloatArray, agreed: Figure, bias: Figure, among: People | None) -> AgreementRow:
    pairs, scale = one.pairs, one.pairs.criterion.scale
    with_judge = np.column_stack([pairs.judge, said])
    return AgreementRow(
        criterion=pairs.name,
        low=scale.low,
        high=scale.high,
        labels=len(pairs.places),
        episodes=pairs.episodes,
        kappa=agreed.interval(),
        spearman=one.figure(spearman(pairs.judge, pairs.human, one.episode, one.times, pairs.weight)).interval(),
        alpha=one.figure(alpha(with_judge, one.episode, one.times, pairs.weight)).interval(),
        icc=one.figure(icc(one.both, one.episode, one.times, pairs.weight)[0]).interval(),
        bias=bias.interval(),
        error=float(np.average(np.abs(pairs.judge - pairs.human), weights=pairs.weight)),
        people=among,
    )


def _by_rater(evidence: Evidence, pairs: Pairs) -> FloatArray:
    """Return what each person said of each place, shape (places, people), NaN where one said nothing."""
    heard = [evidence.said[item][place][pairs.criterion.name] for item, place in pairs.places]
    raters = sorted({rater for ratings in heard for rater in ratings})
    return np.array([[ratings.get(rater, np.nan) for rater in raters] for ratings in heard], dtype=float)


def _people(evidence: Evidence, one: _Laid, said: FloatArray) -> tuple[People | None, Figure]:
    """Return how people agree where two or more rated the same; those episodes stand for their strata."""
    double = np.isfinite(said).sum(1) > 1
    if not double.any():
        return None, Figure(float("nan"), np.empty(0), 0)
    values, episode = said[double], one.episode[double]
    stratum = one.pairs.stratum[double]
    counted = Counter(of for _, of in set(zip(episode.tolist(), stratum.tolist(), strict=True)))
    weight = np.array([evidence.sample.strata[of].size / counted[of] for of in stratum.tolist()])
    agreed = one.figure(alpha(values, episode, one.times, weight), double)
    return (
        People(
            kappa=one.figure(by_pairs(values, episode, one.times, weight, kappa), double).interval(),
            alpha=agreed.interval(),
            icc=one.figure(by_pairs(values, episode, one.times, weight, _single), double).interval(),
            places=int(double.sum()),
            episodes=agreed.episodes,
        ),
        agreed,
    )


def _single(values: FloatArray, episode: IntArray, times: FloatArray, weight: FloatArray) -> FloatArray:
    return icc(values, episode, times, weight)[0]


def _slices(evidence: Evidence, laid: Sequence[_Laid]) -> tuple[SliceRow, ...]:
    averaging = _averaging(laid)
    belongs = {item: set(evidence.items[item].framed.slices) for one in laid for item, _ in one.pairs.places}
    rows = []
    for name in sorted(set().union(*belongs.values())):
        kappas, biases, places = [], [], set()
        for one in laid:
            inside = np.array([name in belongs[item] for item, _ in one.pairs.places], dtype=bool)
            if inside.any():
                scale = one.pairs.criterion.scale
                bias = one.bias(inside)
                if one in averaging:
                    kappas.append(one.kappa(inside))
                biases.append(Figure(bias.value / (scale.high - scale.low), bias.draws / (scale.high - scale.low), bias.episodes))
                places |= {place for place, there in zip(one.pairs.places, inside, strict=True) if there}
        rows.append(
            SliceRow(
                slice=name,
                labels=len(places),
                episodes=len({item for item, _ in places}),
                kappa=averaged(kappas).interval(),
                bias=averaged(biases).interval(),
            )
        )
    return tuple(rows)
