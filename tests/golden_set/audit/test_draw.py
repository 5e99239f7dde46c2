import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialogue.errors import UsageProblem
from dialogue.reader import Found
from dialogue.reading import Reading
from dialogue.transcript import Role, Transcript, Turn
from golden_set.audit.draw import make_items, pick, strata_of
from golden_set.audit.frame import Frame, make_frame
from golden_set.audit.known import Known
from golden_set.audit.sample import AuditItem, Purpose
from golden_set.audit.strata import Layer, stratified
from golden_set.audit.worth import make_worth
from judge.contract import Terms
from judge.judges import make_judge
from judge.ledger import Ledger
from judge.pooling import Repeats
from judge.rubric import load_rubric
from judge.verdict import Rating, TurnRatings, Verdict

RUBRIC = load_rubric("collections")
JUDGE = make_judge("local", RUBRIC, Terms(environ={}))
WORTH = make_worth(RUBRIC, "blend", None)


def call(at: int, **changes: object) -> Transcript:
    text = f"Is this Teresa Moyo? Your card 4111 1111 1111 1111 was used, call {at}."
    turns = (
        Turn(role=Role.AGENT, text=text, state={"fsm": "OPENING"}, action="PROCEED", action_prob=0.5, signals=("SILENCE",)),
        Turn(role=Role.USER, text="I can send $1,150 on 05/12/2024."),
        Turn(role=Role.AGENT, text=f"Thank you {at}."),
    )
    made = Transcript(
        id=f"call-{at}", turns=turns, outcome=("HANGUP", "ESCALATED")[at % 2], meta={"customer": "Teresa Moyo", "policy": "v3"}
    )
    return made.model_copy(update=changes)


def rated(at: int) -> Verdict:
    def rating(quote: str | None = None) -> Rating:
        return Rating(value=1.0, spread=at / 100, reason=f"teresa was asked for 4111 1111 1111 1111 ({at})", quote=quote)

    turns = tuple(TurnRatings(turn=turn, ratings={c.name: rating() for c in RUBRIC.turn_criteria}) for turn in (0, 2))
    turns[0].ratings["acknowledges"] = rating("1111 1111 was used")
    episode = {c.name: rating("Moyo? Your card 4111").model_copy(update={"quote_turn": 0}) for c in RUBRIC.episode}
    return Verdict(judge=JUDGE.id, turns=turns, episode=episode)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        opened.record([(call(at).content_hash(with_outcome=False), 0, rated(at)) for at in range(40)])
        yield opened


def framed(known: Known) -> tuple[Frame, list[Layer], list[str]]:
    found = (Found(call(at), "log", at, "") for at in range(40))
    frame = make_frame(found, known, WORTH, RUBRIC, lambda reject: pytest.fail(str(reject)))
    layers, _ = stratified(frame, 20)
    return frame, layers, strata_of(frame, layers)


def items_of(ledger: Ledger, transcripts: list[Transcript], region: str | None = "US") -> list[AuditItem]:
    known = Known(JUDGE, ledger, Repeats())
    frame, layers, names = framed(known)
    picked = pick(frame, layers, seed=1, double=0.25, hunt=5)
    return make_items(transcripts, frame, picked, names, known, WORTH, RUBRIC, region=region)


def test_people_are_shown_what_was_said_and_nothing_that_identifies_anybody(ledger: Ledger) -> None:
    items = items_of(ledger, [call(at) for at in range(40)])
    assert [item.item for item in items] == [f"e{number:03}" for number in range(1, 26)]
    for item in items:
        at = int(item.framed.id.split("-")[1])
        assert item.shown.id == item.item
        assert item.shown.meta == {}
        assert item.shown.outcome == call(at).outcome
        assert [turn.text for turn in item.shown.turns] == [
            f"Is this [NAME]? Your card [CARD] was used, call {at}.",
            "I can send $1,150 on 05/12/2024.",
            f"Thank you {at}.",
        ]
        assert [(turn.state, turn.action, turn.action_prob) for turn in item.shown.turns] == [(None, None, None)] * 3
        assert item.shown.turns[0].signals == ("SILENCE",)
        first = item.verdict.turns[0].ratings["acknowledges"]
        assert (first.reason, first.quote) == (f"[NAME] was asked for [CARD] ({at})", "[CARD] was used")
        assert {rating.quote for rating in item.verdict.episode.values()} == {"[NAME]? Your card [CARD]"}
        assert item.verdict.judge == JUDGE.id
        assert not any(name in item.model_dump_json() for name in ("Teresa", "Moyo", "4111"))
        hunted = item.purpose is Purpose.HUNT
        assert (item.inclusion is None) == bool(item.why) == hunted
        assert not (hunted and item.twice)
    assert sum(item.purpose is Purpose.HUNT for item in items) == 5
    assert sum(item.twice for item in items) == 5


def test_masking_can_be_left_out(ledger: Ledger) -> None:
    for item in items_of(ledger, [call(at) for at in range(40)], region=None):
        at = int(item.framed.id.split("-")[1])
        assert item.shown.turns[0].text == call(at).turns[0].text
        assert item.verdict == rated(at)
        assert item.shown.meta == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"turns": (Turn(role=Role.AGENT, text="another"),)},
        {"outcome": "PAYMENT_SECURED"},
        {"id": "renamed"},
    ],
)
def test_files_that_changed_meanwhile_are_noticed(ledger: Ledger, changes: dict[str, object]) -> None:
    with pytest.raises(UsageProblem, match=r"the files changed while the sample was drawn: 'call-\d+' is not what it was"):
        items_of(ledger, [call(at, **changes) for at in range(40)])


def test_the_frame_of_a_file_is_that_of_its_transcripts(ledger: Ledger, tmp_path: Path) -> None:
    known = Known(JUDGE, ledger, Repeats())
    frame, _, names = framed(known)
    kept = list(frame.framed(names))
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(call(at).model_dump(mode="json")) + "\n" for at in range(40)))
    again = make_frame(Reading([log]), known, WORTH, RUBRIC, lambda reject: pytest.fail(str(reject)))
    assert list(again.framed(names)) == kept
