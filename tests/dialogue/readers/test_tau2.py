"""tau2 results: one object with the runs deep inside, after tasks that may be long."""

import gzip
import json
from functools import partial

import pytest

compress = partial(gzip.compress, mtime=0)  # the same bytes in every process: they name tests

SAID = [{"role": "assistant", "content": "hello"}, {"role": "user", "content": "hi"}]


def run(**changes: object) -> dict:
    """Return a run with the changes; `...` takes a key away."""
    good = {"id": "r1", "task_id": "t1", "trial": 0, "messages": SAID, "reward_info": {"reward": 1.0}, "termination_reason": "user_stop"}
    return {key: value for key, value in (good | changes).items() if value is not ...}


def result(*runs: object, tasks: object = ()) -> dict:
    return {"timestamp": "2025-06-01", "info": {"git_commit": "x"}, "tasks": list(tasks), "simulations": list(runs)}


def runs(read, *said: object):
    return read(json.dumps(result(*said)), "results.json", format="tau2")


def test_a_run(read):
    ((found,), rejects) = runs(read, run())
    made = found.transcript
    assert rejects == []
    assert [(turn.role.value, turn.text) for turn in made.turns] == [("agent", "hello"), ("user", "hi")]
    assert (made.id, made.outcome) == ("r1", 1.0)
    assert made.meta == {"task_id": "t1", "trial": 0, "termination_reason": "user_stop"}


def test_keys_that_are_not_used_are_named(read):
    ((found,), _) = runs(read, run(duration=3.5, seed=1))
    assert set(found.ignored) == {"duration", "seed"}


@pytest.mark.parametrize(
    ("graded", "outcome"),
    [({"reward": 1.0}, 1.0), ({"reward": 0.5, "info": {}}, 0.5), ({"reward": 0}, 0.0), ({"reward": None}, None), ({}, None), (None, None)],
)
def test_the_reward_is_the_outcome_and_no_reward_is_none(read, graded, outcome):
    ((found,), _) = runs(read, run(reward_info=graded))
    assert found.transcript.outcome == outcome


@pytest.mark.parametrize("broken", [{"error": "timeout"}, {"info": {"error": "timeout"}}])
def test_a_run_with_an_error_has_no_outcome(read, broken):
    ((found,), _) = runs(read, run(reward_info={"reward": 0.0}, **broken))
    assert found.transcript.outcome is None
    assert found.transcript.meta["error"] == "timeout"


def test_tool_calls_of_either_side_are_acts(read):
    # tau2 gives the arguments as an object, and its users have tools too.
    said = [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "name": "refund", "arguments": {"sum": 5}, "requestor": "assistant"}],
        },
        {"role": "user", "content": "", "tool_calls": [{"id": "2", "name": "reboot", "arguments": {}, "requestor": "user"}]},
        {"role": "tool", "id": "2", "content": "done"},
        {"role": "assistant", "content": "All done."},
    ]
    ((found,), _) = runs(read, run(messages=said))
    assert [(turn.role.value, turn.text) for turn in found.transcript.turns] == [
        ("tool", 'call refund({"sum": 5})'),
        ("tool", "call reboot({})"),
        ("tool", "done"),
        ("agent", "All done."),
    ]


@pytest.mark.parametrize("messages", [..., None, []])
def test_a_voice_run_is_refused(read, messages):
    found, (reject,) = runs(read, run(messages=messages, ticks=[{"user": "hi"}]))
    assert (found, reject.reason) == ([], "a voice run ('ticks' without 'messages')")


def test_a_run_with_ticks_and_messages_is_read(read):
    assert len(runs(read, run(ticks=[{}]))[0]) == 1


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("task_bytes", [0, 70_000, 300_000], ids=["short", "longer than the head", "far longer"])
def test_the_runs_are_found_however_the_file_is_laid_out(read, squeeze, indent, task_bytes):
    tasks = [{"id": str(number), "purpose": "x" * 900} for number in range(task_bytes // 1000)]
    text = json.dumps(result(run(), run(id="r2"), tasks=tasks), indent=indent)
    found, rejects = read(squeeze(text.encode()), "results.json")
    assert ([(item.transcript.id, item.line) for item in found], rejects) == ([("r1", 1), ("r2", 2)], [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "row 2 is a JSON null"),
        ("run", "row 2 is a JSON string"),
        ({}, "'messages' is a JSON null"),
        (run(id=5), "'id' is 5"),
        (run(id="r2", messages=SAID[1:]), "the dialogue has no agent turn"),
        (run(id="r2", reward_info={"reward": {"a": 1}}), "'outcome' is a JSON object"),
        (run(), "duplicate id 'r1'"),
    ],
)
def test_a_bad_run_is_one_reject_and_the_rest_goes_on(read, bad, reason):
    found, (reject,) = runs(read, run(), bad, run(id="r3"))
    assert [(item.transcript.id, item.line) for item in found] == [("r1", 1), ("r3", 3)]
    assert (reject.line, json.loads(reject.raw)) == (2, bad)
    assert reject.reason.startswith(reason)


def test_a_run_without_an_id_is_named_by_file_and_number(read):
    ((found,), _) = runs(read, run(id=...))
    assert found.transcript.id == "results:1"


@pytest.mark.parametrize(
    "data", ["", "{}", "[]", '{"simulations": []}', '{"simulations": 5}', '{"simulations": {"item": {}}}', '{"tasks": [']
)
def test_a_file_without_runs_never_passes_in_silence(read, data):
    found, rejects = read(data, format="tau2")
    assert found == []
    assert rejects


def test_a_file_cut_in_the_middle_keeps_the_runs_before(read):
    text = json.dumps(result(run(), run(id="r2")))
    found, (reject,) = read(text[:-60], format="tau2")
    assert ([item.transcript.id for item in found], reject.line) == (["r1"], 2)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: text + text.replace("r1", "r2"), lambda text: text[:-1] + ', "a": ?}']
)
def test_a_file_broken_after_its_runs_is_told(read, change):
    found, (reject,) = read(change(json.dumps(result(run()))), format="tau2")
    assert ([item.transcript.id for item in found], reject.line) == (["r1"], 2)
