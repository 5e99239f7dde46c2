"""The two ways to put a rubric to a provider, as one protocol: what is asked for a view, and what an answer to it says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dialogue.transcript import Transcript
from judge.contract import Body, ChatModel
from judge.reply import Part
from judge.view import View


@dataclass(frozen=True, slots=True)
class CacheUse:
    """What a request shares with others in a prompt cache, by names of beginnings: it reads one, and leaves some there.

    `known` and `whole` are the tokens of what it reads and of the longest that it leaves, estimated.
    """

    reads: str
    leaves: tuple[str, ...]
    known: int
    whole: int


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a form about a `view` of a transcript; `content` is the form's own.

    `varying` are texts in it that make no other question of it, such as the nonce.
    """

    transcript: Transcript
    view: View
    content: Any
    varying: tuple[str, ...]
    output: int  # tokens of the answer, estimated


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer says: ratings, and the name of the model that gave it."""

    part: Part
    model: str


class Form(Protocol):
    """A way to ask. Pure but for the connection of its model."""

    model: ChatModel
    prompt_hash: str

    def questions(self, transcript: Transcript, view: View, nonce: str, *, shared: bool) -> Sequence[Question]:
        """Return the requests that rate a view; `shared` if other views of the transcript are asked too."""

    def cache_use(self, question: Question) -> CacheUse:
        """Return what a request will find in a prompt cache, and leave there."""

    def body(self, question: Question, without: Collection[str] = ()) -> Body:
        """Return a request as the provider's JSON."""

    def read(self, question: Question, reply: Body) -> Heard:
        """Return what an answer says.

        Raises:
            Malformed: it is not what was asked for.
            Trouble: it is no answer.
        """

    def again(self, question: Question, reply: Body, wrong: str) -> Question | None:
        """Return the request that asks once more and shows what was wrong, or None where that makes no sense."""
