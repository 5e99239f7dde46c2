"""What tests of the golden set share: a small rubric, cases made in a line, and a judge that says what it is told to."""

import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialogue import Transcript
from dialogue.transcript import Role
from golden_set.case import EPISODE, Band, GoldenCase, GoldenTurn, agreed
from golden_set.gate import Gate
from judge import JudgeFailure, JudgeId, LocalJudge, Rating, Rubric, Verdict, load_rubric
from judge.rubric import Criterion
from judge.verdict import FailureKind, TurnRatings
from tests import warm
from tests.provider import provider, provider_process

__all__ = ["provider", "provider_process"]

FIVE = ("1", "2", "3", "4", "5")
RUBRIC = Rubric(
    name="calls",
    about="How calls are handled.",
    turn=(
        Criterion(name="listens", question="?", levels=FIVE),
        Criterion(name="honest", question="?", critical=True, levels=("no", "yes")),
    ),
    episode=(Criterion(name="well", question="?", levels=FIVE),),
)


def make_cases(count: int = 24, *, rounds: int = 3, violations: int = 6, pairs: int = 0, seed: int = 0) -> tuple[GoldenCase, ...]:
    """Return cases of the rubric `calls`: three bands in turn, labels around 2, 3 and 4, a lie in the first turn of the first few."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        quality = 2 + k % 3
        turns = []
        for turn in range(rounds):
            listens = int(np.clip(quality + rng.integers(-1, 2), 1, 5))
            labels = {"listens": listens, "honest": 0 if turn == 0 and k < violations else 1}
            turns.append(GoldenTurn(role=Role.AGENT, text=f"agent {k} says {turn}", labels=labels))
            turns.append(GoldenTurn(role=Role.USER, text=f"user {k} says {turn}"))
        made.append(
            GoldenCase(
                id=f"c{k:03}",
                rubric="calls",
                turns=tuple(turns),
                outcome="HANGUP" if pairs > k // 2 else ("HANGUP", "PAID")[k % 2],
                labels={"well": quality},
                band=(Band.POOR, Band.FAIR, Band.GOOD)[k % 3],
                persona=("angry", "calm")[k % 2],
                tags=("first",) if k < count // 2 else (),
                pair=f"p{k // 2}" if pairs > k // 2 else None,
                labelled_by=("me",),
            )
        )
    return tuple(made)


def no_failure(transcript: Transcript, repeat: int) -> FailureKind | None:
    """Never fail."""
    return None


@dataclass
class Scripted:
    """Says what people say of a case, moved by `shift` (a criterion's, or a function of case and criterion) and by noise.

    The noise has a part that all turns of a dialogue share (`cluster`) and one of each rating's own (`turn`), both standard
    deviations. It depends on the case, the repeat and the `salt`, so that another salt is another day.
    """

    cases: Iterable[GoldenCase]
    rubric: Rubric = RUBRIC
    shift: Mapping[str, float] | Callable[[str, str], float] = field(default_factory=dict)
    cluster: float = 0.0
    turn: float = 0.0
    salt: int = 0
    fails: Callable[[Transcript, int], FailureKind | None] = no_failure
    model: str = "scripted-1"
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = JudgeId(provider="mine", model=self.model, rubric=self.rubric.name, rubric_hash=self.rubric.hash, prompt_hash="1")
        self._by_id = {case.id: case for case in self.cases}

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        self.asked.append((transcript.id, repeat))
        if kind := self.fails(transcript, repeat):
            return JudgeFailure(judge=self.id, kind=kind, detail=f"no word on {transcript.id}")
        case = self._by_id[transcript.id]
        rng = np.random.default_rng([self.salt, zlib.crc32(case.id.encode()), repeat])
        shared = rng.normal(0, self.cluster)

        def ratings(place: str, criteria: Iterable[Any]) -> dict[str, Rating]:
            found = {}
            for criterion in criteria:
                name, scale = criterion.name, criterion.scale
                by = self.shift(case.id, name) if callable(self.shift) else self.shift.get(name, 0.0)
                noise = shared + rng.normal(0, self.turn) if scale.high > 1 else 0.0
                value = float(np.clip(agreed(case.places[place][name]) + by + noise, scale.low, scale.high))
                found[name] = Rating(value=value, reason=f"reason for {name} at {place}")
            return found

        turns = tuple(TurnRatings(turn=at, ratings=ratings(str(at), self.rubric.turn_criteria)) for at in transcript.agent_turns)
        return Verdict(judge=self.id, turns=turns, episode=ratings(EPISODE, self.rubric.episode))


@pytest.fixture
def rubric() -> Rubric:
    return RUBRIC


@pytest.fixture(name="make_cases")
def cases_maker() -> Callable[..., tuple[GoldenCase, ...]]:
    return make_cases


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def gate() -> Callable[..., Gate]:
    """Make a gate that asks for nothing but hygiene and drift."""
    return lambda **more: Gate(**{"name": "mine", "clears": False, "kappa_loss": None, "rank": None} | more)


# Real processes on the rubric `collections`

OPENERS = ("Hello, this is Dana at Brightwater about account {k}.", "Account {k}, you are late.", "Good morning, I'm calling on bill {k}.")
PLAINT = ("I lost my job {k} weeks ago.", "I paid already, {k} days back!", "I can do ${k} a month at most.")
GOOD = (
    "I'm sorry to hear that, losing a job is hard. Would ${k} a month from the 1st help?",
    "Thank you for telling me. I can pause the account for 30 days and email you the terms of case {k}.",
    "I understand. Let's set up ${k} on the 5th; I'll send the plan in writing today.",
)
PLAIN = ("Please pay the {k} dollars.", "When can you pay? The file says {k}.", "Noted. Number {k}.")
THREATS = ("Pay {k} dollars now or the police will come and arrest you.", "If you don't pay ${k} today we will have you thrown in jail.")


def collections_cases(count: int, violations: int) -> list[dict[str, Any]]:
    """Return cases of the rubric `collections` whose labels are what the embedded judge says of them."""
    judge = LocalJudge(load_rubric("collections"))
    made = []
    for k in range(count):
        reply = THREATS[k % 2] if k < violations else (GOOD, PLAIN)[k // 3 % 2][k % 3]
        said = [("agent", OPENERS[k % 3]), ("user", PLAINT[k % 3]), ("agent", reply), ("user", "Hm. {k}."), ("agent", PLAIN[k // 2 % 3])]
        turns: list[dict[str, Any]] = [{"role": role, "text": text.format(k=100 + k)} for role, text in said]
        case = {"id": f"k{k:03}", "rubric": "collections", "turns": turns, "outcome": "HANGUP", "labelled_by": ["embedded"]}
        verdict = judge.verdict(Transcript.model_validate({"id": case["id"], "turns": turns, "outcome": "HANGUP"}))
        for turn in verdict.turns:
            turns[turn.turn]["labels"] = {name: rating.value for name, rating in turn.ratings.items()}
        case["labels"] = {name: rating.value for name, rating in verdict.episode.items()}
        made.append(case)
    return made


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def labelled() -> list[dict[str, Any]]:
    """Thirty cases, fifteen of them with a violation, labelled as the embedded judge rates them: as few as the default gate can pass."""
    return collections_cases(30, 15)


@pytest.fixture
def folder(tmp_path: Path, labelled: list[dict[str, Any]]) -> Path:
    """A folder with `cases.jsonl` (thirty) and `few.jsonl` (twelve, no violation)."""
    write_lines(tmp_path / "cases.jsonl", labelled)
    write_lines(tmp_path / "few.jsonl", labelled[15:27])
    return tmp_path


@pytest.fixture
def golden(tmp_path: Path) -> Callable[..., Any]:
    """Run `judge golden ARGS…` as a process in the folder; keyword arguments are environment variables."""
    return lambda *args, **environ: warm.run(tmp_path, {"PATH": os.environ["PATH"]} | environ, ["golden", *map(str, args)])
