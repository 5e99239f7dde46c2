"""What the provider counts, as GET /stats shows it; never a key."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

from problems import Json
from replies import Usage

LAST_BODIES = 50


class Stats:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Start anew; what is in flight stays in flight."""
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.answered = self.duplicates = self.lines = self.connections = 0
        self.max_in_flight = self.in_flight
        self.usage = Usage(0, 0, 0, 0)
        self._connections: WeakSet[object] = WeakSet()
        self._last: deque[Json] = deque(maxlen=LAST_BODIES)

    def note_connection(self, transport: object) -> None:
        """Count a connection that has not been seen yet."""
        if transport not in self._connections:
            self._connections.add(transport)
            self.connections += 1

    def note_body(self, body: Json, *, keep: bool) -> None:
        """Keep a request's body, if that is wanted."""
        if keep:
            self._last.append(body)

    def add_usage(self, usage: Usage) -> None:
        """Count the tokens of a reply that was sent."""
        self.usage.input += usage.input
        self.usage.read += usage.read
        self.usage.written += usage.written
        self.usage.output += usage.output

    @contextmanager
    def flight(self) -> Iterator[None]:
        """Count a model request as in flight."""
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    def shown(self, *, bodies: bool) -> Json:
        """Return everything as JSON."""
        return {
            "requests": {"total": self.requests.total(), **self.requests},
            "statuses": dict(self.statuses),
            "answered": self.answered,
            "lines": self.lines,
            "faults": dict(self.faults),
            "duplicates": self.duplicates,
            "connections": self.connections,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "input_tokens": self.usage.input,
            "cached_tokens": self.usage.read,
            "written_tokens": self.usage.written,
            "output_tokens": self.usage.output,
            **({"last": list(self._last)} if bodies else {}),
        }
