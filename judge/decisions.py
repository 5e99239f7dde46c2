"""The form for OpenAI's Decisions API: every agent turn × criterion is a typed question, its answer a distribution over levels."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeGuard

from dialogue.errors import UsageProblem
from dialogue.transcript import Transcript
from judge.chat import ChatReply, ChatRequest, Trouble
from judge.contract import Body, ChatModel, Judge, Send, Terms
from judge.form import CacheUse, Form, Heard, Question
from judge.keys import need_key
from judge.line import estimated_tokens
from judge.llm import LLMJudge
from judge.models.openai import KEY, MARK, usage_of
from judge.models.openai_sdk import connected
from judge.models.spec import ModelSpec, read_spec
from judge.prompt import blocks, closing, decision_text, prompt_hash
from judge.reply import Malformed, Part, moments
from judge.rubric import Criterion, Rubric, StateCriterion
from judge.schema import EPISODE, names_of
from judge.structured import SAMPLE
from judge.verdict import FailureKind, Rating, Usage
from judge.view import View, views

MOST_QUESTIONS = 400  # in one request
MOST_LEVELS = 10
SUM_SLACK = 0.02  # by which probabilities may miss 1


def make_decisions_judge(rubric: Rubric, rest: str, terms: Terms) -> Judge:
    """Return the judge of `--judge openai-decisions:MODEL`.

    Raises:
        UsageProblem: no model is named, or the rubric has a longer scale than the API takes.
    """
    for criterion in (*rubric.turn_criteria, *rubric.episode):
        if len(criterion.levels) > MOST_LEVELS:
            raise UsageProblem(f"criterion {criterion.name!r} has {len(criterion.levels)} levels; the Decisions API takes {MOST_LEVELS}")
    return LLMJudge(rubric, Decisions(rubric, DecisionModel(read_spec("openai-decisions", rest, ("echo",)))), terms)


class DecisionModel(ChatModel):
    """The Decisions API as a model: it has no text, so `body` and `read` of chats are not for it."""

    provider = "openai-decisions"
    can_drop: Mapping[str, tuple[str, ...]] = {
        "cache marks": ("prompt_cache_options", "prompt_cache_breakpoint"),
        "cache key": ("prompt_cache_key",),
    }

    def __init__(self, spec: ModelSpec) -> None:
        self.model, self.echo, self.sampling = spec.model, spec.echo or spec.model, spec.sampling

    def body(self, request: ChatRequest, without: Collection[str] = ()) -> Body:
        raise TypeError("a decision model does not chat")

    def read(self, reply: Body) -> ChatReply:
        raise TypeError("a decision model does not chat")

    def usage(self, reply: Body) -> Usage:
        return usage_of(reply)

    def connected(self, terms: Terms) -> AbstractAsyncContextManager[Send]:
        return connected(terms, "/decisions", need_key(KEY, terms.environ))


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a request: the criterion of an agent turn, or of the episode (turn None)."""

    turn: int | None
    of: str  # the turn's name
    criterion: Criterion | StateCriterion

    @property
    def name(self) -> str:
        return f"{self.of}.{self.criterion.name}"

    def as_json(self) -> Body:
        of = "the episode as a whole" if self.turn is None else f"agent turn {self.of} of the transcript"
        levels = [{"label": str(value), "description": text} for value, text in _levels(self.criterion)]
        return {"type": "score", "name": self.name, "instructions": f"Rate {of}. {self.criterion.question}", "levels": levels}


@dataclass(frozen=True, slots=True)
class Batch:
    """The content of one request."""

    blocks: tuple[str, ...]
    asked: tuple[Asked, ...]
    shared: bool


class Decisions(Form):
    """Asks a decision model. It gives no reasons: a rating's reason names the likeliest level and its probability."""

    def __init__(self, rubric: Rubric, model: DecisionModel) -> None:
        self.model = model
        self._rubric = rubric
        self._system = decision_text(rubric)
        sample = self.questions(SAMPLE, views(SAMPLE, rubric)[0], "", shared=False)
        self.prompt_hash = prompt_hash([self._system, *(repr((q.content.blocks, [a.as_json() for a in q.content.asked])) for q in sample)])

    def questions(self, transcript: Transcript, view: View, nonce: str, *, shared: bool) -> Sequence[Question]:
        rubric = self._rubric
        names = names_of(transcript)
        asked = [Asked(turn, names[turn], criterion) for turn in view.rated for criterion in rubric.turn_criteria]
        asked += [Asked(None, EPISODE, criterion) for criterion in rubric.episode if view.episode]
        shown = (*blocks(transcript, view, nonce, rubric), closing(nonce))
        split = [tuple(asked[at : at + MOST_QUESTIONS]) for at in range(0, len(asked), MOST_QUESTIONS)]
        many = shared or len(split) > 1
        return [Question(transcript, view, Batch(shown, part, many), (nonce,), 0) for part in split]

    def cache_use(self, question: Question) -> CacheUse:
        known = estimated_tokens("".join((self._system, *question.content.blocks[:-2])))
        name = question.varying[0] if question.content.shared else self._system
        return CacheUse(name, (name,), known, known)

    def body(self, question: Question, without: Collection[str] = ()) -> Body:
        batch: Batch = question.content
        marks = "cache marks" not in without
        last = len(batch.blocks) - 2  # the closing line comes after it
        parts = [_text(block, mark=marks and batch.shared and last - 1 <= k <= last) for k, block in enumerate(batch.blocks)]
        turns = [{"role": "developer", "content": [_text(self._system, mark=marks)]}, {"role": "user", "content": parts}]
        body: Body = {"model": self.model.model, "input": turns, "questions": [asked.as_json() for asked in batch.asked]}
        if marks:
            body["prompt_cache_options"] = {"mode": "explicit"}
        if "cache key" not in without:
            body["prompt_cache_key"] = f"judge-{self.prompt_hash[:24]}"
        return body

    def read(self, question: Question, reply: Body) -> Heard:
        batch: Batch = question.content
        answers = reply.get("answers")
        if not isinstance(answers, list) or len(answers) != len(batch.asked):
            count = len(answers) if isinstance(answers, list) else "no"
            raise Malformed(f"{count} answers to {len(batch.asked)} questions")
        turns: dict[int, dict[str, Rating]] = {}
        episode: dict[str, Rating] = {}
        for asked, answer in zip(batch.asked, answers, strict=True):
            ratings = episode if asked.turn is None else turns.setdefault(asked.turn, {})
            ratings[asked.criterion.name] = _rating(asked, answer, usage_of(reply))
        return Heard(Part(turns, episode), str(reply.get("model") or ""))

    def again(self, question: Question, reply: Body, wrong: str) -> Question | None:
        return None


def _rating(asked: Asked, answer: Any, usage: Usage) -> Rating:
    kind = answer.get("type") if isinstance(answer, dict) else None
    if kind == "refusal":
        raise Trouble(FailureKind.REFUSED, f"the model declined the question {asked.name}", usage=usage)
    if kind != "score" or answer.get("name") not in (None, asked.name):
        told = answer.get("name") if isinstance(answer, dict) else None
        raise Malformed(f"the answer to {asked.name} is a {kind!r} named {told!r}")
    chances = _chances(asked, answer.get("probabilities"))
    mean, spread = moments(chances)
    likeliest = max(chances, key=lambda level: chances[level])
    sentence = dict(_levels(asked.criterion))[likeliest]
    return Rating(value=mean, spread=spread, reason=f"{sentence} ({chances[likeliest]:.0%} likely)")


def _chances(asked: Asked, given: Any) -> dict[int, float]:
    """Return the probability of each level, in the order of the scale; the labels are ours."""
    labels = {str(value): value for value, _ in _levels(asked.criterion)}
    chances = dict.fromkeys(labels.values(), 0.0)
    for entry in given if isinstance(given, list) else ():
        label, chance = (entry.get("label"), entry.get("probability")) if isinstance(entry, dict) else (None, None)
        if not isinstance(label, str) or label not in labels or not _is_chance(chance):
            raise Malformed(f"{asked.name}: label {label!r} with probability {chance!r}; expected labels {', '.join(labels)}")
        chances[labels[label]] += chance
    total = sum(chances.values())
    if abs(total - 1) > SUM_SLACK:
        raise Malformed(f"{asked.name}: the probabilities sum to {total:g}")
    return {level: chance / total for level, chance in chances.items()}


def _is_chance(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _levels(criterion: Criterion | StateCriterion) -> Iterator[tuple[int, str]]:
    return enumerate(criterion.levels, start=criterion.scale.low)


def _text(text: str, *, mark: bool = False) -> Body:
    part: Body = {"type": "input_text", "text": text}
    return part | {"prompt_cache_breakpoint": MARK} if mark else part
