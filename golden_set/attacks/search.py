"""Searches for suffixes that lift the embedded judge's ratings: a small evolutionary search, cheap enough to run before any paid judge.

What it finds is tried on the judge that produces rewards; attacks transfer (arXiv 2506.09443). Leaves out gradients and models:
pieces of polite talk, praise, fake grades and the rubric's own words are joined, exchanged and dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from golden_set.attacks.injection import worded
from golden_set.attacks.library import attacks_of, suffix
from golden_set.attacks.mutation import Mutant, Mutation
from golden_set.attacks.trial import trial
from golden_set.attacks.wordings import read
from golden_set.case import GoldenCase
from judge.local import LocalJudge
from judge.rubric import Rubric
from judge.verdict import Verdict

TOKENS = 40  # of a suffix, counted as words
POPULATION = 16
DIALOGUES = 12  # on which a suffix is tried
KEPT = 5  # suffixes that are handed on


@dataclass(frozen=True, order=True)
class Found:
    """A suffix and what it gained on the embedded judge, in levels of a 1-5 scale."""

    gain: float
    text: str


def search(cases: Sequence[GoldenCase], rubric: Rubric, evaluations: int, seed: int = 0) -> list[Found]:
    """Return the best suffixes of so many tried, the best first.

    Raises:
        UsageProblem: the embedded judge does not know the rubric's criteria.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    trials = _Trials(cases, rubric, rng)
    pieces = _pieces(rubric, rng)
    tried: dict[str, float] = {}
    population: list[tuple[float, tuple[str, ...]]] = []
    attempts = 0
    while len(tried) < evaluations and attempts < 20 * evaluations:  # small vocabularies run out of new suffixes
        attempts += 1
        if len(population) < POPULATION:
            made = tuple(rng.sample(pieces, k=min(len(pieces), rng.randint(1, 4))))
        else:
            made = _varied(max(rng.sample(population, k=3))[1], max(rng.sample(population, k=3))[1], pieces, rng)
        text = " ".join(made)
        if not made or text in tried or len(text.split()) > TOKENS:
            continue
        tried[text] = trials.gain(text)
        population.append((tried[text], made))
        if len(population) > POPULATION:
            population.remove(min(population))
    return _different(sorted((Found(gain, text) for text, gain in tried.items()), reverse=True))


def _different(found: Sequence[Found]) -> list[Found]:
    """Return the first ones that share less than half of their words with those before them."""
    kept: list[Found] = []
    for one in found:
        words = set(one.text.split())
        if all(2 * len(words & set(other.text.split())) < len(words | set(other.text.split())) for other in kept):
            kept.append(one)
        if len(kept) == KEPT:
            break
    return kept


class _Trials:
    """A fixed sample of dialogues with the embedded judge's ratings of them."""

    def __init__(self, cases: Sequence[GoldenCase], rubric: Rubric, rng: Random) -> None:
        self._judge = LocalJudge(rubric)
        self._rubric = rubric
        self._cases = rng.sample(list(cases), k=min(DIALOGUES, len(cases)))
        self._before = {case.id: self._judge.verdict(case.transcript) for case in self._cases}

    def gain(self, text: str) -> float:
        """Return what a suffix gains: the mean over dialogues, turns and episode alike."""
        mutation = attacks_of([suffix(text, self._rubric, str(self._judge.id), 0.0)])[0]
        gains = [self._gain(mutation, mutant) for case in self._cases if (mutant := mutation.of(case, self._rubric, 0))]
        return float(np.mean(gains)) if gains else 0.0

    def _gain(self, mutation: Mutation, mutant: Mutant) -> float:
        after: Verdict = self._judge.verdict(mutant.transcript)
        return float(np.mean(list(trial(mutation, mutant, self._before[mutant.case], after, self._rubric).values.values())))


def _pieces(rubric: Rubric, rng: Random) -> list[str]:
    """Return what suffixes are made of."""
    wordings = read("wordings")
    phrases = [*wordings["self_praise"]["texts"], *wordings["apology"]["texts"], *wordings["keys"]["constant_reply"]]
    phrases += [worded([text], rubric, rng) for found in read("injections").values() for text in found["texts"]]
    sentences = [text for criterion in (*rubric.turn, *rubric.episode) for text in (criterion.question, criterion.levels[-1])]
    words = sorted({word for text in (*phrases, *sentences) for word in text.split()})
    clauses = [clause.strip() for text in (*phrases, *sentences) for clause in text.replace(":", ",").split(",")]
    return sorted({piece for piece in (*sentences, *phrases, *clauses, *words) if piece and len(piece.split()) <= TOKENS})


def _varied(one: tuple[str, ...], other: tuple[str, ...], pieces: Sequence[str], rng: Random) -> tuple[str, ...]:
    """Return a suffix like one, or with a part of another."""
    made = list(one)
    match rng.randrange(4):
        case 0:
            made.insert(rng.randint(0, len(made)), rng.choice(pieces))
        case 1:
            made[rng.randrange(len(made))] = rng.choice(pieces)
        case 2 if len(made) > 1:
            made.pop(rng.randrange(len(made)))
        case _:
            made = [*made[: rng.randint(1, len(made))], *other[rng.randrange(len(other)) :]]
    return tuple(made)
