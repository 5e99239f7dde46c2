"""Decides which request meets which fault, and which is one too many; independent of what the request says."""

import math
import random
import time
from collections import deque
from collections.abc import Sequence

from problems import Problem
from settings import FAULTS, Settings

UNLIMITED = 1_000_000  # what the headers say where there is no limit


class Faults:
    """Draws faults: the script first, then by the settings' probabilities.

    Args:
        settings: may change at any time.
        rng: what the draws come from.
    """

    def __init__(self, settings: Settings, rng: random.Random) -> None:
        self._settings, self._rng = settings, rng

    def draw(self, kinds: Sequence[str]) -> str | None:
        """Return the fault of the next request, among the kinds that it can meet; the script waits for one that can."""
        script = self._settings.script
        if script:
            if script[0] == "ok" or script[0] in kinds:
                fault = script.pop(0)
                return None if fault == "ok" else fault
            return None
        at = self._rng.random()
        for fault in FAULTS:
            at -= getattr(self._settings, fault)
            if at < 0:
                return fault if fault in kinds else None
        return None


class Limiter:
    """Lets `rpm` requests through per window, in the running; without rpm, all of them.

    Args:
        settings: may change at any time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._times: deque[float] = deque()

    @property
    def limit(self) -> int:
        """How many requests a window takes."""
        return self._settings.rpm or UNLIMITED

    @property
    def remaining(self) -> int:
        """How many more requests would get through now."""
        self._forget()
        return max(0, self.limit - len(self._times)) if self._settings.rpm else UNLIMITED - 1

    @property
    def reset(self) -> float:
        """Seconds until the whole limit is free again."""
        self._forget()
        return max(0.0, self._times[-1] + self._settings.rate_window - time.monotonic()) if self._times else 0.0

    def enter(self) -> None:
        """Let a request through.

        Raises:
            Problem: it is one too many.
        """
        if not self._settings.rpm:
            return
        self._forget()
        if len(self._times) >= self._settings.rpm:
            wait = self._times[-self._settings.rpm] + self._settings.rate_window - time.monotonic()
            message = f"Rate limit reached: {self._settings.rpm} requests per {self._settings.rate_window:g} s."
            raise Problem(429, message, code="rate_limit_exceeded", retry_after=max(1, math.ceil(wait)))
        self._times.append(time.monotonic())

    def clear(self) -> None:
        """Forget the requests let through."""
        self._times.clear()

    def _forget(self) -> None:
        while self._times and self._times[0] <= time.monotonic() - self._settings.rate_window:
            self._times.popleft()
