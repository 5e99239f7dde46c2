"""What calibration and estimates do on ratings by real people: `python -m reports.halves ../shared/data`.

The folder holds ratings of real language-model judges beside those of people (judge_*), and dialogues that people rated, which the
embedded judge rates here (dialog_*). Each judge on each dimension is a series. The dialogues of a series are split at random in two
halves; the map from judge to people is fitted on one, as `judge calibrate` fits it, and what it does is measured on the other. Then the
series is taken for the truth of a log: logs are drawn from it, dialogues of them are labelled, and the mean over the log is estimated,
as `judge audit report` does it. All scales are told as 1-5, those of people and judge stretched to it alike. Nothing is written but tables.
"""

import argparse
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from golden_set.audit import ppi
from golden_set.audit.calibration import LEVEL, Shape, fit
from golden_set.audit.conformal import FEWEST
from golden_set.audit.monotone import Labelled
from golden_set.sheet import FloatArray
from judge.rubric import Scale
from reports.rated import PAIRED, Series, of_dialogues, of_judges

SPLITS = 20  # random halves of a series
LOGS = 400  # logs drawn from a series
LABELLED, LOG = 100, 1000  # dialogues of a log that people label, and all of them
FEWEST_ROWS, FEWEST_DIALOGUES = 60, 30  # so that a half can be calibrated; below, a series is left out and counted
ON_FIVE = Scale(1, 5)


@dataclass(frozen=True, slots=True)
class Split:
    """What a map that was fitted on one half does on the other: root mean squared error and bias before and after, in levels of 1-5."""

    shape: Shape
    raw: float
    mapped: float
    bias: float  # judge minus people, absolute
    mapped_bias: float
    covered: float | None  # share of people's ratings within the band, every dialogue counting the same; None without a band


@dataclass(frozen=True, slots=True)
class Drawn:
    """What estimates of the mean over logs come to. `off` is the judge's own mean minus people's, in levels of 1-5."""

    dialogues: int
    rho: float  # between dialogues
    off: float
    people: float  # share of the intervals by people alone that hold the mean
    both: float  # the same by people and judge
    saving: float  # share of the labels that the judge saves: 1 - variance of both / variance of people, over the logs


def main() -> None:
    """Read the folder named on the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder with judge_*.dev.jsonl.gz and dialog_*.dev.jsonl.gz files")
    parser.add_argument("--all", action="store_true", help="a line for every series (each dimension and prompt)")
    parser.add_argument("--splits", type=int, default=SPLITS, help=f"random halves of a series ({SPLITS})")
    parser.add_argument("--logs", type=int, default=LOGS, help=f"logs drawn from a series ({LOGS})")
    given = parser.parse_args()
    groups: dict[tuple[str, ...], list[Series]] = defaultdict(list)
    small = 0
    for series in (*of_judges(given.folder), *of_dialogues(given.folder)):
        print(f"read {' '.join(series.name)}", file=sys.stderr)
        if len(series.human) < FEWEST_ROWS or series.dialogues < FEWEST_DIALOGUES or np.ptp(series.human) == 0:
            small += 1
        else:
            groups[series.name if given.all else series.name[:2]].append(series)
    if not groups:
        sys.exit("reports.halves: no judge_*.dev.jsonl.gz or dialog_*.dev.jsonl.gz of a known source with enough ratings in that folder")
    print(f"Series left out: {small} with fewer than {FEWEST_ROWS} ratings or {FEWEST_DIALOGUES} dialogues.\n")
    print(f"Calibrated on one half, measured on the other; {given.splits} splits of each series\n")
    _head("source", "judge", "series", "labels", "RMSE", "off on average", "no worse", "worst", "flat", "as it is", "curve", "in 90 % band")
    splits: list[Split] = []
    for name, members in sorted(groups.items()):
        own = [split for series in members for split in halves(series, given.splits)]
        print(_line(*name[:2], *_counts(name, members), *_figures(own)))
        splits += own
    everything = [series for members in groups.values() for series in members]
    print(_line("all", "", *_counts(("", ""), everything), *_figures(splits)))
    print(f"\nMeans over logs of {LOG} dialogues, {LABELLED} of them labelled; {given.logs} logs of each series\n")
    _head("source", "judge", "series", "dialogues", "rho", "judge off by", "95 % by people", "95 % by both", "labels saved", "by rho")
    logs: list[Drawn] = []
    for name, members in sorted(groups.items()):
        if name[0] not in PAIRED:
            drawn = [draw(series, given.logs) for series in members]
            print(_line(*name[:2], *_counts(name, members)[:1], *_means(drawn)))
            logs += drawn
    if logs:
        print(_line("all", "", str(len(logs)), *_means(logs)))


def halves(series: Series, splits: int) -> Iterator[Split]:
    """Yield what maps of random halves do on the other halves. A dialogue is in one half, whole."""
    rng = np.random.default_rng([1, zlib.crc32(" ".join(series.name).encode())])
    rows = Labelled(series.judge, series.human, np.ones_like(series.human), series.episode)
    for _ in range(splits):
        first = rng.permutation(rows.episodes) < rows.episodes // 2
        learn, test = rows.among(first[rows.episode]), rows.among(~first[rows.episode])
        found = fit(learn, ON_FIVE, LEVEL)
        mapped, covered = test.judge, None
        if found.curve:
            mapped = np.interp(test.judge, found.curve.judged, found.curve.human)
            if found.curve.band is not None:
                inside = np.abs(test.human - mapped) <= found.curve.band + 1e-9
                covered = float(_by_dialogue(test, inside.astype(float)).mean())
        (raw, bias), (after, mapped_bias) = (_off(said - test.human) for said in (test.judge, mapped))
        yield Split(found.shape, raw, after, bias, mapped_bias, covered)


def draw(series: Series, logs: int) -> Drawn:
    """Return what estimates over logs drawn from a series come to.

    A log is drawn with replacement: its process has the series' mean, which the intervals are to hold.
    """
    rng = np.random.default_rng([2, zlib.crc32(" ".join(series.name).encode())])
    rows = Labelled(series.judge, series.human, np.ones_like(series.human), series.episode)
    human, judge = _by_dialogue(rows, rows.human), _by_dialogue(rows, rows.judge)
    truth, one = float(human.mean()), np.zeros(LOG, dtype=np.int64)
    people, both, held = [], [], Counter[str]()
    for _ in range(logs):
        log = rng.integers(0, len(human), LOG)
        asked = log[:LABELLED]
        found = ppi.estimate(human[asked], judge[asked], one[:LABELLED], judge[log], one, share=False)
        assert found is not None  # noqa: S101 - there are enough labels
        people.append(found.people.value)
        both.append(found.value)
        held["people"] += found.people.low <= truth <= found.people.high
        held["both"] += found.low <= truth <= found.high
    rho = float(np.corrcoef(judge, human)[0, 1]) if np.ptp(judge) > 0 else 0.0
    saving = 1 - float(np.var(both) / np.var(people)) if np.ptp(people) > 0 else 0.0
    return Drawn(len(human), rho, float(judge.mean()) - truth, held["people"] / logs, held["both"] / logs, saving)


def _by_dialogue(rows: Labelled, values: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(rows.episode, values) / np.bincount(rows.episode))


def _off(error: FloatArray) -> tuple[float, float]:
    return float(np.sqrt((error**2).mean())), abs(float(error.mean()))


def _counts(name: tuple[str, ...], members: list[Series]) -> tuple[str, str]:
    """Return how many series there are (or which, where each has its line), and how many labels one has."""
    told = str(len(members)) if len(name) == 2 else " ".join(name[2:]) or "-"
    return told, f"{np.median([len(series.human) for series in members]):.0f}"


def _figures(splits: list[Split]) -> tuple[str, ...]:
    shapes = Counter(split.shape for split in splits)
    covered = [split.covered for split in splits if split.covered is not None]

    def mean(figure: Callable[[Split], float]) -> float:
        return fmean(figure(split) for split in splits)

    return (
        f"{mean(lambda s: s.raw):.2f} -> {mean(lambda s: s.mapped):.2f}",
        f"{mean(lambda s: s.bias):.2f} -> {mean(lambda s: s.mapped_bias):.2f}",
        f"{mean(lambda s: s.mapped <= s.raw + 1e-12):.0%}",
        f"{max(s.mapped / s.raw - 1 if s.raw else 0.0 for s in splits):+.0%}",
        *(f"{shapes[shape] / len(splits):.0%}" for shape in (Shape.FLAT, Shape.AS_IS, Shape.CURVE)),
        f"{fmean(covered):.1%} of {len(covered)}" if covered else f"- (under {FEWEST} labels)",
    )


def _means(drawn: list[Drawn]) -> tuple[str, ...]:
    def mean(figure: Callable[[Drawn], float]) -> float:
        return fmean(figure(one) for one in drawn)

    return (
        f"{np.median([one.dialogues for one in drawn]):.0f}",
        f"{mean(lambda d: d.rho):.2f}",
        f"{mean(lambda d: d.off):+.2f}",
        f"{mean(lambda d: d.people):.1%}",
        f"{mean(lambda d: d.both):.1%}",
        f"{mean(lambda d: d.saving):.0%}",
        f"{mean(lambda d: (1 - LABELLED / LOG) * max(d.rho, 0.0) ** 2):.0%}",
    )


def _head(*names: str) -> None:
    print(_line(*names) + "\n" + "|---" * len(names) + "|")


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", " ") for cell in cells) + " |"


if __name__ == "__main__":
    main()
