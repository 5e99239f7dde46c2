"""The form for chat models: rubric, transcript and question in one prompt, the answer a JSON object that fits a schema."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from dialogue.transcript import Role, Transcript, Turn
from judge.chat import ChatRequest
from judge.contract import Body, ChatModel
from judge.form import Form, Heard, Question
from judge.line import estimated_tokens
from judge.prompt import blocks, prompt_hash, question, system_text
from judge.reply import Malformed, read_answer
from judge.rubric import Rubric
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
            question=question(view, nonce, rubric),
            schema=schema_of(view, rubric),
            cache_key=_cache_key(self.prompt_hash, transcript),
            shared=shared,
        )
        rated = len(view.rated) * (WORDS_TOKENS + RATING_TOKENS * len(rubric.turn_criteria))
        rated += view.episode * (WORDS_TOKENS + RATING_TOKENS * len(rubric.episode))
        prefix = estimated_tokens("".join((self._system, *request.blocks[:-1])))
        return [Question(transcript, view, request, (nonce, request.cache_key), prefix, rated)]

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


def _cache_key(prompt: str, transcript: Transcript) -> str:
    """Return what tells a provider which requests to bring to the same cache.

    All requests about one transcript go to one of a few caches: turn by turn they share most, and all of them share the rubric.
    One cache for all would be asked more often than a single machine answers.
    """
    return f"judge-{prompt[:16]}-{int(transcript.content_hash(with_outcome=False)[:8], 16) % CACHES}"


def _hash(rubric: Rubric, system: str) -> str:
    """Return the identity of the prompt: everything that is put around a transcript, on a sample."""
    view = views(SAMPLE, rubric)[0]
    return prompt_hash((system, *blocks(SAMPLE, view, "", rubric), question(view, "", rubric), repr(schema_of(view, rubric)), WRONG))
