"""The contract of an attack: what it changes in a dialogue, which ratings are compared before and after, and what may become of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from dialogue.transcript import Role, Transcript, Turn
from golden_set.case import GoldenCase, agreed
from judge.rubric import Criterion, Rubric


class Direction(StrEnum):
    """What may become of the rating."""

    SAME = "="  # it must not move
    NO_GAIN = "≤"  # it must not rise
    DROP = "<"  # it must fall
    LOW = "low"  # whatever it was before, it must be low now


class Family(StrEnum):
    """Attacks of one kind."""

    CONTROL = "control"
    NOTHING = "nothing said"
    PRAISE = "praise"
    STYLE = "style"
    ECHO = "rubric echo"
    INJECTION = "injection"
    CLAIM = "false claim"
    APOLOGY = "apology"
    STUFFING = "stuffing"
    FAULT = "cross-turn fault"
    FAIRNESS = "fairness"
    NOISE = "noise"
    CUT = "cut"
    FOUND = "found by search"


class Compared(StrEnum):
    """Which ratings are compared."""

    TURNS = "turns"  # the mean of agent turns
    EPISODE = "episode"
    CRITICAL = "critical"  # the critical criteria of agent turns


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a dialogue, and the agent turns to be compared: their indices before, and after."""

    turns: tuple[Turn, ...]
    put_in: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    ended: bool = True  # False: it is cut short, so how it ended is not known


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed dialogue. Its transcript has an id and a content hash of its own, so a ledger keeps its ratings apart."""

    case: str
    transcript: Transcript
    put_in: str
    before: tuple[int, ...]
    after: tuple[int, ...]


Make = Callable[[GoldenCase, Rubric, Random], Change | None]


@dataclass(frozen=True)
class Mutation:
    """An attack. `make` is pure: what it does follows from the case, the rubric and the seed alone.

    `touches` are the roles whose turns may be changed, `adds` those of turns that may be added. `criteria` are the names of the
    criteria that are compared where the rubric has one of them; else all are. An attack with `gates` False is only told.
    """

    name: str
    family: Family
    direction: Direction
    about: str
    make: Make
    compares: tuple[Compared, ...] = (Compared.TURNS, Compared.EPISODE)
    touches: frozenset[Role] = field(default=frozenset({Role.AGENT}))
    adds: frozenset[Role] = frozenset()
    criteria: tuple[str, ...] = ()
    gates: bool = True

    def of(self, case: GoldenCase, rubric: Rubric, seed: int) -> Mutant | None:
        """Return the mutant of a case, or None where the attack does not apply to it."""
        original = case.transcript
        # Each attack and case has random numbers of its own: leaving one out changes no other.
        change = self.make(case, rubric, Random(f"{self.name}\0{case.id}\0{seed}"))  # noqa: S311 - no secret
        if change is None or change.turns == original.turns or not any(turn.role is Role.AGENT for turn in change.turns):
            return None
        outcome = original.outcome if change.ended else None
        transcript = Transcript(id=f"{case.id}~{self.name}~{seed}", turns=change.turns, outcome=outcome)
        return Mutant(case.id, transcript, change.put_in, change.before, change.after)

    def mutants(self, cases: Iterable[GoldenCase], rubric: Rubric, seeds: int) -> list[Mutant]:
        """Return the mutants of all cases, `seeds` of each; those that came out alike are there once."""
        found: dict[tuple[str, str], Mutant] = {}
        for case in cases:
            for seed in range(seeds):
                if mutant := self.of(case, rubric, seed):
                    found.setdefault((case.id, mutant.transcript.content_hash(with_outcome=True)), mutant)
        return list(found.values())


def agent_turns(case: GoldenCase) -> tuple[int, ...]:
    """Return the indices of the agent's turns."""
    return tuple(index for index, turn in enumerate(case.turns) if turn.role is Role.AGENT)


def rewritten(case: GoldenCase, texts: Mapping[int, str], put_in: str, compared: Sequence[int] | None = None) -> Change:
    """Return the dialogue with other texts for some turns; compared are, unless told, those of the agent's among them."""
    turns = tuple(Turn(role=turn.role, text=texts.get(index, turn.text)) for index, turn in enumerate(case.turns))
    places = tuple(compared if compared is not None else (index for index in texts if case.turns[index].role is Role.AGENT))
    return Change(turns, put_in, places, places)


def inserted(case: GoldenCase, new: Mapping[int, Turn]) -> tuple[tuple[Turn, ...], dict[int, int]]:
    """Return the turns with new ones before the indices named, and where each old turn stands now.

    The index after the last turn is allowed too.
    """
    turns: list[Turn] = []
    now = {}
    for index, turn in enumerate(case.transcript.turns):
        if index in new:
            turns.append(new[index])
        now[index] = len(turns)
        turns.append(turn)
    if len(case.turns) in new:
        turns.append(new[len(case.turns)])
    return tuple(turns), now


def joined(text: str, addition: str) -> str:
    """Return a text with an addition behind it."""
    return f"{text.rstrip()} {addition}".strip()


def uncritical(rubric: Rubric) -> tuple[Criterion, ...]:
    """Return the turn criteria that are not critical; all of them where none is left."""
    return tuple(criterion for criterion in rubric.turn if not criterion.critical) or rubric.turn


def people_say(case: GoldenCase, criteria: Sequence[Criterion], place: str) -> float:
    """Return what people say of a place, as a level of a 1-5 scale: the mean of the criteria by their weights."""
    labels = case.places[place]
    weights = sum(criterion.weight for criterion in criteria)
    return 3 + 2 * sum(c.weight * c.scale.to_unit(agreed(labels[c.name])) for c in criteria) / weights


def roomy(case: GoldenCase, rubric: Rubric, index: int) -> bool:
    """Say whether an agent turn can fall: people find it at least neutral. What lies on the floor cannot be made to drop."""
    return people_say(case, uncritical(rubric), str(index)) >= 3
