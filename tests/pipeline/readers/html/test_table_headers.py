"""Which rows of an HTML table are its header, and that no cell is lost."""

import pytest

from pipeline.passages.markdown_tables import find_tables
from pipeline.readers.html.html import read_markup
from tests.pipeline.readers.html.test_html import read, squeezed


def lines(tmp_path, *rows, tag="td", before=""):
    cells = ["<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>" for row in rows]
    text = read(tmp_path / "a.html", f"<html><body><table>{before}{''.join(cells)}</table></body></html>").text
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in squeezed(text).splitlines()]


def test_thead_and_th_say_what_the_header_is(tmp_path):
    words = [("Lead", "mg/l", "none"), ("Iron", "mg/l", "none set"), ("Zinc", "mg/l", "0.01")]

    assert lines(tmp_path, *words, before="<thead><tr><th>Substance<th>Unit<th>Limit</thead>")[2:] == [
        *map(list, words)
    ]
    assert lines(tmp_path, *words, before="<tr><th>Substance<th>Unit<th>Limit</tr>")[2:] == [*map(list, words)]


@pytest.mark.parametrize("data", ["0.1-2.0", "3.6% - 5.4%", "11.3 years", "2 to 7 years", "&lt; 5", "up to 20 years"])
def test_ranges_and_amounts_with_units_are_data(tmp_path, data):
    table = lines(tmp_path, ("", "Jan 26, 2025", "Jan 28, 2024"), ("Expected life", data, data), ("Rate", "5", "6"))

    assert table[0] == ["", "Jan 26, 2025", "Jan 28, 2024"]
    assert table[2][0] == "Expected life"


def test_terms_over_columns_are_headings(tmp_path):
    terms = ("", "Less than 12 months", "2 to 7 years")
    assert lines(tmp_path, ("", "2025", "2024"), terms, ("Debt", "5", "6"))[0][1] == "2025 Less than 12 months"


def test_years_between_years_are_a_heading(tmp_path):
    assert lines(tmp_path, ("", "2019-2020", "2020-21"), ("Sales", "5", "6"))[0] == ["", "2019-2020", "2020-21"]


def test_rows_of_words_above_the_first_figure_are_no_header(tmp_path):
    table = lines(tmp_path, ("Name", "Rank"), ("Anna", "first"), ("Bo", "second"), ("Cy", "3"))

    assert table[0] == ["Name", "Rank"]
    assert table[2:] == [["Anna", "first"], ["Bo", "second"], ["Cy", "3"]]


def test_a_list_of_exhibits_has_no_header(tmp_path):
    exhibits = [("3(i)", "Articles of incorporation"), ("10.1", "Lease"), ("21", "Subsidiaries"), ("31.1", "14")]
    table = lines(tmp_path, *exhibits)

    assert table[0] == ["", ""]
    assert table[2:] == [*map(list, exhibits)]


def test_a_heading_over_a_group_of_columns_is_over_each(tmp_path):
    group = "<tr><td><td colspan=3>Year Ended</tr>"
    table = lines(tmp_path, ("", "2025", "2024", "2023"), ("Sales", "5", "6", "7"), before=group)
    assert table[0] == ["", "Year Ended 2025", "Year Ended 2024", "Year Ended 2023"]


def test_headings_and_small_tables_in_cells_are_cells(tmp_path):
    inner = "<table><tr><td>Rye</td></tr></table>"
    table = lines(tmp_path, ("", "<h3>2021</h3>"), ("Wheat", "210"), (inner, "190"))
    assert [table[0], *table[2:]] == [["", "2021"], ["Wheat", "210"], ["Rye", "190"]]


def test_a_table_that_lays_out_a_page_is_no_table(tmp_path):
    part = f"<h2>News</h2><p>{'Long words of a page. ' * 20}</p>"
    text = read(tmp_path / "a.html", f"<html><body><table><tr><td>{part}</td><td>{part}</td></tr></table>").text
    assert text.count("## News") == 2


def test_nothing_in_a_broken_table_is_lost(tmp_path):
    source = (
        "<table><tr><form><td>A</td><td>120</td></form></tr><tr>Loose<td>B</td><td>130</td></tr><p>Stray</p>"
        "<tr><td>C</td><td>140</td></tr></table>"
    )
    text = squeezed(read(tmp_path / "a.html", f"<html><body>{source}</body></html>").text)

    assert all(f"| {row} |" in text for row in ("A | 120", "B | 130", "C | 140"))
    assert text.startswith("Loose\n\nStray\n\n|")


def test_two_header_rows_within_a_table_begin_another():
    years = "<tr><td></td><td>MAY 2025</td><td>MAY 2024</td></tr>"
    spans = [f"<tr><td></td><td colspan=2>{words}</td></tr>{years}" for words in ("FOUR QUARTERS", "FIVE QUARTERS")]
    rows = [f"<tr><td>{label}</td><td>12</td><td>13</td></tr>" for label in ("Income", "Debt")]
    tables = list(find_tables(read_markup(f"<table>{spans[0]}{rows[0]}{spans[1]}{rows[1]}</table>".encode()).text))

    assert [table.header for table in tables] == [
        ("", "FOUR QUARTERS MAY 2025", "FOUR QUARTERS MAY 2024"),
        ("", "FIVE QUARTERS MAY 2025", "FIVE QUARTERS MAY 2024"),
    ]


@pytest.mark.parametrize("first", ["Exhibit (99-1) -", "☑", "*"])
def test_a_row_that_begins_with_the_number_of_an_item_or_has_boxes_or_signs_is_no_header(first):
    rows = [(first, "*" if first == "*" else "Summary"), ("101.INS", "Instance document")]
    html = "".join(f"<tr><td>{left}</td><td>{right}</td></tr>" for left, right in rows)
    (table,) = find_tables(read_markup(f"<table>{html}</table>".encode()).text)

    assert not any(table.header)
    assert [cells for cells, _ in table.rows] == rows


def test_names_above_titles_are_no_header():
    rows = ["<tr><td>Ada Miller</td><td>John Smith</td></tr>", "<tr><td>Treasurer</td><td>President of it</td></tr>"]
    (table,) = find_tables(read_markup(f"<table>{''.join(rows)}</table>".encode()).text)

    assert not any(table.header)
    assert table.rows[0][0] == ("Ada Miller", "John Smith")
