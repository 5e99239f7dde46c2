"""Law 3 for whatever learns from rewards or hands them on: no uncleared judge, no mixture, enough episodes, unless allowed in words."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from pathlib import Path
from typing import Any

from sqlite_utils import Migrations

from dialogue.errors import InputProblem, UsageProblem, listed
from judge.ledger import Ledger
from judge.verdict import JudgeId
from rewards.coverage import Coverage, why_left_out
from rewards.record import RewardRecord
from rewards.transitions import unusable

SHOWN = 3  # names in a message
SKETCH = 4096  # ids by which it is told later what was learned from
MIXABLE = {"recipe": "recipes", "outcomes": "outcome tables", "calibration": "calibrations", "rubric": "rubrics"}
POOLED = re.compile(r"; mean of .*$")  # what a mean of ratings adds to the sampling of the judge that was cleared


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the command line allowed in words: `--allow-uncleared` and so on, and `--min-coverage`."""

    uncleared: bool = False
    mixed_judges: bool = False
    mixed_recipes: bool = False
    min_coverage: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.min_coverage <= 1:
            raise UsageProblem(f"--min-coverage is {self.min_coverage:g}; expected a share of the episodes, 0 to 1")


@dataclass(slots=True)
class Admission:
    """Feed it every record; it says which to learn from, counts the others, and refuses in the end what was not allowed.

    It holds eight bytes (as a Python number) for each id, and no record.

    Attributes:
        acting: whether states and actions are needed.
        judges: every JudgeId met whose rewards are used, by key, with the number of episodes.
    """

    allowed: Allowed = field(default_factory=Allowed)
    acting: bool = True
    coverage: Coverage = field(default_factory=Coverage)
    judges: dict[str, JudgeId] = field(default_factory=dict)
    rated: Counter[str] = field(default_factory=Counter)
    uncleared: Counter[str] = field(default_factory=Counter)
    sources: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in MIXABLE})
    _seen: set[int] = field(default_factory=set)
    _left: dict[int, tuple[str, str]] = field(default_factory=dict)
    _weighing: set[str] = field(default_factory=set)
    _sketched: list[int] = field(default_factory=list)
    _first: InputProblem | None = None  # of the records that were left out

    def admits(self, record: RewardRecord, *, refused: str | None = None) -> bool:
        """Say whether to learn from a record; count it either way. Of an id that comes again, the first usable record counts.

        Args:
            refused: why the caller cannot use it, a value of `LeftOut`; None where it can.
        """
        number = number_of(record.id)
        if number in self._seen:
            self.coverage.duplicates += 1
            return False
        reason = why_left_out(record, acting=self.acting) or refused
        name = self.coverage.name_of(record)
        if before := self._left.pop(number, None):
            self.coverage.take_back(*before)
            self.coverage.duplicates += reason is not None
        if reason:
            self._first = self._first or unusable(record)
            self._left[number] = (name, str(reason))
            self.coverage.leave_out(name, reason)
            return False
        self._seen.add(number)
        self.coverage.admit(name)
        self._note(record)
        return True

    def _note(self, record: RewardRecord) -> None:
        """Remember what made the record."""
        sources = self.sources
        sources["recipe"][record.recipe] += 1
        sources["outcomes"][record.outcomes] += 1
        if "outcome" in record.episode.terms:
            self._weighing.add(record.recipe)
        if record.judge is None:
            return
        sources["rubric"][record.rubric] += 1
        sources["calibration"][record.calibration or "none"] += 1
        key = _key_of(record.judge)
        self.judges[key] = record.judge
        self.rated[key] += 1
        if not record.cleared:
            self.uncleared[key] += 1

    def weighs_outcome(self, recipe: str) -> bool:
        """Say whether a recipe weighs the outcome, by the records met so far; no, where none of them had one."""
        return recipe in self._weighing

    @property
    def used(self) -> Set[int]:
        """The numbers of the ids that were admitted; with `again`, of this time only."""
        return self._seen

    def sketch(self) -> list[int]:
        """Return the smallest numbers of all ids that were ever admitted: whole up to `SKETCH` ids, a sample of them beyond.

        A bottom-k sketch (Cohen 1997): of any other ids, those below its largest number are in it exactly if they were admitted here.
        """
        return nsmallest(SKETCH, {*self._sketched, *self._seen})

    def close(self, ledger: Ledger | str | Path | None = None) -> dict[str, Any]:
        """Return the manifest part: what is learned from, who made it, what was left out, what was allowed. It can be called again.

        Args:
            ledger: where clearances are looked up that were voided, or given, since the episodes were scored; a path where there is
                no file is none.

        Raises:
            UsageProblem: law 3, or too few episodes: everything that is wrong, in one line.
        """
        if isinstance(ledger, str | Path):
            if not Path(ledger).is_file():
                return self.close()
            with Ledger(ledger) as book:
                return self.close(book)
        if not self.coverage.episodes:
            raise UsageProblem("the rewards files hold no episodes; `judge score` writes them")
        standing = {key: self._standing(key, ledger) for key in self.judges}
        problems = [
            problem for problem in (self._without_leave(standing), self._judges_mixed(), *self._mixtures(), self._thin()) if problem
        ]
        if problems:
            raise UsageProblem("; ".join(problems))
        return {
            "judges": [
                judge.model_dump() | {"key": key, "episodes": self.rated[key], "leave": standing[key]}
                for key, judge in sorted(self.judges.items())
            ],
            **{name: dict(sorted(counts.items())) for name, counts in self.sources.items()},
            "allowed": asdict(self.allowed),
            "coverage": self.coverage.as_data(),
            "warnings": self.coverage.warnings(),
        }

    def _standing(self, key: str, ledger: Ledger | None) -> str:
        """Return whether a judge has leave: `cleared`, `voided` since, `cleared since`, or `uncleared`."""
        judge = self.judges[key]
        single = judge.model_copy(update={"sampling": POOLED.sub("", judge.sampling)})
        if ledger and (ledger.cleared(judge) or ledger.cleared(single)):
            return "cleared since" if self.uncleared[key] else "cleared"
        if ledger and (has_clearance(ledger, judge) or has_clearance(ledger, single)):
            return "voided"
        return "uncleared" if self.uncleared[key] else "cleared"

    def _without_leave(self, standing: dict[str, str]) -> str | None:
        refused = {key: said for key, said in standing.items() if said in ("voided", "uncleared")}
        if not refused or self.allowed.uncleared:
            return None
        named = [f"{self.judges[key]} (key {key}, {self.rated[key]:,} episodes: {said})" for key, said in refused.items()]
        return (
            f"no leave to produce rewards: {_few(named)}; run `judge golden check` on the judge and score again, "
            "or allow it with --allow-uncleared"
        )

    def _judges_mixed(self) -> str | None:
        if len(self.judges) < 2 or self.allowed.mixed_judges:
            return None
        named = [f"{self.judges[key]} (key {key}, {count:,} episodes)" for key, count in self.rated.most_common()]
        differing = [name for name in JudgeId.model_fields if len({getattr(judge, name) for judge in self.judges.values()}) > 1]
        return (
            f"{len(named)} judges in one data set: {_few(named)}; they differ in {listed(differing)}, so that their ratings "
            "need not mean the same; give files of one judge, or allow it with --allow-mixed-judges"
        )

    def _mixtures(self) -> Iterator[str]:
        if self.allowed.mixed_recipes:
            return
        for name, what in MIXABLE.items():
            counts = self.sources[name]
            if len(counts) > 1:
                named = [f"{value} ({count:,} episodes)" for value, count in counts.most_common()]
                yield (
                    f"{len(counts)} {what} in one data set: {_few(named)}; score all with one (verdicts come from the ledger, "
                    "nothing is paid again), or allow it with --allow-mixed-recipes"
                )

    def _thin(self) -> str | None:
        coverage = self.coverage
        if coverage.share >= self.allowed.min_coverage and coverage.admitted:
            return None
        found = f"{coverage.admitted:,} of {coverage.episodes:,} episodes can be used"
        first = f"; the first: {self._first.reason}" if self._first else ""
        if not coverage.admitted:
            return (
                f"{found} ({coverage.told()}{first}); expected rewards files of scored dialogues, with the controller's states and actions"
            )
        return (
            f"{found}: {coverage.share:.1%}, where --min-coverage asks for {self.allowed.min_coverage:.0%} ({coverage.told()}{first}); "
            "score again (failures are asked for anew), or lower --min-coverage"
        )

    def state(self) -> dict[str, Any]:
        """Return what going on with another file needs, as JSON values."""
        return {
            "coverage": self.coverage.as_data(),
            "judges": {key: judge.model_dump() for key, judge in self.judges.items()},
            "rated": dict(self.rated),
            "uncleared": dict(self.uncleared),
            "sources": {name: dict(counts) for name, counts in self.sources.items()},
            "seen": sorted(self._seen),
            "left": [[number, *what] for number, what in self._left.items()],
            "weighing": sorted(self._weighing),
            "sketch": self.sketch(),
        }

    def restore(self, state: dict[str, Any], *, again: bool = False) -> "Admission":
        """Go on from what `state()` gave; with `again`, ids that were met before may come again."""
        self.coverage = Coverage.from_data(state["coverage"])
        self.judges = {key: JudgeId.model_validate(judge) for key, judge in state["judges"].items()}
        self.rated, self.uncleared = Counter(state["rated"]), Counter(state["uncleared"])
        self.sources = {name: Counter(state["sources"][name]) for name in MIXABLE}
        self._seen = set() if again else set(state["seen"])
        self._left = {} if again else {number: (name, reason) for number, name, reason in state["left"]}
        self._weighing = set(state["weighing"])
        self._sketched = list(state["sketch"])
        return self


def number_of(id: str) -> int:
    """Return the number by which an id is remembered, of eight bytes."""
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest())


def admitted(records: Iterable[RewardRecord], admission: Admission, ledger: Ledger | str | Path | None = None) -> Iterator[RewardRecord]:
    """Yield the records to use, holding none; after the last one, refuse what was not allowed. What was made of them is then void.

    Raises:
        UsageProblem: as `Admission.close`.
    """
    for record in records:
        if admission.admits(record):
            yield record
    admission.close(ledger)


def has_clearance(ledger: Ledger, judge: JudgeId) -> bool:
    """Say whether the ledger ever held leave for `judge`, voided or not."""
    connection = ledger.tables(Migrations("rewards")).conn
    return connection.execute("select 1 from clearances where judge_key = ? limit 1", [judge.key]).fetchone() is not None


@lru_cache(maxsize=256)
def _key_of(judge: JudgeId) -> str:
    """Return a judge's key; a log names few of them, over and over."""
    return judge.key


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return listed(names[:SHOWN]) + more
