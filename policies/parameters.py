"""Parameters as scikit-learn has them: read off `__init__`, got, set and shown by name, so that `sklearn.base.clone` works too."""

from dataclasses import dataclass
from inspect import signature
from sys import float_info
from typing import Any, ClassVar, Self

from dialogue.errors import UsageProblem, did_you_mean, listed


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from `low` to `high`, both included: all but infinity if nothing is said, and never NaN."""

    low: float = -float_info.max
    high: float = float_info.max

    def __contains__(self, given: float) -> bool:
        return self.low <= given <= self.high

    def __str__(self) -> str:
        if self.high < float_info.max:
            return f"{self.low:g} to {self.high:g}"
        return "any finite number" if self.low == -float_info.max else f"{self.low:g} or more"


FINITE, SHARE, COUNT, NOT_NEGATIVE, ABOVE_0 = Span(), Span(0, 1), Span(1), Span(0), Span(1e-12)
Allowed = dict[str, Span | tuple[str, ...]]


class Parameters:
    """What a learner is told: every parameter of `__init__` is kept under its own name, unchanged.

    Attributes:
        allowed: what numbers and words may be, by parameter. Schedules have checks of their own.
    """

    allowed: ClassVar[Allowed] = {"steps": COUNT, "envs": COUNT}

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Raises:
            UsageProblem: there is no parameter of that name.
        """
        names = self._names()
        for name, value in params.items():
            if name not in names:
                raise UsageProblem(f"{type(self).__name__} has no parameter {name!r}{did_you_mean(name, names)}; it has {listed(names)}")
            setattr(self, name, value)
        return self

    def see_allowed(self, learner: str) -> None:
        """See that every parameter is what `allowed` says, or None, which leaves it to a default.

        Raises:
            UsageProblem: one is not; the message names the learner by this name.
        """
        for name, allowed in self.allowed.items():
            given = getattr(self, name)
            if given is not None and given not in allowed:
                told = allowed if isinstance(allowed, Span) else " or ".join(allowed)
                raise UsageProblem(f"{name} of learner {learner} is {given!r}; it may be {told}")

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({given})"
