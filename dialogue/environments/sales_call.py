"""One sales call as a Gymnasium environment, with what both sides say; many at once, without words, are `sales_batch`.

The rules are told in `sales_batch`. `info`, at reset: `state` (what is logged of it), `situation` and `need` (who the buyer is, by name)
and `user_text` (what the buyer says first). After a step: the same as they are now, and

- `agent_text`: what the agent said; `user_text` is what the buyer answered;
- `fit`: how well the turn fitted, 0 to 1;
- `outcome`: the ending by its name in the outcome table `sales` where the call has ended, else None;
- `reward_terms`: {"outcome", "variety", "extremity"}, which sum to the reward.

The call ends by itself (`terminated`) after the last phase, so it is never truncated.
"""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from dialogue.environments import (
    gym_ids,  # noqa: F401 - whoever imports the class may make it by its id, too
    sales_wording,
)
from dialogue.environments.sales_batch import SPACES
from dialogue.environments.sales_rules import EMBEDDING, PLACES, sales_rules

Floats32 = NDArray[np.float32]


class SalesCall(gymnasium.Env[Floats32, Floats32]):
    """One call. Observations are the dialogue's embedding (384) and turn share, mean sentiment, mean variety and last reward."""

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's own way

    def __init__(self, render_mode: str | None = None) -> None:
        self.rules = rules = sales_rules()
        self.spaces = SPACES
        self.render_mode = render_mode
        low, high = np.full(SPACES.width, -1.0, np.float32), np.ones(SPACES.width, np.float32)
        low[EMBEDDING::2], low[EMBEDDING + 3] = 0, rules.rungs[0] - rules.reward.extremity
        high[EMBEDDING + 3] = rules.rungs[-1] + rules.reward.variety
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=np.float32)
        self.action_space = gymnasium.spaces.Box(0.0, 1.0, (len(PLACES),), np.float32)
        self._turn = rules.turns

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats32, dict[str, Any]]:
        """Begin a call with a buyer drawn at random; a seed begins the chance anew as well."""
        super().reset(seed=seed)
        self._buyer = int(self.np_random.integers(self.rules.buyers))
        self._turn, self._fit, self._change, self._reward = 0, 0.0, 0.0, 0.0
        self._before: NDArray[np.float64] | None = None
        text = sales_wording.opening(self.rules, self._buyer)
        self._lines, self._used = [f"Buyer: {text}"], set[str]()
        return self._look(), {"user_text": text} | self._known()

    def step(self, action: Floats32) -> tuple[Floats32, float, bool, bool, dict[str, Any]]:
        """Let the agent take a turn and the buyer answer; an action (4,) is cut to [0, 1].

        Raises:
            ValueError: the call is over (or was never begun): reset first.
        """
        rules, turn = self.rules, self._turn
        if turn == rules.turns:
            raise ValueError("there is no call on the line: call reset() first")
        taken = np.clip(np.asarray(action, float), 0, 1)
        fit = max(0.0, 1 - rules.reward.sharpness * _mean_square(taken - rules.wanted[self._buyer, turn]))
        change = 0.0 if self._before is None else _mean_square(taken - self._before)
        self._turn, self._before = turn + 1, taken
        self._fit += fit
        self._change += change
        over = self._turn == rules.turns
        ending = self._ending() if over else None
        terms = {
            "outcome": 0.0 if ending is None else rules.endings[ending].value,
            "variety": rules.reward.variety * change,
            "extremity": -rules.reward.extremity * _mean_square(2 * taken - 1),
        }
        self._reward = sum(terms.values())
        agent = sales_wording.agent_text(rules, self._buyer, taken, self._used, self.np_random)
        if ending is None:
            user = sales_wording.answer(rules, self._buyer, self._turn, fit, self._used, self.np_random)
        else:
            user = sales_wording.farewell(rules, ending, self._used, self.np_random)
        self._lines += [f"Agent: {agent}", f"Buyer: {user}"]
        outcome = None if ending is None else rules.endings[ending].outcome
        info = {"agent_text": agent, "user_text": user, "fit": fit, "outcome": outcome, "reward_terms": terms} | self._known()
        return self._look(), self._reward, over, False, info

    def render(self) -> str:
        """Return the call so far, a line for each turn."""
        return "\n".join(self._lines)

    def _ending(self) -> int:
        """Draw the rung of the ladder below or above what the mean fit is worth."""
        rungs = self.rules.rungs
        worth = rungs[0] + self.rules.stake * self._fit / self.rules.turns
        below = min(int(np.searchsorted(rungs, worth, "right")) - 1, len(rungs) - 2)
        share = (worth - rungs[below]) / (rungs[below + 1] - rungs[below])
        return below + int(self.np_random.random() < share)

    def _look(self) -> Floats32:
        """Return what the agent sees."""
        phase, done = min(self._turn, self.rules.turns - 1), max(self._turn, 1)
        seen = np.empty(SPACES.width, np.float32)
        seen[:EMBEDDING] = self.rules.embeddings[self._buyer, phase]
        seen[EMBEDDING:] = self._turn / self.rules.turns, self._sentiment(), self._change / done, self._reward
        return seen

    def _sentiment(self) -> float:
        """Return the mean sentiment so far, -1 to 1; 0 before the first turn."""
        return 2 * self._fit / self._turn - 1 if self._turn else 0.0

    def _known(self) -> dict[str, Any]:
        """Return what every `info` holds."""
        situation, need = self.rules.buyer(self._buyer)
        phase = self.rules.phases[min(self._turn, self.rules.turns - 1)]
        state = {"phase": phase, "turn": self._turn + 1, "sentiment": round(self._sentiment(), 4), "variety": round(self._change, 4)}
        return {"state": state, "situation": situation.name, "need": need.name}


def _mean_square(numbers: NDArray[np.float64]) -> float:
    return float(numbers @ numbers) / len(numbers)
