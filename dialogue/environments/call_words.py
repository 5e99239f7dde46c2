"""The words of the debt call: stages, actions, what a customer does, how a call ends; their order is the order of every table."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Fsm(StrEnum):
    """Where the call stands. The disclosure is made by leaving DISCLOSURE."""

    OPENING = "OPENING"
    VERIFY = "VERIFY"
    DISCLOSURE = "DISCLOSURE"
    NEGOTIATION = "NEGOTIATION"
    COMMITMENT = "COMMITMENT"
    CLOSED = "CLOSED"


class Action(StrEnum):
    """What the controller can have the agent do."""

    PROCEED = "PROCEED"
    EMPATHIZE = "EMPATHIZE"
    OFFER_PLAN = "OFFER_PLAN"
    ASK_CLARIFY = "ASK_CLARIFY"


class Event(StrEnum):
    """What the customer does in answer to an action. Those from COMMITS on end the call."""

    CONFIRMS = "CONFIRMS"  # goes along: the call moves on to the next stage
    STALLS = "STALLS"  # neither yes nor no
    OBJECTS = "OBJECTS"  # raises an objection, which stays until it is answered
    EXPLAINS = "EXPLAINS"  # answers a question; a pending objection is settled by it
    VENTS = "VENTS"  # stays upset, or holds on to the objection
    CALMS = "CALMS"  # feels understood; may drop the objection
    INTERRUPTS = "INTERRUPTS"  # cuts the agent short: the action is lost
    DRIFTS = "DRIFTS"  # changes the subject: the action is lost
    REFUSES = "REFUSES"  # says no to what was asked
    ACCEPTS_PLAN = "ACCEPTS_PLAN"  # takes the plan: COMMITMENT
    ACCEPTS_PART = "ACCEPTS_PART"  # complies in part: less than was asked, so NEGOTIATION goes on
    COMMITS = "COMMITS"  # confirms the plan
    PAYS = "PAYS"  # pays in full
    ASKS_CALLBACK = "ASKS_CALLBACK"  # wants to be called another time, and the time is agreed
    ESCALATES = "ESCALATES"  # demands a supervisor or threatens to complain
    DNC = "DNC"  # demands never to be called again
    HANGS_UP = "HANGS_UP"
    VIOLATION = "VIOLATION"  # not of the customer's making: the plan was offered before the disclosure, and the call is stopped


class Outcome(StrEnum):
    """How a call ends, by the names of the outcome table `collections`."""

    PAYMENT_PLAN_AGREED = "PAYMENT_PLAN_AGREED"
    PAYMENT_SECURED = "PAYMENT_SECURED"
    CALLBACK_SCHEDULED = "CALLBACK_SCHEDULED"
    ESCALATED = "ESCALATED"
    DNC_REQUESTED = "DNC_REQUESTED"
    HANGUP = "HANGUP"
    COMPLIANCE_VIOLATION = "COMPLIANCE_VIOLATION"


FSM, ACTIONS, EVENTS, OUTCOMES = tuple(Fsm), tuple(Action), tuple(Event), tuple(Outcome)
LIVE = FSM[:-1]
FIRST_END = EVENTS.index(Event.COMMITS)  # events from here on end the call, the i-th of them in OUTCOMES[i]
LEVELS = 9  # how finely sentiment is kept inside
SENTIMENTS = ("very negative", "negative", "neutral", "positive", "very positive")  # how it is seen
BUCKET_OF: NDArray[np.intp] = np.array([0, 0, 1, 1, 2, 3, 3, 4, 4])
TURN_EDGES = (4, 7, 11)  # of the agent's turn, counted from 1
LAST_TURN = 20
