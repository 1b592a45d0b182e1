import re

import pytest

from pipeline.readers import html
from pipeline.readers.reading import UnreadableError
from pipeline.readers.tables import Cell, columns_of, markdown_of


def read(path, source):
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return html.read(path, lambda num_pages: None)


def squeezed(text):
    return re.sub(" +", " ", text)


def test_headings_paragraphs_lists_and_breaks_become_markdown(tmp_path):
    reading = read(
        tmp_path / "a.html",
        "<html lang='en-GB'><head><title> A  page</title><meta name=author content=Me>"
        "<meta name=date content=2020-05-01T1>"
        "</head><body><h2>One\n two</h2><p>Some <b>bold</b>\n text<br>and more.</p>after"
        "<ul><li>x<li>y<ol><li>z</ol></ul>"
        "<script>no()</script><pre><code># comment\n  x</code></pre></body></html>",
    )

    assert reading.text == (
        "## One two\n\nSome bold text\nand more.\n\nafter\n\n- x\n- y\n  1. z\n\n```\n# comment\n  x\n```"
    )
    assert (reading.title, reading.authors, reading.date, reading.language) == ("A page", ("Me",), "2020-05-01", "en")


FILING = """<?xml version='1.0' encoding='ASCII'?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"><body>
<div style="display: none"><ix:header><ix:hidden>SECRET</ix:hidden></ix:header></div><ix:header>SECRET</ix:header>
<div><span style="font-weight:700">ACME CORPORATION</span></div>
<div><span style="font-weight:700">PART I</span></div>
<div><span style="font-weight:700">Item 1. Business.</span></div>
<div><span style="font-weight:700">Our customers</span></div>
<div>We sell <span style="font-weight:700">things</span> &#8212; many, and then some.</div>
<table><tr><td colspan="3"></td><td colspan="9">Year ended June 30,</td></tr>
<tr><td colspan="3">Amounts in millions</td>
<td colspan="3">2025</td><td colspan="3">2024</td><td colspan="3">2023</td></tr>
<tr><td colspan="3">Net sales</td><td>$</td><td>84,284</td><td></td>
<td>$</td><td>84,039</td><td></td><td>$</td><td>82,006</td><td></td></tr>
<tr><td colspan="3">Interest</td><td colspan="2">(907</td><td>)</td>
<td colspan="2">(925</td><td>)</td><td colspan="2">&#8212;</td><td></td></tr>
<tr><td colspan="3">Margin</td><td colspan="2">12.5</td><td>%</td>
<td colspan="2"></td><td></td><td colspan="2">11.0</td><td>%</td></tr>
</table></body></html>"""


def test_a_filing_has_its_headings_and_not_its_hidden_header(tmp_path):
    reading = read(tmp_path / "a.html", FILING)

    assert "SECRET" not in reading.text
    assert reading.text.startswith(
        "ACME CORPORATION\n\n## PART I\n\n### Item 1. Business.\n\n#### Our customers\n\nWe sell things — many"
    )
    assert reading.warnings == ("1 hidden elements left out",)


def test_a_filings_figures_stand_under_their_years(tmp_path):
    table = squeezed(read(tmp_path / "a.html", FILING).text).splitlines()[-5:]

    head, rule, *body = table
    assert (
        head
        == "| Amounts in millions | Year ended June 30, 2025 | Year ended June 30, 2024 | Year ended June 30, 2023 |"
    )
    assert re.fullmatch(r"\| -+ \| -+: \| -+: \| -+: \|", rule)
    assert body == [
        "| Net sales | $84,284 | $84,039 | $82,006 |",
        "| Interest | (907) | (925) | — |",
        "| Margin | 12.5% | | 11.0% |",
    ]


def test_cells_that_span_rows_push_the_cells_below_them_aside(tmp_path):
    source = "<table><tr><th rowspan=2>A<th>B<th>C<tr><td>1<td>2<tr><td>x<td>3<td>4</table>"

    assert squeezed(read(tmp_path / "a.html", source).text).splitlines()[2:] == ["| | 1 | 2 |", "| x | 3 | 4 |"]


def test_a_table_that_only_serves_the_layout_becomes_paragraphs_or_a_list(tmp_path):
    source = "<table><tr><td>One paragraph.<tr><td>Another.</table><table><tr><td>•<td>a<tr><td>•<td>b</table>"

    assert read(tmp_path / "a.html", source).text == "One paragraph.\n\nAnother.\n\n- a\n- b"


def test_wide_cells_do_not_split_or_join_columns():
    rows = [
        [Cell("a", 0, 3), Cell("1", 4, 5), Cell("2", 6, 7)],
        [Cell("both", 3, 8)],
        [Cell("b", 0, 2), Cell("3", 3, 5)],
    ]

    assert columns_of(rows) == [(0, 3), (3, 5), (6, 7)]


def test_a_bar_in_a_cell_is_escaped():
    assert "a\\|b" in markdown_of([[Cell("a|b", 0, 1), Cell("1", 1, 2)], [Cell("c", 0, 1), Cell("2", 1, 2)]])[0]


def test_a_million_columns_take_no_time(tmp_path):
    source = "<table><tr><td colspan=999999999 rowspan=999999999>1<td>2<tr><td>3<td>4</table>"

    assert "3" in read(tmp_path / "a.html", source).text


@pytest.mark.parametrize("num", [200, 5_000, 200_000])
def test_deep_nesting_loses_no_text(tmp_path, num):
    reading = read(
        tmp_path / "a.html", "<html><body><p>before</p>" + "<div>" * num + "deep down" + "</div>" * num + "</body>"
    )

    assert "deep down" in reading.text


def test_entities_are_html_s_own_and_no_others(tmp_path):
    (tmp_path / "secret").write_text("CANARY")
    source = (
        f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
        '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>a&nbsp;b &eacute; &x; c</p></body></html>'
    )
    reading = read(tmp_path / "a.xhtml", source)

    assert "CANARY" not in reading.text
    assert "a b é" in reading.text


@pytest.mark.parametrize(
    "data",
    [
        "<html><head><meta charset='windows-1251'></head><body>Привет</body></html>".encode("cp1251"),
        "<html><body>Привет, это обычный русский текст</body></html>".encode(),
        "<html><head><meta charset='no-such-thing'></head><body>Привет</body></html>".encode(),
    ],
)
def test_the_encoding_of_a_page_is_found(tmp_path, data):
    assert "Привет" in read(tmp_path / "a.html", data).text


def test_hidden_text_is_left_out_and_counted(tmp_path):
    reading = read(tmp_path / "a.html", "<p>seen</p><p style='display:none'>unseen</p><p hidden>unseen</p>")

    assert (reading.text, reading.warnings) == ("seen", ("2 hidden elements left out",))


def test_a_page_without_text_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="no text between the tags"):
        read(tmp_path / "a.html", "<html><body><img src=x></body></html>")
