"""Tests of what is taken and what is refused of people's answers, and of what a second reading does."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_set.audit.answers import Taken, check
from golden_set.audit.progress import progress
from golden_set.audit.review import Answer
from golden_set.audit.sameness import same_as
from golden_set.audit.sample import AuditLabel
from tests.golden_set.audit import hostile_audit as made

ROWS = made.QUESTIONS.rows
RIGHT = Answer("row 2", "2026-11", "e001", "0", ROWS["e001", "0"].hash, {"listens": 4.0}, "", {})
WHOLE = replace(RIGHT, place="episode", hash=ROWS["e001", "episode"].hash, ratings={"well": 2.0})


def known(*labels: AuditLabel) -> dict[tuple[str, str], AuditLabel]:
    return {(label.item, label.place): label for label in labels}


def label(note: str = "", **ratings: float) -> AuditLabel:
    return AuditLabel(item="e001", place="0", rater="anna", ratings=ratings, note=note)


def taken(*answers: Answer, before: AuditLabel | None = None, **options: Any) -> Taken:
    found = check(answers, made.QUESTIONS, known(before) if before else {}, "anna", file="form.csv", **options)
    assert found.answered == found.new + found.added + found.replaced + found.known + found.repeated + len(found.refused)
    return found


def test_a_right_answer_becomes_a_label() -> None:
    found = taken(replace(RIGHT, ratings={"listens": 3.5, "honest": 0}, note=" so\x00\r\nit is "))
    assert found.labels == [label("so⟨U+0000⟩\nit is", listens=3.5, honest=0)]
    assert (found.answered, found.new, found.refused) == (1, 1, [])


def test_an_empty_row_is_no_answer() -> None:
    assert taken(replace(RIGHT, ratings={}, note=" "), replace(RIGHT, item="e999", ratings={})) == Taken()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"audit": "2026-10"}, "belongs to the audit '2026-10', expected '2026-11'; read other audits by themselves, with --audit"),
        ({"audit": ""}, "belongs to the audit '', expected '2026-11'"),
        ({"item": "e010"}, "this audit has no item 'e010'; expected one of its 3, e001 to e003"),
        ({"item": ""}, "this audit has no item ''; expected one of its 3"),
        ({"place": "1"}, "e001 has no place '1'; expected one of 0, 2, episode"),
        ({"place": "2"}, f"that is the hash of e001, 0: were columns sorted apart?; expected {ROWS['e001', '2'].hash}"),
        ({"hash": "0" * 16}, "the hash '0000000000000000' does not fit: the row was changed, or is of another version; expected "),
        ({"hash": ""}, "the hash '' does not fit"),
        ({"ratings": {"listens": 6}}, "listens is 6; expected a number from 1 to 5, or nothing"),
        ({"ratings": {"listens": 0.5}}, "listens is 0.5; expected a number from 1 to 5"),
        ({"ratings": {"honest": 1.5}}, "honest is 1.5; expected a number from 0 to 1"),
        ({"ratings": {"listens": float("nan")}}, "listens is nan; expected a number from 1 to 5"),
        ({"ratings": {"listens": float("inf")}}, "listens is inf; expected"),
        ({"ratings": {"well": 3}}, "'well' is 3, but is not rated there; expected listens, honest, note"),
        ({"ratings": {"listen": 3}}, "'listen' is 3, but is not rated there (did you mean 'listens'?); expected listens, honest, note"),
        ({"ratings": {"listens (episode)": 3}}, "'listens (episode)' is 3, but is not rated there"),
        ({"ratings": {}, "shown": {"honest": "maybe"}}, "honest is 'maybe'; expected a number from 0 to 1, or nothing"),
        ({"shown": {"my thoughts": "hm"}}, "'my thoughts' is 'hm', but is not rated there"),
        ({"shown": {"turn": "Agent: hello"}}, "the text of 'turn' was changed: character 8 on is not what was written, now 'hello'"),
        (
            {"shown": {"turn": "Agent: =cmd|' /C"}},
            "the text of 'turn' was changed: character 17 on is not what was written, where it now ends",
        ),
        ({"shown": {"dialogue": ""}}, "the text of 'dialogue' was changed: character 1 on"),
    ],
)
def test_a_wrong_row_is_refused_with_what_is_allowed(changed: dict[str, Any], told: str) -> None:
    found = taken(replace(RIGHT, **changed), WHOLE)
    assert [one.place for one in found.labels] == ["episode"]  # the others are taken
    (refused,) = found.refused
    assert told in refused.what
    assert (refused.file, refused.where) == ("form.csv", "row 2")
    assert "\n" not in str(refused)


def test_all_ratings_of_a_row_that_are_wrong_are_told_at_once() -> None:
    (refused,) = taken(replace(RIGHT, ratings={"listens": 6, "honest": 2})).refused
    assert str(refused) == (
        "form.csv: row 2: e001, turn 0: listens is 6; expected a number from 1 to 5, or nothing; "
        "honest is 2; expected a number from 0 to 1, or nothing"
    )


def test_a_message_cannot_steer_a_terminal_nor_go_on_for_ever() -> None:
    (refused,) = taken(replace(RIGHT, where="task \x1b[31m", item="\x1b[2J\n" + "x" * 5_000)).refused
    assert "\x1b" not in str(refused)
    assert "\n" not in str(refused)
    assert len(str(refused)) < 500


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_and_outer_space_are_no_change(ends: str) -> None:
    for (item, place), row in ROWS.items():
        shown = {"dialogue": f" {made.QUESTIONS.dialogues[item, place]}\n".replace("\n", ends), "turn": row.question.replace("\n", ends)}
        name = "well" if place == "episode" else "listens"
        assert taken(Answer("row 2", "2026-11", item, place, row.hash, {name: 1}, "", shown)).refused == []


def test_a_row_twice_counts_once_if_it_says_the_same() -> None:
    found = taken(RIGHT, replace(RIGHT, where="row 3"), replace(RIGHT, where="row 4", ratings={}))
    assert (found.answered, found.new, found.repeated, found.labels) == (2, 1, 1, [label(listens=4)])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"ratings": {"listens": 5}}, "listens is 4 in row 2 and 5 in row 9"),
        ({"ratings": {"honest": 1}}, "listens is 4 in row 2 and empty in row 9"),
        ({"note": "hm"}, "the notes of row 2 and row 9"),
    ],
)
def test_a_row_twice_with_different_answers_is_refused(other: dict[str, Any], told: str) -> None:
    found = taken(RIGHT, WHOLE, replace(RIGHT, where="row 9", **other))
    assert [one.where for one in found.refused] == ["row 2", "row 9"]
    assert f"answered twice in this file, differently ({told}); leave the one that holds" in found.refused[0].what
    assert "if these are two people, export (or filter) the answers of each into a file of their own" in found.refused[0].what
    assert [one.place for one in found.labels] == ["episode"]


def test_refused_rows_are_told_in_the_order_of_the_file() -> None:
    found = taken(RIGHT, replace(RIGHT, where="row 3", item="e999"), replace(RIGHT, where="row 4", ratings={"listens": 1}))
    assert [one.where for one in found.refused] == ["row 2", "row 3", "row 4"]


@pytest.mark.parametrize(
    ("before", "ratings", "note", "counted", "after"),
    [
        (label(listens=4), {"listens": 4}, "", "known", None),
        (label("hm", listens=4, honest=1), {"listens": 4}, "", "known", None),  # what is empty now erases nothing
        (label(honest=1), {"listens": 4}, "", "added", label(listens=4, honest=1)),
        (label("hm", honest=1), {"listens": 4, "honest": 1}, "", "added", label("hm", listens=4, honest=1)),
        (label(listens=4), {"listens": 4}, "hm", "added", label("hm", listens=4)),
        (label("hm"), {"listens": 4}, "hm", "added", label("hm", listens=4)),
    ],
)
def test_a_second_reading_adds_what_was_not_answered(
    before: AuditLabel, ratings: dict[str, float], note: str, counted: str, after: AuditLabel | None
) -> None:
    for options in ({}, {"replace": True}):
        found = taken(replace(RIGHT, ratings=ratings, note=note), before=before, **options)
        assert getattr(found, counted) == 1
        assert found.labels == ([after] if after else [])


@pytest.mark.parametrize(
    ("before", "ratings", "note", "told", "after"),
    [
        (label(listens=2), {"listens": 4}, "", "listens was 2 and is 4 now", label(listens=4)),
        (label("hm", listens=2, honest=1), {"listens": 4}, "", "listens was 2 and is 4 now", label("hm", listens=4, honest=1)),
        (label("hm", listens=4), {"listens": 4}, "oh", "the note was 'hm' and is 'oh' now", label("oh", listens=4)),
        (label(listens=2), {"listens": 4, "honest": 0}, "", "listens was 2 and is 4 now", label(listens=4, honest=0)),
    ],
)
def test_a_different_answer_is_a_conflict_unless_it_replaces(
    before: AuditLabel, ratings: dict[str, float], note: str, told: str, after: AuditLabel
) -> None:
    answer = replace(RIGHT, ratings=ratings, note=note)
    found = taken(answer, before=before)
    assert found.labels == []
    assert found.refused[0].what == (
        f"anna said otherwise before: {told}; if this is another person's file, read it under another --rater; "
        "if it is the same person's, --replace takes what is new"
    )
    found = taken(answer, before=before, replace=True)
    assert (found.replaced, found.labels) == (1, [after])


PHONE = "ring her at 415-555-2671"


@pytest.mark.parametrize(("masked", "note"), [(True, "ring her at [PHONE]"), (False, PHONE)])
def test_personal_data_in_a_note_is_masked_as_the_dialogues_are(masked: bool, note: str) -> None:
    questions = replace(made.QUESTIONS, masked=masked)
    (first,) = check([replace(RIGHT, note=PHONE)], questions, {}, "anna").labels
    assert first.note == note
    again = check([replace(RIGHT, note=PHONE)], questions, known(first), "anna")
    assert (again.known, again.refused) == (1, [])


def test_personal_data_in_a_note_is_in_no_message() -> None:
    found = taken(replace(RIGHT, note=PHONE), before=label("415-555-9999 is wrong", listens=4))
    assert "is 'ring her at [PHONE]' now" in found.refused[0].what


def many(rater: str, number: int, **other: float) -> list[AuditLabel]:
    """Return labels with so many ratings, two a place; `other` stands at a place of its own."""
    said = [AuditLabel(item=f"e{at:03}", place="0", rater=rater, ratings={"listens": at % 5 + 1, "honest": 1}) for at in range(number // 2)]
    return [*said, AuditLabel(item="e900", place="0", rater=rater, ratings=other)]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (many("anna", 20), many("ben", 20), {"ben": 20}),
        (many("anna", 20), many("ben", 18), {}),  # too few in common
        (many("anna", 20, listens=1), many("ben", 20, listens=2), {}),
        (many("anna", 20, listens=1), many("ben", 30, honest=0), {"ben": 20}),  # what one of them left out says nothing
        (many("anna", 30), [*many("ben", 24), *many("cleo", 20)], {"ben": 24, "cleo": 20}),
        (many("anna", 30), [], {}),
        ([], many("ben", 30), {}),
    ],
)
def test_who_answers_the_same_everywhere_is_found(one: list[AuditLabel], other: list[AuditLabel], found: dict[str, int]) -> None:
    assert same_as("anna", [*one, *other]) == found


rated = st.dictionaries(st.sampled_from(["listens", "honest"]), st.sampled_from([1.0]) | st.just(0.5), max_size=2)
notes = st.sampled_from(["", "a", "b"])


@given(before=rated, note=notes, ratings=rated, other=notes, over=st.booleans())
def test_reading_again_changes_nothing_and_nothing_is_erased(
    before: dict[str, float], note: str, ratings: dict[str, float], other: str, over: bool
) -> None:
    ratings, before = ({n: 1.0 if n == "listens" else v for n, v in one.items()} for one in (ratings, before))
    old = label(note, **before)
    answer = replace(RIGHT, ratings=ratings, note=other)
    first = taken(answer, before=old, replace=over)
    new = first.labels[0] if first.labels else old
    assert old.ratings.keys() <= new.ratings.keys()
    assert new.note or not old.note
    if not first.refused:
        again = taken(answer, before=new, replace=over)
        assert (again.labels, again.refused) == ([], [])


def test_progress_counts_persons_apart() -> None:
    items = {item.item: item for item in made.make_items()}
    whole = {"0": {"listens": 1, "honest": 1, "note": 1}, "2": {"listens": 1, "honest": 1, "note": 1}, "episode": {"well": 1, "listens": 1}}

    def said(item: str, rater: str, *places: str) -> list[AuditLabel]:
        return [AuditLabel(item=item, place=place, rater=rater, ratings=whole[place]) for place in places]

    def told(labels: list[AuditLabel]) -> list[tuple[int, int, int]]:
        return [(part.episodes, part.begun, part.complete) for part in progress(items, made.RUBRIC, labels)]

    assert told([]) == [(3, 0, 0), (1, 0, 0)]
    assert told([AuditLabel(item="e001", place="0", rater="anna", ratings={}, note="hm")]) == [(3, 0, 0), (1, 0, 0)]
    assert told(said("e001", "anna", "0", "2", "episode")) == [(3, 1, 1), (1, 0, 0)]
    # Half by one person and half by another is not one complete rating; of e002 nobody asks a second person.
    halves = said("e001", "anna", "0") + said("e001", "ben", "2", "episode") + said("e002", "anna", "0") + said("e002", "ben", "0")
    assert told(halves) == [(3, 2, 0), (1, 1, 0)]
    assert told(halves + said("e001", "anna", "2", "episode")) == [(3, 2, 1), (1, 1, 0)]
    both = said("e001", "anna", "0", "2", "episode") + said("e001", "ben", "0", "2", "episode")
    assert told(both) == [(3, 1, 1), (1, 1, 1)]
