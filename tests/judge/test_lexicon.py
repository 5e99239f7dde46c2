"""Phrases are found where they stand, negated ones are told apart, and wild cards match as said."""

import tomllib
from importlib.resources import files

import pytest

from judge.lexicon import Lexicon, lexicons
from judge.utterance import Utterance

LEXICON = Lexicon(
    {"threat": ["arrest*", "call your boss", "come to your _"], "offer": ["how about", "plan"], "begin": ["no way", "way out*"]}
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("nothing here", []),
        ("we will arrest you", [("threat", 2, 3, False)]),
        ("arrested and arresting", [("threat", 0, 1, False), ("threat", 2, 3, False)]),
        ("ar rest", []),
        ("i call your boss", [("threat", 1, 4, False)]),
        ("i call your", []),
        ("they come to your house", [("threat", 1, 5, False)]),
        ("they come to your", []),
        ("how about a plan", [("offer", 0, 2, False), ("offer", 3, 4, False)]),
        ("no one will arrest you", [("threat", 3, 4, True)]),
        ("nobody said a word about arrest", [("threat", 5, 6, False)]),  # the negator is out of reach
        ("way outside", [("begin", 0, 2, False)]),
        ("no way", [("begin", 0, 2, False)]),  # a negator inside the phrase does not negate it
    ],
)
def test_finding(text: str, found: list[tuple[str, int, int, bool]]) -> None:
    assert list(LEXICON.find(text.split())) == found


def test_the_shipped_phrases_can_all_be_found() -> None:
    """Every entry is written the way words are cut: an entry that its own text does not match is dead."""
    shipped = tomllib.loads(files("judge").joinpath("lexicon.toml").read_text(encoding="utf-8"))
    for lexicon, side in zip(lexicons(), ("user", "agent"), strict=True):
        for family, phrases in shipped[side].items():
            assert len(phrases) == len(set(phrases)), f"{side}.{family} names a phrase twice"
            for phrase in phrases:
                said = Utterance(phrase.replace("*", "").replace("_", "thing"), lexicon)
                assert family in said.hits or family in said.negated, f"{side}.{family}: {phrase!r} is never found"
