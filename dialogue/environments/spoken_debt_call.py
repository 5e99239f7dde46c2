"""The debt call with its text: the environment decides what happens, the wording how it is said."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.debt_call import DebtCall
from dialogue.environments.debt_wording import DebtWording
from dialogue.environments.debt_words import debt_words
from dialogue.environments.spoken import Beginning, Spoken

DRAWS = 128  # random numbers for the wording of one call


class SpokenDebtCall:
    """Debt calls one after another. The options are those of `debt_batch.make_debt_calls`.

    Raises:
        UsageProblem: an option is wrong.
    """

    def __init__(
        self,
        *,
        personas: str | Path | None = None,
        worth: NDArray[np.float64] | None = None,
        handling: float = 0.0,
        extras: bool = False,
    ) -> None:
        self.env = DebtCall(personas=personas, worth=worth, handling=handling, extras=extras)
        self.spaces = self.env.spaces
        self._words = debt_words()

    def begin(self, rng: np.random.Generator) -> Beginning:
        """Begin a call."""
        observation, info = self.env.reset(seed=int(rng.integers(2**63)))
        self._state = info["state"]
        self._wording = DebtWording(self._words, info["persona"], rng.random(DRAWS).tolist(), info["objection"])
        return Beginning(observation, self._state, {"persona": info["persona"]})

    def act(self, action: int) -> Spoken:
        """Take a turn."""
        before = self._state
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._state = state = info["state"]
        agent, user = self._wording.exchange(
            before["fsm"], before["sentiment"], info["action"], info["event"], state["sentiment"], info["objection"]
        )
        return Spoken(agent, user, observation, state, reward, terminated or truncated, info["outcome"], info["signals"])
