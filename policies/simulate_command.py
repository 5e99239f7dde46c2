"""`judge simulate`: simulated dialogues with a policy that acts, as transcripts that `judge score` takes, and how they ended."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import fsum, sqrt
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from dialogue.errors import UsageProblem
from policies.behaviour import KNOWN, behaviour_name, make_behaviour
from policies.options import pairs_of
from policies.simulation import SPOKEN, make_spoken, rows
from rewards.output import written_whole

ENVS = " or ".join(SPOKEN)
POLICIES = ", ".join(KNOWN[:-1])


def simulate_command(
    env: Annotated[str, typer.Option(help=f"Who is called: {ENVS}.")] = "debt_call",
    policy: Annotated[str, typer.Option(help=f"Who acts: {POLICIES}, or a policy {KNOWN[-1]}.")] = "uniform",
    n: Annotated[int, typer.Option("--n", help="How many dialogues.")] = 100,
    seed: Annotated[int, typer.Option(help="Of all chance: the same seed, the same bytes.")] = 0,
    floor: Annotated[float, typer.Option(help="Act at random with this probability, such as 0.05.")] = 0.0,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the environment; repeatable.")] = None,
    out: Annotated[str | None, typer.Option(help="Transcripts file, or - for stdout.  [default: ENV.jsonl, here]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Simulate dialogues with a policy and write transcripts for `judge score`.

    Every agent turn has its state, its action and the action's probability. Exit status: 0 written, 2 usage, 130 interrupted.
    """
    options = pairs_of(set_ or ())
    if n < 1:
        raise UsageProblem(f"--n {n} is too few; simulate at least 1 dialogue")
    if seed < 0:
        raise UsageProblem(f"--seed {seed} is below 0; give a whole number from 0")
    call = make_spoken(env, options)
    acting = make_behaviour(policy, env, call.spaces, floor)
    target = _target(out, env)
    tally = Tally(env, policy, floor, seed, options)
    made = rows(call, acting, env, range(n), seed, behaviour_name(policy, floor), options)
    write = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    begun = time.perf_counter()
    try:
        with written_whole(target) as stream:
            for row in _shown(made, n):
                stream.write(write(row) + "\n")
                tally.add(row)
    except KeyboardInterrupt:
        print(f"judge: interrupted after {tally.dialogues:,} of {n:,} dialogues; no file was written", file=sys.stderr)
        raise typer.Exit(130) from None
    except BrokenPipeError:
        raise  # the reader of stdout went away, which judge.cli answers for every command
    except OSError as error:
        raise UsageProblem(
            f"cannot write {target or 'to stdout'}: {error.strerror}; make room, or name another place with --out"
        ) from error
    told = tally.as_dict() | {"out": str(target) if target else "-", "seconds": round(time.perf_counter() - begun, 3)}
    print(json.dumps(told, ensure_ascii=False) if as_json else tally.text(target), file=sys.stdout if target else sys.stderr)


@dataclass
class Tally:
    """What became of the dialogues."""

    env: str
    policy: str
    floor: float
    seed: int
    options: dict[str, str]
    agent_turns: int = 0
    returns: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def dialogues(self) -> int:
        """How many there are."""
        return len(self.returns)

    def add(self, row: dict[str, Any]) -> None:
        """Count one more."""
        self.returns.append(row["meta"]["return"])
        self.agent_turns += sum(turn["role"] == "agent" for turn in row["turns"])
        outcome = row["outcome"] or "no outcome"
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    @property
    def mean(self) -> float:
        """The mean return, as the environment rewards it."""
        return fsum(self.returns) / self.dialogues

    @property
    def error(self) -> float | None:
        """The standard error of the mean return; None for a single dialogue."""
        if self.dialogues < 2:
            return None
        mean = self.mean
        return sqrt(fsum((value - mean) ** 2 for value in self.returns) / (self.dialogues - 1) / self.dialogues)

    @property
    def sorted(self) -> list[tuple[str, int]]:
        """The outcomes, the most common first."""
        return sorted(self.outcomes.items(), key=lambda item: (-item[1], item[0]))

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "env": self.env,
            "policy": self.policy,
            "floor": self.floor,
            "seed": self.seed,
            "options": self.options,
            "dialogues": self.dialogues,
            "agent_turns": self.agent_turns,
            "outcomes": dict(self.sorted),
            "mean_return": self.mean,
            "standard_error": self.error,
        }

    def text(self, target: Path | None) -> str:
        """Return it as lines, counts aligned."""
        error = "" if self.error is None else f" (standard error {self.error:.3f})"
        wide, digits = max(map(len, self.outcomes)), len(f"{max(self.outcomes.values()):,}")
        lines = [f"{name:<{wide}}  {count:>{digits},}  {count / self.dialogues:>6.1%}" for name, count in self.sorted]
        lines.append(f"mean return {self.mean:.3f}{error}, {self.agent_turns / self.dialogues:.1f} agent turns a dialogue")
        lines.append(f"{self.dialogues:,} dialogues" + (f" -> {target}" if target else ""))
        return "\n".join(lines)


def _shown(made: Iterable[dict[str, Any]], n: int) -> Iterator[dict[str, Any]]:
    """Yield the dialogues, with a bar on a terminal."""
    console = Console(stderr=True)
    yield from track(made, "simulating", n, console=console, transient=True, disable=not console.is_terminal)


def _target(out: str | None, env: str) -> Path | None:
    """Return the file; None is stdout."""
    if out == "-":
        return None
    path = Path(f"{env}.jsonl" if out is None else out)
    if out == "" or path.is_dir():
        raise UsageProblem(f"cannot write {out!r}: {'it is a folder' if out else 'it is no name'}; name a file with --out")
    return path
