"""Parameters as scikit-learn has them: read off `__init__`, got, set and shown by name, so that `sklearn.base.clone` works too."""

from inspect import signature
from typing import Any, Self

from dialogue.errors import UsageProblem, did_you_mean, listed


class Parameters:
    """What a learner is told: every parameter of `__init__` is kept under its own name, unchanged."""

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

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({given})"
