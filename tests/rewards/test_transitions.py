"""An episode as transitions: what a trainer needs is there, and sums to the episode's reward."""

import pytest

from dialogue.errors import InputProblem
from rewards.record import RewardRecord
from rewards.transitions import Transition, transitions


def record(rewards: list[float | None], total: float | None = None, **changes: object) -> RewardRecord:
    turns = [
        {"turn": 2 * k, "ratings": {}, "terms": {}, "reward": reward, "state": {"turn": k + 1}, "action": f"A{k}", "action_prob": 0.5}
        for k, reward in enumerate(rewards)
    ]
    known = sum(reward for reward in rewards if reward is not None)
    values = {
        "id": "d", "judge": None, "rubric": "r", "recipe": "outcome@1", "outcomes": "o", "calibration": None, "outcome": "HANGUP",
        "status": "scored", "turns": turns, "episode": {"ratings": {}, "terms": {}, "reward": known if total is None else total},
        "cleared": True,
    }  # fmt: skip
    return RewardRecord.model_validate(values | changes)


def test_each_agent_turn_is_one_and_the_rewards_sum_to_the_episodes() -> None:
    found = transitions(record([0.25, -1.0, 0.5]))
    assert found == (
        Transition({"turn": 1}, "A0", 0.5, 0.25, {"turn": 2}, False, False),
        Transition({"turn": 2}, "A1", 0.5, -1.0, {"turn": 3}, False, False),
        Transition({"turn": 3}, "A2", 0.5, 0.5, None, True, False),
    )
    assert sum(one.reward for one in found) == -0.25


@pytest.mark.parametrize(
    ("changes", "weighs", "ends"),
    [
        ({"outcome": "HANGUP"}, True, (True, False)),
        ({"outcome": 0.5}, True, (True, False)),
        ({"outcome": None}, True, (False, True)),  # its end was not seen, and would have counted
        ({"outcome": None}, False, (True, False)),  # a recipe of ratings only: nothing is hidden
        ({"outcome": None, "violation": {"turn": 0, "kind": "signal", "name": "X"}}, True, (True, False)),  # the signal decides
        ({"outcome": None, "violation": {"turn": 0, "kind": "rating", "name": "x"}}, True, (False, True)),
    ],
)
def test_an_episode_without_an_outcome_that_counts_is_truncated(changes: dict[str, object], weighs: bool, ends: tuple[bool, bool]) -> None:
    last = transitions(record([0.0, 1.0], **changes), weighs_outcome=weighs)[-1]
    assert (last.terminated, last.truncated) == ends


def wrong(**changes: object) -> RewardRecord:
    made = record([1.0, 2.0])
    turn = made.turns[1].model_copy(update=changes)
    return made.model_copy(update={"turns": (made.turns[0], turn)})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (wrong(state=None), "'d', turn 2 has no state; expected the controller's state"),
        (wrong(action=None), "'d', turn 2 has no action; expected the controller's action"),
        (wrong(action_prob=0.0), "the action probability 0.0; expected more than 0"),
        (wrong(action_prob=1.5), "the action probability 1.5"),
        (wrong(action_prob=float("nan")), "the action probability nan"),
        (wrong(reward=None), "turn 2 has no reward"),
        (wrong(reward=float("nan")), "its turns' rewards sum to nan"),
        (record([1.0, 2.0], total=4.0), "has the reward 4.0, but its turns' rewards sum to 3.0"),
        (record([]), "no agent turns"),
        (
            record([None]).model_copy(update={"episode": record([1.0]).episode.model_copy(update={"reward": None})}),
            "'d' has no reward \\(it is null\\)",
        ),
    ],
)
def test_what_cannot_be_learned_from_is_refused(given: RewardRecord, told: str) -> None:
    with pytest.raises(InputProblem, match=told):
        transitions(given)


def test_a_missing_probability_is_none() -> None:
    assert transitions(wrong(action_prob=None))[1].action_prob is None


def test_sums_hold_to_a_billionth() -> None:
    assert transitions(record([0.1, 0.2], total=0.3 + 1e-10))
    with pytest.raises(InputProblem, match="sum to"):
        transitions(record([0.1, 0.2], total=0.3 + 1e-8))
