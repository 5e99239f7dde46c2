"""Law 3: what may be learned from, what must be said in words first, and what is counted."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.errors import UsageProblem
from judge.ledger import Ledger
from judge.pooling import Repeats
from judge.verdict import JudgeId
from rewards.admission import Admission, Allowed, admitted
from rewards.record import RewardRecord

JUDGE = JudgeId(provider="openai", model="m-1", rubric="collections", rubric_hash="r1", prompt_hash="p1")
OTHER = JUDGE.model_copy(update={"model": "m-2"})


def record(id: str = "d", *, judge: JudgeId | None = JUDGE, cleared: bool = True, **changes: Any) -> RewardRecord:
    turn = {"turn": 0, "ratings": {}, "terms": {"outcome": 1.0}, "reward": 1.0, "state": {"x": 1}, "action": "A", "action_prob": 1.0}
    values = {
        "id": id, "judge": judge, "rubric": "collections@1", "recipe": "blend@1", "outcomes": "collections@1", "calibration": None,
        "outcome": "HANGUP", "status": "scored", "turns": [turn], "cleared": cleared,
        "episode": {"ratings": {}, "terms": {"outcome": 1.0}, "reward": 1.0},
    }  # fmt: skip
    return RewardRecord.model_validate(values | changes)


def failed(id: str, outcome: str = "HANGUP") -> RewardRecord:
    turn = {"turn": 0, "ratings": {}, "terms": {}, "reward": None, "state": {"x": 1}, "action": "A"}
    return record(
        id, outcome=outcome, status="failed", turns=[turn], episode={"ratings": {}, "terms": {}, "reward": None},
        failure={"kind": "timed_out", "detail": "no answer"},
    )  # fmt: skip


def taken(records: Iterable[RewardRecord], ledger: Ledger | None = None, **allowed: Any) -> tuple[list[str], dict[str, Any]]:
    admission = Admission(Allowed(**allowed))
    ids = [one.id for one in records if admission.admits(one)]
    return ids, admission.close(ledger)


@pytest.mark.parametrize(
    ("records", "told", "allowed"),
    [
        ([record(cleared=False)], "no leave to produce rewards: openai/m-1 .* uncleared.*--allow-uncleared", "uncleared"),
        ([record("a"), record("b", cleared=False)], "no leave to produce rewards: openai/m-1", "uncleared"),
        (
            [record("a"), record("b", judge=OTHER)],
            "2 judges in one data set: .*m-1.*m-2.*differ in model.*--allow-mixed-judges",
            "mixed_judges",
        ),
        ([record("a"), record("b", recipe="rlaif@2")], "2 recipes .*blend@1 .*rlaif@2.*--allow-mixed-recipes", "mixed_recipes"),
        ([record("a"), record("b", outcomes="sales@2")], "2 outcome tables .*--allow-mixed-recipes", "mixed_recipes"),
        ([record("a"), record("b", calibration="c1")], "2 calibrations .*none \\(1 episodes\\).*--allow-mixed-recipes", "mixed_recipes"),
        ([record("a"), record("b", rubric="sales@1")], "2 rubrics .*--allow-mixed-recipes", "mixed_recipes"),
    ],
)
def test_law_3(records: list[RewardRecord], told: str, allowed: str) -> None:
    with pytest.raises(UsageProblem, match=told) as raised:
        taken(records)
    assert "\n" not in str(raised.value)
    others = {name: True for name in ("uncleared", "mixed_judges", "mixed_recipes") if name != allowed}
    with pytest.raises(UsageProblem, match=told):  # another permission is not this one
        taken(records, **others)
    ids, manifest = taken(records, **{allowed: True})
    assert ids == [one.id for one in records]
    assert manifest["allowed"][allowed] is True  # what was allowed is written down
    assert json.loads(json.dumps(manifest)) == manifest


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(UsageProblem, match=r"no leave.*; 2 judges.*; 2 recipes"):
        taken([record("a"), record("b", judge=OTHER, cleared=False, recipe="x@1")])


def test_a_recipe_without_a_judge_needs_no_leave() -> None:
    ids, manifest = taken([record(judge=None)])
    assert (ids, manifest["judges"]) == (["d"], [])
    _, manifest = taken([record("a", judge=None, rubric="collections@1"), record("b", judge=None, rubric="sales@1")])
    assert manifest["rubric"] == {}  # a rubric by which nobody rated does not matter


def test_a_failed_episodes_judge_is_no_mixture() -> None:
    """What is left out has no part in it: a failed call to another model is no reason to refuse."""
    ids, manifest = taken([record(f"a{k}") for k in range(9)] + [failed("f").model_copy(update={"judge": OTHER, "cleared": False})])
    assert len(ids) == 9
    assert [judge["model"] for judge in manifest["judges"]] == ["m-1"]


def test_the_ledger_knows_of_clearances_voided_and_given_since() -> None:
    with Ledger(":memory:") as ledger:
        assert taken([record()], ledger)[1]["judges"][0]["leave"] == "cleared"  # scored with another ledger: this one knows nothing
        ledger.clear(JUDGE, "check")
        assert taken([record()], ledger)[1]["judges"][0]["leave"] == "cleared"
        assert taken([record(cleared=False)], ledger)[1]["judges"][0]["leave"] == "cleared since"
        ledger.void(JUDGE)
        with pytest.raises(UsageProblem, match="1 episodes: voided"):
            taken([record()], ledger)
        assert taken([record()], ledger, uncleared=True)[1]["judges"][0]["leave"] == "voided"


def test_a_mean_of_ratings_has_the_leave_of_the_judge_that_was_cleared() -> None:
    mean = Repeats(3, 3).of(JUDGE)
    assert mean != JUDGE
    with Ledger(":memory:") as ledger:
        ledger.clear(JUDGE, "check")
        assert taken([record(judge=mean)], ledger)[1]["judges"][0]["leave"] == "cleared"
        ledger.void(JUDGE)
        with pytest.raises(UsageProblem, match="voided"):
            taken([record(judge=mean)], ledger)


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    admission = Admission()
    admission.admits(record())
    admission.close(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


UNUSABLE = [
    (failed("x"), "judge_failed"),
    (failed("x").model_copy(update={"failure": None}), "no_reward"),
    (record("x", turns=[record().turns[0].model_copy(update={"state": None})]), "no_state_or_action"),
    (record("x", turns=[record().turns[0].model_copy(update={"action": None})]), "no_state_or_action"),
    (record("x", turns=[record().turns[0].model_copy(update={"action_prob": 2.0})]), "unusable"),
    (record("x", turns=[]), "unusable"),
    (record("x", episode={"ratings": {}, "terms": {}, "reward": 5.0}), "unusable"),
    (record("x", episode={"ratings": {}, "terms": {}, "reward": None}), "no_reward"),
]


@pytest.mark.parametrize(("bad", "reason"), UNUSABLE)
def test_what_is_left_out_is_counted_by_reason(bad: RewardRecord, reason: str) -> None:
    ids, manifest = taken([record(f"a{k}") for k in range(9)] + [bad])
    assert ids == [f"a{k}" for k in range(9)]
    assert manifest["coverage"]["left_out"] == {reason: 1}
    assert (manifest["coverage"]["episodes"], manifest["coverage"]["admitted"], manifest["coverage"]["share"]) == (10, 9, 0.9)


def test_an_export_of_whole_dialogues_needs_no_states() -> None:
    admission = Admission(acting=False)
    assert admission.admits(record(turns=[record().turns[0].model_copy(update={"state": None, "action": None})]))


def test_below_the_floor_nothing_is_learned() -> None:
    records = [record(f"a{k}") for k in range(8)] + [failed("f1"), failed("f2")]
    with pytest.raises(
        UsageProblem,
        match=r"8 of 10 episodes can be used: 80\.0%, where --min-coverage asks for 90% \(the judge failed: 2; the first: .f1. has",
    ):
        taken(records)
    assert len(taken(records, min_coverage=0.8)[0]) == 8
    with pytest.raises(UsageProblem, match="0 of 1 episodes can be used"):
        taken([failed("f")], min_coverage=0.0)
    with pytest.raises(UsageProblem, match="hold no episodes"):
        taken([])
    with pytest.raises(UsageProblem, match=r"--min-coverage is 90; expected a share of the episodes, 0 to 1"):
        Allowed(min_coverage=90)


def test_an_id_that_comes_again_counts_once_and_a_rescored_failure_is_one_no_more() -> None:
    ids, manifest = taken([record("a"), failed("b"), record("a"), record("b")])
    assert ids == ["a", "b"]
    assert (manifest["coverage"]["duplicates"], manifest["coverage"]["left_out"], manifest["coverage"]["episodes"]) == (1, {}, 2)


def test_endings_that_are_left_out_more_often_are_told() -> None:
    """300 hangups of which 60 failed (20 %), 700 payments of which 7 did (1 %): pooled share 6.7 %, standard error 1.7 points."""
    records = [failed(f"h{k}") if k < 60 else record(f"h{k}") for k in range(300)]
    records += [failed(f"p{k}", "PAID") if k < 7 else record(f"p{k}", outcome="PAID") for k in range(700)]
    (warning,) = taken(records)[1]["warnings"]
    assert warning.startswith(
        "20% of the 300 episodes that ended in HANGUP are left out, 1% of the others: what is learned leans to the others"
    )
    even = [failed(f"f{k}", f"E{k % 2}") if k < 60 else record(f"d{k}", outcome=f"E{k % 2}") for k in range(1000)]
    assert taken(even)[1]["warnings"] == []


def test_records_pass_through_and_the_refusal_comes_at_the_end() -> None:
    passing = admitted([record("a"), record("b", cleared=False)], Admission())
    assert [next(passing).id, next(passing).id] == ["a", "b"]
    with pytest.raises(UsageProblem, match="no leave"):
        next(passing)


@settings(deadline=None)  # a slow machine is no fault
@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["good", "failed", "other"])), min_size=1, max_size=30), st.integers(0, 30))
def test_stopped_and_gone_on_counts_as_never_stopped(events: list[tuple[int, str]], at: int) -> None:
    made = {"good": record, "failed": failed, "other": lambda name: record(name, judge=OTHER, outcome=None)}
    records = [made[kind](str(number)) for number, kind in events]
    whole, first = Admission(), Admission()
    expected = [whole.admits(one) for one in records]
    found = [first.admits(one) for one in records[:at]]
    second = Admission().restore(json.loads(json.dumps(first.state())))
    found += [second.admits(one) for one in records[at:]]
    assert found == expected
    assert second.state() == whole.state()
