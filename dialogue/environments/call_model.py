"""The debt call as tables: every situation x action with what may come of it and how likely; environments only draw from them.

A live situation is (persona, stage, sentiment level, objection pending), counted through as one `code`; the codes after those are ended
calls (outcome, sentiment level). Which row of the tables holds depends on the code, the action and the phase of the call (its turn).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dialogue.encoding import Encoding, Field
from dialogue.environments.call_rules import CallRules, call_rules
from dialogue.environments.call_words import (
    ACTIONS,
    BUCKET_OF,
    EVENTS,
    FIRST_END,
    FSM,
    LAST_TURN,
    LEVELS,
    LIVE,
    OUTCOMES,
    SENTIMENTS,
    TURN_EDGES,
    Event,
)  # fmt: skip
from dialogue.environments.persona import Persona, load_personas
from dialogue.environments.reactions import COMMITMENT, NEGOTIATION, PHASES, reactions

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
ENCODING = Encoding((Field("fsm", values=tuple(map(str, FSM))), Field("sentiment", values=SENTIMENTS), Field("turn", edges=TURN_EDGES)))
PHASE_OF = np.array([*np.searchsorted(TURN_EDGES, np.arange(1, LAST_TURN), side="right"), PHASES - 1])  # by agent turns taken so far
SHIFTS = (-1, 0, 1, 2)  # of the sentiment level, as [mood] lists them


@dataclass(frozen=True, eq=False)
class CallModel:
    """The tables. Rows are counted (phase, code, action), the last fastest; `slots` is how many things may come of a row at most.

    Attributes:
        probs: (rows, slots) chances.
        after: (rows, slots) the code that follows.
        event: (rows, slots) what the customer does, an index into EVENTS.
        start_probs: chances of the situations in which a call may begin.
        start_codes, start_attempts: those situations: their codes, and how often the customer was tried before (2: more than once).
    """

    personas: tuple[Persona, ...]
    rules: CallRules
    probs: Floats
    after: Ints
    event: Ints
    start_probs: Floats
    start_codes: Ints
    start_attempts: Ints

    @property
    def live(self) -> int:
        """How many live situations there are; codes from here on are ended calls."""
        return len(self.personas) * len(LIVE) * LEVELS * 2

    @property
    def codes(self) -> int:
        """How many codes there are."""
        return self.live + len(OUTCOMES) * LEVELS

    @property
    def slots(self) -> int:
        """How many things may come of one action at most."""
        return int(self.probs.shape[1])

    @cached_property
    def fsm_of(self) -> Ints:
        """The stage of every code, an index into FSM."""
        return np.concatenate([np.arange(self.live) // (LEVELS * 2) % len(LIVE), np.full(self.codes - self.live, len(LIVE))])

    @cached_property
    def level_of(self) -> Ints:
        """The sentiment level of every code."""
        return np.concatenate([np.arange(self.live) // 2 % LEVELS, np.arange(self.codes - self.live) % LEVELS])

    @cached_property
    def seen(self) -> Ints:
        """The observation of every code after every number of agent turns taken: (LAST_TURN + 1, codes)."""
        turns = np.searchsorted(TURN_EDGES, np.arange(LAST_TURN + 1) + 1, side="right")
        return (self.fsm_of * len(SENTIMENTS) + BUCKET_OF[self.level_of]) * (len(TURN_EDGES) + 1) + turns[:, None]

    def worths(self, worth: Floats) -> Floats:
        """Return what arriving at a code is worth after every number of agent turns: (LAST_TURN + 1, codes), 0 for live ones."""
        found = np.zeros((LAST_TURN + 1, self.codes))
        found[:, self.live :] = np.repeat(worth.T, LEVELS, axis=1)
        return found

    @cached_property
    def handling(self) -> Floats:
        """The simulated judge's rating of each action in every live situation: (live, actions)."""
        levels = np.arange(self.live)
        upset, objecting = BUCKET_OF[levels // 2 % LEVELS] < 2, levels % 2 == 1
        situation = np.where(objecting, 2, np.where(upset, 1, 0))
        rules = self.rules.handling
        stages = [rules.before] * NEGOTIATION + [rules.NEGOTIATION, rules.COMMITMENT]
        table = np.array([[[stage[kind][action] for action in ACTIONS] for kind in ("calm", "upset", "objecting")] for stage in stages])
        found: Floats = table[self.fsm_of[: self.live], situation]
        return found


def build_call_model(personas: tuple[Persona, ...], rules: CallRules) -> CallModel:
    """Return the tables for these personas and rules."""
    chances = np.moveaxis(reactions(personas, rules), 5, 1)  # phases in front of personas: the order of rows
    hangs_up = EVENTS.index(Event.HANGS_UP)
    chances[:FIRST_END, -1] = 0  # there is no turn after the last one: who has not ended the call by then hangs up
    chances[hangs_up, -1] = 0
    chances[hangs_up, -1] = 1 - chances[:, -1].sum(0)
    probs, after, event = _packed(list(_branches(chances, personas, rules)), chances[0].size)
    return CallModel(personas, rules, probs / probs.sum(1, keepdims=True), after, event, *_starts(personas))


def _branches(chances: Floats, personas: tuple[Persona, ...], rules: CallRules) -> Iterator[tuple[Floats, Ints, int]]:
    """Yield everything that may come of an action: its chance in every row, the code that follows there, and the event.

    Args:
        chances: (events, phases, personas, stages, levels, objection, actions).
    """
    shape = chances.shape[1:]
    _, person, at_stage, at_level, pending, _ = cast(tuple[Ints, ...], np.indices(shape, sparse=True))
    live = len(personas) * len(LIVE) * LEVELS * 2

    def trait(name: str) -> Floats:
        return np.array([getattr(persona, name) for persona in personas]).reshape(1, -1, 1, 1, 1, 1)

    for number, event in enumerate(EVENTS):
        if number >= FIRST_END:
            yield chances[number], np.broadcast_to(live + (number - FIRST_END) * LEVELS + at_level, shape), number
            continue
        stage = {
            Event.CONFIRMS: np.minimum(at_stage + 1, NEGOTIATION),
            Event.ACCEPTS_PLAN: np.full_like(at_stage, COMMITMENT),
            Event.ACCEPTS_PART: np.full_like(at_stage, NEGOTIATION),
        }.get(event, at_stage)
        kept = np.ones_like(pending) if event is Event.OBJECTS else pending
        given_up = {Event.EXPLAINS: np.array(rules.answer.settled), Event.CALMS: rules.answer.dropping_it * trait("warmth")}
        lost = given_up.get(event, np.array(0.0)) * pending
        for shift, moved in zip(SHIFTS, _mood_moves(rules.mood[event], trait("emotional_volatility")), strict=True):
            level = np.clip(at_level + shift, 0, LEVELS - 1)
            for objection, share in ((kept, 1 - lost), (np.zeros_like(kept), lost)):
                code = ((person * len(LIVE) + stage) * LEVELS + level) * 2 + objection
                if np.any(moved) and np.any(share):
                    yield chances[number] * moved * share, np.broadcast_to(code, shape), number


def _mood_moves(weights: tuple[float, float, float, float], volatility: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the chances of SHIFTS: the volatile fall more often, out of what would stay, then out of what would rise."""
    down, _, up, twice = (weight / sum(weights) for weight in weights)
    falls = np.minimum(down * (0.5 + volatility), 1.0)
    rises = np.minimum(1 - falls, up + twice)
    of_two = twice / (up + twice) if twice else 0.0
    return falls, 1 - falls - rises, rises * (1 - of_two), rises * of_two


def _packed(branches: list[tuple[Floats, Ints, int]], rows: int) -> tuple[Floats, Ints, Ints]:
    """Return chances, codes and events by (row, slot): only what is possible in a row takes a slot there."""
    every = np.stack([chance.reshape(rows) for chance, _, _ in branches], axis=1)
    possible = every > 0
    row, column = np.nonzero(possible)
    slot = (possible.cumsum(1) - 1)[row, column]
    shape = rows, int(possible.sum(1).max())
    probs, after, event = np.zeros(shape), np.zeros(shape, np.intp), np.zeros(shape, np.intp)
    probs[row, slot] = every[row, column]
    after[row, slot] = np.stack([code.reshape(rows) for _, code, _ in branches], axis=1)[row, column]
    event[row, slot] = np.array([number for _, _, number in branches])[column]
    return probs, after, event


def _starts(personas: tuple[Persona, ...]) -> tuple[Floats, Ints, Ints]:
    """Return the chances of the situations in which a call may begin, their codes, and how often the customer was tried before."""
    probs, codes, attempts = [], [], []
    for number, persona in enumerate(personas):
        for word, weight in persona.mood.items():
            levels = np.flatnonzero(SENTIMENTS.index(word) == BUCKET_OF)
            for level in levels.tolist():
                for times, tried in enumerate(persona.prior_attempts):
                    probs.append(persona.share * weight / sum(persona.mood.values()) / levels.size * tried / sum(persona.prior_attempts))
                    codes.append((number * len(LIVE) * LEVELS + level) * 2)
                    attempts.append(times)
    chances = np.array(probs)
    possible = chances > 0
    return chances[possible] / chances.sum(), np.array(codes)[possible], np.array(attempts)[possible]


@lru_cache(maxsize=8)
def _built(personas: tuple[str, ...]) -> CallModel:
    """Return the tables for personas given as JSON, which unlike the objects can be a key."""
    return build_call_model(tuple(Persona.model_validate_json(persona) for persona in personas), call_rules())


def call_model(personas: str | Path | None = None) -> CallModel:
    """Return the tables for the personas of a file or folder, or for the shipped ones.

    Raises:
        UsageProblem: no personas there, or a file is wrong.
    """
    return _built(tuple(persona.model_dump_json() for persona in load_personas(personas)))
