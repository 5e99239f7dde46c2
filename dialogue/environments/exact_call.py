"""The debt call as matrices: what any memoryless policy is worth, computed and not sampled; the search for the best one is `exact`.

A memoryless policy knows only what is observed by default: probabilities of shape (observations, actions). The persona never changes
during a call, so all transitions are blocks of one persona's live situations.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.call_model import ENCODING, PHASE_OF, CallModel
from dialogue.environments.call_words import ACTIONS, LAST_TURN, LEVELS, LIVE, OUTCOMES
from dialogue.environments.reactions import PHASES

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
WIDTH = len(LIVE) * LEVELS * 2  # live situations of one persona


@dataclass(frozen=True, eq=False)
class ExactCall:
    """Transitions and rewards as matrices, for one worth of outcomes and one weight of handling.

    Attributes:
        moves: (phases, actions, personas, WIDTH, WIDTH) chances from one live situation to another.
        ending: (phases, actions, personas, WIDTH, outcomes) chances of ending so.
        rewards: (LAST_TURN, actions, personas, WIDTH) expected reward of each turn.
        starts: (personas, WIDTH).
        seen: (LAST_TURN, personas, WIDTH) the observation.
    """

    moves: Floats
    ending: Floats
    rewards: Floats
    starts: Floats
    seen: Ints

    def value(self, probs: Floats, discount: float = 1.0) -> float:
        """Return the expected (discounted) return of a memoryless policy."""
        values = self.values(probs, discount)
        return float((self.starts * values[0]).sum())

    def q_values(self, probs: Floats, discount: float = 1.0) -> Floats:
        """Return what each action is worth on average where an observation is met under the policy, who goes on with it: as `probs`.

        NaN where the policy never comes.
        """
        values, reached = self.values(probs, discount), self.reached(probs)
        weighted, met = np.zeros((ENCODING.size, len(ACTIONS))), np.zeros(ENCODING.size)
        for turn, phase in enumerate(PHASE_OF):
            onward = self.rewards[turn] + discount * (self.moves[phase] @ values[turn + 1][:, :, None])[..., 0]
            np.add.at(weighted, self.seen[turn].ravel(), (reached[turn] * onward).reshape(len(ACTIONS), -1).T)
            np.add.at(met, self.seen[turn].ravel(), reached[turn].ravel())
        return weighted / np.where(met > 0, met, np.nan)[:, None]

    def reached(self, probs: Floats) -> Floats:
        """Return how likely each live situation is at each turn under the policy: (LAST_TURN, personas, WIDTH)."""
        found = np.zeros((LAST_TURN, *self.starts.shape))
        found[0] = self.starts
        for turn in range(LAST_TURN - 1):
            acting = probs.T[:, self.seen[turn]]
            found[turn + 1] = ((found[turn] * acting)[..., None, :] @ self.moves[PHASE_OF[turn]]).sum(0)[:, 0]
        return found

    def outcomes(self, probs: Floats) -> Floats:
        """Return how likely each of OUTCOMES is under the policy after each number of agent turns: (outcomes, LAST_TURN + 1)."""
        reached = self.reached(probs)
        found = np.zeros((len(OUTCOMES), LAST_TURN + 1))
        for turn, phase in enumerate(PHASE_OF):
            found[:, turn + 1] = np.einsum("aps,apso->o", reached[turn] * probs.T[:, self.seen[turn]], self.ending[phase])
        return found

    def upper_bound(self, discount: float = 1.0) -> float:
        """Return the value of the best policy of somebody who sees everything, persona included (backward induction)."""
        values = np.zeros(self.starts.shape)
        for turn in reversed(range(LAST_TURN)):
            values = (self.rewards[turn] + discount * (self.moves[PHASE_OF[turn]] @ values[:, :, None])[..., 0]).max(0)
        return float((self.starts * values).sum())

    def values(self, probs: Floats, discount: float) -> Floats:
        """Return what every live situation is worth at every turn under the policy: (LAST_TURN + 1, personas, WIDTH)."""
        values = np.zeros((LAST_TURN + 1, *self.starts.shape))
        mixed: dict[int, tuple[Floats, Floats]] = {}
        for turn in reversed(range(LAST_TURN)):
            phase = int(PHASE_OF[turn])
            if phase not in mixed:
                acting = probs.T[:, self.seen[turn]]
                mixed[phase] = acting, np.einsum("aps,apsn->psn", acting, self.moves[phase])
            acting, moves = mixed[phase]
            values[turn] = (acting * self.rewards[turn]).sum(0) + discount * (moves @ values[turn + 1][:, :, None])[..., 0]
        return values


def exact_call(model: CallModel, worth: Floats | None = None, handling: float = 0.0) -> ExactCall:
    """Return the matrices of a model; `worth` and `handling` as in `make_debt_calls`."""
    return _exact_call(model, (model.rules.worth() if worth is None else np.asarray(worth, float)).tobytes(), handling)


@lru_cache(maxsize=8)
def _exact_call(model: CallModel, worth_bytes: bytes, handling: float) -> ExactCall:
    worth = np.frombuffer(worth_bytes).reshape(len(OUTCOMES), LAST_TURN + 1)
    people, live = len(model.personas), model.live
    rows = np.repeat(np.arange(len(model.probs)), model.slots)
    after, chance = model.after.ravel(), model.probs.ravel()
    shape = (PHASES, people, WIDTH, len(ACTIONS))
    on = (after < live) & (chance > 0)
    moves = np.bincount(rows[on] * WIDTH + after[on] % WIDTH, chance[on], len(model.probs) * WIDTH).reshape(*shape, WIDTH)
    off = after >= live
    ending = np.bincount(rows[off] * len(OUTCOMES) + (after[off] - live) // LEVELS, chance[off], len(model.probs) * len(OUTCOMES))
    moves, ending = moves.transpose(0, 3, 1, 2, 4), ending.reshape(*shape, len(OUTCOMES)).transpose(0, 3, 1, 2, 4)
    rating = model.handling.reshape(people, WIDTH, len(ACTIONS)).transpose(2, 0, 1)
    starts = np.bincount(model.start_codes, model.start_probs, live).astype(float).reshape(people, WIDTH)
    return ExactCall(
        moves=np.ascontiguousarray(moves),
        ending=np.ascontiguousarray(ending),
        rewards=np.stack([ending[phase] @ worth[:, turn + 1] + handling * rating for turn, phase in enumerate(PHASE_OF)]),
        starts=starts,
        seen=model.seen[:LAST_TURN, :live].reshape(LAST_TURN, people, WIDTH),
    )
