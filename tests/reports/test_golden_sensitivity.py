"""The pages of prompt sensitivity: is one rating enough, where does variance come from, what does it mean for a learner."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golden_set.sensitivity_report import SensitivityReport
from reports.golden_sensitivity import conclude, design, write
from reports.sensitivity_charts import shift_charts

JUDGE = {"provider": "openai", "model": "m-1", "rubric": "support", "rubric_hash": "ab" * 32, "prompt_hash": "cd" * 32}
DESIGN = {"prompts": 1, "runs": 2, "ratings": 2, "weight": 2.0, "usd": 0.0021, "g": 0.85, "phi": 0.84, "low": 0.8, "high": 0.9}
Reader = Callable[[str], Any]


def estimate(value: float | None) -> dict[str, Any]:
    return {"value": value, "low": value and value - 0.1, "high": value and value + 0.1, "met": None}


def measure(name: str, decision: str, **changes: Any) -> dict[str, Any]:
    parts = {"item": 0.7, "prompt": 0.05, "item_prompt": 0.05, "residual": 0.2}
    return {
        "name": name,
        "of": "turn",
        "low": 1.0,
        "high": 5.0,
        "items": 100,
        "support": 20.0,
        "variances": {part: estimate(value) for part, value in parts.items()} | {"shares": parts},
        "g": 0.75,
        "phi": estimate(0.7),
        "decision": decision,
        "why": "the interval lies below 0.80",
        "designs": [DESIGN],
        "recommended": DESIGN,
        "prompt_means": {"plain": 3.0, "other": 3.3},
        "range": 0.3,
        "range_of_five": 0.3,
        "range_met": False,
    } | changes


def flips(what: str) -> dict[str, Any]:
    return {"what": what, "items": 100, "prompts": estimate(0.3), "runs": estimate(0.2), "excess": estimate(0.1), "same": estimate(0.7)}


def report(**changes: Any) -> dict[str, Any]:
    shift = {"measure": "turn mean", "of": "turn", "mean": 0.5, "se": 0.1, "low": 0.3, "high": 0.7, "of_five": 1.0}
    asked = {"judge": JUDGE, "judge_key": "0123", "asked": 80, "failed": 1, "failed_cases": 1, "failures": {"timeout": 1}, "usage": {}}
    compared = {
        "prompt": "other",
        "arm": "paraphrases",
        "rubric_hash": "ef" * 32,
        "judge_key": "4567",
        "cases": 40,
        "shifts": [shift],
        "flips": [],
        "phi": {},
        "prompt_share": {},
    }
    return {
        "kind": "golden-sensitivity",
        "decision": "FAIL",
        "why": "Φ lies below 0.80",
        "reached": True,
        "judge": JUDGE,
        "judge_key": "0123",
        "rubric": "support",
        "rubric_hash": "ab" * 32,
        "day": "2026-11-21",
        "seed": 0,
        "runs": 2,
        "cases": [f"case-{at}" for at in range(40)],
        "lost": 0,
        "prompts": [asked | {"name": "plain", "arm": None}, asked | {"name": "other", "arm": "paraphrases"}],
        "skipped": {"unit": "not for this judge"},
        "deterministic": False,
        "notes": ["runs beyond one buy nothing"],
        "targets": {"phi": 0.8, "same": 0.9, "range_of_five": 0.15, "failed": 0.1},
        "measures": [measure("warm", "FAIL"), measure("clear", "PASS")],
        "recommended": DESIGN,
        "flips": [flips("warm: rounded level")],
        "learning": [flips("sign of a turn's advantage")],
        "compared": [compared],
        "usage": {"requests": 160, "cost_usd": 0.34},
    } | changes


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({}, "FAIL", "Φ is below 0.80 for warm (turn)"),
        ({"decision": "PASS"}, "PASS", "one rating is enough"),
        ({"decision": "UNDECIDED", "why": "it holds 0.80"}, "UNDECIDED", "it holds 0.80"),
        ({"decision": "UNDECIDED", "reached": False, "why": "it failed"}, "NOT REACHED", "it failed"),
    ],
)
def test_the_answer_in_a_sentence(changes: dict[str, Any], state: str, said: str) -> None:
    found = conclude(SensitivityReport.model_validate(report(**changes)))
    assert (found.state, said in found.sentence) == (state, True)


def test_the_cheapest_design_is_recommended_in_words() -> None:
    found = SensitivityReport.model_validate(report())
    assert design(found.recommended) == "1 prompt, 2 times each (Φ 0.84, $0.0021 a dialogue)"
    assert design(found.recommended) in conclude(found).next_steps[0]
    assert design(None) == "no design that was looked at"


def test_the_pages_show_everything(tmp_path: Path, sound: Reader, nasty: str) -> None:
    markdown, html = write(report(notes=[nasty], skipped={"unit": nasty}), tmp_path)
    text = " ".join(sound(html.read_text(encoding="utf-8")).text.split())
    for part in ("30% [20%, 40%]", "0.30 (too wide)", "+1.00 [+0.60, +1.40]", "2 × timeout", "⟨U+202E⟩", "sign of a turn's advantage"):
        assert part in text, part
    words = markdown.read_text(encoding="utf-8")
    assert "| FAIL | warm (turn) | 0.70 \\[0.60, 0.80\\] | 10% | 1 prompt, 2 times each (Φ 0.84, $0.0021 a dialogue) |" in words.replace(
        "\\$", "$"
    )


def test_a_study_without_paraphrases_or_variance_makes_pages(tmp_path: Path, sound: Reader) -> None:
    still = measure("warm", "UNDECIDED", phi=estimate(None), recommended=None)
    still["variances"]["shares"] = None
    _, html = write(report(measures=[still], recommended=None), tmp_path)
    assert "nothing varies" in sound(html.read_text(encoding="utf-8")).text
    _, html = write(report(measures=[], flips=[], learning=[], compared=[], recommended=None, decision="UNDECIDED"), tmp_path)
    assert "without them nothing says" in sound(html.read_text(encoding="utf-8")).text


def test_bounds_are_in_the_same_levels_as_the_shift() -> None:
    """A measure on [-1, 1]: a mean of 0.5 with [0.3, 0.7] is 1.0 with [0.6, 1.4] in levels of a 1-5 scale."""
    ((_, _, chart),) = shift_charts(SensitivityReport.model_validate(report()))
    assert "+1.00 [+0.60, +1.40]" in chart
