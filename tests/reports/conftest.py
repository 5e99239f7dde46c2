"""Reads pages as a browser would, and says whether they are sound: one file, well-formed, running nothing, asking nobody."""

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

VOID = {"meta", "br", "hr", "link", "img"}
NASTY = (
    "<script>alert('1')</script> ]]> \"quoted\" `code` | [a](http://x.y) @who #1 $5 "
    "\u202eright to left\u202c \x00\x1b[31m \ud800 &lt;\r\n**b**"
)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, its attributes, its text. Every tag must be closed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def page() -> Callable[[str], Page]:
    """Return a reader of pages."""
    return Page


@pytest.fixture
def sound() -> Callable[[str], Page]:
    """Return a reader of whole pages of ours that checks what holds for all of them."""

    def read(html: str) -> Page:
        found = Page(html)
        assert found.open == []
        assert not {"script", "iframe", "img", "link", "object", "a"} & set(found.tags)
        assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("href", "src")]
        assert "url(" not in html
        assert "@import" not in html
        assert {"main", "h1", "h2", "title"} <= set(found.tags)
        assert html.count('role="img"') == html.count("<title>") - 1  # every drawing has a title; one is the page's own
        assert found.tags.count("table") == found.tags.count("caption")
        names = [value for name, value in found.attributes if name == "id"]
        assert len(names) == len(set(names))
        assert all(value in names for name, value in found.attributes if name == "aria-labelledby")
        return found

    return read


@pytest.fixture
def nasty() -> str:
    """Return words that break pages which do not escape."""
    return NASTY
