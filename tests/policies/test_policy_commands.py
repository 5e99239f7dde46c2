"""`judge policy show` and `judge policy act`: what a person reads, and what a service asks."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from dialogue.encoding import Encoding, Field
from dialogue.environments.call_words import ACTIONS, FSM, SENTIMENTS
from dialogue.environments.contract import Spaces
from dialogue.errors import UsageProblem
from policies.network_policy import NetworkPolicy
from policies.policy_table import rows_of, table_lines
from policies.prompting import book_for, load_book, shipped_books
from policies.saved import save_policy
from policies.table import TablePolicy
from tests import warm

ENCODING = Encoding((Field("fsm", tuple(map(str, FSM))), Field("sentiment", SENTIMENTS), Field("turn", edges=(4.0, 7.0, 11.0))))
SPACES = Spaces(tuple(map(str, ACTIONS)), observations=ENCODING.size, width=ENCODING.width, encoding=ENCODING)
STATE = {"fsm": "NEGOTIATION", "sentiment": "negative", "turn": 5}
AT = ENCODING.index(STATE)
Judge = Callable[..., CompletedProcess[str]]


def table(**changes: Any) -> TablePolicy:
    """Return a policy that was trained in three states only."""
    probs, values, counts = np.full((120, 4), 0.25), np.zeros((120, 4)), np.zeros((120, 4), np.int64)
    probs[AT], values[AT], counts[AT] = [0.1, 0.8, 0.1, 0.0], [-0.31, 0.1, -0.45, -0.2], [812, 12_345, 90, 1_300_000]
    counts[0], counts[119] = [1, 0, 0, 0], [0, 0, 0, 2]
    return TablePolicy(SPACES, probs, changes.get("values", values), changes.get("counts", counts))


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    manifest = {
        "learner": "actor-critic", "env": "debt_call", "steps": 200_000, "seed": 7,
        "law3": {
            "judges": [{"provider": "openai", "model": "m-1", "leave": "uncleared"}], "allowed": {"uncleared": True, "min_coverage": 0.9}
        },
    }  # fmt: skip
    save_policy(table(), tmp_path / "policy.json", manifest)
    return lambda *args: warm.run(tmp_path, {"PATH": ""}, ["policy", *map(str, args)])


def test_show_prints_a_table_of_what_was_met(judge: Judge) -> None:
    shown = judge("show", "policy.json")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0] == "table policy, learner actor-critic, env debt_call, seed 7, steps 200000"
    assert lines[1:3] == ["judged by openai/m-1 (uncleared)", "allowed: uncleared"]
    assert lines[4].split() == ["fsm", "sentiment", "turn", *ACTIONS]
    (row,) = [line for line in lines if line.startswith("NEGOTIATION")]
    assert row.split() == "NEGOTIATION negative 4 to < 7 -0.31 .10 812 *+0.10 .80 12k -0.45 .10 90 -0.20 .00 1M".split()
    assert lines[-1] == "3 states (value, probability, count; * what it does most); 117 more were never met in training"
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["fsm=NEGOTIATION"], 1),
        (["turn=5"], 1),
        (["turn=4 to < 7", "sentiment=negative"], 1),
        (["turn=100"], 1),
        (["fsm=VERIFY"], 0),
    ],
)
def test_show_filters(filters: list[str], count: int) -> None:
    rows, unseen = rows_of(table(), filters)
    assert len(rows) == count
    assert unseen + count == len([k for k in range(120) if _fits(k, filters)])


def _fits(at: int, filters: list[str]) -> bool:
    labels = ENCODING.labels(at)
    spelled = {"turn=5": ("turn", "4 to < 7"), "turn=100": ("turn", ">= 11")}
    return all(labels[name] == value for name, value in (spelled.get(one) or tuple(one.split("=")) for one in filters))


def test_show_as_json(judge: Judge) -> None:
    told = json.loads(judge("show", "policy.json", "--json", "--state-filter", "fsm=NEGOTIATION").stdout)
    (state,) = told["states"]
    assert state["state"] == {"fsm": "NEGOTIATION", "sentiment": "negative", "turn": "4 to < 7"}
    assert state["best"] == "EMPATHIZE"
    assert state["actions"]["EMPATHIZE"] == {"value": 0.1, "probability": 0.8, "count": 12_345}
    assert (told["kind"], told["manifest"]["seed"], told["unseen"]) == ("table", 7, 19)


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        (["fms=VERIFY"], r"no field 'fms' \(did you mean 'fsm'\?\); the fields are fsm, sentiment, turn"),
        (["fsm"], "'fsm' is not FIELD=VALUE; write for example fsm=OPENING, of the fields fsm, sentiment, turn"),
        (["turn"], "'turn' is not FIELD=VALUE; write for example 'turn=< 4'"),
        (["nope"], "'nope' is not FIELD=VALUE; write for example fsm=OPENING"),
        (["fsm=VERIFI"], r"state 'fsm' is 'VERIFI' \(did you mean 'VERIFY'\?\); expected one of OPENING"),
        (["turn=late"], "'late' is no number; give one, or one of < 4, 4 to < 7"),
    ],
)
def test_a_wrong_filter_is_told(filters: list[str], told: str) -> None:
    with pytest.raises(UsageProblem, match=told):
        rows_of(table(), filters)


def test_a_table_that_is_too_wide_has_a_line_for_each_action() -> None:
    encoding = Encoding((Field("stage", ("a" * 90, "b")),))
    actions = tuple(f"ACTION_NUMBER_{k}" for k in range(7))
    policy = TablePolicy(Spaces(actions, observations=2, width=2, encoding=encoding), np.full((2, 7), 1 / 7))
    lines = table_lines(rows_of(policy)[0], actions)
    assert len(lines) == 1 + 2 * 7
    assert max(map(len, lines)) <= 100
    assert "…" in lines[1]
    assert lines[2].split() == ["ACTION_NUMBER_1", ".14"]
    assert sum("*" in line for line in lines) == 2


def test_what_nobody_counted_is_shown_without(tmp_path: Path) -> None:
    rows, unseen = rows_of(table(values=None, counts=None))
    assert (len(rows), unseen) == (120, 0)
    assert rows[AT].best == 1
    assert table_lines(rows[AT : AT + 1], tuple(ACTIONS))[1].split() == "NEGOTIATION negative 4 to < 7 .10 *.80 .10 .00".split()


@pytest.mark.parametrize(
    "state", [json.dumps(STATE), "fsm=NEGOTIATION,sentiment=negative,turn=5", " turn = 6.5 , sentiment = negative,fsm=NEGOTIATION"]
)
def test_act_answers(judge: Judge, state: str) -> None:
    found = judge("act", "policy.json", "--state", state, "--greedy")
    assert (found.returncode, found.stderr) == (0, "")
    action, prob, prompt = found.stdout.splitlines()
    assert (action, prob) == ("action       EMPATHIZE", "probability  1.0000")
    assert prompt == "prompt       " + load_book("debt_call").actions["EMPATHIZE"].when["NEGOTIATION"]


def test_act_draws_with_a_seed(judge: Judge) -> None:
    answers = [
        json.loads(judge("act", "policy.json", "--state", json.dumps(STATE), "--seed", seed, "--json").stdout) for seed in (1, 1, 2, 3)
    ]
    assert answers[0] == answers[1]
    probs = {"PROCEED": 0.1, "EMPATHIZE": 0.8, "OFFER_PLAN": 0.1}
    assert all(answer["probability"] == probs[answer["action"]] for answer in answers)
    assert answers[0]["seen"] == 812 + 12_345 + 90 + 1_300_000


def test_act_tells_that_training_never_met_the_state(judge: Judge) -> None:
    found = judge("act", "policy.json", "--state", "fsm=VERIFY,sentiment=neutral,turn=1", "--greedy")
    assert found.returncode == 0
    assert found.stderr == "judge: training never met this state\n"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (
            "fsm=NEGOTIATE,sentiment=negative,turn=5",
            "state 'fsm' is 'NEGOTIATE' (did you mean 'NEGOTIATION'?); expected one of OPENING, VERIFY",
        ),
        ("fsm=VERIFY,sentiment=negative,turn=soon", "state 'turn' is 'soon'; expected a number"),
        (
            "fsm=VERIFY,sentimnt=negative,turn=5",
            "--state has no 'sentiment'; did you mean 'sentiment' by 'sentimnt'?; expected the fields fsm",
        ),
        ("fsm=VERIFY", "--state has no 'sentiment'; expected the fields fsm (OPENING, VERIFY, DISCLOSURE, NEGOTIATION, …)"),
        ('{"fsm": ', "is not JSON"),
        ("VERIFY", "is not JSON"),
        ("[1, 2]", "--state is [1, 2]; expected the fields fsm"),
        ("fsm=VERIFY,fsm=OPENING", "names its field twice"),
    ],
)
def test_a_wrong_state_is_told(judge: Judge, state: str, told: str) -> None:
    found = judge("act", "policy.json", "--state", state)
    assert found.returncode == 2
    assert told in found.stderr
    assert found.stderr.count("\n") == 1


def test_prompts_of_ones_own(judge: Judge, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\nabout = "Mine."\n[actions.PROCEED]\nprompt = "Go on at turn {turn}, {fsm}; {unknown} stays."\n')
    state = "fsm=OPENING,sentiment=neutral,turn=1"
    save_policy(TablePolicy(SPACES, np.tile([1.0, 0, 0, 0], (120, 1))), tmp_path / "go.json", {})
    found = judge("act", "go.json", "--state", state, "--prompts", "own.toml", "--json")
    assert json.loads(found.stdout)["prompt"] == "Go on at turn 1, OPENING; {unknown} stays."
    found = judge("act", "policy.json", "--state", json.dumps(STATE), "--prompts", "own.toml", "--greedy")
    assert "prompt       none: the prompts 'own' have none for EMPATHIZE; give a file with --prompts" in found.stdout
    own.write_text('name = "own"\nabout = "Mine."\n[actions.PROCEED]\npromt = "Go."\n')
    found = judge("act", "policy.json", "--state", json.dumps(STATE), "--prompts", "own.toml")
    assert found.returncode == 2
    assert "own.toml:4: unknown key 'actions.PROCEED.promt' (did you mean 'prompt'?)" in found.stderr


def test_vectors(judge: Judge, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spaces = Spaces(("engagement", "closing"), continuous=True, width=3)
    save_policy(NetworkPolicy(spaces, (), (rng.random((3, 2)), rng.random(2)), np.zeros(2)), tmp_path / "net.json", {})
    found = judge("act", "net.json", "--state", "[0.1, 0.2, 0.3]", "--greedy", "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout)["action"].keys() == {"engagement", "closing"}
    found = judge("act", "net.json", "--state", "[0.1, 0.2]")
    assert (found.returncode, "--state is a list of 2; this policy observes a JSON list of 3 numbers" in found.stderr) == (2, True)
    shown = judge("show", "net.json")
    assert (
        shown.stdout.splitlines()[-1] == "observes vectors of 3 numbers, acts by numbers for engagement, closing: there is no table to show"
    )


def test_every_action_of_the_debt_call_has_a_prompt_in_every_live_state() -> None:
    book = load_book("debt_call")
    assert book.actions.keys() == {str(action) for action in ACTIONS}
    for name, action in book.actions.items():
        assert action.when.keys() <= {str(stage) for stage in FSM}, name
    for stage in ("OPENING", "VERIFY"):  # before it is known who is listening nobody is told of a debt
        for action in ("PROCEED", "EMPATHIZE", "ASK_CLARIFY"):
            text = book.prompt_for(action, {"fsm": stage}) or ""
            assert "no sum" in text or "nothing of a debt" in text.lower(), (stage, action)


def test_which_prompts_fit() -> None:
    assert set(shipped_books()) >= {"debt_call"}
    assert book_for({"env": "debt_call"}, ("X", "Y")) is not None
    found = book_for({}, ("PROCEED", "EMPATHIZE"))
    assert found is not None
    assert found.name == "debt_call"
    assert book_for({}, ("PROCEED", "SHOUT")) is None


def test_what_is_no_policy(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for args in (("show", "broken.json"), ("act", "broken.json", "--state", "a=1"), ("show", "none.json")):
        found = judge(*args)
        assert found.returncode == 2
        assert found.stderr.startswith("judge: ")
