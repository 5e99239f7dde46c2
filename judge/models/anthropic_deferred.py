"""Anthropic's Message Batches API: requests go up in one call, results come down as a stream of lines."""

from collections.abc import AsyncIterator, Iterator, Sequence, Set
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any

from judge.chat import Trouble
from judge.contract import Body, Deferred, DeferredApi, Terms
from judge.keys import wiped
from judge.models.anthropic_sdk import client_of, explained
from judge.verdict import FailureKind

EARLIER, LATER = timedelta(minutes=5), timedelta(minutes=30)  # clocks differ; an upload takes a while


@asynccontextmanager
async def deferred(terms: Terms, key: str) -> AsyncIterator[DeferredApi]:
    """Give the Message Batches API."""
    async with client_of(terms, key) as (client, _):
        yield AnthropicBatches(client, key)


class AnthropicBatches:
    """See `DeferredApi`."""

    def __init__(self, client: Any, key: str) -> None:
        self._client, self._key = client, key

    async def submit(self, name: str, calls: Sequence[tuple[str, Body]]) -> str:
        with explained(self._key):
            batch = await self._client.messages.batches.create(requests=[{"custom_id": key, "params": body} for key, body in calls])
        return str(batch.id)

    async def find(self, name: str, keys: Set[str], since: datetime, known: Set[str]) -> str | None:
        """The API has no names: a batch made about then with as many requests, whose results carry our keys."""
        undecided = False
        with explained(self._key):
            async for batch in self._client.messages.batches.list(limit=100):
                if batch.created_at < since - timedelta(hours=1):
                    break
                counts = batch.request_counts
                size = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
                if batch.id in known or size != len(keys) or not -EARLIER <= batch.created_at - since <= LATER:
                    continue
                if batch.processing_status != "ended":
                    undecided = True
                elif await self._first_key(batch.id) in keys:
                    return str(batch.id)
        if undecided:
            raise Trouble(FailureKind.PENDING, "a batch that may be it has not ended; `judge batch collect` looks again")
        return None

    async def _first_key(self, remote: str) -> str | None:
        async for key, _, _ in self.answers(remote):
            return key
        return None

    async def look(self, remote: str) -> Deferred:
        with explained(self._key):
            batch = await self._client.messages.batches.retrieve(remote)
        counts = batch.request_counts
        parts = ("processing", "succeeded", "errored", "canceled", "expired")
        told = ", ".join(f"{getattr(counts, part):,} {part}" for part in parts if getattr(counts, part))
        return Deferred(batch.processing_status == "ended", f"{batch.processing_status}: {told or 'no requests'}")

    async def answers(self, remote: str) -> AsyncIterator[tuple[str, Body | None, str]]:
        with explained(self._key), _whole_lines():
            async for line in await self._client.messages.batches.results(remote):
                result = line.result
                if result.type == "succeeded":
                    yield line.custom_id, result.message.model_dump(mode="json", exclude_unset=True), ""
                elif result.type == "errored":
                    error = result.error.error
                    yield line.custom_id, None, wiped(f"{error.type}: {error.message}", self._key)
                else:
                    yield line.custom_id, None, result.type

    async def cancel(self, remote: str) -> None:
        try:
            with explained(self._key):
                await self._client.messages.batches.cancel(remote)
        except Trouble as trouble:
            if trouble.kind is not FailureKind.REJECTED:  # it has ended already
                raise


@contextmanager
def _whole_lines() -> Iterator[None]:
    """Tell a line of results that was cut off."""
    try:
        yield
    except ValueError as error:
        raise Trouble(FailureKind.TRUNCATED, f"the results break off: {error}", again=True) from None
