"""A text in which everything can be seen: hidden characters become their number, line ends become line feeds. Nothing is left out."""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Controls (but tab and line feed), those that turn the order of writing round, those that hide letters (tags), the byte order mark.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_FORBIDDEN = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # no character at all: forbidden in XML or in UTF-8


def shown(text: str) -> str:
    """Return a text in which every character can be seen and none is forbidden in XML or HTML.

    Line ends become line feeds; controls and hidden characters become their number, such as ⟨U+202E⟩.
    """
    text = re.sub(r"\r\n?|[\u2028\u2029\x85]", "\n", text)
    text = _FORBIDDEN.sub(REPLACEMENT, text)
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
