"""The HTTP side of the fake provider: routes, keys, limits, and the faults of the wire; what is answered comes from elsewhere."""

import asyncio
import json
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web
from anthropic_batches import AnthropicBatches
from batches import Worker
from faults import UNLIMITED, Faults, Limiter
from model import Model, parse
from openai_batches import OpenAIBatches
from problems import Json, Problem, injected, wrong_key
from replies import REPLIES, new_id
from settings import FAULTS, WIRE_FAULTS, Settings
from stats import Stats

MAX_BODY = 64 * 2**20
HTML = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Management = Callable[[web.Request], Awaitable[Json | bytes]]


class Provider:
    """Both vendors behind one address.

    Args:
        settings: what to do, and what to do wrong; POST /control changes it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rng = random.Random(settings.seed)
        self._stats = Stats()
        self._faults = Faults(settings, self._rng)
        self._limiter = Limiter(settings)
        self._model = Model(settings, self._rng, self._stats)
        worker = Worker(settings, self._rng, self._model, self._faults, self._stats)
        self._openai = OpenAIBatches(settings, self._rng, worker)
        self._anthropic = AnthropicBatches(worker)

    def application(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(client_max_size=MAX_BODY)
        for path in REPLIES:
            app.router.add_post(path, self._guarded(path, self._ask))
        ours, theirs = self._openai, self._anthropic
        management: list[tuple[str, str, Management]] = [
            ("POST", "/v1/files", ours.upload),
            ("GET", "/v1/files/{id}/content", ours.download),
            ("POST", "/v1/batches", ours.create),
            ("GET", "/v1/batches", ours.list),
            ("GET", "/v1/batches/{id}", ours.retrieve),
            ("POST", "/v1/batches/{id}/cancel", ours.cancel),
            ("POST", "/v1/messages/batches", theirs.create),
            ("GET", "/v1/messages/batches", theirs.list),
            ("GET", "/v1/messages/batches/{id}", theirs.retrieve),
            ("GET", "/v1/messages/batches/{id}/results", theirs.results),
            ("POST", "/v1/messages/batches/{id}/cancel", theirs.cancel),
        ]
        for method, path, work in management:
            app.router.add_route(method, path, self._guarded(path, self._managed(work)))
        app.router.add_get("/stats", self._show)
        app.router.add_post("/control", self._control)
        app.router.add_route("*", "/{path:.*}", self._guarded("unknown", _unknown))
        return app

    def _guarded(self, path: str, handle: Handler) -> Handler:
        """Return a handler that counts, asks for the key, and answers in the vendor's words where something is wrong."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            self._stats.requests[f"{request.method} {path}"] += 1
            if request.transport is not None:
                self._stats.note_connection(request.transport)
            try:
                self._check_key(request)
                return await handle(request)
            except Problem as problem:
                return self._refused(request, problem)
            except web.HTTPRequestEntityTooLarge:
                return self._refused(request, Problem(413, "The request is too large."))
            except ConnectionResetError:  # by ourselves, or the client has gone
                return web.Response()

        return guarded

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        """Answer a model request."""
        path = request.path
        with self._stats.flight():
            body = parse(await request.read())
            content = self._model.note(path, body)
            self._limiter.enter()
            fault = self._faults.draw(FAULTS)
            await self._suffer(request, fault, str(body.get("model")))
            reply = self._model.answer(path, body, content, fault if fault not in WIRE_FAULTS else None)
            if self._settings.latency:
                await asyncio.sleep(self._settings.latency)
            response = await self._send(request, reply.body, fault)
            if fault != "cut_stream":
                self._model.sent(reply)
            return response

    def _managed(self, work: Management) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self._faults.draw(WIRE_FAULTS)
            await self._suffer(request, fault, "this endpoint")
            answer = await work(request)
            return await self._send(request, answer if isinstance(answer, bytes) else json.dumps(answer).encode(), fault)

        return handle

    async def _suffer(self, request: web.Request, fault: str | None, model: str) -> None:
        """Bring about the faults that come before an answer."""
        if fault is None:
            return
        self._stats.faults[fault] += 1
        if fault in ("rate_limit", "overloaded", "server_error"):
            raise injected(fault, anthropic=_is_anthropic(request), model=model, retry_after=self._settings.retry_after)
        if fault == "bad_gateway":
            raise Problem(502, "")
        if fault == "hang":
            await asyncio.Event().wait()
        if fault == "reset":
            _abort(request)
            raise ConnectionResetError

    async def _send(self, request: web.Request, body: bytes, fault: str | None) -> web.StreamResponse:
        """Send a good status with a body; when this returns, all has been handed to the kernel that ever will."""
        self._stats.statuses["200"] += 1
        headers = self._headers(request)
        response: web.StreamResponse
        if fault == "cut_stream" or fault == "slow":
            response = web.StreamResponse(headers=headers)
            response.content_length = len(body)
            await response.prepare(request)
            if fault == "slow":
                for place in range(len(body)):
                    await response.write(body[place : place + 1])
                    await asyncio.sleep(self._settings.slow_pause)
            else:
                await response.write(body[: len(body) // 2])
                if request.transport is not None:
                    request.transport.close()
                raise ConnectionResetError
        else:
            response = web.Response(body=body, headers=headers)
            await response.prepare(request)
        await response.write_eof()
        return response

    def _refused(self, request: web.Request, problem: Problem) -> web.Response:
        self._stats.statuses[str(problem.status)] += 1
        headers = self._headers(request)
        if problem.retry_after is not None:
            headers["retry-after"] = f"{problem.retry_after:g}"
        if problem.status == 502:
            return web.Response(status=502, body=HTML, headers=headers | {"Content-Type": "text/html"})
        request_id = headers.get("request-id", "")
        body = json.dumps(problem.body(anthropic=_is_anthropic(request), request_id=request_id)).encode()
        return web.Response(status=problem.status, body=body, headers=headers)

    def _headers(self, request: web.Request) -> dict[str, str]:
        limiter = self._limiter
        limit, remaining, reset = str(limiter.limit), str(limiter.remaining), limiter.reset
        if _is_anthropic(request):
            return {
                "Content-Type": "application/json",
                "request-id": new_id("req"),
                "anthropic-ratelimit-requests-limit": limit,
                "anthropic-ratelimit-requests-remaining": remaining,
                "anthropic-ratelimit-requests-reset": datetime.fromtimestamp(time.time() + reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        return {
            "Content-Type": "application/json",
            "x-request-id": new_id("req"),
            "x-ratelimit-limit-requests": limit,
            "x-ratelimit-remaining-requests": remaining,
            "x-ratelimit-reset-requests": _span(reset),
            "x-ratelimit-limit-tokens": str(100 * UNLIMITED),
            "x-ratelimit-remaining-tokens": str(100 * UNLIMITED - 1),
            "x-ratelimit-reset-tokens": "1ms",
        }

    def _check_key(self, request: web.Request) -> None:
        anthropic = _is_anthropic(request)
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        key = bearer if scheme.lower() == "bearer" else ""
        if anthropic:  # whose client of today sends its key as a bearer's
            key = request.headers.get("x-api-key") or key
        if not key or (self._settings.key and key != self._settings.key):
            raise wrong_key(key, anthropic=anthropic)

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response(self._stats.shown(bodies=self._settings.keep_bodies))

    async def _control(self, request: web.Request) -> web.Response:
        try:
            values = parse(await request.read())
            reset = isinstance(values.get("reset"), bool) and values.pop("reset")  # a number is the fault's probability
            self._settings.update(values)
        except (Problem, ValueError) as problem:
            return web.json_response({"error": str(problem)}, status=400)
        if reset or "seed" in values:
            self._rng.seed(self._settings.seed)
        if reset:
            self._stats.clear()
            self._limiter.clear()
            self._model.clear()
        return web.json_response(self._settings.shown())


async def _unknown(request: web.Request) -> web.StreamResponse:
    raise Problem(404, f"Invalid URL ({request.method} {request.path})")


def _is_anthropic(request: web.Request) -> bool:
    return request.path.startswith("/v1/messages")


def _abort(request: web.Request) -> None:
    """Have the kernel reset the connection instead of closing it."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def _span(seconds: float) -> str:
    """Return a time span as OpenAI's headers write it: 6m0s, 1s, 20ms."""
    if seconds < 1:
        return f"{round(1000 * seconds)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.0f}s" if minutes else f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
