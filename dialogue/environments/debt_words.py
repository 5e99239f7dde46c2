"""The data files of the debt call's wording, checked: what a call is about, and what both sides say; which line is due is debt_wording's.

`wording/debt_facts.toml` holds names, sums and reasons, `debt_agent.toml` and `debt_customer.toml` the lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dialogue import datafile
from dialogue.environments.call_words import ACTIONS, EVENTS, LIVE, Action, Fsm
from dialogue.environments.wording import Exchange, Line, Lines, unknown_slots

Tone = Literal["warm", "plain", "short", "wary", "shaky", "heated"]
TONES: tuple[Tone, ...] = ("warm", "plain", "short", "wary", "shaky", "heated")
DRAWN = ("first", "last", "agent", "company", "account", "start", "callback", "method", "channel")
FACTS = {*DRAWN, *"name daytime balance months monthly limit spare terms asked asked_cap short answer answer_cap".split()}
FACTS |= {"callback_cap", "method_cap"}
ISSUE = {"sorry", "given", "told", "again"}  # pieces of what is objected to
TURNS = {"question", "reply", "drift", "kind", "heard"}  # what the one asks or mentions, and the other takes up
BEFORE = (Fsm.OPENING, Fsm.VERIFY, Fsm.DISCLOSURE)
CUES = set("heard first first_upset objecting upset told repeated calm broken DRIFTS INTERRUPTS EXPLAINS REFUSES ACCEPTS_PART".split())


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_File):
    """How it is made sure who is on the line."""

    asked: str
    short: str
    answers: Lines


class Issue(_File):
    """Something that a customer objects with."""

    name: str
    kind: str = "early"
    becomes: str = ""  # the name of the reason that it turns into when there is talk of money
    told: Lines
    again: Lines
    sorry: Lines
    given: Lines
    asked: Annotated[tuple[Exchange, ...], Field(min_length=1)]


class Facts(_File):
    """What a call may be about."""

    first: Lines
    last: Lines
    agent: Lines
    company: Lines
    account: Lines
    start: Lines
    callback: Lines
    method: Lines
    channel: Lines
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    reasons: Annotated[tuple[Issue, ...], Field(min_length=1)]


class Heard(_File):
    """A line, and what an agent who listens says to it."""

    said: Line
    heard: Line


class Drift(_File):
    """Another subject, and a kind word to it."""

    said: str
    kind: str


Cued = dict[str, Lines]  # lines by cue, or by the words that must hold
Stage = dict[Action, Cued]


class AgentFile(_File):
    """The agent's lines, by stage, action and cue."""

    OPENING: Stage
    VERIFY: Stage
    DISCLOSURE: Stage
    NEGOTIATION: Stage
    COMMITMENT: Stage
    pieces: dict[str, Lines]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for stage in LIVE:
            for action in ACTIONS:
                cued: Cued = getattr(self, stage).get(action, {})
                if "calm" not in cued:
                    raise datafile.Misplaced(f"expected lines for {action}, and among them 'calm' ones", stage, action)
                for cue, lines in cued.items():
                    if cue not in CUES:
                        raise datafile.Misplaced(f"expected one of {', '.join(sorted(CUES))}", stage, action, cue)
                    if wrong := unknown_slots(lines, FACTS | ISSUE | TURNS | set(self.pieces)):
                        raise datafile.Misplaced(f"expected slots that can be filled, not {', '.join(sorted(wrong))}", stage, action, cue)
        return self


Moods = Annotated[tuple[Tone, ...], Field(min_length=3, max_length=3)]
Said = dict[str, Annotated[tuple[Line | Heard, ...], Field(min_length=1)]]


class CustomerFile(_File):
    """The customer's lines, by event and the words that must hold."""

    tones: dict[str, Moods]
    reasons: dict[str, tuple[str, ...]]
    early: Annotated[tuple[Issue, ...], Field(min_length=1)]
    questions: dict[Fsm, tuple[Exchange, ...]]
    drifts: Annotated[tuple[Drift, ...], Field(min_length=1)]
    CONFIRMS: Said
    STALLS: Said
    OBJECTS: Said
    EXPLAINS: Said
    VENTS: Said
    CALMS: Said
    INTERRUPTS: Said
    DRIFTS: Said
    REFUSES: Said
    ACCEPTS_PLAN: Said
    ACCEPTS_PART: Said
    COMMITS: Said
    PAYS: Said
    ASKS_CALLBACK: Said
    ESCALATES: Said
    DNC: Said
    HANGS_UP: Said
    VIOLATION: Said

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for section in ("tones", "reasons"):
            if "other" not in getattr(self, section):
                raise datafile.Misplaced("expected 'other', for personas that are not named", section)
        for event in EVENTS:
            said: Said = getattr(self, event)
            if "any" not in said:
                raise datafile.Misplaced("expected a list 'any', for where no other fits", event)
            for key, lines in said.items():
                known = {"any", "lowest", "objecting", "before", *LIVE, *ACTIONS, *TONES}
                if not set(key.split()) <= known:
                    raise datafile.Misplaced(f"expected words of {', '.join(sorted(known))}", event, key)
                every = [text for line in lines for text in ((line,) if isinstance(line, str) else (line.said, line.heard))]
                if wrong := unknown_slots(every, FACTS | ISSUE | TURNS - {"heard"}):
                    raise datafile.Misplaced(f"expected slots that can be filled, not {', '.join(sorted(wrong))}", event, key)
        return self


@dataclass(frozen=True)
class DebtWords:
    """Everything that can be said.

    Attributes:
        agent: lines by stage, action and cue.
        customer: lines by (event, stage, action, whether an objection is pending, tone).
        heard: replies to lines that have one of their own, by line.
        named: everything that may be objected with, by its own name.
        reasons: what a persona may object with, by the persona's name; `other` is everybody else's.
    """

    facts: Facts
    agent: dict[str, dict[str, Cued]]
    pieces: dict[str, Any]
    customer: dict[tuple[str, str, str, bool, str], tuple[str, ...]]
    lowest: tuple[str, ...]
    heard: dict[str, str]
    tones: dict[str, tuple[Tone, ...]]
    named: dict[str, Issue]
    reasons: dict[str, tuple[Issue, ...]]
    early: tuple[Issue, ...]
    questions: dict[str, tuple[Exchange, ...]]
    drifts: tuple[Drift, ...]


def _folder(name: str) -> Path:
    return Path(str(files("dialogue.environments").joinpath("wording", name)))


@cache
def debt_words() -> DebtWords:
    """Return the wording that comes with the package.

    Raises:
        UsageProblem: a file is wrong.
    """
    facts = datafile.load(_folder("debt_facts.toml"), Facts)
    agent = datafile.load(_folder("debt_agent.toml"), AgentFile)
    customer = datafile.load(_folder("debt_customer.toml"), CustomerFile)
    by_name = {reason.name: reason for reason in facts.reasons}
    return DebtWords(
        facts=facts,
        agent={str(stage): {str(action): cued for action, cued in getattr(agent, stage).items()} for stage in LIVE},
        pieces=dict(agent.pieces),
        customer=dict(_spread(customer)),
        lowest=tuple(map(_said, customer.ACCEPTS_PART["lowest"])),
        heard=dict(_heard(customer)),
        tones=dict(customer.tones),
        named=by_name,
        reasons={persona: tuple(by_name[name] for name in names) for persona, names in customer.reasons.items()},
        early=customer.early,
        questions={str(stage): asked for stage, asked in customer.questions.items()},
        drifts=customer.drifts,
    )


def _spread(customer: CustomerFile) -> Iterator[tuple[tuple[str, str, str, bool, str], tuple[str, ...]]]:
    """Yield the lines for every situation: of the lists whose words all hold, the one whose words weigh most."""
    for event in EVENTS:
        said: Said = getattr(customer, event)
        lists = [(frozenset(key.split()) - {"any"}, tuple(map(_said, lines))) for key, lines in said.items() if key != "lowest"]
        for stage in LIVE:
            for action in ACTIONS:
                for objecting in (False, True):
                    for tone in TONES:
                        weights = {str(stage): 4, str(action): 2, tone: 1} | ({"objecting": 8} if objecting else {})
                        weights |= {"before": 4} if stage in BEFORE else {}
                        fits = [(sum(weights[word] for word in words), lines) for words, lines in lists if words <= weights.keys()]
                        yield (str(event), str(stage), str(action), objecting, tone), max(fits, key=lambda fit: fit[0])[1]


def _said(line: str | Heard) -> str:
    return line if isinstance(line, str) else line.said


def _heard(customer: CustomerFile) -> Iterator[tuple[str, str]]:
    for event in EVENTS:
        for lines in getattr(customer, event).values():
            yield from ((line.said, line.heard) for line in lines if isinstance(line, Heard))
