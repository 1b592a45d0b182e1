import pytest

from pipeline.readers.common.clean import clean
from pipeline.readers.common.reading import Options
from pipeline.readers.pdf.edge_lines import is_running
from pipeline.readers.pdf.headings import Outline
from pipeline.readers.pdf.hyphens import join_words
from pipeline.readers.pdf.layout import join_quotes, markdown_pages
from pipeline.readers.pdf.lines import Line, Piece
from pipeline.readers.pdf.running_headers import PAGE_NUMBER
from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, paragraph, read, table

WITHOUT_LAYOUT = Options(layout=False, ocr=False, ocr_cpu_seconds_per_page=0)


def line(text, bottom=700.0, left=72.0, size=10.0):
    return Line((Piece(text, left, left + 5 * len(text)),), bottom, size, bold=False, first_word=30)


@pytest.mark.parametrize(
    ("known", "first", "second", "joined"),
    [
        ("mixed words", "pro\ufffe", "gram", "program"),
        ("a local-currency rate", "local\ufffe", "currency", "local-currency"),
        ("cooperate or co-operate", "co\ufffe", "operate", "cooperate"),
        ("no such word", "Soekarno\ufffe", "Hatta", "Soekarno-Hatta"),
        ("TraceMonkey is one", "Trace\ufffe", "Monkey", "TraceMonkey"),
        ("figures", "2018\ufffe", "2019", "2018-2019"),
        ("many letters", "let-", "ters", "letters"),
        ("no such word", "let-", "ters", "let-\nters"),
    ],
)
def test_whether_a_hyphen_stays_the_rest_of_the_document_says(known, first, second, joined):
    markdown, _ = markdown_pages([[line(known, 740), line(first, 700), line(second, 688)]], Outline({}))

    assert markdown[0].replace("\ufffe", "").endswith(joined)


def test_a_word_that_goes_on_on_the_next_page_is_whole(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    paragraph(page, f"The miscellaneous remarks. {WORDS} and miscel-", 72, 700, 300)
    page.showPage()
    paragraph(page, "laneous words go on.", 72, 700, 300)
    page.save()

    reading = read(tmp_path / "page.pdf")

    assert "and miscellaneous words go on." in " ".join(reading.text.split())
    assert reading.text[reading.page_offsets[1] :] == "laneous words go on."


def test_the_last_line_of_a_document_keeps_its_hyphen():
    assert join_words([[line("an end-")]])[0][0].text == "an end-"


def test_a_line_that_runs_up_the_page_does_not_interrupt_the_others(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    paragraph(page, f"Before {WORDS} and", 72, 700, 300)
    page.saveState()
    page.translate(30, 300)
    page.rotate(90)
    page.drawString(0, 0, "Stamped on the margin")
    page.restoreState()
    paragraph(page, "after the stamp.", 72, 664, 300)
    page.save()

    assert read(tmp_path / "page.pdf").text.split("\n\n")[-1] == "Stamped on the margin"


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_is_read_as_if_it_were_upright(tmp_path, turn):
    for angle in (0, turn):
        page = canvas(tmp_path / f"{angle}.pdf")
        page.translate(306, 396)
        page.rotate(angle)
        for number, (label, figure) in enumerate([("Net sales", "32,765"), ("Cost", "7,602"), ("Income", "547")]):
            page.setFont("Helvetica", 10)
            page.drawString(-200, 100 - 12 * number, label)
            page.drawRightString(100, 100 - 12 * number, figure)
        paragraph(page, f"{WORDS}. " * 2, -200, 50, 300)
        page.save()

    assert "| Net sales | 32,765 |" in read(tmp_path / f"{turn}.pdf").text
    assert read(tmp_path / f"{turn}.pdf").text == read(tmp_path / "0.pdf").text


def test_a_listing_keeps_the_places_of_its_characters(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    paragraph(page, f"{WORDS}. " * 8, 72, 740, 300)
    listing = ["for key in sorted(all_of_them):", "    if key in found:", "        continue  # it is there"]
    listing += ["    found.append(key + 1)", "return found and nothing more", "print(found, all_of_them, key)"]
    page.setFont("Courier", 9)
    for number, text in enumerate(listing):
        page.drawString(72, 500 - 11 * number, text)
    page.save()

    assert "\n".join(["```", *listing, "```"]) in read(tmp_path / "page.pdf").text


def test_a_document_from_a_typewriter_is_no_listing(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    page.setFont("Courier", 10)
    for number in range(20):
        page.drawString(72, 700 - 12 * number, f"In line {number} there are some words of a letter.")
    page.save()

    assert "```" not in read(tmp_path / "page.pdf").text


def test_page_numbers_at_any_height_go_if_they_count_the_pages(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    for number in range(4):
        for line_number in range(5 + number):
            paragraph(
                page, f"Page {'abcd'[number]} has words {'abcdefgh'[line_number]}.", 72, 700 - 12 * line_number, 300
            )
        page.drawString(300, 500 - 50 * number, str(number + 7))
        page.showPage()
    page.save()

    reading = read(tmp_path / "page.pdf")

    assert not set("789") & set(reading.text)
    assert "10" not in reading.text
    assert reading.warnings == ("4 running heads, feet and page numbers left out",)


def test_rows_that_are_alike_but_for_their_figures_are_no_feet(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    for number in range(4):
        paragraph(page, f"Chapter {number * number} of words {'abcd'[number]}.", 72, 700, 300)
        table(page, [("Total assets", f"{number + 3}1,415", f"{number}9,265"), ("Total debt", f"{number}7", "12")], 100)
        page.showPage()
    page.save()

    text = read(tmp_path / "page.pdf").text

    assert text.count("Total assets") == text.count("Total debt") == text.count("Chapter") == 4


def test_without_layout_the_text_is_the_engines_own(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    page.setFont("Helvetica-Bold", 18)
    page.drawString(72, 750, "A Heading")
    paragraph(page, f"{WORDS}.", 72, 700, 300)
    page.showPage()
    paragraph(page, "Second page.", 72, 700, 300)
    page.save()

    reading = read(tmp_path / "page.pdf", options=WITHOUT_LAYOUT)

    assert " ".join(reading.text.split()) == f"A Heading {WORDS}. Second page."
    assert reading.text[reading.page_offsets[1] :] == "Second page."
    assert reading.warnings == ("2 pages in which hidden text was not looked for",)


def test_ligatures_are_letters():
    markdown, _ = markdown_pages([[line("The e\ufb03cient \ufb02oat, 5 \ufb01les")]], Outline({}))

    assert clean(markdown[0]) == "The efficient float, 5 files"


def test_two_single_quotation_marks_side_by_side_are_a_double_one():
    assert join_quotes("the ‘‘stick shaker’’ of ‘one’") == "the “stick shaker” of ‘one’"


@pytest.mark.parametrize(
    ("texts", "is_foot"), [(("Guam", "0", "100", "55"), False), (("Minutes of the committee",), True)]
)
def test_the_row_of_a_table_in_small_print_is_no_running_foot(texts, is_foot):
    pieces = tuple(Piece(text, 72 + 60 * number, 100 + 60 * number) for number, text in enumerate(texts))
    assert is_running(Line(pieces, 60, 7, bold=False), 12, PAGE_NUMBER) is is_foot
