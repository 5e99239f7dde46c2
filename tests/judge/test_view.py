"""What a request shows and rates: every agent turn once, no hindsight, beginnings that caches know, and windows of what is long."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.transcript import Role, Transcript, Turn
from judge import view
from judge.prompt import blocks
from judge.quoting import quoted
from judge.rubric import Rubric, Unit, load_rubric
from judge.view import LINE, MOST_CHARS, MOST_RATED, OPENING, TooLong, View, views

DIALOGUE = load_rubric("collections")
TURN = DIALOGUE.model_copy(update={"unit": Unit.TURN})
WITHOUT_EPISODE = {"episode": ()}
SMALL = 1600  # characters that a request holds in what follows

Shape = tuple[str, int, str]

rubrics = st.sampled_from([rubric.model_copy(update=update) for rubric in (DIALOGUE, TURN) for update in ({}, WITHOUT_EPISODE)])
sizes = st.one_of(st.integers(0, 40), st.integers(0, 400), st.just(SMALL))
# A letter as it is, a line end as two characters, a mark of direction as six, a tag as twelve.
turns = st.tuples(st.sampled_from("AAUT"), sizes, st.sampled_from("xxxxx\n\u202e\U000e0041"))
shapes = st.lists(turns, min_size=1, max_size=70).filter(lambda shape: any(role == "A" for role, *_ in shape))


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Let requests be small, so that short dialogues are long ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view, "MOST_CHARS", SMALL)
        yield


def shaped(shape: list[Shape]) -> Transcript:
    """Return a dialogue of such turns."""
    roles = {"A": Role.AGENT, "U": Role.USER, "T": Role.TOOL}
    return Transcript(id="d", turns=tuple(Turn(role=roles[role], text=letter * size) for role, size, letter in shape))


def evenly(count: int, size: int = 0) -> Transcript:
    """Return a dialogue of so many turns, every second of them an agent's."""
    return Transcript(id="d", turns=tuple(Turn(role=(Role.USER, Role.AGENT)[k % 2], text="x" * size) for k in range(count)))


def size_of(turn: Turn) -> int:
    """Return what a turn takes of a request: as it is shown, between quotes."""
    return len(quoted(turn.text)) + LINE


def size(transcript: Transcript, shown: View) -> int:
    return sum(size_of(transcript.turns[turn]) for turn in shown.shown)


def asked(transcript: Transcript, rubric: Rubric) -> list[View]:
    """Return the views, or none where an agent turn is too long: more than what a full opening leaves of a request."""
    try:
        return views(transcript, rubric)
    except TooLong:
        assert longest(transcript) > SMALL * 3 / 4
        return []


def longest(transcript: Transcript) -> int:
    return max(size_of(transcript.turns[turn]) for turn in transcript.agent_turns)


# Laws


@given(shapes, rubrics)
def test_every_agent_turn_is_rated_once_in_order_and_the_episode_last(shape: list[Shape], rubric: Rubric) -> None:
    transcript = shaped(shape)
    if found := asked(transcript, rubric):
        assert longest(transcript) <= SMALL
        assert tuple(turn for one in found for turn in one.rated) == transcript.agent_turns
        assert [one.episode for one in found] == [False] * (len(found) - 1) + [bool(rubric.episode)]


@given(shapes, rubrics)
def test_a_rated_turn_is_shown_and_no_request_holds_more_than_it_may(shape: list[Shape], rubric: Rubric) -> None:
    transcript = shaped(shape)
    for one in asked(transcript, rubric):
        shown = list(one.shown)
        assert shown == sorted(set(shown))
        assert set(one.rated) <= set(shown) <= set(range(len(transcript.turns)))
        assert size(transcript, one) <= SMALL
        assert len(one.rated) <= MOST_RATED
        assert len("".join(blocks(transcript, one, "", rubric))) <= SMALL + len("<transcript >\n") + len('{"turns left out": 99}\n')


@given(shapes, rubrics)
def test_no_agent_turn_is_too_long_because_of_what_others_say(shape: list[Shape], rubric: Rubric) -> None:
    transcript = shaped(shape)
    if longest(transcript) <= SMALL * 3 / 4:  # what a full opening leaves
        assert views(transcript, rubric)


@given(shapes)
def test_turn_by_turn_shows_nothing_after_the_turn_that_is_rated(shape: list[Shape]) -> None:
    transcript = shaped(shape)
    for one in asked(transcript, TURN):
        assert len(one.rated) == 1 - one.episode
        assert one.stop == (len(transcript.turns) if one.episode else one.rated[0] + 1)
        assert all(turn < one.stop for turn in one.shown)


@given(shapes, rubrics)
def test_what_is_shown_begins_with_what_was_shown_before(shape: list[Shape], rubric: Rubric) -> None:
    transcript = shaped(shape)
    for before, after in pairwise(asked(transcript, rubric)):
        if list(after.shown) == list(range(after.stop)):
            earlier, later = (blocks(transcript, one, "", rubric) for one in (before, after))
            assert later[: len(earlier)] == earlier


@given(shapes, rubrics)
def test_a_dialogue_that_fits_is_shown_from_its_first_turn(shape: list[Shape], rubric: Rubric) -> None:
    transcript = shaped(shape)
    fits = sum(map(size_of, transcript.turns)) <= SMALL
    for one in asked(transcript, rubric) if fits else ():
        stop = len(transcript.turns) if rubric.unit is Unit.DIALOGUE or one.episode else one.rated[0] + 1
        assert list(one.shown) == list(range(stop))


@given(shapes, rubrics)
def test_a_window_shows_the_opening_and_as_much_as_fits_before_its_end(shape: list[Shape], rubric: Rubric) -> None:
    transcript = shaped(shape)
    for one in asked(transcript, rubric):
        shown = list(one.shown)
        missing = [turn for turn in range(one.stop) if turn not in shown]
        if missing:
            assert missing == list(range(missing[0], missing[-1] + 1))  # one gap
            opening = [size_of(turn) for turn in transcript.turns[: missing[0]]]
            assert len(opening) <= OPENING
            assert sum(opening) <= SMALL / 4
            if len(opening) < OPENING:  # the next one would not have fitted into the opening
                assert sum(opening) + size_of(transcript.turns[len(opening)]) > SMALL / 4
            assert size(transcript, one) + size_of(transcript.turns[missing[-1]]) > SMALL


# By hand


@pytest.mark.parametrize(
    ("agent_turns", "rated"),
    [(1, [1]), (MOST_RATED, [24]), (MOST_RATED + 1, [24, 1]), (60, [24, 24, 12]), (72, [24, 24, 24])],
)
def test_more_agent_turns_than_one_answer_holds_are_split(agent_turns: int, rated: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MOST_CHARS", MOST_CHARS)
    found = views(evenly(2 * agent_turns, 10), DIALOGUE)
    assert [len(one.rated) for one in found] == rated
    assert [one.episode for one in found] == [False] * (len(rated) - 1) + [True]
    assert all(list(one.shown) == list(range(2 * agent_turns)) for one in found)


def test_turn_by_turn_asks_once_a_turn_and_once_for_the_episode() -> None:
    assert views(evenly(6), TURN) == [
        View(0, 0, 2, (1,), False),
        View(0, 0, 4, (3,), False),
        View(0, 0, 6, (5,), False),
        View(0, 0, 6, (), True),
    ]
    assert views(evenly(4), TURN.model_copy(update=WITHOUT_EPISODE)) == [View(0, 0, 2, (1,), False), View(0, 0, 4, (3,), False)]


@pytest.mark.parametrize("outcome", ["X", None])
def test_only_a_request_that_shows_the_end_shows_the_outcome(outcome: str | None) -> None:
    transcript = evenly(6).model_copy(update={"outcome": outcome})
    for unit, ends in ((Unit.DIALOGUE, [True]), (Unit.TURN, [False, False, False, True])):
        rubric = DIALOGUE.model_copy(update={"unit": unit, "sees_outcome": True})
        found = ["outcome" in "".join(blocks(transcript, one, "", rubric)) for one in views(transcript, rubric)]
        assert found == ends


def test_a_long_dialogue_is_seen_through_windows_that_say_what_they_leave_out() -> None:
    # 40 turns of 50 + 2 quotes + 48 = 100; a request holds 16 of them, 4 (a quarter) from the opening, 12 up to its last one.
    transcript = evenly(40, 50)
    first, *_, last = views(transcript, TURN)
    assert list(first.shown) == [0, 1]
    assert list(last.shown) == [0, 1, 2, 3, *range(28, 40)]
    text = "".join(blocks(transcript, last, "", TURN))
    assert text.splitlines()[0] == "<transcript >"
    assert text.splitlines()[5] == '{"turns left out": 24}'
    assert text.count("left out") == 1
    # All at once: the 20 agent turns in halves until a group stretches over at most half a request (8 turns).
    groups = views(transcript, DIALOGUE)
    assert [one.rated for one in groups] == [(1, 3), (5, 7, 9), (11, 13), (15, 17, 19), (21, 23), (25, 27, 29), (31, 33), (35, 37, 39)]
    assert list(groups[0].shown) == list(range(groups[0].rated[-1] + 1))
    assert list(groups[-1].shown) == [0, 1, 2, 3, *range(28, 40)]


def test_the_opening_ends_after_six_turns_or_a_quarter_of_a_request() -> None:
    small = [Turn(role=Role.USER, text="")] * 8  # 50 characters each: 8 would fit into a quarter (400)
    long = [Turn(role=Role.AGENT, text="x" * 350)] * 6  # 400 each
    *_, last = views(Transcript(id="d", turns=(*small, *long)), TURN)
    assert (last.opening, last.start) == (OPENING, len(small) + len(long) - 3)  # 1600 - 6 × 50 = 1300: 3 × 400
    *_, last = views(Transcript(id="d", turns=(small[0], *long)), TURN)
    assert (last.opening, last.start) == (1, 1 + len(long) - 3)  # 1600 - 50 = 1550


@pytest.mark.parametrize("rubric", [DIALOGUE, TURN], ids=["dialogue", "turn"])
@pytest.mark.parametrize("at", [0, 1, 5, 19])
def test_a_turn_longer_than_a_request_is_told_with_its_size_and_the_limit(rubric: Rubric, at: int) -> None:
    transcript = evenly(20, 10)
    giant = Turn(role=Role.AGENT, text="x" * 12_345)
    with pytest.raises(
        TooLong, match=r"a turn of 12,3\d\d characters; a request holds 1,600 with the opening: shorten it, or split"
    ) as raised:
        views(transcript.model_copy(update={"turns": (*transcript.turns[:at], giant, *transcript.turns[at + 1 :])}), rubric)
    assert "\n" not in str(raised.value)


def test_the_size_that_is_told_is_that_of_the_turn_that_is_too_long() -> None:
    # Turns of 500 that fit stand before it, and longer ones that need not fit after it.
    others, giant = (Turn(role=Role.USER, text="x" * 500),) * 7, Turn(role=Role.AGENT, text="x" * 3000)
    transcript = Transcript(id="d", turns=(*others, giant, Turn(role=Role.TOOL, text="x" * 9000)))
    for rubric in (DIALOGUE, TURN):
        with pytest.raises(TooLong, match=r"a turn of 3,050 characters"):
            views(transcript, rubric)


@pytest.mark.parametrize("before", range(13))
@pytest.mark.parametrize("after", [[1000, 1000, 1000], [2000], [1], []])
def test_the_episode_has_a_request_of_its_own_where_it_does_not_fit_with_the_last_turns(before: int, after: list[int]) -> None:
    start = (*evenly(before, 5).turns, Turn(role=Role.AGENT, text="hello"))
    transcript = Transcript(id="d", turns=(*start, *(Turn(role=Role.TOOL, text="x" * size) for size in after)))
    found, alone = views(transcript, DIALOGUE), sum(after) > SMALL
    assert tuple(turn for one in found for turn in one.rated) == transcript.agent_turns
    assert (found[-1].rated == ()) is alone
    assert [one.episode for one in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].stop == len(transcript.turns)
    assert found[0].stop == (before + 1 if alone else len(transcript.turns))
    without = views(transcript, DIALOGUE.model_copy(update=WITHOUT_EPISODE))
    assert [one.rated for one in without] == [one.rated for one in found if one.rated]


def test_a_long_turn_of_the_other_side_is_left_out_and_named() -> None:
    turns = evenly(20, 10).turns
    transcript = Transcript(id="d", turns=(*turns[:8], Turn(role=Role.TOOL, text="x" * 12_345), *turns[9:]))
    *_, last = views(transcript, TURN)
    assert list(last.shown) == [0, 1, 2, 3, 4, 5, *range(9, 20)]
    assert '{"turns left out": 3}\n' in "".join(blocks(transcript, last, "", TURN))


def test_the_longest_dialogue_that_fits_is_whole_and_one_character_more_is_not() -> None:
    turns = [Turn(role=Role.AGENT, text="x" * (398 - LINE))] * 4  # 398 - 48, 2 quotes and 48: 400 each
    assert [one.start for one in views(Transcript(id="d", turns=tuple(turns)), TURN)] == [0, 0, 0, 0, 0]
    turns[0] = Turn(role=Role.AGENT, text="x" * (399 - LINE))
    assert [one.start for one in views(Transcript(id="d", turns=tuple(turns)), TURN)] == [0, 0, 0, 1, 1]
