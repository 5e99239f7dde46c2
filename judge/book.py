"""The ledger as the engine writes it: everything that became known in one turn of the event loop goes into one transaction."""

import asyncio
from collections.abc import Callable, Iterable

from judge.chat import Trouble
from judge.contract import Body
from judge.ledger import Answer, Ledger
from judge.verdict import FailureKind, JudgeId

Settle = Callable[[Answer | BaseException], None]


class Book:
    """Gathers answers and writes them as soon as the event loop has nothing that is ready before them.

    A verdict is written before anybody is told of it. Answers of providers that became part of a verdict in the same
    transaction are never written: a rating of one request costs one row.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._stored = ledger.has_replies()  # spares a query for each request where there are none
        self._pending = ledger.pending_calls()
        self._answers: list[tuple[str, int, Answer, Settle]] = []
        self._fresh: dict[str, Body] = {}
        self._spent: list[str] = []
        self._due: asyncio.Handle | None = None

    def reply(self, key: str) -> Body | None:
        """Return a provider's answer that was paid for before.

        Raises:
            Trouble: a batch that is not collected yet asks the same.
        """
        if reply := self._fresh.get(key) or (self._ledger.reply(key) if self._stored else None):
            return reply
        if key in self._pending:
            told = f"it is asked in the batch {self._pending[key]}: run `judge batch collect`, then this again"
            raise Trouble(FailureKind.PENDING, told)
        return None

    def keep(self, key: str, reply: Body) -> None:
        """Remember a provider's answer."""
        self._fresh[key] = reply
        self._schedule()

    def forget(self, keys: Iterable[str]) -> None:
        """Forget answers of providers."""
        for key in keys:
            if self._fresh.pop(key, None) is None:
                self._spent.append(key)
        self._schedule()

    def record(self, transcript_hash: str, repeat: int, answer: Answer, settle: Settle) -> None:
        """Write a judge's answer, then tell `settle` what the ledger holds: another process may have been first."""
        self._answers.append((transcript_hash, repeat, answer, settle))
        self._schedule()

    def verdicts(self, judge: JudgeId, hashes: list[str], repeat: int) -> dict[str, Answer]:
        """Return the verdicts already known, by transcript hash."""
        return dict(self._ledger.verdicts(judge, hashes, repeat))

    def _schedule(self) -> None:
        if self._due is None:
            self._due = asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what was gathered."""
        self._due = None
        answers, self._answers = self._answers, []
        fresh, self._fresh = self._fresh, {}
        spent, self._spent = self._spent, []
        if not (answers or fresh or spent):
            return
        try:
            beaten = self._ledger.record([(key, repeat, answer) for key, repeat, answer, _ in answers], keep=fresh, forget=spent)
        except Exception as error:  # a full disk: whoever waits is to know
            for _, _, _, settle in answers:
                settle(error)
            if not answers:
                raise
            return
        self._stored = self._stored or bool(fresh)
        first = {(key, repeat, judge.key): self._ledger.verdicts(judge, [key], repeat)[key] for key, repeat, judge in beaten}
        for key, repeat, answer, settle in answers:
            settle(first.get((key, repeat, answer.judge.key), answer))
