"""Words, figures and dates of a turn, and quotes that are exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.lexicon import lexicons
from judge.utterance import MAX_CHARS, Utterance

USER, AGENT = lexicons()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("$2,400 or 2400 dollars", [2400, 2400]),
        ("2.5k at 12%", [2500, 12]),
        ("fifty bucks", [50]),
        ("twenty-five or twenty five", [25, 25]),
        ("one fifty a month", [150]),
        ("the full eighteen-sixty", [1860]),
        ("two thousand four hundred", [2400]),
        ("three hundred and ten", [300, 10]),  # a known limit: `and` parts them
        ("one moment", []),  # a lone `one` is hardly ever a figure
        ("the 15th at 7pm, 10:30", []),  # dates and clock times are not sums
        ("no figures here", []),
        ("1,2.3e9 .5 5.", [12.3, 5, 5]),
    ],
)
def test_numbers(text: str, values: list[float]) -> None:
    assert [value for value, _ in Utterance(text, AGENT).numbers] == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("On Friday the 15th at 7pm", {"friday", "15th", "7pm"}),
        ("tomorrow at 10:30, or after payday", {"tomorrow", "10:30", "payday"}),
        ("March 3", {"march"}),
        ("whenever", set()),
    ],
)
def test_dates(text: str, dates: set[str]) -> None:
    assert Utterance(text, AGENT).dates == dates


@pytest.mark.parametrize(
    ("text", "question"),
    [("Can you pay?", True), ("what do you want", True), ("Is it", True), ("I can pay.", False), ("Do it!", False), ("", False)],
)
def test_questions(text: str, question: bool) -> None:
    assert Utterance(text, USER).question is question


def test_typographic_apostrophes_and_wide_letters_are_read_like_plain_ones() -> None:
    assert Utterance("I can’t ｐａｙ", USER).words == Utterance("I can't pay", USER).words


def test_a_quote_is_the_sentence_cut_at_words_when_long() -> None:
    said = Utterance("Hello there. You must pay the full balance today! Bye.", AGENT)
    (span, *_) = said.hits["demand"]
    assert said.quote(span) == "You must pay the full balance today!"
    long = Utterance("aaaa bbbb " * 30 + "we call your boss " + "cccc dddd " * 30, AGENT)
    quote = long.quote(long.hits["threat"][0])
    assert "call your boss" in quote
    assert len(quote) < 160
    assert set(quote.split()) <= set(long.text.split())


@given(st.text(max_size=200))
def test_any_text_is_taken_apart_and_quoted_exactly(text: str) -> None:
    said = Utterance(text, AGENT)
    assert len(said.words) == len(said.starts) == len(said.ends)
    for at in range(len(said.words)):
        assert said.quote((at, at + 1)) in text
    assert said.length <= len(said.words)


def test_no_more_than_the_limit_is_read() -> None:
    assert len(Utterance("a" * (MAX_CHARS + 5), AGENT).text) == MAX_CHARS
