"""The call model laid out for drawing: one flat array a purpose, shared by the single call and by the batch; no chance in here.

A place is agent turns taken x codes + code. One uniform number u draws what comes of a place and an action (Walker's alias method):
u x slots is split into slot and share; at = row[place] + action x stride + 2 x slot, + 1 where the share is not below keep[at].
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dialogue.environments.alias_tables import alias_tables
from dialogue.environments.call_model import PHASE_OF, CallModel
from dialogue.environments.call_words import ACTIONS, LAST_TURN

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CallTables:
    """Flat tables.

    Attributes:
        slots, stride: slots of a row, and its length: every slot has two places.
        codes, live: how many codes there are; those from `live` on are ended calls.
        keep: by `at`.
        after, event: by `at`: the code that follows, what the customer does.
        row: by place: where the row of action 0 begins; those of the other actions follow, `stride` apart.
        onward: by place: the place of code 0 one agent turn later.
        seen: by place: the observation.
        start_keep, start_pick: alias table over the starts.
        start_codes, start_attempts: by start.
    """

    slots: int
    stride: int
    codes: int
    live: int
    keep: Floats
    after: Ints
    event: Ints
    row: Ints
    onward: Ints
    seen: Ints
    start_keep: Floats
    start_pick: Ints
    start_codes: Ints
    start_attempts: Ints


@lru_cache(maxsize=8)
def call_tables(model: CallModel) -> CallTables:
    """Return the tables of a model, laid out for drawing; made once for each model."""
    keep, other = alias_tables(model.probs)
    every = np.arange(len(keep))[:, None]
    start_keep, start_other = alias_tables(model.start_probs[None, :])
    places = np.arange((LAST_TURN + 1) * model.codes)
    turns, codes = places // model.codes, places % model.codes
    phases = np.append(PHASE_OF, 0)[turns]  # after the last turn every code is an ended call
    return CallTables(
        slots=model.slots,
        stride=2 * model.slots,
        codes=model.codes,
        live=model.live,
        keep=keep.reshape(-1).repeat(2),
        after=np.stack([model.after, model.after[every, other]], axis=2).reshape(-1),
        event=np.stack([model.event, model.event[every, other]], axis=2).reshape(-1),
        row=np.where(codes < model.live, (phases * model.live + codes) * len(ACTIONS) * 2 * model.slots, 0),
        onward=(turns + 1) * model.codes,
        seen=model.seen.reshape(-1),
        start_keep=start_keep[0],
        start_pick=np.stack([np.arange(start_other.size), start_other[0]], axis=1).reshape(-1),
        start_codes=model.start_codes,
        start_attempts=model.start_attempts,
    )
