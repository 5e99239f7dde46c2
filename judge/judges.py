"""The judge that `--judge` names, of the entry points `judge.judges` and `judge.models`, and the terms that the settings give it."""

from collections.abc import Mapping
from pathlib import Path

from dialogue.errors import UsageProblem, did_you_mean, listed
from dialogue.installed import installed
from judge.contract import JUDGES, MODELS, Judge, JudgeMaker, Terms
from judge.llm import make_chat_judge
from judge.meter import Meter
from judge.pooling import Repeats
from judge.prices import load_prices
from judge.rubric import Rubric
from judge.settings import Settings


def make_judge(spec: str, rubric: Rubric, terms: Terms | None = None) -> Judge:
    """Return the judge that `--judge spec` names (`local`, or `name:rest`).

    Raises:
        UsageProblem: no such judge is installed, or it refuses the rubric or the rest of the spec.
    """
    name, _, rest = spec.partition(":")
    judges, models = installed(JUDGES), installed(MODELS)
    if name in judges:
        maker: JudgeMaker = judges[name].load()
        return maker(rubric, rest, terms or Terms())
    if name in models:
        return make_chat_judge(rubric, name, rest, terms or Terms())
    known = sorted({*judges, *models})
    raise UsageProblem(f"unknown judge {name!r}{did_you_mean(name, known)}; installed: {listed(known)}")


def terms_of(settings: Settings, environ: Mapping[str, str], record: Path | None = None) -> Terms:
    """Return how providers are asked.

    Raises:
        UsageProblem: the price table is wrong.
    """
    return Terms(
        concurrency=settings.concurrency,
        timeout=settings.timeout,
        max_retries=settings.max_retries,
        rpm=settings.rpm,
        tpm=settings.tpm,
        record=record,
        meter=Meter(settings.budget_usd, settings.max_requests),
        prices=load_prices(settings.prices),
        environ=environ,
    )


def repeats_of(settings: Settings) -> Repeats:
    """Return how often each transcript is rated.

    Raises:
        UsageProblem: fewer with `escalate` than without.
    """
    most = settings.escalate or settings.repeats
    if most < settings.repeats:
        raise UsageProblem(f"--escalate {most} is fewer than --repeats {settings.repeats}; it is the most that is asked for")
    return Repeats(settings.repeats, most)
