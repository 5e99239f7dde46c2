"""A scored episode as transitions, the form in which trainers take it: what was seen, done and earned, one agent turn after another."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose, isfinite

from pydantic import JsonValue

from dialogue.errors import InputProblem
from rewards.blend import ViolationKind
from rewards.record import RewardRecord, TurnRecord

Seen = Mapping[str, JsonValue]
SUMS = 1e-9  # to which the turns' rewards make up the episode's (law 2)


@dataclass(frozen=True, slots=True)
class Transition:
    """One agent turn.

    Attributes:
        observation: the controller's logged state.
        action_prob: with which the acting policy took the action; None where it was not logged.
        reward: the turn's; over an episode they sum to the episode's reward.
        next_observation: the state at the next agent turn; None after the last one, where no state is logged.
        terminated: the dialogue was over after this turn.
        truncated: the record breaks off after this turn: how the dialogue ended was not recorded, and would have counted.
    """

    observation: Seen
    action: str
    action_prob: float | None
    reward: float
    next_observation: Seen | None
    terminated: bool
    truncated: bool


def transitions(record: RewardRecord, *, weighs_outcome: bool = True) -> tuple[Transition, ...]:
    """Return an episode's transitions, one for each agent turn.

    Args:
        weighs_outcome: whether the recipe of the record has a term for the outcome: an episode whose outcome was not recorded is
            then truncated. Otherwise a missing outcome hides nothing, and the last turn terminates.

    Raises:
        InputProblem: no reward, or a turn without state or action: such episodes are left out and counted.
    """
    if problem := unusable(record):
        raise problem
    cut = weighs_outcome and not ending_known(record)
    made = []
    for turn, after in zip(record.turns, (*record.turns[1:], None), strict=True):
        assert turn.state is not None and turn.action is not None and turn.reward is not None  # noqa: S101 - see `unusable`
        last = after is None
        made.append(
            Transition(
                turn.state, turn.action, turn.action_prob, turn.reward, after.state if after else None, last and not cut, last and cut
            )
        )
    return tuple(made)


def ending_known(record: RewardRecord) -> bool:
    """Say whether it is known how the dialogue ended: its outcome was recorded, or a signal that decides whatever the outcome was."""
    return record.outcome is not None or (record.violation is not None and record.violation.kind is ViolationKind.SIGNAL)


def unusable(record: RewardRecord) -> InputProblem | None:
    """Return why an episode cannot be learned from, or None where it can."""
    total = record.episode.reward
    if total is None:
        why = f"the judge failed: {record.failure.kind}" if record.failure else "it is null"
        return InputProblem(f"{record.id!r} has no reward ({why})", "a number; score it again, what failed is asked for anew")
    if not record.turns:
        return InputProblem(f"{record.id!r} has no agent turns", "at least one")
    earned = 0.0
    for turn in record.turns:
        prob, reward = turn.action_prob, turn.reward
        if turn.state is None or turn.action is None or reward is None or (prob is not None and not 0 < prob <= 1):
            return _wrong(record, turn)
        earned += reward
    if not isfinite(total) or not isclose(earned, total, rel_tol=SUMS, abs_tol=SUMS):
        return InputProblem(f"{record.id!r} has the reward {total!r}, but its turns' rewards sum to {earned!r}", "the same number")
    return None


def _wrong(record: RewardRecord, turn: TurnRecord) -> InputProblem:
    """Return what is wrong with a turn."""
    where = f"{record.id!r}, turn {turn.turn}"
    if turn.state is None:
        return InputProblem(f"{where} has no state", "the controller's state, logged with every agent turn")
    if turn.action is None:
        return InputProblem(f"{where} has no action", "the controller's action, logged with every agent turn")
    if turn.action_prob is not None and not 0 < turn.action_prob <= 1:
        return InputProblem(f"{where} has the action probability {turn.action_prob!r}", "more than 0, at most 1, or none")
    return InputProblem(f"{where} has no reward", "a number, as its episode has one")
