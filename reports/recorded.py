"""What the golden gate says of real recorded judges: `python -m reports.recorded ../shared/data`.

The folder holds ratings of the same items by several versions of real language-model judges (other models, other prompts, another
date, another temperature). Two tables are printed: which changes of version the drift test flags, and what it says of two halves of
the repeated draws of one version, where nothing changed. Nothing here is written or learnt from.
"""

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from golden_set.decision import Decision
from golden_set.equivalence import Shift, decide, shift
from golden_set.gate import load_gate
from golden_set.sheet import FloatArray, by_episode

GATE = load_gate("default")
FEWEST = 20  # episodes that a comparison needs
ON_FIVE = 4.0  # levels between the ends of a 1-5 scale, in which all shifts are told
LEAST_DRAWS = 5  # of an item, for halves
SPLITS = 20  # random halves of the draws of one version
MOST = 12  # pairs of versions of a source that are shown, the furthest apart; all are counted
Row = dict[str, Any]
Name = tuple[str, ...]  # (judge, prompt)


@dataclass(frozen=True)
class Source:
    """How a file is read: the scale's range, and what of an item's name says which episode it belongs to."""

    range: Callable[[Row], float]
    episode: Callable[[str], str] = lambda item: item


def _whole(item: str) -> str:
    return item.split("#")[0]


SOURCES = {
    "topicalprompts": Source(lambda row: 2.0),
    "gpt4_dialogs": Source(lambda row: 4.0),
    "gradingscale": Source(lambda row: float(row["scale_max"])),
    "trecprompts": Source(lambda row: 3.0 if row["dimension"] == "graded" else 1.0, lambda item: item.split(":")[0]),
    "llmbar": Source(lambda row: 1.0),
    "llmbar_ratings": Source(lambda row: 9.0, lambda item: item.rsplit("/", 1)[0]),
    "llmdrift": Source(lambda row: 1.0),
    "tdeval": Source(lambda row: 4.0, _whole),
}


@dataclass
class Rated:
    """All draws of one version on one dimension, by item."""

    draws: dict[str, list[float]]
    human: dict[str, float]
    range: float

    @cached_property
    def means(self) -> dict[str, float]:
        """The mean of each item's draws."""
        return {item: sum(draws) / len(draws) for item, draws in self.draws.items()}


@dataclass(frozen=True)
class Change:
    """Two versions that differ in one thing, and what the gate says of it."""

    told: str
    found: Shift
    decision: Decision
    quality: tuple[str, str]  # off people, and rho with them, before -> after


def main() -> None:
    """Read the folder named on the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder with judge_*.dev.jsonl.gz files")
    parser.add_argument("--all", action="store_true", help="show all pairs of versions")
    given = parser.parse_args()
    folder, most = given.folder, None if given.all else MOST
    files = {name: folder / f"judge_{name}.dev.jsonl.gz" for name in SOURCES}
    there = {name: file for name, file in files.items() if file.is_file()}
    if not there:
        sys.exit("reports.recorded: no judge_*.dev.jsonl.gz of a known source in that folder")
    ratings = {name: read(file, SOURCES[name]) for name, file in there.items()}
    print(f"margin {GATE.margin} of a 1-5 scale (as large a part of other scales), alpha {GATE.alpha}\n")
    print(
        "| source | what changed | episodes | shift, as on 1-5 | means | off people, before -> after | rho, before -> after |\n"
        + "|---" * 7
        + "|"
    )
    counted = {}
    for source, versions in ratings.items():
        found = list(changes(versions, SOURCES[source]))
        counted[source] = Counter(change.decision for change in found)
        for change in sorted(found, key=lambda change: -abs(change.found.mean))[:most]:
            row = (source, change.told, str(change.found.episodes), _interval(change.found), change.decision, *change.quality)
            print("| " + " | ".join(row) + " |")
    print("\n| source | pairs of versions | " + " | ".join(Decision) + " |\n" + "|---" * 5 + "|")
    for source, counts in counted.items():
        print(_counts(source, counts))
    print("\nNothing changed: halves of the draws of one version, and the same without the first draw\n")
    print("| source | splits | " + " | ".join(Decision) + " |\n" + "|---" * 5 + "|")
    for source, versions in ratings.items():
        for first, told in ((0, ""), (1, ", first draw left out")):
            for part in sorted({dimension.split(" ")[0] for dimension, _ in versions}):
                of_part = {name: rated for name, rated in versions.items() if name[0].split(" ")[0] == part}
                if halves := Counter(split_halves(of_part, SOURCES[source], seed=1, first=first)):
                    print(_counts(f"{source} {part}{told}", halves))


def _counts(name: str, counts: Counter[Decision]) -> str:
    return f"| {name} | {counts.total()} | " + " | ".join(str(counts[decision]) for decision in Decision) + " |"


def read(file: Path, source: Source) -> dict[tuple[str, Name], Rated]:
    """Return the ratings of a file by (dimension, version)."""
    found: dict[tuple[str, Name], Rated] = {}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            for prompt, draws in _draws(row):
                scale = f"0-{row['scale_max']}" if "scale_max" in row else ""
                dimension = " ".join(str(part) for part in (row.get("set"), row["dimension"], scale) if part)
                rated = found.setdefault((dimension, (row["judge"], prompt)), Rated({}, {}, source.range(row)))
                rated.draws[row["item_id"]] = draws
                if row["human"] is not None:
                    rated.human[row["item_id"]] = float(np.mean(row["human"]))
    return found


def _draws(row: Row) -> Iterator[tuple[str, list[float]]]:
    """Yield each prompt of a row with its draws; of pair verdicts, those with the answers in the order given."""
    if "scores" in row:
        for prompt, score in row["scores"].items():
            one = score[0] if isinstance(score, list) else score
            if one is not None:
                yield prompt, [float(one)]
    elif any(value is not None for value in row.get("samples", ())):
        yield row["prompt_variant"], [float(value) for value in row["samples"] if value is not None]
    elif row["score"] is not None:
        yield row["prompt_variant"], [float(row["score"])]


def changes(versions: dict[tuple[str, Name], Rated], source: Source) -> Iterator[Change]:
    """Yield every two versions that differ in one thing: the judge, or the prompt."""
    for (dimension, one), (other_dimension, other) in combinations(sorted(versions), 2):
        if dimension != other_dimension or (one[0] == other[0]) == (one[1] == other[1]):
            continue
        before, after = versions[dimension, one], versions[dimension, other]
        both = sorted(before.draws.keys() & after.draws.keys())
        moved = np.array([after.means[item] - before.means[item] for item in both])
        differences = _by_episode(both, source, moved * ON_FIVE / after.range)
        if len(differences) < FEWEST:
            continue
        found = shift(differences, GATE.alpha)
        what = f"{one[0]}: {one[1]} -> {other[1]}" if one[0] == other[0] else f"{one[1]}: {one[0]} -> {other[0]}"
        people = [item for item in both if item in before.human]
        quality = ("-", "-")
        if len(people) >= FEWEST:
            (off, rho), (off_after, rho_after) = (_against_people(version, people) for version in (before, after))
            quality = (f"{off:.2f} -> {off_after:.2f}", f"{rho:.2f} -> {rho_after:.2f}")
        yield Change(f"{dimension} {what}".strip().replace("|", " "), found, decide(found, GATE.margin), quality)


def split_halves(versions: dict[tuple[str, Name], Rated], source: Source, seed: int, first: int = 0) -> Iterator[Decision]:
    """Yield what the gate says of two random halves of the draws of each version that has several, again and again.

    Args:
        first: the first draw that is used; with 1, one that was made at another time than the others is left out.
    """
    rng = np.random.default_rng(seed)
    for _, rated in sorted(versions.items()):
        items = [item for item in sorted(rated.draws) if len(rated.draws[item]) >= LEAST_DRAWS]
        if len({source.episode(item) for item in items}) < FEWEST:
            continue
        fewest = min(len(rated.draws[item]) for item in items)
        draws = np.array([rated.draws[item][first:fewest] for item in items])
        for _ in range(SPLITS):
            order = rng.permutation(draws.shape[1])
            half = len(order) // 2
            moved = draws[:, order[half:]].mean(1) - draws[:, order[:half]].mean(1)
            yield decide(shift(_by_episode(items, source, moved * ON_FIVE / rated.range), GATE.alpha), GATE.margin)


def _by_episode(items: list[str], source: Source, values: FloatArray) -> FloatArray:
    """Return the mean of a value over the items of each episode."""
    _, episode = np.unique([source.episode(item) for item in items], return_inverse=True)
    return by_episode(values, episode, int(episode.max()) + 1) if items else values


def _against_people(rated: Rated, items: list[str]) -> tuple[float, float]:
    """Return how far the judge is off people on average, in its own levels, and Spearman's rho with them."""
    judge = np.array([rated.means[item] for item in items])
    human = np.array([rated.human[item] for item in items])
    constant = np.ptp(judge) == 0 or np.ptp(human) == 0
    return float(np.abs(judge - human).mean()), float("nan") if constant else float(spearmanr(judge, human).statistic)


def _interval(found: Shift) -> str:
    return f"{found.mean:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


if __name__ == "__main__":
    main()
