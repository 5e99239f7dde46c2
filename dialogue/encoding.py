"""A controller's logged state as a number: named fields with their values or edges, counted through as one index; no learning here."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dialogue.errors import InputProblem, UsageProblem, did_you_mean, listed

LARGEST = 1_000_000  # distinct observations; more do not belong into a table


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a logged state.

    Attributes:
        values: what a category may be, in order; texts as they are, other JSON values as JSON writes them.
        edges: of a number, rising: it falls into the bucket after the last edge that it reaches. A field has values or edges.
    """

    name: str
    values: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """How many values or buckets there are."""
        return len(self.edges) + 1 if self.edges else len(self.values)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the values or buckets are called, in order, such as `negative`, `< 4`, `4 to 7`, `>= 7`."""
        if not self.edges:
            return self.values
        first, last = f"< {self.edges[0]:g}", f">= {self.edges[-1]:g}"
        inner = (f"{low:g} to < {high:g}" for low, high in zip(self.edges, self.edges[1:], strict=False))
        return (first, *inner, last)

    def at(self, value: Any) -> int:
        """Return the number of the value or bucket.

        Raises:
            InputProblem: a value that is not known, or no number where edges are.
        """
        if self.edges:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InputProblem(f"state {self.name!r} is {value!r}", "a number")
            return bisect_right(self.edges, value)
        text = text_of(value)
        if text not in self.values:
            raise InputProblem(f"state {self.name!r} is {text!r}{did_you_mean(text, self.values)}", f"one of {listed(self.values)}")
        return self.values.index(text)


@dataclass(frozen=True)
class Encoding:
    """Fields, counted through as one index: the last field runs fastest."""

    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        """How many distinct observations there are."""
        size = 1
        for field in self.fields:
            size *= field.size
        return size

    @property
    def width(self) -> int:
        """How long a feature vector is: one place for every value of every field."""
        return sum(field.size for field in self.fields)

    @cached_property
    def features(self) -> NDArray[np.float64]:
        """The feature vector of every observation, one-hot field by field: shape (size, width)."""
        digits = np.indices([field.size for field in self.fields]).reshape(len(self.fields), -1)
        return np.hstack([np.eye(field.size)[digit] for field, digit in zip(self.fields, digits, strict=True)])

    def index(self, state: Mapping[str, Any]) -> int:
        """Return the number of a logged state; keys that no field names are not looked at.

        Raises:
            InputProblem: a field is missing, or its value is not known.
        """
        at = 0
        for field in self.fields:
            if field.name not in state:
                raise InputProblem(f"the state has no {field.name!r}", f"the fields {listed(field.name for field in self.fields)}")
            at = at * field.size + field.at(state[field.name])
        return at

    def labels(self, index: int) -> dict[str, str]:
        """Return what an observation is, field by field, in words."""
        found: dict[str, str] = {}
        for field in reversed(self.fields):
            index, digit = divmod(index, field.size)
            found[field.name] = field.labels[digit]
        return {field.name: found[field.name] for field in self.fields}

    def grown(self, states: Iterable[Mapping[str, Any]]) -> Self:
        """Return the encoding with the values that `states` have beside its own, at the end of each field: old values keep their place.

        Raises:
            UsageProblem: more distinct observations than a table should have.
        """
        seen: list[dict[str, None]] = [dict.fromkeys(field.values) for field in self.fields]
        for state in states:
            for values, field in zip(seen, self.fields, strict=True):
                if not field.edges and field.name in state:
                    values[text_of(state[field.name])] = None
        fields = tuple(
            field if field.edges else replace(field, values=tuple(values)) for values, field in zip(seen, self.fields, strict=True)
        )
        made = replace(self, fields=fields)
        if made.size > LARGEST:
            sizes = listed(f"{field.name} ({field.size})" for field in fields)
            raise UsageProblem(
                f"the state fields {sizes} make {made.size:,} observations; at most {LARGEST:,}: name fewer fields, or give numbers edges"
            )
        return made

    def moved_to(self, other: Self) -> NDArray[np.intp]:
        """Return, for each observation of this encoding, its index in `other`, which was grown from it."""
        digits = np.indices([field.size for field in self.fields]).reshape(len(self.fields), -1)
        at = np.zeros(self.size, np.intp)
        for digit, field in zip(digits, other.fields, strict=True):
            at = at * field.size + digit
        return at

    def as_data(self) -> list[dict[str, Any]]:
        """Return it as JSON values."""
        return [{"name": f.name} | ({"edges": list(f.edges)} if f.edges else {"values": list(f.values)}) for f in self.fields]

    @classmethod
    def from_data(cls, data: Iterable[Mapping[str, Any]]) -> Self:
        """Return what `as_data` made JSON values of."""
        return cls(tuple(Field(f["name"], tuple(f.get("values", ())), tuple(f.get("edges", ()))) for f in data))


def text_of(value: Any) -> str:
    """Return a JSON value as a category's text: a text as it is, others as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value)
