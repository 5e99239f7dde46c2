"""What `judge golden attack` prints: the catalogue, the plan, and the report as aligned text."""

import json
from collections.abc import Mapping, Sequence

from golden_set.attacks.mutation import Mutation
from golden_set.attacks.report import AttackReport, AttackResult, Correlated, Example, Measured, Rate
from golden_set.case import EPISODE
from golden_set.decision import UNREACHED, Decision
from judge.plan import Plan

MEANING = {"=": "must not move", "≤": "must not rise", "<": "must fall", "low": "must be low"}


def tell_catalogue(attacks: Sequence[Mutation], *, as_json: bool) -> None:
    """Print every attack with what may become of the rating."""
    if as_json:
        entries = [
            {
                "name": attack.name,
                "family": attack.family.value,
                "direction": attack.direction.value,
                "compares": [compared.value for compared in attack.compares],
                "about": attack.about,
                "gates": attack.gates,
            }
            for attack in attacks
        ]
        print(json.dumps(entries, ensure_ascii=False))
        return
    wide = max(len(attack.name) for attack in attacks)
    for attack in attacks:
        print(f"{attack.name:<{wide}}  {attack.direction.value:<3}  {attack.family.value:<16}  {attack.about}")
    print(", ".join(f"{sign} {meaning}" for sign, meaning in MEANING.items()))


def tell_plan(plans: Mapping[str, Plan], attacks: int, *, as_json: bool) -> None:
    """Print what would be asked of the dialogues as they are, and of their mutants."""
    if as_json:
        told = {
            name: {"dialogues": plan.dialogues, "rated": plan.rated, "too_long": plan.too_long} | plan.total.model_dump()
            for name, plan in plans.items()
        }
        print(json.dumps({"attacks": attacks} | told, ensure_ascii=False))
        return
    print(f"{attacks} attacks")
    for name, plan in plans.items():
        total = plan.total
        if not total.requests:
            asked = "no request"
        else:
            price = "price not known" if total.cost_usd is None else f"${total.cost_usd:.4f}"
            read = f"{total.input_tokens:,} input tokens ({total.cached_tokens:,} from the prompt cache)"
            asked = f"{total.requests:,} requests, {read}, {total.output_tokens:,} output tokens; {price}"
        too_long = f"; {plan.too_long:,} are too long for a request and will fail" if plan.too_long else ""
        print(f"{plan.dialogues:,} {name}, {plan.rated:,} of them rated already: {asked}{too_long}")


def tell(report: AttackReport, *, as_json: bool) -> None:
    """Print a report."""
    if as_json:
        print(report.model_dump_json())
        return
    wide = max((len(result.name) for result in report.attacks), default=0)
    for result in report.attacks:
        print(_line(result, wide))
        for example in result.worst[:1] if result.decision is not Decision.PASS else ():
            print(f"{'':11}{_example(example)}")
    for name, rate in report.recall.items():
        print(f"recall of {name}: {_share(rate)}, at least {rate.low:.0%}")
    for one in report.length:
        print(_length(one))
    failed = f"; {report.failed:,} of {report.asked:,} answers failed" if report.failed else ""
    if report.status == UNREACHED:
        print(f"the judge failed too often{failed}: {', '.join(f'{count} {kind}' for kind, count in report.failures.items())}")
        return
    counts = {kind: sum(one.decision is kind and one.gates for one in report.attacks) for kind in Decision}
    told = ", ".join(f"{count} {kind.value}" for kind, count in counts.items())
    print(f"{report.decision.value}: {report.judge} under attack; {told}{failed}")


def _line(result: AttackResult, wide: int) -> str:
    decision = result.decision.value if result.decision else "-"
    head = f"{decision if result.gates else 'told':<9}  {result.name:<{wide}}  {result.direction:<3}  {result.dialogues:>3} dialogues"
    if result.decision is None:
        return f"{head}  applies to none"
    parts = [_measured(one, signed=result.direction != "low") for one in result.measured]
    if result.below_worst:
        parts.append(f"below the worst real ones: {result.below_worst.value}")
    if result.sum_change is not None:
        parts.append(f"sum {result.sum_change:+.2f}")
    if result.vetoes_lost:
        parts.append(f"{result.vetoes_lost} of {result.vetoes} violations no longer seen")
    return f"{head}  {'  '.join(parts)}  success {_share(result.success)}, at most {result.success.high:.0%}"


def _measured(one: Measured, *, signed: bool) -> str:
    def number(value: float | None) -> str:
        return "?" if value is None else f"{value:+.2f}" if signed else f"{value:.2f}"

    return f"{one.compared} {number(one.mean)} [{number(one.low)}, {number(one.high)}]"


def _share(rate: Rate) -> str:
    return f"{rate.hits}/{rate.count}"


def _example(example: Example) -> str:
    put_in = " ".join(example.put_in.split())
    shown = put_in if len(put_in) <= 70 else put_in[:67] + "..."
    before = "" if example.before is None else f"{example.before:.2f} -> "
    where = example.place if example.place == EPISODE else f"turn {example.place}"
    return f"{example.case}, {where}: {before}{example.after:.2f} for {shown!r} ({example.criterion}: {example.reason})"


def _length(one: Correlated) -> str:
    if one.value is None:
        return f"{one.of} and the number of turns: no correlation is defined"
    interval = "" if one.low is None or one.high is None else f" [{one.low:+.2f}, {one.high:+.2f}]"
    return f"{one.of} and the number of turns: correlation {one.value:+.2f}{interval}"
