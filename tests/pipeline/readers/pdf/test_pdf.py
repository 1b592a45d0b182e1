import re

import pypdf
import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from pipeline.readers.common.reading import TEXT_ONLY, ReadContext, UnreadableError
from pipeline.readers.pdf import pdf
from pipeline.readers.pdf.headings import Outline
from pipeline.readers.pdf.layout import RUNNING, markdown_pages
from pipeline.readers.pdf.lines import Line, Piece, plain_lines
from pipeline.readers.pdf.running_headers import letters_and_digits

NAMES = ("one", "two", "three", "four")
WORDS = "the trace compiler speculates that types stay as they were during recording and so it emits fewer checks"


def read(path, cautious=False, budget=lambda num_pages: None, options=TEXT_ONLY):
    return pdf.read(path, ReadContext(budget, options, cautious))


def canvas(path):
    return Canvas(str(path), pagesize=letter, invariant=True)


def paragraph(page, text, x, y, width, size=10.0):
    """Set a text in lines and return the height below it."""
    page.setFont("Helvetica", size)
    line = ""
    for word in [*text.split(), ""]:
        if not word or page.stringWidth(f"{line} {word}", "Helvetica", size) > width:
            page.drawString(x, y, line.strip())
            y -= 1.2 * size
            line = ""
        line += f" {word}"
    return y


@pytest.fixture
def paper(tmp_path):
    """Four pages in two columns, with running heads, numbered headings and page numbers."""
    page = canvas(tmp_path / "paper.pdf")
    page.setTitle("A Paper")
    page.setAuthor("Someone")
    for number in range(1, 5):
        page.setFont("Helvetica", 8)
        page.drawString(72, 760, f"Journal of Tests, Vol. {number}")
        page.drawString(300, 30, str(number))
        page.setFont("Helvetica-Bold", 12)
        page.drawString(72, 730, f"{number}. Part {NAMES[number - 1]}")
        name = NAMES[number - 1]
        y = paragraph(page, f"Left {name} begins here and {WORDS}. " * 3, 72, 710, 220)
        paragraph(page, f"A second paragraph, {name}, on the left.", 72, y - 12, 220)
        paragraph(page, f"Right {name} column: {WORDS}.", 330, 730, 220)
        page.showPage()
    page.save()
    return tmp_path / "paper.pdf"


def test_columns_are_read_one_after_the_other(paper):
    text = read(paper).text

    assert (
        text.index("Left one") < text.index("second paragraph, one") < text.index("Right one") < text.index("Left two")
    )


def test_running_heads_and_page_numbers_go_and_are_counted(paper):
    reading = read(paper)

    assert "Journal" not in reading.text
    assert not re.search(r"^\d$", reading.text, re.MULTILINE)
    assert reading.warnings == ("8 running heads, feet and page numbers left out",)


def test_headings_are_marked(paper):
    assert re.findall("^#.*$", read(paper).text, re.MULTILINE) == [f"## {n}. Part {w}" for n, w in enumerate(NAMES, 1)]


def test_paragraphs_are_parted_by_blank_lines_and_their_lines_are_not(paper):
    block = next(block for block in read(paper).text.split("\n\n") if "Left one" in block)

    assert " ".join(block.split()) == " ".join([f"Left one begins here and {WORDS}."] * 3)


def test_pages_start_where_their_offsets_say(paper):
    reading = read(paper)

    assert reading.num_pages == len(reading.page_offsets) == 4
    assert all(reading.text.startswith(f"## {n}. Part", offset) for n, offset in enumerate(reading.page_offsets, 1))


def test_what_the_file_says_of_itself_is_kept(paper):
    reading = read(paper)

    assert (reading.title, reading.authors, reading.reader) == ("A Paper", ("Someone",), "pypdfium2")
    assert reading.date == "2000-01-01"


def test_the_second_engine_reads_what_the_first_would(paper):
    reading = read(paper, cautious=True)

    assert (reading.reader, reading.num_pages, reading.title) == ("pypdf", 4, "A Paper")
    assert "Right four column" in reading.text


def test_the_number_of_pages_is_told_before_they_are_read(paper):
    told = []

    read(paper, budget=told.append)

    assert told == [4]


def test_the_figures_of_a_table_stand_under_their_years(tmp_path):
    page = canvas(tmp_path / "table.pdf")
    paragraph(page, f"A table follows. {WORDS}", 72, 740, 400)
    rows = [("(Millions)", "2018", "2017"), ("Net sales", "32,765", "31,657"), ("Cost of sales", "16,682", "16,055")]
    rows += [("Operating expenses", "", ""), ("Gain on sale", "(547)", "(586)"), ("Net income", "5,363", "4,869")]
    page.setFont("Helvetica", 10)
    for number, (label, one, two) in enumerate(rows):
        y = 650 - 12 * number
        page.drawString(72, y, label)
        if label == "Net sales":
            page.drawString(300, y, "$")
            page.drawString(400, y, "$")
        page.drawRightString(350, y, one)
        page.drawRightString(450, y, two)
    page.save()

    table = [re.sub(" +", " ", line) for line in read(tmp_path / "table.pdf").text.splitlines() if line.startswith("|")]

    assert table[:1] + table[2:] == [
        "| (Millions) | 2018 | 2017 |",
        "| Net sales | $32,765 | $31,657 |",
        "| Cost of sales | 16,682 | 16,055 |",
        "| Operating expenses | | |",
        "| Gain on sale | (547) | (586) |",
        "| Net income | 5,363 | 4,869 |",
    ]


def test_the_outline_names_the_headings(tmp_path):
    page = canvas(tmp_path / "outline.pdf")
    for number, title in enumerate(["Whales", "Ships"]):
        page.bookmarkPage(title)
        page.addOutlineEntry(title, title, level=number)
        page.setFont("Helvetica", 10)
        page.drawString(72, 740, title)
        paragraph(page, WORDS, 72, 700, 300)
        page.showPage()
    page.save()

    assert re.findall("^#.*$", read(tmp_path / "outline.pdf").text, re.MULTILINE) == ["## Whales", "### Ships"]


def test_a_scan_is_refused_with_its_pages_counted(tmp_path):
    page = canvas(tmp_path / "scan.pdf")
    for _ in range(3):
        page.rect(10, 10, 100, 100)
        page.showPage()
    page.save()

    with pytest.raises(UnreadableError, match="empty: none of its 3 pages has text: is it scanned"):
        read(tmp_path / "scan.pdf")


def test_pages_without_text_are_counted_beside_those_with(tmp_path):
    page = canvas(tmp_path / "half.pdf")
    page.drawString(72, 700, "Some text")
    page.showPage()
    page.rect(10, 10, 100, 100)
    page.save()

    assert read(tmp_path / "half.pdf").warnings == ("1 pages without text",)


@pytest.mark.parametrize(("password", "readable"), [("", True), ("secret", False)])
def test_only_a_password_that_is_not_empty_keeps_us_out(paper, tmp_path, password, readable):
    writer = pypdf.PdfWriter(clone_from=paper)
    writer.encrypt(password, owner_password="owner", algorithm="AES-128")  # noqa: S106
    writer.write(tmp_path / "locked.pdf")

    if readable:
        assert "Left one" in read(tmp_path / "locked.pdf").text
    else:
        with pytest.raises(UnreadableError, match="encrypted: it needs a password"):
            read(tmp_path / "locked.pdf")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_file_is_read_or_refused(paper, tmp_path, share):
    data = paper.read_bytes()
    (tmp_path / "cut.pdf").write_bytes(data[: int(share * len(data))])

    try:
        text, kind = read(tmp_path / "cut.pdf").text, ""
    except UnreadableError as error:
        text, kind = "", error.kind
    assert text or kind in ("broken", "empty")


def line(text, bottom, size=10.0, left=72.0, bold=False):
    return Line(
        (Piece(text, left, left + 5 * len(text)),), bottom, size, bold=bold, first_word=5 * len(text.split()[0])
    )


def test_a_heading_at_another_height_than_the_running_head_stays():
    pages = [[line("WHALES", 760), line(f"{WORDS} {name}", 700)] for name in NAMES]
    pages[0].insert(1, line("WHALES", 730))

    markdown, left_out = markdown_pages(pages, Outline({}))

    assert left_out[RUNNING] == 4
    assert "WHALES" in markdown[0]
    assert "WHALES" not in "".join(markdown[1:])


def test_a_hyphen_at_the_end_of_a_line_joins_the_word():
    markdown, _ = markdown_pages([[line("a pro\ufffe", 700), line("gram", 688)]], Outline({}))

    assert markdown == ["a pro\ufffegram"]


def test_lines_without_places_stay_lines():
    assert markdown_pages([plain_lines("one\ntwo\n\nthree")], Outline({}))[0] == ["one\ntwo\nthree"]


def test_titles_are_compared_by_letters_and_digits():
    assert letters_and_digits("3.1  Trace-Trees!") == "31tracetrees"
