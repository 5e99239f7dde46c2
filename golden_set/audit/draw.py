"""Draws a sample: which episodes people look at, and what they are shown of them, personal data masked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dialogue.errors import UsageProblem
from dialogue.transcript import Transcript, Turn
from golden_set.audit.frame import Frame
from golden_set.audit.hunt import hunted
from golden_set.audit.identity import names_in
from golden_set.audit.known import Known
from golden_set.audit.masks import Mask
from golden_set.audit.sample import AuditItem, Framed, Purpose
from golden_set.audit.strata import Layer, doubled, drawn_from
from golden_set.audit.worth import Worth
from judge.rubric import Rubric
from judge.verdict import Rating, TurnRatings, Verdict


@dataclass(frozen=True)
class Picked:
    """One episode of the sample, before its text is fetched; `layer` is None of one for the hunt."""

    item: str
    row: int  # its number in the frame
    layer: Layer | None
    twice: bool
    why: str


def pick(frame: Frame, layers: Sequence[Layer], *, seed: int, double: float, hunt: int) -> list[Picked]:
    """Return the episodes that people look at, in the order of their names on forms.

    The names are dealt out at random over all of them, so that they say nothing, and so that whoever fills in a form from the top
    and stops has rated a random part of the sample. The same seed picks the same episodes from the same log.

    Args:
        double: the share of the drawn episodes that a second person rates.
        hunt: how many odd ones are added.
    """
    rng = np.random.default_rng(seed)
    drawn = drawn_from(frame, layers, rng)
    twice = doubled(drawn, layers, double, rng)
    odd = hunted(frame, hunt, without=drawn)
    rows = [*drawn, *odd]
    width = max(3, len(str(len(rows))))
    picked = []
    for number, place in enumerate(rng.permutation(len(rows)).tolist(), start=1):
        row = rows[place]
        picked.append(Picked(f"e{number:0{width}}", row, drawn.get(row), row in twice, odd.get(row, "")))
    return picked


def strata_of(frame: Frame, layers: Sequence[Layer]) -> list[str]:
    """Return the name of every episode's stratum."""
    names = [""] * len(frame.rows)
    for layer in layers:
        for at in layer.members:
            names[at] = layer.name
    return names


def make_items(
    transcripts: Iterable[Transcript],
    frame: Frame,
    picked: Sequence[Picked],
    strata: Sequence[str],
    known: Known,
    worth: Worth,
    rubric: Rubric,
    *,
    region: str | None,
) -> list[AuditItem]:
    """Return what people look at, by reading the transcripts once more.

    Args:
        strata: the name of every framed episode's stratum.
        region: where phone numbers without a country code are looked for; None masks nothing.

    Raises:
        UsageProblem: the files are not what they were at the first reading.
    """
    wanted = {frame.rows[one.row].id: one for one in picked}
    framed = {one.id: one for one in frame.framed(strata, [one.row for one in picked])}
    found: dict[str, AuditItem] = {}
    for transcript in _those(transcripts, wanted):
        one, its = wanted[transcript.id], framed[transcript.id]
        verdict = _still(transcript, its, known, worth, rubric)
        mask = Mask(names_in(transcript.meta), region) if region else None
        found[one.item] = AuditItem(
            item=one.item,
            purpose=Purpose.ESTIMATE if one.layer else Purpose.HUNT,
            twice=one.twice,
            framed=its,
            inclusion=one.layer.stratum.inclusion if one.layer else None,
            why=one.why,
            shown=_shown(transcript, one.item, mask),
            verdict=_masked(verdict, transcript, mask) if mask else verdict,
        )
    if missing := [known_id for known_id, one in wanted.items() if one.item not in found]:
        raise _changed(missing[0])
    return [found[one.item] for one in picked]


def _those(transcripts: Iterable[Transcript], wanted: dict[str, Picked]) -> Iterator[Transcript]:
    """Yield those wanted, and stop reading at the last one."""
    left = len(wanted)
    for transcript in transcripts:
        if transcript.id in wanted:
            left -= 1
            yield transcript
        if not left:
            return


def _still(transcript: Transcript, framed: Framed, known: Known, worth: Worth, rubric: Rubric) -> Verdict:
    """Return the verdict of an episode that is the same as when it was framed: what was said, its outcome, and its verdict."""
    key = transcript.content_hash(with_outcome=rubric.sees_outcome)
    verdict = known.verdicts([key]).get(key) if key == framed.content_hash else None
    if verdict is None or worth.of(transcript, verdict) != framed.reward:
        raise _changed(transcript.id)
    return verdict


def _changed(id: str) -> UsageProblem:
    return UsageProblem(f"the files changed while the sample was drawn: {id!r} is not what it was; nothing was kept, draw again")


def _shown(transcript: Transcript, item: str, mask: Mask | None) -> Transcript:
    """Return what people may be shown: who speaks, what is said, signals and outcome; the controller's state and `meta` are left out."""
    turns = (Turn(role=turn.role, text=mask.text(turn.text) if mask else turn.text, signals=turn.signals) for turn in transcript.turns)
    return Transcript(id=item, turns=tuple(turns), outcome=transcript.outcome)


def _masked(verdict: Verdict, transcript: Transcript, mask: Mask) -> Verdict:
    def ratings(all_: dict[str, Rating], turn: int | None) -> dict[str, Rating]:
        return {name: _masked_rating(rating, transcript, turn, mask) for name, rating in all_.items()}

    turns = tuple(TurnRatings(turn=turn.turn, ratings=ratings(turn.ratings, turn.turn)) for turn in verdict.turns)
    return verdict.model_copy(update={"turns": turns, "episode": ratings(verdict.episode, None)})


def _masked_rating(rating: Rating, transcript: Transcript, turn: int | None, mask: Mask) -> Rating:
    quote, at = rating.quote, rating.quote_turn if rating.quote_turn is not None else turn
    if quote is not None:
        text = transcript.turns[at].text if at is not None and 0 <= at < len(transcript.turns) else quote
        quote = mask.quote(quote, text)
    return rating.model_copy(update={"reason": mask.text(rating.reason), "quote": quote})
