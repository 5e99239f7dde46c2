"""Both calls by their ids, in a process that has imported nothing of ours."""

import subprocess
import sys

import pytest

MADE = """
import sys, gymnasium
import dialogue.environments.gym_ids
assert not [name for name in sys.modules if name.endswith("_call")], "the ids alone import no call"
print(gymnasium.make("dialogue.environments.gym_ids:judge/{id}").spec.id)
"""


@pytest.mark.parametrize("id", ["DebtCall-v0", "SalesCall-v0"])
def test_a_fresh_process_makes_the_call(id: str) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", MADE.format(id=id)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"judge/{id}\n", "")
