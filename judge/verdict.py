"""What a judge says: `Rating`, `Verdict`, and `JudgeFailure` for when it could not say; with the `JudgeId` that said it."""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from dialogue.transcript import Transcript
from judge.rubric import Criterion, Rubric, StateCriterion

Finite = Annotated[float, Field(allow_inf_nan=False)]


class JudgeId(BaseModel):
    """Who rated: everything that, if changed, makes it another judge. Runs through ledger, baselines and reward files."""

    model_config = ConfigDict(frozen=True)

    provider: str
    model: str  # as the provider echoes it
    rubric: str
    rubric_hash: str
    prompt_hash: str  # of the prompt; for the local judge, of its features and coefficients
    sampling: str = "deterministic"

    @property
    def key(self) -> str:
        """A short stable name (16 hex digits) for keys and messages."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} on {self.rubric}@{self.rubric_hash[:12]}"


class Rating(BaseModel):
    """One criterion's rating on its scale, with the reason and an exact quote from the turn rated.

    `spread` is a standard deviation on the same scale where the judge knows one.
    """

    model_config = ConfigDict(frozen=True)

    value: Finite
    spread: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    reason: str
    quote: str | None = None
    quote_turn: int | None = None  # index into the transcript's turns


class TurnRatings(BaseModel):
    """The ratings of one agent turn, by criterion (the state criterion included)."""

    model_config = ConfigDict(frozen=True)

    turn: int  # index into the transcript's turns
    ratings: dict[str, Rating]


class Usage(BaseModel):
    """What the rating cost, in the provider's units."""

    model_config = ConfigDict(frozen=True)

    requests: int = 0
    input_tokens: int = 0  # all of them, the cached and the written ones included
    cached_tokens: int = 0  # read from the provider's prompt cache
    written_tokens: int = 0  # written to it
    output_tokens: int = 0
    cost_usd: float | None = 0.0  # None: the price is not known

    def __add__(self, other: "Usage") -> "Usage":
        costs = (self.cost_usd, other.cost_usd)
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            written_tokens=self.written_tokens + other.written_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        )


class Verdict(BaseModel):
    """One transcript rated by one judge: every agent turn, and the episode."""

    model_config = ConfigDict(frozen=True)

    judge: JudgeId
    turns: tuple[TurnRatings, ...]
    episode: dict[str, Rating]
    usage: Usage = Usage()


class FailureKind(StrEnum):
    """Why a judge gave no verdict."""

    CRASHED = "crashed"  # the judge's own code raised
    MALFORMED = "malformed"  # an answer that does not fit the rubric or the transcript
    TOO_LONG = "too_long"  # more than the judge reads
    REFUSED = "refused"  # the model declined to answer
    EMPTY = "empty"  # an answer without content
    TRUNCATED = "truncated"  # an answer that breaks off
    WRONG_MODEL = "wrong_model"  # another model answered than was asked
    RATE_LIMITED = "rate_limited"  # too many requests, also after every retry
    TIMED_OUT = "timed_out"  # no answer in time, also after every retry
    UNREACHABLE = "unreachable"  # no connection, or one that broke
    SERVER_ERROR = "server_error"  # the provider failed
    REJECTED = "rejected"  # the provider does not accept the request
    NOT_ASKED = "not_asked"  # the run's budget was spent before
    PENDING = "pending"  # asked in a batch that is not collected yet


class JudgeFailure(BaseModel):
    """The judge could not say. It has no number, so it cannot be averaged; it is kept, counted and re-tried."""

    model_config = ConfigDict(frozen=True)

    judge: JudgeId
    kind: FailureKind
    detail: str
    raw: str | None = None
    usage: Usage = Usage()


class Rated(Protocol):
    """Anything with a rating's value: as a judge gave it, or as a rewards file holds it."""

    @property
    def value(self) -> float: ...


def mean_unit(ratings: Mapping[str, Rated], criteria: Sequence[Criterion]) -> float:
    """Return the mean of ratings mapped to [-1, 1], by the criteria's weights."""
    weights = sum(criterion.weight for criterion in criteria)
    return sum(c.weight * c.scale.to_unit(ratings[c.name].value) for c in criteria) / weights


def handling(turns: Sequence[float], episode: Mapping[str, Rated], rubric: Rubric) -> float:
    """Return how a whole dialogue was handled on [-1, 1]: the mean of its turns' means, averaged with the episode's where it is rated."""
    mean = sum(turns) / len(turns)
    return (mean + mean_unit(episode, rubric.episode)) / 2 if rubric.episode else mean


def misfit(verdict: Verdict, rubric: Rubric, transcript: Transcript) -> str | None:
    """Return what is wrong with a verdict (a turn or criterion missing, extra, twice, or out of range), or None."""
    rated = tuple(turn.turn for turn in verdict.turns)
    if rated != transcript.agent_turns:
        return f"rated turns {list(rated)}, expected {list(transcript.agent_turns)}"
    for turn in verdict.turns:
        if wrong := _misfit(turn.ratings, rubric.turn_criteria):
            return f"turn {turn.turn}: {wrong}"
    wrong = _misfit(verdict.episode, rubric.episode)
    return f"episode: {wrong}" if wrong else None


def _misfit(ratings: dict[str, Rating], criteria: tuple[Criterion | StateCriterion, ...]) -> str | None:
    if len(ratings) != len(criteria) or any(criterion.name not in ratings for criterion in criteria):
        return f"rated {sorted(ratings)}, expected {sorted(criterion.name for criterion in criteria)}"
    for criterion in criteria:
        value, scale = ratings[criterion.name].value, criterion.scale
        if not scale.low <= value <= scale.high:
            return f"{criterion.name} is {value}, allowed {scale.low} to {scale.high}"
    return None
