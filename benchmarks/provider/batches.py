"""Works off a batch's lines, whichever vendor's; what a batch looks like from outside stands in the vendors' files."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from faults import Faults
from model import Model
from problems import Json, Problem
from prompts import compact
from replies import Usage, new_id
from settings import ANSWER_FAULTS, Settings
from stats import Stats

BREATH = 20  # lines between two pauses in which other requests get their turn
MAX_BATCHES = 200


@dataclass(slots=True)
class Line:
    """A request of a batch and, once there is one, its result: `kind` in Anthropic's words, `body` as JSON text."""

    custom_id: str
    body: Json
    kind: str = "processing"
    status: int = 0
    result: str = ""


@dataclass(slots=True)
class Batch:
    """A batch: running until `ended`; `cancelled` and `expired` say how it ended."""

    id: str
    path: str
    lines: list[Line]
    fates: dict[int, str]
    created: float = field(default_factory=time.time)
    ended: float | None = None
    cancelled: float | None = None
    expired: bool = False
    usage: Usage = field(default_factory=lambda: Usage(0, 0, 0, 0))
    task: asyncio.Task[None] | None = None

    def count(self, kind: str) -> int:
        """Return how many lines are of a kind."""
        return sum(line.kind == kind for line in self.lines)


class Worker:
    """Answers the lines of batches one after the other, spread evenly over the settings' delay.

    Args:
        settings: may change at any time.
        rng: what draws the lines' fates, and the order of the results.
        model: what answers.
        faults: what spoils answers.
        stats: where lines are counted.
    """

    def __init__(self, settings: Settings, rng: random.Random, model: Model, faults: Faults, stats: Stats) -> None:
        self._settings, self._rng, self._model, self._faults, self._stats = settings, rng, model, faults, stats

    def start(self, prefix: str, path: str, lines: list[Line]) -> Batch:
        """Return a new batch, which runs from now on."""
        settings, total = self._settings, len(lines)
        drawn = self._rng.sample(range(total), total)
        expired, errored = round(settings.batch_expire * total), round(settings.batch_error * total)
        fates = dict.fromkeys(drawn[:expired], "expired") | dict.fromkeys(drawn[expired : expired + errored], "errored")
        batch = Batch(new_id(prefix), path, lines, fates)
        batch.task = asyncio.create_task(self._run(batch))
        return batch

    def cancel(self, batch: Batch) -> None:
        """End a running batch: what is answered stays, the rest is canceled."""
        if batch.task:
            batch.task.cancel()
        batch.cancelled = time.time()
        self._end(batch)

    async def _run(self, batch: Batch) -> None:
        clock = asyncio.get_running_loop()
        begun, delay = clock.time(), self._settings.batch_delay
        for number, line in enumerate(batch.lines):
            ahead = begun + delay * (number + 1) / len(batch.lines) - clock.time()
            if ahead > 0.001 or number % BREATH == 0:
                await asyncio.sleep(max(0.0, ahead))
            self._answer(batch, line, batch.fates.get(number))
        self._end(batch)

    def _answer(self, batch: Batch, line: Line, fate: str | None) -> None:
        self._stats.lines += 1
        anthropic = batch.path == "/v1/messages"
        try:
            if fate == "errored":
                raise Problem(500, "This line failed, as it was told to.")
            if fate:
                line.kind = fate
                return
            content = self._model.note(batch.path, line.body)
            if fault := self._faults.draw(ANSWER_FAULTS):
                self._stats.faults[fault] += 1
            reply = self._model.answer(batch.path, line.body, content, fault, batch=True)
        except Problem as problem:
            line.kind, line.status = "errored", problem.status
            line.result = compact(problem.body(anthropic=anthropic, request_id=new_id("req")))
        else:
            line.kind, line.status, line.result = "succeeded", 200, reply.body.decode()
            self._model.sent(reply)
            for name in ("input", "read", "written", "output"):
                setattr(batch.usage, name, getattr(batch.usage, name) + getattr(reply.usage, name))
        finally:
            line.body = {}

    def _end(self, batch: Batch) -> None:
        batch.ended = time.time()
        batch.expired = any(line.kind == "expired" for line in batch.lines)
        for line in batch.lines:
            if line.kind == "processing":
                line.kind, line.body = "canceled", {}
        self._rng.shuffle(batch.lines)


def page(batches: list[Batch], limit: str, after: str) -> tuple[list[Batch], bool]:
    """Return the part of a list that a request asks for, newest first, and whether there is more."""
    found = sorted(batches, key=lambda batch: batch.id, reverse=True)
    ids = [batch.id for batch in found]
    begin = ids.index(after) + 1 if after in ids else 0
    end = begin + (min(100, int(limit)) if limit.isdecimal() and int(limit) else 20)
    return found[begin:end], end < len(found)
