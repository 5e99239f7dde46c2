"""What a frozen language model is told so that it carries out an action: prompts as data, one for an action, others by the state."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from dialogue import datafile
from dialogue.encoding import text_of

Text = Annotated[str, Field(strict=True, min_length=1)]


class ActionPrompt(BaseModel):
    """The prompt of one action; `when` has others, by the value of the book's field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Text
    when: dict[str, Text] = {}


class PromptBook(BaseModel):
    """Prompts for the actions of one environment.

    Attributes:
        field: which key of the state `when` goes by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    about: Text
    field: str | None = None
    actions: Annotated[dict[str, ActionPrompt], Field(min_length=1)]

    def prompt_for(self, action: str, state: Mapping[str, Any]) -> str | None:
        """Return what to put before the model; None where the book has no such action.

        `{name}` in a prompt is replaced by the state's value of that name; other braces stay as they are.
        """
        found = self.actions.get(action)
        if found is None:
            return None
        here = text_of(state[self.field]) if self.field is not None and self.field in state else ""
        text = found.when.get(here, found.prompt)
        for name, value in state.items():
            text = text.replace(f"{{{name}}}", text_of(value))
        return text


def shipped_books() -> dict[str, Path]:
    """Return the packaged prompt books by name."""
    return datafile.shipped("policies", "prompts")


def load_book(name: str | Path) -> PromptBook:
    """Return a prompt book by shipped name or path.

    Raises:
        UsageProblem: no such book, or the file is wrong.
    """
    return datafile.load(datafile.find(str(name), "prompt file", shipped_books()), PromptBook)


def book_for(manifest: Mapping[str, Any], actions: tuple[str, ...]) -> PromptBook | None:
    """Return the shipped book for a policy: named like the environment it was trained in, else one that has all its actions; or None."""
    books = shipped_books()
    env = manifest.get("env")
    if isinstance(env, str) and env in books:
        return load_book(env)
    return next((book for book in map(load_book, books) if set(actions) <= book.actions.keys()), None)
