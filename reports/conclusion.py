"""The answer that opens every page, in words for those who know no statistics: what it is, why, and what to do next."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from judge.verdict import JudgeId
from reports.quoting import told_in_markdown

UNREACHED = "NOT REACHED"
AGAIN = "See the failures by kind below (keys, limits, network), then ask again: what was answered is kept."


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer (`state`, the word; `headline`, the same for people), the sentence that gives it, and what to do."""

    state: str
    headline: str
    sentence: str
    next_steps: tuple[str, ...]


def opening(title: str, found: Conclusion, aside: Iterable[str] = ()) -> Iterator[str]:
    """Yield the lines with which every Markdown summary begins: the answer, what stands `aside`, and what to do."""
    yield f"## {title}: {found.state}\n"
    yield f"**{told_in_markdown(found.headline)}.** {told_in_markdown(found.sentence)}\n"
    yield from aside
    yield from (f"- Next: {told_in_markdown(step)}" for step in found.next_steps)


def named(judge: JudgeId) -> str:
    """Return a judge in words."""
    return f"The judge {judge.provider}/{judge.model} with the rubric {judge.rubric}"


def day_of(day: date) -> str:
    """Return a day as people write it, in English whatever the machine's language."""
    months = "January February March April May June July August September October November December".split()
    return f"{day.day} {months[day.month - 1]} {day.year}"


def listed(parts: Sequence[str], between: str = "; ") -> str:
    """Return parts as a list in a sentence."""
    return between.join(parts[:-1]) + (f"{between}and " if len(parts) > 1 else "") + parts[-1] if parts else ""
