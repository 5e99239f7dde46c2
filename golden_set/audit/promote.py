"""Disagreements become golden cases: dialogues as people were shown them, with what each person said, for review as a file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from golden_set.audit.disagreements import differences
from golden_set.audit.evidence import Evidence
from golden_set.audit.findings import Disagreement
from golden_set.audit.masks import mask
from golden_set.audit.sample import AuditItem, Purpose, criteria_of
from golden_set.case import EPISODE, GoldenCase, GoldenTurn
from judge.rubric import Criterion, StateCriterion

Given = tuple[int | float | None, ...]


@dataclass
class Promotion:
    """What became of the episodes that were looked at.

    Attributes:
        cases: by item.
        worst: of each case, where judge and people differ most; None where they do not differ.
        incomplete: of episodes that would be cases, how many ratings nobody gave yet.
        known: of episodes that are golden cases already, which.
    """

    cases: dict[str, GoldenCase] = field(default_factory=dict)
    worst: dict[str, Disagreement | None] = field(default_factory=dict)
    incomplete: dict[str, int] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)


def make_promotion(
    evidence: Evidence, known: Iterable[GoldenCase] = (), *, count: int, least: float, chosen: Iterable[str] | None = None
) -> Promotion:
    """Return the episodes where judge and people differ most, as golden cases; those for the hunt count, too.

    Args:
        known: golden cases that there are already; what reads the same, or has the same id, is left out.
        count: how many cases at most.
        least: how large the largest difference must be, as a share of the scale's range.
        chosen: items to take instead, whatever they differ by; they must be of the audit.
    """
    rubric = evidence.sample.rubric
    found, ids, texts = Promotion(), set(), {}
    for case in known:
        ids.add(case.id)
        texts[case.transcript.content_hash(with_outcome=rubric.sees_outcome)] = case.id
    for item, worst in _wanted(evidence, least) if chosen is None else _named(evidence, chosen):
        if len(found.cases) == count and chosen is None:
            break
        if missing := evidence.missing(item):
            found.incomplete[item] = missing
            continue
        case = make_case(evidence, item, worst)
        digest = case.transcript.content_hash(with_outcome=rubric.sees_outcome)
        if same := texts.get(digest) or (case.id if case.id in ids else None):
            found.known[item] = same
            continue
        texts[digest] = case.id
        found.cases[item], found.worst[item] = case, worst
    return found


def make_case(evidence: Evidence, item: str, worst: Disagreement | None) -> GoldenCase:
    """Return an episode with a complete set of labels as a golden case; `labelled_by` names raters as the audit knows them."""
    asked, rubric = evidence.items[item], evidence.sample.rubric
    said = evidence.said[item]
    raters = tuple(sorted({rater for place in said.values() for ratings in place.values() for rater in ratings}))
    turns = tuple(
        GoldenTurn(
            role=turn.role,
            text=turn.text,
            labels=_labels(said[str(at)], criteria_of(rubric, str(at)), raters) if at in asked.shown.agent_turns else {},
        )
        for at, turn in enumerate(asked.shown.turns)
    )
    name = evidence.sample.name
    return GoldenCase(
        id=f"{'' if name.startswith('audit') else 'audit-'}{name}-{item}",
        rubric=rubric.name,
        turns=turns,
        outcome=None if asked.shown.outcome is None else str(asked.shown.outcome),
        labels=_labels(said[EPISODE], criteria_of(rubric, EPISODE), raters) if rubric.episode else {},
        tags=("audit", "hunt") if asked.purpose is Purpose.HUNT else ("audit",),
        labelled_by=raters,
        why=_why(asked, worst, masked=evidence.sample.masked),
    )


def line(case: GoldenCase) -> str:
    """Return a case as a line of a file of golden cases; what was not chosen is left out."""
    return case.model_dump_json(exclude_defaults=True) + "\n"


def _labels(
    said: Mapping[str, Mapping[str, float]], criteria: Iterable[Criterion | StateCriterion], raters: tuple[str, ...]
) -> dict[str, Given]:
    return {one.name: tuple(_number(said[one.name].get(rater)) for rater in raters) for one in criteria}


def _number(value: float | None) -> int | float | None:
    return int(value) if value is not None and value == int(value) else value


def _wanted(evidence: Evidence, least: float) -> list[tuple[str, Disagreement]]:
    """Return episodes with a difference of at least so much, the largest first."""
    found = [(item, apart[0]) for item in evidence.said if (apart := differences(evidence, item)) and abs(apart[0].apart) >= least - 1e-9]
    return sorted(found, key=lambda one: (-round(abs(one[1].apart), 9), one[0]))


def _named(evidence: Evidence, chosen: Iterable[str]) -> list[tuple[str, Disagreement | None]]:
    return [(item, next(iter(differences(evidence, item)), None)) for item in dict.fromkeys(chosen)]


def personal(case: GoldenCase) -> bool:
    """Say whether a case still seems to hold personal data: whatever the rules of masks would mask in it."""
    return any(mask(text) != text for text in (*(turn.text for turn in case.turns), case.why))


def _why(asked: AuditItem, worst: Disagreement | None, *, masked: bool) -> str:
    """Return what the judge said against people, and why the episode looked odd where it was hunted; notes are masked as texts are."""
    told = [f"Hunted: {asked.why}."] if asked.purpose is Purpose.HUNT and asked.why else []
    if worst is None:
        return " ".join([*told, "Chosen by hand: judge and people say the same."])
    where = "the episode" if worst.place == EPISODE else f"turn {worst.place}"
    notes = {one.rater: mask(one.note) if masked else one.note for one in worst.people}
    people = ", ".join(f"{one.rater} {one.rating:g}" + (f" (“{notes[one.rater]}”)" if one.note else "") for one in worst.people)
    reason = f" (“{worst.reason}”)" if worst.reason else ""
    return " ".join([*told, f"At {where}, {worst.criterion}: the judge said {worst.judge:.3g}{reason}; people said {people}."])
