"""One line of a rewards file: an episode with its ratings, its named terms, and everything that made them."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import to_json

from dialogue.errors import InputProblem
from dialogue.source import Source
from dialogue.transcript import Transcript
from judge.verdict import FailureKind, JudgeFailure, JudgeId, Rating, Verdict
from rewards.blend import Reward, Terms, ViolationKind

DECIMALS = 12  # of written terms: hides the last bits of float noise, far below the 1e-9 that sums must hold


class Status(StrEnum):
    """Whether the episode has a reward."""

    SCORED = "scored"
    FAILED = "failed"  # the judge could not say: terms that are known stand, the reward is null, training leaves it out


class RatingRecord(BaseModel):
    """A rating as written: value on the criterion's scale, spread where known, why, and the words that show it."""

    model_config = ConfigDict(frozen=True)

    value: float
    spread: float | None
    reason: str
    quote: str | None


class TurnRecord(BaseModel):
    """An agent turn: `turn` is its index in the transcript; what was logged with it is handed on to trainers."""

    model_config = ConfigDict(frozen=True)

    turn: int
    ratings: dict[str, RatingRecord]
    terms: Terms
    reward: float | None
    state: dict[str, JsonValue] | None = None
    action: str | None = None
    action_prob: float | None = None


class EpisodeRecord(BaseModel):
    """The whole episode: its ratings, and the sums of the turns' terms."""

    model_config = ConfigDict(frozen=True)

    ratings: dict[str, RatingRecord]
    terms: Terms
    reward: float | None


class FailureRecord(BaseModel):
    """Why there is no verdict."""

    model_config = ConfigDict(frozen=True)

    kind: FailureKind
    detail: str


class ViolationRecord(BaseModel):
    """The violation that decided the episode: the transcript's turn that answers for it, and what told of it."""

    model_config = ConfigDict(frozen=True)

    turn: int
    kind: ViolationKind
    name: str


class RewardRecord(BaseModel):
    """One episode. `judge` is null where the recipe asks for no judge; keys that were not logged are left out."""

    model_config = ConfigDict(frozen=True)

    id: str
    judge: JudgeId | None
    rubric: str
    recipe: str
    outcomes: str
    calibration: str | None
    outcome: str | float | None
    status: Status
    turns: tuple[TurnRecord, ...]
    episode: EpisodeRecord
    cleared: bool
    violation: ViolationRecord | None = None
    failure: FailureRecord | None = None

    def to_json(self) -> str:
        """Return the record as one line of JSON."""
        values = self.model_dump(mode="json")
        _drop_none(values, ("violation", "failure"))
        for turn in values["turns"]:
            _drop_none(turn, ("state", "action", "action_prob"))
        return to_json(values).decode()


def make_record(
    transcript: Transcript,
    answer: Verdict | JudgeFailure | None,
    reward: Reward,
    *,
    rubric: str,
    recipe: str,
    outcomes: str,
    cleared: bool,
) -> RewardRecord:
    """Return the line for one episode; `answer` is None where no judge was asked."""
    verdict = answer if isinstance(answer, Verdict) else None
    turns = []
    for k, (index, terms) in enumerate(zip(transcript.agent_turns, reward.turns, strict=True)):
        turn = transcript.turns[index]
        turns.append(
            TurnRecord(
                turn=index,
                ratings=_ratings(verdict.turns[k].ratings if verdict else {}),
                terms=_rounded(terms),
                reward=round(sum(terms.values()), DECIMALS) if reward.complete else None,
                state=turn.state,
                action=turn.action,
                action_prob=turn.action_prob,
            )
        )
    total = reward.total
    episode = EpisodeRecord(
        ratings=_ratings(verdict.episode if verdict else {}),
        terms=_rounded(reward.episode),
        reward=None if total is None else round(total, DECIMALS),
    )
    found = reward.violation
    violation = ViolationRecord(turn=transcript.agent_turns[found.turn], kind=found.kind, name=found.name) if found else None
    return RewardRecord(
        id=transcript.id,
        judge=answer.judge if answer else None,
        rubric=rubric,
        recipe=recipe,
        outcomes=outcomes,
        calibration=None,
        outcome=transcript.outcome,
        status=Status.SCORED if reward.complete else Status.FAILED,
        turns=tuple(turns),
        episode=episode,
        cleared=cleared,
        violation=violation,
        failure=FailureRecord(kind=answer.kind, detail=answer.detail) if isinstance(answer, JudgeFailure) else None,
    )


def read_rewards(path: str | Path) -> Iterator[RewardRecord]:
    """Yield the records of a rewards file (plain, gzip, or `-`).

    Raises:
        UsageProblem: the file cannot be read.
        InputProblem: a line is not a record of a rewards file.
    """
    with Source(path) as source:
        for line in source.lines():
            try:
                if isinstance(line, tuple):
                    raise line[1]
                yield RewardRecord.model_validate_json(line.data)
            except (ValidationError, InputProblem) as error:
                number = line[0] if isinstance(line, tuple) else line.number
                reason = str(error) if isinstance(error, InputProblem) else "'{}': {}".format(*_first_misfit(error))
                raise InputProblem(
                    f"{source.name}:{number}: not a line of a rewards file ({reason})", "what `judge score` writes"
                ) from error


def _first_misfit(error: ValidationError) -> tuple[str, str]:
    first = error.errors(include_url=False)[0]
    return ".".join(map(str, first["loc"])), first["msg"].lower()


def _ratings(ratings: dict[str, Rating]) -> dict[str, RatingRecord]:
    return {
        name: RatingRecord(value=rating.value, spread=rating.spread, reason=rating.reason, quote=rating.quote)
        for name, rating in ratings.items()
    }


def _drop_none(values: dict[str, Any], optional: tuple[str, ...]) -> None:
    """Remove those optional keys that are None."""
    for key in optional:
        if values[key] is None:
            del values[key]


def _rounded(terms: Terms) -> Terms:
    return {name: round(value, DECIMALS) for name, value in terms.items()}
