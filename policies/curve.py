"""The learning curve in bounded memory: returns, losses and terms of the reward in at most 1,000 bins, however long the training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from dialogue.environments.contract import State
from policies.experience import Floats

BINS = 1_000
CONFIDENT = 1.959964  # standard errors to each side of a mean within which it lies with 95 %


@dataclass(slots=True)
class Bin:
    """Some batches that follow each other.

    Attributes:
        batches: how many.
        steps: how many steps were taken up to its end.
        episodes: how many episodes ended in it.
        mean: of their returns; 0 where there are none.
        squares: sum of the squared distances of their returns from the mean.
        metrics: sum and number of the values that a learner or source told, by name; what is not a number is left out.
    """

    batches: int = 0
    steps: int = 0
    episodes: int = 0
    mean: float = 0.0
    squares: float = 0.0
    metrics: dict[str, tuple[float, int]] = field(default_factory=dict)

    def take(self, episodes: int, mean: float, squares: float) -> None:
        """Take in more returns, by their number, mean and squares (Chan et al. 1983)."""
        total = self.episodes + episodes
        if not episodes:
            return
        apart = mean - self.mean
        self.squares += squares + apart * apart * self.episodes * episodes / total
        self.mean += apart * episodes / total
        self.episodes = total

    def merge(self, later: "Bin") -> None:
        """Take in the bin that follows."""
        self.batches += later.batches
        self.steps = later.steps
        self.take(later.episodes, later.mean, later.squares)
        for name, (value, count) in later.metrics.items():
            held, times = self.metrics.get(name, (0.0, 0))
            self.metrics[name] = held + value, times + count

    @property
    def told(self) -> dict[str, float]:
        """The mean of every metric."""
        return {name: value / count for name, (value, count) in self.metrics.items()}


def margin(squares: float, episodes: int, of: int | None = None) -> float | None:
    """Return how far the 95 % interval of a mean return reaches to each side; None with fewer than two episodes.

    Args:
        squares: sum of the squared distances of the returns from their mean.
        episodes: how many.
        of: how many different ones there are; the same again tell nothing new. None: all are different.
    """
    if episodes < 2:
        return None
    return CONFIDENT * math.sqrt(squares / (episodes - 1) / min(episodes, of or episodes))


class Curve:
    """Bins of `width` batches each; when there are 1,000, every two become one. So the same batches make the same bins, always."""

    def __init__(self) -> None:
        self.width = 1
        self.bins: list[Bin] = []
        self.open = Bin()

    def add(self, steps: int, returns: Floats, metrics: Mapping[str, float]) -> None:
        """Take in a batch.

        Args:
            steps: taken so far, this batch included.
            returns: of the episodes that ended in it.
            metrics: by name, such as `loss`.
        """
        now = self.open
        now.batches += 1
        now.steps = steps
        count = returns.size
        if count:
            mean = float(np.add.reduce(returns)) / count
            apart = returns - mean
            now.take(count, mean, float(np.add.reduce(apart * apart)))
        held = now.metrics
        for name, value in metrics.items():
            value = float(value)
            if math.isfinite(value):
                total, times = held.get(name, (0.0, 0))
                held[name] = total + value, times + 1
        if now.batches == self.width:
            self._close()

    def points(self) -> list[Bin]:
        """Return the bins, the one that is still open included."""
        return [*self.bins, self.open] if self.open.batches else list(self.bins)

    def latest(self, share: float = 0.1) -> Bin:
        """Return the last `share` of the steps as one bin, and more where too few episodes ended in it to say anything."""
        points = self.points()
        whole = points[-1].steps if points else 0
        found = Bin()
        for point in reversed(points):
            if found.episodes >= 2 and point.steps <= whole * (1 - share):
                break
            joined = replace(point, metrics=dict(point.metrics))
            if found.batches:
                joined.merge(found)
            found = joined
        return found

    def _close(self) -> None:
        self.bins.append(self.open)
        self.open = Bin()
        if len(self.bins) == BINS:
            for earlier, later in zip(self.bins[::2], self.bins[1::2], strict=True):
                earlier.merge(later)
            del self.bins[1::2]
            self.width *= 2

    def state(self) -> State:
        """Return everything that going on from here needs."""
        bins = [*self.bins, self.open]
        names = list(dict.fromkeys(name for one in bins for name in one.metrics))
        return {
            "width": self.width,
            "names": names,
            "counts": np.array([[one.batches, one.steps, one.episodes] for one in bins], np.int64),
            "returns": np.array([[one.mean, one.squares] for one in bins]),
            "sums": np.array([[one.metrics.get(name, (0.0, 0))[0] for name in names] for one in bins]),
            "times": np.array([[one.metrics.get(name, (0.0, 0))[1] for name in names] for one in bins], np.int64),
        }

    def restore(self, state: State) -> None:
        """Go on from there."""
        self.width = state["width"]
        rows = zip(*(state[name].tolist() for name in ("counts", "returns", "sums", "times")), strict=True)
        bins = [
            Bin(
                batches,
                steps,
                episodes,
                mean,
                squares,
                {name: (sums[at], times[at]) for at, name in enumerate(state["names"]) if times[at]},
            )
            for (batches, steps, episodes), (mean, squares), sums, times in rows
        ]
        self.bins, self.open = bins[:-1], bins[-1]
