"""A panel: several judges and a reducer, from a file, as one judge. A member that cannot say silences the panel."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dialogue import datafile
from dialogue.errors import UsageProblem
from dialogue.transcript import Transcript
from judge.contract import Judge, Terms
from judge.judges import make_judge
from judge.pooling import Reducer, pooled
from judge.rubric import Rubric
from judge.verdict import JudgeFailure, JudgeId, Usage, Verdict

PROVIDER = "panel"


class Member(BaseModel):
    """A judge of the panel, named as after `--judge`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: Annotated[str, Field(min_length=1)]
    weight: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0


class PanelFile(BaseModel):
    """What a panel's file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reducer: Reducer = Reducer.MEAN
    member: Annotated[tuple[Member, ...], Field(min_length=2, max_length=20)]


def members_of(judge: Judge) -> tuple[Judge, ...]:
    """Return the judges that a judge is made of: a panel's members, or itself."""
    return judge.members if isinstance(judge, Panel) else (judge,)


def make_panel(rubric: Rubric, rest: str, terms: Terms) -> "Panel":
    """Return the judge of `--judge panel:FILE`.

    Raises:
        UsageProblem: no such file, something is wrong in it, or a member cannot be made.
    """
    if not rest:
        raise UsageProblem("--judge panel: which file? Expected panel:FILE.toml, with a [[member]] for each judge")
    given = datafile.load(Path(rest), PanelFile)
    for member in given.member:
        if member.judge.partition(":")[0] == PROVIDER:
            raise UsageProblem(f"{rest}: a member is itself a panel ({member.judge}); name its members here")
    members = [make_judge(member.judge, rubric, terms) for member in given.member]
    return Panel(rubric, members, [member.weight for member in given.member], given.reducer)


class Panel:
    """Rates by its members. The identity names them all, their weights and the reducer."""

    def __init__(self, rubric: Rubric, members: Sequence[Judge], weights: Sequence[float], reducer: Reducer) -> None:
        ids = [member.id.key for member in members]
        if len(set(ids)) < len(ids):
            raise UsageProblem("a panel has the same judge twice; ask one judge several times with --repeats")
        self.rubric = rubric
        self.members = tuple(members)
        self._weights = tuple(weights)
        self._reducer = reducer
        self._names = [f"{member.id.provider}/{member.id.model}" for member in members]
        identity = repr((ids, self._weights, reducer.value))
        self.id = JudgeId(
            provider=PROVIDER,
            model=" + ".join(self._names),
            rubric=rubric.name,
            rubric_hash=rubric.hash,
            prompt_hash=hashlib.sha256(identity.encode()).hexdigest(),
            sampling=reducer.value,
        )

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        """Return the members' verdicts as one."""
        return self.reduce(await asyncio.gather(*(member.rate(transcript, repeat) for member in self.members)))

    def reduce(self, answers: Sequence[Verdict | JudgeFailure]) -> Verdict | JudgeFailure:
        """Return one answer of one answer a member, in their order: a panel that lacks a member would be another judge."""
        verdicts = [answer for answer in answers if isinstance(answer, Verdict)]
        for name, answer in zip(self._names, answers, strict=True):
            if isinstance(answer, JudgeFailure):
                usage = sum((other.usage for other in answers), Usage())
                return answer.model_copy(update={"judge": self.id, "detail": f"{name}: {answer.detail}", "usage": usage})
        return pooled(verdicts, self.id, reducer=self._reducer, weights=self._weights, names=self._names)
