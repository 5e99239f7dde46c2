"""One debt call as a Gymnasium environment, in plain Python on the same tables; many at once are `debt_batch`.

`info`, at reset: `state` (the logged state that the agent sees), `persona`, `objection` (whether one is pending), `level` (of
sentiment, 0 to 8) and `prior_attempts` (2: more than once). After a step: the same as they are now, and

- `action`: the action that was taken, by name;
- `event`: what the customer did in answer, one of `call_words.Event`;
- `outcome`: one of `call_words.Outcome` where the call has ended, else None;
- `signals`: what would be logged on the agent's turn: ("COMPLIANCE_VIOLATION",) or ();
- `reward_terms`: {"outcome": ...}, and "handling" where the simulated judge has a weight; they sum to the reward.

The call ends by itself (`terminated`), after LAST_TURN agent turns at the latest, so it is never truncated.
"""

from copy import copy, deepcopy
from operator import index
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from dialogue.environments import gym_ids  # noqa: F401 - whoever imports the class may make it by its id, too
from dialogue.environments.call_tables import call_tables
from dialogue.environments.call_words import (
    ACTIONS,
    BUCKET_OF,
    EVENTS,
    FIRST_END,
    FSM,
    LEVELS,
    LIVE,
    OUTCOMES,
    SENTIMENTS,
    Event,
    Fsm,
    Outcome,
)
from dialogue.environments.debt_batch import no_action
from dialogue.environments.debt_options import EXTRAS, debt_options
from dialogue.environments.reactions import OFFER_PLAN

BLOCK = 512  # random numbers drawn at a time
ACTION_NAMES, EVENT_NAMES, OUTCOME_NAMES = list(map(str, ACTIONS)), list(map(str, EVENTS)), list(map(str, OUTCOMES))
OBJECTS, VIOLATION = EVENTS.index(Event.OBJECTS), EVENTS.index(Event.VIOLATION)
SITUATIONS = len(LIVE) * LEVELS * 2  # codes of one persona
DISCLOSURE, NEGOTIATION, CLOSED = FSM.index(Fsm.DISCLOSURE), FSM.index(Fsm.NEGOTIATION), FSM.index(Fsm.CLOSED)
CHANGING = ("_draws", "_code", "_turn", "_attempts", "_persona", "_raised", "_offers", "_verified", "_disclosed")
NO_SIGNALS: tuple[str, ...] = ()
VIOLATED = (str(Outcome.COMPLIANCE_VIOLATION),)


class DebtCall(gymnasium.Env[Any, Any]):
    """One call. The options are those of `debt_batch.make_debt_calls`; observations and actions are counted as in its `spaces`."""

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium's own way; the text of a call is made by `wording`

    def __init__(
        self,
        personas: str | Path | None = None,
        worth: NDArray[np.float64] | None = None,
        handling: float = 0.0,
        extras: bool = False,
        render_mode: None = None,
    ) -> None:
        self.options = options = debt_options(personas, worth, handling, extras)
        self.spaces = options.spaces
        self.observation_space = gymnasium.spaces.Discrete(options.encoding.size)
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))
        self.render_mode = render_mode
        model, tables = options.model, call_tables(options.model)
        self._slots, self._stride, self._codes, self._live = tables.slots, tables.stride, tables.codes, tables.live
        self._extras, self._handling = options.extras, options.handling
        # memory views give plain numbers, several times faster than arrays do
        self._keep, self._after, self._event = tables.keep.data, tables.after.data, tables.event.data
        self._row, self._seen = tables.row.data, tables.seen.data
        self._worth = model.worths(options.worth).reshape(-1).data
        self._rating = (options.handling * model.handling).tolist()
        self._start_keep, self._start_pick = tables.start_keep.tolist(), tables.start_pick.tolist()
        self._start_codes, self._start_attempts = tables.start_codes.tolist(), tables.start_attempts.tolist()
        names = [persona.name for persona in model.personas]
        self._known = [  # of every code: persona (of a live one), stage, its name, sentiment level, its bucket, pending objection
            (names[code // SITUATIONS] if code < model.live else "", fsm, str(FSM[fsm]), level, SENTIMENTS[BUCKET_OF[level]],
             code < model.live and code % 2 == 1)
            for code, (fsm, level) in enumerate(zip(model.fsm_of.tolist(), model.level_of.tolist(), strict=True))
        ]  # fmt: skip
        self._draws: list[float] = []
        self._code, self._turn, self._attempts, self._persona = self._live, 1, 0, ""
        self._raised = self._offers = 0
        self._verified = self._disclosed = False

    def get_state(self) -> dict[str, Any]:
        """Return what the call under way and all chance to come depend on."""
        return {name: copy(getattr(self, name)) for name in CHANGING} | {"chance": deepcopy(self.np_random)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        for name in CHANGING:
            setattr(self, name, copy(state[name]))
        self.np_random = deepcopy(state["chance"])

    def _draw(self) -> float:
        """Return the next random number; they are drawn in blocks."""
        if not self._draws:
            self._draws = self.np_random.random(BLOCK).tolist()
        return self._draws.pop()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Begin a call; a seed begins the chance anew as well."""
        if seed is not None:
            super().reset(seed=seed)
            self._draws = []
        share = self._draw() * len(self._start_keep)
        slot = int(share)
        start = self._start_pick[2 * slot + (share - slot >= self._start_keep[slot])]
        self._code, self._attempts, self._turn = self._start_codes[start], self._start_attempts[start], 1
        self._persona, _, fsm, level, sentiment, objection = self._known[self._code]
        self._raised = self._offers = 0
        self._verified = self._disclosed = False
        return self._look(self._code), {
            "state": self._state(fsm, sentiment),
            "persona": self._persona,
            "objection": objection,
            "level": level,
            "prior_attempts": self._attempts,
        }

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Let the agent act and the customer answer.

        Raises:
            ValueError: the call is over (or was never begun): reset first; or there is no such action.
        """
        before, turn = self._code, self._turn
        if before >= self._live:
            raise ValueError("there is no call on the line: call reset() first")
        try:
            chosen = index(action)  # of whole numbers only: not of 1.7, where int would make a 1 of it
        except TypeError:
            raise no_action(action) from None
        if not 0 <= chosen < len(ACTIONS):
            raise no_action(action)
        action = chosen
        draws = self._draws
        share = (draws.pop() if draws else self._draw()) * self._slots
        slot = int(share)
        at = self._row[(turn - 1) * self._codes + before] + action * self._stride + 2 * slot
        if share - slot >= self._keep[at]:
            at += 1
        self._code = code = self._after[at]
        self._turn = turn + 1
        event = self._event[at]
        _, stage, fsm, level, sentiment, objection = self._known[code]
        place = turn * self._codes + code
        if self._extras:
            self._raised += event == OBJECTS
            self._offers += action == OFFER_PLAN
            self._verified |= DISCLOSURE <= stage < CLOSED
            self._disclosed |= NEGOTIATION <= stage < CLOSED
            observation, state = self._look(place), self._state(fsm, sentiment)
        else:  # the same, written out: two calls are a tenth of the time
            observation, state = self._seen[place], {"fsm": fsm, "sentiment": sentiment, "turn": turn + 1}
        reward = self._worth[place]
        terms = {"outcome": reward}
        if self._handling:
            terms["handling"] = rating = self._rating[before][action]
            reward += rating
        ended = stage == CLOSED
        info = {
            "state": state,
            "persona": self._persona,
            "objection": objection,
            "level": level,
            "prior_attempts": self._attempts,
            "action": ACTION_NAMES[action],
            "event": EVENT_NAMES[event],
            "outcome": OUTCOME_NAMES[event - FIRST_END] if ended else None,
            "signals": VIOLATED if event == VIOLATION else NO_SIGNALS,
            "reward_terms": terms,
        }
        return observation, reward, ended, False, info

    def _look(self, place: int) -> int:
        """Return what is observed at a place of the tables."""
        seen: int = self._seen[place]
        if self._extras:
            counts = (self._attempts * 3 + min(self._raised, 2)) * 3 + min(self._offers, 2)
            return seen * EXTRAS + counts * 4 + self._verified * 2 + self._disclosed
        return seen

    def _state(self, fsm: str, sentiment: str) -> dict[str, Any]:
        """Return the logged state."""
        if not self._extras:
            return {"fsm": fsm, "sentiment": sentiment, "turn": self._turn}
        return {
            "fsm": fsm,
            "sentiment": sentiment,
            "turn": self._turn,
            "prior_attempts": self._attempts,
            "objections_raised": self._raised,
            "offers_made": self._offers,
            "identity_verified": self._verified,
            "disclosure_done": self._disclosed,
        }
