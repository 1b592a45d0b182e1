"""What a reader returns, and how it says that it cannot."""

from dataclasses import dataclass
from typing import Protocol

from pipeline.records import Fact


class Allow(Protocol):
    """Called once the number of pages is known, and again with that of those to be recognised: they take more time."""

    def __call__(self, num_pages: int, num_scanned: int = 0) -> None:
        """Allow the time that so many pages are worth.

        Raises:
            UnreadableError: They are too many.
        """


@dataclass(frozen=True)
class Options:
    """How files are to be read."""

    layout: bool  # of PDFs: columns, headings, tables, notes; else the engine's own text, page by page
    ocr: bool  # recognise the pages of PDFs that have no text
    ocr_cpu_seconds_per_page: float  # that recognising a page may take, besides those for any page


TEXT_ONLY = Options(layout=True, ocr=False, ocr_cpu_seconds_per_page=0)  # what a file says by itself


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
    """A file that cannot be read: `kind` is what is counted, `reason` is for people."""

    def __init__(self, kind: str, reason: str) -> None:
        """Describe the fault, in `kind` by one of a few words."""
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
