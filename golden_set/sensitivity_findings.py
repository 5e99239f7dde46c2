"""What the answers under several prompts say: variances and designs of each measure, flips, and each prompt against the plain one.

The arithmetic is in variance.py and flips.py; here is what it is applied to, and against which targets.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from golden_set.crossed import HANDLING, TURN_MEAN, Crossed, Measure
from golden_set.decision import Decision
from golden_set.flips import Flips, Frequency, advantages, rank_flips, sign_flips, verdict_flips
from golden_set.sensitivity_report import Compared, Design, Estimate, FlipsFound, MeasureFound, Shift, Variances
from golden_set.sheet import by_episode
from golden_set.variance import BOTH, ITEM, LEAST_SUPPORT, PROMPT, RUN, Span, Study
from golden_set.wording import Arm, Prompt
from judge.contract import Judge
from judge.rubric import Criterion

PHI, SAME, RANGE = 0.80, 0.90, 0.15  # targets: Φ of one rating, share of same verdicts, range of means in levels of 1 to 5
MOST_PROMPTS, MOST_RUNS = 5, 5  # of the designs that are looked at
FIVE = 4  # steps of a scale from 1 to 5
LEAST_EPISODES = 10  # for any interval of a variance


def measure_found(measure: Measure, prompts: Sequence[str], price: float | None) -> MeasureFound:
    """Return where the variance of a measure comes from, and whether one rating is enough.

    Args:
        prompts: names, in the order of the measure's array.
        price: of one rating of a dialogue, in dollars.
    """
    study = Study.of(measure.values, measure.episode)
    found = study.components
    enough = len(study.counts) >= LEAST_EPISODES
    spans = [study.span(part) if enough else None for part in (ITEM, PROMPT, BOTH, RUN)]
    parts = dict(zip(("item", "prompt", "item_prompt", "residual"), spans, strict=True))
    names = {name: getattr(found, name) for name in parts}
    designs = tuple(_design(study, p, r, price) for p in range(1, MOST_PROMPTS + 1) for r in range(1, MOST_RUNS + 1))
    one = designs[0]
    decision, why = _one_rating(study, one)
    means = measure.values.mean((0, 2))
    of_five = FIVE / (measure.high - measure.low)
    spread = float(np.ptp(means))
    return MeasureFound(
        name=measure.name,
        of="episode" if measure.of_episode else "turn",
        low=measure.low,
        high=measure.high,
        items=study.items,
        support=study.support,
        variances=Variances(
            **{name: _estimate(value, parts[name]) for name, value in names.items()},
            shares={name: value / found.total for name, value in names.items()} if found.total else None,
        ),
        g=one.g,
        phi=Estimate(value=one.phi, low=one.low, high=one.high, met=None if one.phi is None else one.phi >= PHI),
        decision=decision,
        why=why,
        designs=designs,
        recommended=recommended([designs]),
        prompt_means=dict(zip(prompts, means.tolist(), strict=True)),
        range=spread,
        range_of_five=spread * of_five,
        range_met=spread * of_five <= RANGE,
    )


def _estimate(value: float, span: Span | None) -> Estimate:
    return Estimate(value=value, low=span.low if span else None, high=span.high if span else None)


def _design(study: Study, prompts: int, runs: int, price: float | None) -> Design:
    enough = len(study.counts) >= LEAST_EPISODES
    span = study.phi_span(prompts, runs) if enough else None
    ratings = prompts * runs
    return Design(
        prompts=prompts,
        runs=runs,
        ratings=ratings,
        weight=float(ratings),
        usd=None if price is None else price * ratings,
        g=study.components.g(prompts, runs),
        phi=study.components.phi(prompts, runs),
        low=span.low if span else None,
        high=span.high if span else None,
    )


def _one_rating(study: Study, design: Design) -> tuple[Decision, str]:
    if design.phi is None:
        return Decision.UNDECIDED, "every rating was the same: nothing tells whether items can be told apart"
    if design.low is None or design.high is None:
        return Decision.UNDECIDED, f"fewer than {LEAST_EPISODES} episodes"
    if not study.supported:
        return Decision.UNDECIDED, f"the differences between items rest on {study.support:.1f} episodes; {LEAST_SUPPORT:g} are needed"
    if design.low >= PHI:
        return Decision.PASS, f"the interval lies above {PHI:.2f}"
    return (Decision.FAIL, f"the interval lies below {PHI:.2f}") if design.high < PHI else (Decision.UNDECIDED, f"it holds {PHI:.2f}")


def recommended(tables: Sequence[Sequence[Design]]) -> Design | None:
    """Return the cheapest design whose Φ reaches the target in every table, with the lowest Φ among them.

    Of equally dear ones, that with fewer prompts: each wording is one more text to keep right.
    """
    reaching = [
        min(rows, key=lambda row: row.phi or 0.0)
        for rows in zip(*tables, strict=True)
        if all(row.phi is not None and row.phi >= PHI for row in rows)
    ]
    return min(reaching, key=lambda row: (row.weight, row.prompts), default=None)


def verdict_findings(crossed: Crossed) -> tuple[FlipsFound, ...]:
    """Return how often decisions turn around."""
    found = []
    for measure in crossed.turns:
        if isinstance(measure.criterion, Criterion) and measure.criterion.critical:
            violated = measure.values < measure.criterion.scale.low + 0.5  # as `Criterion.violated`
            found.append(_found(f"{measure.name}: violated or not", violated.shape[0], verdict_flips(violated, measure.episode), SAME))
    handling = crossed.measure(HANDLING, of_episode=True)
    found.append(_found("handling: above 0 or not", len(handling.values), verdict_flips(handling.values > 0, handling.episode), SAME))
    for measure in crossed.measures:
        if measure.criterion:
            of = "episode" if measure.of_episode else "turn"
            level = np.floor(measure.values + 0.5)
            found.append(_found(f"{measure.name} ({of}): rounded level", len(level), verdict_flips(level, measure.episode), SAME))
    return tuple(found)


def learning_findings(crossed: Crossed) -> tuple[FlipsFound, ...]:
    """Return how often what a learner is told turns around."""
    mean = crossed.measure(TURN_MEAN, of_episode=False)
    handling = crossed.measure(HANDLING, of_episode=True).values
    advantage = advantages(mean.values, crossed.places)
    outcomes = [case.outcome for case in crossed.cases]
    alike = np.array([[one is not None and one == other for other in outcomes] for one in outcomes])
    count = len(outcomes)
    return (
        _found("sign of a turn's advantage", len(advantage), sign_flips(advantage, mean.episode)),
        _found("order of two episodes", count * (count - 1) // 2, rank_flips(handling, np.ones((count, count), dtype=bool))),
        _found("order of two episodes with the same outcome", int((alike.sum() - np.diag(alike).sum()) // 2), rank_flips(handling, alike)),
    )


def _found(what: str, items: int, flips: Flips, target: float | None = None) -> FlipsFound:
    other = flips.prompts
    same = [None if value is None else 1 - value for value in (other.value, other.high, other.low)]
    return FlipsFound(
        what=what,
        items=items,
        prompts=_frequency(flips.prompts),
        runs=_frequency(flips.runs),
        excess=_frequency(flips.excess),
        same=Estimate(value=same[0], low=same[1], high=same[2], met=None if same[0] is None or target is None else same[0] >= target),
    )


def _frequency(found: Frequency) -> Estimate:
    return Estimate(value=found.value, low=found.low, high=found.high)


def compared(prompt: Prompt, judge: Judge, pair: Crossed) -> Compared:
    """Return what a prompt changes against the plain one."""
    studies = {_key(measure): Study.of(measure.values, measure.episode).components for measure in pair.measures}
    return Compared(
        prompt=prompt.name,
        arm=prompt.arm or Arm.PARAPHRASES,
        rubric_hash=judge.id.rubric_hash,
        judge_key=judge.id.key,
        cases=len(pair.cases),
        shifts=tuple(_shift(measure, len(pair.cases)) for measure in pair.measures),
        flips=(*verdict_findings(pair), *learning_findings(pair)),
        phi={key: study.phi() for key, study in studies.items()},
        prompt_share={key: (study.prompt + study.item_prompt) / study.total if study.total else None for key, study in studies.items()},
    )


def _key(measure: Measure) -> str:
    return f"{'episode' if measure.of_episode else 'turn'}/{measure.name}"


def _shift(measure: Measure, episodes: int) -> Shift:
    """Return the difference of the second prompt from the first."""
    means = measure.values.mean(2)
    differences = by_episode(means[:, 1] - means[:, 0], measure.episode, episodes)
    mean, se = float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(episodes))
    reach = float(stats.t.isf(0.025, episodes - 1)) * se
    return Shift(
        measure=measure.name,
        of="episode" if measure.of_episode else "turn",
        mean=mean,
        se=se,
        low=mean - reach,
        high=mean + reach,
        of_five=mean * FIVE / (measure.high - measure.low),
    )
