"""Several coroutines side by side, of which none is lost when one fails; knows nothing of what they do."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def together(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Return what the coroutines return. When one fails, the others still come home (they are paid for) before it is told."""
    coroutines = list(work)
    if len(coroutines) == 1:
        return [await coroutines[0]]
    results: list[Result] = []
    for result in await asyncio.gather(*coroutines, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results
