"""How a customer answers: the chance of every event for every persona, stage, mood, pending objection, turn and action, as arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.call_rules import CallRules
from dialogue.environments.call_words import ACTIONS, BUCKET_OF, EVENTS, LAST_TURN, LEVELS, LIVE, TURN_EDGES, Action, Event, Fsm
from dialogue.environments.persona import Persona

Floats = NDArray[np.float64]
PHASES = len(TURN_EDGES) + 2  # the turn buckets as they are seen, and the last turn by itself
STARTS = (1, *TURN_EDGES, LAST_TURN)  # the first turn of each phase
PROCEED, EMPATHIZE, OFFER_PLAN, ASK_CLARIFY = range(len(ACTIONS))
NEGOTIATION, COMMITMENT = LIVE.index(Fsm.NEGOTIATION), LIVE.index(Fsm.COMMITMENT)


def _along(axis: int, values: Sequence[float]) -> Floats:
    """Return the values along one of the six axes: persona, stage, sentiment, objection, phase, action."""
    return np.array(values, float).reshape([-1 if at == axis else 1 for at in range(6)])


def reactions(personas: Sequence[Persona], rules: CallRules) -> Floats:
    """Return the chance of every event: shape (events, personas, stages, sentiment levels, objection, phases, actions), sums to 1."""
    shape = (len(personas), len(LIVE), LEVELS, 2, PHASES, len(ACTIONS))
    chances = np.zeros((len(EVENTS), *shape))
    event = {name: chances[at] for at, name in enumerate(EVENTS)}
    ends, answer = rules.ending, rules.answer

    def trait(name: str) -> Floats:
        return _along(0, [getattr(persona, name) for persona in personas])

    def by_action(weights: dict[Action, float]) -> Floats:
        return _along(5, [weights[action] for action in ACTIONS])

    def by_turn(weights: Sequence[float]) -> Floats:
        return _along(4, [*weights, weights[-1]])

    negative = _along(2, [float(bucket < 2) for bucket in BUCKET_OF])
    objecting = _along(3, [0, 1])
    troubled = np.maximum(negative, objecting)

    pressure = 1 + (by_action(ends.pressure) - 1) * by_turn(ends.fading) * troubled
    tired = 1 + ends.tired * np.maximum(0, _along(4, STARTS) - trait("patience"))
    nerves = 1 + ends.volatility * (trait("emotional_volatility") - 0.5)
    late = 1 + (by_turn(ends.late) - 1) * troubled
    upset = _along(2, ends.upset) * pressure
    event[Event.ESCALATES][:] = trait("escalation") * upset
    event[Event.DNC][:] = trait("do_not_call") * upset
    mild = 1 + (ends.callback_upset - 1) * negative
    event[Event.ASKS_CALLBACK][:] = trait("callback") * by_action(ends.callback) * _along(1, ends.callback_by_stage) * mild
    others = event[Event.ESCALATES] + event[Event.DNC] + event[Event.ASKS_CALLBACK]
    event[Event.HANGS_UP][:] = np.minimum(_along(2, ends.hangup) * nerves * late * tired * pressure, ends.most) * np.maximum(0, 1 - others)
    left = np.maximum(0, 1 - others - event[Event.HANGS_UP])

    def happens(name: Event, chance: Floats) -> None:
        """Let the event happen with this chance where nothing before it did."""
        nonlocal left
        event[name][:] = left * np.clip(chance, 0, 1)
        left = left - event[name]

    happens(Event.INTERRUPTS, trait("interruption") * (1 + (rules.distraction.upset - 1) * negative))
    happens(
        Event.DRIFTS,
        trait("topic_drift") * _along(5, [rules.distraction.asked if action is Action.ASK_CLARIFY else 1 for action in ACTIONS]),
    )
    happens(Event.OBJECTS, trait("objection") * _along(1, rules.objecting.stage) * by_action(rules.objecting.action) * (1 - objecting))

    def given(weights: Sequence[float], while_objecting: float) -> Floats:
        return _along(2, weights) * (1 + (while_objecting - 1) * objecting)

    def answers(where: tuple[slice | int, int], *choices: tuple[Event, Floats], otherwise: Event) -> None:
        """Share what is left among the answers to one action at some stages, in this order, the rest to `otherwise`."""
        stages, action = where
        at = (slice(None), stages, slice(None), slice(None), slice(None), action)
        rest = left[at].copy()
        for name, chance in choices:
            part = rest * np.broadcast_to(np.clip(chance, 0, 1), shape)[at]
            event[name][at] += part
            rest -= part
        event[otherwise][at] += rest

    along = trait("cooperation") * given(answer.going_along, answer.going_along_objecting)
    pays = trait("payment_willingness") * given(answer.paying, answer.paying_objecting)
    takes = trait("plan_willingness") * given(answer.taking_a_plan, answer.taking_a_plan_objecting)
    keeps = given(answer.keeping_to_it, answer.keeping_to_it_objecting) + 0 * along
    part = trait("partial_compliance")
    before = slice(0, NEGOTIATION)
    answers((before, PROCEED), (Event.CONFIRMS, along), otherwise=Event.STALLS)
    answers((NEGOTIATION, PROCEED), (Event.PAYS, pays), otherwise=Event.REFUSES)
    instead = answer.paying_instead * trait("payment_willingness") + 0 * along
    answers((COMMITMENT, PROCEED), (Event.PAYS, instead), (Event.ACCEPTS_PART, part), (Event.COMMITS, keeps), otherwise=Event.STALLS)
    answers((NEGOTIATION, OFFER_PLAN), (Event.ACCEPTS_PART, part * takes), (Event.ACCEPTS_PLAN, takes), otherwise=Event.REFUSES)
    answers((COMMITMENT, OFFER_PLAN), otherwise=Event.STALLS)
    soothed = trait("warmth") * by_turn(answer.soothed)
    explains = trait("openness") * (1 + (answer.explaining_upset - 1) * negative)
    for stage, name in enumerate(LIVE):
        answers((stage, EMPATHIZE), (Event.CALMS, soothed * troubled), (Event.VENTS, troubled), otherwise=Event.STALLS)
        asked = {Fsm.VERIFY: along * answer.asked_to_verify, Fsm.NEGOTIATION: explains}.get(name, 0 * along) * (1 - objecting)
        reply = (Event.CONFIRMS if name is Fsm.VERIFY else Event.EXPLAINS), asked
        settles = Event.EXPLAINS, explains * objecting
        answers((stage, ASK_CLARIFY), reply, settles, (Event.VENTS, troubled), otherwise=Event.STALLS)

    chances[:, :, before, :, :, :, OFFER_PLAN] = 0
    event[Event.VIOLATION][:, before, :, :, :, OFFER_PLAN] = 1
    return chances
