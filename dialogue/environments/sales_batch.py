"""Sales calls side by side: n buyers, one agent turn each at a time, in NumPy; the single call that speaks is another file.

An action says how much engagement, value proposition, technical detail and closing the agent puts into its turn. A turn fits by
`1 - sharpness * mean((a - wanted)^2)`, at least 0. After the last phase the mean fit m of the call stands for the worth
`lowest + m * (highest - lowest)` on the ladder of endings, and the call ends at the rung below or above it, so that the ending is worth
that much on average. Every turn also earns `variety * mean((a - a_before)^2)`, the first one nothing, and loses
`extremity * mean((2 a - 1)^2)`.
"""

from copy import deepcopy

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.contract import Actions, Observations, Spaces, State, Step
from dialogue.environments.sales_rules import EMBEDDING, PLACES, STATISTICS, SalesRules, sales_rules

Floats = NDArray[np.float64]
SPACES = Spaces(PLACES, continuous=True, width=EMBEDDING + len(STATISTICS))
UNTOUCHED = 24 * 2**20  # bytes; glibc takes no more than 32 MB for its threshold


def make_sales_calls(n: int) -> "SalesCalls":
    """Return n sales calls by the rules that come with the package."""
    return SalesCalls(n, sales_rules())


class SalesCalls:
    """n calls of as many turns as there are phases; all are in the same phase, and all end and begin anew together.

    Args:
        n: how many.
        rules: of the calls.
    """

    spaces = SPACES

    def __init__(self, n: int, rules: SalesRules) -> None:
        self.n, self.rules, self.turns = n, rules, rules.turns
        self._rungs, self._stake, self._numbers = rules.rungs, rules.stake, np.arange(len(rules.rungs))
        self._rows = np.zeros((rules.turns, rules.buyers, SPACES.width), np.float32)
        self._rows[..., :EMBEDDING] = rules.embeddings.swapaxes(0, 1)
        self._rows[..., EMBEDDING] = np.arange(rules.turns)[:, None] / rules.turns
        self._wanted = np.ascontiguousarray(rules.wanted.swapaxes(0, 1))
        self._sums = _sums(rules)
        self._marks = np.full((n, 3, len(PLACES)), 0.5)  # from which the squared distance of an action is taken; see `_sums`
        # glibc hands blocks above a threshold back to the system each time, and the pages of the next array are faulted in anew, which
        # costs more than filling it. The threshold rises to the largest block ever freed: one that nobody touches costs nothing.
        np.empty(UNTOUCHED, np.uint8)
        self._observations: Observations = np.zeros((n, SPACES.width), np.float32)
        self.reset(np.random.SeedSequence(0))

    @property
    def observations(self) -> Observations:
        """What is seen now, in every call: (n, 388)."""
        return self._observations

    def reset(self, seed: np.random.SeedSequence) -> Observations:
        """Begin all calls anew; all chance comes from the seed."""
        self._rng = np.random.default_rng(seed)
        self._start()
        return self._observations

    def _start(self) -> None:
        self._buyers = (self._rng.random(self.n) * self._rows.shape[1]).astype(np.intp)
        self._turn = 0
        self._before = self._misses = self._changes = np.zeros(0)
        self._observations = self._rows[0].take(self._buyers, 0)

    def step(self, actions: Actions) -> Step:
        """Take a turn in every call; `actions` (n, 4) are cut to [0, 1]. After the last phase all calls end, and others begin."""
        turn, done = self._turn, self._turn + 1
        over = done == self.turns
        taken = np.maximum(actions, 0.0)
        np.minimum(taken, 1.0, out=taken)
        self._marks[:, 0] = self._wanted[turn].take(self._buyers, 0)
        self._marks[:, 1] = self._before if turn else taken
        apart = taken[:, None] - self._marks
        apart *= apart
        misses, changes, rewards = (apart.reshape(self.n, -1) @ self._sums).T
        misses = np.minimum(misses, 1.0)
        if turn:
            misses += self._misses
            changes += self._changes
        if over:
            rewards += self._endings(misses)
        seen = self._rows[turn if over else done].take(self._buyers, 0)
        statistics = seen[:, EMBEDDING:].T
        if over:
            statistics[0] = 1
        np.multiply(misses, -2 / done, out=statistics[1])
        statistics[1] += 1
        np.multiply(changes, 1 / done, out=statistics[2])
        statistics[3] = rewards
        if over:
            self._start()
        else:
            self._turn, self._before, self._misses, self._changes, self._observations = done, taken, misses, changes, seen
        return Step(seen, rewards, np.ones(self.n, bool) if over else np.zeros(self.n, bool), np.zeros(self.n, bool))

    def _endings(self, misses: Floats) -> Floats:
        """Draw the endings of calls in which `misses` turns did not fit, and return what they are worth."""
        worth = self._rungs[-1] - misses * (self._stake / self.turns)
        place = np.interp(worth, self._rungs, self._numbers)
        place += self._rng.random(self.n)
        drawn: Floats = self._rungs.take(place.astype(np.intp))
        return drawn

    def state(self) -> State:
        """Return everything that going on from here needs, the generator included."""
        return {
            "rng": deepcopy(self._rng),
            "turn": self._turn,
            "buyers": self._buyers,
            "before": self._before,
            "misses": self._misses,
            "changes": self._changes,
            "observations": self._observations,
        }

    def restore(self, state: State) -> None:
        """Go on from there, bit for bit."""
        self._rng = deepcopy(state["rng"])
        self._buyers, self._turn, self._before, self._observations = (state[name] for name in ("buyers", "turn", "before", "observations"))
        self._misses, self._changes = state["misses"], state["changes"]


def _sums(rules: SalesRules) -> Floats:
    """Return what makes of 12 squares (4 from what is wanted, 4 from the turn before, 4 from the middle) misfit, change and reward."""
    parts = np.zeros((3, len(PLACES), 3))
    parts[0, :, 0] = rules.reward.sharpness
    parts[1, :, 1] = 1
    parts[1, :, 2] = rules.reward.variety
    parts[2, :, 2] = -4 * rules.reward.extremity
    return parts.reshape(-1, 3) / len(PLACES)
