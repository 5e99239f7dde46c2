"""Three questions about people and judge, in order, each answered PASS, FAIL or UNDECIDED, with what to do where it is no pass."""

from collections.abc import Mapping

from golden_set.audit.closeness import Closeness
from golden_set.audit.estimates import HANDLING, Frame, Labelled, bias
from golden_set.audit.findings import Interval
from golden_set.audit.resampling import LEAST, LEVEL, Figure
from golden_set.decision import Decision
from golden_set.findings import Finding
from judge.rubric import Rubric

PEOPLE, JUDGE, MARGIN = 0.60, 0.50, 0.10  # ordinal alpha, weighted kappa, levels of a scale from 1 to 5
RANGE = 4  # levels between the ends of such a scale

FIX_THE_RUBRIC = "people do not mean the same by the rubric: mend its levels first, no judge can be better than they are"
DO_NOT_TRAIN = "do not train on this judge: mend its prompt or choose another"
CALIBRATE = "run `judge calibrate`, so that rewards follow the scale of people"


def findings(close: Closeness, frame: Frame, found: Mapping[str, Labelled], rubric: Rubric) -> tuple[Finding, ...]:
    """Return whether people agree with each other, whether the judge agrees with them, and whether it is biased."""
    return (_people(close.people), _judge(close.kappa), _unbiased(frame, found, rubric))


def at_least(seen: Interval, wanted: float) -> Decision:
    """Return PASS if the whole interval is at or above what is wanted, FAIL if all of it is below; UNDECIDED if it is not known."""
    if seen.low is None or seen.high is None:
        return Decision.UNDECIDED
    return Decision.PASS if seen.low >= wanted else Decision.FAIL if seen.high < wanted else Decision.UNDECIDED


def within(seen: Interval, margin: float) -> Decision:
    """Return PASS if the whole interval lies within the margin around 0, FAIL if all of it lies outside on one side."""
    if seen.low is None or seen.high is None:
        return Decision.UNDECIDED
    if -margin <= seen.low and seen.high <= margin:
        return Decision.PASS
    return Decision.FAIL if seen.low > margin or seen.high < -margin else Decision.UNDECIDED


def _people(alpha: Figure) -> Finding:
    seen = alpha.interval()
    decision = at_least(seen, PEOPLE)
    told = {
        Decision.PASS: f"over {alpha.episodes} dialogues that two people rated",
        Decision.FAIL: FIX_THE_RUBRIC,
        Decision.UNDECIDED: _too_few(alpha, "rated by two people", "have more rated twice"),
    }[decision]
    return Finding(
        name="people agree with each other", decision=decision, told=told, figure=seen.value, low=seen.low, high=seen.high,
        asked=f"ordinal alpha, mean over criteria that are not critical, at least {PEOPLE:.2f}",
    )  # fmt: skip


def _judge(kappa: Figure) -> Finding:
    seen = kappa.interval()
    decision = at_least(seen, JUDGE)
    told = {
        Decision.PASS: f"over {kappa.episodes} dialogues",
        Decision.FAIL: DO_NOT_TRAIN,
        Decision.UNDECIDED: f"{_too_few(kappa, 'rated', 'have more rated')}; until then do not train on it",
    }[decision]
    return Finding(
        name="the judge agrees with people", decision=decision, told=told, figure=seen.value, low=seen.low, high=seen.high,
        asked=f"weighted kappa, mean over criteria that are not critical, at least {JUDGE:.2f}",
    )  # fmt: skip


def _unbiased(frame: Frame, found: Mapping[str, Labelled], rubric: Rubric) -> Finding:
    """Return whether the judge is biased: by its rating of the whole, or by any criterion alone (Bonferroni: there are several)."""
    whole = _scaled(bias(frame, HANDLING, found.get(HANDLING)), RANGE / 2)  # handling lies on [-1, 1]
    scales = {one.name: one.scale for one in rubric.turn_criteria} | {f"{one.name} (episode)": one.scale for one in rubric.episode}
    level = 1 - (1 - LEVEL) / len(scales)
    seen = {name: _scaled(bias(frame, name, found.get(name), level), RANGE / (scale.high - scale.low)) for name, scale in scales.items()}
    off = {name: one.value for name, one in seen.items() if one.value is not None and within(one, MARGIN) is Decision.FAIL}
    decision = Decision.FAIL if off else within(whole, MARGIN)
    named = ", ".join(f"{name} {value:+.2f}" for name, value in sorted(off.items(), key=lambda one: -abs(one[1])))
    told = {
        Decision.PASS: "over all episodes of the log, by people and judge together",
        Decision.FAIL: f"{'off by itself, too: ' + named + '; ' if named else ''}{CALIBRATE}",
        Decision.UNDECIDED: (
            f"fewer than {LEAST} dialogues with every rating" if whole.low is None else "the interval is too wide to tell; have more rated"
        ),
    }[decision]
    return Finding(
        name="the judge is not biased", decision=decision, told=told, figure=whole.value, low=whole.low, high=whole.high,
        asked=f"judge minus people over the log, each criterion and the handling, within ±{MARGIN:.2f}, all put on a 1-5 scale",
    )  # fmt: skip


def _scaled(seen: Interval, by: float) -> Interval:
    return Interval(**{name: None if value is None else value * by for name, value in seen.model_dump().items()})


def _too_few(figure: Figure, what: str, then: str) -> str:
    if figure.episodes < LEAST:
        return f"{figure.episodes} dialogues were {what}; an interval takes {LEAST} or more"
    return f"the interval is too wide to tell; {then}"
