"""What is learned from and what is left out, counted by reason and by ending: an episode that is left out is never silent."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from math import sqrt
from typing import Any

from rewards.record import RewardRecord, Status
from rewards.summary import ending
from rewards.transitions import unusable

CLEAR = 3.0  # standard errors between an ending's share and the others' before it is told
NOTABLE = 0.05  # and how far apart they must be
ENDINGS = 1_000  # numbers as outcomes have no end; beyond so many different ones they are counted together


class LeftOut(StrEnum):
    """Why an episode is left out."""

    JUDGE_FAILED = "judge_failed"
    NO_REWARD = "no_reward"
    NO_STATE_OR_ACTION = "no_state_or_action"
    UNUSABLE = "unusable"  # no agent turn, a probability that is none, rewards that do not sum
    UNKNOWN_STATE = "unknown_state"  # the encoding in use does not know it


TOLD = {
    LeftOut.JUDGE_FAILED: "the judge failed",
    LeftOut.NO_REWARD: "no reward",
    LeftOut.NO_STATE_OR_ACTION: "a turn without state or action",
    LeftOut.UNUSABLE: "not usable",
    LeftOut.UNKNOWN_STATE: "an unknown state",
}


def why_left_out(record: RewardRecord, *, acting: bool) -> LeftOut | None:
    """Return why an episode is left out, or None where it is not.

    Args:
        acting: whether the turns' states and actions are needed; only the rewards otherwise.
    """
    if record.status is Status.FAILED:
        return LeftOut.JUDGE_FAILED if record.failure else LeftOut.NO_REWARD
    if record.episode.reward is None:
        return LeftOut.NO_REWARD
    if unusable(record) is None:
        return None
    unlogged = any(turn.state is None or turn.action is None for turn in record.turns)
    if unlogged and not acting:
        return None
    return LeftOut.NO_STATE_OR_ACTION if unlogged else LeftOut.UNUSABLE


@dataclass(slots=True)
class Coverage:
    """Counts, filled as records pass.

    Attributes:
        endings: how often each ending was met.
        lost: of those, how often the episode was left out.
    """

    admitted: int = 0
    duplicates: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def name_of(self, record: RewardRecord) -> str:
        """Return the name under which a record's ending is counted."""
        name = ending(record)
        return name if name in self.endings or len(self.endings) < ENDINGS else "(other)"

    def admit(self, name: str) -> None:
        """Count an episode that is learned from."""
        self.admitted += 1
        self.endings[name] += 1

    def leave_out(self, name: str, reason: str) -> None:
        """Count an episode that is not."""
        self.endings[name] += 1
        self.lost[name] += 1
        self.reasons[str(reason)] += 1

    def take_back(self, name: str, reason: str) -> None:
        """Forget an episode that was left out: it has come again, and can be used."""
        for counter, key in ((self.endings, name), (self.lost, name), (self.reasons, reason)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]

    @property
    def episodes(self) -> int:
        """How many different ones there were."""
        return self.admitted + sum(self.reasons.values())

    @property
    def share(self) -> float:
        """The share that is learned from; 0 where there were none."""
        return self.admitted / self.episodes if self.episodes else 0.0

    def told(self) -> str:
        """Return what was left out in words, the most frequent reason first; nothing where nothing was."""
        return ", ".join(f"{TOLD[LeftOut(reason)]}: {count:,}" for reason, count in self.reasons.most_common())

    def warnings(self) -> list[str]:
        """Return in words which endings are left out clearly more often than the others: what is learned then leans to the others.

        Clearly: the two shares are 5 points and 3 standard errors (of their difference, if there were none) apart.
        """
        found = []
        total, lost = sum(self.endings.values()), sum(self.lost.values())
        for name, count in sorted(self.endings.items(), key=lambda item: (-item[1], item[0])):
            others = total - count
            if not others:
                continue
            share, rest = self.lost[name] / count, (lost - self.lost[name]) / others
            error = sqrt(lost / total * (1 - lost / total) * (1 / count + 1 / others))
            if share - rest > max(NOTABLE, CLEAR * error):
                found.append(
                    f"{share:.0%} of the {count:,} episodes that ended in {name} are left out, {rest:.0%} of the others: "
                    "what is learned leans to the others; score again, failures are asked for anew"
                )
        return found

    def as_data(self) -> dict[str, Any]:
        """Return the counts as JSON values; endings only where something was lost."""
        return {
            "episodes": self.episodes,
            "admitted": self.admitted,
            "share": self.share,
            "left_out": dict(sorted(self.reasons.items())),
            "duplicates": self.duplicates,
            "endings": {name: {"episodes": self.endings[name], "left_out": self.lost[name]} for name in sorted(self.endings)},
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "Coverage":
        """Return what `as_data` made JSON values of."""
        endings = data["endings"]
        made = cls(data["admitted"], data["duplicates"], Counter(data["left_out"]))
        made.endings.update({name: counts["episodes"] for name, counts in endings.items()})
        made.lost.update({name: counts["left_out"] for name, counts in endings.items() if counts["left_out"]})
        return made
