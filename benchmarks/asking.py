"""Speed of asking a language model, beside a raw client and the vendor's SDK on the same work: `python benchmarks/asking.py`.

Every client rates each agent turn and the episode of the same made-up dialogues, against the fake provider (`benchmarks/provider`),
in a process of its own; wall and CPU time count from the first dialogue to the last, imports left out. `ideal` is
requests x latency / concurrency. Peers: `raw` posts the very bodies that judge posts over one aiohttp session and only parses the
answers' JSON; `sdk` is the official AsyncOpenAI client in a loop, one request a rating, as most frameworks ask.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dialogue import Transcript
from judge.batch import rate_all
from judge.contract import Terms
from judge.judges import make_judge
from judge.ledger import Ledger
from judge.llm import LLMJudge
from judge.rubric import Rubric, load_rubric, shipped_rubrics
from judge.verdict import Verdict

HERE = Path(__file__).parent
RUBRIC = """
name = "courtesy"
about = "How an agent treats a customer on a call."
[[turn]]
name = "courteous"
question = "Is the turn courteous, and does it take up what the customer has just said?"
levels = ["Rude.", "Cold, or past the point.", "Civil.", "Courteous and to the point.", "Warm, and takes up every point."]
[[episode]]
name = "handled_well"
question = "Was the call handled as well as this customer allowed?"
levels = ["Bungled.", "Poor.", "Adequate.", "Good.", "As well as it could be."]
"""
CLIENTS = ("raw=openai:m", "judge=openai:m", "judge=openai-decisions:m", "judge=anthropic:m", "sdk")
TURNS = ("judge-turn=openai:m", "judge-turn=anthropic:m", "judge=openai:m")
USER = (
    "I got your letter, and I lost my job in March, so I cannot pay all of it.",
    "I could do {n} dollars on the 15th, but no more than that this month.",
    "Why do you ask me again? I have told you what I can pay.",
    "Fine. Send it to me in writing, please, I want to read it first.",
)
AGENT = (
    "Thank you for telling me. Losing a job is hard. Let us see what would work for you, call {n}.",
    "So {n} dollars on the 15th. I can note that, and we look at it again next month.",
    "You are right, you said so. I will not ask again. Shall I send the plan by mail?",
    "I will send it today. You will have it by Friday, and you can call me if anything is unclear.",
)


def dialogues(count: int) -> Iterator[Transcript]:
    """Yield made-up calls of 4 to 8 agent turns, no two alike."""
    for n in range(count):
        turns = []
        for k in range(4 + n % 5):
            turns.append({"role": "user", "text": f"{USER[(n + k) % 4].format(n=n)} (call {n})"})
            turns.append({"role": "agent", "text": AGENT[(n + k) % 4].format(n=n)})
        yield Transcript.model_validate({"id": str(n), "turns": turns})


def rubric(unit: str, folder: Path) -> Rubric:
    """Return the benchmark's rubric."""
    path = folder / f"{unit}.toml"
    if unit == "turn":  # the shipped rubric is as long as real ones are, and prompt caches take nothing short
        text = shipped_rubrics()["collections"].read_text(encoding="utf-8")
        path.write_text(text.replace("sees_outcome = false", 'unit = "turn"'), encoding="utf-8")
    else:
        path.write_text(RUBRIC, encoding="utf-8")
    return load_rubric(path)


@contextmanager
def provider(*flags: str) -> Iterator[str]:
    """Run the fake provider; give its address."""
    command = [sys.executable, str(HERE / "provider"), "--port", "0", *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()


def control(url: str, **settings: Any) -> None:
    """Change the provider's settings."""
    data = json.dumps(settings).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/control", data, {"content-type": "application/json"})).read()


def stats(url: str) -> dict[str, Any]:
    """Return the provider's counts."""
    return dict(json.load(urllib.request.urlopen(f"{url}/stats")))


def cpu() -> float:
    """Return this process's CPU seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run_judge(count: int, concurrency: int, spec: str, unit: str) -> int:
    """Rate by judge, ledger on disk; return the number of ratings."""
    with tempfile.TemporaryDirectory() as folder:
        judge = make_judge(spec, rubric(unit, Path(folder)), Terms(concurrency=concurrency))
        with Ledger(Path(folder) / "ledger.db") as ledger:
            answers = [answer for _, answer in rate_all(dialogues(count), judge, ledger)]
            return sum(len(answer.turns) + 1 for answer in answers if isinstance(answer, Verdict))


def bodies(count: int, spec: str, unit: str) -> list[dict[str, Any]]:
    """Return what judge would post."""
    with tempfile.TemporaryDirectory() as folder:
        judge = make_judge(spec, rubric(unit, Path(folder)))
        assert isinstance(judge, LLMJudge)
        return [
            judge.form.body(question)
            for transcript in dialogues(count)
            for step in judge.questions(transcript)
            for question in step
        ]  # fmt: skip


async def run_raw(prompts: list[dict[str, Any]], concurrency: int) -> int:
    """Post the bodies over one aiohttp session; return the number of ratings."""
    import aiohttp

    url = os.environ["OPENAI_BASE_URL"] + "/responses"
    headers = {"authorization": f"Bearer {os.environ['OPENAI_API_KEY']}", "content-type": "application/json"}
    rated = 0
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=concurrency)) as session:

        async def post(body: dict[str, Any]) -> None:
            nonlocal rated
            async with session.post(url, data=json.dumps(body)) as response:
                reply = json.loads(await response.read())
            rated += len(json.loads(reply["output"][0]["content"][0]["text"]))

        await side_by_side(post, prompts, concurrency)
    return rated


async def run_sdk(transcripts: list[Transcript], concurrency: int, system: str) -> int:
    """Ask one question a rating through AsyncOpenAI; return the number of ratings."""
    import openai

    schema = {"type": "object", "properties": {"reason": {"type": "string"}, "rating": {"type": "integer", "enum": [1, 2, 3, 4, 5]}}}
    form = {"type": "json_schema", "name": "rating", "schema": schema | {"required": ["reason", "rating"], "additionalProperties": False}}
    asked = [(transcript, turn) for transcript in transcripts for turn in (*transcript.agent_turns, None)]
    rated = 0
    async with openai.AsyncOpenAI() as client:

        async def ask(pair: tuple[Transcript, int | None]) -> None:
            nonlocal rated
            transcript, turn = pair
            shown = transcript.turns if turn is None else transcript.turns[: turn + 1]
            lines = "\n".join(json.dumps({"turn": k, "role": said.role, "text": said.text}) for k, said in enumerate(shown))
            question = "the call as a whole" if turn is None else f"agent turn {turn}"
            prompt = f"{lines}\nRate {question}."
            reply = await client.responses.create(model="m", instructions=system, input=prompt, text={"format": form})  # type: ignore[arg-type]
            rated += "rating" in json.loads(reply.output_text)

        await side_by_side(ask, asked, concurrency)
    return rated


async def side_by_side(work: Any, items: list[Any], concurrency: int) -> None:
    """Run `work` on every item, so many at a time."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(concurrency)))


def system_prompt() -> str:
    """Return the rubric as judge words it."""
    with tempfile.TemporaryDirectory() as folder:
        judge = make_judge("openai:m", rubric("dialogue", Path(folder)))
        assert isinstance(judge, LLMJudge)
        return str(judge.questions(next(dialogues(1)))[0][0].content.system)


def client(name: str, count: int, concurrency: int) -> dict[str, float]:
    """Run one client in this process; return ratings, wall and CPU seconds, and peak memory."""
    import aiohttp  # noqa: F401 - imports are not what is measured
    import anthropic  # noqa: F401
    import httpx2  # noqa: F401
    import openai  # noqa: F401

    kind, _, spec = name.partition("=")
    unit = "turn" if kind == "judge-turn" else "dialogue"
    if kind == "raw":
        prompts = bodies(count, spec, unit)
    began, used = time.perf_counter(), cpu()
    if kind == "raw":
        ratings = asyncio.run(run_raw(prompts, concurrency))
    elif kind == "sdk":
        ratings = asyncio.run(run_sdk(list(dialogues(count)), concurrency, system_prompt()))
    else:
        ratings = run_judge(count, concurrency, spec, unit)
    wall, used = time.perf_counter() - began, cpu() - used
    return {"ratings": ratings, "wall": wall, "cpu": used, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def measured(name: str, count: int, concurrency: int, url: str) -> dict[str, float]:
    """Run one client in a process of its own; return its figures with the provider's."""
    control(url, reset=True)
    env = os.environ | {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "sk-benchmark",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-benchmark",
        "PYTHONPATH": str(HERE.parent),
    }
    command = [sys.executable, __file__, "--client", name, "--dialogues", str(count), "--concurrency", str(concurrency)]
    work = None
    if name.startswith("openevals="):
        command = [name.removeprefix("openevals="), str(HERE / "openevals_peer.py")]
        turns = [[{"role": turn.role, "text": turn.text} for turn in call.turns] for call in dialogues(count)]
        work = json.dumps({"dialogues": turns, "system": system_prompt(), "concurrency": concurrency})
    found = json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True, input=work).stdout)
    counted = stats(url)
    requests = counted["requests"]["total"]
    return found | {
        "requests": requests,
        "tokens": counted["input_tokens"] / count,
        "cached": counted["cached_tokens"] / max(1, counted["input_tokens"]),
        "connections": counted["connections"],
    }


def table(url: str, options: argparse.Namespace, names: tuple[str, ...], concurrency: int, count: int) -> None:
    """Print a row for each client."""
    for name in names:
        f = measured(name, count, concurrency, url)
        ideal = f["requests"] * options.latency / concurrency
        cells = (
            name.partition("=")[0] if name.startswith("openevals") else name,
            concurrency,
            f"{count:,}",
            f"{f['requests']:,}",
            f"{f['wall']:.2f}",
            f"{f['wall'] / ideal:.2f}" if ideal else "",
            f"{f['ratings'] / f['wall']:,.0f}",
            f"{1000 * f['cpu'] / f['requests']:.2f}",
            f"{1000 * f['cpu'] / f['ratings']:.2f}",
            f"{f['tokens']:,.0f}",
            f"{f['cached']:.0%}",
            f"{f['mb']:.0f}",
        )
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, default=800)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, nargs="*", default=[32, 64])
    parser.add_argument("--clients", nargs="*", default=CLIENTS)
    parser.add_argument("--openevals", metavar="PYTHON", help="also run openevals, by an interpreter that has it")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        print(json.dumps(client(options.client, options.dialogues, options.concurrency[0])))
        return
    head = "client|in flight|dialogues|requests|wall s|/ ideal|ratings/s|CPU ms/request|CPU ms/rating|tokens/dialogue|cached|peak MB".split(
        "|"
    )
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    with provider("--latency", str(options.latency)) as url:
        for concurrency in options.concurrency:
            table(url, options, tuple(name for name in options.clients if name != "sdk"), concurrency, options.dialogues)
            slow = ("sdk",) * ("sdk" in options.clients) + ((f"openevals={options.openevals}",) if options.openevals else ())
            table(url, options, slow, concurrency, options.dialogues // 4)
        if tuple(options.clients) == CLIENTS:
            table(url, options, TURNS[:2], 32, options.dialogues // 4)  # turn by turn, with the rubric `collections`
            table(url, options, TURNS[2:], 64, 4 * options.dialogues)  # memory


if __name__ == "__main__":
    main()
