"""Read PDF: PDFium first, pypdf for the pages on which PDFium fails.

PDFium is seven times as fast and gets text from more files, but dies of bombs that pypdf survives; that is why a
second, cautious try leaves it out.
"""

import logging
import re
from collections import Counter
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2 as pdfium

from pipeline.readers.clean import clean, garbage_ratio, join_pages
from pipeline.readers.pdf_layout import Outline, key_of, markdown_pages
from pipeline.readers.pdf_lines import Line, lines_of, plain_lines
from pipeline.readers.reading import Allow, Reading, UnreadableError

MAX_GARBAGE_RATIO = 0.3  # of a page, above which the other engine's text is taken if it has less
MAX_OUTLINE_ENTRIES = 5_000
PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD
DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?")
NO_TITLE = re.compile(r"^(?:untitled|microsoft word|slide 1)|\.(?:dvi|docx?|tex|indd|pdf|rtf|qxd|fm)$", re.IGNORECASE)


def read(path: Path, allow: Allow, *, cautious: bool) -> Reading:
    """Read a PDF.

    Args:
        path: The file.
        allow: Called with the number of pages before any is read.
        cautious: Do without PDFium.

    Raises:
        UnreadableError: No engine opens it, or no page has text.
    """
    for name in ("pypdf", "pypdfium2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they would warn about every oddity of every file
    document, fault = (None, "") if cautious else open_pdfium(path)
    second = Second(path)
    num_pages = len(document) if document else second.num_pages()
    allow(num_pages)
    if num_pages == 0:
        raise UnreadableError("empty", "it has no pages")
    readers: Counter[str] = Counter()
    pages = [page_lines(document, second, index, readers) for index in range(num_pages)]
    markdown, num_running = markdown_pages(pages, outline_of(document))
    text, offsets = join_pages(markdown)
    if not text.strip():
        reason = f"none of its {num_pages} pages has text: is it scanned?" if readers["failed"] == 0 else fault
        raise UnreadableError("empty", reason or "no page can be read")
    info = metadata_of(document, second)
    return Reading(
        text=text,
        reader=", ".join(name for name in ("pypdfium2", "pypdf") if readers[name]),
        num_pages=num_pages,
        page_offsets=offsets,
        title="" if NO_TITLE.search(title := clean(info.get("Title", "")).strip()) else title,
        authors=tuple(filter(None, [clean(info.get("Author", "")).strip()])),
        date="-".join(filter(None, found.groups())) if (found := DATE.match(info.get("CreationDate", ""))) else "",
        warnings=warnings_of(readers, num_running),
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


class Second:
    """pypdf's view of a file, opened only when it is needed."""

    def __init__(self, path: Path) -> None:
        """Remember the file."""
        self.path = path
        self.reader: pypdf.PdfReader | None = None

    def open(self) -> pypdf.PdfReader:
        """Return the open file."""
        if self.reader is None:
            self.reader = pypdf.PdfReader(BytesIO(self.path.read_bytes()))
            if self.reader.is_encrypted and not self.reader.decrypt(""):
                raise UnreadableError("encrypted", "it needs a password")
        return self.reader

    def num_pages(self) -> int:
        """Return the number of pages.

        Raises:
            UnreadableError: pypdf cannot open the file either.
        """
        try:
            return len(self.open().pages)
        except UnreadableError:
            raise
        except Exception as error:
            raise UnreadableError("broken", f"no PDF that can be opened: {type(error).__name__}: {error}") from error

    def text(self, index: int) -> str | None:
        """Return the text of a page, None if it cannot be read."""
        try:
            return self.open().pages[index].extract_text()
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (as above)
            return None


def page_lines(document: Any, second: Second, index: int, readers: Counter[str]) -> list[Line]:
    """Return the lines of a page, and count who read it: PDFium unless it fails, finds nothing, or finds garbage."""
    lines = pdfium_lines(document, index) if document else None
    ratio = garbage_ratio(text := "".join(line.text for line in lines or []).replace("\ufffe", ""))
    if text and ratio <= MAX_GARBAGE_RATIO:
        readers["pypdfium2"] += 1
        return lines or []
    other = second.text(index)
    if other and other.strip() and (not text or garbage_ratio(other) < ratio):
        readers["pypdf"] += 1
        return plain_lines(other)
    readers["pypdfium2" if text else "failed" if other is None and lines is None else "empty"] += 1
    return lines or []


def pdfium_lines(document: Any, index: int) -> list[Line] | None:
    """Return the lines of a page, None if PDFium cannot load it."""
    try:
        page = document[index]
        textpage = page.get_textpage()
    except pdfium.PdfiumError:
        return None
    lines = lines_of(textpage)
    textpage.close()
    page.close()
    return lines


def outline_of(document: Any) -> Outline:
    """Return the headings that the file's outline names."""
    entries: dict[tuple[int, str], int] = {}
    for bookmark in islice(document.get_toc(), MAX_OUTLINE_ENTRIES) if document else []:
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        if page is not None and (title := key_of(bookmark.get_title())):
            entries.setdefault((page, title), bookmark.level + 1)
    return Outline(entries)


def metadata_of(document: Any, second: Second) -> dict[str, str]:
    """Return the information dictionary of a file."""
    try:
        if document:
            return {name: str(value) for name, value in document.get_metadata_dict().items()}
    except UnicodeDecodeError:  # half of a surrogate pair, say
        return {}
    try:
        return {str(name).lstrip("/"): str(value) for name, value in (second.open().metadata or {}).items()}
    except Exception:  # noqa: BLE001 (as above)
        return {}


def warnings_of(readers: Counter[str], num_running: int) -> tuple[str, ...]:
    """Say what is missing from the text."""
    counts = {
        "pages without text": readers["empty"],
        "pages that cannot be read": readers["failed"],
        "running heads, feet and page numbers left out": num_running,
    }
    return tuple(f"{count} {what}" for what, count in counts.items() if count)
