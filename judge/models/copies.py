"""Posts many bodies to one address as copies of a request that the vendor's SDK made; knows no vendor."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from judge.chat import Trouble
from judge.contract import Body, Sent
from judge.keys import wiped
from judge.models.wire import seconds_until_more, trouble_of
from judge.verdict import FailureKind

if TYPE_CHECKING:
    import httpx2

OWN = (b"content-length", b"transfer-encoding", b"idempotency-key", b"x-stainless-retry-count")  # headers of one request only


class Copies:
    """Sends the first body by the SDK, which knows address, key and headers, and every other as a copy of that request.

    The SDK's way through a request (options, headers, URLs, models of the answer) takes several times the CPU of the request
    itself; a copy takes the pool, the address and the headers, and nothing else of it.

    Args:
        http: the SDK's HTTP client.
        first: posts a body by the SDK.
        key: what must never be shown.
    """

    def __init__(self, http: httpx2.AsyncClient, first: Callable[[bytes], Awaitable[httpx2.Response]], key: str) -> None:
        self._http, self._first, self._key = http, first, key
        self._copy: Callable[[bytes], httpx2.Request] | None = None
        http.event_hooks = {"request": [self._seen]}

    async def _seen(self, request: httpx2.Request) -> None:
        if self._copy is None and request.method == "POST":
            headers = type(request.headers)([(name, value) for name, value in request.headers.raw if name.lower() not in OWN])
            self._copy = partial(self._made, request, headers)
            self._http.event_hooks = {}

    @staticmethod
    def _made(pattern: httpx2.Request, headers: httpx2.Headers, content: bytes) -> httpx2.Request:
        return type(pattern)("POST", pattern.url, headers=headers, content=content, extensions=pattern.extensions)

    async def __call__(self, content: bytes) -> Sent:
        """Return the answer; see `Send`."""
        import httpx2

        try:
            response = await (self._http.send(self._copy(content)) if self._copy else self._first(content))
        except httpx2.TransportError as error:
            raise unreachable(error, self._key) from None
        if response.status_code != 200:
            raise trouble_of(response.status_code, response.headers, _error_of(response.content), self._key)
        return Sent(parsed(response.content, self._key), seconds_until_more(response.headers))


def unreachable(error: Exception, key: str) -> Trouble:
    """Return the trouble of a connection that failed, broke or fell silent. The error itself is not chained: it holds the request."""
    cause = error.__cause__ or error
    told = wiped(f"{type(cause).__name__}: {cause}".rstrip(": "), key)
    return Trouble(FailureKind.UNREACHABLE, f"the connection failed ({told})", again=True)


def _error_of(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode(errors="replace")


def parsed(content: bytes, key: str) -> Body:
    """Return the JSON object of an answer; what is none was cut on its way, or is a proxy's page: asking again may help."""
    try:
        reply = json.loads(content)
    except (ValueError, RecursionError):
        shown = wiped(content.decode(errors="replace"), key)[:200]
        raise Trouble(FailureKind.TRUNCATED, f"the answer is not JSON: {shown!r}", again=True) from None
    if not isinstance(reply, dict):
        raise Trouble(FailureKind.MALFORMED, "the answer is not a JSON object", again=True)
    if b"\\ud" in content.lower():  # perhaps half a surrogate pair, which nothing could store
        return dict(json.loads(json.dumps(reply, ensure_ascii=False).encode(errors="replace")))
    return reply
