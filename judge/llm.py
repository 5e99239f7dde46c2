"""The judge that asks a language model: views of a transcript become requests, their answers a verdict or a failure."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from dialogue.errors import UsageProblem
from dialogue.installed import installed
from dialogue.transcript import Transcript
from judge.chat import Trouble
from judge.contract import MODELS, Body, Judge, ModelMaker, Replies, Sent, Terms
from judge.form import Form, Question
from judge.line import SHAPES, Call, Line, make_call
from judge.prices import Price
from judge.prompt import new_nonce
from judge.recording import load
from judge.reply import Malformed, Part
from judge.rubric import Rubric, Unit
from judge.structured import Structured
from judge.together import together
from judge.verdict import FailureKind, JudgeFailure, JudgeId, Rating, TurnRatings, Usage, Verdict
from judge.view import TooLong, views

SPARE = 8  # transcripts beside those whose requests are in flight: prompts that are ready when a request may go out
RAW_CHARS = 4000  # of an answer that a failure keeps


def make_chat_judge(rubric: Rubric, name: str, rest: str, terms: Terms) -> Judge:
    """Return the judge that asks the chat model `name:rest` (an entry point of `judge.models`)."""
    maker: ModelMaker = installed(MODELS)[name].load()
    return LLMJudge(rubric, Structured(rubric, maker(rest, terms)), terms, spec=f"{name}:{rest}")


class NoReplies:
    """Nothing was paid for before."""

    def reply(self, key: str) -> Body | None:
        return None

    def keep(self, key: str, reply: Body) -> None:
        pass

    def forget(self, keys: Iterable[str]) -> None:
        pass


class LLMJudge:
    """Rates by asking a model in one of the forms. `rate` connects by itself; `connected` keeps one connection for many."""

    def __init__(self, rubric: Rubric, form: Form, terms: Terms, *, spec: str = "") -> None:
        model = form.model
        self.spec = spec  # as after --judge
        self.rubric = rubric
        self.terms = terms
        self.form = form
        self.id = JudgeId(
            provider=model.provider,
            model=model.echo,
            rubric=rubric.name,
            rubric_hash=rubric.hash,
            prompt_hash=form.prompt_hash,
            sampling=model.sampling,
        )
        self.price: Price | None = terms.prices.price_of(model.provider, model.model)
        if terms.meter.budget_usd is not None and self.price is None and terms.replay is None:
            raise UsageProblem(
                f"--budget-usd needs a price for {model.provider}/{model.model}, which the price table does not have; add it to a copy "
                "(judge/prices.toml shows the form) and name that with --prices, or limit by --max-requests"
            )

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        """Return the verdict, over a connection of its own."""
        async with self.connected(NoReplies()) as rater:
            return await rater.rate(transcript, repeat)

    @asynccontextmanager
    async def connected(self, replies: Replies) -> AsyncIterator["Rater"]:
        """Give a rater with one pool of connections."""
        if self.terms.replay is not None:
            recorded = Recording(self.terms.replay)
            yield Rater(self, Line(self.form.model, self.price, self.terms, _unheard, recorded), recorded)
            return
        async with self.form.model.connected(self.terms) as send:
            yield Rater(self, Line(self.form.model, self.price, self.terms, send, replies), replies)

    def questions(self, transcript: Transcript) -> list[list[Question]]:
        """Return what is asked about a transcript, in steps: what is in one step may be asked at the same time.

        Raises:
            TooLong: a turn does not fit into a request.
        """
        nonce = new_nonce()
        shown = views(transcript, self.rubric)
        asked = [list(self.form.questions(transcript, view, nonce, shared=len(shown) > 1)) for view in shown]
        # Turn by turn, each request reads from the prompt cache what the one before it wrote: they go one after the other.
        return asked if self.rubric.unit is Unit.TURN else [[question for group in asked for question in group]]

    def call(self, question: Question, repeat: int) -> Call:
        """Return the request as it is sent."""
        return make_call(lambda without: self.form.body(question, without), question.varying, repeat, question.output)


class Rater:
    """A judge with its line open."""

    def __init__(self, judge: LLMJudge, line: Line, replies: Replies) -> None:
        self.id, self.rubric = judge.id, judge.rubric
        self.line = line
        self.width = judge.terms.concurrency + SPARE
        self._judge, self._replies = judge, replies

    def stop(self) -> None:
        """Send nothing new; what is in flight comes home."""
        self.line.gate.close()

    @property
    def in_flight(self) -> int:
        """Requests that are out."""
        return self.line.gate.in_flight

    async def rate(self, transcript: Transcript, repeat: int = 0) -> Verdict | JudgeFailure:
        """Return the ratings of every agent turn and of the episode, or why there are none."""
        rating = _Rating(self._judge, self.line, self._replies, repeat)
        try:
            parts: list[Part] = []
            for step in self._judge.questions(transcript):
                parts += await together(rating.answer(question) for question in step)
        except TooLong as error:
            return self._failure(FailureKind.TOO_LONG, str(error), rating.usage)
        except Malformed as error:
            return self._failure(FailureKind.MALFORMED, str(error), rating.usage, next(iter(getattr(error, "__notes__", ())), None))
        except Trouble as trouble:
            return self._failure(trouble.kind, trouble.detail, rating.usage, trouble.raw)
        self._replies.forget(rating.keys)
        turns: dict[int, dict[str, Rating]] = {}
        episode: dict[str, Rating] = {}
        for part in parts:
            for turn, ratings in part.turns.items():
                turns[turn] = turns.get(turn, {}) | ratings
            episode |= part.episode
        rated = tuple(TurnRatings(turn=turn, ratings=turns[turn]) for turn in sorted(turns))
        return Verdict(judge=self.id, turns=rated, episode=episode, usage=rating.usage)

    def _failure(self, kind: FailureKind, detail: str, usage: Usage, raw: str | None = None) -> JudgeFailure:
        return JudgeFailure(judge=self.id, kind=kind, detail=detail, raw=raw and raw[:RAW_CHARS], usage=usage)


class _Rating:
    """The rating of one transcript under way: which answers it is made of, and what they cost."""

    def __init__(self, judge: LLMJudge, line: Line, replies: Replies, repeat: int) -> None:
        self.usage = Usage()
        self.keys: list[str] = []
        self._judge, self._line, self._replies, self._repeat = judge, line, replies, repeat

    async def answer(self, question: Question) -> Part:
        """Return the ratings that one request brings; a malformed answer is shown to the model once."""
        used: list[str] = []
        try:
            reply = await self._ask(question, used)
            try:
                return self._read(question, reply)
            except Malformed as error:
                again = self._judge.form.again(question, reply, str(error))
                if again is None:
                    raise
            return self._read(again, await self._ask(again, used))
        except (Malformed, Trouble, UsageProblem):
            self._replies.forget(used)  # the next run is to ask again, not to read the same again
            raise

    async def _ask(self, question: Question, used: list[str]) -> Body:
        call = self._judge.call(question, self._repeat)
        reply, batched = await self._line.ask(call)
        used.append(call.key)
        self.keys.append(call.key)
        self.usage += self._line.usage(reply, batched=batched)
        return reply

    def _read(self, question: Question, reply: Body) -> Part:
        try:
            heard = self._judge.form.read(question, reply)
        except Malformed:
            raise
        except SHAPES as error:
            raise Trouble(FailureKind.MALFORMED, f"an answer of another shape ({type(error).__name__}: {error})") from None
        self._line.check_echo(heard.model)
        return heard.part


class Recording:
    """Answers of a recording, as replies that were paid for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _, self._replies = load(path)

    def reply(self, key: str) -> Body | None:
        """Return the answer.

        Raises:
            UsageProblem: the recording has none.
        """
        if key not in self._replies:
            raise UsageProblem(
                f"the recording {self._path} has no answer to the request {key[:16]}: the transcript, the rubric, the prompt or the "
                "options are not those that were recorded; make a new one with --record"
            )
        return self._replies[key]

    def keep(self, key: str, reply: Body) -> None:
        pass

    def forget(self, keys: Iterable[str]) -> None:
        pass


async def _unheard(content: bytes) -> Sent:
    raise AssertionError("a replay sends nothing")
