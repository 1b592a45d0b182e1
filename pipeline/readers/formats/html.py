"""HTML, XHTML and other XML: by how the file begins, or by its name."""

from pipeline.readers.formats.format import Format, Read, Sample

START_BYTES = 2048
SUFFIXES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
}


def is_markup(sample: Sample) -> bool:
    """Say whether a file begins like markup, or is called markup."""
    start = sample.text_start[:START_BYTES].lower()
    begins = start.startswith((b"<!doctype html", b"<html", b"<?xml")) or b"<html" in start
    return begins or sample.suffix in SUFFIXES


def load() -> Read:
    """Import lxml."""
    from pipeline.readers.html.html import read

    return read


FORMAT = Format(
    name="html",
    media_type="text/html",
    suffixes=SUFFIXES,
    priority=130,
    recognises=is_markup,
    load=load,
)
