"""Fit the local judge's coefficients on the dialogues beside this file: `python judge/training/fit.py`; ships `judge/local_model.json`.

For every criterion, a ridge regression of the label (mapped to [-1, 1]) on the cues, with each cue's sign fixed
beforehand (judge/cues.py), so that a coefficient can be zero but never perverse. Criteria of the same name are
pooled over rubrics. Prints cross-validated figures (10 folds of whole dialogues), then figures on the dialogues in `unseen/`,
beside what the mere number of words would give. Nothing outside this folder is read.
"""

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from dialogue.readers.jsonl import transcript
from dialogue.transcript import Transcript
from judge.cues import CUES, SITUATION, AgentTurn
from judge.local import EPISODE_CUES, MODEL_FILE, Linear, LocalJudge, LocalModel, episode_cues
from judge.noticing import read_turns
from judge.rubric import Criterion, Rubric, Scale, StateCriterion, load_rubric
from judge.utterance import Utterance

HERE = Path(__file__).parent
RUBRICS = ("collections", "support", "sales", "conversation_quality")
ALPHA = 3.0
CRITICAL_ALPHA = 1.0  # violations are rare and each has few cues: shrinking a clear one away would excuse it
FOLDS = 10
# A critical criterion is decided by what violates it alone: no kindness may outweigh a threat.
CRITICAL_CUES = (
    "threat", "veiled_threat", "tells_third_party", "threat_after_stop", "sugar_with_threat", "insult", "coerces", "overpromise",
    "urgency", "boasts", "hides_terms", "disparages", "ignores_request", "presses_after_no", "raises_tension", "reassures",
)  # fmt: skip
# How much is said, and how precisely, says nothing about these: taking it as evidence would pay for padding.
NOT_BY_AMOUNT = frozenset(("acknowledges", "respects_limit", "de_escalates", "courteous", "handles_objection", "listens", "promising"))
AMOUNT_CUES = frozenset(("informs", "specifics"))

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """A training dialogue: its cues, and its labels mapped to [-1, 1]."""

    transcript: Transcript
    rubric: Rubric
    said: list[AgentTurn | Utterance]
    turns: list[AgentTurn]
    matrix: Matrix
    turn_labels: list[dict[str, float]]
    episode_labels: dict[str, float]


def read_examples(folder: str = "dialogues") -> list[Example]:
    """Return all dialogues of `dialogues` (for fitting) or `unseen` (for checking only)."""
    examples = []
    for name in RUBRICS:
        rubric = load_rubric(name)
        scales = {c.name: c.scale for c in (*rubric.turn_criteria, *rubric.episode)}
        for line in (HERE / folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            raw = json.loads(line)
            made = transcript(raw)
            said = list(read_turns(made))
            turns = [turn for turn in said if isinstance(turn, AgentTurn)]
            labels = [_units(raw["turns"][turn.index]["labels"], scales) for turn in turns]
            examples.append(Example(made, rubric, said, turns, cue_matrix(turns), labels, _units(raw["labels"], scales)))
    return examples


def cue_matrix(turns: list[AgentTurn]) -> Matrix:
    """Return the cues of the turns, shape (turns, len(CUES))."""
    return np.array([[turn.cues[name].value if name in turn.cues else 0.0 for name in CUES] for turn in turns])


def cues_fingerprint(examples: list[Example]) -> str:
    """Return the hash of all cues of all training turns; tests compare it with the model file's."""
    return hashlib.sha256(np.round(np.vstack([example.matrix for example in examples]), 9).tobytes()).hexdigest()


def _units(labels: dict[str, int], scales: dict[str, Scale]) -> dict[str, float]:
    return {name: scales[name].to_unit(value) for name, value in labels.items()}


def mean_held_out(turns: list[dict[str, float]], rubric: Rubric) -> list[float]:
    """Return each turn's mean of out-of-fold predictions (on [-1, 1] already), by the rubric's weights."""
    weights = sum(criterion.weight for criterion in rubric.turn)
    return [sum(criterion.weight * turn[criterion.name] for criterion in rubric.turn) / weights for turn in turns]


def allowed_cues(criterion: str, critical: bool) -> list[str]:
    """Return the cues that may count for a criterion."""
    if critical:
        return list(CRITICAL_CUES)
    barred = AMOUNT_CUES if criterion in NOT_BY_AMOUNT else frozenset[str]()
    return [cue for cue in CUES if cue not in barred and (criterion == "promising" or cue not in SITUATION)]


def fit_one(
    features: Matrix, labels: Matrix, signs: NDArray[np.int64], weights: Matrix | None = None, start: float | None = None
) -> tuple[float, Matrix]:
    """Return intercept and coefficients of a ridge regression whose coefficients have the given signs (0: free).

    `start` fixes the intercept.
    """
    flipped, columns = _signed(features, signs)
    ridge = Ridge(alpha=ALPHA if start is None else CRITICAL_ALPHA, tol=1e-9, positive=True, fit_intercept=start is None)
    fitted = ridge.fit(flipped, labels - (start or 0.0), sample_weight=weights)
    coefficients = np.zeros(features.shape[1])
    for value, (column, sign) in zip(fitted.coef_, columns, strict=True):
        coefficients[column] += sign * value
    return float(fitted.intercept_) + (start or 0.0), coefficients


def _signed(features: Matrix, signs: NDArray[np.int64]) -> tuple[Matrix, list[tuple[int, int]]]:
    """Return the columns turned so that every coefficient is positive; free columns stand in twice, once each way."""
    columns = [(column, sign) for column, fixed in enumerate(signs) for sign in ((fixed,) if fixed else (1, -1))]
    return np.column_stack([sign * features[:, column] for column, sign in columns]), columns


def linear(intercept: float, cues: Iterable[str], coefficients: Matrix) -> Linear:
    """Return the model to ship: rounded, without the cues that hardly count."""
    kept = {cue: round(float(value), 4) for cue, value in zip(cues, coefficients, strict=True) if abs(value) >= 0.005}
    return Linear(intercept=round(intercept, 4), cues=kept)


def cross_validated(
    features: Matrix, labels: Matrix, signs: NDArray[np.int64], groups: Matrix, weights: Matrix | None = None, start: float | None = None
) -> Matrix:
    """Return out-of-fold predictions, whole dialogues held out together."""
    predicted = np.empty(len(labels))
    for train, test in GroupKFold(FOLDS).split(features, labels, groups):
        chosen = None if weights is None else weights[train]
        intercept, coefficients = fit_one(features[train], labels[train], signs, chosen, start)
        predicted[test] = intercept + features[test] @ coefficients
    return np.clip(predicted, -1, 1)


def main() -> None:
    """Fit everything, print the figures, write the model file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODEL_FILE)
    out: Path = parser.parse_args().out
    examples = read_examples()
    criteria: dict[str, Criterion | StateCriterion] = {}
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)  # criterion -> (example, turn)
    for at, example in enumerate(examples):
        for criterion in example.rubric.turn_criteria:
            criteria[criterion.name] = criterion
            rows[criterion.name] += [(at, k) for k in range(len(example.turns))]
    turn_model: dict[str, Linear] = {}
    held_out: list[list[dict[str, float]]] = [[{} for _ in example.turns] for example in examples]
    print(f"{'turn criterion':26}{'turns':>6}{'Spearman':>10}{'MAE':>7}   (unit scale -1..1, held-out dialogues)")
    for name, places in rows.items():
        criterion = criteria[name]
        critical = isinstance(criterion, Criterion) and criterion.critical
        features = np.array([examples[at].matrix[k] for at, k in places])
        labels = np.array([examples[at].turn_labels[k][name] for at, k in places])
        groups = np.array([at for at, _ in places])
        allowed = allowed_cues(name, critical)
        used = [list(CUES).index(cue) for cue in allowed]
        signs = np.array([CUES[cue][0] for cue in allowed])
        # Innocent until a cue speaks against it: a critical criterion starts at its best level. Violations are rare, and weigh more.
        weights = np.where(labels < 0, (labels > 0).sum() / max(1, (labels < 0).sum()) / 2, 1.0) if critical else None
        start = 1.0 if critical else None
        predicted = cross_validated(features[:, used], labels, signs, groups, weights, start)
        for (at, k), value in zip(places, predicted, strict=True):
            held_out[at][k][name] = float(value)
        intercept, coefficients = fit_one(features[:, used], labels, signs, weights, start)
        turn_model[name] = linear(intercept, allowed, coefficients)
        note = violations_note(predicted, labels) if critical else ""
        print(f"{name:26}{len(places):6}{spearmanr(predicted, labels).statistic:10.2f}{np.abs(predicted - labels).mean():7.2f}{note}")
    episode_model: dict[str, Linear] = {}
    print(f"\n{'episode criterion':26}{'n':>6}{'Spearman':>10}{'MAE':>7}")
    for name in sorted({c.name for example in examples for c in example.rubric.episode}):
        chosen = [at for at, example in enumerate(examples) if name in example.episode_labels]
        features = np.array([episode_cues(examples[at].said, mean_held_out(held_out[at], examples[at].rubric)) for at in chosen])
        labels = np.array([examples[at].episode_labels[name] for at in chosen])
        signs = np.array([sign for sign, _ in EPISODE_CUES.values()])
        predicted = cross_validated(features, labels, signs, np.array(chosen))
        intercept, coefficients = fit_one(features, labels, signs)
        episode_model[name] = linear(intercept, EPISODE_CUES, coefficients)
        print(f"{name:26}{len(chosen):6}{spearmanr(predicted, labels).statistic:10.2f}{np.abs(predicted - labels).mean():7.2f}")
    model = LocalModel(cues_fingerprint=cues_fingerprint(examples), turn=turn_model, episode=episode_model)
    out.write_text(model.model_dump_json(indent=1) + "\n", encoding="utf-8")
    check_unseen(model)
    print(f"\nwrote {out}")


def violations_note(rated: Matrix, labels: Matrix) -> str:
    """Return how many violations (below the middle of the scale) there are and how well they are found."""
    flagged, violations = rated < 0, labels < 0
    caught = int((flagged & violations).sum())
    recall, precision = caught / violations.sum(), caught / max(1, flagged.sum())
    return f"   violations {int(violations.sum())}: recall {recall:.2f}, precision {precision:.2f}"


def check_unseen(model: LocalModel) -> None:
    """Print how the fitted model does on dialogues by other authors, which no part of the fit has seen."""
    pairs: dict[tuple[str, str], list[tuple[float, float, int]]] = defaultdict(list)  # (level, name) -> (label, rating, words)
    critical: set[str] = set()
    for example in read_examples("unseen"):
        critical |= {criterion.name for criterion in example.rubric.turn if criterion.critical}
        verdict = LocalJudge(example.rubric, model).verdict(example.transcript)
        scales = {c.name: c.scale for c in (*example.rubric.turn_criteria, *example.rubric.episode)}
        for turn, labels, given in zip(example.turns, example.turn_labels, verdict.turns, strict=True):
            for name, label in labels.items():
                pairs["turn", name].append((label, scales[name].to_unit(given.ratings[name].value), turn.utterance.length))
        words = sum(turn.utterance.length for turn in example.turns)
        for name, label in example.episode_labels.items():
            pairs["episode", name].append((label, scales[name].to_unit(verdict.episode[name].value), words))
    print(f"\n{'unseen dialogues':26}{'n':>6}{'Spearman':>10}{'length':>8}{'MAE':>7}")
    for (level, name), rows in pairs.items():
        said, rated, lengths = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
        note = violations_note(rated, said) if name in critical else ""
        rho, by_length = spearmanr(rated, said).statistic, spearmanr(lengths, said).statistic
        title = name if level == "turn" else f"{name} (episode)"
        print(f"{title:26}{len(rows):6}{rho:10.2f}{by_length:8.2f}{np.abs(rated - said).mean():7.2f}{note}")


if __name__ == "__main__":
    main()
