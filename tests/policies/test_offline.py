"""A log as a source: every episode once a pass, stopped and resumed exactly, day after day, and it learns the better policy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialogue.environments import call_policies
from dialogue.environments.call_model import call_model
from dialogue.environments.debt_batch import make_debt_calls
from dialogue.environments.exact_call import exact_call
from dialogue.errors import UsageProblem
from policies.checkpoint import opened, sealed
from policies.learners.actor_critic import ActorCritic
from policies.learners.pessimistic import Pessimistic
from policies.logged import Log
from policies.offline import LoggedSource, offline_learner
from policies.table import TablePolicy
from policies.training import Training
from rewards.admission import Allowed
from rewards.record import RewardRecord
from tests.policies.learner_contract import same

SEED = np.random.SeedSequence(5)
FSM = ["OPENING", "NEGOTIATION", "CLOSED"]


def lines(day: int, episodes: int = 40, fsm: list[str] = FSM, prob: float | None = 0.5, **changes: Any) -> str:
    """Return a rewards file: GO is better than WAIT, in NEGOTIATION the other way round."""
    rng = np.random.default_rng(day)
    found = []
    for k in range(episodes):
        turns, total = [], 0.0
        for at in range(int(rng.integers(1, 6))):
            state, action = fsm[int(rng.integers(len(fsm)))], ("WAIT", "GO")[int(rng.integers(2))]
            reward = (1.0 if (action == "GO") != (state == "NEGOTIATION") else -1.0) + float(rng.normal())
            total += reward
            turns.append(
                {"turn": at, "ratings": {}, "terms": {"outcome": reward}, "reward": reward, "state": {"fsm": state, "turn": at + 1},
                 "action": action, "action_prob": prob}
            )  # fmt: skip
        values = {
            "id": f"{day}-{k}", "judge": None, "rubric": "r", "recipe": "outcome@1", "outcomes": "o", "calibration": None,
            "outcome": "HANGUP", "status": "scored", "turns": turns, "cleared": True,
            "episode": {"ratings": {}, "terms": {"outcome": total}, "reward": total},
        }  # fmt: skip
        found.append(RewardRecord.model_validate(values | changes).to_json() + "\n")
    return "".join(found)


@pytest.fixture
def day(tmp_path: Path) -> Any:
    def write(number: int, **options: Any) -> Path:
        path = tmp_path / f"day{number}.jsonl"
        path.write_text(lines(number, **options))
        return path

    return write


def stored(run: Training) -> dict[str, Any]:
    """Return a training's state, and its source's, after a way through a checkpoint file."""
    return opened(sealed({"source": run.source.state(), "training": run.state()}), Path("checkpoint"))


def training(files: list[Path], learner: Any = None, state: Any = None, **options: Any) -> Training:
    source = LoggedSource(files, seed=SEED, state=state and state["source"], **({"passes": 3} | options))
    made = Training(learner or ActorCritic(envs=16), source, np.random.SeedSequence(1))
    if state:
        made.restore(state["training"])
    return made


def test_every_episode_comes_once_a_pass_in_another_order(day: Any) -> None:
    source = LoggedSource([day(1)], seed=SEED, passes=2)
    learner = ActorCritic(envs=16).begin(source.spaces, SEED)
    passes: list[list[float]] = [[], []]
    for k in range(6):  # 40 episodes: 16, 16 and 8, twice
        batch = source.next(learner)
        assert batch is not None
        assert batch.rollout.rewards.shape[1] == (16, 16, 8)[k % 3]
        passes[k // 3] += batch.returns.tolist()
    assert source.next(learner) is None
    assert source.finished
    whole = sorted(source.log.returns().tolist())
    assert sorted(passes[0]) == sorted(passes[1]) == whole
    assert passes[0] != passes[1] != whole


@pytest.mark.parametrize("at", [1, 2, 3, 5, 8])
def test_stopped_and_resumed_equals_never_stopped(day: Any, at: int) -> None:
    files = [day(1), day(2)]
    whole = training(files)
    whole.run()
    first = training(files)
    asked = iter(range(1, 100))
    first.run(stopped=lambda: next(asked) == at)
    second = training(files, state=stored(first))
    second.run()
    assert same(second.learner.state(), whole.learner.state())
    assert same(stored(second), stored(whole))


def days(day: Any, stop: int | None) -> Training:
    """Train on two days, the second with a state and a value that are new; stopped on the second day after `stop` batches."""
    run = training([day(1)])
    run.run()
    day2 = day(2, fsm=[*FSM, "ESCALATED"])
    run = training([day2], state=stored(run))
    if stop is not None:
        asked = iter(range(1, 100))
        run.run(stopped=lambda: next(asked) == stop)
        run = training([day2], state=stored(run))
    run.run()
    return run


def test_a_days_new_file_goes_on_with_yesterdays_policy(day: Any) -> None:
    whole = days(day, None)
    policy = whole.learner.policy()
    encoding = policy.spaces.encoding
    assert encoding is not None
    assert set(encoding.fields[0].values[:3]) == set(FSM)
    assert encoding.fields[0].values[3] == "ESCALATED"
    assert whole.episodes == 2 * 3 * 40
    for stop in (1, 4, 9):
        assert same(days(day, stop).learner.state(), whole.learner.state())
    assert isinstance(policy, TablePolicy)
    go = policy.spaces.actions.index("GO")
    probs = {fsm: policy.probs[encoding.index({"fsm": fsm, "turn": 1}), go] for fsm in (*FSM, "ESCALATED")}
    assert probs["OPENING"] > 0.8 > 0.2 > probs["NEGOTIATION"]
    assert probs["ESCALATED"] > 0.5


def test_counted_day_by_day_is_counted_at_once(day: Any) -> None:
    """The pessimistic learner counts: two days one after the other are both days together."""
    at_once = training([day(1), day(2)], Pessimistic(n_min=3), passes=None)
    at_once.run()
    first = training([day(1)], Pessimistic(n_min=3), passes=None)
    first.run()
    second = training([day(2)], Pessimistic(n_min=3), state=stored(first), passes=None)
    second.run()
    assert (at_once.episodes, second.episodes) == (80, 80)  # once each
    together, apart = at_once.learner.policy(), second.learner.policy()
    assert isinstance(together, TablePolicy)
    assert isinstance(apart, TablePolicy)
    np.testing.assert_array_equal(together.counts, apart.counts)
    np.testing.assert_allclose(together.probs, apart.probs, atol=1e-12)


def test_files_that_were_learned_from_are_refused_unless_told(day: Any) -> None:
    done = training([day(1)])
    done.run()
    state = stored(done)
    with pytest.raises(UsageProblem, match=r"day1.jsonl was learned from before; name new files only, or allow it with --again"):
        training([day(1)], state=state)
    with pytest.raises(UsageProblem, match=r"day1.jsonl was learned from before"):
        training([day(2), day(1)], state=state)
    again = training([day(1)], state=state, again=True)
    again.run()
    assert again.episodes == 2 * 3 * 40
    copy = day(3)
    copy.write_text(lines(1))  # under another name
    with pytest.raises(UsageProblem, match="was learned from before"):
        training([copy], state=state)
    with pytest.raises(UsageProblem, match="hold the same; name each file once"):
        training([day(1), copy])


def test_a_second_time_that_was_allowed_can_be_stopped_as_well(day: Any) -> None:
    done = training([day(1)])
    done.run()
    again = training([day(1)], state=stored(done), again=True)
    again.run(stopped=lambda: True)
    resumed = training([day(1)], state=stored(again))  # allowed when it began
    resumed.run()
    assert resumed.episodes == 2 * 3 * 40


def test_a_run_that_was_stopped_wants_its_own_files(day: Any) -> None:
    run = training([day(1)])
    run.run(stopped=lambda: True)
    state = stored(run)
    with pytest.raises(UsageProblem, match=r"the run over day1.jsonl was stopped half-way.*same files, unchanged"):
        training([day(2)], state=state)
    with (path := day(1)).open("a") as stream:
        stream.write(lines(9, episodes=1))
    with pytest.raises(UsageProblem, match="stopped half-way"):
        training([path], state=state)


def test_calls_that_came_before_are_not_counted_twice(day: Any, tmp_path: Path) -> None:
    done = training([day(1)])
    done.run()
    overlap = tmp_path / "overlap.jsonl"
    overlap.write_text(lines(1, episodes=10) + lines(2, episodes=30))
    run = training([overlap], state=stored(done))
    assert isinstance(run.source, LoggedSource)
    assert run.source.log.episodes == 30
    assert run.source.admission.coverage.duplicates == 10
    assert run.source.log.notes == ("10 records have an id that came before: the first usable record of an id counts",)


def test_law_3_holds_from_day_to_day(day: Any) -> None:
    done = training([day(1)])
    done.run()
    state = stored(done)
    with pytest.raises(UsageProblem, match=r"2 recipes in one data set: .*--allow-mixed-recipes"):
        training([day(2, recipe="blend@2")], state=state)
    run = training([day(2, recipe="blend@2")], state=state, allowed=Allowed(mixed_recipes=True))
    assert isinstance(run.source, LoggedSource)
    manifest = run.source.manifest(run.learner)
    assert manifest["law3"]["allowed"]["mixed_recipes"] is True
    assert [file["name"] for file in manifest["files"]] == ["day1.jsonl", "day2.jsonl"]
    judge = {"provider": "p", "model": "m", "rubric": "r", "rubric_hash": "h", "prompt_hash": "h"}
    with pytest.raises(UsageProblem, match="no leave to produce rewards: p/m"):
        training([day(3, judge=judge, cleared=False)])


def test_which_correction_is_said(day: Any) -> None:
    known, missing = LoggedSource([day(1)], seed=SEED), LoggedSource([day(2, prob=None)], seed=SEED)
    assert offline_learner(known.log) == "actor-critic"
    assert known.correction(ActorCritic()) == "V-trace with the logged probabilities"
    assert offline_learner(missing.log) == "pessimistic"
    steps = missing.log.steps
    assert missing.correction(Pessimistic()).startswith("pessimistic (SPIBB)")
    assert f"missing on {steps} of {steps} turns" in missing.correction(Pessimistic())
    with pytest.raises(UsageProblem, match=f"{steps} of {steps} logged turns have no action_prob.*take --learner pessimistic"):
        missing.correction(ActorCritic())


def test_one_missing_probability_makes_all_of_it_pessimistic(day: Any) -> None:
    mixed = LoggedSource([day(1), day(2, prob=None, episodes=1)], seed=SEED)
    assert offline_learner(mixed.log) == "pessimistic"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"files": []}, "no rewards files"),
        ({"passes": 0}, "0 passes over the log are too few"),
        ({"fields": "fsm,colour"}, "no episode has colour in every state, .*; the states have fsm, turn"),
    ],
)
def test_what_cannot_be(day: Any, options: dict[str, Any], told: str) -> None:
    files = options.pop("files", [day(1)])
    with pytest.raises(UsageProblem, match=told):
        LoggedSource(files, seed=SEED, **options)


def test_a_pipe_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"cannot read .*no pipe"):
        LoggedSource([tmp_path / "none.jsonl"], seed=SEED)


# On the debt call, whose exact values are known.


def debt_log(probs: Any, episodes: int, seed: int, *, logged: bool = True) -> Log:
    """Return simulated debt calls of a memoryless policy."""
    env = make_debt_calls(episodes)
    env.reset(np.random.SeedSequence(seed))
    rng, policy = np.random.default_rng([seed, 1]), TablePolicy(env.spaces, probs)
    rows, length, live = [], np.zeros(episodes, int), np.ones(episodes, bool)
    while live.any():
        seen = env.observations
        actions, taken = policy.act(seen, rng)
        step = env.step(actions)
        rows.append((seen, actions, taken, step.rewards))
        length += live
        live &= ~step.terminated
    inside = (np.arange(len(rows))[:, None] < length).T
    seen, actions, taken, earned = (np.array(part).T[inside] for part in zip(*rows, strict=True))
    probs_ = taken if logged else np.full(len(taken), np.nan)
    return Log(env.spaces, seen, actions, probs_, earned, length.cumsum() - length, length, np.zeros(episodes, bool))


def learned(learner: Any, log: Log, passes: int) -> Any:
    learner.begin(log.spaces, np.random.SeedSequence(0))
    rng = np.random.default_rng(0)
    for _ in range(passes):
        order = rng.permutation(log.episodes)
        for at in range(0, len(order), learner.envs):
            learner.partial_fit(log.rollout(order[at : at + learner.envs]))
    return learner.policy().probs


EXACT = exact_call(call_model(None))
UNIFORM = call_policies.uniform()


def test_a_log_by_chance_teaches_a_policy_that_is_clearly_better() -> None:
    """Uniform: -1.66, the hand-written script: 0.23, the best memoryless policy found: 0.41 (see dialogue.environments.exact)."""
    script = EXACT.value(call_policies.script())
    for seed in (1, 2):
        log = debt_log(UNIFORM, 4000, seed)
        assert EXACT.value(UNIFORM) < -1.6
        assert EXACT.value(learned(ActorCritic(), log, 10)) > script
        assert EXACT.value(learned(Pessimistic(), log, 1)) > EXACT.value(UNIFORM) + 1.5


def test_a_good_behaviour_is_not_lost_without_probabilities() -> None:
    script = 0.9 * call_policies.script() + 0.1 * UNIFORM
    for seed in range(5):
        small = learned(Pessimistic(), debt_log(script, 200, seed, logged=False), 1)
        copied = learned(Pessimistic(n_min=10**9), debt_log(script, 200, seed, logged=False), 1)
        assert EXACT.value(small) > min(EXACT.value(copied), EXACT.value(script)) - 0.05
    large = learned(Pessimistic(), debt_log(script, 4000, 0, logged=False), 1)
    assert EXACT.value(large) > EXACT.value(script) + 0.05
