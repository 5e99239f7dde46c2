"""Where judge and people differ most, side by side, and what the hunt found. These are for reading: no figure rests on them."""

from collections.abc import Iterator

from golden_set.audit.evidence import Evidence
from golden_set.audit.findings import Disagreement, Hunted, Opinion
from golden_set.audit.sample import AuditItem, Purpose, criteria_of, speaker
from golden_set.case import EPISODE, agreed

SAME = 1e-9  # differences of floats that are none
LAST = 4  # turns that are quoted where the whole dialogue is rated


def differences(evidence: Evidence, item: str) -> list[Disagreement]:
    """Return where judge and people differ in one episode, the criterion that differs most at each place; largest first."""
    asked = evidence.items[item]
    found = [max(there, key=_size) for place in asked.places if (there := list(_at(evidence, asked, place)))]
    return sorted(found, key=lambda one: -_size(one))


def worst(evidence: Evidence, count: int) -> tuple[Disagreement, ...]:
    """Return the places where judge and people differ most, the hunted ones too, at most one criterion of each place; largest first."""
    found = [one for item in sorted(evidence.said) for one in differences(evidence, item)]
    return tuple(sorted(found, key=lambda one: (-_size(one), one.item))[:count])


def hunted(evidence: Evidence) -> tuple[Hunted, ...]:
    """Return what people said of the episodes that looked odd; those that nobody rated yet, too. The largest differences first."""
    rows = []
    for name, asked in sorted(evidence.items.items()):
        if asked.purpose is Purpose.HUNT:
            apart = differences(evidence, name)
            rated = sum(1 for ratings in evidence.said.get(name, {}).values() if ratings)
            most = apart[0].apart if apart else 0.0 if rated else None
            where = apart[0].criterion if apart else None
            rows.append(Hunted(item=name, episode=asked.framed.id, why=asked.why, rated=rated, apart=most, criterion=where))
    return tuple(sorted(rows, key=lambda row: (-abs(row.apart or 0.0), row.rated == 0, row.item)))


def _size(one: Disagreement) -> float:
    return round(abs(one.apart), 9)  # floats that differ by rounding are one size


def _at(evidence: Evidence, asked: AuditItem, place: str) -> Iterator[Disagreement]:
    for criterion in criteria_of(evidence.sample.rubric, place):
        said = evidence.said.get(asked.item, {}).get(place, {}).get(criterion.name)
        if not said:
            continue
        rating, scale = asked.judged(place)[criterion.name], criterion.scale
        apart = (rating.value - agreed(said.values())) / (scale.high - scale.low)
        if abs(apart) > SAME:
            notes = evidence.notes.get((asked.item, place), {})
            yield Disagreement(
                item=asked.item,
                episode=asked.framed.id,
                hunted=asked.purpose is Purpose.HUNT,
                place=place,
                criterion=criterion.name,
                low=scale.low,
                high=scale.high,
                said=_said(asked, place),
                judge=rating.value,
                reason=rating.reason,
                quote=rating.quote,
                people=tuple(Opinion(rater=rater, rating=value, note=notes.get(rater, "")) for rater, value in sorted(said.items())),
                apart=apart,
            )


def _said(asked: AuditItem, place: str) -> str:
    turns = asked.shown.turns[-LAST:] if place == EPISODE else asked.shown.turns[int(place) : int(place) + 1]
    return "\n".join(f"{speaker(turn.role)}: {turn.text}" for turn in turns)
