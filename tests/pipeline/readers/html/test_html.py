import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.common.reading import UnreadableError
from pipeline.readers.common.sections import find_sections
from pipeline.readers.common.tables import Cell, columns_within, find_columns, join_cells, table_blocks
from pipeline.readers.html import html


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
    assert reading.warnings == ()


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

    assert find_columns(rows) == [(0, 3), (3, 5), (6, 7)]


def test_a_bar_in_a_cell_is_escaped():
    assert "a\\|b" in table_blocks([[Cell("a|b", 0, 1), Cell("1", 1, 2)], [Cell("c", 0, 1), Cell("2", 1, 2)]])[0]


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


def test_a_page_without_text_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="no text between the tags"):
        read(tmp_path / "a.html", "<html><body><img src=x></body></html>")


def test_menus_and_footers_of_a_page_go_and_its_article_stays(tmp_path):
    source = (
        "<header><h1>Title</h1><nav>Home</nav></header><div role=navigation>More</div><main><p>Text"
        "<article><p>Inner<footer>By the author</footer></article></main>"
        "<form><button>Send</button><select><option>One</select></form><footer>Imprint</footer>"
    )

    assert read(tmp_path / "a.html", source).text == "# Title\n\nText\n\nInner\n\nBy the author"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>as shown.<sup>12</sup> Then", "as shown.[12] Then"),
        ("<p>by segment<span style='position:relative;top:-3.5pt'>(1)(2)</span> are", "by segment[1, 2] are"),
        ("<p>10<sup>6</sup> and x<sup>10</sup> km<sup>2</sup>", "10^6 and x^10 km^2"),
        ("<p>the 21<sup>st</sup> and the 4<sup>th</sup> day", "the 21st and the 4th day"),
        ("<p>at all.<a class=noteref href=#n>3</a> The end", "at all.[3] The end"),
        ("<p>so <math><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></math> is", "so $x^2$ is"),
        ("<p>so <math alttext='y_1'><mi>y</mi></math> is", "so $y_1$ is"),
    ],
)
def test_raised_signs_are_kept_apart_from_what_they_follow(tmp_path, source, text):
    assert read(tmp_path / "a.html", source).text == text


def test_the_mark_of_a_note_in_a_cell_of_its_own_joins_the_cell_before_it(tmp_path):
    source = (
        "<table><tr><td>Year<td colspan=2>2024<td colspan=2>2023<tr><td>Sales<td>5<td><sup>1</sup><td>4<td>"
        "<tr><td>Costs<td>$—<td><td>$—<td></table>"
    )

    assert squeezed(read(tmp_path / "a.html", source).text).splitlines()[2:] == [
        "| Sales | 5 [1] | 4 |",
        "| Costs | $— | $— |",
    ]


BREAK = "<hr style='page-break-after:always'>"
WORDS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")
PAGES = [
    f"<div>ACME</div><p>{word} page begins.</p><p>It ends.{word}</p><div>Form 10-K</div><div>{n}</div>"
    for n, word in enumerate(WORDS, 1)
]


def test_what_stands_at_every_page_break_goes_but_for_the_first(tmp_path):
    reading = read(tmp_path / "a.html", BREAK.join(PAGES))

    assert reading.text.count("ACME") == 2  # on the first page, and the first after a break
    assert reading.text.count("Form 10-K") == 2  # the first before a break, and on the last page
    assert re.findall(r"^\d$", reading.text, re.MULTILINE) == ["8"]
    assert all(f"{word} page begins" in reading.text for word in WORDS)
    assert reading.warnings == ("19 running heads, feet and page numbers left out",)


def test_a_sentence_goes_on_over_a_page_break(tmp_path):
    pages = [f"<p>{word} sentence that ends</p><p>{n}</p>{BREAK}<p>after {word}.</p>" for n, word in enumerate(WORDS)]

    assert "Three sentence that ends after Three." in read(tmp_path / "a.html", "".join(pages)).text


def test_headings_of_notes_at_page_breaks_stay(tmp_path):
    pages = [f"<p>Text {n}.</p><p>{n}</p>{BREAK}" + (f"<p>NOTE {n}</p>" if n in (3, 9, 27) else "") for n in range(40)]

    assert re.findall(r"NOTE \d+", read(tmp_path / "a.html", "".join(pages)).text) == ["NOTE 3", "NOTE 9", "NOTE 27"]


def test_tables_that_hold_parts_of_a_page_become_those_parts(tmp_path):
    column = "<p>" + "words and more " * 50
    source = f"<table><tr><td><h1>Title</h1><p>One<p>Two<td><table><tr><td>a<td>1<tr><td>b<td>2</table></table>\
<table><tr><td>{column}{column}<td>Aside</table>"
    blocks = squeezed(read(tmp_path / "a.html", source).text).split("\n\n")

    assert blocks[:3] == ["# Title", "One", "Two"]
    assert blocks[3].splitlines()[-1] == "| b | 2 |"
    assert [block[:15] for block in blocks[4:]] == ["words and more ", "words and more ", "Aside"]


@pytest.mark.parametrize("num", [1_000, 300_000])
def test_deep_nesting_keeps_headings_and_tables(tmp_path, num):
    inside = "<h2>Head</h2><table><tr><td>a<td>1<tr><td>b<td>2</table><p>x</p>"
    reading = read(tmp_path / "a.html", f"<p>before</p>{'<div>' * num}deep{'</div>' * num}{inside}")

    assert squeezed(reading.text).split("\n\n")[1:3] == ["deep", "## Head"]
    assert "| b | 2 |" in squeezed(reading.text)


def test_declared_entities_leave_nothing_behind(tmp_path):
    source = "<!DOCTYPE html [<!ENTITY a \"b]>c\"><!-- ]> --><!ENTITY d 'e'>]><p>x &a; y"

    assert read(tmp_path / "a.html", source).text == "x &a; y"


RANGES = st.tuples(st.integers(0, 12), st.integers(1, 5))


@given(st.lists(st.lists(RANGES, max_size=6), max_size=6))
def test_columns_are_in_order_without_overlap_and_every_cell_has_one(rows):
    columns = find_columns([[Cell("x", start, start + width) for start, width in row] for row in rows])

    assert all(before[1] <= after[0] for before, after in pairwise(columns))
    for start, width in (cell for row in rows for cell in row):
        covered = columns_within(columns, start, start + width)
        assert list(covered) == [i for i, (low, high) in enumerate(columns) if low < start + width and start < high]
        assert len(covered) > 0


def test_a_grid_that_is_almost_empty_is_no_table():
    rows = [[Cell(f"a{n}", n, n + 1), Cell("1", 2_000 + n, 2_001 + n)] for n in range(1_100)]

    assert table_blocks(rows)[7] == "a7 1"


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("x-sjis", "cp932"),
        ("gb2312", "gb18030"),
        ("iso-8859-1", "cp1252"),
        ("x-euc-jp", "euc-jp"),
        ("iso-2022-jp",) * 2,
    ],
)
def test_names_of_encodings_mean_what_browsers_take_them_for(tmp_path, name, codec):
    word = "price 5 €" if codec == "cp1252" else "日本語の文章"
    source = f"<html><head><meta charset={name}></head><body>{word}</body></html>".encode(codec)

    assert word in read(tmp_path / "a.html", source).text


def test_utf_8_is_read_as_such_whatever_the_page_names(tmp_path):
    assert "Größe €" in read(tmp_path / "a.html", "<meta charset=latin1><p>Größe €".encode()).text


def test_lines_that_look_like_headings_or_fences_are_none(tmp_path):
    reading = read(tmp_path / "a.html", "<p># one<br>## two<br>#three<br>```<p>x")

    assert reading.text == "\\# one\n\\## two\n#three\n\\```\n\nx"
    assert find_sections(reading.text) == ()


def test_a_feed_has_a_block_for_each_element_and_the_pages_in_it_are_read(tmp_path):
    source = (
        "<?xml version='1.0'?><rss><channel><title>News</title><item><title>One</title>"
        "<description>&lt;p&gt;First &lt;b&gt;text&lt;/b&gt;.&lt;p style='display:none'&gt;unseen&lt;/p&gt;"
        "</description></item><note>With <emphasis>stress</emphasis> &lt; 5.</note></channel></rss>"
    )
    reading = read(tmp_path / "a.xml", source)

    assert reading.text == "News\n\nOne\n\nFirst text.\n\nWith stress < 5."
    assert reading.warnings == ("1 hidden elements left out, 6 characters",)


def test_a_list_of_contents_is_no_text(tmp_path):
    assert read(tmp_path / "a.html", "<p class='toc x'><a href=#a>A</a><p class=tocco>Text").text == "Text"


def test_units_and_signs_join_the_figure_before_them():
    cells = ["Share", "34.7", "%", "240", "bps", "(1.5", ")%", "3", "x"]
    rows = [[Cell(text, place, place + 1) for place, text in enumerate(cells)]] * 2

    assert [cell.text for cell in join_cells(rows[0])] == ["Share", "34.7%", "240 bps", "(1.5)%", "3x"]
