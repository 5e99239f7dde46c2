"""What is lost and what is paid twice when a provider fails, and when the run is killed: `python benchmarks/faults.py`.

`judge score` in real processes against the fake provider with 5 % 429, 2 % 500, 2 % invalid JSON, 1 % hangs and 1 % connection
resets; then killed (SIGKILL) in the middle and run again, once rating whole dialogues and once turn by turn. The provider counts
the requests whose answer it had given before.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from asking import control, dialogues, provider, rubric, stats

FAULTS = {"rate_limit": 0.05, "server_error": 0.02, "invalid_json": 0.02, "hang": 0.01, "reset": 0.01}
JUDGE = Path(sys.executable).with_name("judge")


def command(folder: Path, unit: str, name: str) -> list[str]:
    """Return the command that scores the dialogues."""
    made = ["--judge", "openai:m", "--rubric", str(folder / f"{unit}.toml"), "--ledger", str(folder / f"{name}.db")]
    return [str(JUDGE), "score", str(folder / "calls.jsonl"), *made, "--out", str(folder / f"{name}.jsonl"), "--timeout", "2", "--json"]


def row(*cells: Any) -> None:
    """Print a line of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def faulty(folder: Path, url: str, env: dict[str, str], count: int) -> None:
    """Run with faults; print what became of the dialogues."""
    control(url, reset=True)
    control(url, seed=1, **FAULTS)
    began = time.perf_counter()
    done = subprocess.run(command(folder, "dialogue", "faulty"), env=env, capture_output=True, text=True)
    wall = time.perf_counter() - began
    lines = [json.loads(line) for line in (folder / "faulty.jsonl").read_text(encoding="utf-8").splitlines()]
    counted, summary = stats(url), json.loads(done.stdout)
    in_order = [line["id"] for line in lines] == [str(k) for k in range(count)]
    failures = ", ".join(f"{number} {kind}" for kind, number in summary["failures"].items()) or "none"
    row(
        "with faults",
        count,
        len(lines),
        summary["scored"],
        failures,
        in_order,
        counted["requests"]["total"],
        counted["duplicates"],
        f"{wall:.1f}",
    )


def killed(folder: Path, url: str, env: dict[str, str], unit: str, count: int, wanted: int) -> None:
    """Kill a run after `wanted` answers, run it again; print what was asked twice."""
    control(url, reset=True)
    control(url, **dict.fromkeys(FAULTS, 0.0))
    line = command(folder, unit, f"killed-{unit}")
    with subprocess.Popen(line, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while stats(url)["answered"] < wanted:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    flying = stats(url)["max_in_flight"]
    time.sleep(1)
    answered = stats(url)["answered"]
    done = subprocess.run(line, env=env, capture_output=True, text=True)
    counted, summary = stats(url), json.loads(done.stdout)
    row(f"kill -9, {unit}", count, answered, summary["scored"], flying, counted["requests"]["total"] - answered, counted["duplicates"])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, default=1000)
    options = parser.parse_args()
    count = options.dialogues
    with tempfile.TemporaryDirectory() as name, provider("--latency", "0.2") as url:
        folder = Path(name)
        for unit in ("dialogue", "turn"):
            rubric(unit, folder)
        (folder / "calls.jsonl").write_text("".join(call.model_dump_json() + "\n" for call in dialogues(count)), encoding="utf-8")
        env = os.environ | {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-benchmark"}
        row("run", "dialogues", "lines", "scored", "failures", "in order", "requests", "asked twice after an answer", "wall s")
        print("|" + "---|" * 9)
        faulty(folder, url, env, count)
        print()
        row("run", "dialogues", "answered before", "scored", "in flight at most", "requests of the 2nd run", "asked twice after an answer")
        print("|" + "---|" * 7)
        killed(folder, url, env, "dialogue", count, count // 2)
        killed(folder, url, env, "turn", count, count)


if __name__ == "__main__":
    main()
