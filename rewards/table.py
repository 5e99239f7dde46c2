"""The summary of a run for a terminal; the data behind it is `summary.py`."""

import math
import unicodedata
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rewards.summary import Call, Summary


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: control, format and bidi characters are shown as a dot."""
    return "".join("·" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else character for character in text)


def print_summary(summary: Summary, console: Console) -> None:
    """Print the tables: calls at both ends, outcomes, criteria."""
    if summary.worst:
        console.print(_calls("Worst handled", summary.worst))
    if summary.best:
        console.print(_calls("Best handled", summary.best))
    if len(summary.by_outcome) and sum(summary.statuses.values()):
        console.print(_outcomes(summary))
    if summary.by_criterion:
        console.print(_criteria(summary))


def _calls(title: str, calls: Sequence[Call]) -> Table:
    table = _table(title)
    table.add_column("call", max_width=36, overflow="fold")
    table.add_column("outcome", no_wrap=True)
    table.add_column("reward", justify="right")
    table.add_column("handling", justify="right")
    table.add_column("why", ratio=1)
    for call in calls:
        why = Text(f"turn {call.turn}, {printable(call.why)}")
        if call.quote:
            why.append(f"\n“{_short(printable(call.quote))}”", style="italic")
        table.add_row(Text(printable(call.id)), Text(printable(call.outcome)), f"{call.reward:+.2f}", f"{call.handling:+.2f}", why)
    return table


def _outcomes(summary: Summary) -> Table:
    table = _table("By outcome")
    for name in ("outcome", "dialogues", "mean reward", "mean handling"):
        table.add_column(name, justify="left" if name == "outcome" else "right")
    for name, (rewards, handlings) in sorted(
        summary.by_outcome.items(), key=lambda item: -math.inf if item[1][0].value is None else item[1][0].value, reverse=True
    ):
        table.add_row(Text(printable(name)), str(rewards.count), _number(rewards.value), _number(handlings.value))
    return table


def _criteria(summary: Summary) -> Table:
    table = _table("By criterion")
    for name in ("criterion", "rated", "mean", "scale"):
        table.add_column(name, justify="left" if name == "criterion" else "right")
    scales = {("turn", c.name): c.scale for c in summary.rubric.turn_criteria} | {
        ("episode", c.name): c.scale for c in summary.rubric.episode
    }
    for (level, name), mean in summary.by_criterion.items():
        scale = scales[level, name]
        label = name if level == "turn" else f"{name} (episode)"
        table.add_row(label, str(mean.count), f"{mean.value:.2f}", f"{scale.low}-{scale.high}")
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _short(text: str, limit: int = 110) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
