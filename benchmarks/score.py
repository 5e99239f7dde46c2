"""Speed and memory of `judge score`, each figure beside its limit: `python benchmarks/score.py [--dialogues 200000]`.

Start-up and the example are real processes (median of 9 runs). The judge's speed is CPU time on one core, over the example
calls with fresh numbers. The long run streams made-up calls through the command: wall time, peak memory, ledger and output size.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dialogue import Transcript, read_transcripts
from judge import LocalJudge, load_rubric

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).parent / "judge"
EXAMPLE = ROOT / "examples/collections.jsonl"


def calls(count: int) -> Iterator[dict[str, object]]:
    """Yield the example's calls over and over, each with its own sums, so that no two have the same content."""
    patterns = [json.loads(line) for line in EXAMPLE.read_text(encoding="utf-8").splitlines()]
    rng = random.Random(0)
    for number in range(count):
        raw = json.loads(json.dumps(patterns[number % len(patterns)]))
        raw["id"] = f"{raw['id']}-{number}"
        for turn in raw["turns"]:
            turn["text"] = turn["text"].replace("$", f"${rng.randint(1, 9)}") + f" ({number})"
        yield raw


def row(what: str, measured: float, unit: str, limit: float, *, at_least: bool = False) -> None:
    """Print a line of the table."""
    ratio = measured / limit
    verdict = "ok" if (ratio >= 1) == at_least or ratio == 1 else "MISSED"
    sign = ">=" if at_least else "<="
    print(f"| {what} | {measured:,.2f} {unit} | {sign} {limit:g} {unit} | {ratio:.2f} | {verdict} |", flush=True)


def wall(*command: str | Path, folder: str) -> float:
    """Return the median wall time of a command over 9 runs, in seconds."""
    times = []
    for run in range(9):
        begun = time.perf_counter()
        arguments = [*command, "--ledger", f"{run}.db"] if "score" in command else list(command)
        subprocess.run(arguments, cwd=folder, check=True, capture_output=True)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def judge_speed(count: int) -> float:
    """Return how many turns (of both sides) the local judge reads and rates per CPU second on one core."""
    transcripts = [Transcript.model_validate(raw) for raw in calls(count)]
    judge = LocalJudge(load_rubric("collections"))
    judge.verdict(transcripts[0])
    begun = time.process_time()
    for transcript in transcripts:
        judge.verdict(transcript)
    return sum(len(transcript.turns) for transcript in transcripts) / (time.process_time() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, default=20_000, help="length of the long run")
    count: int = parser.parse_args().dialogues
    with tempfile.TemporaryDirectory() as folder:
        print("| what | measured | limit | ratio | |\n|---|---|---|---|---|")
        row("judge --help", wall(COMMAND, "--help", folder=folder), "s", 0.35)
        row("judge score on the example", wall(COMMAND, "score", EXAMPLE, folder=folder), "s", 2.0)
        row("local judge, one core", judge_speed(4000), "turns/s", 5000, at_least=True)
        path = Path(folder) / "long.jsonl"
        with path.open("w", encoding="utf-8") as stream:
            turns = sum(stream.write(json.dumps(raw) + "\n") > 0 and len(raw["turns"]) for raw in calls(count))  # type: ignore[arg-type]
        begun = time.perf_counter()
        process = subprocess.Popen([COMMAND, "score", path], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        if status:
            sys.exit("the long run failed")
        row(f"{count:,} dialogues: peak memory", usage.ru_maxrss / 1024, "MB", 400)
        sizes = {name: (Path(folder) / name).stat().st_size / 1e6 for name in ("judge-ledger.db", "long.rewards.jsonl", "long.jsonl")}
        print(f"\n{count:,} dialogues, {turns:,} turns in {seconds:.1f} s: {turns / seconds:,.0f} turns/s, file to file, ledger included")
        print(", ".join(f"{name} {size:,.0f} MB" for name, size in sizes.items()))
        begun = time.perf_counter()
        subprocess.run([COMMAND, "score", path], cwd=folder, check=True, capture_output=True)
        print(f"again, all from the ledger: {time.perf_counter() - begun:.1f} s")
        assert len(list(read_transcripts(path))) == count


if __name__ == "__main__":
    main()
