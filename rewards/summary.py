"""What a run came to: counts, means by outcome and criterion, the worst and best handled calls; gathered as records pass."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dialogue.reader import Reject
from judge.rubric import Rubric
from judge.verdict import handling, mean_unit
from rewards.blend import ViolationKind
from rewards.record import RatingRecord, RewardRecord, Status

SHOWN = 3  # calls at each end


@dataclass(slots=True)
class Mean:
    """A running mean."""

    count: int = 0
    total: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the table shows it. `handling` is the mean of what was rated on [-1, 1], outcome and veto left out."""

    handling: float
    id: str
    outcome: str
    reward: float
    turn: int
    why: str
    quote: str | None


@dataclass(slots=True)
class Summary:
    """Feed it every record and reject; it keeps counts and `SHOWN` calls at each end, so memory stays flat."""

    rubric: Rubric
    statuses: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    first_failures: list[str] = field(default_factory=list)
    rejects: int = 0
    first_rejects: list[str] = field(default_factory=list)
    agent_turns: int = 0
    without_outcome: int = 0
    violations: int = 0
    overruled: Counter[str] = field(default_factory=Counter)
    reward: Mean = field(default_factory=Mean)
    by_outcome: dict[str, tuple[Mean, Mean]] = field(default_factory=dict)
    by_criterion: dict[tuple[str, str], Mean] = field(default_factory=dict)
    _worst: list[tuple[float, int, Call]] = field(default_factory=list)
    _best: list[tuple[float, int, Call]] = field(default_factory=list)

    def reject(self, reject: Reject) -> None:
        """Count a piece of input that gave no transcript."""
        self.rejects += 1
        if len(self.first_rejects) < SHOWN:
            self.first_rejects.append(str(reject))

    def add(self, record: RewardRecord) -> None:
        """Count a record."""
        self.statuses[record.status] += 1
        self.agent_turns += len(record.turns)
        self.without_outcome += record.outcome is None
        self.violations += record.violation is not None
        self.overruled.update(rating.overruled for turn in record.turns for rating in turn.ratings.values() if rating.overruled)
        if record.failure:
            self.failures[record.failure.kind] += 1
            if self.failures[record.failure.kind] == 1:  # one of each kind
                self.first_failures.append(f"{record.id}: {record.failure.detail}")
        name = ending(record)
        rewards, handlings = self.by_outcome.setdefault(name, (Mean(), Mean()))
        if record.status is Status.FAILED or record.episode.reward is None:
            return
        self.reward.add(record.episode.reward)
        rewards.add(record.episode.reward)
        if not record.turns[0].ratings:
            return
        call = self._call(record, record.episode.reward)
        handlings.add(call.handling)
        for turn in record.turns:
            self._add_ratings("turn", turn.ratings)
        self._add_ratings("episode", record.episode.ratings)
        order = sum(self.statuses.values())  # earlier calls win ties
        _keep(self._worst, (-call.handling, -order, call), SHOWN)
        _keep(self._best, (call.handling, -order, call), 2 * SHOWN)  # the worst may be among them

    def _add_ratings(self, level: str, ratings: dict[str, RatingRecord]) -> None:
        for name, rating in ratings.items():
            self.by_criterion.setdefault((level, name), Mean()).add(rating.counted)

    def _call(self, record: RewardRecord, reward: float) -> Call:
        """Return the call with the turn and criterion that tell most about it: the violation, if there was one."""
        units = [mean_unit(_counted(turn.ratings), self.rubric.turn) for turn in record.turns]
        handled = handling(units, _counted(record.episode.ratings), self.rubric)
        if record.violation and record.violation.kind is ViolationKind.SIGNAL:
            told = f"logged signal {record.violation.name}"
            return Call(handled, record.id, ending(record), reward, record.violation.turn, told, None)
        towards = 1 if handled >= 0 else -1
        k = max(range(len(units)), key=lambda at: (towards * units[at], -at))
        if record.violation:
            k = next(at for at, turn in enumerate(record.turns) if turn.turn == record.violation.turn)
        turn = record.turns[k]
        criteria = {criterion.name: criterion for criterion in self.rubric.turn}
        if record.violation:
            criterion = criteria[record.violation.name]
        else:  # that there was no violation says little of a call
            telling = [c for c in self.rubric.turn if not c.critical] or list(self.rubric.turn)
            criterion = max(telling, key=lambda c: towards * c.weight * c.scale.to_unit(turn.ratings[c.name].counted))
        rating = turn.ratings[criterion.name]
        what = "violation: " if record.violation else ""
        told = f"{what}{criterion.name} {rating.counted:.1f} of {criterion.scale.high}: {rating.reason}"
        return Call(handled, record.id, ending(record), reward, turn.turn, told, rating.quote)

    @property
    def worst(self) -> list[Call]:
        """The worst handled calls, worst first."""
        return [call for *_, call in sorted(self._worst, key=lambda item: item[:2], reverse=True)]

    @property
    def best(self) -> list[Call]:
        """The best handled calls that are not among the worst, best first."""
        shown = {call.id for call in self.worst}
        return [call for *_, call in sorted(self._best, key=lambda item: item[:2], reverse=True) if call.id not in shown][:SHOWN]

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain data, for `--json`."""
        return {
            "scored": self.statuses[Status.SCORED],
            "failed": self.statuses[Status.FAILED],
            "rejected": self.rejects,
            "agent_turns": self.agent_turns,
            "without_outcome": self.without_outcome,
            "violations": self.violations,
            "mean_reward": self.reward.value,
            "failures": dict(self.failures),
            "by_outcome": {
                name: {"dialogues": rewards.count, "mean_reward": rewards.value, "mean_handling": handlings.value}
                for name, (rewards, handlings) in self.by_outcome.items()
            },
            "by_criterion": {
                level: {name: mean.value for (at, name), mean in self.by_criterion.items() if at == level} for level in ("turn", "episode")
            },
            "worst": [_plain(call) for call in self.worst],
            "best": [_plain(call) for call in self.best],
        }


def ending(record: RewardRecord) -> str:
    """Return how an episode ended, in words: the catastrophic signal if there was one, else the logged outcome."""
    if record.violation and record.violation.kind is ViolationKind.SIGNAL:
        return record.violation.name
    if record.outcome is None:
        return "(none)"
    return record.outcome if isinstance(record.outcome, str) else f"{record.outcome:g}"


@dataclass(frozen=True, slots=True)
class _Counted:
    """A rating's value as it counts: on the scale of people where it was calibrated."""

    value: float


def _counted(ratings: dict[str, RatingRecord]) -> dict[str, _Counted]:
    return {name: _Counted(rating.counted) for name, rating in ratings.items()}


def _keep(heap: list[tuple[float, int, Call]], item: tuple[float, int, Call], size: int) -> None:
    """Keep the largest `size` items; the order number makes every key distinct, so calls are never compared."""
    (heapq.heappush if len(heap) < size else heapq.heappushpop)(heap, item)


def _plain(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in Call.__slots__}
