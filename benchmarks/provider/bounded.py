"""A dictionary that forgets what was used longest ago; no expiry by time."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `limit` entries; what is looked up stays longer.

    Args:
        limit: how many entries are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the entry, and keep it longer for that."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Store an entry; the one that was used longest ago may go."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def pop_oldest(self) -> V:
        """Drop the entry that was used longest ago, and return it."""
        return self._entries.popitem(last=False)[1]

    def newest_first(self) -> list[V]:
        """Return all entries, the one stored or looked up last first."""
        return list(reversed(self._entries.values()))

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
