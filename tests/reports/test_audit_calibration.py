"""The pages of a calibration: which criteria still move rewards, how much closer to people, and a picture of every map."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dialogue.visible import shown
from golden_set.audit.findings import CalibrationReport, CalibrationRow
from reports.audit_calibration import conclude, nearer, write
from reports.curve import SIDE, curve, flat, levels, reach, told
from reports.quoting import JOINER, one_line

Reader = Callable[[str], Any]
Data = dict[str, Any]
POINTS = [[1.0, 1.6, 40.0], [2.2, 2.1, 300.0], [3.4, 2.4, 1200.0], [4.5, 3.3, 700.0], [5.0, 4.2, 90.0]]


def row(criterion: str = "empathy", **changes: Any) -> Data:
    return {
        "criterion": criterion,
        "low": 1,
        "high": 5,
        "labels": 489,
        "episodes": 96,
        "judged": [1.0, 3.0, 5.0],
        "human": [1.5, 2.0, 4.0],
        "fitted": True,
        "why": "",
        "before": 1.2,
        "after": 0.75,
        "bias_before": 0.71,
        "reliability": 0.42,
        "band": 1.1,
        "points": POINTS,
    } | changes


FLAT: Data = {"judged": [1.0, 5.0], "human": [2.9, 2.9], "reliability": 0.0, "why": "flat: people's mean predicts other dialogues as well"}
LEFT: Data = {
    "fitted": False,
    "judged": [],
    "human": [],
    "why": "12 labels: 18 more are needed",
    "labels": 12,
    "before": 0.9,
    "after": None,
    "reliability": None,
    "band": None,
    "points": [],
}
AS_IT_IS: Data = {
    "judged": [1.0, 5.0],
    "human": [1.0, 5.0],
    "why": "as it is: no map is clearly nearer to people",
    "before": 0.6,
    "after": 0.6,
}
UNKNOWN: Data = dict.fromkeys(("before", "after", "bias_before", "reliability", "band"))


def report(*rows: Data, **changes: Any) -> Data:
    """Return what was fitted, with changes; by default one criterion."""
    return {
        "kind": "audit-calibration",
        "id": "2026-11-21@0123456789ab",
        "judge": "compatible/m-1 on support@abcdef012345",
        "judge_key": "0123456789abcdef",
        "rubric": "support@abcdef012345",
        "fitted_on": "2026-11-21",
        "audits": ["2026-10", "2026-11"],
        "level": 0.9,
        "rows": list(rows) or [row()],
        "kept": True,
    } | changes


def pages(data: Data, folder: Path) -> tuple[str, str]:
    """Return Markdown and HTML."""
    markdown, html = write(data, folder)
    assert [path.name for path in (markdown, html)] == ["audit-calibration.md", "audit-calibration.html"]
    return markdown.read_text(encoding="utf-8"), html.read_text(encoding="utf-8")


def rows(*made: Data) -> CalibrationReport:
    return CalibrationReport.model_validate(report(*made))


@pytest.mark.parametrize(
    ("made", "state", "headline", "said"),
    [
        ([row("a")], "FITTED", "1 criterion mapped to the scale of people", "still move rewards on a. The typical"),
        (
            [row("a"), row("b", **AS_IT_IS)],
            "FITTED",
            "1 criterion mapped to the scale of people and 1 kept as it is",
            "On b no map is clearly nearer to people",
        ),
        (
            [row("a"), row("b", **FLAT)],
            "FITTED",
            "1 criterion mapped to the scale of people and 1 flat",
            "On b they tell nothing about what people say: the map is flat there, and they stop moving rewards.",
        ),
        ([row("a", **FLAT)], "FITTED", "1 criterion flat", "On a the judge’s ratings tell nothing about what people say"),
        (
            [row("a"), row("b", **FLAT), row("c", **LEFT), row("d", **LEFT)],
            "PARTLY FITTED",
            "1 criterion mapped to the scale of people, 1 flat and 2 without a map",
            "On c and d there is no map: ratings stay as they are, and move rewards as before.",
        ),
        ([row("a", **LEFT)], "NOT FITTED", "No map was fitted", "no criterion has what a map needs"),
    ],
)
def test_the_answer_comes_first_in_words(made: list[Data], state: str, headline: str, said: str, tmp_path: Path, sound: Reader) -> None:
    markdown, html = pages(report(*made), tmp_path)
    start = " ".join(sound(html).text.split("How much closer")[0].split())
    for part in (f"{state} {headline}", said, "What to do next", "in the audits 2026-10 and 2026-11"):
        assert part in start, part
    assert said.split(":")[0] in markdown


def test_nothing_to_fit_on_makes_pages(tmp_path: Path, sound: Reader) -> None:
    markdown, html = pages(report(audits=[], kept=False) | {"rows": []}, tmp_path)
    assert "there were no labels" in sound(html).text
    assert "|---" not in markdown
    assert "<figure" not in html and 'role="img"' not in html


@pytest.mark.parametrize(("kept", "said"), [(True, "judge score uses this calibration"), (False, "without --dry-run if it should")])
def test_what_to_do_next_says_whether_it_is_in_use(kept: bool, said: str, tmp_path: Path, sound: Reader) -> None:
    assert said in " ".join(sound(pages(report(kept=kept), tmp_path)[1]).text.split())


def test_many_criteria_are_named_in_part() -> None:
    sentence = conclude(rows(*(row(f"c{at}") for at in range(40)))).sentence
    assert "on c0, c1, c2, c3, c4 and 35 more." in sentence


def test_the_error_over_all_is_a_share_of_the_scale_weighted_by_labels() -> None:
    """Of 300 labels on 1 to 5 an error of 1.2 is 0.3, of 100 on 0 to 1 one of 0.5 is 0.5: sqrt((3 x 0.09 + 0.25) / 4) = 0.36056.

    After: 0.8 is 0.2 and 0.4 is 0.4: sqrt((3 x 0.04 + 0.16) / 4) = 0.26458.
    """
    two = [
        row("a", labels=300, before=1.2, after=0.8),
        row("b", low=0, high=1, labels=100, before=0.5, after=0.4, judged=[0, 1], human=[0, 1]),
    ]
    assert "falls from 36.1% of the scale to 26.5%" in conclude(rows(*two)).sentence
    assert "rises from 30% of the scale to 32.5%" in conclude(rows(row(before=1.2, after=1.3))).sentence
    assert "stays at 30% of the scale" in conclude(rows(row(before=1.2, after=1.2))).sentence
    assert "RMSE" not in conclude(rows(row(before=None, after=None))).sentence


@pytest.mark.parametrize(
    ("changes", "text"),
    [({}, "−37.5%"), ({"after": 1.5}, "+25%"), ({"after": 1.2}, "0%"), ({"after": None}, "–"), ({"before": 0.0, "after": 0.0}, "–")],
)
def test_how_much_nearer_a_map_is(changes: Data, text: str) -> None:
    assert nearer(CalibrationRow.model_validate(row(**changes))) == text


@pytest.mark.parametrize(
    ("changes", "becomes"),
    [
        ({}, [1.5, 1.75, 2.0, 3.0, 4.0]),  # straight between the knots
        ({"judged": [2.0, 4.0], "human": [2.5, 3.5]}, [2.5, 2.5, 3.0, 3.5, 3.5]),  # flat beyond them
        (FLAT, [2.9] * 5),
        ({"judged": [3.0], "human": [2.9]}, [2.9] * 5),
        (LEFT, [1, 2, 3, 4, 5]),
        ({"low": 0, "high": 1, "judged": [0.0, 1.0], "human": [0.1, 0.9]}, [0.1, 0.9]),
    ],
)
def test_what_the_levels_become(changes: Data, becomes: list[float]) -> None:
    assert [value for _, value in levels(CalibrationRow.model_validate(row(**changes)))] == pytest.approx(becomes)


def test_every_figure_is_on_the_page(tmp_path: Path, sound: Reader) -> None:
    markdown, html = pages(report(row(), row("warm", **FLAT), row("state", **LEFT)), tmp_path)
    sound(html)
    text = " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main>")[2]).split())
    for part in (
        "empathy mapped 1 to 5 489 96 1.20 0.75 −37.5% +0.71 0.42 ±1.10",
        "warm flat: moves no reward 1 to 5 489 96 1.20 0.75 −37.5% +0.71 0.00 ±1.10",
        "state no map 1 to 5 12 96 0.90 – – +0.71 – –",
        "Judge 1 2 3 4 5 People 1.50 1.75 2.00 3.00 4.00",
        "People 2.90 2.90 2.90 2.90 2.90",
        "12 labels: 18 more are needed",
        "in which 90% of people’s ratings lie",
        "2026-11-21@0123456789ab",
        "0123456789abcdef",
        "Audits 2026-10, 2026-11",
        "Kept in the ledger yes",
    ):
        assert part in text, part
    assert "empathy: 1 → 1.50, 2 → 1.75, 3 → 2.00, 4 → 3.00, 5 → 4.00" in markdown
    assert "state: 12 labels: 18 more are needed" in markdown


def test_figures_that_are_not_known_are_dashes(tmp_path: Path, sound: Reader) -> None:
    markdown, html = pages(report(row(**UNKNOWN), row("b", **LEFT, **{"bias_before": None} | {"episodes": 0})), tmp_path)
    sound(html)
    assert not re.search(r"\b(None|nan|inf)\b", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL).replace("'none'", "") + markdown)
    assert "polygon" not in html  # no band


def drawn(**changes: Any) -> tuple[str, list[tuple[float, ...]]]:
    """Return a picture, and the ends of each line of the map in it as shares of the side, from the lower left corner."""
    html = str(curve(CalibrationRow.model_validate(row(**changes))))
    lines = re.findall(r'class="mapping" x1="([0-9.]+)" y1="([0-9.]+)" x2="([0-9.]+)" y2="([0-9.]+)"', html)
    return html, [tuple(round(float(x) / SIDE if at % 2 == 0 else 1 - float(x) / SIDE, 3) for at, x in enumerate(line)) for line in lines]


def test_the_picture_draws_the_map_over_the_whole_scale() -> None:
    """1 is at 0, 3 in the middle, 5 at the end; the first knot is 2, so that the map is flat before it."""
    assert drawn()[1] == [(0, 0.125, 0.5, 0.25), (0.5, 0.25, 1, 0.75)]
    assert drawn(judged=[2.0, 5.0], human=[2.0, 4.0])[1] == [(0, 0.25, 0.25, 0.25), (0.25, 0.25, 1, 0.75)]
    assert drawn(**FLAT)[1] == [(0, 0.475, 1, 0.475)]
    assert drawn(judged=[3.0], human=[2.9])[1] == [(0, 0.475, 0.5, 0.475), (0.5, 0.475, 1, 0.475)]
    assert drawn(**LEFT)[1] == []


def test_the_band_lies_around_the_map_as_far_as_it_reaches() -> None:
    """On 1 to 5, a side of 240: a level is 60. The map from 1.5 to 4 with ±1 has corners 2.5, 3, 5 above and 3, 1, 0.5 below."""
    html, _ = drawn(band=1.0)
    corners = re.findall(r'points="([^"]+)"', html)[0].split()
    assert corners == ["0.00,150.00", "120.00,120.00", "240.00,0.00", "240.00,120.00", "120.00,240.00", "0.00,270.00"]


def test_areas_of_points_are_as_their_weights_and_heavy_ones_lie_below() -> None:
    html, _ = drawn(points=[[2.0, 2.0, 25.0], [3.0, 3.0, 100.0], [9.0, 0.0, 0.0]])
    assert re.findall(r'class="weighed" cx="([0-9.]+)" cy="([0-9.]+)" r="([0-9.]+)"', html) == [
        ("120.0", "120.0", "9.0"),
        ("60.0", "180.0", "4.5"),
        ("240.0", "240.0", "3.0"),  # what lies outside of the scale is at its edge
    ]
    assert "weighed" not in drawn(points=[[2.0, 2.0, 0.0]])[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "empathy: 1 becomes 1.50, 2 becomes 1.75, 3 becomes 2.00, 4 becomes 3.00, 5 becomes 4.00; band ±1.10"),
        (FLAT | {"band": None}, "empathy: whatever the judge says becomes 2.90; no band"),
        (LEFT, "empathy: no map was fitted; ratings stay as they are"),
        (AS_IT_IS, "empathy: ratings stay as they are, no map is clearly nearer to people; band ±1.10"),
    ],
)
def test_the_picture_is_told_to_those_who_do_not_see_it(changes: Data, said: str) -> None:
    made = CalibrationRow.model_validate(row(**changes))
    assert told(made) == said
    assert f'aria-label="{said}"' in curve(made)


def test_a_map_of_one_height_is_flat_and_what_is_not_fitted_is_not() -> None:
    assert flat(CalibrationRow.model_validate(row(**FLAT)))
    assert not flat(CalibrationRow.model_validate(row()))
    assert not flat(CalibrationRow.model_validate(row(**LEFT)))


HOSTILE = st.one_of(
    st.sampled_from(
        ["]]>", "</svg></main>", "{{ 7*7 }}", "`", "\x00", "﷐", "\u202e", "|", "\\|", "\u2028", "<!--", "&amp;", "```\n", '" onload="x']
    ),
    st.text(st.characters(), max_size=80),
    st.text("<>&|`\\*_[]()!#@$~{}:/\"' \n\r\t\x00\u202e]w.http", max_size=60),
).filter(str.strip)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE)
def test_whatever_is_quoted_shows_as_text_and_breaks_nothing(text: str, tmp_path: Path, sound: Reader, page: Reader) -> None:
    def both(words: str) -> tuple[str, str]:
        parts = {"id": words, "judge": words, "judge_key": words, "rubric": words, "audits": [words]}
        return pages(report(row(words), row(f"b{words}", **LEFT | {"why": words}), **parts), tmp_path)

    plain = sound(both("plain")[1])
    markdown, html = both(text)
    found = sound(html)
    assert [tag for tag in found.tags if tag != "code"] == [tag for tag in plain.tags if tag != "code"]
    assert shown(text) in found.text
    rendered = page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))
    assert set(rendered.tags) <= {"h2", "p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert rendered.tags.count("tr") == 3
    assert one_line(text, 300) in rendered.text.replace(JOINER, "")


def test_levels_between_which_people_lie() -> None:
    """1 becomes 2, 3 becomes 3, 5 becomes 4; one level either way, to whole levels, half a level taken in: 2 - 1 - .5 is above 0."""
    made = CalibrationRow.model_validate(row(judged=[1.0, 5.0], human=[2.0, 4.0], band=1.0))
    assert reach(made) == [(1, 3), (1, 4), (2, 4), (2, 5), (3, 5)]
    assert reach(made.model_copy(update={"band": None})) == []
    assert reach(CalibrationRow.model_validate(row(**LEFT))) == []


def test_they_stand_below_what_levels_become(tmp_path: Path) -> None:
    _, page = write(report(row(judged=[1.0, 5.0], human=[2.0, 4.0], band=1.0)), tmp_path)
    cells = re.findall(r'<th scope="row">90%</th>(.*?)</tr>', page.read_text(encoding="utf-8"))
    assert re.findall(r">([^<]+)</td>", cells[0]) == ["1–3", "1–4", "2–4", "2–5", "3–5"]
