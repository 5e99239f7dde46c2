"""An audit's labels beside the judge's ratings, as numbers: the form that every statistic of audits works on. The hunt is not in it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from golden_set.audit.sample import AuditItem, AuditLabel, AuditSample, Purpose, criteria_of
from golden_set.case import EPISODE, agreed
from golden_set.sheet import FloatArray, IntArray
from judge.rubric import Criterion, StateCriterion

Said = dict[str, dict[str, dict[str, float]]]  # place -> criterion -> rater -> rating


@dataclass(frozen=True)
class Pairs:
    """One criterion, at every place where a person rated it. Arrays have the shape (places,).

    Attributes:
        name: of the criterion; `NAME (episode)` where it is one of the episode's.
        places: item and place of each.
        judge, human: ratings, in levels; the human one is the mean over raters.
        episode: the number of each place's episode, from 0; episodes are the independent units.
        weight: how many episodes of the log the place's episode stands for.
        stratum: the number of the episode's stratum.
    """

    name: str
    criterion: Criterion | StateCriterion
    places: tuple[tuple[str, str], ...]
    judge: FloatArray
    human: FloatArray
    episode: IntArray
    weight: FloatArray
    stratum: IntArray

    @property
    def episodes(self) -> int:
        """How many episodes there are."""
        return int(self.episode.max()) + 1 if len(self.episode) else 0


@dataclass
class Evidence:
    """A sample, its items, and what people said of them.

    Attributes:
        said: of each item that anybody answered anything of: what they said, by place, criterion and rater.
        notes: of each item and place: what was noted, by rater.
        answered: items for estimates with any answer, by stratum: those are taken for a random part of the drawn ones.
    """

    sample: AuditSample
    items: dict[str, AuditItem]
    said: dict[str, Said] = field(default_factory=dict)
    notes: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    answered: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of every stratum in the sample, by its name."""
        return {stratum.name: at for at, stratum in enumerate(self.sample.strata)}

    def stratum(self, item: str) -> int:
        """Return the number of an item's stratum."""
        return self.numbers[self.items[item].framed.stratum]

    def weight(self, item: str) -> float:
        """Return how many episodes of the log an answered item stands for: its stratum's size over its stratum's answered items."""
        stratum = self.sample.strata[self.stratum(item)]
        return stratum.size / len(self.answered[stratum.name])

    def pairs(self, *, among: Iterable[str] | None = None) -> dict[str, Pairs]:
        """Return the pairs of every criterion that anybody rated, the turns' first.

        Args:
            among: items to look at; by default all that are for estimates.
        """
        rubric, wanted = self.sample.rubric, None if among is None else set(among)
        kept = [item for items in self.answered.values() for item in items if wanted is None or item in wanted]
        found = {}
        for criteria, whole in ((rubric.turn_criteria, False), (rubric.episode, True)):
            for criterion in criteria:
                pairs = self._pairs(criterion, sorted(kept), whole=whole)
                if len(pairs.places):
                    found[pairs.name] = pairs
        return found

    def _pairs(self, criterion: Criterion | StateCriterion, items: Sequence[str], *, whole: bool) -> Pairs:
        rows = []
        numbers: dict[str, int] = {}
        for item in items:
            asked = self.items[item]
            for place in asked.places:
                said = self.said[item].get(place, {}).get(criterion.name)
                if (place == EPISODE) == whole and said:
                    number = numbers.setdefault(item, len(numbers))
                    judged = asked.judged(place)[criterion.name].value
                    rows.append((item, place, judged, agreed(said.values()), number, self.weight(item), self.stratum(item)))
        columns = list(zip(*rows, strict=True)) or [()] * 7
        name = f"{criterion.name} (episode)" if whole else criterion.name
        places = tuple(zip(columns[0], columns[1], strict=True))
        judge, human, weight = (np.array(columns[at], dtype=float) for at in (2, 3, 5))
        episode, stratum = (np.array(columns[at], dtype=np.int64) for at in (4, 6))
        return Pairs(name, criterion, places, judge, human, episode, weight, stratum)

    def missing(self, item: str) -> int:
        """Return how many ratings of an item nobody gave."""
        said, asked = self.said.get(item, {}), self.items[item]
        return sum(not said.get(place, {}).get(c.name) for place in asked.places for c in criteria_of(self.sample.rubric, place))

    def complete(self, item: str) -> bool:
        """Say whether every place of an item has every rating, by anybody."""
        return not self.missing(item)


def make_evidence(sample: AuditSample, items: dict[str, AuditItem], labels: Iterable[AuditLabel]) -> Evidence:
    """Return labels beside the sample that they belong to."""
    made = Evidence(sample, items)
    for label in labels:
        places = made.said.setdefault(label.item, defaultdict(dict))
        for criterion, rating in label.ratings.items():
            places[label.place].setdefault(criterion, {})[label.rater] = rating
        if label.note:
            made.notes.setdefault((label.item, label.place), {})[label.rater] = label.note
    for item in sorted(made.said):
        asked = items[item]
        if asked.purpose is Purpose.ESTIMATE and any(made.said[item].values()):
            made.answered.setdefault(asked.framed.stratum, []).append(item)
    return made
