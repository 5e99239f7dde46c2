"""`judge explain`: why one call got its reward, turn by turn, from a rewards file."""

from typing import Annotated

import typer

from dialogue.errors import UsageProblem, did_you_mean
from rewards.blend import Terms, ViolationKind
from rewards.record import RatingRecord, RewardRecord, read_rewards
from rewards.table import printable

ORDER = ("outcome", "turns", "episode", "veto", "shaping")


def explain_command(
    rewards: Annotated[str, typer.Argument(help="A rewards file.")],
    id: Annotated[str, typer.Argument(help="The call's id.")],
) -> None:
    """Explain one call's reward: every turn's terms, ratings, reasons and quotes."""
    ids = []
    for record in read_rewards(rewards):
        if record.id == id:
            _explain(record)
            return
        ids.append(record.id)
    raise UsageProblem(f"no call {id!r} in {rewards}{did_you_mean(id, ids)}; it holds {len(ids):,} calls")


def _explain(record: RewardRecord) -> None:
    reward = "no reward" if record.episode.reward is None else f"reward {record.episode.reward:+.3f}"
    outcome = "no outcome recorded" if record.outcome is None else f"outcome {record.outcome}"
    print(printable(f"{record.id}: {reward} ({outcome}; {record.status})"))
    judge = f"judge {record.judge}, {'cleared' if record.cleared else 'not cleared'}" if record.judge else "no judge was asked"
    if record.calibration:
        judge += f", calibrated by {record.calibration}"
    print(f"{judge}; recipe {record.recipe}; outcomes {record.outcomes}")
    if record.violation:
        told = "logged signal" if record.violation.kind is ViolationKind.SIGNAL else "critical rating of"
        print(printable(f"violation on turn {record.violation.turn}: {told} {record.violation.name}"))
    if record.failure:
        print(printable(f"the judge failed ({record.failure.kind}): {record.failure.detail}"))
    for turn in record.turns:
        print(f"\nturn {turn.turn}: {_sum(turn.reward, turn.terms)}")
        _explain_ratings(turn.ratings)
    print(f"\nepisode: {_sum(record.episode.reward, record.episode.terms)}")
    _explain_ratings(record.episode.ratings)


def _sum(reward: float | None, terms: Terms) -> str:
    """Return `total = part, part`, the parts always in the same order."""
    parts = ", ".join(f"{name} {terms[name]:+.3f}" for name in sorted(terms, key=ORDER.index))
    return ("no reward" if reward is None else f"{reward:+.3f}") + (f" = {parts}" if parts else "")


def _explain_ratings(ratings: dict[str, RatingRecord]) -> None:
    for name, rating in ratings.items():
        people = "" if rating.calibrated is None else f", by people's scale {rating.calibrated:.3g}"
        print(printable(f"  {name} {rating.value:g}{people}: {rating.reason}"))
        if rating.overruled:
            own = "no violation" if rating.overruled == "violation" else "a violation"
            print(f"      the judge's own rating is {own}, by people's scale it is {'one' if own == 'no violation' else 'none'}")
        if rating.quote:
            print(printable(f"      “{rating.quote}”"))
