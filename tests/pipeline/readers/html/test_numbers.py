"""Numbers and formulas of web pages come out as the page shows them."""

import pytest

from pipeline.readers.html import html
from pipeline.readers.html.lists import format_number
from tests.pipeline.readers.html.test_html import read


def body(tmp_path, source):
    return read(tmp_path / "a.html", f"<html><body>{source}</body></html>").text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("the 7<sup>1</sup>/<sub>2</sub>% Notes", "the 7 1/2% Notes"),
        ("the 6<sup>3</sup>&frasl;<sub>4</sub>% Notes", "the 6 3/4% Notes"),
        ("the 5<sup>7</sup>/8% Notes", "the 5 7/8% Notes"),
        ("2<sup>32</sup> addresses", "2^32 addresses"),
        ("3x10<sup>9</sup>/L", "3x10^9/L"),
        ("10<sup>&minus;6</sup> per second", "10^-6 per second"),
        ("growth of (1+r)<sup>t</sup>", "growth of (1+r)^t"),
        ("a plot of 1,200m<sup>2</sup>", "a plot of 1,200m^2"),
        ("ions of Ca<sup>2+</sup>", "ions of Ca^{2+}"),
        ("sales of 1,200<sup>2</sup>", "sales of 1,200[2]"),
        ("see Table 2<sup>3</sup>", "see Table 2[3]"),
        ("in Table (Northern) <sup>2</sup>", "in Table (Northern) [2]"),
    ],
)
def test_raised_digits_are_powers_fractions_or_marks_of_notes(tmp_path, source, text):
    assert body(tmp_path, f"<p>{source}</p>") == text


MATH = "<math xmlns='http://www.w3.org/1998/Math/MathML'{}>{}</math>"
SQUARE = "<msup><mi>x</mi><mn>2</mn></msup>"
FRACTION = "<mfrac><mn>1</mn><mn>2</mn></mfrac>"


@pytest.mark.parametrize(
    ("inside", "tex"),
    [
        (FRACTION, "1/2"),
        (f"<mfrac><mrow>{SQUARE}<mo>+</mo><mn>1</mn></mrow><mi>y</mi></mfrac>", r"\frac{x^2+1}{y}"),
        ("<msup><mn>10</mn><mrow><mo>−</mo><mn>6</mn></mrow></msup>", "10^-6"),
        ("<msqrt><mn>2</mn></msqrt>", r"\sqrt{2}"),
        ("<msub><mi>a</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub>", "a_{ij}"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>", "∑_i^n"),
        (
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr></mtable>",
            r"\begin{matrix} 1 & 0 \end{matrix}",
        ),
    ],
)
def test_mathml_without_tex_is_written_as_tex(tmp_path, inside, tex):
    assert body(tmp_path, f"<p>so {MATH.format('', inside)} is</p>") == f"so ${tex}$ is"


def test_an_alternative_text_in_words_is_no_formula(tmp_path):
    formula = MATH.format(" alttext='Alternative text not available'", SQUARE)
    assert body(tmp_path, f"<p>so {formula} is</p>") == "so $x^2$ is"


def test_a_formula_hidden_beside_its_picture_is_written_once(tmp_path):
    hidden = f"<span style='display:none'>{MATH.format('', SQUARE)}</span>"
    shown = "<img alt='x^{2}' aria-hidden=true class='mwe-math-fallback-image-inline'>"
    assert body(tmp_path, f"<p>so <span>{hidden}{shown}</span> is</p>") == "so $x^2$ is"


def test_hidden_mathml_without_a_picture_stays_hidden(tmp_path):
    hidden = f"<span style='display:none'>{MATH.format('', SQUARE)}</span>"
    assert body(tmp_path, f"<p>so it {hidden}is</p>") == "so it is"


def test_scripts_of_mathjax_and_pictures_with_tex_are_formulas(tmp_path):
    drawn = "<span class='MathJax_Preview'>a2</span><span class=MathJax>a2</span><script type='math/tex'>a^2</script>"
    assert body(tmp_path, f"<p>so {drawn} is</p>") == "so $a^2$ is"
    assert body(tmp_path, r"<p>so <img alt='\frac{1}{n}'> and <img alt=minus>5</p>") == "so $\\frac{1}{n}$ and −5"
    assert body(tmp_path, "<p>so <img alt='a_long_file_name.png'> is</p>") == "so is"


def test_page_numbers_within_words_are_left_out_and_counted(tmp_path):
    source = "<p>the har<span class=pagenum>[13]</span>bour, 1<a id=Page_14>[Pg 14]</a>300 coins, <a id=p9>nine</a></p>"
    reading = read(tmp_path / "a.html", f"<html><body>{source}</body></html>")

    assert reading.text == "the harbour, 1300 coins, nine"
    assert "2 page numbers within the text left out" in reading.warnings


def test_symbol_fonts_show_other_signs_than_their_letters(tmp_path):
    source = "<p>5 <font face=Symbol>m</font>g, <span style='font-family:Symbol'>a</span>, m</p>"
    assert body(tmp_path, source) == "5 μg, α, m"


def test_struck_out_words_are_marked_and_counted(tmp_path):
    reading = read(
        tmp_path / "a.html", "<html><body><p>pay <del>$500 </del><ins>$900</ins> <s></s></p><del><p>all<p>gone</del>"
    )

    assert reading.text == "pay ~~$500~~ $900\n\n~~all~~\n\n~~gone~~"
    assert reading.warnings == ("2 struck-out passages kept between ~~",)


def test_lists_count_as_their_attributes_say(tmp_path):
    source = (
        "<ol start=3><li>a<li value=7>b<li>c</ol><p>x</p><ol type=a><li>d<li>e</ol><p>y</p><ol reversed><li>f<li>g</ol>"
    )
    assert body(tmp_path, source) == "3. a\n7. b\n8. c\n\nx\n\na. d\nb. e\n\ny\n\n2. f\n1. g"


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [(27, "a", "aa"), (52, "A", "AZ"), (4, "i", "iv"), (1994, "I", "MCMXCIV"), (0, "a", "0"), (5, "1", "5")],
)
def test_numbers_are_written_in_letters_and_roman_numerals(number, kind, text):
    assert format_number(number, kind) == text


def test_a_heading_in_a_button_is_a_heading(tmp_path):
    assert body(tmp_path, "<h2><button>Risks</button></h2><p>x <button>Share</button></p>") == "## Risks\n\nx"


def test_links_to_edit_a_wiki_and_its_menus_are_left_out(tmp_path):
    menu = "<div class='vector-menu mw-portlet'><ul><li>Deutsch<li>Eesti</ul></div>"
    assert body(tmp_path, f"{menu}<h2>Energy<span class=mw-editsection>[edit]</span></h2><p>x</p>") == "## Energy\n\nx"


EUROPEAN = """<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"
xmlns:ix="http://www.xbrl.org/2013/inlineXBRL" xmlns:xbrli="http://www.xbrl.org/2003/instance"><body>
<div style="display:none"><ix:header><xbrli:context id="c"><xbrli:period><xbrli:instant>2022-12-31</xbrli:instant>
</xbrli:period></xbrli:context></ix:header></div><table>{}</table></body></html>"""


@pytest.mark.parametrize(
    ("format_", "printed", "value"),
    [
        ("ixt:numdotcomma", "1.234,5", "1234.5"),
        ("ixt:numcommadot", "1,234.5", "1234.5"),
        ("ixt4:num-comma-decimal", "9.876,5", "9876.5"),
        ("ixt4:num-dot-decimal", "5 432 100", "5432100"),
        ("ixt4:num-dot-decimal", "7\u00a0654\u00a0321", "7654321"),
        ("ixt:numspacecomma", "4 321,75", "4321.75"),
        ("ixt4:num-dot-decimal", "1’234’567", "1234567"),
        ("ixt4:fixed-zero", "—", "0"),
    ],
)
def test_figures_are_read_by_the_format_of_their_tags(tmp_path, format_, printed, value):
    tag = f'<ix:nonFraction name="s" contextRef="c" format="{format_}">{printed}</ix:nonFraction>'
    row = f"<tr><td>Sales of 2022</td><td>{tag}</td></tr>"
    path = tmp_path / "a.xhtml"
    path.write_text(EUROPEAN.format(row), encoding="utf-8")
    reading = html.read(path, None)

    (fact,) = reading.facts
    assert fact.value == value
    assert reading.text[fact.start : fact.end] == printed.replace("\u00a0", " ")
