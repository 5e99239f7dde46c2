"""What both forms of the debt call take as options, checked once; the tables themselves are `call_model`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialogue.encoding import Encoding, Field
from dialogue.environments.call_model import ENCODING, CallModel, call_model
from dialogue.environments.call_words import ACTIONS, LAST_TURN, OUTCOMES
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem, listed

EXTRA_FIELDS = (
    Field("prior_attempts", edges=(1, 2)),
    Field("objections_raised", edges=(1, 2)),
    Field("offers_made", edges=(1, 2)),
    Field("identity_verified", values=("false", "true")),
    Field("disclosure_done", values=("false", "true")),
)
EXTRAS = int(np.prod([field.size for field in EXTRA_FIELDS]))


@dataclass(frozen=True)
class DebtOptions:
    """A debt call as it is asked for.

    Attributes:
        worth: (outcomes, LAST_TURN + 1) what each of OUTCOMES is worth after that many agent turns.
        handling: weight of the simulated judge's rating of each turn; 0: it plays no part.
        extras: whether the five further fields are observed.
    """

    model: CallModel
    worth: NDArray[np.float64]
    handling: float
    extras: bool

    @property
    def encoding(self) -> Encoding:
        """How the logged state is counted."""
        return Encoding(ENCODING.fields + EXTRA_FIELDS) if self.extras else ENCODING

    @property
    def spaces(self) -> Spaces:
        """What is seen and what can be done."""
        encoding = self.encoding
        return Spaces(tuple(map(str, ACTIONS)), observations=encoding.size, width=encoding.width, encoding=encoding)


def debt_options(
    personas: str | Path | None = None,
    worth: NDArray[np.float64] | Sequence[Sequence[float]] | None = None,
    handling: float = 0.0,
    extras: bool = False,
) -> DebtOptions:
    """Return the options, checked.

    Raises:
        UsageProblem: no personas there, a wrong persona file, a worth of another shape or with holes, a handling that is no weight.
    """
    model = call_model(personas)
    table: NDArray[Any] = model.rules.worth() if worth is None else np.array(worth, float)
    expected = (len(OUTCOMES), LAST_TURN + 1)
    if table.shape != expected or not np.isfinite(table).all():
        wrong = f"has the shape {table.shape}" if table.shape != expected else "holds what is not a finite number"
        raise UsageProblem(
            f"worth {wrong}; it must be numbers of shape {expected}: a row for each of {listed(OUTCOMES)}, "
            f"a column for each number of agent turns from 0 to {LAST_TURN}"
        )
    if not 0 <= handling <= 10:
        raise UsageProblem(f"handling is {handling!r}; it must be a weight from 0 (the default: no part) to 10, such as 0.1")
    return DebtOptions(model, table, float(handling), bool(extras))
