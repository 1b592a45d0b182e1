from collections import Counter

import pypdf
import pypdfium2
import pytest

from pipeline.readers.common.reading import TEXT_ONLY
from pipeline.readers.pdf.lines import Line, Piece
from pipeline.readers.pdf.metadata import authors_in, date_in
from pipeline.readers.pdf.pdf import EMPTY, FAILED, PDFIUM, PYPDF, Pages
from pipeline.readers.pdf.pypdf_fallback import PypdfDocument
from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, paragraph, read


class Told:
    """A second engine that says what it is told to say."""

    def __init__(self, text):
        self.said = text

    def text(self, index):
        return self.said


class Broken:
    """A document of PDFium whose pages cannot be loaded."""

    def __getitem__(self, index):
        raise pypdfium2.PdfiumError("cannot be loaded")


def pages(path, *texts):
    page = canvas(path)
    for text in texts:
        paragraph(page, text, 72, 700, 400)
        page.showPage()
    page.save()
    return pypdfium2.PdfDocument(path)


GARBAGE = "\ue000\ue001\ue002"


@pytest.mark.parametrize(
    ("drawn", "other", "reader", "text"),
    [
        (WORDS, "other words", PDFIUM, WORDS),
        ("", "other words", PYPDF, "other words"),
        ("", "", EMPTY, ""),
        ("", None, EMPTY, ""),
    ],
)
def test_the_second_engine_reads_the_pages_on_which_the_first_finds_nothing(tmp_path, drawn, other, reader, text):
    found = Pages(pages(tmp_path / "page.pdf", drawn), Told(other), TEXT_ONLY)

    assert " ".join(line.text for line in found.lines(0)) == text
    assert found.readers == [reader]


@pytest.mark.parametrize(
    ("other", "reader"), [("other words", PYPDF), (GARBAGE * 50, PDFIUM), ("", PDFIUM), (None, PDFIUM)]
)
def test_garbage_is_read_by_the_engine_that_finds_less_of_it(tmp_path, other, reader):
    document = pages(tmp_path / "page.pdf", "some words")
    found = Pages(document, Told(other), TEXT_ONLY)
    found.read_with_pdfium = lambda index: ([Line((Piece(f"words {GARBAGE}", 0, 0),), 0, 0, bold=False)], {})

    found.lines(0)

    assert found.readers == [reader]


@pytest.mark.parametrize(("other", "reader"), [("other words", PYPDF), ("", EMPTY), (None, FAILED)])
def test_a_page_that_the_first_engine_cannot_load_is_the_seconds(other, reader):
    found = Pages(Broken(), Told(other), TEXT_ONLY)

    found.lines(0)

    assert found.readers == [reader]


def test_each_page_is_decided_for_itself(tmp_path):
    document = pages(tmp_path / "page.pdf", WORDS, "", WORDS)
    found = Pages(document, Told("other words"), TEXT_ONLY)

    for index in range(3):
        found.lines(index)

    assert found.readers == [PDFIUM, PYPDF, PDFIUM]
    assert found.warnings(Counter(), 0) == ("1 pages in which hidden text was not looked for",)


def test_a_page_that_pypdf_cannot_read_costs_that_page_alone(tmp_path):
    pages(tmp_path / "page.pdf", WORDS, WORDS)
    writer = pypdf.PdfWriter(clone_from=tmp_path / "page.pdf")
    writer.pages[0][pypdf.generic.NameObject("/Contents")] = pypdf.generic.NumberObject(7)
    writer.write(tmp_path / "odd.pdf")
    second = PypdfDocument(tmp_path / "odd.pdf")

    assert second.text(1).split() == WORDS.split()
    assert second.text(0) in (None, "")


def test_a_file_without_metadata_is_named_by_its_first_page(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    page.setFont("Helvetica-Bold", 18)
    page.drawString(72, 740, "On the Sorting of")
    page.drawString(72, 718, "Very Long Shelves")
    page.setFont("Helvetica", 11)
    page.drawString(72, 690, "Ada M. Quell, Torvin Hale and Ruth de Vries")
    page.drawString(72, 676, "University of Norvania, March 4, 2019")
    paragraph(page, f"{WORDS}. " * 6, 72, 640, 400)
    page.save()
    writer = pypdf.PdfWriter(clone_from=tmp_path / "page.pdf")
    writer.metadata = None
    writer.write(tmp_path / "bare.pdf")

    reading = read(tmp_path / "bare.pdf")

    assert reading.title == "On the Sorting of Very Long Shelves"
    assert reading.authors == ("Ada M. Quell", "Torvin Hale", "Ruth de Vries")
    assert reading.date == "2019-03-04"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Quell\ufff9∗\ufffb, Torvin Hale+", ("Ada Quell", "Torvin Hale")),
        ("Federal Aviation Administration", ()),
        ("A line of ordinary words", ()),
        ("WASHINGTON, D.C.", ()),
    ],
)
def test_authors_are_names_and_nothing_else(text, names):
    assert authors_in([Line((Piece(text, 72, 300),), 700, 11, bold=False)]) == names


@pytest.mark.parametrize(
    ("text", "date"),
    [("as of March 2019", "2019-03"), ("on June 5, 2018,", "2018-06-05"), ("2020-02-29", "2020-02-29"), ("May be", "")],
)
def test_a_date_is_as_exact_as_it_is_written(text, date):
    assert date_in(text) == date


def test_the_first_page_of_a_paper_names_its_authors(shared):
    reading = read(shared / "corpus" / "papers" / "tracemonkey.pdf")

    assert reading.title == "Trace-based Just-in-Time Type Specialization for Dynamic Languages"
    assert reading.authors[:3] == ("Andreas Gal", "Brendan Eich", "Mike Shaver")
