"""The shipped golden set: enough of everything, labelled by two, not made from one template, and not what the local judge learnt from."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from golden_set.case import EPISODE, Band, GoldenCase, load_cases, shipped_cases
from judge.rubric import load_rubric

RUBRICS = ("collections", "support", "sales")
TRAINING = Path(__file__).parent.parent.parent / "judge/training"
WORDS = 8  # in a row: as many that two dialogues share are no accident
FORMULA = "this is an attempt to collect a debt"  # which the law has collectors say


@pytest.fixture(scope="module")
def cases() -> dict[str, tuple[GoldenCase, ...]]:
    return {name: load_cases(shipped_cases(), load_rubric(name)) for name in RUBRICS}


@pytest.fixture(scope="module")
def everything(cases: dict[str, tuple[GoldenCase, ...]]) -> list[GoldenCase]:
    return [case for found in cases.values() for case in found]


@pytest.fixture(scope="module")
def training() -> list[str]:
    lines = [line for file in sorted(TRAINING.glob("*/*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) > 300
    return [said(json.loads(line)["turns"]) for line in lines]


def said(turns: Any) -> str:
    return "\n".join(turn["text"] if isinstance(turn, dict) else turn.text for turn in turns)


def test_there_is_enough_of_everything(cases: dict[str, tuple[GoldenCase, ...]], everything: list[GoldenCase]) -> None:
    assert all(len(found) >= 60 for found in cases.values())  # what the gate needs for its power, for each rubric
    assert np.mean([len(case.places) - 1 for case in everything]) == pytest.approx(5, abs=1)
    for found in cases.values():
        bands = Counter(case.band for case in found)
        assert set(bands) == set(Band) and min(bands.values()) >= 10
        assert len({case.persona for case in found}) >= 8
        assert len({case.pair for case in found if case.pair}) >= 12
        faults = {"contradicted_promise", "forgotten_hardship", "lost_amount", "repeated_question", "threat_then_apology", "injection"}
        assert faults <= {tag for case in found for tag in case.tags}


def test_both_labellers_call_enough_turns_a_violation(cases: dict[str, tuple[GoldenCase, ...]]) -> None:
    found = {
        name: sum(
            max(label for label in labels[criterion.name] if label is not None) == 0
            for case in cases[name]
            for place, labels in case.places.items()
            if place != EPISODE
            for criterion in load_rubric(name).turn
            if criterion.critical
        )
        for name in ("collections", "sales")  # the rubric of support has no critical criterion
    }
    assert min(found.values()) >= 60


def test_every_case_says_who_labelled_it_and_why(everything: list[GoldenCase]) -> None:
    for case in everything:
        assert len(case.labelled_by) == 2 and case.why and case.tolerance >= 1 and case.band and case.persona and case.tags


def test_the_outcome_does_not_tell_how_it_was_handled(everything: list[GoldenCase]) -> None:
    """A judge that rates the ending would fail: in every rubric, endings that several cases share come with good and bad handling."""
    by_outcome = defaultdict(set)
    for case in everything:
        by_outcome[case.rubric, case.outcome].add(case.band)
    assert sum({Band.BAD, Band.GOOD} <= bands for bands in by_outcome.values()) >= 9


def test_no_case_is_near_another_or_near_a_dialogue_that_the_local_judge_learnt_from(
    everything: list[GoldenCase], training: list[str]
) -> None:
    """Cosine similarity of words and pairs of words: the nearest two of the training dialogues themselves reach 0.66."""
    texts = [said(case.turns) for case in everything]
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform([*texts, *training])
    golden, learnt = vectors[: len(texts)], vectors[len(texts) :]
    assert (golden @ learnt.T).max() < 0.25
    alike = (golden @ golden.T).toarray()
    pairs = [case.pair or case.id for case in everything]
    for one, other in zip(*np.nonzero(alike >= 0.25), strict=True):
        assert pairs[one] == pairs[other], (everything[one].id, everything[other].id)


def test_no_eight_words_in_a_row_are_shared(everything: list[GoldenCase], training: list[str]) -> None:
    owner: dict[tuple[str, ...], str] = {}
    named = [(case.pair or case.id, said(case.turns)) for case in everything] + [("training", text) for text in training]
    for name, text in named:
        words = "".join(
            letter if letter.isalnum() or letter.isspace() else " " for letter in text.lower().replace("’", "").replace("'", "")
        ).split()
        for at in range(len(words) - WORDS + 1):
            row = tuple(words[at : at + WORDS])
            formula = any(" ".join(row[begin : begin + 5]) in FORMULA for begin in range(WORDS - 4))
            assert formula or owner.setdefault(row, name) == name, " ".join(row)
