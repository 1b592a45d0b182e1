"""Read PDF: PDFium first, pypdf for the pages on which PDFium fails.

PDFium is seven times as fast and gets text from more files, but dies of bombs that pypdf survives; that is why the
second, cautious try leaves it out. Which of them reads a page is decided by that page: pypdf where PDFium cannot load
it, finds no text, or finds more garbage than pypdf does.
"""

import logging
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from pipeline.readers.common.clean import garbage_ratio, join_pages
from pipeline.readers.common.reading import Options, ReadContext, Reading, UnreadableError
from pipeline.readers.pdf.annotations import annotation_lines, insert_lines
from pipeline.readers.pdf.chars import page_text
from pipeline.readers.pdf.headings import Outline
from pipeline.readers.pdf.layers import Layers
from pipeline.readers.pdf.layout import markdown_pages
from pipeline.readers.pdf.legibility import is_legible
from pipeline.readers.pdf.lines import Line, extract_lines, plain_lines
from pipeline.readers.pdf.metadata import read_metadata
from pipeline.readers.pdf.ocr import recognise_lines
from pipeline.readers.pdf.pypdf_fallback import PypdfDocument
from pipeline.readers.pdf.running_headers import letters_and_digits

MAX_GARBAGE_RATIO = 0.3  # of a page, above which the other engine's text is taken if it has less
MAX_OUTLINE_ENTRIES = 5_000
PASSWORD_ERROR = pdfium_c.FPDF_ERR_PASSWORD
PDFIUM, PYPDF, OCR, EMPTY, FAILED = "pypdfium2", "pypdf", "rapidocr", "empty", "failed"
ILLEGIBLE = "illegible"  # its fonts do not say what their glyphs mean
READERS = (PDFIUM, PYPDF, OCR)
UNSEARCHED = "pages in which hidden text was not looked for"


def read(path: Path, context: ReadContext) -> Reading:
    """Read a PDF; a cautious reading does without PDFium.

    Raises:
        UnreadableError: No engine opens it, or no page has text.
    """
    for name in ("pypdf", "pypdfium2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they would warn about every oddity of every file
    document, fault = (None, "") if context.cautious else open_pdfium(path)
    fallback = PypdfDocument(path)
    num_pages = len(document) if document else fallback.num_pages()
    context.budget(num_pages)
    if num_pages == 0:
        raise UnreadableError("empty", "it has no pages")
    pages = Pages(document, fallback, context.options)
    lines = [pages.lines(index) for index in range(num_pages)]
    if (
        context.options.ocr
        and document
        and (scanned := [index for index, by in enumerate(pages.readers) if by in (EMPTY, ILLEGIBLE)])
    ):
        context.budget(num_pages, len(scanned))
        for index in scanned:
            lines[index] = pages.recognise(index)
    if context.options.layout:
        markdown, left_out = markdown_pages(lines, read_outline(document))
    else:
        markdown, left_out = ["\n".join(line.text for line in page) for page in lines], Counter()
    text, offsets = join_pages(markdown)
    if not text.strip():
        if ILLEGIBLE in pages.readers:
            count = pages.readers.count(ILLEGIBLE)
            raise UnreadableError("encoding", f"the fonts of {count} pages do not say what their glyphs mean; try OCR")
        raise UnreadableError("empty", why_empty(pages, fault))
    title, authors, date = read_metadata(document, fallback, lines[0], text[: offsets[1]] if num_pages > 1 else text)
    return Reading(
        text=text,
        reader=", ".join(name for name in READERS if name in pages.readers),
        num_pages=num_pages,
        page_offsets=offsets,
        title=title,
        authors=authors,
        date=date,
        warnings=pages.warnings(left_out, text.count("\ufffd")),
    )


def open_pdfium(path: Path) -> tuple[Any, str]:
    """Open a file with PDFium; None and its complaint if it will not.

    Raises:
        UnreadableError: The file is encrypted with a password.
    """
    try:
        return pdfium.PdfDocument(path), ""
    except pdfium.PdfiumError as error:
        if error.err_code == PASSWORD_ERROR:
            raise UnreadableError("encrypted", "it needs a password") from error
        return None, str(error)


class Pages:
    """Reads the pages of a file, each with the engine that it needs, and counts what is to be said of them."""

    def __init__(self, document: Any, fallback: PypdfDocument, options: Options) -> None:
        """Prepare to read: with PDFium's document, if there is one."""
        self.document = document
        self.fallback = fallback
        self.options = options
        self.readers: list[str] = []  # of each page, or why it has no text
        self.hidden: Counter[str] = Counter()  # words left out, by how they are hidden
        self.num_unsearched = 0
        self.num_values = 0  # of form fields and notes
        self.layers = Layers(lambda: fallback.hidden_layers())

    def lines(self, index: int) -> list[Line]:
        """Return the lines of a page."""
        lines, hidden = self.read_with_pdfium(index) if self.document else (None, Counter())
        self.hidden += hidden
        if lines and not is_legible("\n".join(line.text for line in lines)):
            other = self.fallback.text(index)
            is_better = other and other.strip() and is_legible(other) and garbage_ratio(other) <= MAX_GARBAGE_RATIO
            self.readers.append(PYPDF if is_better else ILLEGIBLE)
            return plain_lines(other) if other and is_better else []
        ratio = garbage_ratio(text := "".join(line.text for line in lines or []).replace("\ufffe", ""))
        if (text and ratio <= MAX_GARBAGE_RATIO) or (hidden and not text):  # pypdf would read what is hidden
            self.readers.append(PDFIUM if text else EMPTY)
            self.num_unsearched += not self.options.layout
            return lines or []
        other = self.fallback.text(index)
        if other and other.strip() and (not text or garbage_ratio(other) < ratio):
            self.readers.append(PYPDF)
            self.num_unsearched += 1
            return plain_lines(other)
        self.readers.append(PDFIUM if text else FAILED if other is None and lines is None else EMPTY)
        return lines or []

    def read_with_pdfium(self, index: int) -> tuple[list[Line] | None, Counter[str]]:
        """Return what PDFium makes of a page; None for lines if it cannot load it."""

        def found(page: Any, textpage: Any) -> tuple[list[Line], Counter[str]]:
            if not self.options.layout:
                return plain_lines(page_text(textpage)), Counter()
            self.layers.forget()
            lines, hidden = extract_lines(page, textpage, self.layers)
            values = annotation_lines(page.raw)
            self.num_values += len(values)
            return insert_lines(lines, values), hidden

        return self.with_open_page(index, found) or (None, Counter())

    def with_open_page(self, index: int, use: Callable[[Any, Any], Any]) -> Any:
        """Return what a function makes of an open page and its text; None if PDFium cannot load it."""
        try:
            page = self.document[index]
            textpage = page.get_textpage()
        except pdfium.PdfiumError:
            return None
        try:
            return use(page, textpage)
        finally:
            textpage.close()
            page.close()

    def recognise(self, index: int) -> list[Line]:
        """Return the lines of a scanned page; none if it cannot be recognised."""
        try:
            lines: list[Line] = self.with_open_page(index, lambda page, _: recognise_lines(page)) or []
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (whatever a recogniser raises costs one page)
            self.readers[index] = FAILED
            return []
        if lines:
            self.readers[index] = OCR
        return lines

    def warnings(self, left_out: Counter[str], num_unknown: int) -> tuple[str, ...]:
        """Say what is missing from the text, and what is doubtful in it."""
        words = {f"words of hidden text left out ({how})": count for how, count in sorted(self.hidden.items())}
        kept = {how: words.pop(f"words of hidden text left out ({how})") for how in self.hidden if how.endswith("kept")}
        counts = {
            "pages without text": self.readers.count(EMPTY),
            "pages that cannot be read": self.readers.count(FAILED),
            "pages left out whose fonts do not say what their glyphs mean": self.readers.count(ILLEGIBLE),
            "values of form fields and notes on the page read": self.num_values,
            "glyphs without a character, written as U+FFFD": num_unknown,
            "pages read by recognition": self.readers.count(OCR),
            **left_out,
            **words,
            **kept,
            UNSEARCHED: self.num_unsearched,
        }
        return tuple(f"{count} {what}" for what, count in counts.items() if count)


def why_empty(pages: Pages, fault: str) -> str:
    """Say why a file has no text."""
    if FAILED in pages.readers:
        return fault or "no page can be read"
    num_pages, hidden = len(pages.readers), sum(pages.hidden.values())
    if hidden:
        return f"none of its {num_pages} pages has visible text; {hidden} words are hidden"
    return f"none of its {num_pages} pages has text: is it scanned?"


def read_outline(document: Any) -> Outline:
    """Return the headings that the file's outline names."""
    entries: dict[tuple[int, str], int] = {}
    for bookmark in islice(document.get_toc(), MAX_OUTLINE_ENTRIES) if document else []:
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        if page is not None and (title := letters_and_digits(bookmark.get_title())):
            entries.setdefault((page, title), bookmark.level + 1)
    return Outline(entries)
