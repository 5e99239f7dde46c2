"""The connection to OpenAI, and to servers that speak its protocol, through the openai SDK on aiohttp; sends, and explains errors."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from judge.chat import Trouble
from judge.contract import Body, Send, Sent, Terms
from judge.keys import wiped
from judge.models.wire import seconds_until_more, trouble_of
from judge.verdict import FailureKind


@asynccontextmanager
async def client_of(terms: Terms, key: str, base_url: str | None = None) -> AsyncIterator[Any]:
    """Give the SDK's client with one pool of connections; retries and time limits are the gate's business, not the SDK's."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=terms.concurrency, max_keepalive_connections=terms.concurrency)
    http = openai.DefaultAioHttpClient(limits=limits, timeout=httpx2.Timeout(terms.timeout, pool=None))
    async with openai.AsyncOpenAI(api_key=key, base_url=base_url, http_client=http, max_retries=0, timeout=terms.timeout) as client:
        yield client


@asynccontextmanager
async def connected(terms: Terms, path: str, key: str, base_url: str | None = None) -> AsyncIterator[Send]:
    """Give a function that posts to `path`.

    The SDK's own method for bodies (`client.post`) is used, not its typed ones: they would build and check a tree of models
    for every answer, which costs more than everything else that we do with it.
    """
    import httpx2

    async with client_of(terms, key, base_url) as client:

        async def send(body: Body) -> Sent:
            with explained(key):
                response = await client.post(path, body=body, cast_to=httpx2.Response)
            return Sent(parsed(response.content, key), seconds_until_more(response.headers))

        yield send


@contextmanager
def explained(key: str) -> Iterator[None]:
    """Turn the SDK's errors into troubles."""
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise trouble_of(error.status_code, error.response.headers, error.body or error.response.text, key) from None
    except openai.APIConnectionError as error:
        raise unreachable(error, key) from None


def unreachable(error: Exception, key: str) -> Trouble:
    """Return the trouble of a connection that failed, broke or fell silent. The error itself is not chained: it holds the request."""
    cause = error.__cause__ or error
    told = wiped(f"{type(cause).__name__}: {cause}".rstrip(": "), key)
    return Trouble(FailureKind.UNREACHABLE, f"the connection failed ({told})", again=True)


def parsed(content: bytes, key: str) -> Body:
    """Return the JSON object of an answer; what is none was cut on its way, or is a proxy's page: asking again may help."""
    try:
        reply = json.loads(content)
    except ValueError:
        shown = wiped(content[:200].decode(errors="replace"), key)
        raise Trouble(FailureKind.TRUNCATED, f"the answer is not JSON: {shown!r}", again=True) from None
    if not isinstance(reply, dict):
        raise Trouble(FailureKind.MALFORMED, "the answer is not a JSON object", again=True)
    return reply
