"""How far people are with an audit: of how many episodes something, and everything, is rated, by one person and by a second."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from golden_set.audit.sample import AuditItem, AuditLabel, criteria_of
from judge.rubric import Rubric


class PartProgress(BaseModel):
    """One part of an audit: 1 is rated by somebody, 2 by somebody else. Notes alone do not count."""

    model_config = ConfigDict(frozen=True)

    part: int
    episodes: int
    begun: int
    complete: int


def progress(items: Mapping[str, AuditItem], rubric: Rubric, labels: Iterable[AuditLabel]) -> tuple[PartProgress, PartProgress]:
    """Return how far both parts are.

    Of each episode the person who answered most counts for part 1, the next one for part 2.

    Args:
        items: the episodes that people look at.
        labels: those that hold, of all raters.
    """
    given: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        given[label.item][label.rater] += len(label.ratings)
    parts = []
    for part in (1, 2):
        asked = [item for item in items.values() if part == 1 or item.twice]
        counts = [[*sorted(given[item.item].values(), reverse=True), 0, 0][part - 1] for item in asked]
        whole = [sum(len(criteria_of(rubric, place)) for place in item.places) for item in asked]
        complete = sum(count >= all_of_it for count, all_of_it in zip(counts, whole, strict=True))
        parts.append(PartProgress(part=part, episodes=len(asked), begun=sum(count > 0 for count in counts), complete=complete))
    return parts[0], parts[1]
