"""The prompt cache that the vendors bill by: which tokens were read from it and which written; entries do not age."""

from bounded import Bounded
from prompts import Prompt, tokens

ENTRIES = 200_000
STEP = 128  # tokens between two prefixes that OpenAI may find without being told
WRITTEN_MARKS, READ_MARKS = 4, 80  # the latest marks that OpenAI writes and looks up
LOOKBACK = 20  # blocks, the marked one among them, that Anthropic looks up for a mark


class CacheUse:
    """How a prompt meets the cache: tokens read, tokens newly written, and the entries to write once the answer is out."""

    __slots__ = ("entries", "read", "written")

    def __init__(self, read: int, written: int, entries: list[int]) -> None:
        self.read, self.written, self.entries = read, written, entries


class PromptCache:
    """Prefixes that have been sent before. A nonce in a prefix makes it another one, as it would for the vendor."""

    def __init__(self) -> None:
        self._known: Bounded[int, bool] = Bounded(ENTRIES)

    def look_up(self, prompt: Prompt, minimum: int, *, schema_first: bool) -> CacheUse:
        """Tell what of a prompt is cached and what it would write; nothing is written yet.

        Args:
            minimum: tokens below which a prefix is neither read nor written.
            schema_first: the schema is part of every prefix.
        """
        schema = prompt.schema_text if schema_first else ""
        start = hash((prompt.path, prompt.model, prompt.cache_key, schema))
        if prompt.caching == "implicit":
            ends = _steps(start, schema + prompt.text)
            readable = writable = list(range(len(ends)))
        else:
            marks = [place for place, part in enumerate(prompt.parts) if part.marked]
            if not marks:
                return CacheUse(0, 0, [])
            ends = _part_ends(start, len(schema), prompt)
            writable = marks[-WRITTEN_MARKS:]
            if prompt.caching == "explicit":
                readable = marks[-READ_MARKS:]
            else:
                readable = sorted({place for mark in marks for place in range(max(0, mark - LOOKBACK + 1), mark + 1)})
        read = next((ends[at][1] for at in reversed(readable) if ends[at][1] >= minimum and self._known.get(ends[at][0])), 0)
        entries = [ends[at] for at in writable if ends[at][1] >= minimum]
        written = max(0, entries[-1][1] - read) if entries else 0
        return CacheUse(read, written, [key for key, _ in entries])

    def write(self, use: CacheUse) -> None:
        """Make a prompt's entries readable."""
        for key in use.entries:
            self._known.put(key, True)

    def clear(self) -> None:
        """Forget all prefixes."""
        self._known.clear()


def _steps(key: int, text: str) -> list[tuple[int, int]]:
    """Return key and length in tokens of every prefix of whole steps."""
    ends = []
    for end in range(4 * STEP, len(text) + 1, 4 * STEP):
        key = hash((key, text[end - 4 * STEP : end]))
        ends.append((key, end // 4))
    return ends


def _part_ends(key: int, characters: int, prompt: Prompt) -> list[tuple[int, int]]:
    """Return key and length in tokens of the prefix that ends with each part."""
    ends = []
    for part in prompt.parts:
        key = hash((key, part.role, part.text))
        characters += len(part.text)
        ends.append((key, tokens(characters)))
    return ends
