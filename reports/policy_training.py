"""The pages of `judge train`: Markdown for a summary, HTML for people, with the learning curve."""

import math
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from policies.curve import margin
from policies.training import Ended
from policies.training_report import Stretch, TrainingReport
from reports.conclusion import Conclusion, opening
from reports.learning_curve import Trace, learning_curve, short
from reports.numerals import UNKNOWN, number, whole
from reports.page import write_pages
from reports.quoting import in_markdown, told_in_markdown
from rewards.admission import MIXABLE

WINDOWS = 100  # points of a drawn line, at most
TERMS = 6  # lines of a chart, at most
HASH = re.compile("[0-9a-f]{32,}")
TITLES = {"law3": "What was admitted", "env_options": "Environment", "allowed": "Allowed in words", "log": "Files"}


def write(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write `policy-training.md` and `policy-training.html`; return their paths."""
    found = TrainingReport.model_validate(report)
    found = found.model_copy(update={"warnings": (*found.warnings, *_granted(found.manifest.get("law3")))})
    windows = joined(found.stretches)
    terms = _names(windows, "terms")
    return write_pages(
        folder,
        found.kind,
        "\n".join(_summary(found)) + "\n",
        report=found,
        conclusion=conclude(found),
        curve=_returns(found, windows),
        terms=[(f"term{place}", name) for place, name in enumerate(terms[:TERMS])],
        more_terms=terms[TERMS:],
        made_of=_made_of(found, windows, terms[:TERMS]),
        metrics=[(name, spelled(name), _metric(found, windows, name)) for name in _names(windows, "metrics")],
        windows=joined(found.stretches, 10),
        facts=_facts(found),
        manifest=_told(found.manifest),
        short=short,
    )


def conclude(report: TrainingReport) -> Conclusion:
    """Return what the training comes to."""
    episodes = f"{whole(report.episodes)} episodes{' shown' if report.logged else ''}"
    done = f"{report.learner} learned on {report.where} for {whole(report.steps)} steps ({episodes})"
    evaluate = ("evaluate", f"{report.folder}/policy.json")
    measured = (
        f"Estimate what the policy would earn, on calls it did not learn from: {_judge(*evaluate, '--from', 'FILE')}."
        if report.logged
        else f"Measure what the policy earns: {_judge(*evaluate, '--env', report.where, *_env_set(report.manifest.get('env_options')))}. "
        "While it learned, it explored as well."
    )
    if report.manifest.get("scoring"):
        measured += " That is by the environment’s own reward, not by the recipe’s."
    further = ("--from", "FILE") if report.logged else ("--more", str(max(report.steps, 1)))
    going_on = f"Go on with it: {_judge('train', '--resume', report.folder, *further)}."
    first, latest = report.first, report.latest
    if latest.mean is None or first.mean is None:
        return Conclusion("UNKNOWN", "No episode has ended yet", f"{done}; no episode came to its end, so there is no return.", (going_on,))
    change = f"{_with_margin(first)} in the first tenth and {_with_margin(latest)} in the last tenth{_judged(first, latest)}"
    told = f"{done}. Its return was {change}."
    if report.logged:
        state, headline = ("STOPPED", "Stopped") if report.ended is Ended.STOPPED else ("TRAINED", "Learned from logged calls")
        told = f"{done}. The calls shown last have a return of {_with_margin(latest)}: that is what those who acted in them earned."
        return Conclusion(state, headline, told, (going_on,) if report.ended is Ended.STOPPED else (measured, going_on))
    if report.ended is Ended.STOPPED:
        return Conclusion("STOPPED", f"Stopped at a return of {number(latest.mean)}", told, (going_on,))
    return Conclusion("TRAINED", f"Return {number(latest.mean)}", told, (measured, going_on))


def _judge(*words: str) -> str:
    """Return a command that can be copied into a shell as it stands."""
    return f"`{shlex.join(('judge', *words))}`"


def _env_set(options: Any) -> Iterator[str]:
    """Yield the options of the environment as a command line has them: with others it is another environment."""
    for name, value in (options or {}).items():
        yield from ("--env-set", f"{name}={value}")


def _granted(law: Any) -> Iterator[str]:
    """Yield what law 3 forbids, was met, and went through because the command line allowed it."""
    held = law or {}
    judges = held.get("judges", [])
    for judge in judges:
        if judge["leave"] in ("uncleared", "voided"):
            yield (
                f"The judge {judge['provider']}/{judge['model']} has no leave to produce rewards ({judge['leave']}): "
                "`--allow-uncleared` let them through. Run `judge golden check` on it."
            )
    if len(judges) > 1:
        yield f"The rewards are of {len(judges)} judges, whose ratings need not mean the same: `--allow-mixed-judges` let them through."
    for name, what in MIXABLE.items():
        if len(held.get(name, {})) > 1:
            yield f"The rewards are of {len(held[name])} {what}: `--allow-mixed-recipes` let them through."


def joined(stretches: Sequence[Stretch], most: int = WINDOWS) -> list[Stretch]:
    """Return stretches in about so many windows of equally many of them, with the mean and interval of all episodes in each."""
    size = max(1, math.ceil(len(stretches) / most))
    windows = max(1, round(len(stretches) / size))  # a last one of a few stretches goes to the one before it
    ends = [size * at for at in range(1, windows)] + [len(stretches)]
    return [_joined(stretches[begin:end]) for begin, end in zip([0, *ends], ends, strict=False) if begin < end]


def _joined(parts: Sequence[Stretch]) -> Stretch:
    known = [(part.episodes, part.mean, part.squares) for part in parts if part.mean is not None]
    episodes = sum(count for count, _, _ in known)
    mean = sum(count * value for count, value, _ in known) / episodes if episodes else None
    squares = sum(inner + count * (value - (mean or 0.0)) ** 2 for count, value, inner in known)
    return Stretch(
        steps=parts[-1].steps,
        episodes=episodes,
        mean=mean,
        margin=margin(squares, episodes, parts[-1].of),
        squares=squares,
        of=parts[-1].of,
        metrics=_metrics(parts),
        terms=_terms(parts),
    )


def _metrics(parts: Sequence[Stretch]) -> dict[str, float]:
    held = {name: [part.metrics[name] for part in parts if name in part.metrics] for name in _names(parts, "metrics")}
    return {name: sum(values) / len(values) for name, values in held.items()}


def _terms(parts: Sequence[Stretch]) -> dict[str, float]:
    """Return the mean of each term over all episodes: a term that was not told of beside others is 0 there."""
    told = [part for part in parts if part.terms and part.episodes]
    episodes = sum(part.episodes for part in told)
    return {name: sum(part.episodes * part.terms.get(name, 0.0) for part in told) / episodes for name in _names(told, "terms")}


def _names(parts: Sequence[Stretch], table: str) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in getattr(part, table)))


def _judged(first: Stretch, latest: Stretch) -> str:
    """Say whether the difference is more than chance: whether the two 95 % intervals leave zero out of the difference's."""
    if first.margin is None or latest.margin is None or first.mean is None or latest.mean is None or first == latest:
        return ""
    apart, error = latest.mean - first.mean, math.hypot(first.margin, latest.margin)
    return ", which is higher" if apart > error else ", which is lower" if apart < -error else ", which may be chance"


def _with_margin(one: Stretch) -> str:
    return number(one.mean, 3) + (f" ± {number(one.margin, 3)}" if one.margin is not None else "")


def _returns(report: TrainingReport, windows: Sequence[Stretch]) -> Any:
    points = [(float(one.steps), one.mean) for one in windows]
    if not any(value is not None for _, value in points):
        return None
    name = f"Mean return over {whole(report.steps)} steps; {_with_margin(report.latest)} in the last tenth"
    return learning_curve([Trace("main", "return", points, [one.margin for one in windows])], report.steps, name=name, zero=True)


def _made_of(report: TrainingReport, windows: Sequence[Stretch], terms: Sequence[str]) -> Any:
    if not terms:
        return None
    latest = ", ".join(f"{term} {number(report.latest.terms.get(term))}" for term in terms)
    traces = [
        Trace(f"term{place}", term, [(float(one.steps), one.terms.get(term, 0.0) if one.terms else None) for one in windows])
        for place, term in enumerate(terms)
    ]
    return learning_curve(traces, report.steps, name=f"Terms of the return; in the last tenth {latest}", zero=True)


def _metric(report: TrainingReport, windows: Sequence[Stretch], metric: str) -> Any:
    points = [(float(one.steps), one.metrics.get(metric)) for one in windows]
    name = f"{spelled(metric)} over {whole(report.steps)} steps; {number(report.latest.metrics.get(metric), 4)} in the last tenth"
    return learning_curve([Trace("other" if metric != "loss" else "main", metric, points)], report.steps, name=name)


def _facts(report: TrainingReport) -> list[tuple[str, str]]:
    speed = f"{whole(round(report.run_steps / report.seconds))} a second" if report.seconds > 0 and report.run_steps else "–"
    ended = {Ended.STEPS: "all steps done", Ended.SOURCE: "no more experience", Ended.STOPPED: "stopped"}
    return [
        ("Learner", report.learner),
        ("From", report.where),
        ("Seed", str(report.seed)),
        ("Steps", whole(report.steps)),
        ("Batches", whole(report.batches)),
        ("Episodes that ended", whole(report.episodes)),
        ("Ended", ended[report.ended]),
        ("Steps of the last run", f"{whole(report.run_steps)} ({speed})"),
    ]


def _told(manifest: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the tables of a manifest as names and texts; plain values stand among the facts already."""
    tables = [(name, table) for name, table in manifest.items() if isinstance(table, dict) and table]
    return [(TITLES.get(name, spelled(name)), [(spelled(key), _text(value)) for key, value in table.items()]) for name, table in tables]


def _text(value: Any) -> str:
    """Return a value in words; of a hash its beginning, as everywhere."""
    if isinstance(value, dict):
        return ", ".join(f"{spelled(name)} {_text(one)}" for name, one in value.items()) or UNKNOWN
    if isinstance(value, list):
        return "; ".join(_text(one) for one in value) or UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return UNKNOWN
    return value[:12] if isinstance(value, str) and HASH.fullmatch(value) else str(value)


def spelled(name: str) -> str:
    """Return a name of ours as words."""
    return name.replace("_", " ")


def _summary(report: TrainingReport) -> Iterator[str]:
    warnings = (f"> **Warning:** {told_in_markdown(warning)}\n" for warning in report.warnings)
    yield from opening("Training", conclude(report), warnings)
    yield "\n| steps | episodes | return | ± | loss |\n|--:|--:|--:|--:|--:|"
    for one in joined(report.stretches, 10):
        loss = number(one.metrics.get("loss"), 4)
        yield f"| {whole(one.steps)} | {whole(one.episodes)} | {number(one.mean, 3)} | {number(one.margin, 3)} | {loss} |"
    yield f"\n{in_markdown(report.learner)} · {in_markdown(report.where)} · seed {report.seed}"
