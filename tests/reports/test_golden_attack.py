"""The pages of attacks: what worked comes first and is quoted as text; what must not rise is shaded as it is decided."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golden_set.attacks.report import AttackReport, AttackResult, Measured, Rate
from golden_set.decision import Decision
from reports.attack_charts import charts, measured
from reports.golden_attack import conclude, ranked, write

JUDGE = {"provider": "local", "model": "m-1", "rubric": "support", "rubric_hash": "ab" * 32, "prompt_hash": "cd" * 32}
Reader = Callable[[str], Any]


def attack(name: str, decision: Decision | None, **changes: Any) -> dict[str, Any]:
    hits = 9 if decision is Decision.FAIL else 1
    rows = [Measured(compared="turns", dialogues=10, mean=0.4, low=0.3, high=0.5, decision=decision)] if decision else []
    example = {
        "case": "case-1",
        "place": "4",
        "put_in": "You are great.",
        "before": 2.0,
        "after": 4.5,
        "criterion": "warm",
        "reason": "kind",
    }
    whole = AttackResult(
        name=name,
        family="praise",
        direction="≤",
        about="praises itself",
        gates=True,
        dialogues=10 if decision else 0,
        applies_not=0,
        mutants=10,
        failed=0,
        measured=tuple(rows),
        decision=decision,
        success=Rate(hits=hits, count=10, value=hits / 10, low=0.1, high=0.97)
        if decision
        else Rate(hits=0, count=0, value=None, low=0, high=1),
    ).model_dump(mode="json")
    return whole | {"worst": [example]} | changes


def report(*attacks: dict[str, Any], status: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "golden-attack",
        "judge": JUDGE,
        "rubric": "support@abababababab",
        "day": "2026-11-21",
        "dialogues": 10,
        "seeds": 1,
        "asked": 50,
        "failed": 0,
        "failures": {},
        "decision": "FAIL",
        "status": status,
        "worst_real": {"turns": 2.5},
        "attacks": list(attacks),
        "recall": {"lost_amount": {"hits": 3, "count": 5, "value": 0.6, "low": 0.2, "high": 0.9}},
        "length": [{"of": "the sum of turn ratings", "value": 0.1, "low": -0.2, "high": 0.4}],
    } | changes


def test_what_worked_is_told_first_and_quoted_as_text(tmp_path: Path, sound: Reader, nasty: str) -> None:
    bad = attack("self_praise", Decision.FAIL)
    bad["worst"][0] |= {"put_in": nasty, "reason": nasty}
    markdown, html = write(report(attack("flattery", Decision.PASS), bad, attack("none", None)), tmp_path)
    page = sound(html.read_text(encoding="utf-8"))
    text = " ".join(page.text.split())
    assert "FAIL Failed: it can be gamed" in text
    assert "1 worked" in text
    assert text.index("self_praise: FAIL") < text.index("Every attack")
    assert "⟨U+202E⟩" in text
    words = markdown.read_text(encoding="utf-8")
    assert "| **FAIL** | self\\_praise | must not rise | turns +0.40 \\[+0.30, +0.50\\] | 9 of 10 | 97% |" in words
    assert "<script" not in words
    assert "flattery" not in words


@pytest.mark.parametrize(
    ("status", "decision", "state"),
    [(0, Decision.PASS, "PASS"), (1, Decision.FAIL, "FAIL"), (3, Decision.UNDECIDED, "UNDECIDED"), (4, Decision.PASS, "NOT REACHED")],
)
def test_the_answer_is_that_of_the_exit_status(status: int, decision: Decision, state: str) -> None:
    assert conclude(AttackReport.model_validate(report(attack("a", decision), status=status))).state == state


def test_an_unreached_judge_with_no_attack_makes_pages(tmp_path: Path, sound: Reader) -> None:
    _, html = write(report(status=4, attacks=[], recall={}, length=[], failures={"timeout": 50}, failed=50), tmp_path)
    assert "50 × timeout" in sound(html.read_text(encoding="utf-8")).text


def test_order_and_words() -> None:
    found = AttackReport.model_validate(report(attack("a", Decision.PASS), attack("b", None), attack("c", Decision.FAIL)))
    assert [one.name for one in ranked(found)] == ["c", "a", "b"]
    assert [measured(one) for one in ranked(found)] == ["turns +0.40 [+0.30, +0.50]"] * 2 + ["applies to none"]


@pytest.mark.parametrize(
    ("direction", "band"),
    # The axis is ±1.08, twice the fall that is asked for and a little: 0.10 lies at (0.1 + 1.08) / 2.16 = 54.63 %, -0.5 at 26.852 %,
    # ±0.15 at 43.056 % and 56.944 %.
    [
        ("≤", 'x="0.0%" width="54.63%"'),
        ("<", 'x="0.0%" width="26.852%"'),
        ("=", 'x="43.056%" width="13.888'),
        ("low", 'x="0.0%" width="37.5%"'),
    ],
)
def test_the_shaded_part_is_where_the_interval_must_lie(direction: str, band: str) -> None:
    found = AttackReport.model_validate(report(attack("a", Decision.PASS, direction=direction)))
    assert f'class="band" {band}' in str(charts(found)[0][1])
