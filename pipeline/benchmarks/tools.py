"""Time another tool on a PDF; run by the Python that has the tool, without this project.

Usage   PYTHON tools.py TOOL FILE SECONDS
Writes  a line of JSON: version, pages, seconds of CPU time (imports left out), or error
"""

import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any

MAX_PAGES = 20  # for the tools that take a range of pages and give nothing before its end


def with_pypdfium2(path: str) -> Iterator[int]:
    """Take the text of each page as it comes: no layout, no tables."""
    document = importlib.import_module("pypdfium2").PdfDocument(path)
    for index in range(len(document)):
        document[index].get_textpage().get_text_bounded()
        yield 1


def with_pypdf(path: str) -> Iterator[int]:
    """Take the text of each page."""
    for page in importlib.import_module("pypdf").PdfReader(path).pages:
        page.extract_text()
        yield 1


def with_pdfminer(path: str) -> Iterator[int]:
    """Take the text of each page with its analysis of layout."""
    for page in importlib.import_module("pdfminer.high_level").extract_pages(path):
        "".join(box.get_text() for box in page if hasattr(box, "get_text"))
        yield 1


def with_pdfplumber(path: str) -> Iterator[int]:
    """Take text and tables of each page."""
    with importlib.import_module("pdfplumber").open(path) as document:
        for page in document.pages:
            page.extract_text()
            page.extract_tables()
            page.close()
            yield 1


def with_pdf_oxide(path: str) -> Iterator[int]:
    """Take the Markdown of each page."""
    document = importlib.import_module("pdf_oxide").PdfDocument(path)
    for index in range(document.page_count()):
        document.to_markdown(index)
        yield 1


def with_markitdown(path: str) -> Iterator[int]:
    """Take the Markdown of the file."""
    markitdown = importlib.import_module("markitdown")
    num_pages = len(importlib.import_module("pypdfium2").PdfDocument(path))
    markitdown.MarkItDown().convert(path)
    yield num_pages


def with_pymupdf4llm(path: str) -> Iterator[int]:
    """Take the Markdown of the first pages."""
    pages = list(range(min(MAX_PAGES, len(importlib.import_module("pypdfium2").PdfDocument(path)))))
    importlib.import_module("pymupdf4llm").to_markdown(path, pages=pages, show_progress=False)
    yield len(pages)


def with_docling(path: str) -> Iterator[int]:
    """Take the Markdown of the first pages; it fetches its models when it is first used."""
    converter = importlib.import_module("docling.document_converter").DocumentConverter()
    result = converter.convert(path, page_range=(1, MAX_PAGES))
    result.document.export_to_markdown()
    yield len(result.pages)


TOOLS: dict[str, tuple[str, Callable[[str], Iterator[int]]]] = {
    "pypdfium2": ("pypdfium2", with_pypdfium2),
    "pypdf": ("pypdf", with_pypdf),
    "pdfminer.six": ("pdfminer.high_level", with_pdfminer),
    "pdfplumber": ("pdfplumber", with_pdfplumber),
    "pdf_oxide": ("pdf_oxide", with_pdf_oxide),
    "markitdown": ("markitdown", with_markitdown),
    "pymupdf4llm": ("pymupdf4llm", with_pymupdf4llm),
    "docling": ("docling.document_converter", with_docling),
}


def timed(name: str, path: str, seconds: float) -> dict[str, Any]:
    """Return the number of pages that a tool read, and in what time; it stops at a page's end when time is up."""
    module, read = TOOLS[name]
    try:
        found = version(name)
        importlib.import_module(module)
    except (ImportError, PackageNotFoundError) as error:
        return {"error": f"not installed: {error}"}
    start, pages = time.process_time(), 0
    try:
        for count in islice(read(path), 100_000):
            pages += count
            if time.process_time() - start > seconds:
                break
    except Exception as error:  # noqa: BLE001 (whatever a foreign tool raises is what it has to say)
        return {"version": found, "error": f"{type(error).__name__}: {error}"[:100]}
    return {"version": found, "pages": pages, "seconds": time.process_time() - start}


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(timed(sys.argv[1], sys.argv[2], float(sys.argv[3]))) + "\n")
