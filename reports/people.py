"""How the embedded judge agrees with people on real rated dialogues: `python -m reports.people ../shared/data`.

Prints a Markdown table: Spearman correlation with the mean human rating, by source, for single turns and for whole
dialogues, beside two trivial baselines on the same items (number of words, VADER sentiment), each with a 95 %
interval from a bootstrap over dialogues. A second table has the task's own outcome in place of people. Nothing here
is trained on, and nothing is written but the table.
"""

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from dialogue.errors import InputProblem, UsageProblem
from dialogue.readers.jsonl import transcript
from judge.local import LocalJudge
from judge.rubric import load_rubric
from judge.verdict import handling, mean_unit

RUBRICS = {
    "uss": "support", "tdeval_tau": "support", "tdeval_autotod": "support", "tdeval_survey": "support", "taubench": "support",
    "llmrubric": "support", "p4g": "sales",
}  # fmt: skip
OTHERWISE = "conversation_quality"
UNSAFE = frozenset(("dices",))  # there a high number means bad: turned round
DRAWS = 400
FEWEST = 20  # rated items below which a correlation says nothing
MEASURES = ("judge", "length", "sentiment")


@dataclass
class Items:
    """Rated items of one source: the dialogue each belongs to, the human number, and what each measure says."""

    clusters: list[int] = field(default_factory=list)
    human: list[float] = field(default_factory=list)
    said: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURES})

    def add(self, cluster: int, human: float, judge: float, text: str, sentiment: float) -> None:
        """Add one item."""
        self.clusters.append(cluster)
        self.human.append(human)
        for name, value in zip(MEASURES, (judge, float(len(text.split())), sentiment), strict=True):
            self.said[name].append(value)


def main() -> None:
    """Read the folder named on the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with dialog_*.dev.jsonl.gz files")
    files = sorted(parser.parse_args().folder.glob("dialog_*.jsonl.gz"))
    if not files:
        sys.exit("reports.people: no dialog_*.jsonl.gz in that folder")
    turns: dict[str, Items] = defaultdict(Items)
    episodes: dict[str, Items] = defaultdict(Items)
    outcomes: dict[str, Items] = defaultdict(Items)
    for file in files:
        source = file.name.removeprefix("dialog_").split(".")[0]
        print(f"reading {source}", file=sys.stderr)
        _collect(file, source, turns, episodes, outcomes)
    print("| source | level | items | judge | length | sentiment |\n|---|---|---|---|---|---|")
    for level, table in (("turn", turns), ("episode", episodes)):
        _print(table, level)
    print("\n| source | outcome | dialogues | judge | length | sentiment |\n|---|---|---|---|---|---|")
    _print(outcomes, "task's own")


def _collect(file: Path, source: str, turns: dict[str, Items], episodes: dict[str, Items], outcomes: dict[str, Items]) -> None:
    judge = LocalJudge(load_rubric(RUBRICS.get(source, OTHERWISE)))
    vader = SentimentIntensityAnalyzer()
    sign = -1.0 if source in UNSAFE else 1.0
    for cluster, raw in enumerate(_rows(file)):
        try:
            made = transcript({"id": raw["id"], "turns": raw["turns"]})
        except (InputProblem, UsageProblem):
            continue
        verdict = judge.verdict(made)
        units = {rated.turn: mean_unit(rated.ratings, judge.rubric.turn) for rated in verdict.turns}
        name = f"{source}/{raw['meta']['set']}" if isinstance(raw.get("meta"), dict) and "set" in raw["meta"] else source
        for index, turn in enumerate(raw["turns"]):
            if not turn.get("human"):
                continue
            rated_turn = max((at for at in units if at <= index), default=None)  # a user's rating is of the service before it
            if rated_turn is not None:
                text = made.turns[rated_turn].text
                turns[name].add(
                    cluster, sign * float(np.mean(turn["human"])), units[rated_turn], text, vader.polarity_scores(text)["compound"]
                )
        overall = handling(list(units.values()), verdict.episode, judge.rubric)
        agent = " ".join(made.turns[at].text for at in made.agent_turns)
        mood = vader.polarity_scores(" ".join(turn.text for turn in made.turns if turn.role == "user"))["compound"]
        if raw.get("human"):
            episodes[name].add(cluster, sign * float(np.mean(raw["human"])), overall, agent, mood)
        if (ending := _ending(raw.get("outcome"))) is not None:
            outcomes[name].add(cluster, ending, overall, agent, mood)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _ending(outcome: object) -> float | None:
    """Return the task's own success as a number, where it has one."""
    if isinstance(outcome, int | float):
        return float(outcome)
    if isinstance(outcome, dict):
        for key in ("donated", "agreement"):
            if key in outcome:
                return float(outcome[key])
    return None


def _print(table: dict[str, Items], level: str) -> None:
    for name, items in sorted(table.items()):
        if len(items.human) >= FEWEST and len(set(items.human)) > 1:
            cells = [_cell(items, measure) for measure in MEASURES]
            print(f"| {name} | {level} | {len(items.human):,} | {' | '.join(cells)} |")


def _cell(items: Items, measure: str) -> str:
    """Return `rho [low, high]`."""
    human, said, clusters = np.array(items.human), np.array(items.said[measure]), np.array(items.clusters)
    members = [np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        picked = np.concatenate([members[at] for at in rng.integers(0, len(members), len(members))])
        draws.append(_spearman(human[picked], said[picked]))
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return f"{_spearman(human, said):.2f} [{low:.2f}, {high:.2f}]"


def _spearman(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    a, b = rankdata(one), rankdata(other)
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


if __name__ == "__main__":
    main()
