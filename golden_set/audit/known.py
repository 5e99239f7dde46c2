"""What the ledger knows of a judge: its verdicts as `judge score` would take them, repeats and panels included. Nothing is asked here."""

from collections.abc import Sequence

from judge.contract import Judge
from judge.ledger import Ledger
from judge.panel import Panel, members_of
from judge.pooling import Repeats, pooled, undecided
from judge.tables import migrate
from judge.verdict import JudgeId, Verdict


class Known:
    """The verdicts of one judge that rates so often, found and never asked for."""

    def __init__(self, judge: Judge, ledger: Ledger, repeats: Repeats) -> None:
        self._judge, self._ledger, self._repeats = judge, ledger, repeats
        self.id: JudgeId = repeats.of(judge.id)

    def verdicts(self, hashes: Sequence[str]) -> dict[str, Verdict]:
        """Return the verdicts by transcript hash.

        One that lacks a repeat, or that `judge score` would still ask another repeat for, is left out: a mean over fewer would be
        another judge's.
        """
        found: dict[str, list[Verdict]] = {key: [] for key in hashes}
        open_ = list(found)
        done: dict[str, Verdict] = {}
        for number in range(self._repeats.most):
            rated = self._once(open_, number)
            open_ = []
            for key, verdict in rated.items():
                found[key].append(verdict)
                if number + 1 < self._repeats.least:
                    open_.append(key)
                    continue
                answer = verdict if self._repeats.most == 1 else pooled(found[key], self.id)
                if number + 1 < self._repeats.most and undecided(answer, self._judge.rubric):
                    open_.append(key)
                else:
                    done[key] = answer
            if not open_:
                break
        return done

    def _once(self, hashes: Sequence[str], number: int) -> dict[str, Verdict]:
        """Return one repeat: a panel's where every member has rated."""
        kept = self._repeats.kept_as(self._repeats.first + number)
        rows = [self._ledger.verdicts(member.id, hashes, kept) for member in members_of(self._judge)]
        if not isinstance(self._judge, Panel):
            return rows[0]
        reduced = {key: self._judge.reduce([row[key] for row in rows]) for key in hashes if all(key in row for row in rows)}
        return {key: answer for key, answer in reduced.items() if isinstance(answer, Verdict)}

    def others(self, hashes: Sequence[str]) -> list[JudgeId]:
        """Return the judges that have rated any of these, the one with the most first: what the user may have meant."""
        marks = ",".join("?" * len(hashes))
        rows = self._ledger.tables(migrate).conn.execute(
            f"select judge from judges join verdicts on key = judge_key where transcript_hash in ({marks}) "
            "group by key order by count(*) desc, key limit 5",
            list(hashes),
        )
        return [JudgeId.model_validate_json(text) for (text,) in rows]
