"""One line of a rewards file: an episode with its ratings, its named terms, and everything that made them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import to_json

from dialogue.errors import InputProblem
from dialogue.source import Source
from dialogue.transcript import Transcript
from judge.calibration import Curve
from judge.rubric import Criterion
from judge.verdict import FailureKind, JudgeFailure, JudgeId, Rating, Verdict
from rewards.blend import Reward, Terms, ViolationKind

Overruled = Literal["violation", "no violation"]
DECIMALS = 12  # of written terms: hides the last bits of float noise, far below the 1e-9 that sums must hold


class Status(StrEnum):
    """Whether the episode has a reward."""

    SCORED = "scored"
    FAILED = "failed"  # the judge could not say: terms that are known stand, the reward is null, training leaves it out


class RatingRecord(BaseModel):
    """A rating as written: the judge's own value and spread on the criterion's scale, why, and the words that show it.

    `calibrated` is the value on the scale of people, where the record's calibration has a map of the criterion: that is then what
    counts. `overruled` is written where the two differ on whether a critical criterion is violated, and says what people's scale says.
    """

    model_config = ConfigDict(frozen=True)

    value: float
    calibrated: float | None = None
    overruled: Overruled | None = None
    spread: float | None
    reason: str
    quote: str | None

    @property
    def counted(self) -> float:
        """The value that the reward is made of."""
        return self.value if self.calibrated is None else self.calibrated


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
    """One episode. `judge` is null where the recipe asks for no judge; keys that were not logged are left out.

    `calibration` names the map to the scale of people that ratings went through before they were blended, if any.
    """

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
        for rated in (*values["turns"], values["episode"]):
            for rating in rated["ratings"].values():
                _drop_none(rating, ("calibrated", "overruled"))
        return to_json(values).decode()


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration as records need it: its id (worked out once), its maps, and the critical criteria, where a violation vetoes."""

    id: str | None = None
    turn: Mapping[str, Curve] = field(default_factory=dict)
    episode: Mapping[str, Curve] = field(default_factory=dict)
    critical: Mapping[str, Criterion] = field(default_factory=dict)


UNCALIBRATED = Calibrated()


def make_record(
    transcript: Transcript,
    answer: Verdict | JudgeFailure | None,
    reward: Reward,
    *,
    rubric: str,
    recipe: str,
    outcomes: str,
    cleared: bool,
    calibrated: Calibrated = UNCALIBRATED,
) -> RewardRecord:
    """Return the line for one episode; `answer` is None where no judge was asked.

    Args:
        answer: what the judge said, in its own numbers.
        reward: what comes of it; of the calibrated verdict, where there is a calibration.
        calibrated: the calibration that fits the answer's judge, if one does.
    """
    verdict = answer if isinstance(answer, Verdict) else None
    turns = []
    for k, (index, terms) in enumerate(zip(transcript.agent_turns, reward.turns, strict=True)):
        turn = transcript.turns[index]
        turns.append(
            TurnRecord(
                turn=index,
                ratings=_ratings(verdict.turns[k].ratings if verdict else {}, calibrated.turn, calibrated.critical),
                terms=_rounded(terms),
                reward=round(sum(terms.values()), DECIMALS) if reward.complete else None,
                state=turn.state,
                action=turn.action,
                action_prob=turn.action_prob,
            )
        )
    total = reward.total
    episode = EpisodeRecord(
        ratings=_ratings(verdict.episode if verdict else {}, calibrated.episode, {}),
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
        calibration=calibrated.id,
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


def _ratings(ratings: dict[str, Rating], curves: Mapping[str, Curve], critical: Mapping[str, Criterion]) -> dict[str, RatingRecord]:
    made = {}
    for name, rating in ratings.items():
        calibrated = curves[name].at(rating.value) if name in curves else None
        overruled: Overruled | None = None
        if calibrated is not None and name in critical and critical[name].violated(rating.value) != critical[name].violated(calibrated):
            overruled = "violation" if critical[name].violated(calibrated) else "no violation"
        made[name] = RatingRecord(
            value=rating.value,
            calibrated=calibrated,
            overruled=overruled,
            spread=rating.spread,
            reason=rating.reason,
            quote=rating.quote,
        )
    return made


def _drop_none(values: dict[str, Any], optional: tuple[str, ...]) -> None:
    """Remove those optional keys that are None."""
    for key in optional:
        if values[key] is None:
            del values[key]


def _rounded(terms: Terms) -> Terms:
    return {name: round(value, DECIMALS) for name, value in terms.items()}
