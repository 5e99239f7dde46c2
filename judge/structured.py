"""The form for chat models: rubric, transcript and question in one prompt, the answer a JSON object that fits a schema."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from dialogue.transcript import Role, Transcript, Turn
from judge.chat import ChatRequest
from judge.contract import Body, ChatModel
from judge.form import CacheUse, Form, Heard, Question
from judge.line import estimated_tokens
from judge.prompt import blocks, prompt_hash, question, system_text
from judge.reply import Malformed, read_answer
from judge.rubric import Rubric, Unit
from judge.schema import schema_of
from judge.view import View, views

WORDS_TOKENS, RATING_TOKENS = 70, 8  # of an answer: for quote and reason, and for each rating
WRONG = "That is not what was asked for: {wrong}. Answer once more, with the whole JSON object and nothing else."
CACHES = 16
SAMPLE = Transcript(id="sample", turns=(Turn(role=Role.USER, text="?"), Turn(role=Role.AGENT, text="!")))


class Structured(Form):
    """Asks a chat model; a malformed answer is shown to it once, with what is wrong."""

    def __init__(self, rubric: Rubric, model: ChatModel) -> None:
        self.model = model
        self._rubric = rubric
        self._system = system_text(rubric)
        self.prompt_hash = _hash(rubric, self._system)

    def questions(self, transcript: Transcript, view: View, nonce: str, *, shared: bool) -> Sequence[Question]:
        rubric = self._rubric
        request = ChatRequest(
            system=self._system,
            blocks=blocks(transcript, view, nonce, rubric),
            question=question(transcript, view, nonce, rubric),
            schema=schema_of(transcript, view, rubric),
            cache_key=_cache_key(self.prompt_hash, transcript, rubric),
            shared=shared,
        )
        rated = len(view.rated) * (WORDS_TOKENS + RATING_TOKENS * len(rubric.turn_criteria))
        rated += view.episode * (WORDS_TOKENS + RATING_TOKENS * len(rubric.episode))
        return [Question(transcript, view, request, (nonce, request.cache_key), rated)]

    def cache_use(self, question: Question) -> CacheUse:
        request: ChatRequest = question.content
        head, at = repr(request.schema) + self._system, len(request.blocks)
        if not request.shared:
            return CacheUse(head, (head,), estimated_tokens(head), estimated_tokens(head))
        nonce = question.varying[0]
        known = "".join((head, *request.blocks[:-1]))
        reads = head if at == 1 else f"{nonce}-{at - 1}"
        return CacheUse(reads, (head, f"{nonce}-{at}"), estimated_tokens(known), estimated_tokens(known + request.blocks[-1]))

    def body(self, question: Question, without: Collection[str] = ()) -> Body:
        return self.model.body(question.content, without)

    def read(self, question: Question, reply: Body) -> Heard:
        said = self.model.read(reply)
        try:
            part = read_answer(said.text, question.view, question.transcript, self._rubric, said.tokens)
        except Malformed as error:
            error.add_note(said.text)
            raise
        return Heard(part, said.model)

    def again(self, question: Question, reply: Body, wrong: str) -> Question | None:
        if question.content.exchange:
            return None
        answer = self.model.read(reply).text
        return replace(question, content=question.content.again(answer, WRONG.format(wrong=wrong)))


def _cache_key(prompt: str, transcript: Transcript, rubric: Rubric) -> str:
    """Return what tells a provider which requests to bring to the same cache.

    Whole dialogues share the rubric. Turn by turn, the requests about one transcript share most: they go to one of a few caches,
    since one for all would be asked more often than a single machine answers.
    """
    if rubric.unit is Unit.DIALOGUE:
        return f"judge-{prompt[:16]}"
    return f"judge-{prompt[:16]}-{int(transcript.content_hash(with_outcome=False)[:8], 16) % CACHES}"


def _hash(rubric: Rubric, system: str) -> str:
    """Return the identity of the prompt: everything that is put around a transcript, on a sample."""
    view = views(SAMPLE, rubric)[0]
    asked = question(SAMPLE, view, "", rubric), repr(schema_of(SAMPLE, view, rubric))
    return prompt_hash((system, *blocks(SAMPLE, view, "", rubric), *asked, WRONG))
