"""What a reader gets, what it returns, and the error for a file that it cannot read."""

from dataclasses import dataclass
from typing import Protocol

from pipeline.records import Fact


class CpuBudget(Protocol):
    """Raises the limit on CPU time to what the pages of a file need."""

    def __call__(self, num_pages: int, num_scanned: int = 0) -> None:
        """Allow time for the pages; call again when it is known how many of them need OCR.

        Raises:
            UnreadableError: The file has too many pages.
        """


@dataclass(frozen=True)
class Options:
    """How to read files."""

    layout: bool  # of PDFs: find columns, headings, tables and notes; else keep the engine's text, page by page
    ocr: bool  # recognise the pages of PDFs that have no text
    ocr_cpu_seconds_per_page: float  # for recognising a page, on top of the time for any page


TEXT_ONLY = Options(layout=True, ocr=False, ocr_cpu_seconds_per_page=0)  # only the text in the file, no OCR


@dataclass(frozen=True)
class ReadContext:
    """What a reader gets besides the file."""

    budget: CpuBudget  # to be called once the number of pages is known; formats without pages leave it alone
    options: Options = TEXT_ONLY
    cautious: bool = False  # the first try killed its process: leave out what is fast but crashes, as PDFium does


@dataclass(frozen=True)
class Reading:
    """The text of a file and what the file says about itself."""

    text: str  # cleaned Markdown
    reader: str  # the libraries that read it
    num_pages: int | None = None  # None where the format has no pages
    page_offsets: tuple[int, ...] = ()  # where each page starts in `text`, in characters
    title: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""  # ISO 8601
    language: str = ""  # ISO 639-1
    warnings: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()  # figures that the file tags, in the order of the text


class UnreadableError(Exception):
    """A file that cannot be read: `kind` is counted, `reason` is shown."""

    def __init__(self, kind: str, reason: str) -> None:
        """Describe the fault; `kind` is one of the words listed in docs/reading.md."""
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
