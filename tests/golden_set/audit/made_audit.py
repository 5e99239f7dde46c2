"""A small audit made by hand: a log with a truth, a judge that is off in a stated way, and people who say what they are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from dialogue.transcript import Role, Transcript, Turn
from golden_set.audit.book import AuditBook
from golden_set.audit.evidence import Evidence, make_evidence
from golden_set.audit.sample import AuditItem, AuditLabel, AuditSample, Framed, Purpose, Stratum
from golden_set.audit.worth import make_worth
from golden_set.case import EPISODE
from golden_set.sheet import FloatArray, handled, marks_of
from judge.ledger import Ledger
from judge.rubric import Criterion, Rubric
from judge.verdict import JudgeId, Rating, TurnRatings, Verdict

FIVE = ("1", "2", "3", "4", "5")
RUBRIC = Rubric(
    name="calls",
    about="How calls are handled.",
    turn=(
        Criterion(name="listens", question="?", levels=FIVE),
        Criterion(name="honest", question="?", critical=True, levels=("no", "yes")),
    ),
    episode=(Criterion(name="well", question="?", levels=FIVE),),
)
JUDGE = JudgeId(provider="mine", model="scripted-1", rubric=RUBRIC.name, rubric_hash=RUBRIC.hash, prompt_hash="1")
WORTH = make_worth(RUBRIC, "blend", "collections")
DAY = date(2026, 11, 21)


@dataclass(frozen=True)
class Told:
    """What the judge says of one dialogue: (listens, honest) by agent turn, and `well`."""

    turns: tuple[tuple[float, float], ...]
    well: float
    slices: tuple[str, ...] = ()
    stratum: str = "rest"
    outcome: str = "HANGUP"


@dataclass
class Audit:
    """Everything that is stored of one."""

    sample: AuditSample
    frame: list[Framed]
    items: list[AuditItem]

    def evidence(self, labels: Iterable[AuditLabel]) -> Evidence:
        return make_evidence(self.sample, {item.item: item for item in self.items}, labels)

    def keep(self, path: Path, labels: Iterable[AuditLabel] = ()) -> None:
        with Ledger(path) as ledger:
            book = AuditBook(ledger)
            book.keep(self.sample, self.frame, self.items)
            book.label(self.sample.name, labels, "by hand")


def make_audit(
    log: list[Told],
    drawn: Iterable[int],
    hunt: Mapping[int, str] = {},
    *,
    twice: Iterable[int] = (),
    name: str = "2026-11",
    masked: bool = True,
) -> Audit:
    """Return an audit of a log: `drawn` and `hunt` are places in it; items are numbered in this order."""
    chosen, second = [*drawn], set(twice)
    shown = [_transcript(at, told) for at, told in enumerate(log)]
    verdicts = [_verdict(at, told) for at, told in enumerate(log)]
    frame = [_framed(shown[at], verdicts[at], told) for at, told in enumerate(log)]
    sizes = {stratum: sum(told.stratum == stratum for told in log) for stratum in dict.fromkeys(told.stratum for told in log)}
    strata = tuple(
        Stratum(name=stratum, size=size, drawn=sum(log[at].stratum == stratum for at in chosen)) for stratum, size in sizes.items()
    )
    items = []
    for number, at in enumerate([*chosen, *hunt]):
        picked = number >= len(chosen)
        item = f"e{number + 1:03}"
        inclusion = next(s.inclusion for s in strata if s.name == log[at].stratum)
        items.append(
            AuditItem(
                item=item,
                purpose=Purpose.HUNT if picked else Purpose.ESTIMATE,
                twice=at in second,
                framed=frame[at],
                inclusion=None if picked else inclusion,
                why=hunt[at] if picked else "",
                shown=shown[at].model_copy(update={"id": item}),
                verdict=verdicts[at],
            )
        )
    sample = AuditSample(
        name=name,
        drawn_on=DAY,
        seed=0,
        judge=JUDGE,
        rubric=RUBRIC,
        recipe=WORTH.recipe,
        outcomes=WORTH.outcomes,
        stratified_by=("outcome",),
        strata=strata,
        asked_for=len(chosen),
        rare=0,
        hunted=len(hunt),
        twice=len(second),
        masked=masked,
        unscored=0,
        duplicates=0,
    )
    return Audit(sample, frame, items)


def label(item: str, rater: str, turns: Iterable[tuple[float, float]], well: float | None = None, note: str = "") -> list[AuditLabel]:
    """Return what one person says of an item: (listens, honest) of its first agent turns, in order; the note stands at the first."""
    made = []
    for number, (listens, honest) in enumerate(turns):
        ratings = {"listens": listens, "honest": honest}
        made.append(AuditLabel(item=item, place=str(2 * number), rater=rater, ratings=ratings, note=note if number == 0 else ""))
    if well is not None:
        made.append(AuditLabel(item=item, place=EPISODE, rater=rater, ratings={"well": well}))
    return made


def simulated(
    size: int = 400, drawn: int = 60, *, rounds: int = 3, bias: float = 0.0, noise: float = 0.6, seed: int = 0, second: int = 20
) -> tuple[Audit, list[AuditLabel], FloatArray]:
    """Return an audit of a made-up log, its labels by r1 (and r2 of the first `second`), and the true mean `listens` of each episode.

    What people say of `listens` and `well` is a quality of the episode plus chance, in whole levels; the judge says the same plus
    `bias` plus noise, in half levels. One episode in ten holds a lie, in its first turn; the judge misses every third of them.
    """
    rng = np.random.default_rng(seed)
    quality = rng.normal(3, 0.8, size)
    truth = np.clip(np.round(quality[:, None] + rng.normal(0, 0.7, (size, rounds + 1))), 1, 5)
    judged = np.clip(np.round(2 * (truth + bias + rng.normal(0, noise, truth.shape))) / 2, 1, 5)
    lies = rng.random(size) < 0.1
    log = [
        Told(
            turns=tuple((judged[at, k], 0.0 if k == 0 and lies[at] and at % 3 else 1.0) for k in range(rounds)),
            well=judged[at, rounds],
            slices=(f"policy:v{2 + at % 2}", "channel:voice"),
            stratum="low" if judged[at].mean() < 3 else "high",
            outcome=("HANGUP", "PAYMENT_PLAN_AGREED")[int(quality[at] > 3)],
        )
        for at in range(size)
    ]
    chosen = rng.permutation(size)[:drawn].tolist()
    audit = make_audit(log, chosen, twice=chosen[:second])
    labels = []
    for number, at in enumerate(chosen):
        own = [(truth[at, k], 0.0 if k == 0 and lies[at] else 1.0) for k in range(rounds)]
        labels += label(f"e{number + 1:03}", "r1", own, truth[at, rounds])
        if number < second:
            other = np.clip(truth[at] + rng.choice([-1, 0, 0, 0, 1], rounds + 1), 1, 5)
            labels += label(f"e{number + 1:03}", "r2", [(other[k], own[k][1]) for k in range(rounds)], other[rounds])
    return audit, labels, truth[:, :rounds].mean(1)


def _transcript(at: int, told: Told) -> Transcript:
    turns = []
    for number in range(len(told.turns)):
        turns += [Turn(role=Role.AGENT, text=f"agent {at} says {number}"), Turn(role=Role.USER, text=f"customer {at} says {number}")]
    return Transcript(id=f"call-{at}", turns=tuple(turns), outcome=told.outcome)


def _verdict(at: int, told: Told) -> Verdict:
    turns = tuple(
        TurnRatings(
            turn=2 * number,
            ratings={
                "listens": Rating(value=listens, reason=f"listening of {at}", quote=f"says {number}"),
                "honest": Rating(value=honest, reason=f"honesty of {at}"),
            },
        )
        for number, (listens, honest) in enumerate(told.turns)
    )
    return Verdict(judge=JUDGE, turns=turns, episode={"well": Rating(value=told.well, reason=f"the whole of {at}")})


def _framed(shown: Transcript, verdict: Verdict, told: Told) -> Framed:
    means = {name: float(np.mean([turn.ratings[name].value for turn in verdict.turns])) for name in ("listens", "honest")}
    lies = any(honest < 0.5 for _, honest in told.turns)
    return Framed(
        id=shown.id,
        content_hash=shown.content_hash(with_outcome=False),
        stratum=told.stratum,
        slices=told.slices,
        reward=WORTH.of(shown, verdict),
        handling=handled(marks_of(verdict), RUBRIC),
        spread=0.0,
        means=means | {"well (episode)": told.well},
        violated=("honest",) if lies else (),
    )
