"""The fastest judge framework that we know, openevals, on the work of `asking.py`: one request a rating, one client shared.

Run by `asking.py --openevals PYTHON`, where PYTHON is an interpreter that has openevals: it is no dependency of ours. Reads the
dialogues from standard input, prints its figures as JSON.
"""

import asyncio
import json
import resource
import sys
import time
from typing import Any

from openai import AsyncOpenAI
from openevals.llm import create_async_llm_as_judge

PROMPT = """{system}

<transcript>
{inputs}
</transcript>

Rate {outputs}."""


async def main() -> None:
    """Rate every agent turn and every dialogue."""
    given = json.load(sys.stdin)
    system = given["system"].replace("{", "{{").replace("}", "}}")
    evaluate = create_async_llm_as_judge(
        prompt=PROMPT.replace("{system}", system), feedback_key="rating", model="m", judge=AsyncOpenAI(), choices=[1.0, 2.0, 3.0, 4.0, 5.0]
    )
    asked = []
    for turns in given["dialogues"]:
        agent = [k for k, turn in enumerate(turns) if turn["role"] == "agent"]
        for k in [*agent, None]:
            shown = turns if k is None else turns[: k + 1]
            lines = "\n".join(json.dumps({"turn": at, **turn}) for at, turn in enumerate(shown))
            asked.append((lines, "the call as a whole" if k is None else f"agent turn {k}"))
    queue, rated = iter(asked), 0

    async def worker() -> None:
        nonlocal rated
        for lines, what in queue:
            result: Any = await evaluate(inputs=lines, outputs=what)
            rated += result["score"] is not None

    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.gather(*(worker() for _ in range(given["concurrency"])))
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    print(json.dumps({"ratings": rated, "wall": time.perf_counter() - began, "cpu": cpu, "mb": now.ru_maxrss / 1024}))


asyncio.run(main())
