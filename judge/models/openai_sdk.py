"""The connection to OpenAI, and to servers that speak its protocol, through the openai SDK on aiohttp; sends, and explains errors."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from judge.contract import Send, Terms
from judge.models.copies import Copies, unreachable
from judge.models.wire import trouble_of


@asynccontextmanager
async def client_of(terms: Terms, key: str, base_url: str | None = None) -> AsyncIterator[tuple[Any, Any]]:
    """Give the SDK's client and its HTTP client, with one pool of connections; retries and time limits are the gate's business."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=terms.concurrency, max_keepalive_connections=terms.concurrency)
    http = openai.DefaultAioHttpClient(limits=limits, timeout=httpx2.Timeout(terms.timeout, pool=None))
    async with openai.AsyncOpenAI(api_key=key, base_url=base_url, http_client=http, max_retries=0, timeout=terms.timeout) as client:
        yield client, http


@asynccontextmanager
async def connected(terms: Terms, path: str, key: str, base_url: str | None = None) -> AsyncIterator[Send]:
    """Give a function that posts to `path`."""
    import httpx2

    async with client_of(terms, key, base_url) as (client, http):

        async def first(content: bytes) -> Any:
            with explained(key):
                return await client.post(path, content=content, cast_to=httpx2.Response)

        yield Copies(http, first, key)


@contextmanager
def explained(key: str) -> Iterator[None]:
    """Turn the SDK's errors, and those of a stream that breaks (which the SDK passes on), into troubles."""
    import httpx2
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise trouble_of(error.status_code, error.response.headers, error.body or error.response.text, key) from None
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        raise unreachable(error, key) from None
