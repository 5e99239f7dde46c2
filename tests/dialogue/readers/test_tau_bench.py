"""tau-bench results: the reward is the outcome, a failed run has none, and rows stay apart whatever they hold."""

import json
import subprocess
import sys

import pytest

SAID = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def row(**changes: object) -> dict:
    """Return a row as tau-bench writes it, with the changes; `...` takes a key away."""
    good = {"task_id": 3, "reward": 1.0, "info": {"task": {"user_id": "x"}}, "traj": SAID, "trial": 2}
    return {key: value for key, value in (good | changes).items() if value is not ...}


def rows(read, *said: object):
    return read(json.dumps(said), "results.json", format="tau-bench")


def test_a_run(read):
    ((found,), rejects) = rows(read, row())
    made = found.transcript
    assert rejects == []
    assert [(turn.role.value, turn.text) for turn in made.turns] == [("user", "hi"), ("agent", "hello")]
    assert (made.id, made.outcome, made.meta) == ("results-task3-trial2", 1.0, {"task_id": 3, "trial": 2})
    assert found.ignored == ()
    assert json.loads(found.raw) == row()


@pytest.mark.parametrize("reward", [0.0, 1.0, 0.25, 1])
def test_the_reward_is_the_outcome(read, reward):
    ((found,), _) = rows(read, row(reward=reward))
    assert found.transcript.outcome == reward


def test_a_run_cut_short_by_an_error_has_no_outcome(read):
    # tau-bench writes reward 0.0 when its own API call failed: counted as an outcome, it would blame the agent.
    ((found,), _) = rows(read, row(reward=0.0, info={"error": "rate limit", "traceback": "…"}))
    assert found.transcript.outcome is None
    assert found.transcript.meta["error"] == "rate limit"


@pytest.mark.parametrize("traj", [[], None, ...])
def test_a_run_that_failed_before_anything_was_said_is_refused_with_its_error_on_one_line(read, traj):
    found, (reject,) = rows(read, row(traj=traj, reward=0.0, info={"error": "litellm.APIError:\n  no route " + "x" * 500}))
    assert found == []
    assert "litellm.APIError" in reject.reason
    assert "\n" not in str(reject)
    assert len(reject.reason) < 250


@pytest.mark.parametrize("missing", ["task_id", "trial"])
def test_without_task_and_trial_a_row_is_named_by_file_and_number(read, missing):
    found, _ = rows(read, row(), row(**{missing: ...}))
    assert [item.transcript.id for item in found] == ["results-task3-trial2", "results:2"]


def test_the_same_task_and_trial_twice_is_a_duplicate(read):
    found, (reject,) = rows(read, row(), row(trial=3), row())
    assert [item.transcript.id for item in found] == ["results-task3-trial2", "results-task3-trial3"]
    assert (reject.line, reject.reason.startswith("duplicate id 'results-task3-trial2', first at")) == (3, True)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (5, "row 2 is a JSON number"),
        ([], "row 2 is a JSON array"),
        ("run", "row 2 is a JSON string"),
        (None, "row 2 is a JSON null"),  # not the end of the file
        ({}, "'traj' is a JSON null"),
        (row(trial=1, traj="hi"), "'traj' is a JSON string"),
        (row(trial=1, traj=[]), "the dialogue has no turns"),
        (row(trial=1, traj=SAID[:1]), "the dialogue has no agent turn"),
        (row(trial=1, traj=[{"role": "robot", "content": "hi"}]), "'traj[0].role' is 'robot'"),
        (row(trial=1, reward="x" * 5, task_id="x" * 600), "'id' is"),
        (row(trial=1, reward=[1]), "'outcome' is a JSON array"),
    ],
)
def test_a_bad_row_is_one_reject_and_the_rest_goes_on(read, bad, reason):
    found, (reject,) = rows(read, row(), bad, row(trial=4))
    assert [item.line for item in found] == [1, 3]
    assert (reject.line, json.loads(reject.raw)) == (2, bad)
    assert reject.reason.startswith(reason)


def test_a_whole_number_of_any_size_is_json(read):
    found, rejects = rows(read, row(info={"seed": 2**80}), row(trial=3))
    assert (len(found), rejects) == (2, [])


@pytest.mark.parametrize("spoilt", ["?", '{"task_id": NaN}', '{"task_id": 1', '"\xff"', '"\0"'])
def test_broken_json_ends_the_file_with_one_reject_and_keeps_the_rows_before_it(read, spoilt):
    found, (reject,) = read(f"[{json.dumps(row())}, {spoilt}".encode("latin-1"), format="tau-bench")
    assert [item.line for item in found] == [1]
    assert (reject.line, reject.raw) == (2, None)
    assert "\n" not in str(reject)


@pytest.mark.parametrize("data", ["", "[]", "{}", "5", '{"item": {}}', '[{"a": 1}, 2', "[1] [2]"])
def test_a_file_that_is_no_array_of_runs_never_passes_in_silence(read, data):
    found, rejects = read(data, format="tau-bench")
    assert found == []
    assert rejects


@pytest.mark.parametrize("number", ["9" * 5_000, "1e99999999999999999999", "-1E-99999999999999999999"], ids=["digits", "huge", "tiny"])
def test_a_number_that_python_will_not_hold_is_one_reject(read, number):
    rows_before = [row(trial=trial, info="x" * 9_000) for trial in range(20)]
    text = json.dumps(rows_before)[:-1]
    found, (reject,) = read(f'{text}, {{"task_id": {number}}}]', format="tau-bench")
    # ijson's C parser drops what it read ahead in the same 64 KiB when such an integer comes, so the last rows may go.
    assert [item.line for item in found] == list(range(1, reject.line))
    assert reject.line > 10


@pytest.mark.parametrize("more", ["garbage", json.dumps([row(trial=3)]), "]"])
def test_what_follows_the_array_is_not_skipped_in_silence(read, more):
    # Two result files put together with `cat`: whoever reads half of them must know.
    found, (reject,) = read(f"[{json.dumps(row())}]\n{more}", format="tau-bench")
    assert ([item.line for item in found], reject.line) == ([1], 2)


def test_a_deeply_nested_row_is_one_reject(read):
    nested = "[" * 5_000 + "]" * 5_000
    found, rejects = read(f'[{json.dumps(row())}, {json.dumps(row(trial=3, info=0))[:-1]}, "more": {nested}}}]', format="tau-bench")
    assert ([item.line for item in found], [reject.line for reject in rejects]) == ([1], [2])


BOMB = """
import resource, sys
from dialogue import read_transcripts
resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
rejects = []
assert list(read_transcripts(sys.argv[1], format=sys.argv[2], on_reject=rejects.append)) == []
assert len(rejects) == 1, rejects
"""


@pytest.mark.parametrize("format", ["tau-bench", "tau2"])
@pytest.mark.parametrize("close", ["", "]" * 100_000], ids=["open", "closed"])
def test_a_nesting_bomb_does_not_eat_the_memory(tmp_path, format, close):
    # In a process of its own, with bounded memory: a reader that fails here takes the whole machine with it.
    path = tmp_path / "bomb.json"
    path.write_text(('{"simulations": ' if format == "tau2" else "") + "[" * 100_000 + close + ("}" if close and format == "tau2" else ""))
    ran = subprocess.run([sys.executable, "-c", BOMB, path, format], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr[-300:]
