"""The pages of the nightly monitor: alarm, amber, burn-in or quiet, told first; paths as charts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golden_set.watch_report import WatchReport
from reports.golden_watch import conclude, write

JUDGE = {"provider": "openai", "model": "m-1", "rubric": "support", "rubric_hash": "ab" * 32, "prompt_hash": "cd" * 32}
Reader = Callable[[str], Any]


def path(name: str, *shift: float | None) -> dict[str, Any]:
    days = [f"2026-11-{at + 1:02}" for at in range(len(shift))]
    known = [None if value is None else 0.05 for value in shift]
    return {"criterion": name, "low": 1, "high": 5, "days": days, "mean": [3.0] * len(shift), "shift": shift, "sd": known} | {
        "tolerance": known,
        "evidence": known,
        "cusum": known,
        "again": [None] * len(shift),
        "second": known,
    }


def report(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "golden-watch",
        "judge": JUDGE,
        "second": None,
        "cases": 40,
        "cases_hash": "ef" * 6,
        "day": "2026-11-03",
        "fresh": True,
        "begun": "2026-10-15",
        "baseline_runs": 10,
        "nights": 17,
        "burn_in": 14,
        "answered": 40,
        "failed": 0,
        "limits": {"alarm": 365.0, "suspicion": 20.0, "amber": 5.0, "burn_in": 14},
        "together": [None, 0.5, 1.7e9],
        "anchors": [path("warm", None, 0.01, -0.2), path("clear", None, None, None)],
        "stream": [],
        "stream_together": [],
        "stream_burn_in": 0,
        "suspected": False,
        "alarm": None,
        "slices": [],
        "amber": [],
        "told": "no drift",
        "todo": [],
        "warnings": [],
        "alarms_before": [],
        "status": 0,
    } | changes


ALARM = {
    "status": 1,
    "told": "ALARM: judge drift: warm moved by -0.20 on the anchors, borne out by 5 fresh runs",
    "todo": ["run `judge golden check` to see how it stands"],
    "alarm": {
        "anchors": True,
        "stream": False,
        "cause": "judge drift",
        "cases": [{"case": "case-7", "criterion": "warm", "shift": -0.6}],
        "voided": True,
    },
    "slices": [{"slice": "persona:calm", "criterion": "warm", "shift": -0.5}],
}


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({}, "QUIET", "no drift"),
        ({"burn_in": 6}, "LEARNING", "6 of 14 nights of its burn-in are done"),
        ({"amber": ["warm"], "told": "amber: the CUSUM of warm is over its limit; no alarm"}, "AMBER", "CUSUM of warm"),
        (ALARM, "ALARM", "raised an alarm: warm moved by -0.20 on the anchors, borne out by 5 fresh runs. Its clearance is void"),
    ],
)
def test_the_night_is_told_in_a_sentence(changes: dict[str, Any], state: str, said: str) -> None:
    found = conclude(WatchReport.model_validate(report(**changes)))
    assert (found.state, said in found.sentence) == (state, True)


def test_an_alarm_names_what_moved_and_what_to_do(tmp_path: Path, sound: Reader, nasty: str) -> None:
    markdown, html = write(report(**ALARM, warnings=[nasty]), tmp_path)
    page = sound(html.read_text(encoding="utf-8"))
    text = " ".join(page.text.split())
    assert "Run judge golden check to see how it stands." in text
    assert "case-7warm−0.60" in text  # three cells of a row
    assert "⟨U+202E⟩" in text
    assert page.tags.count("figure") == 2  # all together, and the one criterion that has a path
    assert "ALARM" in page.text.split("Evidence of drift")[-1]
    words = markdown.read_text(encoding="utf-8")
    assert "- Next: Run `judge golden check` to see how it stands." in words
    assert "Cases that moved: case-7 (warm −0.60)" in words
    assert "<script" not in words


def test_a_first_night_makes_pages(tmp_path: Path, sound: Reader) -> None:
    first = report(nights=1, burn_in=1, together=[None], anchors=[path("warm", None)], told="burn-in 1 of 14: cannot alarm yet")
    _, html = write(first, tmp_path)
    assert "1 of 14 nights of the burn-in are done" in sound(html.read_text(encoding="utf-8")).text


def test_the_stream_has_its_own_part(tmp_path: Path, sound: Reader) -> None:
    _, html = write(report(stream=[path("warm", 0.1, 0.2, 0.3)], stream_together=[1.0, 2.0, 3.0], stream_burn_in=3), tmp_path)
    text = sound(html.read_text(encoding="utf-8")).text
    assert "Burn-in 3 of 14: the stream cannot raise an alarm yet." in text
