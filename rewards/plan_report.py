"""What `judge score --plan` and `--batch` print: a bill before it is one, and what was submitted."""

import json

from judge.deferred import Submitted
from judge.plan import SECONDS_AN_ANSWER, Plan


def print_plan(plan: Plan, rejected: int, *, as_json: bool) -> None:
    """Print a plan as lines of text, or as JSON."""
    total = plan.total
    if as_json:
        members = {part.name: part.usage.model_dump() | {"batch_usd": part.batch_usd} for part in plan.members.values()}
        told = {
            "dialogues": plan.dialogues,
            "rated": plan.rated,
            "rejected": rejected,
            "too_long": plan.too_long,
            "answers_paid": plan.paid,
            "requests_under_way": plan.under_way,
            "total": total.model_dump(),
            "batch_usd": plan.batch_usd,
            "seconds": round(plan.seconds, 1),
            "judges": members,
        }
        print(json.dumps(told, ensure_ascii=False))
        return
    print(f"{plan.dialogues:,} dialogues, {plan.rated:,} of them rated already" + (f"; {rejected:,} rejected" if rejected else ""))
    if plan.paid or plan.under_way:
        print(f"{plan.paid:,} answers are paid for, {plan.under_way:,} requests are under way in a batch")
    if plan.too_long:
        print(f"{plan.too_long:,} are too long for a request and will fail")
    for part in plan.members.values():
        used = part.usage
        if not used.requests:
            print(f"{part.name}: nothing to ask")
            continue
        price = "price not known: name a price table with --prices"
        if used.cost_usd is not None and part.batch_usd is not None and part.priced:
            price = f"${used.cost_usd:.4f}, or at most ${part.batch_usd:.4f} with --batch"
        tokens = f"{used.input_tokens:,} input tokens ({used.cached_tokens:,} from the prompt cache), {used.output_tokens:,} output tokens"
        print(f"{part.name}: {used.requests:,} requests, {tokens}; {price}")
    caps = [f"{cap:g} {name}" for cap, name in ((plan.terms.rpm, "requests a minute"), (plan.terms.tpm, "tokens a minute")) if cap]
    rule = f"{plan.terms.concurrency} in flight at {SECONDS_AN_ANSWER:g} s each" + "".join(f", at most {cap}" for cap in caps)
    print(f"about {_time(plan.seconds)} ({rule}); tokens are estimated at 4 bytes each, thoughts of reasoning models not counted")


def print_submitted(done: Submitted, rejected: int, *, as_json: bool) -> None:
    """Print what was submitted."""
    if as_json:
        names = ("batches", "requests", "rated", "under_way", "too_long", "stopped")
        print(json.dumps({name: getattr(done, name) for name in names} | {"rejected": rejected}))
        return
    print(f"{done.requests:,} requests submitted in {done.batches:,} batches; {done.rated:,} dialogues are rated already")
    if done.stopped:
        print(f"not everything was submitted: {done.stopped}")
    if done.under_way:
        print(f"{done.under_way:,} requests are under way or answered")
    if done.too_long or rejected:
        print(f"{done.too_long:,} dialogues are too long for a request, {rejected:,} were rejected")
    if done.requests or done.under_way:
        print("next: `judge batch status`; `judge batch collect` when they have ended; then this command without --batch")


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
