"""What was said: `Turn` and `Transcript`, frozen; how a dialogue ended is kept as logged, its worth is rewards' business."""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StrictStr


def _finite(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse NaN and infinity inside logged values: written as JSON they would silently become null."""
    json.dumps(value, allow_nan=False)
    return value


Logged = Annotated[dict[str, JsonValue], AfterValidator(_finite)]


class Role(StrEnum):
    """Who speaks. A tool call and its result are both `tool`: they are not said to the other side."""

    USER = "user"
    AGENT = "agent"
    SYSTEM = "system"
    TOOL = "tool"


class Turn(BaseModel):
    """One utterance. For agent turns: the controller's logged state, action and the action's probability.

    `signals` are events noticed while logging (for example `COMPLIANCE_VIOLATION`), on any turn.
    """

    model_config = ConfigDict(frozen=True)

    role: Role
    text: StrictStr
    state: Logged | None = None
    action: StrictStr | None = None
    action_prob: Annotated[float, Field(strict=True, gt=0.0, le=1.0)] | None = None
    signals: tuple[StrictStr, ...] = ()


class Transcript(BaseModel):
    """One whole dialogue. `outcome` is a name from an outcome table, a number on its scale, or None."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[StrictStr, Field(min_length=1, max_length=512)]
    turns: tuple[Turn, ...]
    outcome: StrictStr | Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    meta: Logged = {}

    @property
    def agent_turns(self) -> tuple[int, ...]:
        """Indices into `turns` of the agent's turns, in order: the turns that are rated."""
        return tuple(i for i, turn in enumerate(self.turns) if turn.role is Role.AGENT)

    def content_hash(self, *, with_outcome: bool) -> str:
        """Return the SHA-256 (hex) of what a judge is shown: roles and texts, and the outcome if it may see it.

        Id, meta, logged state and actions are left out: they do not change what a judge sees, and
        a corrected label must not cost a second rating.
        """
        seen: list[Any] = [[turn.role.value, turn.text] for turn in self.turns]
        if with_outcome:
            seen.append(self.outcome)
        return hashlib.sha256(json.dumps(seen, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
