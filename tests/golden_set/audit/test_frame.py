import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dialogue.errors import UsageProblem
from dialogue.reader import Found, Reject
from dialogue.transcript import Role, Transcript, Turn
from golden_set.audit.frame import Frame, make_frame, thirds
from golden_set.audit.known import Known
from golden_set.audit.worth import make_worth
from judge.contract import Terms
from judge.judges import make_judge
from judge.ledger import Ledger
from judge.pooling import Repeats
from judge.rubric import load_rubric
from judge.verdict import Rating, TurnRatings, Verdict

RUBRIC = load_rubric("collections")
JUDGE = make_judge("local", RUBRIC, Terms(environ={}))
CRITICAL = next(criterion for criterion in RUBRIC.turn if criterion.critical)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


def call(name: str, *, outcome: str | float | None = "HANGUP", text: str | None = None, turns: int = 2, **meta: object) -> Transcript:
    said = [Turn(role=Role.AGENT, text=f"{text or name} {at}") for at in range(turns)]
    return Transcript(id=name, turns=tuple(said), outcome=outcome, meta=json.loads(json.dumps(meta)))


def rated(transcript: Transcript, unit: float, *, spread: float | None = None, lie: bool = False) -> Verdict:
    """Rate everything alike, at a place on [-1, 1]; the critical criterion at its best, or at its worst in the last turn."""

    def rating(criterion, value):  # type: ignore[no-untyped-def]
        return Rating(value=criterion.scale.from_unit(value), spread=spread, reason="so it is")

    turns = []
    for turn in transcript.agent_turns:
        ratings = {c.name: rating(c, unit) for c in RUBRIC.turn_criteria}
        ratings[CRITICAL.name] = rating(CRITICAL, -1.0 if lie and turn == transcript.agent_turns[-1] else 1.0)
        turns.append(TurnRatings(turn=turn, ratings=ratings))
    return Verdict(judge=JUDGE.id, turns=tuple(turns), episode={c.name: rating(c, unit) for c in RUBRIC.episode})


def keep(ledger: Ledger, transcript: Transcript, verdict: Verdict, repeat: int = 0) -> None:
    ledger.record([(transcript.content_hash(with_outcome=False), repeat, verdict)])


def framed(
    ledger: Ledger,
    transcripts: Iterable[Transcript],
    *,
    repeats: Repeats | None = None,
    rejects: list[Reject] | None = None,
    **keys: list[str],
) -> Frame:
    found = (Found(transcript, "log.jsonl", line, "") for line, transcript in enumerate(transcripts, start=1))
    known = Known(JUDGE, ledger, repeats or Repeats())
    collected = [] if rejects is None else rejects
    return make_frame(found, known, make_worth(RUBRIC, "blend", None), RUBRIC, collected.append, **keys)


def test_a_row_holds_what_estimates_need(ledger: Ledger) -> None:
    one = call("one", policy="v3", turns=3)
    keep(ledger, one, rated(one, 0.5, spread=0.4, lie=True))
    frame = framed(ledger, [one])
    (made,) = frame.framed(["flagged"])
    assert made.id == "one"
    assert made.content_hash == one.content_hash(with_outcome=False)
    assert made.slices == ("outcome:HANGUP", "policy:v3")
    assert made.violated == (CRITICAL.name,)
    # A rating at 0.5 on [-1, 1] of a 1-5 scale is 4. The critical one is 1, 1, 0 over the three turns: 2/3.
    expected = {c.name: c.scale.from_unit(0.5) for c in RUBRIC.turn_criteria} | {CRITICAL.name: pytest.approx(2 / 3)}
    assert made.means == expected | {f"{c.name} (episode)": 4.0 for c in RUBRIC.episode}
    # A spread of 0.4 is 0.4 of the critical criterion's scale, which is one wide, and less of any other.
    assert made.spread == pytest.approx(0.4)
    weights = sum(c.weight for c in RUBRIC.turn)
    turns = (0.5 * (weights - CRITICAL.weight) + CRITICAL.weight / 3) / weights  # critical: +1, +1, -1
    assert made.handling == pytest.approx((turns + 0.5) / 2)
    # A veto holds it at the recipe's cap.
    assert made.reward == pytest.approx(-2.0)


def test_what_has_no_verdict_or_reads_alike_or_is_refused_is_counted(ledger: Ledger) -> None:
    log = [call("a"), call("b"), call("c", text="a"), call("d", outcome="WON"), call("e", text="b"), call("f")]
    for transcript in (log[0], log[3], log[5]):
        keep(ledger, transcript, rated(transcript, 0.0))
    rejects: list[Reject] = []
    frame = framed(ledger, log, rejects=rejects)
    assert [row.id for row in frame.rows] == ["a", "c", "f"]  # c reads like a, and is a call of its own
    assert (frame.unscored, frame.duplicates) == (2, 1)
    assert str(rejects[0]).startswith("log.jsonl:4: unknown outcome 'WON'")
    assert len(rejects) == 1


def test_without_any_verdict_it_says_what_to_do_and_who_has_rated(ledger: Ledger) -> None:
    other = call("a")
    verdict = rated(other, 0.0)
    keep(ledger, other, verdict.model_copy(update={"judge": JUDGE.id.model_copy(update={"provider": "openai", "model": "gpt-9"})}))
    with pytest.raises(UsageProblem, match=r"none of 1 episodes has a verdict by local/.*run `judge score` first.*by openai/gpt-9 on"):
        framed(ledger, [other])
    with pytest.raises(UsageProblem, match="no episode to draw from"):
        framed(ledger, [])


@pytest.mark.parametrize("value", [{"name": "Wei"}, ["v3"]])
def test_a_key_that_holds_objects_makes_no_slices(ledger: Ledger, value: object) -> None:
    one = call("one", info=value)
    keep(ledger, one, rated(one, 0.0))
    with pytest.raises(UsageProblem, match=r"'info' in meta holds .*name another key"):
        framed(ledger, [one], slices=["info"])


@pytest.mark.parametrize(
    ("repeats", "there", "scored"),
    [
        (Repeats(), [0.2], 0.2),
        (Repeats(2, 2), [0.2], None),  # the second is missing: a mean over fewer would be another judge's
        (Repeats(2, 2), [0.2, 0.6], 0.4),
        (Repeats(2, 2), [0.2, 0.6, 1.0], 0.4),  # a third was given for another purpose
        (Repeats(2, 4), [0.5, 0.5], 0.5),  # decided
        (Repeats(2, 4), [-0.4, 0.6], None),  # `judge score` would ask again
        (Repeats(2, 4), [-0.4, 0.6, 0.6], None),  # 0.27, spread 0.58
        (Repeats(2, 4), [-0.4, 0.6, 0.6, 0.6], 0.35),  # as often as it may
        (Repeats(1, 1, series=3), [0.2], None),  # kept elsewhere
    ],
)
def test_repeats_are_taken_as_scoring_takes_them(ledger: Ledger, repeats: Repeats, there: list[float], scored: float | None) -> None:
    one, sure = call("one"), call("sure")
    for repeat, unit in enumerate(there):
        keep(ledger, one, rated(one, unit, spread=0.0), repeat)
    for repeat in range(4):
        for base in (0, 3000):
            keep(ledger, sure, rated(sure, 0.9, spread=0.0), base + repeat)
    frame = framed(ledger, [one, sure], repeats=repeats)
    found = {row.id: row.means[0] for row in frame.rows}
    assert found.get("one") == (None if scored is None else pytest.approx(RUBRIC.turn[0].scale.from_unit(scored)))
    assert "sure" in found
    assert frame.unscored == (scored is None)


def test_a_panel_is_reduced_from_what_its_members_said(ledger: Ledger, tmp_path: Path) -> None:
    panel_file = tmp_path / "panel.toml"
    panel_file.write_text('[[member]]\njudge = "local"\n[[member]]\njudge = "openai:gpt-9"\nweight = 3.0\n')
    panel = make_judge(f"panel:{panel_file}", RUBRIC, Terms(environ={}))
    one, half = call("one"), call("half")
    for member, unit in zip(panel.members, (-0.5, 0.5), strict=True):  # type: ignore[attr-defined]
        keep(ledger, one, rated(one, unit).model_copy(update={"judge": member.id}))
    keep(ledger, half, rated(half, 0.5))
    known = Known(panel, ledger, Repeats())
    hashes = [transcript.content_hash(with_outcome=False) for transcript in (one, half)]
    found = known.verdicts(hashes)
    assert list(found) == hashes[:1]  # a panel that lacks a member would be another judge
    assert found[hashes[0]].judge == panel.id
    value = found[hashes[0]].turns[0].ratings[RUBRIC.turn[0].name].value
    assert value == pytest.approx(RUBRIC.turn[0].scale.from_unit(0.25))  # (-0.5 + 3 * 0.5) / 4


def test_slices(ledger: Ledger) -> None:
    log = [call("a", campaign="cards", tries=2), call("b", campaign=None, vip=True), call("c", outcome=None, campaign="x")]
    for transcript in log:
        keep(ledger, transcript, rated(transcript, 0.0))
    frame = framed(ledger, log, slices=["campaign", "vip"], strata=["tries"])
    assert [made.slices for made in frame.framed(["s"] * 3)] == [
        ("outcome:HANGUP", "campaign:cards", "vip:none"),
        ("outcome:HANGUP", "campaign:none", "vip:true"),
        ("outcome:none", "campaign:x", "vip:none"),
    ]
    assert frame.column("tries") == ["2", "none", "none"]
    assert [made.slices for made in framed(ledger, log).framed(["s"] * 3)] == [("outcome:HANGUP",)] * 2 + [("outcome:none",)]
    with pytest.raises(
        UsageProblem, match=r"no episode has 'campain' in its meta \(did you mean 'campaign'\?\); there are: campaign, tries"
    ):
        framed(ledger, log, slices=["campain"])


def test_outcomes_that_are_numbers_are_put_in_thirds_where_there_are_many(ledger: Ledger) -> None:
    few = [call(f"a{at}", outcome=at / 10) for at in range(6)]
    many = [call(f"b{at}", outcome=at / 10) for at in range(10)]
    for transcript in (*few, *many):
        keep(ledger, transcript, rated(transcript, 0.0))
    assert framed(ledger, few).outcomes == ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]
    # Of ten values, the third lies at 0.25 of the way (below a third), the fourth at 0.35, the seventh at 0.65, the eighth at 0.75.
    assert framed(ledger, many).outcomes == ["0 to 0.2"] * 3 + ["0.3 to 0.6"] * 4 + ["0.7 to 0.9"] * 3


def test_thirds_by_hand() -> None:
    def of(*values: float) -> list[int]:
        return thirds(np.array(values, dtype=float)).tolist()

    assert of(3, 1, 2) == [2, 0, 1]
    assert of(1, 1, 1, 1) == [1, 1, 1, 1]
    assert of(1, 2, 2, 2, 2, 3) == [0, 1, 1, 1, 1, 2]
    assert of() == []
