"""What `judge train` reports: plain data of one training, enough to draw its curve."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from policies.curve import Bin, Curve, margin
from policies.training import TERM, Ended, Training

KIND = "policy-training"


class Plain(BaseModel):
    """Frozen data."""

    model_config = ConfigDict(frozen=True)


class Stretch(Plain):
    """Some batches that follow each other.

    Attributes:
        steps: taken up to its end.
        episodes: that ended in it.
        mean: of their returns; None without any.
        margin: how far the 95 % interval of the mean reaches to each side; None with fewer than two.
        squares: sum of the squared distances of the returns from their mean, so that stretches can be joined.
        of: how many different episodes there are, where the same come again and again; None where all are new.
        metrics: mean of what the learner told after each batch, such as `loss`.
        terms: mean over episodes of each named term of the reward, where the source knows them.
    """

    steps: int
    episodes: int
    mean: float | None
    margin: float | None
    squares: float
    of: int | None = None
    metrics: dict[str, float]
    terms: dict[str, float]


class TrainingReport(Plain):
    """One training so far.

    Attributes:
        where: name of the environment, or the files.
        logged: whether the episodes are logged ones, so that their returns say nothing of what was learned.
        steps: of all runs.
        run_steps: of the run that ended just now, which took `seconds`.
        ended: why it ended.
        first: the first tenth of the steps.
        latest: the last tenth.
        stretches: all of it, in at most 1,000 parts.
        manifest: as in the policy file.
    """

    kind: Literal["policy-training"] = "policy-training"
    learner: str
    where: str
    logged: bool
    seed: int
    steps: int
    batches: int
    episodes: int
    run_steps: int
    seconds: float
    ended: Ended
    first: Stretch
    latest: Stretch
    stretches: tuple[Stretch, ...]
    folder: str
    manifest: dict[str, JsonValue]
    warnings: tuple[str, ...] = ()


def training_report(
    training: Training,
    ended: Ended,
    manifest: Mapping[str, Any],
    *,
    where: str,
    of: int | None,
    folder: str,
    run_steps: int,
    seconds: float,
) -> TrainingReport:
    """Return the report on a training.

    Args:
        of: how many different episodes a log holds; None of an environment, whose episodes are always new.
    """
    curve = training.curve
    return TrainingReport(
        learner=manifest["learner"],
        where=where,
        logged=of is not None,
        seed=manifest["seed"],
        steps=training.steps,
        batches=training.batches,
        episodes=training.episodes,
        run_steps=run_steps,
        seconds=seconds,
        ended=ended,
        first=stretch(first_tenth(curve), of),
        latest=stretch(curve.latest(), of),
        stretches=tuple(stretch(one, of) for one in curve.points()),
        folder=folder,
        manifest=dict(manifest),
        warnings=tuple(manifest.get("warnings", ())),
    )


def stretch(one: Bin, of: int | None = None) -> Stretch:
    """Return a bin as it is reported."""
    told = {name: value for name, value in one.metrics.items() if name.startswith(TERM)}
    times = max((count for _, count in told.values()), default=0)  # a term that nobody told of is 0 there, as a veto that did not come
    return Stretch(
        steps=one.steps,
        episodes=one.episodes,
        mean=one.mean if one.episodes else None,
        margin=margin(one.squares, one.episodes, of),
        squares=one.squares,
        of=of,
        metrics={name: value for name, value in one.told.items() if not name.startswith(TERM)},
        terms={name.removeprefix(TERM): value / times for name, (value, _) in told.items()},
    )


def first_tenth(curve: Curve) -> Bin:
    """Return the first tenth of the steps as one bin; more where too few episodes ended in it to say anything."""
    points = curve.points()
    found = Bin()
    for point in points:
        if found.batches and found.episodes >= 2 and point.steps > 0.1 * points[-1].steps:
            break
        found.merge(point)
    return found
