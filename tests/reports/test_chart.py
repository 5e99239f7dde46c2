"""Charts: where things lie, round ticks, and values outside of the axis."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.chart import Axis, Bar, Mark, chart, spanning, symmetric
from reports.numerals import dollars, large, number, percent, signed, whole
from reports.timeline import Limit, Line, linear, logarithmic, timeline


@pytest.mark.parametrize(("value", "at"), [(-1, 0), (0, 50), (0.5, 75), (1, 100), (7, 100), (-7, 0)])
def test_an_axis_lays_numbers_out_in_percent(value: float, at: float) -> None:
    assert Axis(-1, 1).at(value) == at


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.3, 0.3, [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]),
        (1, 5, [1, 2, 3, 4, 5]),
        (-0.58, 0.58, [-0.4, -0.2, 0, 0.2, 0.4]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert Axis(low, high).ticks == ticks


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_every_axis_has_a_few_ticks_within_it(low: float, width: float) -> None:
    axis = Axis(low, low + width)
    assert 2 <= len(axis.ticks) <= 8
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in axis.ticks)


def test_axes_reach_past_all_values() -> None:
    assert symmetric([0.1, -0.5, None], 0.3, signed).low == pytest.approx(-0.54)
    assert symmetric([], 0.3, signed).high == pytest.approx(0.324)
    assert spanning([0.2, 1.4], 0, 1).high == 1.4
    assert spanning([-0.2], 0, 1).low == pytest.approx(-0.23)


def test_a_row_has_its_interval_its_point_and_its_word() -> None:
    bar = Bar("empathy <b>", 0.5, 0.25, 0.75, "0.50 [0.25, 0.75]", "FAIL", [Mark("baseline", 0.4)], "60 dialogues", (0.1, 0.2))
    html = str(chart([bar], Axis(0, 1), name="Agreement"))
    assert 'x1="25.0%" x2="75.0%"' in html
    assert 'cx="50.0%"' in html
    assert 'class="word fail">FAIL<' in html
    assert "empathy &lt;b&gt;" in html and "<b>" not in html
    assert 'class="band" x="10.0%" width="10.0%"' in html
    assert '<path class="baseline"' in html


def test_what_is_not_known_is_not_drawn() -> None:
    html = str(chart([Bar("a", None, None, None, "–")], Axis(0, 1), name="n"))
    assert "<circle" not in html
    assert not re.search(r'class="interval"', html)


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (number, -0.004, "0.00"),
        (number, -1.5, "−1.50"),
        (number, None, "–"),
        (signed, 0.5, "+0.50"),
        (signed, 0.001, "0.00"),
        (signed, -0.5, "−0.50"),
        (percent, 0.279, "27.9%"),
        (percent, 1.0, "100%"),
        (percent, None, "–"),
        (whole, 12345, "12,345"),
        (dollars, 0.0123, "$0.0123"),
        (dollars, 12.0, "$12.00"),
        (dollars, 0.0, "$0.00"),
        (dollars, None, "price not known"),
        (large, 1.67e11, "1.7 × 10¹¹"),
        (large, 365.0, "365.00"),
        (large, None, "–"),
    ],
)
def test_numbers_are_written_for_people(write: object, value: float | None, text: str) -> None:
    assert callable(write)
    assert write(value) == text


def test_nights_are_drawn_from_the_first_number_on() -> None:
    """Four nights, one without a number between: two lines of one segment each would need five; here it is one, and three points."""
    html = str(
        timeline(
            ["1", "2", "3", "4", "5"],
            [Line("main", [None, 1.0, -1.0, None, 0.0])],
            linear([1.0], 1.0),
            name="n",
            limits=[Limit(1.0, "here")],
            marks=["5", "1"],
        )
    )
    assert html.count('class="run"') == 1
    assert html.count('class="spot"') == 3
    assert re.findall(r'cx="([0-9.]+)%"', html) == ["0.0", "33.333", "100.0"]
    assert html.count('<line class="alarmed"') == 1  # the first night is not drawn, nor its mark
    assert ">here<" in html


@pytest.mark.parametrize("days", [[], ["2026-11-21"]])
def test_no_night_or_one_is_drawn_too(days: list[str]) -> None:
    assert "<figure" in str(timeline(days, [Line("main", [0.5] * len(days))], linear([0.5], 1.0), name="n"))


def test_evidence_grows_by_factors() -> None:
    rise = logarithmic([1e11, 0.2, None], 365.0)
    assert rise.at(1e11) == pytest.approx(100 * 0.3 / 12.3, abs=0.01)
    assert [text for _, text in rise.ticks] == ["1", "1,000", "10⁶", "10⁹"]
