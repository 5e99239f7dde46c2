"""The shipped coefficients come from the shipped dialogues and the cues as they are now; signs are what the cues say."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge

from judge.cues import CUES
from judge.local import EPISODE_CUES, shipped_model
from judge.training.fit import ALPHA, CRITICAL_CUES, RUBRICS, cues_fingerprint, fit_one, read_examples


@pytest.fixture(scope="module")
def examples():  # type: ignore[no-untyped-def]
    return read_examples()


def test_the_model_belongs_to_the_cues_as_they_are(examples) -> None:  # type: ignore[no-untyped-def]
    """A change in how cues are found makes another judge: fit anew (`make fit`), so that the JudgeId changes with it."""
    assert cues_fingerprint(examples) == shipped_model().cues_fingerprint


def test_no_coefficient_is_perverse() -> None:
    model = shipped_model()
    for table, linears in ((CUES, model.turn), (EPISODE_CUES, model.episode)):
        for criterion, linear in linears.items():
            for cue, value in linear.cues.items():
                sign = table[cue][0]
                assert sign == 0 or sign * value > 0, f"{criterion}: {cue} {value}"


def test_nothing_kind_counts_for_a_critical_criterion() -> None:
    for criterion in ("compliance", "honest"):
        linear = shipped_model().turn[criterion]
        assert linear.intercept == 1.0  # innocent until a cue speaks against it
        assert set(linear.cues) <= set(CRITICAL_CUES)
        assert all(value < 0 or cue == "reassures" for cue, value in linear.cues.items())


def test_the_fit_is_a_ridge_regression_when_no_sign_binds() -> None:
    """With all true coefficients of the allowed signs and little noise, the constraint is idle: plain ridge is the reference."""
    rng = np.random.default_rng(0)
    features = rng.random((400, 3))
    labels = 0.2 + features @ np.array([0.7, -0.5, 0.3]) + rng.normal(0, 0.01, 400)
    intercept, coefficients = fit_one(features, labels, np.array([1, -1, 1]))
    reference = Ridge(alpha=ALPHA).fit(features, labels)
    assert_allclose(coefficients, reference.coef_, atol=1e-4)
    assert intercept == pytest.approx(reference.intercept_, abs=1e-4)


def test_a_cue_of_the_wrong_sign_gets_no_weight() -> None:
    rng = np.random.default_rng(0)
    features = rng.random((400, 2))
    labels = features[:, 0] - features[:, 1]
    _, coefficients = fit_one(features, labels, np.array([-1, 1]))  # both directions forbidden to say what the data says
    assert_allclose(coefficients, 0, atol=1e-9)


@pytest.mark.parametrize("folder", ["dialogues", "unseen"])
def test_every_turn_is_labelled_on_every_criterion(folder: str) -> None:
    for example in read_examples(folder):
        expected = {criterion.name for criterion in example.rubric.turn_criteria}
        assert all(set(labels) == expected for labels in example.turn_labels), example.transcript.id
        assert set(example.episode_labels) == {criterion.name for criterion in example.rubric.episode}


def test_training_and_unseen_dialogues_are_different_dialogues(root: Path) -> None:
    """No dialogue of one set is a near copy of one of the other, of the examples, or (but for contrast pairs) of its own."""

    def words(path: Path) -> dict[str, frozenset[str]]:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {row["id"]: frozenset(" ".join(turn["text"] for turn in row["turns"]).lower().split()) for row in rows}

    def alike(one: frozenset[str], other: frozenset[str]) -> float:
        return len(one & other) / len(one | other)

    folder = root / "judge/training"
    for rubric in RUBRICS:
        seen, unseen = words(folder / f"dialogues/{rubric}.jsonl"), words(folder / f"unseen/{rubric}.jsonl")
        assert max(alike(a, b) for a in seen.values() for b in unseen.values()) < 0.4
        near = [(x, y) for (x, a), (y, b) in combinations(seen.items(), 2) if alike(a, b) > 0.5]
        assert len(near) <= 0.1 * len(seen), near
    shown = words(root / "examples/collections.jsonl") | words(root / "examples/reference_case.jsonl")
    assert max(alike(a, b) for a in shown.values() for b in words(folder / "dialogues/collections.jsonl").values()) < 0.4
