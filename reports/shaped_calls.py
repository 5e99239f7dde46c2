"""Debt calls whose reward is shaped, by potential or naively: as a batch to learn from, and as exact matrices; nothing is learned here."""

from dataclasses import dataclass, replace

import numpy as np

from dialogue.environments.call_model import ENCODING, PHASE_OF
from dialogue.environments.call_words import ACTIONS, FSM, LAST_TURN, SENTIMENTS, Action
from dialogue.environments.contract import Actions, BatchEnv, Observations, State, Step
from dialogue.environments.exact_call import ExactCall
from reports.seeded import Floats


@dataclass(frozen=True)
class Shaping:
    """What is added to a reward: `weight` of the next state's potential, less `before` of this one's, plus a bonus for the action.

    Potential-based (Ng, Harada and Russell 1999) is weight = discount, before = 1, no bonus; nothing comes after the end of a call,
    whose potential is 0.

    Attributes:
        name: in words.
        potential: (observations,).
        before: 1: the change is paid; 0: the potential itself is, turn by turn.
        bonus: (actions,).
    """

    name: str
    potential: Floats
    before: float
    bonus: Floats

    @property
    def by_potential(self) -> bool:
        """Whether it leaves the order of policies as it is."""
        return self.before == 1 and not self.bonus.any()


def potential_based(name: str, potential: Floats) -> Shaping:
    """Return shaping by the change of a potential (the discount is 1)."""
    return Shaping(name, potential, 1.0, np.zeros(len(ACTIONS)))


def paid_every_turn(name: str, potential: Floats) -> Shaping:
    """Return the naive form: the potential itself is paid after every turn, not its change."""
    return Shaping(name, potential, 0.0, np.zeros(len(ACTIONS)))


def paid_for(name: str, action: Action, worth: float) -> Shaping:
    """Return another naive form: an action is paid for, wherever it is taken."""
    return Shaping(name, np.zeros(ENCODING.size), 0.0, worth * (np.array(ACTIONS) == action))


def by_hand() -> Floats:
    """Return a potential as one writes it down: .1 for each stage that is done, .1 for each step of the mood above neutral."""
    stages, moods = 0.1 * np.arange(len(FSM)), 0.1 * (np.arange(len(SENTIMENTS)) - 2)
    turns = ENCODING.size // (len(FSM) * len(SENTIMENTS))
    found: Floats = np.repeat((stages[:, None] + moods).reshape(-1), turns)
    return found


def values_seen(call: ExactCall, probs: Floats) -> Floats:
    """Return what a memoryless policy earns from each observation on, averaged over its visits, 0 where it never comes: (observations,)."""
    values, reached = call.values(probs, 1.0), call.reached(probs)
    earned, met = np.zeros(ENCODING.size), np.zeros(ENCODING.size)
    np.add.at(earned, call.seen, reached * values[:LAST_TURN])
    np.add.at(met, call.seen, reached)
    found: Floats = np.where(met > 0, earned / np.where(met > 0, met, 1), 0.0)
    return found


def visits(call: ExactCall, probs: Floats) -> Floats:
    """Return how often a memoryless policy meets each observation in a call: (observations,)."""
    met = np.zeros(ENCODING.size)
    np.add.at(met, call.seen, call.reached(probs))
    return met


def shaped(call: ExactCall, shaping: Shaping) -> ExactCall:
    """Return the matrices of the call with the shaped reward."""
    rewards = call.rewards.copy()
    for turn, phase in enumerate(PHASE_OF):
        if turn + 1 < LAST_TURN:  # after the last turn every call has ended
            rewards[turn] += np.einsum("apsn,pn->aps", call.moves[phase], shaping.potential[call.seen[turn + 1]])
        rewards[turn] -= shaping.before * shaping.potential[call.seen[turn]]
        rewards[turn] += shaping.bonus[:, None, None]
    return replace(call, rewards=rewards)


class ShapedCalls:
    """A batched environment with the shaped reward (a BatchEnv)."""

    def __init__(self, env: BatchEnv, shaping: Shaping) -> None:
        self.env, self.shaping = env, shaping
        self.spaces, self.n = env.spaces, env.n

    @property
    def observations(self) -> Observations:
        return self.env.observations

    def reset(self, seed: np.random.SeedSequence) -> Observations:
        return self.env.reset(seed)

    def step(self, actions: Actions) -> Step:
        held = self.shaping.potential.take(self.env.observations)
        came = self.env.step(actions)
        after = np.where(came.terminated, 0.0, self.shaping.potential.take(came.observations))
        return came._replace(rewards=came.rewards + after - self.shaping.before * held + self.shaping.bonus.take(actions))

    def state(self) -> State:
        return self.env.state()

    def restore(self, state: State) -> None:
        self.env.restore(state)
