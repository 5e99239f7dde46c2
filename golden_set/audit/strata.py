"""Strata of a frame and how many episodes are drawn from each: in proportion to size, with a budget of its own for what the judge flags."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from golden_set.audit.frame import THIRDS, Frame
from golden_set.audit.sample import Stratum

OUTCOME, BAND = "outcome", "band"
FLAGGED, OTHER, ALL = "flagged", "other", "all"
LEAST = 2  # drawn from a stratum, so that its variance can be told
RARE = 2 / 3  # of a sample counts as spent on rare events


@dataclass(frozen=True)
class Layer:
    """A stratum with its episodes (their numbers in the frame) and how many of them are drawn."""

    name: str
    members: tuple[int, ...]
    drawn: int

    @property
    def stratum(self) -> Stratum:
        """The stratum as it is stored."""
        return Stratum(name=self.name, size=len(self.members), drawn=self.drawn)


@dataclass(frozen=True)
class _Cell:
    """Episodes that share their values of the keys; `bands` are those that were merged, where the keys have bands."""

    group: tuple[str, ...]
    bands: tuple[int, ...]
    members: tuple[int, ...]

    def with_(self, other: "_Cell") -> "_Cell":
        return _Cell(self.group, tuple(sorted(self.bands + other.bands)), self.members + other.members)


def rare_budget(size: int, flagged: int, n: int) -> int:
    """Return how many of `n` episodes are spent on rare events where nobody says: two thirds, half of which go where the judge flags.

    None where it flags nothing, or more than a third of all: that is not rare, and a proportional share of it is larger.
    """
    return round(RARE * n) if 0 < flagged * 3 <= size else 0


def stratified(frame: Frame, n: int, *, by: Sequence[str] = (OUTCOME, BAND), rare: int | None = None) -> tuple[list[Layer], int]:
    """Return strata with how many episodes are drawn from each, and the budget for rare events.

    Episodes in which the judge finds a violation are a stratum of their own. Half of the rare budget is drawn there (all of them, if
    they are fewer; without a budget, their share), the rest from the others in proportion to size. Where a proportional share is
    less than two, a stratum is merged with the next score band of the same values, then with all others of that kind.

    Args:
        n: how many to draw; at least 4. All are drawn where there are not more.
        by: keys: `outcome`, `band` (thirds of the judge's rating of the whole), or keys of meta that the frame has.
        rare: the budget; by default `rare_budget`.
    """
    if n < 2 * LEAST:
        raise ValueError(f"a sample of {n} cannot have two strata")
    flagged = [at for at, row in enumerate(frame.rows) if row.violated]
    others = [at for at, row in enumerate(frame.rows) if not row.violated]
    size = len(frame.rows)
    n = min(n, size)
    spent = (rare_budget(size, len(flagged), n) if rare is None else min(rare, n)) if flagged else 0
    for_flagged = ceil(spent / 2) if spent else round(n * len(flagged) / size)
    for_flagged = max(for_flagged, LEAST if flagged else 0, n - len(others))
    for_flagged = min(for_flagged, len(flagged), n - min(LEAST, len(others)))
    cells = _merged(_cells(frame, others, by), n - for_flagged)
    drawn = allocate([len(cell.members) for cell in cells], n - for_flagged)
    names = _names(cells, banded=BAND in by, taken=[FLAGGED] if flagged else [])
    layers = [Layer(name, cell.members, count) for name, cell, count in zip(names, cells, drawn, strict=True)]
    if flagged:
        layers.insert(0, Layer(FLAGGED, tuple(flagged), for_flagged))
    return layers, spent


def allocate(sizes: Sequence[int], n: int) -> list[int]:
    """Return how many of `n` go to strata of such sizes, in proportion, by largest remainders; all where `n` is not less than all."""
    total = sum(sizes)
    if n >= total:
        return list(sizes)
    shares = [n * size // total for size in sizes]
    order = sorted(range(len(sizes)), key=lambda at: (-(n * sizes[at] % total), at))
    for at in order[: n - sum(shares)]:
        shares[at] += 1
    return shares


def _cells(frame: Frame, members: Sequence[int], by: Sequence[str]) -> list[_Cell]:
    bands = frame.bands
    columns = [frame.outcomes if key == OUTCOME else frame.column(key) for key in by if key != BAND]
    found: dict[tuple[tuple[str, ...], int], list[int]] = defaultdict(list)
    for at in members:
        band = int(bands[at]) if BAND in by else 0
        found[tuple(column[at] for column in columns), band].append(at)
    return [_Cell(group, (band,), tuple(inside)) for (group, band), inside in sorted(found.items())]


def _merged(cells: list[_Cell], n: int) -> list[_Cell]:
    """Return cells of which each has a proportional share of two at least, unless there is only one."""
    total = sum(len(cell.members) for cell in cells)

    def small(cell: _Cell) -> bool:
        return n < total and n * len(cell.members) < LEAST * total

    groups: dict[tuple[str, ...], list[_Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.group].append(cell)
    whole: list[_Cell] = []
    for group in groups.values():
        while len(group) > 1 and any(map(small, group)):
            at = min(range(len(group)), key=lambda k: len(group[k].members))
            beside = min((k for k in (at - 1, at + 1) if 0 <= k < len(group)), key=lambda k: len(group[k].members))
            first, second = sorted((at, beside))
            group[first : second + 1] = [group[first].with_(group[second])]
        whole += group
    left = [cell for cell in whole if small(cell)]
    kept = sorted((cell for cell in whole if not small(cell)), key=lambda cell: len(cell.members), reverse=True)
    while left and kept and small(_together(left)):  # too few even together: the smallest of the others goes with them
        left.append(kept.pop())
    return [cell for cell in whole if cell in kept] + ([_together(left)] if left else [])


def _together(cells: Sequence[_Cell]) -> _Cell:
    return _Cell((), (), tuple(at for cell in cells for at in cell.members))


def _names(cells: Sequence[_Cell], *, banded: bool, taken: Sequence[str]) -> list[str]:
    """Return a name for each cell: no two are the same, whatever the values are."""
    names = list(taken)
    for cell in cells:
        band = ["+".join(THIRDS[band] for band in cell.bands)] if banded and cell.bands else []
        name = "/".join([*cell.group, *band]) or (ALL if len(cells) == 1 else OTHER)
        copies = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({copies + 1})" if copies else name)
    return names[len(taken) :]


def drawn_from(frame: Frame, layers: Sequence[Layer], rng: np.random.Generator) -> dict[int, Layer]:
    """Return the episodes drawn (their numbers in the frame) with their stratum: at random without replacement within each.

    They are taken in the order of what they say, so that the order of files plays no part.
    """
    found = {}
    for layer in layers:
        ordered = sorted(layer.members, key=lambda at: (frame.rows[at].content_hash, frame.rows[at].id))
        for place in sorted(rng.choice(len(ordered), layer.drawn, replace=False).tolist()):
            found[ordered[place]] = layer
    return found


def doubled(drawn: dict[int, Layer], layers: Sequence[Layer], share: float, rng: np.random.Generator) -> set[int]:
    """Return the drawn episodes that two people rate: a share of them, at random, by stratum in proportion to what was drawn there."""
    counts = allocate([layer.drawn for layer in layers], round(share * len(drawn)))
    found: set[int] = set()
    for layer, count in zip(layers, counts, strict=True):
        inside = [at for at, its in drawn.items() if its is layer]
        found.update(inside[place] for place in rng.choice(len(inside), count, replace=False).tolist())
    return found
