"""Debt calls side by side in NumPy: a step is one random number a call and a few gathers from the tables; one call is `debt_call`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.call_tables import call_tables
from dialogue.environments.call_words import ACTIONS, EVENTS, FSM, Event, Fsm
from dialogue.environments.contract import Actions, Observations, State, Step
from dialogue.environments.debt_options import EXTRAS, DebtOptions, debt_options
from dialogue.environments.reactions import OFFER_PLAN, PHASES
from dialogue.errors import UsageProblem
from dialogue.seeds import child

BLOCK = 16_384  # random numbers drawn at a time, for several steps: NumPy's overhead is per call, not per number
OBJECTS = EVENTS.index(Event.OBJECTS)
DISCLOSURE, NEGOTIATION, CLOSED = FSM.index(Fsm.DISCLOSURE), FSM.index(Fsm.NEGOTIATION), FSM.index(Fsm.CLOSED)


def no_action(action: Any) -> ValueError:
    """Return what is raised when an action is none."""
    return ValueError(f"action {action!r}; 0 to {len(ACTIONS) - 1} stand for {', '.join(ACTIONS)}")


class DebtCalls:
    """n debt calls side by side (a BatchEnv). Where a call stands is one number, its place in `CallTables`.

    Chance is drawn ahead in blocks, by one generator for what customers do and by one for who is called. A checkpoint holds the generators
    as they were before the block, and how much of it was used.
    """

    def __init__(self, n: int, options: DebtOptions) -> None:
        model = options.model
        self.n, self.spaces, self.options = n, options.spaces, options
        self._tables = call_tables(model)
        self._worth = model.worths(options.worth).reshape(-1)
        if options.handling:
            self._rating = options.handling * np.tile(model.handling.reshape(-1), PHASES).repeat(self._tables.stride)
        self._fsm = model.fsm_of
        self._action_offset = np.arange(len(ACTIONS)) * self._tables.stride
        self._never = np.zeros(n, bool)
        self._never.flags.writeable = False  # handed out by every step
        self.reset(np.random.SeedSequence(0))

    @property
    def observations(self) -> Observations:
        return self._observations

    def reset(self, seed: np.random.SeedSequence) -> Observations:
        self._rng, self._start_rng = (np.random.default_rng(child(seed, number)) for number in range(2))  # of customers, of callers
        self._draw_steps()
        self._draw_starts()
        self._place, attempts = self._starts(self.n)
        self._extra = np.zeros((5, self.n), np.intp)
        self._extra[0] = attempts
        self._observations = self._look(self._place)
        return self._observations

    def _draw_steps(self) -> None:
        """Draw what decides the next steps: a slot (its offset in a row) and the share of it, for every step and call."""
        self._before = self._rng.bit_generator.state
        shares = self._rng.random((max(1, BLOCK // self.n), self.n))
        shares *= self._tables.slots
        slots = shares.astype(np.intp)
        shares -= slots
        self._shares, self._offsets, self._used = list(shares), list(2 * slots), 0

    def _draw_starts(self) -> None:
        """Draw who is called next."""
        tables = self._tables
        self._before_starts = self._start_rng.bit_generator.state
        shares = self._start_rng.random(max(1024, 4 * self.n))
        shares *= tables.start_keep.size
        slots = shares.astype(np.intp)
        start = tables.start_pick[2 * slots + (shares - slots >= tables.start_keep[slots])]
        self._start_codes, self._start_attempts, self._started = tables.start_codes[start], tables.start_attempts[start], 0

    def _starts(self, n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return where n new calls begin, and how often their customers were tried before."""
        if self._started + n > len(self._start_codes):
            self._draw_starts()
        taken = slice(self._started, self._started + n)
        self._started += n
        return self._start_codes[taken], self._start_attempts[taken]

    def _look(self, place: NDArray[np.intp]) -> Observations:
        seen = self._tables.seen.take(place)
        if self.options.extras:
            attempts, raised, offers, verified, disclosed = self._extra
            counts = (attempts * 3 + np.minimum(raised, 2)) * 3 + np.minimum(offers, 2)
            return seen * EXTRAS + counts * 4 + verified * 2 + disclosed
        return seen

    def step(self, actions: Actions) -> Step:
        """Act in every call.

        Raises:
            ValueError: there is no such action; nothing was done.
        """
        if actions.dtype.kind not in "iub" or actions.astype(np.uintp, copy=False).max() >= len(ACTIONS):  # one below 0 is huge there
            raise no_action(next((one for one in actions.tolist() if not (isinstance(one, int) and 0 <= one < len(ACTIONS))), actions))
        tables = self._tables
        if self._used == len(self._shares):
            self._draw_steps()
        at = tables.row.take(self._place)
        at += self._action_offset.take(actions)
        at += self._offsets[self._used]
        at += self._shares[self._used] >= tables.keep.take(at)
        self._used += 1
        code = tables.after.take(at)
        place = tables.onward.take(self._place)
        place += code
        rewards = self._worth.take(place)
        if self.options.handling:
            rewards += self._rating.take(at)
        terminated = code >= tables.live
        if self.options.extras:
            stage = self._fsm[code]
            self._extra = self._extra.copy()
            self._extra[1] += tables.event[at] == OBJECTS
            self._extra[2] += actions == OFFER_PLAN
            self._extra[3] |= (stage >= DISCLOSURE) & (stage != CLOSED)
            self._extra[4] |= (stage >= NEGOTIATION) & (stage != CLOSED)
        seen = observations = self._look(place)
        ended = terminated.nonzero()[0]
        if ended.size:
            place[ended], attempts = self._starts(ended.size)
            if self.options.extras:
                self._extra[:, ended] = 0
                self._extra[0, ended] = attempts
                observations = self._look(place)
            else:
                observations = seen.copy()
                observations[ended] = tables.seen.take(place.take(ended))
        self._place, self._observations = place, observations
        return Step(seen, rewards, terminated, self._never)

    def state(self) -> State:
        rng, start_rng = np.random.default_rng(0), np.random.default_rng(0)
        rng.bit_generator.state, start_rng.bit_generator.state = self._before, self._before_starts
        return {
            "place": self._place, "extra": self._extra,
            "rng": rng, "used": self._used, "start_rng": start_rng, "started": self._started,
        }  # fmt: skip

    def restore(self, state: State) -> None:
        self._place, self._extra = np.array(state["place"]), np.array(state["extra"])
        self._rng, self._start_rng = np.random.default_rng(0), np.random.default_rng(0)
        self._rng.bit_generator.state = state["rng"].bit_generator.state
        self._start_rng.bit_generator.state = state["start_rng"].bit_generator.state
        self._draw_steps()
        self._draw_starts()
        self._used, self._started = int(state["used"]), int(state["started"])
        self._observations = self._look(self._place)


def make_debt_calls(
    n: int, *, personas: str | Path | None = None, worth: NDArray[np.float64] | None = None, handling: float = 0.0, extras: bool = False
) -> DebtCalls:
    """Return n debt calls side by side.

    Args:
        n: how many.
        personas: a persona .toml file or a folder of them; None: the shipped ones.
        worth: (outcomes, LAST_TURN + 1) what each of OUTCOMES is worth after that many agent turns; None: as in debt_call.toml.
        handling: weight of a SIMULATED judge's rating of each turn, added to the reward; 0: none.
        extras: observe also prior attempts, objections raised, offers made, identity verified, disclosure done.

    Raises:
        UsageProblem: an option is wrong.
    """
    if n < 1:
        raise UsageProblem(f"{n} calls side by side; at least 1")
    return DebtCalls(n, debt_options(personas, worth, handling, extras))
