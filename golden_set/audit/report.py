"""Makes the report of an audit from its labels: who answered, how close the judge is, what the log is worth, and where they differ."""

from collections.abc import Iterable
from datetime import date

from golden_set.audit.closeness import closeness
from golden_set.audit.disagreements import hunted, worst
from golden_set.audit.estimates import estimates, labelled, make_frame, slice_differences
from golden_set.audit.evidence import Evidence
from golden_set.audit.findings import AuditReport, RaterRow, Response
from golden_set.audit.sample import AuditSample, Framed, Purpose
from golden_set.audit.trust import findings
from golden_set.audit.violations import violations
from golden_set.audit.worth import Worth

QUOTED = 20  # disagreements in the report; fewer are printed


def make_report(evidence: Evidence, frame: Iterable[Framed], worth: Worth | None, *, calibration: str | None, day: date) -> AuditReport:
    """Return all that an audit found.

    Args:
        frame: every episode that could be drawn; read once.
        worth: what tells rewards; None leaves people's rewards out.
        calibration: the id of the one that holds for the judge, if there is one.
    """
    sample = evidence.sample
    numbers, found = make_frame(evidence, frame), labelled(evidence, worth)
    close = closeness(evidence)
    same = worth is None or same_recipe(worth, sample)
    return AuditReport(
        sample=sample,
        made_on=day,
        raters=_raters(evidence),
        response=_response(evidence),
        findings=findings(close, numbers, found, sample.rubric),
        agreement=close.rows,
        slices=close.slices,
        estimates=estimates(evidence, numbers, found, judge_alone=same),
        differences=slice_differences(evidence, numbers, found),
        violations=violations(evidence, found),
        disagreements=worst(evidence, QUOTED),
        hunted=hunted(evidence),
        calibration=calibration,
    )


def same_recipe(worth: Worth, sample: AuditSample) -> bool:
    """Say whether rewards are made as they were when the sample was drawn: by the hashes of recipe and outcome table."""
    pairs = ((worth.recipe, sample.recipe), (worth.outcomes, sample.outcomes))
    return all(now.rpartition("@")[2] == then.rpartition("@")[2] for now, then in pairs)


def _raters(evidence: Evidence) -> tuple[RaterRow, ...]:
    items: dict[str, set[str]] = {}
    ratings: dict[str, int] = {}
    for item, places in evidence.said.items():
        for heard in (heard for place in places.values() for heard in place.values()):
            for rater in heard:
                items.setdefault(rater, set()).add(item)
                ratings[rater] = ratings.get(rater, 0) + 1
    return tuple(RaterRow(rater=rater, items=len(items[rater]), ratings=ratings[rater]) for rater in sorted(items))


def _response(evidence: Evidence) -> tuple[Response, ...]:
    return tuple(
        Response(
            stratum=stratum.name,
            size=stratum.size,
            drawn=stratum.drawn,
            answered=len(answered := evidence.answered.get(stratum.name, [])),
            complete=sum(evidence.complete(item) for item in answered),
        )
        for stratum in evidence.sample.strata
    )


def missing_twice(evidence: Evidence) -> tuple[int, int]:
    """Return how many episodes a second person is asked for, and how many of them two people rated anything of."""
    asked = [item for item in evidence.items.values() if item.twice and item.purpose is Purpose.ESTIMATE]
    raters = [{who for place in evidence.said.get(one.item, {}).values() for heard in place.values() for who in heard} for one in asked]
    return len(asked), sum(len(who) > 1 for who in raters)
