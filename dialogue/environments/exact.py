"""Exact values of the debt call: of any memoryless policy, and of the best one that coordinate ascent finds; matrices: `exact_call`."""

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.call_model import ENCODING, PHASE_OF, CallModel
from dialogue.environments.call_words import ACTIONS, LAST_TURN
from dialogue.environments.exact_call import WIDTH, ExactCall, exact_call

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
GAIN = 1e-12  # what a change must gain to be one


def exact_value(model: CallModel, probs: Floats, discount: float = 1.0, worth: Floats | None = None, handling: float = 0.0) -> float:
    """Return the expected return of a memoryless policy, probabilities of shape (observations, actions)."""
    return exact_call(model, worth, handling).value(probs, discount)


def best_memoryless(
    model: CallModel, restarts: int = 64, seed: int = 0, discount: float = 1.0, worth: Floats | None = None, handling: float = 0.0
) -> tuple[float, Floats]:
    """Return the value and the probabilities of the best memoryless policy found: coordinate ascent from random policies.

    It is the best found, not proved best; `local_optima` says how many restarts agree.
    """
    found = local_optima(exact_call(model, worth, handling), restarts, seed, discount)
    return max(found, key=lambda optimum: optimum[0])


def local_optima(call: ExactCall, restarts: int, seed: int = 0, discount: float = 1.0) -> list[tuple[float, Floats]]:
    """Return where coordinate ascent ends from each of `restarts` random deterministic policies: value and probabilities.

    One coordinate is the action in one observation: the best of the four is taken, all else as it is, until no single change helps.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(restarts):
        actions = rng.integers(len(ACTIONS), size=ENCODING.size)
        while _sweep(call, actions, discount):
            pass
        probs = np.eye(len(ACTIONS))[actions]
        found.append((call.value(probs, discount), probs))
    return found


def _sweep(call: ExactCall, actions: Ints, discount: float) -> bool:
    """Improve every observation's action once, in place; return whether anything changed."""
    changed = False
    eye = np.eye(len(ACTIONS))
    values = call.values(eye[actions], discount)
    arriving = call.starts
    turns_of_bucket = [np.flatnonzero(call.seen[:, 0, 0] % 4 == bucket) for bucket in range(4)]
    for turns in turns_of_bucket:  # a change in one bucket of turns leaves what comes after it as it was, and where it begins
        after = values[turns[-1] + 1] if turns[-1] + 1 < LAST_TURN else np.zeros_like(arriving)
        seen = call.seen[turns[0], 0]
        for observation in np.unique(seen):
            places = np.flatnonzero(seen == observation)
            worth = _worth_of_each(call, actions, turns, places, after, arriving, discount)
            best = int(worth.argmax())
            if worth[best] > worth[actions[observation]] + GAIN:
                actions[observation] = best
                changed = True
        for turn in turns.tolist():
            arriving = np.einsum("ps,psn->pn", arriving, _mixed(call, actions, turn))
    return changed


def _mixed(call: ExactCall, actions: Ints, turn: int) -> Floats:
    """Return the moves of a turn under deterministic actions: (personas, WIDTH, WIDTH)."""
    found: Floats = call.moves[PHASE_OF[turn], actions[call.seen[turn, 0]], :, np.arange(WIDTH)].transpose(1, 0, 2)
    return found


def _worth_of_each(call: ExactCall, actions: Ints, turns: Ints, places: Ints, after: Floats, arriving: Floats, discount: float) -> Floats:
    """Return the value at the bucket's first turn with each action at `places` throughout the bucket, all else as it is: (actions,)."""
    values = np.repeat(after[:, :, None], len(ACTIONS), axis=2)  # (personas, WIDTH, candidates)
    for turn in turns[::-1].tolist():
        taken = actions[call.seen[turn, 0]]
        reward = call.rewards[turn, taken, :, np.arange(WIDTH)].T
        onward = reward[:, :, None] + discount * (_mixed(call, actions, turn) @ values)
        here = np.einsum("aprn,pna->pra", call.moves[PHASE_OF[turn]][:, :, places], values)
        onward[:, places] = call.rewards[turn][:, :, places].transpose(1, 2, 0) + discount * here
        values = onward
    found: Floats = np.einsum("pn,pna->a", arriving, values)
    return found
