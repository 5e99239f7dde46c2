"""What a run has spent so far, and the budget at which it stops asking."""

from dataclasses import dataclass, field

from judge.chat import Trouble
from judge.verdict import FailureKind, Usage


@dataclass(slots=True)
class Meter:
    """Counts what is sent. With a budget, a request goes out only if what was spent, what is in flight and itself fit into it."""

    budget_usd: float | None = None
    max_requests: int | None = None
    spent: Usage = field(default_factory=Usage)
    failed: int = 0  # requests that brought no answer
    found: int = 0  # answers that had been paid for before
    notes: list[str] = field(default_factory=list)  # what the user should know of how was asked
    _promised: float = 0.0  # dollars of requests in flight
    _sending: int = 0

    def promise(self, dollars: float | None) -> None:
        """Set the expected price of a request aside.

        Raises:
            Trouble: it does not fit into the budget any more.
        """
        sent = self.spent.requests + self.failed + self._sending
        if self.max_requests is not None and sent >= self.max_requests:
            raise Trouble(FailureKind.NOT_ASKED, f"the {self.max_requests:,} requests that --max-requests allows are spent")
        if self.budget_usd is not None:
            total = (self.spent.cost_usd or 0.0) + self._promised + (dollars or 0.0)
            if total > self.budget_usd:
                raise Trouble(FailureKind.NOT_ASKED, f"the budget of ${self.budget_usd:g} (--budget-usd) is spent")
        self._promised += dollars or 0.0
        self._sending += 1

    def settle(self, dollars: float | None, usage: Usage | None) -> None:
        """Replace a promise by what the request came to; None: it failed, and cost nothing that is known."""
        self._promised -= dollars or 0.0
        self._sending -= 1
        if usage is None:
            self.failed += 1
        else:
            self.spent += usage
