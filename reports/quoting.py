"""Words of others, made fit for Markdown: one line, what breaks it escaped. Nothing is left out but what `limit` cuts."""

import re

from dialogue.visible import shown

JOINER = "\N{WORD JOINER}"  # invisible; keeps GitHub from making a link of @name and #1
_MARKDOWN = re.compile(r"[\\`*_\[\]|~$]|:(?=//)")  # the rest has a meaning at the start of a line only, where no quotation stands
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": f"@{JOINER}", "#": f"\\#{JOINER}"}


def clipped(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters, with an ellipsis where some were cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def one_line(text: str, limit: int) -> str:
    """Return a text as one line, fit to be shown."""
    return clipped(" ".join(shown(text).split()), limit)


def in_code(text: str) -> list[tuple[bool, str]]:
    """Split a text of ours at its backticks: what stood between two of them is code (True). What is odd stays as it is."""
    parts = re.split(r"`([\w .,:;=/'\"{}-]+)`", text)
    return [(at % 2 == 1, part) for at, part in enumerate(parts) if part]


def told_in_markdown(text: str, limit: int = 2_000) -> str:
    """Return a text of ours as Markdown: its code stays code, all else is escaped."""
    return "".join(f"`{part}`" if code else _escaped(part) for code, part in in_code(one_line(text, limit)))


def in_markdown(text: str, limit: int = 300) -> str:
    """Return a text as one line of GitHub's Markdown that shows just this text: no tag, link, mention, table cell or formula."""
    return _escaped(one_line(text, limit))


def _escaped(line: str) -> str:
    escaped = _MARKDOWN.sub(r"\\\g<0>", re.sub(r"[&<>@#]", lambda found: f"\0{ord(found[0])};", line))
    escaped = re.sub(r"\0(\d+);", lambda found: _ENTITIES[chr(int(found[1]))], escaped)
    return re.sub(r"(?i)(www)\.", r"\1\.", escaped)
