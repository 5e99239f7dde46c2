"""What a run would ask and cost, before anything is paid: requests, tokens, dollars, time; nothing is sent."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dialogue.transcript import Transcript
from judge.contract import Judge, Terms
from judge.form import CacheUse
from judge.ledger import Ledger
from judge.line import Call
from judge.llm import LLMJudge
from judge.panel import members_of
from judge.pooling import Repeats
from judge.unrated import unrated
from judge.verdict import Usage
from judge.view import TooLong

SHORTEST_PREFIX = 1024  # tokens: what most models' prompt caches keep at least
SECONDS_AN_ANSWER = 3.0  # assumed, for the time without caps


@dataclass(slots=True)
class MemberPlan:
    """What is asked of one judge. Tokens are estimated by length; a price that is not known is None."""

    name: str
    priced: bool
    usage: Usage = field(default_factory=Usage)
    batch_usd: float | None = 0.0
    kept: set[str] = field(default_factory=set)  # names of beginnings that the provider's cache holds by then


@dataclass(slots=True)
class Plan:
    """What a run would do."""

    terms: Terms
    dialogues: int = 0
    rated: int = 0  # whose verdicts are in the ledger
    paid: int = 0  # requests whose answers are in the ledger
    under_way: int = 0  # requests that a batch asks
    too_long: int = 0
    members: dict[str, MemberPlan] = field(default_factory=dict)

    @property
    def total(self) -> Usage:
        """Return the sum over the judges."""
        return sum((member.usage for member in self.members.values()), Usage())

    @property
    def batch_usd(self) -> float | None:
        """Return the price by the Batch APIs."""
        prices = [member.batch_usd for member in self.members.values()]
        return None if None in prices else sum(price or 0.0 for price in prices)

    @property
    def seconds(self) -> float:
        """Return the time that the caps allow at best, or, where they do not bind, that answers of `SECONDS_AN_ANSWER` take."""
        usage = self.total
        waits = [usage.requests * SECONDS_AN_ANSWER / self.terms.concurrency]
        if self.terms.rpm:
            waits.append(usage.requests / self.terms.rpm * 60)
        if self.terms.tpm:
            waits.append((usage.input_tokens + usage.output_tokens) / self.terms.tpm * 60)
        return max(waits)


def plan(transcripts: Iterable[Transcript], judge: Judge, ledger: Ledger, repeats: Repeats, terms: Terms) -> Plan:
    """Return what rating the transcripts would ask for that is not in the ledger, counting `repeats.least` ratings of each."""
    members = members_of(judge)
    made = Plan(terms, members={m.id.key: MemberPlan(f"{m.id.provider}/{m.id.model}", _priced(m)) for m in members})
    pending = ledger.pending_calls()
    for part in unrated(transcripts, members, ledger, repeats):
        made.dialogues += part.dialogues
        made.rated += part.dialogues - part.unrated
        for transcript, member, repeat in part.missing:
            if isinstance(member, LLMJudge):
                _add(made, made.members[member.id.key], member, transcript, repeat, ledger, pending)
    return made


def _add(
    made: Plan, part: MemberPlan, member: LLMJudge, transcript: Transcript, repeat: int, ledger: Ledger, pending: dict[str, str]
) -> None:
    try:
        questions = [question for step in member.questions(transcript) for question in step]
    except TooLong:
        made.too_long += 1
        return
    for question in questions:
        call = member.call(question, repeat)
        if call.key in pending:
            made.under_way += 1
        elif ledger.reply(call.key) is not None:
            made.paid += 1
        else:
            usage = _usage(call, member.form.cache_use(question), part.kept)
            cost = member.price.of(usage) if member.price else None
            part.usage += usage.model_copy(update={"cost_usd": cost})
            # Whether the requests of a batch find each other's beginnings in a cache is the provider's luck.
            uncached = usage.model_copy(update={"cached_tokens": 0, "written_tokens": 0})
            known = part.batch_usd is not None and member.price is not None
            part.batch_usd = part.batch_usd + member.price.of(uncached, batch=True) if known else None  # type: ignore[operator, union-attr]


def _usage(call: Call, cache: CacheUse, kept: set[str]) -> Usage:
    """Return what a call will use; `kept` grows by what it leaves in the cache."""
    read = cache.known if cache.reads in kept and cache.known >= SHORTEST_PREFIX else 0
    new = any(name not in kept for name in cache.leaves)
    written = cache.whole - read if new and cache.whole >= SHORTEST_PREFIX else 0
    if cache.reads not in cache.leaves:
        kept.discard(cache.reads)  # nothing reads it again: the next request reads what this one leaves
    kept.update(cache.leaves)
    return Usage(requests=1, input_tokens=call.tokens, cached_tokens=read, written_tokens=written, output_tokens=call.output)


def _priced(judge: Judge) -> bool:
    return not isinstance(judge, LLMJudge) or judge.price is not None
