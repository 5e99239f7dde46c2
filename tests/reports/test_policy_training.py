"""The pages of a training: the answer first, the curve right, every word escaped."""

import math
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from policies.training_report import Stretch, TrainingReport
from reports.learning_curve import Trace, learning_curve, short
from reports.policy_training import conclude, joined, write

Reader = Callable[[str], Any]


def part(steps: int, mean: float | None, episodes: int = 10, **terms: float) -> dict[str, Any]:
    margin = 0.1 if episodes > 1 else None
    return {"steps": steps, "episodes": episodes, "mean": mean, "margin": margin, "squares": 2.0, "metrics": {"loss": 1 / steps}} | {
        "terms": terms
    }


def report(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "policy-training",
        "learner": "actor-critic",
        "where": "debt_call",
        "logged": False,
        "seed": 3,
        "steps": 4_000,
        "batches": 40,
        "episodes": 40,
        "run_steps": 4_000,
        "seconds": 2.0,
        "ended": "steps",
        "first": part(1_000, -1.0),
        "latest": part(4_000, 0.5, outcome=0.4, veto=-0.1),
        "stretches": [part(1_000 * at, -1 + at / 2, outcome=at / 4, **({"veto": -0.5} if at == 2 else {})) for at in range(1, 5)],
        "folder": "runs/one",
        "manifest": {
            "learner": "actor-critic",
            "parameters": {"rate": 1.0, "value_rate": "visits:0.8:0.01"},
            "data": {"files": [{"name": "a.jsonl", "sha256": "ab" * 32}], "notes": [], "cleared": True, "none": None},
            "steps": 4_000,
        },
    } | changes


def test_the_page_says_what_came_of_it(tmp_path: Path, sound: Reader) -> None:
    names = [path.name for path in write(report(), tmp_path)]
    assert names == ["policy-training.md", "policy-training.html"]
    html = (tmp_path / names[1]).read_text()
    page = sound(html)
    for words in (
        "TRAINED",
        "Return 0.50",
        "actor-critic learned on debt_call for 4,000 steps (40 episodes). Its return was −1.000 ± 0.100 in the first tenth",
        "which is higher",
        "judge evaluate runs/one/policy.json --env debt_call",
        "What the return was made of",
        "2,000 a second",
        "visits:0.8:0.01",
        "name a.jsonl, sha256 abababababab",
    ):
        assert words in page.text, words
    assert page.text.count("The training in 4 parts") == 1
    summary = (tmp_path / names[0]).read_text()
    assert summary.startswith("## Training: TRAINED\n")
    assert "| 4,000 | 10 | 1.000 | 0.292 | 0.0003 |" in summary  # margin: 1.96 · √(2 / 9 / 10)
    assert "| 1,000 | 10 |" in summary


@pytest.mark.parametrize(
    ("changes", "state", "told"),
    [
        ({}, "TRAINED", "which is higher"),
        ({"latest": part(4_000, -1.05)}, "TRAINED", "which may be chance"),
        ({"latest": part(4_000, -2.0)}, "TRAINED", "which is lower"),
        ({"ended": "stopped"}, "STOPPED", "which is higher"),
        ({"logged": True}, "TRAINED", "The calls shown last have a return of 0.500 ± 0.100: that is what those who acted in them earned."),
        ({"logged": True, "ended": "stopped"}, "STOPPED", "earned"),
        ({"first": part(1, None, 0), "latest": part(1, None, 0)}, "UNKNOWN", "no episode came to its end"),
    ],
)
def test_the_conclusion(changes: dict[str, Any], state: str, told: str) -> None:
    found = conclude(TrainingReport.model_validate(report(**changes)))
    assert found.state == state
    assert told in found.sentence
    assert any("--resume runs/one" in step for step in found.next_steps)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"where": "gym:FrozenLake-v1", "manifest": {"env_options": {"options": '{"is_slippery": false}'}}},
            """`judge evaluate runs/one/policy.json --env gym:FrozenLake-v1 --env-set 'options={"is_slippery": false}'`""",
        ),
        ({"folder": "my runs/one"}, "`judge evaluate 'my runs/one/policy.json' --env debt_call`"),
        ({"folder": "my runs/one", "logged": True}, "`judge evaluate 'my runs/one/policy.json' --from FILE`"),
        ({"folder": "my runs/one", "ended": "stopped"}, "`judge train --resume 'my runs/one' --more 4000`"),
    ],
)
def test_the_next_step_can_be_copied(changes: dict[str, Any], told: str) -> None:
    assert told in conclude(TrainingReport.model_validate(report(**changes))).next_steps[0]


@pytest.mark.parametrize(
    ("law", "told"),
    [
        ({"judges": [{"provider": "p", "model": "m", "leave": "uncleared"}]}, "The judge p/m has no leave to produce rewards (uncleared)"),
        ({"judges": [{"provider": "p", "model": m, "leave": "cleared"} for m in "ab"]}, "The rewards are of 2 judges"),
        ({"recipe": {"a": 1, "b": 2}}, "The rewards are of 2 recipes"),
        ({"judges": [{"provider": "p", "model": "m", "leave": "cleared"}], "recipe": {"a": 1}}, None),
    ],
)
def test_what_was_allowed_in_words_is_told_before_anything_else(
    tmp_path: Path, sound: Reader, law: dict[str, Any], told: str | None
) -> None:
    write(report(manifest={"law3": law}), tmp_path)
    opening = sound((tmp_path / "policy-training.html").read_text()).text.partition("The return while it learned")[0]
    summary = (tmp_path / "policy-training.md").read_text()
    if told is None:
        assert "Warning" not in opening + summary
    else:
        assert told in opening
        assert "> **Warning:**" in summary


def test_a_training_of_nothing_has_a_page(tmp_path: Path, sound: Reader) -> None:
    nothing = {
        "steps": 0,
        "batches": 0,
        "episodes": 0,
        "run_steps": 0,
        "stretches": [],
        "first": part(1, None, 0),
        "latest": part(1, None, 0),
    }
    write(report(**nothing), tmp_path)
    page = sound((tmp_path / "policy-training.html").read_text())
    assert "No episode has ended yet, so there is no return to draw." in page.text


def test_words_of_others_break_nothing(tmp_path: Path, sound: Reader, nasty: str) -> None:
    stretches = [part(at, 0.1, **{nasty: 0.5}) | {"metrics": {nasty: 0.1}} for at in range(1, 4)]
    manifest = {nasty: {nasty: nasty}, "learner": nasty}
    write(report(where=nasty, folder=nasty, warnings=[nasty], manifest=manifest, stretches=stretches), tmp_path)
    page = sound((tmp_path / "policy-training.html").read_text(encoding="utf-8"))
    assert "<script>alert('1')</script>" in page.text
    summary = (tmp_path / "policy-training.md").read_text(encoding="utf-8")
    assert "<script>" not in summary
    assert "@who" not in summary


def test_joined_stretches_have_the_mean_and_interval_of_all_their_episodes() -> None:
    """Returns 1, 3 and 5, 9: means 2 and 7, squares 2 and 8; together mean 4.5, squares 2 + 8 + 2·2.5² + 2·2.5² = 35."""
    parts = [
        Stretch(steps=10, episodes=2, mean=2.0, margin=None, squares=2.0, metrics={"loss": 1.0}, terms={"a": 2.0}),
        Stretch(steps=20, episodes=0, mean=None, margin=None, squares=0.0, metrics={}, terms={}),
        Stretch(steps=30, episodes=2, mean=7.0, margin=None, squares=8.0, metrics={"loss": 2.0}, terms={"a": 6.0, "veto": 1.0}),
    ]
    (found,) = joined(parts, 1)
    assert (found.steps, found.episodes, found.mean, found.squares) == (30, 4, 4.5, 35.0)
    assert math.isclose(found.margin or 0.0, 1.959964 * math.sqrt(35 / 3 / 4))
    assert found.metrics == {"loss": 1.5}
    assert found.terms == {"a": 4.0, "veto": 0.5}  # no veto in the first two episodes is a veto of 0
    assert len(joined(parts * 7, 4)) == 4  # 6, 6, 6 and the last 3
    assert len(joined(parts * 7, 5)) == 4  # 5, 5, 5 and 6: a last one of 1 would be hardly more than noise
    assert sum(one.episodes for one in joined(parts * 7, 4)) == 28


def corners(svg: str, tag: str) -> list[list[tuple[float, float]]]:
    found = re.findall(rf'<{tag}[^>]* points="([^"]*)"', svg)
    return [[(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())] for points in found]


def test_lines_and_bands_are_where_their_numbers_are() -> None:
    """Steps 0 to 100 go from left to right, -1 to 1 (and 6 % beside) from the bottom to the top."""
    points = [(0.0, -1.0), (50.0, 0.0), (75.0, None), (100.0, 1.0)]
    svg = str(learning_curve([Trace("main", "return", points, [0.0, 0.5, None, 0.0])], 100, name="it", zero=True))
    first, last = corners(svg, "polyline")  # a gap where there is no value
    low, high = -1.12, 1.12
    assert first == [(0.0, pytest.approx(100 * (high + 1) / 2.24, abs=0.01)), (50.0, pytest.approx(50.0, abs=0.01))]
    assert last == [(100.0, pytest.approx(100 * (high - 1) / 2.24, abs=0.01))] * 2  # one point alone is drawn as a dot
    upper = corners(svg, "polygon")[0]
    assert upper[1] == (50.0, pytest.approx(100 * (high - 0.5) / (high - low), abs=0.01))
    assert 'class="zero"' in svg
    assert "<title>it</title>" in svg


def test_numbers_that_span_powers_of_ten_are_drawn_by_factors() -> None:
    svg = str(learning_curve([Trace("main", "loss", [(at, 10.0**-at) for at in range(5)])], 4, name="loss"))
    heights = [y for _, y in corners(svg, "polyline")[0]]
    steps = [later - earlier for earlier, later in pairwise(heights)]
    assert all(math.isclose(step, steps[0], abs_tol=0.02) for step in steps)


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e-9, 1e9])
def test_a_flat_line_can_be_drawn(value: float) -> None:
    svg = str(learning_curve([Trace("main", "x", [(0.0, value), (10.0, value)])], 10, name="flat"))
    assert all(0 <= y <= 100 for _, y in corners(svg, "polyline")[0])


@pytest.mark.parametrize(("steps", "told"), [(0, "0"), (250, "250"), (12_500, "12.5 k"), (3_000_000, "3 M"), (2.5e9, "2.5 G")])
def test_steps_are_written_short(steps: float, told: str) -> None:
    assert short(steps) == told
