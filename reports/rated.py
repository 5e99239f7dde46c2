"""Ratings of judges beside those of people, read from a folder of real data as series, all on one scale: what `reports.halves` works on."""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from dialogue.errors import InputProblem, UsageProblem
from dialogue.readers.jsonl import transcript
from golden_set.sheet import FloatArray, IntArray
from judge.local import LocalJudge
from judge.rubric import load_rubric
from judge.verdict import handling, mean_unit
from reports.people import OTHERWISE, RUBRICS, UNSAFE
from reports.recorded import SOURCES, Source, read

Ends = tuple[float, float]  # of a scale


@dataclass(frozen=True)
class Series:
    """What one judge says of what people rated. Arrays have the shape (ratings,); both sides are stretched to 1-5.

    Attributes:
        name: source, judge, and what tells its series apart: dimension and prompt, or turns and episodes.
        human: the mean over raters.
        episode: the number of each rating's dialogue, from 0 and without gaps.
    """

    name: tuple[str, ...]
    judge: FloatArray
    human: FloatArray
    episode: IntArray

    @property
    def dialogues(self) -> int:
        """How many dialogues there are."""
        return len(np.unique(self.episode))


def _alike(low: float, high: float) -> tuple[Ends, Ends]:
    return (low, high), (low, high)


def _trec(dimension: str) -> tuple[Ends, Ends] | None:
    return _alike(0, 3) if dimension == "graded" else None  # people graded; a judge that says yes or no answers something else


# The scale of the judge, and that of people, by dimension; None where they do not rate the same thing.
SCALES: dict[str, Callable[[str], tuple[Ends, Ends] | None]] = {
    "topicalprompts": lambda dimension: _alike(0, 1) if dimension == "groundedness" else _alike(1, 3),
    "gradingscale": lambda dimension: _alike(0, float(dimension.rpartition("-")[2])),
    "trecprompts": _trec,
    "gpt4_dialogs": lambda dimension: ((1, 5), (0, 4 if dimension.endswith("ovr") else 2)),
    "tdeval": lambda dimension: _alike(1, 5),
    "llmbar_ratings": lambda dimension: ((1, 10), (0, 1)),  # people say only which of two answers is the better one
    "llmrubric": lambda dimension: _alike(1, 3 if dimension.endswith("Q8") else 4),
}
PAIRED = frozenset(("llmbar_ratings",))  # people's mean over a pair is always one half: there is none to estimate
# The scales of people who rated dialogues, where they are not 1-5.
PEOPLE: dict[str, Ends] = {
    "annomi": (0, 1), "crsarena": (0, 1), "dices/350": (0, 1), "dices/990": (0, 1), "llmrubric": (1, 4), "siro": (0, 3),
    "opendomain_dialogs/fed": (0, 4), "opendomain_turns/fed-turn": (0, 4), "opendomain_turns/conture-turn": (0, 2),
}  # fmt: skip


def of_judges(folder: Path) -> Iterator[Series]:
    """Yield every series of the language-model judges that are recorded in the folder: the mean of the draws of each prompt."""
    for source, scales in SCALES.items():
        file = folder / f"judge_{source}.dev.jsonl.gz"
        if not file.is_file():
            continue
        known = SOURCES.get(source, Source(lambda row: 1.0))
        for (dimension, (who, prompt)), rated in sorted(read(file, known).items()):
            if (ends := scales(dimension)) is None:
                continue
            said = {item: [x for x in draws if ends[0][0] <= x <= ends[0][1]] for item, draws in rated.draws.items()}
            items = sorted(item for item, draws in said.items() if draws and item in rated.human)  # a draw off the scale is no rating
            if items:
                judge, human = np.array([fmean(said[item]) for item in items]), np.array([rated.human[item] for item in items])
                _, episode = np.unique([known.episode(item) for item in items], return_inverse=True)
                yield Series((source, who, dimension, prompt), _on_five(judge, ends[0]), _on_five(human, ends[1]), episode)


def of_dialogues(folder: Path) -> Iterator[Series]:
    """Yield what the embedded judge says of the folder's dialogues where people rated them: turns' means, and the handling of the whole."""
    for file in sorted(folder.glob("dialog_*.dev.jsonl.gz")):
        source = file.name.removeprefix("dialog_").split(".")[0]
        judge = LocalJudge(load_rubric(RUBRICS.get(source, OTHERWISE)))
        found: dict[tuple[str, str], list[tuple[float, float, int]]] = defaultdict(list)
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for dialogue, line in enumerate(lines):
                raw = json.loads(line)
                meta = raw.get("meta")
                name = f"{source}/{meta['set']}" if isinstance(meta, dict) and "set" in meta else source
                for level, rating, mean in _rated(raw, judge):
                    found[name, level].append((rating, mean, dialogue))
        for (name, level), rows in sorted(found.items()):
            table = np.array(rows)
            human = _on_five(table[:, 1], PEOPLE.get(name, (1, 5)))
            _, episode = np.unique(table[:, 2], return_inverse=True)
            said = _on_five(table[:, 0], (-1, 1))
            yield Series((name, f"embedded ({level}s)"), said, 6 - human if source in UNSAFE else human, episode)


def _rated(raw: dict[str, Any], judge: LocalJudge) -> Iterator[tuple[str, float, float]]:
    """Yield what judge (on [-1, 1]) and people say of the turns and the whole of a dialogue, as far as people did."""
    if not raw.get("human") and not any(turn.get("human") for turn in raw["turns"]):
        return
    try:
        made = transcript({"id": raw["id"], "turns": raw["turns"]})
    except (InputProblem, UsageProblem):
        return  # no turn of the agent
    verdict = judge.verdict(made)
    units = {rated.turn: mean_unit(rated.ratings, judge.rubric.turn) for rated in verdict.turns}
    for index, turn in enumerate(raw["turns"]):
        at = max((at for at in units if at <= index), default=None)  # a user's rating is of the service before it
        if turn.get("human") and at is not None:
            yield "turn", units[at], float(np.mean(turn["human"]))
    if raw.get("human"):
        yield "episode", handling(list(units.values()), verdict.episode, judge.rubric), float(np.mean(raw["human"]))


def _on_five(values: FloatArray, ends: Ends) -> FloatArray:
    low, high = ends
    return np.asarray(1 + 4 * (values - low) / (high - low), dtype=float)
