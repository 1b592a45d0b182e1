"""Kinds of pages that were read wrongly: rows, numbers, forms, initials, line numbers, short documents."""

import pytest

from pipeline.readers.common.reading import UnreadableError
from pipeline.readers.pdf.control_glyphs import find_glyphs
from pipeline.readers.pdf.legibility import is_legible
from pipeline.readers.pdf.metadata import creation_date
from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, find_tables, paragraph, read, table


def test_a_ledger_with_long_cells_stays_in_rows(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    page.setFont("Helvetica", 9)
    rows = [
        (f"V10{n}", f"Miller and Sons Timber Yard {n}", f"Oak planks for the east pier {n}", f"{n}26.21")
        for n in range(20)
    ]
    for number, (voucher, payee, purpose, amount) in enumerate(rows):
        y = 720 - 20 * number
        page.drawString(50, y, voucher)
        page.drawString(110, y, payee)
        page.drawString(290, y, purpose)
        page.drawRightString(540, y, amount)
    page.save()

    assert find_tables(read(tmp_path / "a.pdf").text)[-20:] == [list(row) for row in rows]


def test_a_label_of_several_lines_beside_its_figures_is_one_cell(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    table(page, [("Source", "Tokens", "Docs"), ("Web pages", "3.71T", "2.95B")], 700)
    page.setFont("Helvetica", 10)
    page.drawString(72, 672, "Code of")
    page.drawString(72, 660, "many kinds")
    table(page, [("", "83.0B", "78.7M")], 666)
    table(page, [("Papers", "58.6B", "38.8M"), ("Total", "3.90T", "3.08B")], 640)
    page.save()

    assert ["Code of many kinds", "83.0B", "78.7M"] in find_tables(read(tmp_path / "a.pdf").text)


def test_the_header_of_a_table_on_many_pages_stays_on_the_first(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    for number in range(4):
        rows = [(f"Station of village {number} {n}", f"1{n}7.{number}", f"2{n}3.{number}") for n in range(9)]
        table(page, [("Station", "Rain 2019", "Rain 2020"), *rows], 700)
        page.showPage()
    page.save()
    reading = read(tmp_path / "a.pdf")

    assert find_tables(reading.text)[0] == ["Station", "Rain 2019", "Rain 2020"]
    assert reading.text.count("Rain 2019") == 1
    assert "3 running heads, feet and page numbers left out" in reading.warnings


def test_smaller_figures_that_are_higher_than_their_label_are_no_powers(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    for number, figure in enumerate(("20300", "1234567", "48210", "90210")):
        page.setFont("Helvetica", 14)
        page.drawString(72, 700 - 26 * number, "Number of it")
        page.setFont("Helvetica", 11)
        page.drawString(330, 703.5 - 26 * number, figure)
    page.save()
    text = read(tmp_path / "a.pdf").text

    assert "^" not in text
    assert all(figure in text for figure in ("20300", "1234567", "48210", "90210"))


def raised(page, x, y, parts):
    """Set text in which what begins with '^' is small and raised."""
    at = page.beginText(x, y)
    for part in parts:
        is_high = part.startswith("^")
        at.setFont("Helvetica", 7.8 if is_high else 12)
        at.setRise(4.6 if is_high else 0)
        at.textOut(part.removeprefix("^"))
    page.drawText(at)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("a rate of 10", "^-6", " a second"), "a rate of 10^-6 a second"),
        (("some 10", "^6", " cells of 5 cm", "^3", " each"), "some 10^6 cells of 5 cm^3 each"),
        (("the 6", "^3", "/4% notes fell"), "the 6 3/4% notes fell"),
        (("ions of Ca", "^2+", " were seen"), "ions of Ca^{2+} were seen"),
        (("on the 5", "^th", " of May"), "on the 5th of May"),
    ],
)
def test_raised_characters_are_powers_fractions_and_charges(tmp_path, parts, text):
    page = canvas(tmp_path / "a.pdf")
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    raised(page, 72, 640, parts)
    page.save()
    assert read(tmp_path / "a.pdf").text.endswith(text)


def test_values_of_forms_are_read_behind_their_labels(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    page.drawString(72, 700, "Name of owner:")
    page.acroForm.textfield(name="owner", value="Ada Miller", x=200, y=694, width=200, height=20)
    page.drawString(72, 660, "Lives in the parish:")
    page.acroForm.checkbox(name="parish", checked=True, x=200, y=655, size=16)
    page.save()
    reading = read(tmp_path / "a.pdf")

    assert reading.text == "Name of owner: Ada Miller\nLives in the parish: [x]"
    assert "2 values of form fields and notes on the page read" in reading.warnings


def test_a_large_initial_belongs_to_its_word(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    page.setFont("Helvetica", 36)
    page.drawString(72, 676, "T")
    page.setFont("Helvetica", 10)
    page.drawString(98, 700, "HE HARBOUR committee met and")
    page.drawString(98, 688, "the treasurer read the accounts.")
    paragraph(page, f"{WORDS}. " * 5, 72, 664, 300)
    page.save()
    reading = read(tmp_path / "a.pdf")

    assert reading.text.startswith("THE HARBOUR committee met")
    assert reading.title != "T"


def test_numbers_of_lines_are_left_out_and_counted(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    page.setFont("Helvetica", 10)
    for number in range(1, 16):
        page.drawString(60, 720 - 20 * number, str(number))
        page.drawString(90, 720 - 20 * number, f"the trace compiler speculates that they stay {chr(96 + number)}")
    page.save()
    reading = read(tmp_path / "a.pdf")

    assert not any(char.isdigit() for char in reading.text)
    assert "15 line numbers left out" in reading.warnings


def test_a_numbered_table_keeps_its_numbers(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    table(page, [(f"{n}", f"{n}5.5", f"{n}7.1") for n in range(1, 16)], 700)
    page.save()
    assert "15" in read(tmp_path / "a.pdf").text


def test_running_heads_of_a_single_page_are_known_by_their_form(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    page.setFont("Helvetica", 8)
    page.drawString(72, 770, "Downloaded from http://example.org/ on July 12, 2017")
    page.drawString(72, 30, "Some Journal | March 2014 | Volume 8 | Issue 3 | e2748")
    page.drawString(300, 16, "199")
    paragraph(page, f"{WORDS}. " * 4, 72, 700, 400)
    page.save()
    reading = read(tmp_path / "a.pdf")

    assert reading.text.startswith("the trace compiler")
    assert reading.text.endswith("fewer checks.")
    assert "3 running heads, feet and page numbers left out" in reading.warnings


def test_a_watermark_is_left_out_and_names_no_file(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    paragraph(page, f"{WORDS}. " * 4, 72, 700, 400)
    page.setFont("Helvetica", 60)
    page.drawString(150, 400, "DRAFT")
    page.save()
    reading = read(tmp_path / "a.pdf")

    assert "DRAFT" not in reading.text
    assert reading.title == ""


def test_a_page_of_shifted_letters_is_an_error_with_its_reason(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    shifted = " ".join("".join(chr(ord(char) - 29) for char in word) for word in (3 * WORDS).split())
    paragraph(page, shifted, 72, 700, 400)
    page.save()

    with pytest.raises(UnreadableError, match="encoding: the fonts of 1 pages do not say"):
        read(tmp_path / "a.pdf")


@pytest.mark.parametrize(
    "text",
    [
        5 * WORDS,
        5 * "Der Hafenausschuss tritt am ersten Montag jedes Monats zusammen und hört den Schatzmeister. ",
        5 * "Szczęście i praca w każdym domu przynosi dobro, a wszystkie drogi prowadzą do Krakowa. ",
        "XK 12 QV 44 " * 5,
        5 * "Комитет гавани собирался в первый понедельник каждого месяца. ",
    ],
)
def test_languages_and_short_codes_are_legible(text):
    assert is_legible(text)


@pytest.mark.parametrize(
    ("text", "controls"),
    [
        ("2017 \x032.4", [5]),
        ("a loss (\x0317.0)", [8]),
        ("e\x0ecient and \x10so\x11 it is", []),
        ("the end\x11. The next", []),
        ("\x13\x0f\x16\x0f\x0e \x10\x0e\x0b", [0, 1, 2, 3, 4, 6, 7, 8]),
    ],
)
def test_controls_beside_figures_are_glyphs_and_those_in_words_are_ligatures(text, controls):
    assert find_glyphs(text) == controls


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("D:20200301120000Z", "2020-03-01"),
        ("20151231", "2015-12-31"),
        ("D:2009", "2009"),
        ("D:20090000", "2009"),
        ("D:16010101000000Z", ""),
        ("D:19700101000000Z", ""),
        ("D:191000071", ""),
        ("Tuesday", ""),
    ],
)
def test_dates_that_no_file_can_have_are_none(text, date):
    assert creation_date(text) == date
