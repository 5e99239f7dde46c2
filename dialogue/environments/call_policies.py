"""Policies of the debt call that nobody learned, as probabilities of shape (observations, actions): uniform, constant, a script."""

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.call_model import ENCODING
from dialogue.environments.call_words import ACTIONS, FSM, SENTIMENTS, Action, Fsm

Floats = NDArray[np.float64]


def constant(action: Action) -> Floats:
    """Return the policy that always takes one action."""
    probs = np.zeros((ENCODING.size, len(ACTIONS)))
    probs[:, ACTIONS.index(action)] = 1
    return probs


def uniform() -> Floats:
    """Return the policy that takes every action alike."""
    return np.full((ENCODING.size, len(ACTIONS)), 1 / len(ACTIONS))


def script() -> Floats:
    """Return the hand-written script: press on to the disclosure, then offer the plan, with a kind word for the very upset only."""
    probs = np.zeros((len(FSM), len(SENTIMENTS), 4, len(ACTIONS)))
    probs[:, :, :, ACTIONS.index(Action.PROCEED)] = 1
    negotiation = FSM.index(Fsm.NEGOTIATION)
    probs[negotiation] = 0
    probs[negotiation, ..., ACTIONS.index(Action.OFFER_PLAN)] = 1
    probs[negotiation, 0] = 0
    probs[negotiation, 0, :, ACTIONS.index(Action.EMPATHIZE)] = 1
    return probs.reshape(ENCODING.size, len(ACTIONS))
