"""The summary on a terminal: readable, in order, and unable to steer it."""

import unicodedata
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from judge.rubric import Criterion, Rubric
from rewards.record import EpisodeRecord, RatingRecord, RewardRecord, Status, TurnRecord
from rewards.summary import Summary
from rewards.table import print_summary, printable

RUBRIC = Rubric(name="calls", about="Calls.", turn=(Criterion(name="listens", question="?", levels=("no", "so so", "yes")),))


def record(
    id: str = "a", outcome: str | float | None = "HANGUP", reward: float = 0.0, reason: str = "because", quote: str | None = None
) -> RewardRecord:
    ratings = {"listens": RatingRecord(value=2.0, spread=None, reason=reason, quote=quote)}
    return RewardRecord(
        id=id,
        judge=None,
        rubric="r",
        recipe="r",
        outcomes="o",
        calibration=None,
        outcome=outcome,
        status=Status.SCORED,
        turns=(TurnRecord(turn=0, ratings=ratings, terms={"turns": reward}, reward=reward),),
        episode=EpisodeRecord(ratings={}, terms={"turns": reward}, reward=reward),
        cleared=True,
    )


def printed(*records: RewardRecord) -> str:
    summary = Summary(RUBRIC)
    for one in records:
        summary.add(one)
    print_summary(summary, Console(file=(out := StringIO()), width=110, highlight=False))
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢字 🙂 “q”", "plain ü 漢字 🙂 “q”"),
        ("\x1b[2Jgone", "·[2Jgone"),
        ("\x9b31m", "·31m"),
        ("\x1b]8;;http://evil\x07link", "·]8;;http://evil·link"),
        ("a\nb\rc\td\x00e\x7f", "a·b·c·d·e·"),
        ("\u202eevil\u202c", "·evil·"),
        ("\u2066a\u2069\u200f", "·a··"),
        ("a\u200bb\u200dc\u2060d\ufeff", "a·b·c·d·"),
        ("a\u2028b\u2029c", "a·b·c"),
        ("\ud800\ue000\U000e0041", "···"),
    ],
    ids=[
        "plain",
        "ESC",
        "C1",
        "OSC link",
        "controls",
        "bidi override",
        "bidi isolate",
        "zero width",
        "separators",
        "surrogate, private, tag",
    ],
)
def test_what_could_steer_a_terminal_is_a_dot(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printing_keeps_the_length_and_leaves_no_control_character(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert printable(shown) == shown


def test_nothing_in_a_dialogue_steers_the_terminal() -> None:
    evil = "\x1b[2J\u202e\u200b[bold red]x[/]"
    out = printed(record(id=evil, outcome=evil, reason=evil, quote=evil))
    assert printable(out.replace("\n", "")) == out.replace("\n", "")
    assert out.count("··") >= 4
    assert out.count("[bold red]x[/]") >= 4


def test_an_empty_run_prints_nothing() -> None:
    assert printed() == ""


def test_the_tables_say_what_happened() -> None:
    out = printed(
        record("first call", "HANGUP", -0.5, "ignored the offer", "I can do $50"), record("second call", None, 0.25), record("c", 0.5, 1.0)
    )
    for words in (
        "Worst handled",
        "By outcome",
        "By criterion",
        "first call",
        "ignored the offer",
        "“I can do $50”",
        "-0.50",
        "+0.25",
        "(none)",
        "1-3",
    ):
        assert words in out
    assert "turn 0, listens 2.0 of 3" in out
    assert "Best handled" not in out  # three calls: all are among the worst


def test_a_long_quote_is_shortened() -> None:
    out = printed(record(quote="long " * 100))
    assert "…”" in out
    assert out.count("long") < 30


def test_outcomes_are_listed_from_the_best_paid_down() -> None:
    out = printed(record("a", "BAD", -1.0), record("b", "NEUTRAL", 0.0), record("c", "GOOD", 1.0)).split("By outcome")[1]
    assert sorted(("GOOD", "NEUTRAL", "BAD"), key=out.index) == ["GOOD", "NEUTRAL", "BAD"]
