"""Answers into ratings: what is accepted, what is told about what is not, quotes that stand in their turns, means over levels."""

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.transcript import Role, Transcript, Turn
from judge import Ledger
from judge.chat import Token
from judge.reply import QUOTE_CHARS, REASON_CHARS, Malformed, Part, moments, read_answer
from judge.rubric import Criterion, LevelsShown, Marks, Rubric, StateCriterion, Unit
from judge.view import View, views

RUBRIC = Rubric(
    name="calls",
    about="How calls are handled.",
    turn=(
        Criterion(name="listens", question="?", levels=("1", "2", "3", "4", "5")),
        Criterion(name="honest", question="?", critical=True, levels=("no", "yes")),
    ),
    episode=(Criterion(name="well", question="?", levels=("a", "b", "c")),),
    state=StateCriterion(name="hope", question="?", levels=("lost", "open", "won")),
)
TRANSCRIPT = Transcript(
    id="d",
    turns=(
        Turn(role=Role.USER, text="I said: “I can’t pay — not   now.” Really…"),
        Turn(role=Role.AGENT, text="I understand.\nCould you pay 20 a month?"),
        Turn(role=Role.USER, text="Perhaps."),
        Turn(role=Role.AGENT, text="Straße 5, by Friday: 4 payments."),
    ),
)
VIEW = View(0, 0, 4, (1, 3), True)


def rated(quote: str = "", reason: str = "So.", **ratings: Any) -> dict[str, Any]:
    return {"quote": quote, "reason": reason, **({"listens": 4, "honest": 1, "hope": 2} | ratings)}


def answered(**parts: Any) -> dict[str, Any]:
    return {"a1": rated(), "a2": rated(), "episode": {"quote": "", "reason": "So.", "well": 3}} | parts


def read(answer: Any, tokens: list[Token] | None = None, *, view: View = VIEW, rubric: Rubric = RUBRIC) -> Part:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return read_answer(text, view, TRANSCRIPT, rubric, tokens or ())


def values(part: Part) -> list[list[float]]:
    return [[rating.value for rating in ratings.values()] for ratings in (*part.turns.values(), part.episode)]


GOOD = json.dumps(answered())


# What is accepted


def test_a_good_answer_gives_every_rating_with_reason_and_quote() -> None:
    part = read(answered(a1=rated("I understand.", " one\n sentence ", listens=5), episode={"quote": "Perhaps.", "reason": "w", "well": 1}))
    assert list(part.turns) == [1, 3]
    assert list(part.turns[1]) == ["listens", "honest", "hope"]
    assert list(part.episode) == ["well"]
    assert values(part) == [[5, 1, 2], [4, 1, 2], [1]]
    for rating in part.turns[1].values():
        assert (rating.reason, rating.quote, rating.quote_turn, rating.spread) == ("one sentence", "I understand.", 1, None)
    assert (part.episode["well"].quote, part.episode["well"].quote_turn) == ("Perhaps.", 2)
    assert part.turns[3]["hope"].quote is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"```json\n{GOOD}\n```", id="code fence"),
        pytest.param(f"\n ```\n{GOOD}```  \n", id="code fence without language"),
        pytest.param(f"Here is my rating:\n\n{GOOD}\n\nI hope that this helps!", id="words around it"),
        pytest.param(f"Sure!\n```json\n{GOOD}\n```\nDone.", id="words around a code fence"),
        pytest.param(json.dumps(answered(), indent=4), id="many lines"),
        pytest.param(f"\ufeff{GOOD}\n", id="byte order mark"),
        pytest.param(json.dumps(dict(reversed(answered().items()))), id="another order"),
        pytest.param(json.dumps(answered(a1=rated(listens=4.0, honest=1.0))), id="whole numbers with a point"),
    ],
)
def test_what_stands_around_the_object_and_its_layout_do_not_matter(text: str) -> None:
    assert read(text) == read(GOOD)


def test_a_rating_between_two_levels_is_one() -> None:
    assert read(answered(a1=rated(listens=3.5))).turns[1]["listens"].value == 3.5


def test_turn_by_turn_the_only_turn_has_the_same_name_always() -> None:
    rubric = RUBRIC.model_copy(update={"unit": Unit.TURN})
    first, second, episode = views(TRANSCRIPT, rubric)
    for one, turn, name in ((first, 1, "a1"), (second, 3, "a2")):
        assert list(read({"turn": rated()}, view=one, rubric=rubric).turns) == [turn]
        with pytest.raises(Malformed, match=f"the answer is without turn and with unknown '{name}'; expected exactly turn"):
            read({name: rated()}, view=one, rubric=rubric)
    part = read({"episode": answered()["episode"]}, view=episode, rubric=rubric)
    assert (part.turns, list(part.episode)) == ({}, ["well"])


@pytest.mark.parametrize(("reason", "kept"), [("x" * 5000, "x" * REASON_CHARS), (" a \n\n b\t", "a b"), ("", "")])
def test_a_reason_is_one_line_of_a_length_that_can_be_kept(reason: str, kept: str) -> None:
    assert read(answered(a1=rated(reason=reason))).turns[1]["hope"].reason == kept


# What is not


def without(part: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in names}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "no JSON object in ''", id="nothing"),
        pytest.param("All turns deserve a 5.", "no JSON object in 'All turns deserve a 5.'", id="words"),
        pytest.param("5", "no JSON object in '5'", id="a number"),
        pytest.param("[]", "no JSON object in '[]'", id="an array"),
        pytest.param("}{", "no JSON object in '}{'", id="braces the wrong way round"),
        pytest.param("\u202e", r"no JSON object in '\u202e'", id="a hidden character"),
        pytest.param("{}", "the answer is without a1, a2, episode; expected exactly a1, a2, episode", id="empty"),
        pytest.param(GOOD[:-20], "not JSON: Expecting ',' delimiter at character ", id="cut"),
        pytest.param(GOOD.replace(": 4", ": four", 1), "not JSON: Expecting value at character ", id="a bare word"),
        pytest.param(GOOD.replace('"', "'"), "not JSON: Expecting property name", id="single quotes"),
        pytest.param(GOOD + GOOD, "not JSON: Extra data at character ", id="two objects"),
        pytest.param('{"a":' * 50_000 + "1" + "}" * 50_000, "not JSON: nested too deeply", id="nested deep"),
        pytest.param('{"a1": ' + "[" * 50_000 + "}", "not JSON: nested too deeply", id="nested deep in arrays"),
        pytest.param(GOOD.replace("{", '{"a1": 5, ', 1), "'a1' is given twice", id="turn twice"),
        pytest.param(GOOD.replace('"listens": 4', '"listens": 4, "listens": 4', 1), "'listens' is given twice", id="criterion twice"),
    ],
)
def test_text_that_is_no_answer_is_told_so(text: str, told: str) -> None:
    with pytest.raises(Malformed, match=f"^{re.escape(told)}") as raised:
        read(text)
    assert len(str(raised.value)) < 300
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (without(answered(), "a2"), "the answer is without a2; expected exactly a1, a2, episode"),
        (without(answered(), "episode"), "the answer is without episode; expected exactly a1, a2, episode"),
        (answered(a3=rated()), "the answer is with unknown 'a3'; expected exactly a1, a2, episode"),
        (answered(total=5), "the answer is with unknown 'total'; expected exactly a1, a2, episode"),
        (without(answered(a4=rated()), "a2"), "the answer is without a2 and with unknown 'a4'; expected exactly a1, a2, episode"),
        (answered(a1=5), "a1 is not an object"),
        (answered(a1=None), "a1 is not an object"),
        (answered(a1=[rated()]), "a1 is not an object"),
        (answered(episode="good"), "episode is not an object"),
        (answered(a1=without(rated(), "honest")), "a1 is without honest; expected exactly quote, reason, listens, honest, hope"),
        (answered(a1=without(rated(), "quote")), "a1 is without quote; expected exactly quote, reason, listens, honest, hope"),
        (answered(a2=rated(polite=5)), "a2 is with unknown 'polite'; expected exactly quote, reason, listens, honest, hope"),
        (
            answered(episode=rated()),
            "episode is without well and with unknown 'listens', 'honest', 'hope'; expected exactly quote, reason, well",
        ),
        (answered(a1=rated(listens=6)), "a1.listens is 6, expected 1 to 5"),
        (answered(a1=rated(listens=0)), "a1.listens is 0, expected 1 to 5"),
        (answered(a1=rated(listens=5.01)), "a1.listens is 5.01, expected 1 to 5"),
        (answered(a1=rated(listens=-1e308)), "a1.listens is -1e+308, expected 1 to 5"),
        (answered(a1=rated(listens=10**30)), f"a1.listens is 1{'0' * 30}, expected 1 to 5"),
        (GOOD.replace("4", "1" + "0" * 400, 1), "a1.listens is Infinity, expected a number"),
        (GOOD.replace("4", "-1" + "0" * 400, 1), "a1.listens is -Infinity, expected a number"),
        (GOOD.replace("4", "1" * 5000, 1), "a1.listens is Infinity, expected a number"),  # more digits than Python reads
        (GOOD.replace("4", "1e400", 1), "a1.listens is Infinity, expected a number"),
        (GOOD.replace("4", '"\\ud83d"', 1), 'a1.listens is "?", expected a number'),  # half a pair
        (answered(a1=rated(honest=2)), "a1.honest is 2, expected 0 to 1"),
        (answered(a1=rated(honest=True)), "a1.honest is true, expected a number"),
        (answered(a1=rated(listens="4")), 'a1.listens is "4", expected a number'),
        (answered(a1=rated(listens=None)), "a1.listens is null, expected a number"),
        (answered(a1=rated(listens=[4])), "a1.listens is [4], expected a number"),
        (answered(a1=rated(listens={"level": 4})), 'a1.listens is {"level": 4}, expected a number'),
        (answered(a1=rated(listens=math.nan)), "a1.listens is NaN, expected a number"),
        (answered(a1=rated(listens=math.inf)), "a1.listens is Infinity, expected a number"),
        (answered(a1=rated(listens=-math.inf)), "a1.listens is -Infinity, expected a number"),
        (answered(a1=rated(quote=None)), "a1.quote is null, expected text"),  # type: ignore[arg-type]
        (answered(a1=rated(reason=["a"])), 'a1.reason is ["a"], expected text'),  # type: ignore[arg-type]
        (answered(episode={"quote": "", "reason": "", "well": 4}), "episode.well is 4, expected 1 to 3"),
        (answered(a1=rated(listens=9), a2=rated(honest=9)), "a1.listens is 9, expected 1 to 5; a2.honest is 9, expected 0 to 1"),
        (
            answered(a1=rated(listens=9, honest=9, hope=9), a2=rated(listens=8, honest=8, hope=8)),
            "a1.listens is 9, expected 1 to 5; a1.honest is 9, expected 0 to 1; a1.hope is 9, expected 1 to 3; "
            "a2.listens is 8, expected 1 to 5; a2.honest is 8, expected 0 to 1; and 1 more",
        ),
    ],
)
def test_an_answer_that_does_not_fit_is_told_what_is_wrong(answer: Any, told: str) -> None:
    with pytest.raises(Malformed, match=f"^{re.escape(told)}$"):
        read(answer)


def test_a_wrong_value_is_told_in_short() -> None:
    with pytest.raises(Malformed) as raised:
        read(answered(a1=rated(listens="x" * 10_000)))
    assert len(str(raised.value)) < 200


def test_half_a_surrogate_pair_in_an_answer_can_be_stored() -> None:
    half = json.loads('"\\ud83d"')
    part = read(answered(a1=rated(f"I {half} understand.", f"so {half}"), episode={"quote": half, "reason": half, "well": 1}))
    for rating in (part.turns[1]["hope"], part.episode["well"]):
        assert type(rating).model_validate_json(rating.model_dump_json()) == rating
    assert part.turns[1]["hope"].reason == "so ?"
    with Ledger(":memory:") as ledger:
        ledger.record([], keep={"k": {"text": half}})
        assert ledger.reply("k") == {"text": half}


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(10**20), 10**20) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a1", "a2", "episode", "quote", "listens"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(), st.text('{}[]",:0123456789.eE-+tnl \\', max_size=40), st.binary().map(lambda data: data.decode("latin-1"))))
def test_arbitrary_text_is_malformed_and_nothing_else(text: str) -> None:
    with pytest.raises(Malformed):
        read(text)


@given(
    st.dictionaries(st.sampled_from(["a1", "a2", "episode", "a3"]), json_values),
    st.dictionaries(st.sampled_from(["quote", "reason", "listens", "honest", "hope", "well"]), json_values),
)
def test_an_answer_with_anything_in_it_is_malformed_or_within_the_scales(parts: dict[str, Any], inside: dict[str, Any]) -> None:
    try:
        part = read(answered(a1=rated() | inside) | parts)
    except Malformed as error:
        assert "\n" not in str(error)
    else:
        for ratings in part.turns.values():
            assert all(c.scale.low <= ratings[c.name].value <= c.scale.high for c in RUBRIC.turn_criteria)
        assert 1 <= part.episode["well"].value <= 3


@given(
    st.integers(0, len(GOOD)),
    st.integers(0, len(GOOD)),
    st.sampled_from(["", " ", '"', "{", "}", "5", ",", "\\", "\x00", "NaN", "[" * 2000]),
)
def test_a_damaged_answer_is_malformed_or_still_an_answer(one: int, other: int, inserted: str) -> None:
    start, end = sorted((one, other))
    try:
        part = read(GOOD[:start] + inserted + GOOD[end:])
    except Malformed:
        return
    assert list(part.turns) == [1, 3]


# Quotes


@pytest.mark.parametrize(
    ("quote", "kept"),
    [
        pytest.param("Could you pay 20 a month?", "Could you pay 20 a month?", id="exact"),
        pytest.param("understand.\nCould", "understand.\nCould", id="over a line end"),
        pytest.param("could YOU pay", "could YOU pay", id="other case"),
        pytest.param("I understand. Could you", "I understand. Could you", id="other spaces"),
        pytest.param("  I understand.  ", "I understand.", id="spaces around"),
        pytest.param('"I understand."', "I understand.", id="in quotes"),
        pytest.param("“I understand.”", "I understand.", id="in typographic quotes"),
        pytest.param("I understand. Could you…", "I understand. Could you…", id="left off"),
        pytest.param("… could you pay 20", "… could you pay 20", id="begun late"),
        pytest.param("I\u200b understand", "I\u200b understand", id="a zero-width space within"),
        pytest.param("Could\u00a0you", "Could\u00a0you", id="a hard space"),
    ],
)
def test_a_quote_that_stands_in_its_turn_is_kept(quote: str, kept: str) -> None:
    rating = read(answered(a1=rated(quote))).turns[1]["hope"]
    assert (rating.quote, rating.quote_turn) == (kept, 1)


@pytest.mark.parametrize(
    "quote",
    ['I said: "I can\'t pay - not now."', "i can’t PAY", "I can't pay – not now", "“I can‘t pay”"],
)
def test_typographic_differences_do_not_make_another_quote(quote: str) -> None:
    assert read(answered(episode={"quote": quote, "reason": "", "well": 1})).episode["well"].quote_turn == 0


@pytest.mark.parametrize(
    "quote",
    [
        pytest.param("I will see you in court.", id="invented"),
        pytest.param("Perhaps.", id="of another turn"),
        pytest.param("by Friday", id="of another rated turn"),
        pytest.param("I understand you. Could you pay", id="a word put in"),
        pytest.param("...", id="nothing but dots"),
        pytest.param("", id="empty"),
        pytest.param('  ""  ', id="empty in quotes"),
    ],
)
def test_a_quote_that_does_not_stand_in_its_turn_is_dropped_and_the_rating_stays(quote: str) -> None:
    part = read(answered(a1=rated(quote), a2=rated("by Friday"), episode={"quote": "Perhaps.", "reason": "", "well": 1}))
    for rating in part.turns[1].values():
        assert (rating.quote, rating.quote_turn) == (None, None)
    assert values(part)[0] == [4, 1, 2]


@pytest.mark.parametrize(
    ("quote", "turn"), [("Perhaps.", 2), ("straße 5", 3), ("STRASSE 5", 3), ("I understand.", 1), ("pay", 0), ("20 a month", 1)]
)
def test_the_episode_may_quote_any_turn_and_says_which(quote: str, turn: int) -> None:
    rating = read(answered(episode={"quote": quote, "reason": "", "well": 1})).episode["well"]
    assert (rating.quote, rating.quote_turn) == (quote, turn)


def test_the_episode_may_quote_only_what_was_shown() -> None:
    seen = View(1, 3, 4, (3,), True)
    part = read(without(answered(episode={"quote": "Perhaps.", "reason": "", "well": 1}), "a1"), view=seen)
    assert part.episode["well"].quote is None


@pytest.mark.parametrize(
    ("quotes", "told"),
    [
        (["no such words", "", ""], None),  # one alone may be a slip
        (["no such words", "by Friday", "Perhaps."], None),
        (["no such words", "nor these", "Perhaps."], "2 of 3 quotes do not occur in their turns; copy them exactly"),
        (["no such words", "nor these", ""], "2 of 2 quotes do not occur in their turns; copy them exactly"),
        (["no such words", "by Friday", "nor these"], "2 of 3 quotes do not occur in their turns; copy them exactly"),
        (["I understand.", "by Friday", "Perhaps."], None),
        (["", "", ""], None),
    ],
)
def test_an_answer_that_invents_most_of_its_quotes_is_about_another_dialogue(quotes: list[str], told: str | None) -> None:
    first, second, last = quotes
    answer = answered(a1=rated(first), a2=rated(second), episode={"quote": last, "reason": "", "well": 1})
    if told is None:
        assert values(read(answer)) == [[4, 1, 2], [4, 1, 2], [1]]
    else:
        with pytest.raises(Malformed, match=f"^{told}$"):
            read(answer)


def test_a_quote_is_kept_to_a_length() -> None:
    long = Transcript(id="d", turns=(Turn(role=Role.AGENT, text="word " * 1000),))
    answer = json.dumps({"a1": rated("word " * 1000), "episode": {"quote": "", "reason": "", "well": 1}})
    quote = read_answer(answer, View(0, 0, 1, (0,), True), long, RUBRIC).turns[0]["hope"].quote
    assert quote is not None
    assert len(quote) == QUOTE_CHARS - 1  # the blank at its end is gone


# Means over the levels that the model held possible


def tokens_of(text: str, held: dict[int, dict[str, float]]) -> list[Token]:
    """Cut a text into tokens, numbers for themselves; `held` gives, by the number of a number, the chances of what stood there."""
    found, number = [], -1
    for piece in re.findall(r"\d+|\D", text):
        number += piece.isdigit()
        chances = held.get(number, {}) if piece.isdigit() else {}
        found.append(Token(piece, tuple((level, math.log(chance)) for level, chance in chances.items())))
    return found


PLAIN = json.dumps(answered(a1=rated("20"), a2=rated("Straße 5", '7 of "8" \\" 9')), ensure_ascii=False)
# The numbers in it, those in names and strings among them: 0 the 1 of a1, 1 its quote's 20, 2-4 its ratings 4 1 2, 5 the 2 of a2,
# 6 its quote's 5, 7-9 its reason's 7 8 9, 10-12 its ratings 4 1 2, 13 the episode's 3.


def test_the_numbers_of_the_example_are_where_they_are_said_to_be() -> None:
    assert re.findall(r"\d+", PLAIN) == "1 20 4 1 2 2 5 7 8 9 4 1 2 3".split()


@pytest.mark.parametrize(
    ("chances", "mean", "spread"),
    [
        # 0.5 × 4 + 0.5 × 2 = 3; variance 0.5 × 1² + 0.5 × 1² = 1.
        ({"4": 0.5, "2": 0.5}, 3.0, 1.0),
        # Masses 0.6 and 0.2 of levels, 0.2 of something else: 0.75 × 4 + 0.25 × 5 = 4.25; variance 0.75 × 0.25² + 0.25 × 0.75² = 0.1875.
        ({"4": 0.6, "5": 0.2, "four": 0.1, "{": 0.1}, 4.25, math.sqrt(0.1875)),
        # Levels outside the scale do not count, nor do numbers that are none.
        ({"4": 0.2, "9": 0.3, "0": 0.3, "-1": 0.1, "4.5": 0.1}, 4.0, 0.0),
        # A level with and without a blank: 0.6 of 4, 0.4 of 1: 0.6 × 4 + 0.4 × 1 = 2.8; variance 0.6 × 1.2² + 0.4 × 1.8² = 2.16.
        ({"4": 0.4, " 4": 0.2, "1": 0.4}, 2.8, math.sqrt(2.16)),
        # All five alike: 3, and (4 + 1 + 0 + 1 + 4) / 5 = 2.
        ({"1": 0.2, "2": 0.2, "3": 0.2, "4": 0.2, "5": 0.2}, 3.0, math.sqrt(2)),
        # Digits of other scripts are no levels.
        ({"4": 0.5, "٢": 0.5}, 4.0, 0.0),
    ],
)
def test_a_rating_is_the_mean_over_what_the_model_held_possible(chances: dict[str, float], mean: float, spread: float) -> None:
    part = read(PLAIN, tokens_of(PLAIN, {2: chances}))
    assert part.turns[1]["listens"].value == pytest.approx(mean)
    assert part.turns[1]["listens"].spread == pytest.approx(spread, abs=1e-7)
    assert values(part)[1:] == [[4, 1, 2], [3]]
    assert part.turns[3]["listens"].spread is None


@pytest.mark.parametrize(
    ("number", "where", "name", "mean"),
    [
        (2, 1, "listens", 1.5),
        (3, 1, "honest", 1.0),
        (4, 1, "hope", 1.5),
        (10, 3, "listens", 1.5),
        (12, 3, "hope", 1.5),
        (13, None, "well", 1.5),
    ],
)
def test_each_rating_takes_its_own_token_and_numbers_in_strings_take_none(number: int, where: int | None, name: str, mean: float) -> None:
    # Half 1 and half 2: 1.5, but on the scale from 0 to 1, where 2 is no level: 1.
    everywhere = {k: {"5": 0.5, "3": 0.5} for k in (0, 1, 5, 6, 7, 8, 9)}  # held in names and strings, of no account
    part = read(PLAIN, tokens_of(PLAIN, everywhere | {number: {"1": 0.5, "2": 0.5}}))
    every = {
        (turn, criterion): rating for turn, ratings in [*part.turns.items(), (None, part.episode)] for criterion, rating in ratings.items()
    }
    assert every[where, name].value == mean
    assert [key for key, rating in every.items() if rating.spread is not None] == [(where, name)]


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param([Token(PLAIN, (("5", 0.0),))], id="one token for everything"),
        pytest.param([Token(c + "x", (("5", 0.0),)) for c in PLAIN], id="other text"),
        pytest.param([Token(PLAIN[at : at + 3], (("5", 0.0),)) for at in range(0, len(PLAIN), 3)], id="three characters each"),
        pytest.param(tokens_of(PLAIN, {}), id="no alternatives"),
        pytest.param(tokens_of(PLAIN, {2: {"five": 0.9, "x": 0.1}}), id="no level among them"),
        pytest.param([Token(token.text, (("5", -math.inf),)) for token in tokens_of(PLAIN, {})], id="nothing likely"),
        pytest.param([Token(token.text, (("5", -9999.0),)) for token in tokens_of(PLAIN, {})], id="nothing worth counting"),
        pytest.param([], id="none"),
    ],
)
def test_tokens_that_do_not_fit_leave_the_ratings_as_they_were_said(tokens: list[Token]) -> None:
    part = read(PLAIN, tokens)
    assert values(part) == [[4, 1, 2], [4, 1, 2], [3]]
    every = [*part.turns[1].values(), *part.turns[3].values(), *part.episode.values()]
    assert {rating.spread for rating in every} == {None}


def test_an_answer_of_many_lines_in_another_order_is_weighted_alike() -> None:
    text = json.dumps(dict(reversed(answered().items())), indent=2)  # episode 3; a2: 4 1 2; a1: 4 1 2
    numbers = re.findall(r"\d+", text)
    assert numbers == "3 2 4 1 2 1 4 1 2".split()
    part = read(text, tokens_of(text, {0: {"1": 1.0}, 6: {"5": 1.0}}))
    assert values(part) == [[5, 1, 2], [4, 1, 2], [1]]


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("I rated 2 turns: ", id="a number"),
        pytest.param('Here is my "rating: ', id="a quote that does not end"),
        pytest.param('The "3" best of "4\\": ', id="numbers in quotes"),
        pytest.param("```json\n", id="a code fence"),
        pytest.param("1. ", id="a list"),
    ],
)
@pytest.mark.parametrize("after", ["", "\n```", " That is 5 of 5."])
def test_numbers_around_the_object_take_no_weight(before: str, after: str) -> None:
    text, first, last = before + PLAIN + after, len(re.findall(r"\d+", before)), len(re.findall(r"\d+", PLAIN))
    outside = [*range(first), *range(first + last, first + last + 2)]
    held = {number: {"1": 1.0} for number in outside} | {first + 2: {"4": 0.5, "2": 0.5}}
    part = read(text, tokens_of(text, held))
    assert values(part) == [[pytest.approx(3), 1, 2], [4, 1, 2], [3]]
    assert part.turns[3]["listens"].spread is None


@pytest.mark.parametrize("blank", [" ", "\n", " \n  "])
def test_a_token_with_the_blank_before_its_number_is_weighted(blank: str) -> None:
    at = PLAIN.index(" 4,")
    held = tuple((blank + level, math.log(0.5)) for level in "42")
    tokens = [Token(PLAIN[:at], ()), Token(blank + "4", held), Token(PLAIN[at + 2 :], ())]
    part = read("".join(token.text for token in tokens), tokens)
    assert (part.turns[1]["listens"].value, part.turns[1]["listens"].spread) == pytest.approx((3, 1))
    assert values(part)[1:] == [[4, 1, 2], [3]]


def test_a_turn_criterion_named_like_an_episode_criterion_is_weighted_on_its_own_scale() -> None:
    # Both are called `well`: from 1 to 5 for a turn, 0 or 1 for the episode.
    five, two = (Criterion(name="well", question="?", levels=levels) for levels in (("a", "b", "c", "d", "e"), ("a", "b")))
    shared = RUBRIC.model_copy(update={"turn": (five,), "episode": (two,), "state": None})
    words = {"quote": "", "reason": "x"}
    text = json.dumps({"a1": words | {"well": 4}, "a2": words | {"well": 5}, "episode": words | {"well": 1}})
    half = {"5": 0.25, "3": 0.25, "1": 0.25, "0": 0.25}
    part = read(text, tokens_of(text, {1: half, 4: half}), rubric=shared)
    assert values(part) == [[pytest.approx(3)], [5], [0.5]]  # (5 + 3 + 1) / 3, and (1 + 0) / 2


# Letters

LETTERED = RUBRIC.model_copy(update={"marks": Marks.LETTERS, "levels_shown": LevelsShown.BEST_FIRST})


def lettered(quote: str = "", reason: str = "So.", **ratings: Any) -> dict[str, Any]:
    return {"quote": quote, "reason": reason, **({"listens": "D", "honest": "B", "hope": "B"} | ratings)}


def in_letters(**parts: Any) -> dict[str, Any]:
    return {"a1": lettered(), "a2": lettered(), "episode": {"quote": "", "reason": "So.", "well": "C"}} | parts


def test_letters_stand_for_the_levels_whose_marks_they_are() -> None:
    assert values(read(in_letters(), rubric=LETTERED)) == [[4, 1, 2], [4, 1, 2], [3]]
    worst = lettered(listens=" a ", honest="A", hope="a")  # blanks and case are forgiven
    assert values(read(in_letters(a1=worst), rubric=LETTERED))[0] == [1, 0, 1]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("F", 'a1.listens is "F", expected one of A, B, C, D, E'),
        (4, "a1.listens is 4, expected one of A, B, C, D, E"),
        ("4", 'a1.listens is "4", expected one of A, B, C, D, E'),
        ("", 'a1.listens is "", expected one of A, B, C, D, E'),
        ("AB", 'a1.listens is "AB", expected one of A, B, C, D, E'),
        (None, "a1.listens is null, expected one of A, B, C, D, E"),
    ],
)
def test_what_is_no_letter_of_the_scale_is_told_so(given: Any, told: str) -> None:
    with pytest.raises(Malformed, match=f"^{re.escape(told)}$"):
        read(in_letters(a1=lettered(listens=given)), rubric=LETTERED)


def test_numbers_are_asked_for_where_letters_are_not() -> None:
    with pytest.raises(Malformed, match=r'a1\.listens is "D", expected a number'):
        read(in_letters())


@pytest.mark.parametrize(
    ("pieces", "wrap"),
    [
        pytest.param(['"', "D", '"'], "{}", id="the letter alone"),
        pytest.param(['"D', '"'], '"{}', id="with the mark before it"),
        pytest.param(['"D"'], '"{}"', id="with both marks"),
        pytest.param(['"D",'], '"{}",', id="with the comma"),
        pytest.param(["", ' "D', '"'], ' "{}', id="with a blank"),
    ],
)
def test_a_letter_is_weighted_however_it_is_cut_into_tokens(pieces: list[str], wrap: str) -> None:
    # The quote of a1 and its reason look like letters, too. Masses 0.5 of D (4) and 0.25 of B (2): (2 × 4 + 2) / 3 = 10 / 3;
    # variance 2 × (2/3)² / 3 + (4/3)² / 3 = 8 / 9.
    text = json.dumps(in_letters(a1=lettered("D", "D")))
    joined = "".join(pieces)
    at = text.index('"D"', text.index('"listens"'))
    start = at - (len(joined) - len(joined.lstrip()))
    held = tuple((wrap.format(letter), math.log(chance)) for letter, chance in (("D", 0.5), ("B", 0.25), ("F", 0.25)))
    tokens = [Token(text[:start], ())]
    tokens += [Token(piece, held if "D" in piece else ()) for piece in pieces]
    tokens += [Token(text[start + len(joined) :], ())]
    assert "".join(token.text for token in tokens) == text
    part = read(text, tokens, rubric=LETTERED)
    assert part.turns[1]["listens"].value == pytest.approx(10 / 3)
    assert part.turns[1]["listens"].spread == pytest.approx(math.sqrt(8 / 9))
    assert values(part)[1:] == [[4, 1, 2], [3]]
    assert part.turns[1]["honest"].spread is None


# Moments


@pytest.mark.parametrize(
    ("chances", "mean", "spread"),
    [
        ({3: 1.0}, 3, 0),
        ({0: 0.5, 1: 0.5}, 0.5, 0.5),
        ({1: 0.25, 2: 0.5, 3: 0.25}, 2, math.sqrt(0.5)),  # 0.25 × 1 + 0.25 × 1
        ({1: 0.9, 5: 0.1}, 1.4, 1.2),  # 0.9 × 0.4² + 0.1 × 3.6² = 0.144 + 1.296 = 1.44
        ({1: 0.0, 4: 1.0}, 4, 0),
    ],
)
def test_moments_by_hand(chances: dict[int, float], mean: float, spread: float) -> None:
    assert moments(chances) == pytest.approx((mean, spread))


@given(st.dictionaries(st.integers(0, 11), st.floats(1e-9, 1), min_size=1))
def test_the_mean_lies_within_the_levels_and_the_spread_within_half_their_range(masses: dict[int, float]) -> None:
    total = sum(masses.values())
    mean, spread = moments({level: mass / total for level, mass in masses.items()})
    assert min(masses) <= mean <= max(masses)
    assert 0 <= spread <= (max(masses) - min(masses)) / 2 + 1e-6  # Popoviciu's inequality
