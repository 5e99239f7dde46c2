"""The sales call with its text, as a call that speaks: what is said is the environment's own, taken from its `info`."""

import numpy as np

from dialogue.environments.contract import Actions
from dialogue.environments.sales_call import SalesCall
from dialogue.environments.spoken import Beginning, Spoken


class SpokenSalesCall:
    """Sales calls one after another; the buyer speaks first."""

    def __init__(self) -> None:
        self.env = SalesCall()
        self.spaces = self.env.spaces

    def begin(self, rng: np.random.Generator) -> Beginning:
        """Begin a call."""
        observation, info = self.env.reset(seed=int(rng.integers(2**63)))
        about = {name: info[name] for name in ("situation", "need")}
        return Beginning(observation, info["state"], about, info["user_text"])

    def act(self, action: Actions) -> Spoken:
        """Take a turn."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        over = terminated or truncated
        return Spoken(info["agent_text"], info["user_text"], observation, info["state"], reward, over, info["outcome"])
