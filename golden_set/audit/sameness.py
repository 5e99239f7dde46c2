"""Raters whose answers are the same wherever both rated: perhaps one file that was read under two names."""

from collections import defaultdict
from collections.abc import Iterable

from golden_set.audit.sample import AuditLabel

LEAST = 20  # ratings in common; of fewer two people may well give the same


def same_as(rater: str, labels: Iterable[AuditLabel]) -> dict[str, int]:
    """Return the raters who gave every rating that `rater` gave, too, the same value, and how many ratings those are.

    Criteria that only one of the two answered are passed over, and so are notes. Two people who agree on `LEAST` ratings or more without
    one exception are possible, above all where there are two levels only: it is a reason to look, no proof.

    Args:
        labels: those that hold, of all raters; at most one of a rater at a place.
    """
    said: dict[str, dict[tuple[str, str, str], float]] = defaultdict(dict)
    for label in labels:
        said[label.rater] |= {(label.item, label.place, name): value for name, value in label.ratings.items()}
    own = said.pop(rater, {})
    found = {}
    for other, ratings in sorted(said.items()):
        common = own.keys() & ratings.keys()
        if len(common) >= LEAST and all(own[key] == ratings[key] for key in common):
            found[other] = len(common)
    return found
