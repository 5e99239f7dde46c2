"""The log of the second finding: simulated debt calls with logged probabilities, rated by the embedded judge, blended by several recipes.

Only calls that come through the state in question tell of its values, so of the later ones only those are rated; nothing is estimated here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.call_model import ENCODING
from dialogue.environments.call_policies import script
from dialogue.environments.call_words import ACTIONS, FSM, OUTCOMES, SENTIMENTS, Action, Fsm
from dialogue.transcript import Transcript
from judge.local import LocalJudge
from judge.rubric import load_rubric
from judge.verdict import Verdict, mean_unit
from policies.logged import Log, LogReader
from policies.simulation import make_spoken, rows
from policies.table import TablePolicy
from reports.seeded import Floats
from rewards.admission import Admission, Allowed
from rewards.blend import Reward, ViolationKind, blend
from rewards.outcome import load_outcome_table
from rewards.recipe import Recipe, load_recipe
from rewards.record import make_record

STATE: dict[str, str | int] = {"fsm": str(Fsm.NEGOTIATION), "sentiment": "negative", "turn": 5}
PLACE = ENCODING.index(STATE)
OUTCOME, BLEND, NO_VETO, RLAIF, FULL = "outcome", "blend", "blend without its veto", "rlaif", "outcome + the turn's rating"
OWN = "the turn's rating"
FLOOR = 0.2  # of the behaviour policy: so often it acts at random among what may be done


@dataclass(frozen=True, eq=False)
class Visits:
    """What followed every time the state was met.

    Attributes:
        actions: (visits,) indices into ACTIONS.
        calls: (visits,) which call each belongs to, counted through from 0.
        earned: by name, (visits,): what the call earned from there on under each reward, and the judge's rating of the turn on [-1, 1].
        endings: (visits,) indices into OUTCOMES.
        vetoed: (visits,) whether the judge held the call down for a violation in this turn or later. No call here holds one in truth.
    """

    actions: NDArray[np.intp]
    calls: NDArray[np.intp]
    earned: dict[str, Floats]
    endings: NDArray[np.intp]
    vetoed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judged:
    """The log.

    Attributes:
        calls: simulated; `rated`: of those, by the judge.
        judge: who rated, in words.
        visits: of the state.
        logs: by recipe, the first calls, all of them rated, as learners take them.
    """

    calls: int
    rated: int
    judge: str
    visits: Visits
    logs: dict[str, Log]


def lawful(probs: Floats, floor: float) -> Floats:
    """Return the policy that acts at random with probability `floor`, but never offers a plan before the disclosure."""
    may = np.ones(probs.shape)
    may[: FSM.index(Fsm.NEGOTIATION) * (len(probs) // len(FSM)), ACTIONS.index(Action.OFFER_PLAN)] = 0
    mixed: Floats = (1 - floor) * probs + floor * may / may.sum(1, keepdims=True)
    return mixed


def behaviour() -> Floats:
    """Return who acts: the script with a lawful floor; in NEGOTIATION, where the customer is upset, every action alike."""
    probs = lawful(script(), FLOOR).reshape(len(FSM), len(SENTIMENTS), -1, len(ACTIONS))
    probs[FSM.index(Fsm.NEGOTIATION), : SENTIMENTS.index("neutral")] = 1 / len(ACTIONS)
    return probs.reshape(ENCODING.size, len(ACTIONS))


def recipes() -> dict[str, Recipe]:
    """Return the shipped recipes, and the default one without its veto, by name."""
    found = {name: load_recipe(name) for name in (OUTCOME, BLEND, RLAIF)}
    return found | {NO_VETO: found[BLEND].model_copy(update={"name": "blend-without-veto", "veto": None})}


def judged(calls: int, whole: int, seed: int) -> Judged:
    """Return the log.

    Args:
        calls: how many are simulated.
        whole: the first so many are rated whether they come through the state or not.
        seed: of all chance.
    """
    rubric, table, cooked = load_rubric("collections"), load_outcome_table("collections"), recipes()
    judge, spoken = LocalJudge(rubric), make_spoken("debt_call")
    readers = {name: LogReader(Admission(Allowed(uncleared=True)), spoken.spaces) for name in (OUTCOME, BLEND, RLAIF)}
    made = rows(spoken, TablePolicy(spoken.spaces, behaviour()), "debt_call", range(calls), seed, "findings")
    found = _Found()
    rated = 0
    for number, call in enumerate(made):
        if number >= whole and not any("state" in turn and ENCODING.index(turn["state"]) == PLACE for turn in call["turns"]):
            continue
        transcript, rated = Transcript.model_validate(call), rated + 1
        verdict, outcome = judge.verdict(transcript), table.outcome_of(transcript)
        rewards = {
            name: blend(transcript, outcome, verdict if recipe.needs_verdict else None, rubric, recipe) for name, recipe in cooked.items()
        }
        found.take(number, transcript, rewards, [mean_unit(turn.ratings, rubric.turn) for turn in verdict.turns])
        if number < whole:
            for name, reader in readers.items():
                answer: Verdict | None = verdict if cooked[name].needs_verdict else None
                rubric_, recipe_, table_ = str(rubric), str(cooked[name]), str(table)
                record = make_record(
                    transcript, answer, rewards[name], rubric=rubric_, recipe=recipe_, outcomes=table_, cleared=answer is None
                )
                reader.add(record)
    for reader in readers.values():
        reader.admission.close()
    return Judged(calls, rated, str(judge.id), found.visits, {name: reader.log() for name, reader in readers.items()})


class _Found:
    """Takes in calls and keeps what followed the state."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, bool]] = []
        self._earned: dict[str, list[float]] = {}

    def take(self, call: int, transcript: Transcript, rewards: Mapping[str, Reward], ratings: list[float]) -> None:
        for k, index in enumerate(transcript.agent_turns):
            turn = transcript.turns[index]
            if turn.state is None or turn.action is None or ENCODING.index(turn.state) != PLACE:
                continue
            found = rewards[BLEND].violation
            vetoed = found is not None and found.kind is ViolationKind.RATING and found.turn >= k
            self._rows.append((call, ACTIONS.index(Action(turn.action)), [*map(str, OUTCOMES)].index(str(transcript.outcome)), vetoed))
            for name, value in self._values(rewards, ratings, k):
                self._earned.setdefault(name, []).append(value)

    @staticmethod
    def _values(rewards: Mapping[str, Reward], ratings: list[float], k: int) -> Iterator[tuple[str, float]]:
        to_go = {name: sum(sum(terms.values()) for terms in reward.turns[k:]) for name, reward in rewards.items()}
        yield from to_go.items()
        yield OWN, ratings[k]
        yield FULL, to_go[OUTCOME] + ratings[k]

    @property
    def visits(self) -> Visits:
        calls, actions, endings, vetoed = (np.array(part) for part in zip(*self._rows, strict=True))
        _, numbered = np.unique(calls, return_inverse=True)
        return Visits(actions, numbered, {name: np.array(values) for name, values in self._earned.items()}, endings, vetoed)
