"""`judge explain`: why one call got its reward, turn by turn, from a rewards file."""

from typing import Annotated

import typer

from dialogue.errors import UsageProblem, did_you_mean
from rewards.record import RatingRecord, RewardRecord, read_rewards
from rewards.table import printable


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
    judge = str(record.judge) if record.judge else "no judge"
    print(f"judge {judge}; recipe {record.recipe}; outcomes {record.outcomes}; {'cleared' if record.cleared else 'not cleared'}")
    if record.failure:
        print(printable(f"the judge failed ({record.failure.kind}): {record.failure.detail}"))
    for turn in record.turns:
        terms = ", ".join(f"{name} {value:+.3f}" for name, value in turn.terms.items())
        print(f"\nturn {turn.turn}: {'no reward' if turn.reward is None else f'{turn.reward:+.3f}'}" + (f" = {terms}" if terms else ""))
        _explain_ratings(turn.ratings)
    print("\nepisode: " + ", ".join(f"{name} {value:+.3f}" for name, value in record.episode.terms.items()))
    _explain_ratings(record.episode.ratings)


def _explain_ratings(ratings: dict[str, RatingRecord]) -> None:
    for name, rating in ratings.items():
        print(printable(f"  {name} {rating.value:g}: {rating.reason}"))
        if rating.quote:
            print(printable(f"      “{rating.quote}”"))
