"""A policy as a table that a person can read: for each observation the actions with value, probability and count; 100 columns."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialogue.encoding import Encoding
from dialogue.errors import InputProblem, UsageProblem, did_you_mean, listed
from policies.contract import Policy
from policies.experience import Floats
from policies.table import TablePolicy

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One observation.

    Attributes:
        state: what it is, field by field; its number alone where no state stands behind it.
        probs: of each action.
        values: of each action, or None.
        counts: how often each was tried, or None.
    """

    observation: int
    state: dict[str, str]
    probs: tuple[float, ...]
    values: tuple[float, ...] | None
    counts: tuple[int, ...] | None

    @property
    def best(self) -> int:
        """The most probable action; of equally probable ones the more valuable."""
        return max(range(len(self.probs)), key=lambda k: (round(self.probs[k], 9), self.values[k] if self.values else 0.0))

    @property
    def seen(self) -> int | None:
        """How often the observation was met, or None where nobody counted."""
        return None if self.counts is None else sum(self.counts)


def rows_of(policy: Policy, wanted: Sequence[str] = ()) -> tuple[list[Row], int]:
    """Return the observations that training met, and how many it never met.

    Args:
        policy: over discrete observations and actions.
        wanted: `field=value` texts; only observations that fit all of them.

    Raises:
        UsageProblem: a table cannot show the policy, or a field or value is unknown.
    """
    spaces = policy.spaces
    if spaces.observations is None or spaces.continuous:
        what = "vectors" if spaces.observations is None else "met one by one, but its actions are numbers"
        raise UsageProblem(f"what this policy observes is {what}: there is no table to show; ask it with `judge policy act --state`")
    chosen = _fitting(spaces.encoding, spaces.observations, wanted)
    probs = _probs(policy, chosen)
    values, counts = (policy.values, policy.counts) if isinstance(policy, TablePolicy) else (None, None)
    rows, unseen = [], 0
    for k, at in enumerate(chosen.tolist()):
        if counts is not None and not counts[at].any():
            unseen += 1
            continue
        state = spaces.encoding.labels(at) if spaces.encoding else {"observation": str(at)}
        rows.append(
            Row(
                at,
                state,
                tuple(probs[k].tolist()),
                None if values is None else tuple(values[at].tolist()),
                None if counts is None else tuple(counts[at].tolist()),
            )
        )
    return rows, unseen


def _probs(policy: Policy, observations: np.ndarray[Any, Any]) -> Floats:
    width = len(policy.spaces.actions)
    grid = np.repeat(observations[:, None], width, 1)
    return policy.probs_of(grid, np.broadcast_to(np.arange(width), grid.shape))


def _fitting(encoding: Encoding | None, observations: int, wanted: Sequence[str]) -> np.ndarray[Any, Any]:
    """Return the observations that fit."""
    chosen = np.arange(observations)
    for text in wanted:
        name, sign, value = (part.strip() for part in text.partition("="))
        if encoding is None:
            raise UsageProblem(f"--state-filter {text!r}: the policy's observations are numbers, no states; leave it out")
        names = [field.name for field in encoding.fields]
        if not sign:
            field = encoding.fields[names.index(name) if name in names else 0]
            example = shlex.quote(f"{field.name}={field.labels[0]}")
            raise UsageProblem(f"--state-filter {text!r} is not FIELD=VALUE; write for example {example}, of the fields {listed(names)}")
        if name not in names:
            raise UsageProblem(f"--state-filter {text!r}: no field {name!r}{did_you_mean(name, names)}; the fields are {listed(names)}")
        place = names.index(name)
        digit = _digit(encoding, place, value, text)
        after = int(np.prod([field.size for field in encoding.fields[place + 1 :]]))
        chosen = chosen[chosen // after % encoding.fields[place].size == digit]
    return chosen


def _digit(encoding: Encoding, place: int, value: str, text: str) -> int:
    field = encoding.fields[place]
    if value in field.labels:
        return field.labels.index(value)
    try:
        return field.at(float(value)) if field.edges else field.at(value)
    except ValueError:
        raise UsageProblem(f"--state-filter {text!r}: {value!r} is no number; give one, or one of {listed(field.labels)}") from None
    except InputProblem as problem:
        raise UsageProblem(f"--state-filter {text!r}: {problem}") from problem


def table_lines(rows: Sequence[Row], actions: Sequence[str], width: int = WIDTH) -> list[str]:
    """Return the table: a line for each observation where that fits, else one for each observation and action."""
    if not rows:
        return []
    wide = _wide(rows, actions)
    return wide if max(map(len, wide)) <= width else _long(rows, actions, width)


def _wide(rows: Sequence[Row], actions: Sequence[str]) -> list[str]:
    head = [*rows[0].state, *actions]
    body = [[*row.state.values(), *(_cell(row, k) for k in range(len(actions)))] for row in rows]
    return _aligned(head, body, left=len(rows[0].state))


def _long(rows: Sequence[Row], actions: Sequence[str], width: int) -> list[str]:
    head = [*rows[0].state, "action", "", "value", "prob", "count"]
    body = []
    for row in rows:
        for k, action in enumerate(actions):
            named = list(row.state.values()) if k == 0 else [""] * len(row.state)
            numbers = [_value(row, k), _prob(row, k), "" if row.counts is None else _short(row.counts[k])]
            body.append([*named, action, "*" if k == row.best else "", *numbers])
    room = width - sum(max(len(line[at]) for line in [head, *body]) + 2 for at in range(len(rows[0].state), len(head)))
    most = max(4, room // len(rows[0].state) - 2)
    cut = [[_cut(text, most) for text in line[: len(rows[0].state)]] + line[len(rows[0].state) :] for line in [head, *body]]
    return _aligned(cut[0], cut[1:], left=len(rows[0].state) + 2)


def _cell(row: Row, k: int) -> str:
    """Return `*-0.32 .41 12k`: value, probability, count; the star where it acts so most."""
    parts = [_value(row, k), _prob(row, k), "" if row.counts is None else _short(row.counts[k]).rjust(4)]
    return ("*" if k == row.best else "") + " ".join(part for part in parts if part).lstrip()


def _value(row: Row, k: int) -> str:
    return "" if row.values is None else f"{row.values[k]:+.2f}"


def _prob(row: Row, k: int) -> str:
    """Return a probability in three characters, so that four actions fit beside a state."""
    return "1.0" if row.probs[k] > 0.995 else f"{row.probs[k]:.2f}"[1:]


def _short(count: int) -> str:
    """Return a count in at most four characters."""
    for limit, unit in ((10_000, 1), (1_000_000, 1_000), (1_000_000_000, 1_000_000)):
        if count < limit:
            return f"{count // unit}{'' if unit == 1 else 'k' if unit == 1_000 else 'M'}"
    return f"{count // 1_000_000_000}G"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _aligned(head: Sequence[str], body: Sequence[Sequence[str]], left: int) -> list[str]:
    """Return lines of aligned columns, the first `left` of them flush left."""
    widths = [max(len(line[at]) for line in [head, *body]) for at in range(len(head))]
    return [
        " ".join(
            text.ljust(width) if at < left else text.rjust(width) for at, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [head, *body]
    ]
