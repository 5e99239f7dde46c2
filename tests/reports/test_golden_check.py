"""The pages of a golden check: the answer first, everything quoted shown as text and nothing else, JUnit that a CI can read."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dialogue.visible import shown
from reports.golden_check import write
from reports.quoting import JOINER, one_line

JUDGE = {"provider": "compatible", "model": "m-1", "rubric": "support", "rubric_hash": "ab" * 32, "prompt_hash": "cd" * 32}
Reader = Callable[[str], Any]


def item(**changes: Any) -> dict[str, Any]:
    return {"turn": 3, "text": "I hear you.", "before": 2.0, "now": 3.5, "label": 2.0, "reason": "kind words"} | changes


def drift(criterion: str, decision: str, shift: float, *, text: str = "I hear you.", reason: str = "kind words") -> dict[str, Any]:
    moved = {"case": "case-1", "shift": shift, "beyond": abs(shift) > 0.15, "item": item(text=text, reason=reason)}
    numbers = {"shift": shift, "low": shift - 0.02, "high": shift + 0.02, "margin": 0.15, "noise": 0.3, "noise_now": None}
    return {"criterion": criterion, "decision": decision, "episodes": 60, "moved": [moved]} | numbers


def finding(name: str, decision: str | None, **numbers: Any) -> dict[str, Any]:
    return {"name": name, "decision": decision, "told": f"told of {name}", "asked": "something" if decision else ""} | numbers


def report(**changes: Any) -> dict[str, Any]:
    """Return a report that passes, with changes."""
    whole: dict[str, Any] = {
        "kind": "golden-check",
        "decision": "PASS",
        "reached": True,
        "cleared": True,
        "judge": JUDGE,
        "judge_key": "0123456789abcdef",
        "rubric": "support",
        "day": "2026-11-21",
        "gate": {"name": "default", "clears": True, "kappa_floor": 0.6, "recall": 0.8, "false_alarms": 0.1},
        "cases": 60,
        "cases_hash": "ef" * 32,
        "labelled_by": ["ada", "grace"],
        "baseline": {
            "judge": JUDGE,
            "accepted_on": "2026-11-01",
            "accepted_by": "ada",
            "runs": 10,
            "cases": 60,
            "same_judge": True,
        },
        "asked": 60,
        "planned": 180,
        "usage": {"requests": 60, "input_tokens": 123456, "output_tokens": 7890, "cost_usd": 1.25},
        "findings": [
            finding("valid answers", "PASS", figure=1.0),
            finding("drift", "PASS", figure=0.01, low=-0.02, high=0.04),
            finding("agreement", "PASS", figure=0.71, low=0.64, high=0.78),
            finding("contrast pairs", None, figure=0.9, low=0.7, high=0.98),
        ],
        "drift": [drift("empathy", "PASS", 0.01)],
        "against_labels": [
            {
                "criterion": "empathy",
                "kappa": 0.71,
                "low": 0.64,
                "high": 0.78,
                "baseline": 0.7,
                "people": 0.8,
                "bias": -0.1,
                "error": 0.4,
                "off": 3,
                "items": 300,
            }
        ],
        "slices": [{"slice": "persona:calm", "episodes": 9, "shift": 0.01, "low": -0.1, "high": 0.12, "p": 1.0, "moved": False}],
        "looks": [{"episodes": 60, "run": 0, "level": 0.0226, "decision": "PASS"}],
        "missed_violations": [],
        "missed_in": [],
        "wrong_pairs": [],
        "failures": {},
        "first_failures": [],
    }
    return whole | changes


def failing(text: str = "I hear you.", reason: str = "kind words", **changes: Any) -> dict[str, Any]:
    """Return a report that fails, with what was said and why wherever something is quoted."""
    parts: dict[str, Any] = {
        "decision": "FAIL",
        "cleared": False,
        "findings": [
            finding("drift", "FAIL", figure=0.5, low=0.48, high=0.52),
            finding("agreement", "UNDECIDED", figure=0.6, low=0.55, high=0.65),
            finding("violations found (compliance)", "FAIL", figure=0.2, low=0.1, high=0.4),
            finding("contrast pairs", None, figure=0.9, low=0.7, high=0.98),
        ],
        "drift": [drift("empathy", "FAIL", 0.5, text=text, reason=reason), drift("clarity", "PASS", -0.04, text=text, reason=reason)],
        "missed_violations": [item(turn=None, text=text, reason=reason)],
        "missed_in": ["case-9"],
        "wrong_pairs": [text[:50]],
        "failures": {"timeout": 2},
        "first_failures": [f"case-3: {text}"],
    }
    return report(**(parts | changes))


def pages(data: dict[str, Any], folder: Path) -> tuple[ET.Element, str, str]:
    """Return JUnit, Markdown and HTML."""
    xml, markdown, html = write(data, folder)
    assert [path.name for path in (xml, markdown, html)] == ["golden-check.xml", "golden-check.md", "golden-check.html"]
    return ET.parse(xml).getroot(), markdown.read_text(encoding="utf-8"), html.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "heading", "said"),
    [
        ({}, "PASS Passed", "It may produce rewards"),
        ({"cleared": False}, "PASS Passed", "This gives no leave to produce rewards"),
        (
            {"decision": "UNDECIDED", "findings": [finding("agreement", "UNDECIDED")]},
            "UNDECIDED",
            "cannot be told whether it agrees enough",
        ),
        (
            {"decision": "UNDECIDED", "findings": [finding("drift", "UNDECIDED")], "drift": [], "slices": [], "baseline": None},
            "UNDECIDED",
            "there is no accepted baseline to compare it with",
        ),
        ({"decision": "UNDECIDED", "reached": False, "failures": {"timeout": 60}}, "NOT REACHED", "nothing can be said of it"),
        (
            {"decision": "FAIL", "findings": [finding("drift", "FAIL")], "drift": [drift("empathy", "FAIL", -0.5)]},
            "FAIL Failed",
            "in levels of the scale: empathy −0.50 (allowed: ±0.15)",
        ),
        ({"decision": "FAIL", "findings": [finding("brand new question", "FAIL")]}, "FAIL Failed", "told of brand new question"),
    ],
)
def test_the_answer_comes_first_in_words(changes: dict[str, Any], heading: str, said: str, tmp_path: Path, sound: Reader) -> None:
    _, markdown, html = pages(report(**changes), tmp_path)
    start = " ".join(sound(html).text.split("Findings")[0].split())
    assert heading in start
    assert said in start
    assert "What to do next" in start
    assert said in markdown.split("| finding")[0].replace("\\", "")


def test_junit_has_a_case_for_every_finding_and_criterion(tmp_path: Path) -> None:
    root, _, _ = pages(failing(), tmp_path)
    suite = root.find("testsuite")
    assert suite is not None
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    # one that the judge answered, four findings, two criteria
    assert len(cases) == 7 == int(suite.get("tests", ""))
    assert {name: suite.get(name) for name in ("failures", "errors", "skipped")} == {"failures": "4", "errors": "0", "skipped": "1"}
    undecided, skipped, moved = (
        cases["agreement"].find("failure"),
        cases["contrast pairs"].find("skipped"),
        cases["drift of empathy"].find("failure"),
    )
    assert undecided is not None and undecided.get("type") == "undecided"
    assert skipped is not None and "not asked for" in skipped.get("message", "")
    assert moved is not None and moved.text is not None and "case-1, turn 3: before 2.00, now 3.50, label 2.00: “I hear you.”" in moved.text
    assert cases["drift of clarity"].find("failure") is None
    properties = {entry.get("name"): entry.get("value") for entry in suite.iter("property")}
    assert properties["judge.key"] == "0123456789abcdef"
    assert properties["cases.hash"] == "ef" * 32
    assert next(part.tag for part in suite) == "properties"  # the order that the usual schema asks for


def test_a_judge_out_of_reach_is_an_error_in_junit(tmp_path: Path) -> None:
    root, _, _ = pages(
        report(reached=False, decision="UNDECIDED", findings=[], failures={"timeout": 60}, first_failures=["c: slow"]), tmp_path
    )
    error = root.find("testsuite/testcase/error")
    assert error is not None and error.get("message") == "the judge failed too often: 60 timeout" and error.text == "c: slow"


def test_a_report_in_which_nothing_was_answered_makes_pages(tmp_path: Path) -> None:
    nothing: dict[str, Any] = {
        "findings": [],
        "drift": [],
        "against_labels": [],
        "slices": [],
        "looks": [],
        "baseline": None,
        "labelled_by": [],
    }
    _, _, html = pages(report(reached=False, decision="UNDECIDED", **nothing), tmp_path)
    assert "Nothing was rated." in html


def test_labels_of_the_shipped_set_are_called_constructed_and_others_are_not(tmp_path: Path) -> None:
    said = "constructed, and labelled, by sessions of a language model"
    assert said in pages(report(labelled_by=["col-a-author", "col-b-second"]), tmp_path)[2]
    html = pages(report(labelled_by=["ada"]), tmp_path)[2]
    assert said not in html
    assert "Labels by: ada." in html


def test_nearest_misses_are_marked_as_such(tmp_path: Path) -> None:
    _, markdown, html = pages(failing(), tmp_path)
    assert "nearest miss: within the margin" in html
    assert "beyond the margin" in markdown


def test_numbers_that_are_zero_have_no_sign(tmp_path: Path) -> None:
    _, _, html = pages(report(drift=[drift("empathy", "PASS", -3.6e-18)]), tmp_path)
    assert "0.00 [−0.02, +0.02]" in html
    assert "−0.00" not in html
    assert "No case moved by as much as 0.01." in html


def test_the_page_is_one_file_that_runs_nothing_and_asks_nobody(tmp_path: Path, sound: Reader, nasty: str) -> None:
    _, markdown, html = pages(failing(nasty, nasty), tmp_path)
    sound(html)
    assert "](" not in markdown.replace("\\]", "")


ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}


@pytest.mark.parametrize("reached", [True, False])
def test_junit_holds_only_what_the_schema_of_jenkins_allows(reached: bool, tmp_path: Path) -> None:
    """Elements and attributes of jenkinsci/xunit-plugin, junit-10.xsd, whose times are digits."""
    root, _, _ = pages(failing(reached=reached), tmp_path)
    for part in root.iter():
        assert set(part.attrib) <= ALLOWED[part.tag]
        assert re.fullmatch(r"[0-9]*", part.get("time", ""))
    assert [part.tag for part in root] == ["testsuite"]


def test_long_turns_are_there_whole_but_folded(tmp_path: Path) -> None:
    text = "word " * 10_000 + "the end"
    root, markdown, html = pages(failing(text), tmp_path)
    assert html.count("the whole text (50,007 characters)") >= 3
    assert "the end" in html
    assert len(markdown) < 20_000
    assert max(len(failure.text or "") for failure in root.iter("failure")) < 20_000


HOSTILE = st.one_of(
    st.sampled_from(
        [
            "]]>",
            "</blockquote></main>",
            "{{ 7*7 }}",
            "`",
            "\x00",
            "﷐",
            "\u202e",
            "|",
            "\\|",
            "\u2028",
            "<!--",
            "&amp;",
            "```\n",
            "- [ ] x",
        ]
    ),
    st.text(st.characters(), max_size=80),
    st.text("<>&|`\\*_[]()!#@$~{}:/\"' \n\r\t\x00\u202e]w.http", max_size=60),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE, reason=HOSTILE)
def test_whatever_is_quoted_shows_as_text_and_breaks_nothing(text: str, reason: str, tmp_path: Path, sound: Reader, page: Reader) -> None:
    plain = sound(pages(failing(), tmp_path)[2])
    root, markdown, html = pages(failing(text, reason), tmp_path)
    found = sound(html)
    quoted = [tag for tag in plain.tags if tag not in ("blockquote", "bdi", "p")]
    assert [tag for tag in found.tags if tag not in ("blockquote", "bdi", "p")] == quoted  # an empty turn has a sentence in its place
    assert shown(text) in found.text
    assert shown(reason) in found.text
    failure = root.find("testsuite/testcase[@name='drift of empathy']/failure")
    assert failure is not None and failure.text is not None and one_line(text, 1_000) in failure.text
    rendered = page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))
    assert set(rendered.tags) <= {"h2", "h3", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert one_line(text, 300) in rendered.text.replace(JOINER, "")


@given(st.text(st.characters(), max_size=200))
def test_what_is_shown_can_be_written_anywhere(text: str) -> None:
    found = shown(text)
    found.encode("utf-8")
    assert ET.fromstring(f"<a>{found.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</a>").text == (found or None)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", found)
    assert shown(found) == found


def _luminance(color: str) -> float:
    parts: Iterator[float] = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough(mode: int) -> None:
    """WCAG 2.2 AA: 4.5 for text on its ground (relative luminance and ratio as defined there)."""
    css = (Path(__file__).parents[2] / "reports/templates/colours.css").read_text(encoding="utf-8")
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", re.findall(r":root \{[^}]*\}", css)[mode]))
    for ground in ("paper", "card"):
        for name in ("ink", "quiet", "pass", "fail", "undecided", "plain", "mark"):
            lighter, darker = sorted((_luminance(colors[name]), _luminance(colors[ground])), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (name, ground)
