"""Makes the pretended model a good one on golden cases: it rates them as labelled, with noise, and with a drift that can be set."""

import json
import random
from pathlib import Path

from transcript import LAST, Shown

EPISODE = "episode"
SHARED = 0.1  # of the noise's variance is the same for all of an answer
Rated = dict[str, dict[str, float]]  # labels by the name that a turn has in prompts (a1, a2 …, or `turn` for the last) and criterion


class Labels:
    """The labels of golden cases, found by what the agent says in them.

    Args:
        folder: of *.jsonl files, as `judge golden --cases` reads them.
    """

    def __init__(self, folder: Path) -> None:
        self._cases: dict[tuple[str, ...], Rated] = {}
        for file in sorted(folder.glob("*.jsonl")):
            for line in file.read_text(encoding="utf-8").splitlines():
                if line.strip():
                    self._add(json.loads(line))

    def _add(self, case: dict[str, list[dict[str, object]]]) -> None:
        said: tuple[str, ...] = ()
        rated: Rated = {EPISODE: _means(case["labels"])}
        for turn in case["turns"]:
            if turn["role"] == "agent":
                said = (*said, str(turn["text"]))
                rated = rated | {f"a{len(said)}": _means(turn["labels"]), LAST: _means(turn["labels"])}
                self._cases.setdefault(said, rated)
        self._cases[said] = rated  # a whole dialogue goes before one that only begins like it

    def of(self, shown: Shown) -> Rated:
        """Return the labels of what a prompt shows; of dialogues that are no golden cases there are none."""
        return self._cases.get(shown.agent_texts, {})


def _means(labels: object) -> dict[str, float]:
    found = {}
    for name, given in labels.items() if isinstance(labels, dict) else ():
        numbers = [number for number in (given if isinstance(given, list) else [given]) if number is not None]
        found[name] = sum(numbers) / len(numbers)
    return found


class Opinion:
    """What the model thinks of one dialogue in one answer.

    Args:
        rated: the labels.
        noise: standard deviation of a rating, in levels of a 1-5 scale.
        drift: added to every rating, in the same.
    """

    def __init__(self, rated: Rated, noise: float, drift: float, rng: random.Random) -> None:
        self._rated, self._noise, self._drift, self._rng = rated, noise, drift, rng
        self._shared = rng.gauss(0, noise * SHARED**0.5)

    def choose(self, turn: str | None, name: str, options: tuple[str, ...]) -> str | None:
        """Return which of the options, worst first, the model gives; None where it has no opinion of its own."""
        label = self._rated.get(turn or EPISODE, {}).get(name)
        if label is None:
            return None
        values = sorted(options, key=lambda option: (len(option), option))
        low = 0 if len(values) == 2 else 1
        part = (len(values) - 1) / 4  # noise is as large a part of a short scale
        off = self._drift + self._shared + self._rng.gauss(0, self._noise * (1 - SHARED) ** 0.5)
        return values[min(len(values) - 1, max(0, round(label - low + off * part)))]
