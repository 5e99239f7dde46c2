"""What had been said in a dialogue before the turn at hand; forgets wording, keeps figures, topics, moods and promises."""

from collections import deque
from dataclasses import dataclass, field

from judge.cues import AgentTurn
from judge.utterance import Utterance

NO_CLAIM = frozenset(("never", "don't", "have", "that", "this", "with", "would", "really", "just"))
RECALLED = 50  # turns back that a repetition is still noticed: keeps very long dialogues linear


@dataclass(slots=True)
class Memory:
    """What had been said before the turn at hand."""

    block: list[Utterance] = field(default_factory=list)  # the other side's turns since the agent last spoke
    fresh: bool = False  # whether that block is new since the agent's last turn
    stems: set[str] = field(default_factory=set)  # all content words of the other side
    numbers: set[float] = field(default_factory=set)
    agent_stems: set[str] = field(default_factory=set)
    own: deque[Utterance] = field(default_factory=lambda: deque(maxlen=RECALLED))  # the agent's turns
    questions: deque[frozenset[str]] = field(default_factory=lambda: deque(maxlen=RECALLED))  # what its questions were about
    hardship: set[str] = field(default_factory=set)
    limit: float | None = None
    agreed: float | None = None
    demanded: bool = False
    refused: bool = False
    stop_asked: bool = False
    upset: float = 0.0
    corrections: int = 0
    refusals: int = 0
    complaints: int = 0
    progress: bool = False
    claims: dict[str, bool] = field(default_factory=dict)  # word the agent claimed of itself -> affirmed


def hear(memory: Memory, said: Utterance) -> None:
    """Take in a turn of the other side."""
    if memory.fresh:
        memory.block.append(said)
    else:
        memory.block, memory.fresh = [said], True
    if said.has("hardship", "distress"):
        memory.hardship |= said.stems
    money = [value for value, _ in said.numbers if value >= 5]
    if money and said.has("limit"):
        memory.limit = min(money)
    if said.has("refusal"):
        memory.refusals += 1
        memory.refused = memory.refused or memory.demanded
    if said.has("stop_request"):
        memory.stop_asked = True
    memory.corrections += said.has("correction")
    angry = min(1.0, said.count("anger") / 2 + said.count("distress") / 3 + (0.4 if said.shouts else 0.0) + said.exclaims / 6)
    memory.complaints += angry >= 0.5
    memory.upset = max(0.5 * memory.upset, angry)
    if said.has("gratitude") and not said.has("anger"):
        memory.upset *= 0.5


def remember(memory: Memory, turn: AgentTurn) -> None:
    """Take in the agent's own turn, after its cues were noticed."""
    said = turn.utterance
    memory.stems |= {stem for heard in memory.block for stem in heard.stems}
    memory.numbers |= {value for heard in memory.block for value in heard.values}
    memory.agent_stems |= said.stems
    memory.own.append(said)
    memory.fresh = False
    if said.question and said.stems:
        memory.questions.append(said.stems)
    if "accepts_limit" in turn.cues and memory.limit is not None:
        memory.agreed = memory.limit
    if said.has("demand"):
        memory.demanded = True
    if turn.cues.keys() & {"concrete_step", "accepts_limit", "confirms"}:
        memory.progress = True
    for _, after in said.hits.get("first_person", ()):
        memory.claims.update(dict.fromkeys(claim(said, after), not denies(said, after)))


def claim(said: Utterance, after: int) -> list[str]:
    """Return the content words that follow `I have`, `I never` and the like: what the agent claims of itself."""
    words = said.words[after : after + 5]
    return [word[:5] for word in words if len(word) > 3 and word not in NO_CLAIM]


def denies(said: Utterance, after: int) -> bool:
    """Say whether a first-person claim is a denial (`I never had a pet`)."""
    return any(word in ("never", "don't", "haven't", "not", "no", "hate", "can't") for word in said.words[max(0, after - 3) : after + 2])
