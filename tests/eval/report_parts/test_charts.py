"""Charts show every figure as a mark with its value on hover, the higher the larger, in the page's own colours."""

import re

import pytest
from lxml import etree

from eval.report_parts.chart_frame import CSS, choose_linear_axis, choose_log_axis
from eval.report_parts.charts import Bar, Cell, Mark, Point, Series, bars, heat_map, lines

SVG = "{http://www.w3.org/2000/svg}"
SERIES = [
    Series("base", (Point(1024, 0.2, 0.1, 0.4, "base 1,024"), Point(8192, 0.1, 0.0, 0.3, "base 8,192"))),
    Series("tuned <b>", (Point(1024, 0.9, None, None, "tuned & 1,024"), Point(2048, 0.5, 0.4, 0.6, "tuned 2,048"))),
]


def draw_line_chart(**options) -> etree._Element:
    svg = lines(SERIES, x_label="tokens", y_label="found", label="found by length", log_x=True, **options)
    return etree.fromstring(svg)


def list_titles(root: etree._Element) -> list[str]:
    return [title.text for title in root.iter(f"{SVG}title")]


def test_every_point_has_its_hover_and_higher_values_are_higher_up() -> None:
    root = draw_line_chart(limits=(0, 1))
    assert list_titles(root) == ["base 1,024", "base 8,192", "tuned & 1,024", "tuned 2,048"]
    places = {mark[0].text: (float(mark.get("cx")), float(mark.get("cy"))) for mark in root.iter(f"{SVG}circle")}
    assert places["tuned & 1,024"][1] < places["base 1,024"][1] < places["base 8,192"][1]
    left, middle, right = (places[name][0] for name in ("base 1,024", "tuned 2,048", "base 8,192"))
    assert middle - left == pytest.approx((right - left) / 3, abs=0.02)  # each doubling takes as much


def test_only_points_with_an_interval_have_a_band() -> None:
    assert len(list(draw_line_chart().iter(f"{SVG}polygon"))) == 1  # that of the base model


def test_a_mark_beyond_the_chart_is_left_out() -> None:
    within, beyond = Mark(4096, "trained to here"), Mark(50_000, "trained to here")
    assert "trained to here" in list_titles(draw_line_chart(at_x=within))
    assert "trained to here" not in list_titles(draw_line_chart(at_x=beyond))


def test_a_bar_is_as_high_as_its_value_and_has_a_whisker_if_it_has_an_interval() -> None:
    given = [
        Bar("with the text", "base", 0.25, 0.2, 0.3, "25%"),
        Bar("with the text", "tuned", 0.5, None, None, "50%"),
    ]
    root = etree.fromstring(bars(given, y_label="F1", label="F1 by cell", limits=(0, 1)))
    marks = {mark[0].text: float(mark.get("height")) for mark in root.iter(f"{SVG}rect") if len(mark)}
    assert marks["50%"] == pytest.approx(2 * marks["25%"], abs=0.05)
    assert sum(line.get("stroke-width") == "1.5" for line in root.iter(f"{SVG}line")) == 3


def test_a_heat_map_says_the_value_in_words_and_in_colour() -> None:
    cells = [
        Cell(row, column, value, (f"{value:.0%}", "n = 4"), f"{row} {column}")
        for row, column, value in (("0%", "1,024", 1.0), ("0%", "2,048", 0.5), ("100%", "1,024", 0.0))
    ]
    root = etree.fromstring(heat_map(cells, row_label="depth", column_label="tokens", label="needles"))
    colours = [float(mark.get("fill-opacity")) for mark in root.iter(f"{SVG}rect")]
    assert colours == sorted(colours, reverse=True)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count("n = 4") == 3
    assert {"100%", "50%", "0%", "depth", "tokens"} <= set(texts)


def test_colours_are_variables_that_the_css_gives_a_light_and_a_dark_value() -> None:
    svg = lines(SERIES, x_label="tokens", y_label="found", label="found")
    used = set(re.findall(r"var\((--chart-\w+),", svg))
    assert len(used) == 4  # ink, grid, two series
    assert all(CSS.count(f"{name}:") == 2 for name in used)
    assert not re.search(r'(?:fill|stroke)="#', svg)


@pytest.mark.parametrize(("values", "ticks"), [((0, 1), 6), ((2.3, 3.9), 5), ((120, 980), 6), ((0.5, 0.5), 6)])
def test_ticks_are_round_and_few(values: tuple[float, float], ticks: int) -> None:
    axis = choose_linear_axis("", values, None, "{:g}")
    assert len(axis.ticks) == ticks
    assert axis.low <= min(values) <= max(values) <= axis.high
    assert all(len(text) <= 4 for _, text in axis.ticks)


def test_ticks_that_would_overlap_are_left_out() -> None:
    axis = choose_log_axis("", [512, 1024, 8192, 8200, 9216], "{:,.0f}")
    assert [text for _, text in axis.ticks] == ["512", "1,024", "8,192"]
