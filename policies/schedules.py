"""Step sizes and exploration as they change with time or visits: small frozen data read from text; what they are used for is not here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialogue.errors import UsageProblem, did_you_mean, listed
from policies.experience import Floats

EXACT = 65_536  # visits up to which many small steps are put together exactly; beyond, they hardly differ from each other


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    value: float

    def at(self, step: int, visits: NDArray[Any]) -> Floats:
        """Return the value after `step` steps in all, for each number of visits (same shape)."""
        return np.full(visits.shape, self.value)

    def together(self, step: int, visits: NDArray[Any], times: NDArray[Any]) -> Floats:
        """Return the one step that equals `times` steps towards the same target, after `visits` earlier ones: 1 - (1 - a)^times."""
        return np.asarray(1 - (1 - self.value) ** times, float)

    def __str__(self) -> str:
        return f"{self.value!r}"


@dataclass(frozen=True, slots=True)
class Linear:
    """From `start` to `end` in equal parts over the first `over` steps, then `end`."""

    start: float
    end: float
    over: float

    def at(self, step: int, visits: NDArray[Any]) -> Floats:
        """As of `Constant`."""
        return np.full(visits.shape, self.now(step))

    def together(self, step: int, visits: NDArray[Any], times: NDArray[Any]) -> Floats:
        """As of `Constant`."""
        return np.asarray(1 - (1 - self.now(step)) ** times, float)

    def now(self, step: int) -> float:
        """Return the value after `step` steps in all."""
        return self.start + (self.end - self.start) * min(1.0, step / self.over)

    def __str__(self) -> str:
        return f"linear:{self.start!r}:{self.end!r}:{self.over!r}"


@dataclass(frozen=True, slots=True)
class Exponential:
    """From `start` towards `end`; what is left of the way halves every `half` steps."""

    start: float
    end: float
    half: float

    def at(self, step: int, visits: NDArray[Any]) -> Floats:
        """As of `Constant`."""
        return np.full(visits.shape, self.now(step))

    def together(self, step: int, visits: NDArray[Any], times: NDArray[Any]) -> Floats:
        """As of `Constant`."""
        return np.asarray(1 - (1 - self.now(step)) ** times, float)

    def now(self, step: int) -> float:
        """Return the value after `step` steps in all."""
        return float(self.end + (self.start - self.end) * 0.5 ** (step / self.half))

    def __str__(self) -> str:
        return f"exponential:{self.start!r}:{self.end!r}:{self.half!r}"


@dataclass(frozen=True)
class Visits:
    """`k ** -power` at the k-th visit, never below `floor`: with 0.5 < power <= 1 and floor 0 the steps of Robbins and Monro (1951)."""

    power: float
    floor: float = 0.0

    def at(self, step: int, visits: NDArray[Any]) -> Floats:
        """As of `Constant`; of no visit it is 1."""
        steps: Floats = np.maximum(np.maximum(visits, 1) ** -float(self.power), self.floor)
        return steps

    def together(self, step: int, visits: NDArray[Any], times: NDArray[Any]) -> Floats:
        """As of `Constant`: exact at the floor and up to 65,536 visits; beyond, the step in the middle for all of them."""
        logs, floored = _log_left(self.power, self.floor)
        last = len(logs) - 1
        end, begin = np.minimum(visits + times, last), np.minimum(visits, last)
        beyond = times - (end - begin)
        tail = np.log1p(-self.at(step, np.maximum(visits + times - (beyond - 1) / 2, 2))) if floored is None else floored
        left = logs.take(end) - logs.take(begin) + beyond * tail
        made: Floats = np.where((visits == 0) & (times > 0), 1.0, -np.expm1(left))
        return made

    def __str__(self) -> str:
        return f"visits:{self.power!r}:{self.floor!r}"


Schedule = Constant | Linear | Exponential | Visits
Scheduled = float | str  # how a schedule stands among a learner's parameters


@lru_cache(maxsize=64)
def _log_left(power: float, floor: float) -> tuple[Floats, float | None]:
    """Return the log of what visits 2..k leave of an old value, for k = 0, 1, 2 …, and of what a later one leaves, if all leave the same.

    The first visit leaves nothing and is not counted.
    """
    powers = np.arange(2, EXACT + 1, dtype=float) ** -power
    floored = bool(powers[-1] <= floor)
    if floored:
        powers = powers[: np.count_nonzero(powers > floor) + 1]
    steps = np.clip(powers, floor, 1 - 1e-16)
    return np.concatenate([[0.0, 0.0], np.log1p(-steps).cumsum()]), float(np.log1p(-min(floor, 1 - 1e-16))) if floored else None


_FORMS: dict[str, tuple[Callable[..., Schedule], int, int, str]] = {
    "constant": (Constant, 1, 1, "constant:VALUE"),
    "linear": (Linear, 3, 3, "linear:START:END:STEPS"),
    "exponential": (Exponential, 3, 3, "exponential:START:END:HALF_LIFE"),
    "visits": (Visits, 1, 2, "visits:POWER:FLOOR"),
}


@lru_cache(maxsize=256)
def schedule(given: Scheduled) -> Schedule:
    """Return the schedule that a number or a text such as `0.1`, `linear:1:0.05:20000`, `visits:0.8:0.005` stands for.

    `str` of a schedule is a text that gives the same schedule again.

    Raises:
        UsageProblem: a text that is no schedule, or a value outside of [0, 1].
    """
    kind, *rest = str(given).strip().split(":")
    if kind not in _FORMS:
        kind, rest = ("constant", [kind]) if not rest and _number(kind) is not None else (kind, rest)
    if kind not in _FORMS:
        forms = listed(form for *_, form in _FORMS.values())
        raise UsageProblem(f"{given!r} is no schedule{did_you_mean(kind, _FORMS)}; write a number, or one of {forms}")
    make, least, most, form = _FORMS[kind]
    numbers = [_number(text) for text in rest]
    if not least <= len(numbers) <= most or any(number is None for number in numbers):
        raise UsageProblem(f"schedule {given!r} is not of the form {form}; numbers are expected after {kind!r}")
    made = make(*numbers)
    if isinstance(made, Constant):
        shares = [made.value]
    elif isinstance(made, Visits):
        shares = [made.floor]
    else:
        shares = [made.start, made.end]
    if not all(0 <= share <= 1 for share in shares):
        raise UsageProblem(f"schedule {given!r} leaves the range; values from 0 to 1 are allowed")
    if (isinstance(made, Linear) and made.over <= 0) or (isinstance(made, Exponential) and made.half <= 0):
        raise UsageProblem(f"schedule {given!r} takes no time; the last number of {form} must be above 0 (steps)")
    if isinstance(made, Visits) and made.power <= 0:
        raise UsageProblem(f"schedule {given!r} does not fall; the power must be above 0, for example visits:0.8:0.005")
    return made


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
