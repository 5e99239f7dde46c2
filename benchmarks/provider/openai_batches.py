"""OpenAI's batches: files up, files down, and what a batch says of itself in between; files do not expire."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from batches import MAX_BATCHES, Batch, Line, Worker, page
from bounded import Bounded
from model import parse
from problems import Json, Problem
from prompts import compact
from replies import new_id, openai_usage
from settings import Settings

ENDPOINTS = ("/v1/responses", "/v1/chat/completions")
MAX_FILE_BYTES = 512 * 2**20  # of all files together
MAX_FILES = 1000
DAY = 24 * 3600


@dataclass(slots=True)
class _Job:
    """A batch with what OpenAI keeps beside it."""

    batch: Batch
    input_file_id: str
    metadata: Json | None
    errors: list[Json]
    output_file_id: str | None = None
    error_file_id: str | None = None
    filed: bool = False


class OpenAIBatches:
    """Handlers of /v1/files and /v1/batches.

    Args:
        settings: may change at any time.
        rng: draws which batch fails.
        worker: answers the lines.
    """

    def __init__(self, settings: Settings, rng: random.Random, worker: Worker) -> None:
        self._settings, self._rng, self._worker = settings, rng, worker
        self._files: Bounded[str, bytes] = Bounded(MAX_FILES)
        self._bytes = 0
        self._jobs: Bounded[str, _Job] = Bounded(MAX_BATCHES)

    async def upload(self, request: web.Request) -> Json:
        """POST /v1/files."""
        if not request.content_type.startswith("multipart/"):
            raise Problem(400, "Expected multipart/form-data.")
        form = await request.post()
        upload = form.get("file")
        if not isinstance(upload, web.FileField):
            raise Problem(400, "'file' is a required property", param="file")
        if form.get("purpose") != "batch":
            raise Problem(400, "Invalid value for 'purpose': this server takes 'batch' only.", param="purpose")
        content = upload.file.read()
        return {
            "id": self._keep(content),
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "expires_at": int(time.time()) + 30 * DAY,
            "filename": upload.filename,
            "purpose": "batch",
            "status": "processed",
            "status_details": None,
        }

    async def download(self, request: web.Request) -> bytes:
        """GET /v1/files/{id}/content."""
        content = self._files.get(request.match_info["id"])
        if content is None:
            raise Problem(404, f"No such File object: {request.match_info['id']}", param="id")
        return content

    async def create(self, request: web.Request) -> Json:
        """POST /v1/batches."""
        body = parse(await request.read())
        endpoint, file_id = body.get("endpoint"), str(body.get("input_file_id"))
        if endpoint not in ENDPOINTS:
            raise Problem(400, f"Invalid value: '{endpoint}'. Supported values are: {', '.join(ENDPOINTS)}.", param="endpoint")
        if body.get("completion_window") != "24h":
            raise Problem(400, "Invalid value for 'completion_window': expected '24h'.", param="completion_window")
        content = self._files.get(file_id)
        if content is None:
            raise Problem(400, f"Invalid 'input_file_id': no such file: {file_id}", param="input_file_id")
        lines, errors = _read_lines(content, endpoint)
        if self._rng.random() < self._settings.batch_fail:
            errors = [_line_error("server_error", "The batch failed, as it was told to.", None)]
        batch = self._worker.start("batch", endpoint, [] if errors else lines)
        job = _Job(batch, file_id, body.get("metadata"), errors)
        self._jobs.put(batch.id, job)
        return self._shown(job) | {"status": "validating", "in_progress_at": None}

    async def retrieve(self, request: web.Request) -> Json:
        """GET /v1/batches/{id}."""
        return self._shown(self._job(request))

    async def list(self, request: web.Request) -> Json:
        """GET /v1/batches."""
        jobs = {job.batch.id: job for job in self._jobs.newest_first()}
        batches, more = page([job.batch for job in jobs.values()], request.query.get("limit", ""), request.query.get("after", ""))
        data = [self._shown(jobs[batch.id]) for batch in batches]
        ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
        return {"object": "list", "data": data, **ends, "has_more": more}

    async def cancel(self, request: web.Request) -> Json:
        """POST /v1/batches/{id}/cancel."""
        job = self._job(request)
        if job.batch.ended:
            raise Problem(409, f"Cannot cancel a batch with status '{self._status(job)}'.")
        before = self._shown(job)
        self._worker.cancel(job.batch)
        return before | {"status": "cancelling", "cancelling_at": int(time.time())}

    def _keep(self, content: bytes) -> str:
        file_id = new_id("file")
        self._bytes += len(content)
        while self._files and (len(self._files) >= MAX_FILES or self._bytes > MAX_FILE_BYTES):
            self._bytes -= len(self._files.pop_oldest())
        self._files.put(file_id, content)
        return file_id

    def _job(self, request: web.Request) -> _Job:
        job = self._jobs.get(request.match_info["id"])
        if job is None:
            raise Problem(404, f"No batch found with id '{request.match_info['id']}'.", param="batch_id")
        return job

    def _status(self, job: _Job) -> str:
        batch = job.batch
        if not batch.ended:
            return "in_progress"
        return "failed" if job.errors else "cancelled" if batch.cancelled else "expired" if batch.expired else "completed"

    def _shown(self, job: _Job) -> Json:
        batch, status = job.batch, self._status(job)
        if batch.ended and not job.filed:
            self._file(job)
        created, ended = int(batch.created), int(batch.ended) if batch.ended else None
        done = batch.count("succeeded")
        failed = batch.count("errored") + (batch.count("expired") + batch.count("canceled") if ended else 0)
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.path,
            "model": None,
            "errors": {"object": "list", "data": job.errors} if status == "failed" else None,
            "input_file_id": job.input_file_id,
            "completion_window": "24h",
            "status": status,
            "output_file_id": job.output_file_id,
            "error_file_id": job.error_file_id,
            "created_at": created,
            "in_progress_at": created,
            "expires_at": created + DAY,
            "finalizing_at": ended if status in ("completed", "expired") else None,
            "completed_at": ended if status == "completed" else None,
            "failed_at": ended if status == "failed" else None,
            "expired_at": ended if status == "expired" else None,
            "cancelling_at": int(batch.cancelled) if batch.cancelled else None,
            "cancelled_at": ended if status == "cancelled" else None,
            "request_counts": {"total": len(batch.lines), "completed": done, "failed": failed},
            "usage": openai_usage(batch.usage),
            "metadata": job.metadata,
        }

    def _file(self, job: _Job) -> None:
        """Write the two files of a batch that has ended."""
        answered = [line for line in job.batch.lines if line.kind == "succeeded"]
        others = [line for line in job.batch.lines if line.kind != "succeeded"]
        job.output_file_id = self._keep(b"".join(map(_output_line, answered))) if answered else None
        job.error_file_id = self._keep(b"".join(map(_output_line, others))) if others else None
        job.filed = True
        for line in job.batch.lines:
            line.result = ""


def _output_line(line: Line) -> bytes:
    response, error = "null", "null"
    if line.result:
        response = f'{{"status_code":{line.status},"request_id":"{new_id("req")}","body":{line.result}}}'
    else:
        word = "cancelled" if line.kind == "canceled" else line.kind
        message = f"This request could not be executed before the batch {word}."
        error = compact({"code": f"batch_{word}", "message": message})
    return f'{{"id":"{new_id("batch_req")}","custom_id":{json.dumps(line.custom_id)},"response":{response},"error":{error}}}\n'.encode()


def _read_lines(content: bytes, endpoint: str) -> tuple[list[Line], list[Json]]:
    """Return a batch file's lines, and what is wrong with it."""
    lines: dict[str, Line] = {}
    errors = [_line_error(code, message, number) for code, message, number in _check(content, endpoint, lines)]
    if not lines and not errors:
        errors = [_line_error("empty_file", "The input file has no requests.", None)]
    return list(lines.values()), errors


def _check(content: bytes, endpoint: str, lines: dict[str, Line]) -> Iterator[tuple[str, str, int]]:
    for number, raw in enumerate(content.splitlines(), 1):
        try:
            line: Any = parse(raw)
        except Problem:
            yield "invalid_json_line", "This line is not parseable as valid JSON.", number
            continue
        custom_id = line.get("custom_id")
        if not isinstance(custom_id, str) or not isinstance(line.get("body"), dict) or line.get("method") != "POST":
            yield "invalid_request", "A line needs custom_id, method POST, url and body.", number
        elif line.get("url") != endpoint:
            yield "mismatched_url", f"The url of this line is not the batch's endpoint {endpoint}.", number
        elif custom_id in lines:
            yield "duplicate_custom_id", f"The custom_id {custom_id!r} stands in more than one line.", number
        else:
            lines[custom_id] = Line(custom_id, line["body"])


def _line_error(code: str, message: str, number: int | None) -> Json:
    return {"code": code, "message": message, "param": None, "line": number}
