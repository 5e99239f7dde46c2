"""The pages of an audit: the answer first in words, every figure that is known, hostile words as text, and nothing that is not known."""

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dialogue.visible import shown
from golden_set.audit.findings import AuditReport, Interval
from golden_set.audit.sample import AuditSample, Stratum
from golden_set.decision import Decision
from golden_set.findings import Finding
from judge.rubric import Rubric, load_rubric
from judge.verdict import JudgeId
from reports.audit_charts import difference_charts, mean_charts, slice_charts
from reports.audit_conclusion import conclude
from reports.audit_report import AT_ONCE, write
from reports.audit_table import level, percent_signed, told
from reports.numerals import signed
from reports.quoting import JOINER, one_line

RUBRIC: Rubric = load_rubric("collections")
JUDGE = JudgeId(provider="compatible", model="m-1", rubric="collections", rubric_hash=RUBRIC.hash, prompt_hash="cd" * 32)
Reader = Callable[[str], Any]
Data = dict[str, Any]


def interval(value: float | None, half: float = 0.08) -> Data:
    return {"value": value} | ({} if value is None else {"low": value - half, "high": value + half})


def sample(**changes: Any) -> Data:
    strata = (
        Stratum(name="HANGUP · low", size=611, drawn=24),
        Stratum(name="PAYMENT · high", size=3_477, drawn=56),
        Stratum(name="judge sees a violation", size=122, drawn=40),
    )
    made = AuditSample(
        name="2026-11",
        drawn_on=date(2026, 11, 2),
        seed=7,
        judge=JUDGE,
        rubric=RUBRIC,
        recipe="blend@6db91aed97ce",
        outcomes="collections@0123456789ab",
        stratified_by=("outcome", "band"),
        strata=strata,
        asked_for=120,
        rare=40,
        hunted=20,
        twice=30,
        masked=True,
        unscored=12,
        duplicates=3,
    )
    return made.model_dump(mode="json") | changes


def finding(name: str, decision: str | None, figure: float | None = 0.71, asked: str = "at least 0.60", **changes: Any) -> Data:
    return {"name": name, "decision": decision, "told": f"told of {name}", "asked": asked} | interval_of(figure) | changes


def interval_of(figure: float | None) -> Data:
    return {"figure": figure} | ({} if figure is None else {"low": figure - 0.06, "high": figure + 0.06})


def agreement(criterion: str, kappa: float | None, bias: float | None, people: float | None = 0.78) -> Data:
    ceiling = {"alpha": interval(0.74), "icc": interval(0.76), "kappa": interval(people), "places": 143, "episodes": 28}
    return {
        "criterion": criterion,
        "low": 1,
        "high": 5,
        "labels": 489,
        "episodes": 96,
        "kappa": interval(kappa),
        "spearman": interval(None if kappa is None else kappa + 0.05),
        "alpha": interval(None if kappa is None else kappa - 0.03),
        "icc": interval(None if kappa is None else kappa + 0.02),
        "bias": interval(bias, 0.07),
        "error": None if bias is None else 0.63,
        "people": None if people is None else ceiling,
    }


def estimate(group: str, judge: float | None, both: float | None, *, of: str = "reward", gain: float | None = 1.9) -> Data:
    return {
        "of": of,
        "group": group,
        "frame": 4210,
        "labelled": 96,
        "judge": judge,
        "people": interval(None if both is None else both + 0.02, 0.11),
        "both": interval(both),
        "gain": gain,
        "tuning": 0.83,
    }


def disagreement(text: str = "Agent: You must pay today.", words: str = "kind words", **changes: Any) -> Data:
    people = [{"rater": "r1", "rating": 1.0, "note": words}, {"rater": "r2", "rating": 2.0, "note": ""}]
    return {
        "item": "e017",
        "episode": "call-0093",
        "hunted": False,
        "place": "3",
        "criterion": "respects_limit",
        "low": 1,
        "high": 5,
        "said": text,
        "judge": 4.6,
        "reason": words,
        "quote": text,
        "people": people,
        "apart": 0.775,
    } | changes


def report(**changes: Any) -> Data:
    """Return what an audit found where all is well but for some labels that are missing, with changes."""
    return {
        "kind": "audit-report",
        "sample": sample(),
        "made_on": "2026-11-21",
        "raters": [{"rater": "r1", "items": 96, "ratings": 2890}, {"rater": "r2", "items": 28, "ratings": 840}],
        "response": [
            {"stratum": "HANGUP · low", "size": 611, "drawn": 24, "answered": 20, "complete": 18},
            {"stratum": "PAYMENT · high", "size": 3477, "drawn": 56, "answered": 44, "complete": 44},
            {"stratum": "judge sees a violation", "size": 122, "drawn": 40, "answered": 32, "complete": 30},
        ],
        "findings": [
            finding("people agree with each other", "PASS", 0.78),
            finding("the judge agrees with people", "PASS", 0.66, "at least 0.50"),
            finding("the judge is not biased", "PASS", 0.02, "within ±0.10"),
        ],
        "agreement": [
            agreement("acknowledges", 0.71, 0.02),
            agreement("respects_limit", 0.62, -0.01),
            agreement("handling (episode)", 0.66, 0.0),
        ],
        "slices": [
            {"slice": "policy:v2", "labels": 700, "episodes": 47, "kappa": interval(0.66), "bias": interval(0.04, 0.02)},
            {"slice": "policy:v3", "labels": 720, "episodes": 49, "kappa": interval(0.7), "bias": interval(-0.01, 0.02)},
            {"slice": "outcome:HANGUP", "labels": 300, "episodes": 20, "kappa": interval(0.41), "bias": interval(0.11, 0.05)},
        ],
        "estimates": [
            estimate("all", 0.41, 0.40),
            estimate("policy:v2", 0.33, 0.31),
            estimate("policy:v3", 0.52, 0.54, gain=2.4),
            estimate("outcome:HANGUP", -0.5, -0.62, gain=1.0),
            estimate("all", 3.61, 3.55, of="acknowledges"),
            estimate("all", 0.029, 0.021, of="violation of compliance", gain=2.3),
        ],
        "differences": [
            {"of": "reward", "first": "policy:v3", "second": "policy:v2", "both": interval(0.23, 0.1)},
            {"of": "reward", "first": "policy:v4", "second": "policy:v2", "both": interval(0.03, 0.1)},
        ],
        "violations": [
            {
                "criterion": "compliance",
                "per": "turn",
                "labelled": 489,
                "by_people": 14,
                "by_judge": 17,
                "by_both": 11,
                "recall": interval(0.74, 0.2),
                "precision": interval(0.62, 0.21),
            }
        ],
        "disagreements": [
            disagreement(),
            disagreement(item="e031", place="episode", criterion="handling (episode)", quote=None, judge=1.2, apart=-0.5),
        ],
        "hunted": [
            {
                "item": "e121",
                "episode": "call-2210",
                "why": "good handling, bad ending",
                "rated": 6,
                "apart": 0.75,
                "criterion": "acknowledges",
            }
        ],
        "calibration": None,
    } | changes


FAILED_PEOPLE = [finding("people agree with each other", "FAIL", 0.41), finding("the judge agrees with people", "FAIL", 0.4)]
BIASED = [finding("the judge agrees with people", "PASS"), finding("the judge is not biased", "FAIL", 0.46, "within ±0.10")]
ANSWERED = [{"stratum": "all", "size": 4210, "drawn": 120, "answered": 120, "complete": 120}]
EMPTY = "raters response findings agreement slices estimates differences violations disagreements hunted".split()
NOTHING: Data = {name: [] for name in EMPTY}


def words_of(html: str) -> str:
    """Return the text of a page, a space between any two elements."""
    body = html.partition("<main>")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def pages(data: Data, folder: Path) -> tuple[str, str]:
    """Return Markdown and HTML."""
    markdown, html = write(data, folder)
    assert [path.name for path in (markdown, html)] == ["audit-report.md", "audit-report.html"]
    return markdown.read_text(encoding="utf-8"), html.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "heading", "said", "then"),
    [
        ({}, "PASS Passed", "96 of the 120 dialogues drawn from 4,210", "24 of 120 dialogues are not answered yet, and 4 only in part"),
        ({"response": ANSWERED}, "PASS Passed", "On no criterion does it clearly rate higher or lower", "Run judge calibrate"),
        (
            {"findings": FAILED_PEOPLE},
            "FAIL Failed: people do not agree with each other",
            "nobody can say how right",
            "Fix the rubric first",
        ),
        (
            {"findings": BIASED},
            "orders dialogues as people do, but its level is off",
            "it rates too high on average",
            "Run judge calibrate",
        ),
        (
            {"findings": [finding("the judge is not biased", "FAIL", 0.01)]},
            "Failed: the judge's level is off",
            "on single criteria it rates too high or too low",
            "Run judge calibrate",
        ),
        (
            {"findings": [finding("the judge is not biased", "FAIL", -0.4)], "calibration": "2026-10-01@aa"},
            "Failed: the judge's level is off",
            "it rates too low on average",
            "A calibration holds for this judge (2026-10-01@aa), and judge score uses it; these figures are without it.",
        ),
        (
            {"findings": [finding("the judge agrees with people", "FAIL", 0.2)]},
            "Failed: the judge does not rate as people do",
            "its ratings differ too much",
            "Mend the judge",
        ),
        (
            {"findings": [finding("people agree with each other", "UNDECIDED", None)], "response": ANSWERED},
            "UNDECIDED",
            "cannot be told whether people agree enough with each other (told of people",
            "Draw more dialogues",
        ),
        ({"findings": []}, "UNDECIDED", "was compared with people", "24 of 120"),
        (NOTHING, "NO LABELS Nothing can be said yet", "no answer of a person was read", "judge audit read"),
        ({"calibration": "2026-10-01@aa"}, "PASS", "compared", "A calibration holds for this judge (2026-10-01@aa)"),
        ({"disagreements": [], "violations": []}, "PASS", "compared", "24 of 120"),
    ],
)
def test_the_answer_comes_first_in_words(changes: Data, heading: str, said: str, then: str, tmp_path: Path, sound: Reader) -> None:
    markdown, html = pages(report(**changes), tmp_path)
    start = " ".join(sound(html).text.split("What was drawn, and")[0].split("Findings")[0].split())
    for part in (heading, said, then, "What to do next"):
        assert part in start, part
    assert said in markdown.split("| finding")[0].replace("\\", "")


@pytest.mark.parametrize(
    ("judge", "both", "said"),
    [
        (0.61, 0.40, "the judge alone is 0.21 too high"),
        (0.20, 0.40, "the judge alone is 0.20 too low"),
        (0.41, 0.40, "+0.41; by people and judge together it is +0.40 [+0.32, +0.48]: no clear difference"),
    ],
)
def test_how_far_off_the_mean_reward_is(judge: float, both: float, said: str) -> None:
    assert said in conclude(AuditReport.model_validate(report(estimates=[estimate("all", judge, both)]))).sentence


def test_overlooked_violations_are_counted_by_what_they_are_counted_by() -> None:
    seen = report()["violations"][0]
    both = [seen | {"per": "episode", "by_people": 5, "by_both": 3}, seen, seen | {"criterion": "privacy", "by_both": 14}]
    steps = conclude(AuditReport.model_validate(report(violations=both))).next_steps
    assert any(
        "it overlooked 2 of 5 dialogues that violate compliance, and 3 of 14 turns that violate compliance, as" in step for step in steps
    )


def test_differences_of_other_means_are_folded_and_shares_are_percentages() -> None:
    pair = {"first": "policy:v3", "second": "policy:v2"}
    made = [
        pair | {"of": of, "both": interval(half, 0.01)} for of, half in (("warm", 0.4), ("reward", 0.2), ("violation of privacy", -0.05))
    ]
    found = difference_charts(AuditReport.model_validate(report(differences=made)))
    assert [(one.title, one.folded) for one in found] == [
        ("Difference of the mean reward", False),
        ("Difference of the share with a violation", False),
        ("Differences of other means", True),
    ]
    assert "privacy, policy: v3 − v2: −5% [−6%, −4%] LOWER" in found[1].drawn
    assert "warm, policy: v3 − v2: +0.40 [+0.39, +0.41] HIGHER" in found[2].drawn


def test_where_rewards_are_not_known_the_handling_is_shown(tmp_path: Path) -> None:
    markdown, html = pages(report(estimates=[estimate("all", 0.3, 0.1, of="handling")]), tmp_path)
    assert "By the judge alone the mean handling is +0.30" in html
    assert ">Mean handling<" in html
    assert "### Mean handling" in markdown


def test_the_furthest_criterion_is_named_by_its_share_of_the_scale() -> None:
    """0.3 of a scale from 0 to 1 is more than 0.5 of one from 1 to 5."""
    rows = [agreement("warm", 0.7, 0.5), agreement("compliance", 0.7, -0.3) | {"low": 0, "high": 1}]
    sentence = conclude(AuditReport.model_validate(report(agreement=rows))).sentence
    assert "furthest off on compliance: 0.30 of a level too low on average. On 2 of 2 criteria" in sentence


@pytest.mark.parametrize(
    ("bias", "low", "high", "word"),
    [(0.18, 1, 5, "TOO HIGH"), (-0.18, 1, 5, "TOO LOW"), (0.16, 1, 5, ""), (0.10, 0, 1, "TOO HIGH"), (0.09, 0, 1, "")],
)
def test_a_bias_carries_a_word_where_all_of_it_lies_outside(bias: float, low: int, high: int, word: str, tmp_path: Path) -> None:
    """The interval reaches 0.07 to each side; tolerated are 0.10 of a scale from 1 to 5, that is 0.025 of one from 0 to 1."""
    _, html = pages(report(agreement=[agreement("warm", 0.7, bias) | {"low": low, "high": high}]), tmp_path)
    assert re.findall(r'class="word too [a-z]+">([A-Z ]+)<', html) == ([word] if word else [])


def test_every_figure_is_on_the_page(tmp_path: Path, sound: Reader) -> None:
    _, html = pages(report(), tmp_path)
    sound(html)
    text = words_of(html)
    parts = [
        *("0.71 [0.63, 0.79]", "0.76 [0.68, 0.84]", "0.68 [0.60, 0.76]", "0.73 [0.65, 0.81]", "+0.02 [−0.05, +0.09]", "0.63"),  # agreement
        *("0.78 [0.70, 0.86]", "0.74 [0.66, 0.82]", "143", "people 0.78"),  # people with each other
        *(
            "v3: both the labels count 2.4 times",
            "v2: people alone 96 labelled",
            "all dialogues: judge alone 4,210 dialogues",
            "1.90 ×",
            "0.83",
        ),
        *("+0.54 [+0.46, +0.62]", "+0.56 [+0.45, +0.67]", "+0.52", "HANGUP: both the judge adds nothing to the labels"),
        *("policy: v3 − v2", "+0.23 [+0.13, +0.33] HIGHER", "policy: v4 − v2 may be chance"),
        *("11 of 14 that people found", "11 of 17 that it calls one", "74% [54%, 94%]", "62% [41%, 83%]"),
        *("Share of dialogues with a violation of compliance", "2.9%"),
        *("policy:v3 720 49 0.70 [0.62, 0.78] −1% [−3%, +1%]", "outcome:HANGUP 300 20 0.41 [0.33, 0.49] +11% [+6%, +16%]"),
        *("HANGUP · low 611 24 3.9% 20 (4 missing) 18", "judge sees a violation 122 40 32.8% 32 (8 missing) 30", "All 4,210 120 – 96 92"),
        *("r1 96 2,890", "e121 call-2210 good handling, bad ending 6 +75% acknowledges"),
        *(JUDGE.key, RUBRIC.hash, "blend@6db91aed97ce", "collections@0123456789ab", "2026-11-02", "2026-11-21", "deterministic"),
        *(
            "Seed 7",
            "Personal data masked yes",
            "without a verdict 12",
            "Read the same as another 3",
            "For the hunt 20",
            "For a second person, too 30",
        ),
        "masked as people saw them",
    ]
    for part in parts:
        assert part in text, part


def test_a_disagreement_shows_both_sides_with_the_levels_of_the_rubric(tmp_path: Path) -> None:
    levels = next(one.levels for one in RUBRIC.turn if one.name == "respects_limit")
    text = words_of(pages(report(disagreements=[disagreement(hunted=True)]), tmp_path)[1])
    assert "e017 , turn 3 · respects_limit (1 to 5) the judge is 77.5% of the scale higher from the hunt" in text
    assert f"The judge 4.60 {levels[4]} kind words It points at: “ Agent: You must pay today. ”" in text
    assert f"People r1 1.00 {levels[0]} kind words r2 2.00 {levels[1]} In the log: call-0093" in text


@pytest.mark.parametrize(
    ("place", "name", "rating", "at"),
    [("3", "respects_limit", 4.6, 4), ("3", "respects_limit", 1.4, 0), ("3", "compliance", 0.0, 0), ("3", "compliance", 1.0, -1)],
)
def test_a_rating_is_told_by_the_nearest_level(place: str, name: str, rating: float, at: int) -> None:
    assert level(RUBRIC, place, name, rating) == next(one.levels for one in RUBRIC.turn if one.name == name)[at]


def test_what_no_level_fits_has_none() -> None:
    assert level(RUBRIC, "3", "no such criterion", 1.0) == ""
    assert level(RUBRIC, "3", "respects_limit", 17.0) == ""
    whole = RUBRIC.episode[0]
    assert level(RUBRIC, "episode", f"{whole.name} (episode)", whole.scale.low) == whole.levels[0]
    assert level(RUBRIC, "episode", whole.name, whole.scale.high) == whole.levels[-1]
    assert level(RUBRIC, "3", whole.name, whole.scale.low) == ""


def test_what_is_not_masked_is_said_to_be_so(tmp_path: Path) -> None:
    _, html = pages(report(sample=sample(masked=False)), tmp_path)
    assert "they may hold personal data" in html
    assert "<dd>no</dd>" in html


def test_the_hunt_stands_apart_and_says_that_it_is_in_no_figure(tmp_path: Path) -> None:
    markdown, html = pages(report(), tmp_path)
    apart = re.search(r'<section aria-labelledby="hunt" class="aside">(.*?)</section>', html, re.DOTALL)
    assert apart and "These dialogues are in no figure of this page." in apart[1] and "call-2210" in apart[1]
    assert "### The hunt (in no figure above)" in markdown


def test_figures_that_are_not_known_are_dashes_and_not_drawn(tmp_path: Path, sound: Reader) -> None:
    unknown: Data = {
        "agreement": [agreement("warm", None, None, None), agreement("clear", 0.5, 0.1, None) | {"kappa": {"value": 0.5}, "error": None}],
        "slices": [{"slice": "all", "labels": 0, "episodes": 0, "kappa": interval(None), "bias": interval(None)}],
        "estimates": [estimate("all", None, None, gain=None) | {"tuning": None}, estimate("policy:a", None, None, gain=None)],
        "differences": [{"of": "reward", "first": "a", "second": "b", "both": interval(None)}],
        "violations": [report()["violations"][0] | {"recall": interval(None), "precision": interval(None), "by_people": 0, "by_both": 0}],
        "disagreements": [disagreement(people=[], quote=None, reason="", said="")],
        "hunted": [{"item": "e121", "episode": "c", "why": "", "rated": 0, "apart": None, "criterion": None}],
        "response": [{"stratum": "all", "size": 0, "drawn": 0, "answered": 0, "complete": 0}],
        "findings": [finding("bias", "UNDECIDED", None, "")],
        "raters": [],
    }
    markdown, html = pages(report(**unknown), tmp_path)
    sound(html)
    text = words_of(html)
    assert not re.search(r"\b(None|nan|inf)\b", text + markdown)
    assert html.count("<circle") == 2 + 2  # of the legends, one bias and one kappa
    assert "No dialogue was rated by two people" in text


def test_a_report_without_anything_makes_pages(tmp_path: Path, sound: Reader) -> None:
    markdown, html = pages(report(**NOTHING), tmp_path)
    assert "<figure" not in html
    assert "No label was read that could be compared with the judge." in sound(html).text
    assert "|---" not in markdown


@pytest.mark.parametrize("kind", EMPTY)
def test_any_part_may_be_empty(kind: str, tmp_path: Path, sound: Reader) -> None:
    sound(pages(report(**{kind: []}), tmp_path)[1])


def test_many_slices_and_disagreements_are_folded(tmp_path: Path, sound: Reader) -> None:
    slices = [{"slice": f"persona:{at}", "labels": 9, "episodes": 3, "kappa": interval(0.5), "bias": interval(0.0)} for at in range(200)]
    made = report(
        slices=slices,
        estimates=[estimate("all", 0.4, 0.4), *(estimate(f"persona:{at}", 0.1, 0.1) for at in range(200))],
        disagreements=[disagreement(item=f"e{at:03}") for at in range(AT_ONCE + 3)],
    )
    markdown, html = pages(made, tmp_path)
    found = sound(html)
    assert "<summary>By persona</summary>" in html
    assert "<summary>3 more</summary>" in html
    assert found.text.count("In the log: ") == AT_ONCE + 3
    assert "… and 170 more on the page." in markdown
    assert len(markdown) < 30_000


def test_axes_hold_all_values_of_all_groups() -> None:
    """Rewards far from zero have an axis of their own; where they are near it, zero is on it, with its line."""
    far = mean_charts(AuditReport.model_validate(report(estimates=[estimate("all", 50.4, 50.0), estimate("policy:a", 51.0, 50.6)])))
    near = mean_charts(AuditReport.model_validate(report(estimates=[estimate("all", 0.4, 0.2)])))
    assert 'class="zero"' not in far[0].drawn
    assert 'class="zero"' in near[0].drawn
    drawn = [float(at) for at in re.findall(r'class="interval" x1="([0-9.]+)%"', far[0].drawn)]
    assert all(0 < at < 100 for at in drawn) and len(set(drawn)) == 4


def test_kinds_of_slices_have_charts_of_their_own() -> None:
    found = slice_charts(AuditReport.model_validate(report()))
    assert [(one.title, one.folded) for one in found] == [("By policy", False), ("By outcome", False)]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Interval(), "–"),
        (Interval(value=-0.004), "0.00"),
        (Interval(value=0.5, low=0.25, high=0.75), "0.50 [0.25, 0.75]"),
        (Interval(value=0.5, low=0.25), "0.50"),
    ],
)
def test_an_interval_in_words(found: Interval, text: str) -> None:
    assert told(found) == text


def test_shifts_have_their_sign() -> None:
    assert [percent_signed(value) for value in (None, 0.0, 0.0001, 0.25, -0.25)] == ["–", "0%", "0%", "+25%", "−25%"]
    assert told(Interval(value=0.1, low=-0.1, high=0.3), signed) == "+0.10 [−0.10, +0.30]"


def hostile(text: str, words: str) -> Data:
    """Return a report with words of others wherever there are any."""
    judge = JUDGE.model_dump() | {"model": text.encode("utf-8", "replace").decode()}  # what has no key is in no ledger
    return report(
        sample=sample(judge=judge, recipe=text, outcomes=words, stratified_by=[text]),
        raters=[{"rater": text, "items": 1, "ratings": 1}],
        response=[{"stratum": text, "size": 9, "drawn": 3, "answered": 2, "complete": 1}],
        findings=[finding(f"bias {text}", "FAIL", told=words, asked=text)],
        agreement=[agreement(f"a{text}", 0.5, 0.3)],
        slices=[{"slice": f"persona:{text}", "labels": 9, "episodes": 3, "kappa": interval(0.5), "bias": interval(0.0)}],
        estimates=[estimate("all", 0.4, 0.4), estimate(f"policy:{text}", 0.1, 0.1), estimate("all", 0.1, 0.1, of=f"violation of {text}")],
        differences=[{"of": "reward", "first": text, "second": words, "both": interval(0.3)}],
        violations=[report()["violations"][0] | {"criterion": text}],
        disagreements=[disagreement(text, words, episode=text, criterion=text)],
        hunted=[{"item": "e121", "episode": text, "why": words, "rated": 6, "apart": 0.75, "criterion": text}],
        calibration=text,
    )


def test_the_page_is_one_file_that_runs_nothing_and_asks_nobody(tmp_path: Path, sound: Reader, nasty: str) -> None:
    markdown, html = pages(hostile(nasty, nasty), tmp_path)
    sound(html)
    assert "<script" not in html and "default-src 'none'" in html
    assert "](" not in markdown.replace("\\]", "")
    assert "<script" not in markdown


HOSTILE = st.one_of(
    st.sampled_from(["]]>", "</bdi></main>", "{{ 7*7 }}", "`", "\x00", "﷐", "\u202e", "|", "\\|", "\u2028", "<!--", "&amp;", "```\n"]),
    st.text(st.characters(), max_size=80),
    st.text("<>&|`\\*_[]()!#@$~{}:/\"' \n\r\t\x00\u202e]w.http", max_size=60),
).filter(str.strip)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE, words=HOSTILE)
def test_whatever_is_quoted_shows_as_text_and_breaks_nothing(text: str, words: str, tmp_path: Path, sound: Reader, page: Reader) -> None:
    plain = sound(pages(hostile("plain", "words"), tmp_path)[1])
    markdown, html = pages(hostile(text, words), tmp_path)
    found = sound(html)
    ours = ("code", "p", "strong", "blockquote", "bdi")  # of backticks in what we tell, of a text of spaces alone
    assert [tag for tag in found.tags if tag not in ours] == [tag for tag in plain.tags if tag not in ours]
    assert shown(text) in found.text
    assert shown(words) in found.text
    rendered = page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))
    assert set(rendered.tags) <= {"h2", "h3", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert rendered.tags.count("table") == 7  # no cell breaks a row of its table
    assert rendered.tags.count("tr") == 7 + 8  # heads, and rows: two of means
    assert one_line(text, 300) in rendered.text.replace(JOINER, "")


def test_long_turns_are_there_whole_but_folded(tmp_path: Path) -> None:
    text = "word " * 10_000 + "the end"
    markdown, html = pages(report(disagreements=[disagreement(text)]), tmp_path)
    assert "the whole text (50,007 characters)" in html
    assert "the end" in html
    assert len(markdown) < 8_000


def test_a_finding_without_an_answer_is_reported_only() -> None:
    found = conclude(AuditReport.model_validate(report(findings=[finding("people agree", "PASS"), finding("something else", None)])))
    assert found.state == Decision.PASS
    assert Finding.model_validate(finding("x", None)).decision is None
