"""The pretended model: from a request's body to a vendor's reply, with what it costs; no HTTP, no batch."""

import json
import marshal
import random
from dataclasses import dataclass
from pathlib import Path

from bounded import Bounded
from decisions import beside_questions, decide, refuse
from labels import Labels, Opinion
from plans import Plans, fill
from problems import Json, Problem, rejected
from prompt_cache import CacheUse, PromptCache
from prompts import Prompt, compact, read_prompt, tokens
from replies import REPLIES, Answer, Usage
from settings import Settings
from spoiling import beside_schema, break_off
from stats import Stats
from transcript import Shown, without_nonce

ANSWERED = 200_000  # requests that are remembered, to know one that comes again
NO_SCHEMA = "I cannot find a schema."


@dataclass(slots=True)
class Reply:
    """A reply that is ready to be sent, and what is to be noted once it has been."""

    body: bytes
    usage: Usage
    good: bool
    content: int  # hash of the request without its nonce
    cache_use: CacheUse


class Model:
    """Answers requests.

    Args:
        settings: may change at any time.
        rng: all that is drawn by chance.
        stats: where answers are counted.
    """

    def __init__(self, settings: Settings, rng: random.Random, stats: Stats) -> None:
        self._settings, self._rng, self._stats = settings, rng, stats
        self._plans = Plans()
        self._cache = PromptCache()
        self._answered: Bounded[int, bool] = Bounded(ANSWERED)
        self._spoilt = 0
        self._labels: dict[str, Labels] = {}

    def note(self, path: str, body: Json) -> int:
        """Note that a request has come, and return the hash of what it asks."""
        self._stats.note_body(body, keep=self._settings.keep_bodies)
        canonical = marshal.dumps(sorted(body.items()), 2)  # a fast way to bytes; 2: without references, so equal for equal bodies
        content = hash((path, without_nonce(canonical.decode("latin-1"))))
        self._stats.duplicates += content in self._answered
        return content

    def answer(self, path: str, body: Json, content: int, fault: str | None, *, batch: bool = False) -> Reply:
        """Return the reply to a request, with a fault in its answer where one is named.

        Args:
            content: what `note` returned for the request.
            batch: the request is a line of a batch.

        Raises:
            Problem: the request is not one that the vendor would answer.
        """
        for param in self._settings.rejects:
            if _holds(body, param):
                raise rejected(param, anthropic=path == "/v1/messages")
        try:
            return self._reply(path, body, content, fault, batch=batch)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            # what reads a body trusts its types
            raise Problem(400, f"Invalid body: {type(error).__name__}: {error}") from error

    def sent(self, reply: Reply) -> None:
        """Note that a reply has reached the client."""
        self._cache.write(reply.cache_use)
        self._stats.add_usage(reply.usage)
        if reply.good:
            self._stats.answered += 1
            self._answered.put(reply.content, True)

    def clear(self) -> None:
        """Forget the prompts cached and the requests answered."""
        self._cache.clear()
        self._answered.clear()
        self._spoilt = 0

    def _reply(self, path: str, body: Json, content: int, fault: str | None, *, batch: bool) -> Reply:
        settings = self._settings
        prompt = read_prompt(path, body)
        cache_use = self._cache.look_up(prompt, settings.cache_min, schema_first=settings.schema_in_prefix)
        usage = Usage(prompt.tokens, cache_use.read, cache_use.written, 0)
        answer = self._decide(prompt, body, usage, fault) if path == "/v1/decisions" else self._write(prompt, usage, fault)
        if fault == "wrong_model":
            answer.model = "someone-else-1"
        usage.output = tokens(len(answer.text))
        reply = REPLIES[path](body, answer, batch=batch)
        if fault == "invalid_json" and path == "/v1/decisions":
            reply = break_off(reply)
        return Reply(reply.encode(), answer.usage, fault is None, content, cache_use)

    def _write(self, prompt: Prompt, usage: Usage, fault: str | None) -> Answer:
        """Return the answer as a text, filled in where there is a schema."""
        plan = self._plans.of(prompt) or (NO_SCHEMA,)
        shown = Shown(prompt.text)
        pieces = fill(plan, shown, self._settings.seed, self._settings.noise, self._rng, self._opinion(shown))
        text = "".join(pieces)
        if fault in (None, "wrong_model"):
            return Answer(prompt.model, text, usage, plan=plan, pieces=pieces)
        return Answer(prompt.model, _spoilt_text(text, fault, self._next_way(fault)), usage, how=fault)

    def _opinion(self, shown: Shown) -> Opinion | None:
        """Return what the model thinks of a dialogue, where it was given labels to go by."""
        settings = self._settings
        if not settings.labels:
            return None
        if settings.labels not in self._labels:
            self._labels = {settings.labels: Labels(Path(settings.labels))}
        return Opinion(self._labels[settings.labels].of(shown), settings.label_noise, settings.label_drift, self._rng)

    def _decide(self, prompt: Prompt, body: Json, usage: Usage, fault: str | None) -> Answer:
        """Return the answers to the questions of a request."""
        answers = decide(body["questions"], Shown(prompt.text), self._settings.seed, self._settings.noise, self._rng)
        if fault:
            answers = _spoilt_decisions(answers, fault, self._next_way(fault))
        return Answer(prompt.model, compact(answers), usage, how=fault)

    def _next_way(self, fault: str | None) -> int:
        """Return in which way the next answer misses its schema."""
        self._spoilt += fault == "wrong_schema"
        return self._spoilt - 1


def parse(raw: bytes | str) -> Json:
    """Return a request's body.

    Raises:
        Problem: it is not a JSON object.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "We could not parse the JSON body of your request.")
    return body


def _holds(body: Json, param: str) -> bool:
    holder: object = body
    for name in param.split("."):
        if not isinstance(holder, dict) or holder.get(name) is None:
            return False
        holder = holder[name]
    return True


def _spoilt_text(text: str, fault: str | None, way: int) -> str:
    if fault == "wrong_schema":
        return beside_schema(text, way)
    return break_off(text) if fault in ("invalid_json", "truncated") else ""


def _spoilt_decisions(answers: list[Json], fault: str, way: int) -> list[Json]:
    if fault == "wrong_schema":
        return beside_questions(answers, way)
    if fault == "refusal":
        return [refuse(answers[0]), *answers[1:]]
    return {"empty": [], "truncated": answers[: len(answers) // 2]}.get(fault, answers)
