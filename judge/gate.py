"""When a request may go out: bounded concurrency that gives way to the provider, rate caps, retries. Knows nothing of what is asked."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable

from judge.chat import Trouble
from judge.contract import Sent, Terms
from judge.verdict import FailureKind

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0  # seconds of back-off
LONGEST_WISH = 120.0  # seconds of a server's Retry-After that are honoured


class Stopped(Exception):
    """The run is ending: what is in flight comes home, nothing new goes out."""


class Gate:
    """Lets requests through, at most `terms.concurrency` at a time.

    The number in flight follows the share of requests that the provider turns away as too many, as in data-centre TCP
    (RFC 8257): after each round of as many answers as may be in flight, it falls by half of that share and grows by one times the
    rest. A few scattered refusals cost little, a closed door halves it round by round.
    """

    def __init__(self, terms: Terms) -> None:
        self.limit = float(terms.concurrency)
        self.in_flight = self.most_in_flight = self.retries = 0
        self._terms = terms
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._round = self._turned_away = 0
        self._next_request = self._next_token = self._opens = 0.0
        self._stopping: asyncio.Event | None = None

    async def run(self, send: Callable[[], Awaitable[Sent]], tokens: int) -> Sent:
        """Send when it is time, and again while that may help.

        Args:
            send: sends the request once.
            tokens: what the request is thought to count against `tpm`.

        Raises:
            Trouble: no answer, after all retries.
            Stopped: the gate was closed before an answer came.
        """
        for attempt in range(self._terms.max_retries + 1):
            await self._pace(tokens)
            await self._enter()
            throttled = False
            try:
                async with asyncio.timeout(self._terms.timeout):
                    sent = await send()
                self._opens = max(self._opens, time.monotonic() + sent.wait) if sent.wait else self._opens
                return sent
            except TimeoutError:
                trouble = Trouble(FailureKind.TIMED_OUT, f"no answer within {self._terms.timeout:g} s", again=True)
            except Trouble as raised:
                trouble, throttled = raised, raised.throttled
            finally:
                self._leave(throttled)
            if not trouble.again:
                raise trouble
            if attempt == self._terms.max_retries:
                trouble.detail += f" ({attempt + 1} times)" if attempt else ""
                raise trouble
            self.retries += 1
            await self._rest(self.delay(attempt, trouble.after))
        raise AssertionError("unreachable")

    @staticmethod
    def delay(attempt: int, wish: float | None) -> float:
        """Return the seconds to wait after the failed attempt number `attempt` (from 0): the server's wish, else a jittered back-off."""
        if wish is not None:
            return min(wish, LONGEST_WISH) * random.uniform(1.0, 1.1)  # noqa: S311 - not a secret
        return min(LONGEST_DELAY, FIRST_DELAY * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311

    def close(self) -> None:
        """Let nothing new out. What is in flight comes home."""
        self._stop().set()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(Stopped())
        self._waiting.clear()

    def _stop(self) -> asyncio.Event:
        if self._stopping is None:
            self._stopping = asyncio.Event()
        return self._stopping

    async def _rest(self, seconds: float) -> None:
        """Sleep, or raise `Stopped` as soon as the gate closes."""
        if self._stop().is_set():
            raise Stopped
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._stop().wait(), seconds)
        except TimeoutError:
            return
        raise Stopped

    async def _pace(self, tokens: int) -> None:
        """Wait until the caps on requests and tokens, and the provider's headers, allow one more."""
        now = at = time.monotonic()
        if self._terms.rpm:
            at = max(at, self._next_request)
            self._next_request = at + 60.0 / self._terms.rpm
        if self._terms.tpm:
            at = max(at, self._next_token)
            self._next_token = at + 60.0 * tokens / self._terms.tpm
        await self._rest(max(at, self._opens) - now)

    async def _enter(self) -> None:
        if self._waiting or self.in_flight >= int(self.limit):
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled() and not waiter.exception():
                    self._release()
                raise
            return
        self._take()

    def _take(self) -> None:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def _leave(self, throttled: bool) -> None:
        self._round += 1
        self._turned_away += throttled
        if self._round >= int(self.limit):
            share = self._turned_away / self._round
            self.limit = min(self._terms.concurrency, max(1.0, self.limit * (1 - share / 2) + 1 - share))
            self._round = self._turned_away = 0
        self._release()

    def _release(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < int(self.limit):
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._take()
                waiter.set_result(None)
