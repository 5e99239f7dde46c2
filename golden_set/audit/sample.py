"""What a person is asked and what they said: `AuditSample`, its episodes, the frame they were drawn from, and `AuditLabel`."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dialogue.transcript import Role, Transcript
from golden_set.case import EPISODE
from judge.rubric import Criterion, Rubric, StateCriterion
from judge.verdict import Finite, JudgeId, Rating, Verdict

Count = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(gt=0, le=1)]
Rater = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]  # a pseudonym, never a name, an address or a number
AuditName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Purpose(StrEnum):
    """Why an episode is looked at."""

    ESTIMATE = "estimate"  # drawn at random: figures rest on these alone
    HUNT = "hunt"  # picked because something looks odd: finds faults, says nothing of how frequent they are


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Framed(_Part):
    """One scored episode that could be drawn: what estimates need of it, as the judge sees it, whether it was drawn or not.

    Attributes:
        content_hash: of the transcript as the judge saw it.
        stratum: the name of its stratum.
        slices: such as `outcome:HANGUP`, `policy:v3`.
        reward: what the recipe makes of outcome and verdict; None without a recipe's plug-in.
        handling: the judge's rating of the whole on [-1, 1].
        spread: the largest spread of a rating, as a share of its scale; 0 where none is known.
        means: the judge's mean rating over the episode's turns by criterion; `NAME (episode)` for those of the episode.
        violated: critical criteria that the judge finds violated on some turn.
    """

    id: str
    content_hash: str
    stratum: str
    slices: tuple[str, ...]
    reward: Finite | None
    handling: Finite
    spread: Annotated[float, Field(ge=0)]
    means: dict[str, Finite]
    violated: tuple[str, ...]


class Stratum(_Part):
    """Episodes among which some are drawn at random, each with the same probability."""

    name: str
    size: Annotated[int, Field(ge=1)]
    drawn: Count

    @property
    def inclusion(self) -> float:
        """The probability of each of its episodes to be drawn."""
        return self.drawn / self.size


class AuditItem(_Part):
    """An episode that people look at.

    Attributes:
        item: its name on every form, such as `e017`: says nothing of the episode.
        twice: whether a second person is asked, too.
        framed: the episode in the frame.
        inclusion: the probability with which it was drawn; None of an episode for the hunt.
        why: of an episode for the hunt, what looked odd.
        shown: what people are shown, personal data masked; its id is `item`.
        verdict: what the judge said; its reasons and quotes are masked, too. Not shown.
    """

    item: Annotated[str, Field(pattern=r"^e\d{3,}$")]
    purpose: Purpose
    twice: bool
    framed: Framed
    inclusion: Probability | None
    why: str = ""
    shown: Transcript
    verdict: Verdict

    @property
    def places(self) -> tuple[str, ...]:
        """What is rated: the index of each agent turn as text, then `episode`."""
        return (*map(str, self.shown.agent_turns), EPISODE)

    def judged(self, place: str) -> dict[str, Rating]:
        """Return the judge's ratings at a place, by criterion."""
        return self.verdict.episode if place == EPISODE else next(t.ratings for t in self.verdict.turns if str(t.turn) == place)


class AuditSample(_Part):
    """How a sample was drawn: enough to say, for every episode that was scored, how likely it was to be looked at."""

    name: AuditName
    drawn_on: date
    seed: int
    judge: JudgeId
    rubric: Rubric
    recipe: str  # as after --recipe, with the hash of what it was: `blend@6db91aed97ce`
    outcomes: str  # the same of the outcome table
    stratified_by: tuple[str, ...]
    strata: tuple[Stratum, ...]
    asked_for: Count  # episodes for estimates
    rare: Count  # of those, how many are spent on rare events; half of them are drawn where the judge sees a violation
    hunted: Count
    twice: Count
    masked: bool
    unscored: Count  # episodes of the files without a verdict of this judge: not in the frame
    duplicates: Count  # episodes of the frame that read the same as an earlier one

    @property
    def framed(self) -> int:
        """How many episodes could be drawn."""
        return sum(stratum.size for stratum in self.strata)


class AuditLabel(_Part):
    """What one person says at one place of one episode. `ratings` holds the criteria that were answered, and only those."""

    item: str
    place: str
    rater: Rater
    ratings: dict[str, Finite]
    note: str = ""


def criteria_of(rubric: Rubric, place: str) -> tuple[Criterion | StateCriterion, ...]:
    """Return what is rated at a place."""
    return rubric.episode if place == EPISODE else rubric.turn_criteria


def speaker(role: Role) -> str:
    """Return who speaks, as people are shown it."""
    return {Role.AGENT: "Agent", Role.USER: "Customer", Role.SYSTEM: "System", Role.TOOL: "Tool"}[role]
