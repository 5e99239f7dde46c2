"""Rewards files as padded rollouts: every step is where the record has it, and nothing else counts."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.encoding import Encoding, Field
from dialogue.environments.contract import Spaces
from dialogue.errors import InputProblem, UsageProblem
from policies.logged import Log, LogReader
from rewards.admission import Admission
from rewards.record import RewardRecord
from rewards.transitions import transitions

FSM = ["OPENING", "NEGOTIATION", "CLOSED"]


def record(id: str, steps: list[tuple[str, int, str, float | None, float]], outcome: str | None = "HANGUP", **changes: Any) -> RewardRecord:
    """Make an episode of steps (fsm, turn, action, probability, reward)."""
    turns = [
        {"turn": 2 * k, "ratings": {}, "terms": {"outcome": reward}, "reward": reward, "state": {"fsm": fsm, "turn": turn},
         "action": action, "action_prob": prob}
        for k, (fsm, turn, action, prob, reward) in enumerate(steps)
    ]  # fmt: skip
    total = sum(step[4] for step in steps)
    terms = {"outcome": total} if outcome else {}
    values = {
        "id": id, "judge": None, "rubric": "r", "recipe": "outcome@1", "outcomes": "o", "calibration": None, "outcome": outcome,
        "status": "scored", "turns": turns, "episode": {"ratings": {}, "terms": terms, "reward": total}, "cleared": True,
    }  # fmt: skip
    return RewardRecord.model_validate(values | changes)


def read(records: Iterable[RewardRecord], **options: Any) -> Log:
    reader = LogReader(Admission(), **options)
    for one in records:
        reader.add(one)
    return reader.log()


A = record("a", [("OPENING", 1, "WAIT", 0.5, 0.25), ("NEGOTIATION", 5, "GO", 0.25, -1.0)])
B = record("b", [("CLOSED", 12, "GO", None, 2.0)])


def test_by_hand() -> None:
    log = read([A, B])
    assert log.spaces.actions == ("WAIT", "GO")
    assert log.spaces.encoding == Encoding((Field("fsm", ("OPENING", "NEGOTIATION", "CLOSED")), Field("turn", edges=(4.0, 7.0, 11.0))))
    rollout = log.rollout()
    assert rollout.mask is not None
    # fsm x 4 + bucket: OPENING turn 1 = 0, NEGOTIATION turn 5 = 5, CLOSED turn 12 = 11
    assert rollout.observations[rollout.mask].tolist() == [0, 11, 5]
    assert rollout.mask.tolist() == [[True, True], [True, False]]
    assert rollout.actions[rollout.mask].tolist() == [0, 1, 1]
    np.testing.assert_array_equal(rollout.probs[rollout.mask], [0.5, np.nan, 0.25])
    assert rollout.rewards.tolist() == [[0.25, 2.0], [-1.0, 0.0]]
    assert rollout.next_observations[0, 0] == 5
    assert rollout.terminated.tolist() == [[False, True], [True, False]]
    assert not rollout.truncated.any()
    assert not rollout.on_policy
    assert (log.episodes, log.steps, log.without_prob) == (2, 3, 1)
    assert log.returns().tolist() == [-0.75, 2.0]


steps = st.tuples(st.sampled_from(FSM), st.integers(1, 20), st.sampled_from(["GO", "WAIT", "ASK"]), st.floats(0.01, 1), st.floats(-2, 2))
episodes = st.lists(st.tuples(st.lists(steps, min_size=1, max_size=6), st.sampled_from(["HANGUP", None])), min_size=1, max_size=12)


@settings(deadline=None)  # a slow machine is no fault
@given(episodes, st.randoms())
def test_the_padded_rollout_is_the_records(given_: list[Any], random: Any) -> None:
    first = record("first", [("OPENING", 1, "GO", 0.5, 1.0), ("CLOSED", 9, "WAIT", 0.5, 0.0), ("NEGOTIATION", 5, "ASK", 0.5, 0.0)])
    records = [first, *(record(f"{k}", list(steps_), outcome) for k, (steps_, outcome) in enumerate(given_))]
    log = read(records)
    kept = [one for one in records if one.outcome is not None or len(one.turns) > 1]
    assert log.episodes == len(kept)
    assert log.unseen == len(records) - len(kept)
    chosen = random.sample(range(len(kept)), random.randint(1, len(kept)))
    rollout, encoding = log.rollout(chosen), log.spaces.encoding
    assert rollout.mask is not None
    assert encoding is not None
    for column, at in enumerate(chosen):
        wanted = transitions(kept[at])
        length = len(wanted) - wanted[-1].truncated  # what the last action of an unseen end came to is not known
        assert rollout.mask[:, column].tolist() == [k < length for k in range(len(rollout.mask))]
        for k, one in enumerate(wanted[:length]):
            assert rollout.observations[k, column] == encoding.index(one.observation)
            assert log.spaces.actions[rollout.actions[k, column]] == one.action
            assert rollout.probs[k, column] == one.action_prob
            assert rollout.rewards[k, column] == one.reward
            assert rollout.terminated[k, column] == one.terminated
            assert rollout.truncated[k, column] == (k == length - 1 and not wanted[-1].terminated)
            if one.next_observation is not None:
                assert rollout.next_observations[k, column] == encoding.index(one.next_observation)
        assert not rollout.rewards[length:, column].any()
        assert not rollout.ends[length:, column].any()
    ended = [kept[at].episode.reward for at in chosen if kept[at].outcome]
    np.testing.assert_allclose(log.returns(chosen), np.array(ended, float), atol=1e-12)


def test_an_end_that_nobody_recorded() -> None:
    open_ = record("open", [("OPENING", 1, "GO", 0.5, 0.5), ("CLOSED", 9, "WAIT", 0.5, 0.25)], outcome=None)
    log = read([A, open_])
    rollout = log.rollout([1])
    assert (rollout.mask is not None) and rollout.mask.tolist() == [[True]]
    assert rollout.truncated.tolist() == [[True]]
    assert rollout.next_observations.tolist() == [[10]]  # CLOSED, turn 7 to 10: 2 x 4 + 2
    assert log.returns([1]).size == 0
    assert log.notes == ("1 episodes have no outcome, which their recipe weighs: they are learned from up to their last state",)
    unweighed = [one.model_copy(update={"episode": one.episode.model_copy(update={"terms": {}})}) for one in (A, open_)]
    log = read(unweighed)
    assert log.rollout([1]).terminated.tolist() == [[False], [True]]
    assert log.notes == ("1 episodes have no outcome, which their recipe does not weigh: they are taken to have ended",)


@pytest.mark.parametrize(
    ("actions", "order"),
    [
        (["OFFER_PLAN", "PROCEED", "ASK_CLARIFY", "EMPATHIZE"], ("PROCEED", "EMPATHIZE", "OFFER_PLAN", "ASK_CLARIFY")),  # the debt call's
        (["OFFER_PLAN", "PROCEED"], ("PROCEED", "OFFER_PLAN")),
        (["b", "a", "b", "c"], ("b", "a", "c")),  # as they come
    ],
)
def test_the_order_of_actions(actions: list[str], order: tuple[str, ...]) -> None:
    log = read([record("x", [(FSM[k % 3], 1, action, 0.5, 0.0) for k, action in enumerate(actions)])])
    assert log.spaces.actions == order
    assert [log.spaces.actions[k] for k in log.actions] == actions


def test_a_days_new_file_grows_the_encoding_and_keeps_every_old_place() -> None:
    day1 = read([A, B])
    day2 = read([record("c", [("ESCALATED", 8, "GO", 0.5, 0.0), ("OPENING", 1, "WAIT", 0.5, 1.0)])], known=day1.spaces)
    old, new = day1.spaces.encoding, day2.spaces.encoding
    assert old is not None
    assert new is not None
    assert new.fields[0].values == ("OPENING", "NEGOTIATION", "CLOSED", "ESCALATED")
    assert day2.spaces.actions == day1.spaces.actions
    assert day2.observations.tolist() == [new.index({"fsm": "ESCALATED", "turn": 8}), new.index({"fsm": "OPENING", "turn": 1})]
    with pytest.raises(UsageProblem, match=r"has the actions SHOUT, which the policy does not know \(it knows WAIT, GO\)"):
        read([record("d", [("OPENING", 1, "SHOUT", 0.5, 1.0)])], known=day1.spaces)


@pytest.mark.parametrize("state", [{"fsm": "OPENING"}, {"fsm": "OPENING", "turn": "late"}, {"fsm": "OPENING", "turn": True}])
def test_a_state_that_the_encoding_cannot_take_is_left_out_and_counted(state: dict[str, Any]) -> None:
    odd = B.model_copy(update={"id": "odd", "turns": (B.turns[0].model_copy(update={"state": state}),)})
    reader = LogReader(Admission(), known=read([A, B]).spaces)
    for one in (A, odd):
        reader.add(one)
    assert reader.log().episodes == 1
    assert reader.admission.coverage.reasons == {"unknown_state": 1}


def test_what_cannot_be_learned_from() -> None:
    with pytest.raises(UsageProblem, match="no episode can be learned from"):
        read([])
    with pytest.raises(UsageProblem, match="every logged action is 'GO': there is nothing to choose between"):
        read([record("x", [("OPENING", 1, "GO", 0.5, 0.0), ("CLOSED", 9, "GO", 0.5, 0.0)])])
    many = [record(f"{k}", [("OPENING", 1, f"[0.{k}]", 0.5, 0.0), ("CLOSED", 9, "x", 0.5, 0.0)]) for k in range(101)]
    with pytest.raises(UsageProblem, match=r"102 different actions, such as '\[0.0\]'; expected at most 100 names"):
        read(many)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("".join(one.to_json() + "\n" for one in (A, B)))
    reader = LogReader(Admission())
    reader.read([path])
    assert reader.log().returns().tolist() == [-0.75, 2.0]
    path.write_text(json.dumps({"id": "x"}) + "\n")
    with pytest.raises(InputProblem, match=r"r.jsonl:1: not a line of a rewards file"):
        LogReader(Admission()).read([path])
    with pytest.raises(UsageProblem, match="cannot read"):
        LogReader(Admission()).read([tmp_path / "none.jsonl"])


def test_given_fields_choose_what_is_seen() -> None:
    log = read([A, B], fields=(Field("turn", edges=(10.0,)),))
    assert log.spaces == Spaces(("WAIT", "GO"), False, 2, 2, Encoding((Field("turn", edges=(10.0,)),)))
    assert log.observations.tolist() == [0, 0, 1]
