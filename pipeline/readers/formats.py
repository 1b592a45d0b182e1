"""Know the format of a file by its bytes, and read it with the reader for it."""

import zipfile
from pathlib import Path
from typing import Literal

from pipeline.readers import openreview
from pipeline.readers.common import text
from pipeline.readers.common.reading import Allow, Options, Reading, UnreadableError
from pipeline.readers.html import epub, html
from pipeline.readers.latex import archive as latex_archive
from pipeline.readers.latex import latex
from pipeline.readers.pdf import pdf

Format = Literal["pdf", "epub", "html", "latex", "latex archive", "openreview", "text"]
MEDIA_TYPES: dict[Format, str] = {
    "pdf": "application/pdf",
    "epub": "application/epub+zip",
    "html": "text/html",
    "latex": "text/x-tex",
    "latex archive": "application/gzip",
    "openreview": "application/json",
    "text": "text/plain",
}
HEAD_BYTES = 20_000
KNOWN_BINARIES = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bzip2 archive",
    b"{\\rtf": "RTF",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
}
MARKUP_BYTES = 2048
TEX_SUFFIXES = (".tex", ".ltx", ".latex")
MARKUP_SUFFIXES = (".html", ".htm", ".xhtml", ".xml")


def format_of(path: Path) -> Format:
    """Return the format of a file; its name decides only between markup and other text.

    Raises:
        UnreadableError: It is of no format that is read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise UnreadableError("empty", "the file has no bytes")
    if b"%PDF-" in head[:1024] or path.suffix.lower() == ".pdf":
        return "pdf"
    if head.startswith(b"PK\x03\x04") and is_epub(path):
        return "epub"
    if head.startswith(b"\x1f\x8b"):
        return "latex archive"
    for start, name in KNOWN_BINARIES.items():
        if head.startswith(start):
            raise UnreadableError("unsupported", f"{name} is not read")
    if openreview.is_discussion(head):
        return "openreview"
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if path.suffix.lower() in TEX_SUFFIXES or latex.is_latex(start.decode("latin-1")):
        return "latex"
    start = start[:MARKUP_BYTES].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")) or b"<html" in start:
        return "html"
    return "html" if path.suffix.lower() in MARKUP_SUFFIXES else "text"


def is_epub(path: Path) -> bool:
    """Say whether a zip archive is an EPUB, or calls itself one."""
    if path.suffix.lower() == ".epub":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return epub.CONTAINER in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False


def read(path: Path, format_: Format, allow: Allow, *, cautious: bool, options: Options) -> Reading:
    """Read a file of a known format.

    Args:
        path: The file.
        format_: What `format_of` says.
        allow: Called with the number of pages once it is known.
        cautious: Leave out what died on this file before: PDFium, which is fast but aborts on bombs.
        options: How it is to be read.
    """
    if format_ == "pdf":
        return pdf.read(path, allow, cautious=cautious, options=options)
    readers = {
        "epub": epub.read,
        "html": html.read,
        "latex": latex.read,
        "latex archive": latex_archive.read,
        "openreview": openreview.read,
        "text": text.read,
    }
    return readers[format_](path, allow)
