"""Anthropic's message batches as seen from outside; results are never archived."""

import json
from datetime import UTC, datetime, timedelta

from aiohttp import web
from batches import MAX_BATCHES, Batch, Line, Worker, page
from bounded import Bounded
from model import parse
from problems import Json, Problem


class AnthropicBatches:
    """Handlers of /v1/messages/batches.

    Args:
        worker: answers the lines.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._batches: Bounded[str, Batch] = Bounded(MAX_BATCHES)

    async def create(self, request: web.Request) -> Json:
        """POST /v1/messages/batches."""
        requests = parse(await request.read()).get("requests")
        if not isinstance(requests, list) or not requests:
            raise Problem(400, "requests: List should have at least 1 item")
        lines: dict[str, Line] = {}
        for number, each in enumerate(requests):
            if not isinstance(each, dict) or not isinstance(each.get("custom_id"), str) or not isinstance(each.get("params"), dict):
                raise Problem(400, f"requests.{number}: custom_id and params are required")
            if each["custom_id"] in lines:
                raise Problem(400, f"requests.{number}.custom_id: duplicate custom_id {each['custom_id']}")
            lines[each["custom_id"]] = Line(each["custom_id"], each["params"])
        batch = self._worker.start("msgbatch", "/v1/messages", list(lines.values()))
        self._batches.put(batch.id, batch)
        return _shown(request, batch)

    async def retrieve(self, request: web.Request) -> Json:
        """GET /v1/messages/batches/{id}."""
        return _shown(request, self._batch(request))

    async def list(self, request: web.Request) -> Json:
        """GET /v1/messages/batches."""
        batches, more = page(self._batches.newest_first(), request.query.get("limit", ""), request.query.get("after_id", ""))
        data = [_shown(request, batch) for batch in batches]
        ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
        return {"data": data, **ends, "has_more": more}

    async def cancel(self, request: web.Request) -> Json:
        """POST /v1/messages/batches/{id}/cancel."""
        batch = self._batch(request)
        if batch.ended:
            raise Problem(400, f"Batch {batch.id} cannot be canceled: its processing has ended")
        before = _shown(request, batch)
        self._worker.cancel(batch)
        return before | {"processing_status": "canceling", "cancel_initiated_at": _time(batch.cancelled)}

    async def results(self, request: web.Request) -> bytes:
        """GET /v1/messages/batches/{id}/results."""
        batch = self._batch(request)
        if not batch.ended:
            raise Problem(404, f"Batch {batch.id} has no available results: its processing has not ended")
        return "".join(map(_result_line, batch.lines)).encode()

    def _batch(self, request: web.Request) -> Batch:
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            raise Problem(404, f"No batch with id {request.match_info['id']}")
        return batch


def _shown(request: web.Request, batch: Batch) -> Json:
    kinds = ("succeeded", "errored", "canceled", "expired")
    counts = {kind: batch.count(kind) if batch.ended else 0 for kind in kinds}
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if batch.ended else "in_progress",
        "request_counts": {"processing": 0 if batch.ended else len(batch.lines), **counts},
        "created_at": _time(batch.created),
        "expires_at": _time(batch.created, days=1),
        "ended_at": _time(batch.ended),
        "cancel_initiated_at": _time(batch.cancelled),
        "archived_at": None,
        "results_url": f"{request.url.origin()}/v1/messages/batches/{batch.id}/results" if batch.ended else None,
    }


def _result_line(line: Line) -> str:
    inside = {"succeeded": "message", "errored": "error"}.get(line.kind)
    result = f',"{inside}":{line.result}' if inside else ""
    return f'{{"custom_id":{json.dumps(line.custom_id)},"result":{{"type":"{line.kind}"{result}}}}}\n'


def _time(seconds: float | None, days: int = 0) -> str | None:
    return None if seconds is None else (datetime.fromtimestamp(seconds, UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")
