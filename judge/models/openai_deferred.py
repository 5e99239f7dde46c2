"""OpenAI's Batch API: a file of requests goes up, files of answers and errors come down."""

import json
from collections.abc import AsyncIterator, Sequence, Set
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from judge.contract import Body, Deferred, DeferredApi, Terms
from judge.keys import wiped
from judge.models.copies import parsed
from judge.models.openai_sdk import client_of, explained

ENDED = ("completed", "expired", "failed", "cancelled")
NAME = "judge_batch"  # the key of the batch's metadata under which our name stands


@asynccontextmanager
async def deferred(terms: Terms, endpoint: str, key: str, base_url: str | None = None) -> AsyncIterator[DeferredApi]:
    """Give the Batch API for requests to `endpoint`."""
    async with client_of(terms, key, base_url) as (client, _):
        yield OpenAIBatches(client, endpoint, key)


class OpenAIBatches:
    """See `DeferredApi`."""

    def __init__(self, client: Any, endpoint: str, key: str) -> None:
        self._client, self._endpoint, self._key = client, endpoint, key

    async def submit(self, name: str, calls: Sequence[tuple[str, Body]]) -> str:
        lines = (json.dumps({"custom_id": key, "method": "POST", "url": self._endpoint, "body": body}) + "\n" for key, body in calls)
        content = "".join(lines).encode()
        with explained(self._key):
            file = await self._client.files.create(file=(f"{name}.jsonl", content), purpose="batch")
            batch = await self._client.batches.create(
                input_file_id=file.id, endpoint=self._endpoint, completion_window="24h", metadata={NAME: name}
            )
        return str(batch.id)

    async def find(self, name: str, keys: Set[str], since: datetime, known: Set[str]) -> str | None:
        with explained(self._key):
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get(NAME) == name:
                    return str(batch.id)
                if batch.created_at < since.timestamp() - 3600:
                    return None
        return None

    async def look(self, remote: str) -> Deferred:
        with explained(self._key):
            batch = await self._client.batches.retrieve(remote)
        counts = batch.request_counts
        told = f"{batch.status}: {counts.completed:,} of {counts.total:,} answered, {counts.failed:,} failed" if counts else batch.status
        for error in (batch.errors.data if batch.errors else None) or ():
            told += f"; {wiped(str(error.message), self._key)}"
        return Deferred(batch.status in ENDED, told)

    async def answers(self, remote: str) -> AsyncIterator[tuple[str, Body | None, str]]:
        with explained(self._key):
            batch = await self._client.batches.retrieve(remote)
        for file in (batch.output_file_id, batch.error_file_id):
            if not file:
                continue
            with explained(self._key):
                async with self._client.files.with_streaming_response.content(file) as response:
                    async for line in response.iter_lines():
                        if line.strip():
                            yield self._answer(parsed(line.encode(), self._key))

    def _answer(self, line: Body) -> tuple[str, Body | None, str]:
        response, error = line.get("response") or {}, line.get("error") or {}
        body = response.get("body")
        if response.get("status_code") == 200 and isinstance(body, dict):
            return str(line["custom_id"]), body, ""
        said = error or (body.get("error") if isinstance(body, dict) else None) or {}
        told = f"{said.get('code') or response.get('status_code') or 'no answer'}: {said.get('message') or 'no reason given'}"
        return str(line["custom_id"]), None, wiped(told, self._key)

    async def cancel(self, remote: str) -> None:
        import openai

        with explained(self._key), suppress(openai.ConflictError):  # it has ended already
            await self._client.batches.cancel(remote)
