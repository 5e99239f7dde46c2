"""Answers the questions of /v1/decisions from a transcript's hash; the questions' words have no bearing on it."""

import random
from functools import lru_cache
from hashlib import blake2b

from plans import peaked
from problems import Json
from prompts import compact
from transcript import Shown


def decide(questions: list[Json], shown: Shown, seed: int, noise: float, rng: random.Random) -> list[Json]:
    """Return an answer to each question: the same for the same transcript, question name and seed, but for the noise."""
    answers = []
    for question in questions:
        name = question.get("name")
        place = int.from_bytes(blake2b((name or compact(question)).encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")
        draw = rng.getrandbits(60) if noise and rng.random() < noise else hash((seed, shown.digest, place)) & (2**60 - 1)
        answers.append({"name": name, **_ANSWERS[question["type"]](question, draw)})
    return answers


def refuse(answer: Json) -> Json:
    """Return a refusal in an answer's place."""
    return {"name": answer["name"], "type": "refusal"}


def beside_questions(answers: list[Json], way: int) -> list[Json]:
    """Return answers with, by `way`: one renamed, one out of range, one missing, or one given twice."""
    first = answers[0]
    if way % 4 == 0:
        return [{**first, "name": "t9999"}, *answers[1:]]
    if way % 4 == 1:
        worst: dict[str, Json] = {"score": {"score": 99.0}, "predicate": {"probability": 7.0}, "choice": {"choice": "nonsense"}}
        return [{**first, **worst[first["type"]]}, *answers[1:]]
    return answers[:-1] if way % 4 == 2 else [first, *answers]


def _score(question: Json, draw: int) -> Json:
    labels = tuple([level["label"] for level in question["levels"]])
    return _scored(labels, peaked(len(labels), draw % len(labels), draw // 1009))


@lru_cache(10_000)
def _scored(labels: tuple[str, ...], shares: tuple[float, ...]) -> Json:
    levels = enumerate(zip(labels, shares, strict=True))
    return {
        "type": "score",
        "score": round(sum(value * share for value, share in enumerate(shares)), 6),
        "confidence": max(shares),
        "probabilities": [{"label": label, "value": value, "probability": share} for value, (label, share) in levels],
    }


def _choice(question: Json, draw: int) -> Json:
    values = [choice["value"] for choice in question["choices"]]
    at = draw % len(values)
    shares = peaked(len(values), at, draw // 1009)
    return {
        "type": "choice",
        "choice": values[at],
        "confidence": shares[at],
        "probabilities": [{"value": value, "probability": share} for value, share in zip(values, shares, strict=True)],
    }


def _predicate(question: Json, draw: int) -> Json:
    return {"type": "predicate", "probability": round(draw % 10007 / 10006, 6)}


_ANSWERS = {"score": _score, "choice": _choice, "predicate": _predicate}
